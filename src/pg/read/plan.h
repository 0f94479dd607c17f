/*
 * plan.h
 *	  What planning a join needs to know of a foreign table.
 */
#ifndef DYN_PLAN_H
#define DYN_PLAN_H

#include "nodes/pathnodes.h"

#include "pg/table/relation.h"

/* The foreign table of ours that the planner is about to read; NULL: it is none, or it is not read. */
extern DynRelation *dyn_plan_relation(const RelOptInfo *rel);

/* Is there a path that needs no other table's rows to know the keys? */
extern bool dyn_plan_knows_keys(const RelOptInfo *rel);

/* What whoever plans joins keeps with that table; NULL at first. */
extern void **dyn_plan_kept(const RelOptInfo *rel);

/* Does the query UPDATE or DELETE the rows that it reads of the table?  They are read consistently. */
extern bool dyn_plan_is_target(const PlannerInfo *root, const RelOptInfo *rel);

#endif							/* DYN_PLAN_H */
