/*
 * fdw.h
 *	  Callbacks that make up the foreign data wrapper, by the file that has
 *	  them.
 */
#ifndef DYN_FDW_H
#define DYN_FDW_H

#include "foreign/fdwapi.h"

/* The control file's default_version. */
#define DYNAMO_FDW_VERSION "1.0"

/* plan.c */
extern void dynamoGetForeignRelSize(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern void dynamoGetForeignPaths(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern ForeignScan *dynamoGetForeignPlan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *best_path,
										 List *tlist, List *scan_clauses, Plan *outer_plan);

/* Items of ForeignScan.fdw_private. */
enum DynScanPrivate
{
	DYN_SCAN_COMPLETE,			/* Boolean: do the conditions name the keys? */
	DYN_SCAN_TREE,				/* key condition (qual.h), or NULL */
	DYN_SCAN_COLUMNS,			/* IntList: attnums to fetch beside the keys */
	DYN_SCAN_INDEPENDENT,		/* Boolean: see is_independent in plan.c */
	DYN_SCAN_SUB_SELECT,		/* Boolean: see dyn_unkeyed_has_sub_select */
	DYN_SCAN_TARGET				/* Boolean: UPDATE or DELETE changes the rows that it reads */
};

/* unkeyed.c */
extern void dyn_unkeyed_init(void);

/* unique.c */
extern void dyn_unique_init(void);

/* scan.c */
extern void dynamoBeginForeignScan(ForeignScanState *node, int eflags);
extern TupleTableSlot *dynamoIterateForeignScan(ForeignScanState *node);
extern void dynamoReScanForeignScan(ForeignScanState *node);
extern void dynamoEndForeignScan(ForeignScanState *node);

/* modify_plan.c */
extern int	dynamoIsForeignRelUpdatable(Relation rel);
extern List *dynamoPlanForeignModify(PlannerInfo *root, ModifyTable *plan, Index result_relation,
									 int subplan_index);

/* old_row.c */
extern void dynamoAddForeignUpdateTargets(PlannerInfo *root, Index rtindex, RangeTblEntry *target_rte,
										  Relation target_relation);

/* modify.c */
extern void dynamoBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private,
									 int subplan_index, int eflags);
extern TupleTableSlot *dynamoExecForeignInsert(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot,
											   TupleTableSlot *plan_slot);
extern TupleTableSlot *dynamoExecForeignUpdate(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot,
											   TupleTableSlot *plan_slot);
extern TupleTableSlot *dynamoExecForeignDelete(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot,
											   TupleTableSlot *plan_slot);
extern void dynamoEndForeignModify(EState *estate, ResultRelInfo *rinfo);
extern void dynamoBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rinfo);
extern void dynamoEndForeignInsert(EState *estate, ResultRelInfo *rinfo);

/* ddl_truncate.c */
extern void dynamoExecForeignTruncate(List *rels, DropBehavior behavior, bool restart_seqs);

/* explain.c */
extern void dynamoExplainForeignScan(ForeignScanState *node, struct ExplainState *es);
extern void dynamoExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private,
									   int subplan_index, struct ExplainState *es);

#endif							/* DYN_FDW_H */
