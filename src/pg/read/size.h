/*
 * size.h
 *	  How many rows the planner expects of a table.
 */
#ifndef DYN_SIZE_H
#define DYN_SIZE_H

#include "nodes/pathnodes.h"

#include "pg/qual/qual.h"
#include "pg/table/relation.h"

/*
 * Sets the rows of the table before and after its own conditions; `base` is
 * what these say of the keys.  Derived ones don't count: the join clauses that
 * they follow from are estimated with the join.
 */
extern void dyn_size_set(PlannerInfo *root, RelOptInfo *rel, const DynRelation *dyn, const DynKeyCondition *base);

#endif							/* DYN_SIZE_H */
