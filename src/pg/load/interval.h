/*
 * interval.h
 *	  The record of what has been materialized: intervals of event times, for
 *	  each foreign table.
 *
 * An interval is of one foreign table over one remote table.  It doesn't count
 * any more when the foreign table means another remote table, and is forgotten
 * with either of them.  Whoever adds one holds a lock on the foreign table that
 * keeps others from doing so.  Written by table API, free of privileges.
 */
#ifndef DYN_LOAD_INTERVAL_H
#define DYN_LOAD_INTERVAL_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "storage/itemptr.h"

#include "pg/table/relation.h"

typedef struct DynInterval
{
	Oid			relid;
	char	   *region;			/* of the remote table */
	char	   *endpoint;
	char	   *table;
	TimestampTz start;			/* both ends belong to it */
	TimestampTz end;
	int64		rows;			/* that were written */
	TimestampTz at;				/* when the last of them were */
	ItemPointerData tid;
} DynInterval;

/* All intervals of all foreign tables, by foreign table and start. */
extern List *dyn_intervals(void);

/* Is the interval one of the foreign table over the remote table that it means now? */
extern bool dyn_interval_counts(const DynInterval *interval, const DynRelation *rel);

/* Where the latest of the foreign table's intervals ends; false: it has none. */
extern bool dyn_interval_latest_end(const DynRelation *rel, TimestampTz *end);

/*
 * Adds what was loaded.  Intervals that it touches become one with it; if it
 * lies within one, that one stays as it is.
 */
extern void dyn_interval_add(const DynRelation *rel, TimestampTz start, TimestampTz end, int64 rows);

/* Forgets the intervals of a foreign table, which goes. */
extern void dyn_intervals_forget(Oid relid);

/* Forgets the intervals of all foreign tables over a remote table, which is new, and so empty. */
extern void dyn_intervals_forget_remote(const DynRemote *remote);

#endif							/* DYN_LOAD_INTERVAL_H */
