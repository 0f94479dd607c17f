/*
 * scan.h
 *	  What EXPLAIN needs to know of a scan that runs or ran.
 */
#ifndef DYN_SCAN_H
#define DYN_SCAN_H

#include "nodes/execnodes.h"

#include "net/counters.h"
#include "pg/table/relation.h"

/* The table that a scan node, even one only explained, reads. */
extern const DynRelation *dyn_scan_relation(ForeignScanState *node);

/* What it has asked so far, over all rescans. */
extern const DynCounters *dyn_scan_counters(ForeignScanState *node);

/* How many items it has passed over as expired. */
extern int64 dyn_scan_expired(ForeignScanState *node);

#endif							/* DYN_SCAN_H */
