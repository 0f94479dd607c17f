/*
 * join_plan.h
 *	  The plan node of a lookup join, and what stands in it.
 *
 * The node's scan tuple has, in this order: columns of the outer plan, and for
 * each stage the columns of its foreign table and expressions over them.  What
 * the planner reads and copies is made of its own node types:
 *
 *	custom_private	List (IntList of the outer plan's columns, Integer: rows in
 *					the first window, a List for each stage: see DynStagePrivate)
 *	custom_exprs	List of a List for each stage: see DynStageExprs
 */
#ifndef DYN_JOIN_PLAN_H
#define DYN_JOIN_PLAN_H

#include "nodes/extensible.h"
#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"

enum DynJoinPrivate
{
	DYN_JOIN_OUTER_COLUMNS,
	DYN_JOIN_FIRST_WINDOW,
	DYN_JOIN_STAGES				/* the first one */
};

enum DynStagePrivate
{
	DYN_STAGE_TABLE,			/* OidList: foreign table, and the user who reads it, or 0 */
	DYN_STAGE_JOINTYPE,			/* Integer */
	DYN_STAGE_ALIAS,			/* String: its name in the query */
	DYN_STAGE_COLUMNS,			/* IntList: attnums of the columns in the scan tuple */
	DYN_STAGE_TARGET			/* Boolean: UPDATE or DELETE changes the rows that it reads */
};

enum DynStageExprs
{
	DYN_STAGE_KEYS,				/* in the order of DynRelation.keys */
	DYN_STAGE_QUALS,			/* implicit AND: does the item match? */
	DYN_STAGE_FILTERS,			/* implicit AND: does the joined row pass? */
	DYN_STAGE_GATES,			/* implicit AND, of no row: does the node have any? */
	DYN_STAGE_COMPUTED			/* follow the stage's columns in the scan tuple; NULL where no item matches */
};

/* Rows in the first window of a lookup join in this query: as many as it wants at once, or INT_MAX. */
extern int	dyn_join_first_window(PlannerInfo *root);

/* Makes the plan of a path whose custom_private is a List of DynJoinStage. */
extern Plan *dyn_join_plan(PlannerInfo *root, RelOptInfo *rel, struct CustomPath *best_path, List *tlist,
						   List *clauses, List *custom_plans);

/* Makes the node known to the server; once. */
extern void dyn_join_plan_init(void);

/* join_scan.c */
extern const CustomScanMethods dyn_join_scan_methods;

#endif							/* DYN_JOIN_PLAN_H */
