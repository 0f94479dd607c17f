/*
 * progress.h
 *	  How far the loads of this session are: shown to other sessions while they
 *	  run, logged when they took long.
 */
#ifndef DYN_PROGRESS_H
#define DYN_PROGRESS_H

#include "lib/ilist.h"
#include "nodes/execnodes.h"
#include "portability/instr_time.h"

#include "net/counters.h"
#include "pg/table/relation.h"
#include "pg/write/progress_slots.h"

/* Part of a modification that runs; all zero at first. */
typedef struct DynProgress
{
	DynProgressSlot *slot;		/* NULL: not shown */
	const DynRelation *rel;
	const DynCounters *counters;
	const char *command;
	int64		rows;
	TimestampTz started;
	instr_time	shown;			/* when others were last told */
	dlist_node	node;			/* in the list of the session, where `listed` */
	bool		listed;
} DynProgress;

/*
 * A load begins; relation and counters outlive it.  It is not shown where all
 * slots are taken, or there is no memory for them.
 */
extern void dyn_progress_begin(DynProgress *progress, const EState *estate, CmdType operation,
							   const DynRelation *rel, const DynCounters *counters);

/*
 * It has taken a row, which is shown soon.  But where requests are in flight,
 * whoever drives them calls dyn_progress_show(): asking the clock for each row
 * takes too long to be done twice.
 */
extern void dyn_progress_row(DynProgress *progress);

/* Brings up to date what is shown of all loads of the session; cheap enough for every wait. */
extern void dyn_progress_show(void);

/* All is acknowledged: the load is no longer shown, and logged if it took long. */
extern void dyn_progress_end(DynProgress *progress);

/* It is no longer shown, however it ended. Throws nothing; fine where it never began. */
extern void dyn_progress_leave(DynProgress *progress);

#endif							/* DYN_PROGRESS_H */
