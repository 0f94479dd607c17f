/*
 * explain_counts.h
 *	  Numbers that EXPLAIN shows of every node of ours.
 */
#ifndef DYN_EXPLAIN_COUNTS_H
#define DYN_EXPLAIN_COUNTS_H

#include "net/counters.h"

struct ExplainState;

/* Shows a number without a unit. */
extern void dyn_explain_number(const char *name, int64 value, struct ExplainState *es);

/* Shows what EXPLAIN ANALYZE tells of all requests; `capacity`: it was asked for. */
extern void dyn_explain_requests(const DynCounters *counters, bool capacity, struct ExplainState *es);

#endif							/* DYN_EXPLAIN_COUNTS_H */
