/*
 * stats.h
 *	  What this session has asked of each server.
 */
#ifndef DYN_STATS_H
#define DYN_STATS_H

#include "net/counters.h"

/*
 * The counters of a server, zero at first use; they stay where they are for the
 * rest of the session. Raises only when out of memory.
 */
extern DynCounters *dyn_stats_of_server(Oid serverid);

#endif							/* DYN_STATS_H */
