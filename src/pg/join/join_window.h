/*
 * join_window.h
 *	  A window of a lookup join: outer rows, and the items of all their keys.
 */
#ifndef DYN_JOIN_WINDOW_H
#define DYN_JOIN_WINDOW_H

#include "access/htup_details.h"

#include "net/batch_get.h"
#include "pg/join/join_table.h"

/*
 * Rows in the first two windows of a query that may end early: few.  Later
 * ones, and all where every row is wanted, have as many as fill all requests.
 */
#define DYN_FIRST_WINDOW 25
#define DYN_SECOND_WINDOW 100

/* The keys asked of a table, all different. */
typedef struct DynWindowKeys
{
	uint32		nkeys;
	uint32		capacity;
	DynEntityId *ids;
	Datum	   *values;			/* canonical (convert.h), rel->nkeys of each key */
	const DynItem **items;		/* of each key, or NULL: there is none */
	uint32	   *slots;			/* a hash table of key numbers plus one; 0: free */
	uint32		nslots;			/* a power of two, more than twice as many as keys */
} DynWindowKeys;

/* What a window asks of a group of tables. */
typedef struct DynWindowGroup
{
	DynWindowKeys *tables;		/* of each table of the group */
	DynBatchGet *get;			/* holds the items; NULL: no keys */
} DynWindowGroup;

typedef struct DynWindow
{
	MemoryContextCallback callback;
	DynJoinTables *tables;
	int			nstages;
	MemoryContext context;		/* of all that follows; its content goes with dyn_window_clear() */
	int			capacity;		/* in rows */
	int			nrows;
	MinimalTuple *rows;
	int64	   *keys;			/* of each row and stage: a key's number, or -1 */
	Size		row_bytes;		/* of `rows` */
	DynWindowGroup *groups;
} DynWindow;

/* In the current memory context, whose reset frees what the window holds of the network. */
extern DynWindow *dyn_window_new(DynJoinTables *tables, int nstages);

/* Makes room for so many rows; what was there is dropped, and requests in flight are broken off. */
extern void dyn_window_clear(DynWindow *window, int capacity);

/* Adds a row, a copy of what is in the slot; no stage has a key for it so far. */
extern void dyn_window_add_row(DynWindow *window, TupleTableSlot *slot);

/* The key of a stage for the row added last: `values` are canonical, of `rel`, and are copied where they are new. */
extern void dyn_window_add_key(DynWindow *window, int stage, DynTableNumber table, const DynRelation *rel,
							   const Datum *values, DynBuf *scratch);

/* Sends the requests for all keys; raises where they can't be made. */
extern void dyn_window_start(DynWindow *window);

/* Waits until all items are here; raises. */
extern void dyn_window_wait(DynWindow *window);

/* The item of a row and stage, and the key it was asked by; NULL: there is none.  Valid until the window is cleared. */
extern const DynItem *dyn_window_item(const DynWindow *window, int row, int stage, DynTableNumber table,
									  const Datum **values);

#endif							/* DYN_JOIN_WINDOW_H */
