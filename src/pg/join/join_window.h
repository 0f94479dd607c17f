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
	uint32		nsent;			/* the first ones have been asked for, */
	uint32		nanswered;		/* and the first ones of these are answered */
	uint32		capacity;
	DynEntityId *ids;
	Datum	   *values;			/* canonical (convert.h), rel->nkeys of each key */
	const DynItem **items;		/* of each key that is answered, or NULL: there is none */
	uint32	   *slots;			/* a hash table of key numbers plus one; 0: free */
	uint32		nslots;			/* a power of two, more than twice as many as keys */
} DynWindowKeys;

/* Keys asked for together: of each table of a group the next ones. */
typedef struct DynWindowGet
{
	DynBatchGet *get;			/* holds the items */
	uint32	   *nkeys;			/* of each table */
	struct DynWindowGet *next;
} DynWindowGet;

/* What a window asks of a group of tables. */
typedef struct DynWindowGroup
{
	DynWindowKeys *tables;		/* of each table of the group */
	DynWindowGet *gets;			/* in the order in which they were sent, and the end of this list: */
	DynWindowGet **gets_end;
	DynWindowGet *unanswered;	/* the first of them that is */
	int			nrequests;		/* about so many were sent while the window was filled */
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
							   const DynEntityId *id, const Datum *values);

/*
 * Sends the requests that are full, so that the first ones travel while later
 * rows are read; once the window has all its rows, with `flush`, also the rest.
 * Raises where they can't be made.
 */
extern void dyn_window_send(DynWindow *window, bool flush);

/*
 * The item of a row and stage, and the key it was asked by; NULL: there is none.
 * Waits for it, and raises what its request came to.  Valid until the window is
 * cleared.
 */
extern const DynItem *dyn_window_item(DynWindow *window, int row, int stage, DynTableNumber table,
									  const Datum **values);

/*
 * Waits for what no row waited for, as where another stage has ended them all:
 * it is counted, what failed is raised, and no connection is broken off.
 */
extern void dyn_window_finish(DynWindow *window);

#endif							/* DYN_JOIN_WINDOW_H */
