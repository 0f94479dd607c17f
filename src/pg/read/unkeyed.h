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

/*
 * Do the conditions (RestrictInfos) name a key in a sub-select that
 * PostgreSQL runs for each row?  The error's hint then tells how to write it.
 */
extern bool dyn_unkeyed_has_sub_select(RelOptInfo *rel, const DynRelation *dyn, List *restrictinfos);

/* Raises the error of executing such a scan. */
extern void dyn_unkeyed_report(const DynRelation *dyn, bool sub_select);

#endif							/* DYN_UNKEYED_H */
