/*
 * stored.h
 *	  Stored bytes that are not those we would write for the same value.
 *
 * An UPDATE whose new values depend on old ones depends on the bytes that were
 * read.  They are made anew from the row that comes out of the plan, which is
 * right for all that Feast's SDK for Python or we have written.  Other
 * writers may spell a value otherwise, or a time: then the scan notes the bytes
 * here, where the UPDATE finds them.
 */
#ifndef DYN_STORED_H
#define DYN_STORED_H

#include "lib/ilist.h"
#include "nodes/execnodes.h"
#include "utils/hsearch.h"

#include "core/feast_key.h"

/* Of a table that a query UPDATEs, be it several times by WITH; in the query's memory. */
typedef struct DynStored
{
	MemoryContextCallback callback;
	dlist_node	node;
	const EState *estate;
	Oid			relid;
	List	   *attnums;		/* that the UPDATE depends on */
	MemoryContext context;		/* the query's */
	HTAB	   *bytes;			/* NULL: none so far */
} DynStored;

/* From now on the scans of the query find it.  Where the query has it already, it is for these columns, too. */
extern DynStored *dyn_stored_new(EState *estate, Oid relid, List *attnums);

/* That of a table in a query, or NULL. */
extern DynStored *dyn_stored_find(const EState *estate, Oid relid);

/* Notes a column's bytes in an item; they are copied. */
extern void dyn_stored_note(DynStored *stored, const DynEntityId *id, AttrNumber attnum, const void *data, size_t len);

/* The bytes, or NULL where none were noted. */
extern const void *dyn_stored_bytes(const DynStored *stored, const DynEntityId *id, AttrNumber attnum, size_t *len);

#endif							/* DYN_STORED_H */
