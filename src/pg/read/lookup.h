/*
 * lookup.h
 *	  One foreign table read by entity keys: the requests for a set of keys, and
 *	  a row for each item that comes.
 *
 * Knows nothing of plan nodes: the keys come from a key condition (qual.h) or
 * from whoever fills `keys`.
 */
#ifndef DYN_LOOKUP_H
#define DYN_LOOKUP_H

#include "executor/tuptable.h"
#include "nodes/execnodes.h"

#include "net/batch_get.h"
#include "pg/qual/qual_eval.h"
#include "pg/read/projection.h"
#include "pg/session/connection.h"
#include "pg/table/relation.h"

typedef struct DynLookup
{
	MemoryContextCallback callback;
	DynRelation *rel;
	Oid			userid;			/* whose mapping signs */
	DynConnection *connection;	/* NULL: not needed so far */
	DynBatchGet *get;			/* the read that runs, or NULL */
	MemoryContext key_context;	/* of `keys` */
	DynKeySet	keys;
	DynGetRequest request;
	DynProjection *projection;
	DynCounters counters;		/* over all reads */
	int64		expired;		/* items among those whose rows were wanted, over all reads */
	bool		again;			/* the read began again: its items are counted */
} DynLookup;

/*
 * In the current memory context, whose reset gives back what the lookup holds
 * of the network.  `columns`: attnums to fetch beside the keys, event timestamp
 * or features.
 */
extern DynLookup *dyn_lookup_new(DynRelation *rel, List *columns);

/* The connection, once; raises. */
extern void dyn_lookup_connect(DynLookup *lookup);

/* Without an error: false where there is none to be had, or it is not worth trying. */
extern bool dyn_lookup_try_connect(DynLookup *lookup);

/* Evaluates a key condition; the keys replace those of before, whose read must be over. */
extern void dyn_lookup_evaluate(DynLookup *lookup, Node *tree, List *operand_states, ExprContext *econtext);

/* Sends the first window for `keys`; the connection is there.  What can't be sent is told by dyn_lookup_next(). */
extern void dyn_lookup_start(DynLookup *lookup);

/*
 * The next row, stored in the slot; false at the end, with the slot empty.
 * Waits, raises.  The row's values live until the next one.
 */
extern bool dyn_lookup_next(DynLookup *lookup, TupleTableSlot *slot);

/*
 * The next item of any read by key, as dyn_batch_get_next() has it.  Waits, where a cancel raises.  False: there are no
 * more, or the read failed, and `status` says why.
 */
extern bool dyn_lookup_wait(DynBatchGet *get, const DynItem **item, uint32 *key, DynStatus *status);

/* Begins again with the items that are here; false: they have to be asked for again. */
extern bool dyn_lookup_rewind(DynLookup *lookup);

/* Breaks off the read, if one runs. */
extern void dyn_lookup_stop(DynLookup *lookup);

/* Breaks off and gives the connection back. */
extern void dyn_lookup_release(DynLookup *lookup);

#endif							/* DYN_LOOKUP_H */
