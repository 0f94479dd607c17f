/*
 * get_request.h
 *	  Requests of a read by key that may be of several tables: their bodies, and
 *	  which keys their answers are about.
 *
 * A key is known by its index among the keys of all tables.
 */
#ifndef DYN_GET_REQUEST_H
#define DYN_GET_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ddb_op.h"
#include "core/item_scan.h"

/* A table, with what is the same in all requests. */
typedef struct DynGetTable
{
	DynBuf		prefix;			/* of its keys in a body */
	DynBuf		suffix;
	DynScanTable scan;
	bool		capacity;
	uint32_t	first;			/* its first key */
	uint32_t	end;			/* behind its last one */
} DynGetTable;

/* The tables of a read, and their keys. */
typedef struct DynGetTables
{
	DynGetTable *tables;
	int			ntables;
	const DynEntityId *keys;	/* borrowed */
	uint32_t	nkeys;			/* of all tables */
} DynGetTables;

/* The keys of one table in a request. */
typedef struct DynGetPart
{
	int			table;
	int			first;			/* index into the request's keys */
	int			end;			/* behind the last one */
} DynGetPart;

/* The keys of a request; those of a table stand side by side once dyn_get_group() was called. */
typedef struct DynGetKeys
{
	uint32_t	keys[DYN_MAX_GET_KEYS];
	int			nkeys;
	DynGetPart	parts[DYN_MAX_GET_KEYS];
	int			nparts;
} DynGetKeys;

/* Which keys an answer is about, in the order of its items and of its unprocessed keys. */
typedef struct DynGetMatch
{
	uint32_t	items[DYN_MAX_GET_KEYS];
	uint32_t	unprocessed[DYN_MAX_GET_KEYS];
} DynGetMatch;

/*
 * `keys`: `nkeys[0]` of the first table, then `nkeys[1]` of the second, and so
 * on.  Features' names and keys are borrowed.  False: no memory, to be freed all
 * the same.
 */
extern bool dyn_get_tables_init(DynGetTables *tables, const DynGetRequest *requests, int ntables,
								const uint32_t *nkeys, const DynEntityId *keys);
extern void dyn_get_tables_free(DynGetTables *tables);	/* zeroed is fine */

/* The table of a key; the search starts at table `guess`. */
extern int	dyn_get_table_of(const DynGetTables *tables, uint32_t key, int guess);

/* Moves keys of each table side by side, where they keep their order, and makes `parts`. */
extern void dyn_get_group(const DynGetTables *tables, DynGetKeys *request);

/* Appends the body of a request whose keys are grouped. */
extern void dyn_get_body(const DynGetTables *tables, const DynGetKeys *request, DynBuf *out);

/* As dyn_item_scan(), by the tables of the request: of items and unprocessed keys `table` is an index of `parts`. */
extern DynScanResult dyn_get_scan(const DynGetTables *tables, const DynGetKeys *request, char *body, size_t len,
								  DynAnswer *answer);

/* False: an answer about a key that was not asked, or twice about one. */
extern bool dyn_get_match(const DynGetTables *tables, const DynGetKeys *request, const DynAnswer *answer,
						  DynGetMatch *match);

#endif							/* DYN_GET_REQUEST_H */
