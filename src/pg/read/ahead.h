/*
 * ahead.h
 *	  Lookups sent ahead: the independent lookups of a statement overlap in time.
 *
 * When the first row of any scan is wanted, the first window of the others goes
 * out too, as far as their keys are known (plan.c tells) and evaluating them
 * can't fail.
 */
#ifndef DYN_AHEAD_H
#define DYN_AHEAD_H

#include "lib/ilist.h"
#include "nodes/execnodes.h"

#include "pg/read/lookup.h"

/* A scan that can be executed, and what starting it takes. */
typedef struct DynAhead
{
	MemoryContextCallback callback;
	dlist_node	node;			/* in the list of all */
	bool		listed;
	ForeignScanState *scan;
	DynLookup  *lookup;
	Node	   *tree;			/* key condition (qual.h) */
	List	   *operands;		/* ExprStates */
	bool		independent;	/* the keys hang on nothing that only running the plan can tell, but init plans */
	int			part;			/* of the plan: see part_of_plan */
	bool		started;		/* at least once */
	bool		unread;			/* sent ahead, and no row was wanted yet */
} DynAhead;

/*
 * Lists a scan that BeginForeignScan is being called for; the members down to
 * `independent` are set.  It leaves by itself when the current memory context
 * is reset.
 */
extern void dyn_ahead_enter(DynAhead *ahead);
extern void dyn_ahead_leave(DynAhead *ahead);

/* Starts what can go out together with this scan: its own part of the plan, and the main plan. */
extern void dyn_ahead_start_others(DynAhead *ahead);

#endif							/* DYN_AHEAD_H */
