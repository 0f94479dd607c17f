/*
 * unkeyed.h
 *	  Scans whose conditions do not name the keys: they can be planned and
 *	  explained, but not executed.
 */
#ifndef DYN_UNKEYED_H
#define DYN_UNKEYED_H

#include "nodes/pathnodes.h"

#include "pg/table/relation.h"

/* Adds a path that needs no keys, and that the planner takes only where there is no other one. */
extern void dyn_unkeyed_add_path(PlannerInfo *root, RelOptInfo *rel);

/* Raises the error of executing such a scan. */
extern void dyn_unkeyed_report(const DynRelation *dyn);

#endif							/* DYN_UNKEYED_H */
