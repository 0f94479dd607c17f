/*
 * update_op.h
 *	  Bodies of UpdateItem: changes some features of an item that exists, and
 *	  leaves the others.
 */
#ifndef DYN_UPDATE_OP_H
#define DYN_UPDATE_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/feast_key.h"

/* DynamoDB takes an expression of 4 KB, so an update can't name more features than this. */
#define DYN_MAX_UPDATE_FEATURES 200

/* What a statement changes, the same for all its rows. The names are borrowed. */
typedef struct DynUpdate
{
	const char *table;
	bool		event_ts;		/* is set */
	const char *expiry;			/* attribute that is set with it; NULL: none */
	int			nset;
	const char **set;			/* features that are set */
	int			nseen;
	const char **seen;			/* features that must still be what was read */
	bool		seen_event_ts;	/* so must the event time */
	bool		capacity;		/* ask what the request consumes */
} DynUpdate;

/* Bytes of a feature's Value; none: NULL. */
typedef struct DynValueBytes
{
	const void *data;
	size_t		len;
} DynValueBytes;

/* A row's part of it. */
typedef struct DynUpdateRow
{
	DynEntityId id;
	const char *event_ts;		/* text to set */
	int64_t		expires;		/* the attribute's value */
	const DynValueBytes *set;	/* of each feature */
	const DynValueBytes *seen;
	const char *seen_event_ts;	/* text as it was read; NULL: there was none */
} DynUpdateRow;

/* Appends the body. */
extern void dyn_update_body(DynBuf *out, const DynUpdate *update, const DynUpdateRow *row);

/*
 * Appends the body of another update that gives an item without `values` an
 * empty map, which features can be set in.
 */
extern void dyn_update_make_map(DynBuf *out, const char *table, const DynEntityId *id);

#endif							/* DYN_UPDATE_OP_H */
