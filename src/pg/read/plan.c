/*
 * plan.c
 *	  Planning of scans: sizes, paths, and the plan node.
 *
 * A table has a path for every way to name its keys: by conditions on the
 * table alone, by what follows for its keys from conditions on other tables,
 * or by join conditions with rows of other tables.  Where neither of the first
 * two is possible, there is a path without keys (unkeyed.h).
 */
#include "pg/util/export.h"

#include <math.h>

#include "access/table.h"
#include "access/sysattr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/cost.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"

#include "pg/qual/qual.h"
#include "pg/qual/qual_derive.h"
#include "pg/read/plan.h"
#include "pg/read/size.h"
#include "pg/read/unkeyed.h"
#include "pg/table/relation.h"
#include "pg/util/compat.h"
#include "pg/util/fdw.h"

/* So many sets of outer tables are looked at, at most. */
#define MAX_PARAMETERIZATIONS 64

/* What the planner's callbacks hand on to each other, in RelOptInfo.fdw_private. */
typedef struct RelState
{
	DynRelation *dyn;
	DynKeyCondition *base;		/* of the table's own conditions */
	List	   *derived;		/* what follows from those of other tables (qual_derive.h), if `base` is not complete */
	bool		knows_keys;		/* conditions on the table alone, or derived ones, name all */
	void	   *kept;			/* by whoever plans joins */
} RelState;

DynRelation *
dyn_plan_relation(const RelOptInfo *rel)
{
	const RelState *state = rel->fdw_private;

	if (!IS_SIMPLE_REL(rel) || rel->fdwroutine == NULL ||
		rel->fdwroutine->GetForeignRelSize != dynamoGetForeignRelSize)
		return NULL;
	/* of a table that is known to give no rows nobody has asked the size */
	return state ? state->dyn : NULL;
}

bool
dyn_plan_knows_keys(const RelOptInfo *rel)
{
	return ((const RelState *) rel->fdw_private)->knows_keys;
}

void	  **
dyn_plan_kept(const RelOptInfo *rel)
{
	return &((RelState *) rel->fdw_private)->kept;
}

bool
dyn_plan_is_target(const PlannerInfo *root, const RelOptInfo *rel)
{
	return (root->parse->commandType == CMD_UPDATE || root->parse->commandType == CMD_DELETE) &&
		bms_is_member(rel->relid, root->all_result_relids);
}

/* ---- size ---- */

void
dynamoGetForeignRelSize(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	RelState   *state = palloc0(sizeof(RelState));
	Relation	relation = table_open(relid, NoLock);

	state->dyn = dyn_relation_open(relation);
	table_close(relation, NoLock);
	state->base = dyn_qual_split(root, rel, state->dyn, rel->baserestrictinfo, NIL);
	if (!state->base->complete)
		state->derived = dyn_qual_derive(root, rel, state->dyn);
	rel->fdw_private = state;
	dyn_size_set(root, rel, state->dyn, state->base);
}

/* ---- paths ---- */

/*
 * A path that asks for the keys of a condition.  `startup_cost` is what a
 * round of requests takes that are sent together.
 */
static void
add_keyed_path(PlannerInfo *root, RelOptInfo *rel, DynKeyCondition *condition, Relids required_outer)
{
	DynRelation *dyn = ((RelState *) rel->fdw_private)->dyn;
	double		keys = clamp_row_est(condition->keys);
	double		requests = ceil(keys / dyn->batch_size);
	double		rounds = ceil(requests / dyn->max_read_workers);
	Selectivity selectivity = clauselist_selectivity(root, condition->filters, rel->relid, JOIN_INNER, NULL);
	Cost		startup = dyn->startup_cost;
	Cost		total = startup + (rounds - 1) * dyn->startup_cost + keys * (dyn->tuple_cost + cpu_tuple_cost);
	QualCost	operands;

	cost_qual_eval_node(&operands, (Node *) condition->operands, root);
	startup += operands.startup + operands.per_tuple;
	total += operands.startup + operands.per_tuple;
	add_path(rel, (Path *) dyn_create_foreignscan_path(root, rel, clamp_row_est(keys * selectivity), 0, startup, total,
													   required_outer));
}

/* What conditions on the table alone, and join conditions with rows of these outer tables, say of the keys. */
static DynKeyCondition *
condition_with(PlannerInfo *root, RelOptInfo *rel, Relids outer)
{
	ParamPathInfo *ppi = get_baserel_parampathinfo(root, rel, outer);

	return dyn_qual_split(root, rel, ((RelState *) rel->fdw_private)->dyn,
						  list_concat_copy(rel->baserestrictinfo, ppi->ppi_clauses), NIL);
}

/* Is one of the sets part of this one? */
static bool
contains_part_of(List *sets, Relids relids)
{
	ListCell   *lc;

	foreach(lc, sets)
		if (bms_is_subset(lfirst(lc), relids))
			return true;
	return false;
}

/* Is this one of the sets? */
static bool
contains_set(List *sets, Relids relids)
{
	ListCell   *lc;

	foreach(lc, sets)
		if (bms_equal(lfirst(lc), relids))
			return true;
	return false;
}

/* Adds a set of tables, unless one that is part of it is there, and takes out the sets that it is part of. */
static List *
add_minimal(List *sets, Relids relids)
{
	ListCell   *lc;

	if (contains_part_of(sets, relids))
		return sets;
	foreach(lc, sets)
		if (bms_is_subset(relids, lfirst(lc)))
			sets = foreach_delete_current(sets, lc);
	return list_length(sets) < MAX_PARAMETERIZATIONS ? lappend(sets, relids) : sets;
}

/*
 * Do rows of these outer tables give all keys?  Many sets are asked about, and
 * each time all conditions are looked at, however long they are: so the memory
 * it takes is given back, and a cancel is heard.
 */
static bool
gives_all_keys(PlannerInfo *root, RelOptInfo *rel, Relids outer)
{
	MemoryContext context;
	MemoryContext old;
	bool		complete;

	CHECK_FOR_INTERRUPTS();
	(void) get_baserel_parampathinfo(root, rel, outer); /* the planner keeps it */
	context = AllocSetContextCreate(CurrentMemoryContext, "dynamo_fdw outer tables", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	complete = condition_with(root, rel, outer)->complete;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return complete;
}

/* For each clause, the set and the clause's tables: into *complete if their rows give all keys, else into *next. */
static void
extend(PlannerInfo *root, RelOptInfo *rel, Relids set, List *clauses, List **complete, List **next)
{
	ListCell   *lc;

	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst(lc);
		Relids		outer = bms_del_member(bms_union(rinfo->clause_relids, set), rel->relid);

		if (bms_is_empty(outer) || (bms_equal(outer, set) && !bms_equal(outer, rel->lateral_relids)))
			continue;
		if (contains_part_of(*complete, outer) || contains_set(*next, outer))
			continue;
		if (gives_all_keys(root, rel, outer))
			*complete = add_minimal(*complete, outer);
		else
			*next = add_minimal(*next, outer);
	}
}

/*
 * The smallest sets of outer tables whose rows give all keys.  They are found
 * by adding the tables of one clause after the other; no more clauses than
 * there are keys are needed.
 */
static List *
parameterizations(PlannerInfo *root, RelOptInfo *rel, List *clauses)
{
	List	   *open = list_make1(rel->lateral_relids);
	List	   *complete = NIL;
	int			nkeys = ((RelState *) rel->fdw_private)->dyn->nkeys;

	for (int n = 0; n < nkeys && open != NIL; n++)
	{
		List	   *next = NIL;
		ListCell   *lc;

		foreach(lc, open)
			extend(root, rel, lfirst(lc), clauses, &complete, &next);
		open = next;
	}
	return complete;
}

/* The path that needs no other table's rows. */
static void
add_base_path(PlannerInfo *root, RelOptInfo *rel)
{
	RelState   *state = rel->fdw_private;
	DynKeyCondition *condition = state->base;

	if (!condition->complete)
		condition = dyn_qual_split(root, rel, state->dyn, rel->baserestrictinfo, state->derived);
	state->knows_keys = condition->complete;
	if (condition->complete)
		add_keyed_path(root, rel, condition, rel->lateral_relids);
	else
		dyn_unkeyed_add_path(root, rel);
}

/* Where only derived conditions name the keys, few rows of another table may be looked up cheaper one by one. */
void
dynamoGetForeignPaths(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	RelState   *state = rel->fdw_private;
	ListCell   *lc;

	add_base_path(root, rel);
	if (state->base->complete)
		return;
	foreach(lc, parameterizations(root, rel, dyn_qual_join_clauses(root, rel, state->dyn)))
		add_keyed_path(root, rel, condition_with(root, rel, lfirst(lc)), lfirst(lc));
}

/* ---- plan ---- */

/* Columns to fetch: those that the plan needs.  Keys are not among them, since a row has the keys it was asked for. */
static List *
columns_to_fetch(RelOptInfo *rel, const DynRelation *dyn, List *filters)
{
	Bitmapset  *used = NULL;
	List	   *columns = NIL;
	bool		whole_row;

	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &used);
	pull_varattnos((Node *) filters, rel->relid, &used);
	whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);
	for (int i = 0; i < dyn->ncolumns; i++)
	{
		const DynColumn *column = &dyn->columns[i];

		if (column->role != DYN_COLUMN_EVENT_TIMESTAMP && column->role != DYN_COLUMN_FEATURE)
			continue;
		if (whole_row || bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber, used))
			columns = lappend_int(columns, column->attnum);
	}
	return columns;
}

/* Is the Param set by an init plan of this query or one around it? */
static bool
is_init_param(PlannerInfo *root, const Param *param)
{
	ListCell   *lc;

	for (; root; root = root->parent_root)
		foreach(lc, root->init_plans)
			if (list_member_int(lfirst_node(SubPlan, lc)->setParam, param->paramid))
				return true;
	return false;
}

/* Walker: does an operand need a row of another table, or a parameter that only running the plan sets? */
static bool
needs_execution(Node *node, void *root)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
		return true;
	if (IsA(node, Param))
		return castNode(Param, node)->paramkind != PARAM_EXTERN && !is_init_param(root, castNode(Param, node));
	return expression_tree_walker(node, needs_execution, root);
}

/* Can the scan's keys be evaluated, without a failure, before the plan runs? */
static bool
is_independent(PlannerInfo *root, const DynKeyCondition *condition)
{
	return condition->complete && !dyn_qual_can_fail((Node *) condition->operands) &&
		!needs_execution((Node *) condition->operands, root);
}

ForeignScan *
dynamoGetForeignPlan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *best_path, List *tlist,
					 List *scan_clauses, Plan *outer_plan)
{
	RelState   *state = rel->fdw_private;
	DynKeyCondition *condition = dyn_qual_split(root, rel, state->dyn, scan_clauses, state->derived);
	bool		sub_select = !condition->complete && dyn_unkeyed_has_sub_select(rel, state->dyn, scan_clauses);
	List	   *private = list_make5(makeBoolean(condition->complete),
									 condition->complete ? condition->tree : NULL,
									 columns_to_fetch(rel, state->dyn, condition->rest),
									 makeBoolean(is_independent(root, condition)),
									 makeBoolean(sub_select));

	private = lappend(private, makeBoolean(dyn_plan_is_target(root, rel)));
	if (condition->complete)
		return make_foreignscan(tlist, condition->rest, rel->relid, condition->operands, private, NIL,
								condition->clauses, outer_plan);
	return make_foreignscan(tlist, extract_actual_clauses(scan_clauses, false), rel->relid, NIL, private, NIL, NIL,
							outer_plan);
}
