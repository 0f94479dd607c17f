/*
 * modify.h
 *	  What EXPLAIN needs to know of a modification that ran.
 */
#ifndef DYN_MODIFY_H
#define DYN_MODIFY_H

#include "nodes/execnodes.h"

#include "net/counters.h"

/* What it has sent so far; NULL where it was only explained. */
extern const DynCounters *dyn_modify_counters(ResultRelInfo *rinfo);

#endif							/* DYN_MODIFY_H */
