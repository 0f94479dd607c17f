/*
 * join_plan.c
 *	  Plans of lookup joins: what the scan tuple holds, and the expressions over
 *	  it.
 */
#include "pg/util/export.h"

#include <limits.h>

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"

#include "pg/join/join_plan.h"
#include "pg/join/join_stage.h"
#include "pg/read/plan.h"
#include "pg/join/join_window.h"

/* A column of the scan tuple: a Var, or a PlaceHolderVar that was computed below the join. */
typedef struct Column
{
	Node	   *expr;			/* as the plan's target list has it */
	int			stage;			/* -1: the outer plan */
	AttrNumber	attnum;			/* of the outer plan or the foreign table; 0 can be the whole row */
	Node	   *computed;		/* an expression over the table's columns instead, or NULL */
} Column;

/* The scan tuple in the making. */
typedef struct Layout
{
	RelOptInfo *joinrel;
	List	   *outer_tlist;
	List	   *stages;			/* of DynJoinStage */
	List	   *columns;		/* of Column */
} Layout;

/* ---- columns ---- */

/* Are both the same column, or the same expression computed below? Which outer joins they are seen through doesn't count. */
static bool
same_source(const Node *a, const Node *b)
{
	if (IsA(a, Var) && IsA(b, Var))
		return ((const Var *) a)->varno == ((const Var *) b)->varno &&
			((const Var *) a)->varattno == ((const Var *) b)->varattno;
	if (IsA(a, PlaceHolderVar) && IsA(b, PlaceHolderVar))
		return ((const PlaceHolderVar *) a)->phid == ((const PlaceHolderVar *) b)->phid;
	return false;
}

/* The column of the scan tuple for an expression, or NULL. */
static Column *
find_column(const Layout *layout, const Node *expr)
{
	ListCell   *lc;

	foreach(lc, layout->columns)
		if (same_source(((Column *) lfirst(lc))->expr, expr))
			return lfirst(lc);
	return NULL;
}

static void
add_tuple_column(Layout *layout, Node *expr, int stage, AttrNumber attnum, Node *computed)
{
	Column	   *column = palloc(sizeof(Column));

	column->expr = expr;
	column->stage = stage;
	column->attnum = attnum;
	column->computed = computed;
	layout->columns = lappend(layout->columns, column);
}

/* The number of the outer plan's column for an expression, or 0. */
static AttrNumber
find_in_outer(const Layout *layout, const Node *expr)
{
	ListCell   *lc;

	foreach(lc, layout->outer_tlist)
		if (same_source((Node *) lfirst_node(TargetEntry, lc)->expr, expr))
			return lfirst_node(TargetEntry, lc)->resno;
	return 0;
}

/* The stage whose foreign table has the range table index, or -1. */
static int
stage_of(const Layout *layout, Index relid)
{
	for (int i = 0; i < list_length(layout->stages); i++)
		if (((DynJoinStage *) list_nth(layout->stages, i))->rel->relid == relid)
			return i;
	return -1;
}

/* The stage that computes the expression for its table's rows, before an outer join may make it NULL, or -1. */
static int
computing_stage(const Layout *layout, const PlaceHolderVar *phv)
{
	for (int i = 0; i < list_length(layout->stages); i++)
	{
		ListCell   *lc;

		foreach(lc, ((DynJoinStage *) list_nth(layout->stages, i))->rel->reltarget->exprs)
			if (same_source(lfirst(lc), (const Node *) phv))
				return i;
	}
	return -1;
}

static bool collect(Node *node, Layout *layout);

/*
 * A whole row by its own type.  Of a row that is changed or deleted the server
 * wants a RECORD, and the query may use the row besides.
 */
static Node *
typed_row(const Layout *layout, int stage, Var *var)
{
	if (stage < 0 || var->varattno != InvalidAttrNumber || var->vartype != RECORDOID)
		return (Node *) var;
	var = copyObject(var);
	var->vartype = get_rel_type_id(((DynJoinStage *) list_nth(layout->stages, stage))->dyn->relid);
	return (Node *) var;
}

/* A column of a table: of a stage or of the outer plan.  Others come by parameters from above the node. */
static void
collect_var(Layout *layout, Var *var)
{
	int			stage = stage_of(layout, var->varno);
	AttrNumber	attnum = stage >= 0 ? var->varattno : find_in_outer(layout, (Node *) var);

	if (!bms_is_member(var->varno, layout->joinrel->relids) || find_column(layout, (Node *) var))
		return;
	if (stage < 0 && attnum == 0)
		elog(ERROR, "column %d of relation %d is not in the outer plan of the lookup join", var->varattno, var->varno);
	add_tuple_column(layout, typed_row(layout, stage, var), stage, attnum, NULL);
}

/* An expression that is computed below, by a stage, or else here. */
static void
collect_placeholder(Layout *layout, PlaceHolderVar *phv)
{
	AttrNumber	attnum = find_in_outer(layout, (Node *) phv);
	int			stage = attnum == 0 ? computing_stage(layout, phv) : -1;

	if (find_column(layout, (Node *) phv))
		return;
	if (attnum > 0)
	{
		add_tuple_column(layout, (Node *) phv, -1, attnum, NULL);
		return;
	}
	collect((Node *) phv->phexpr, layout);
	if (stage >= 0)
		add_tuple_column(layout, (Node *) phv, stage, 0, (Node *) phv->phexpr);
}

/* Walker: gives each column that an expression needs a place in the scan tuple. */
static bool
collect(Node *node, Layout *layout)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		collect_var(layout, castNode(Var, node));
		return false;
	}
	if (IsA(node, PlaceHolderVar))
	{
		collect_placeholder(layout, castNode(PlaceHolderVar, node));
		return false;
	}
	return expression_tree_walker(node, collect, layout);
}

/*
 * Mutator: writes each column of an expression as the scan tuple has it.  A
 * join's own clauses see the columns of its nullable side below the join, and
 * all else sees them above it; in the scan tuple they are one.
 */
static Node *
as_in_tuple(Node *node, Layout *layout)
{
	Column	   *column = NULL;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var) || IsA(node, PlaceHolderVar))
		column = find_column(layout, node);
	if (column)
		return copyObject(column->expr);
	return expression_tree_mutator(node, as_in_tuple, layout);
}

/* ---- the node ---- */

/*
 * Gives all that the node computes a place: what is seen above the joins first, since that is how it is then written.
 * The target list itself doesn't count: a projection above may replace it, by expressions over the same columns.
 */
static void
collect_all(Layout *layout, const PathTarget *target)
{
	ListCell   *lc;

	collect((Node *) target->exprs, layout);
	foreach(lc, layout->stages)
		collect((Node *) ((DynJoinStage *) lfirst(lc))->filters, layout);
	foreach(lc, layout->stages)
	{
		DynJoinStage *stage = lfirst(lc);

		collect((Node *) stage->keys, layout);
		collect((Node *) stage->quals, layout);
	}
}

/* The columns of a stage (-1: the outer plan) that are expressions of their own, or those that are not. */
static List *
columns_of(const Layout *layout, int stage, bool computed)
{
	List	   *columns = NIL;
	ListCell   *lc;

	foreach(lc, layout->columns)
	{
		Column	   *column = lfirst(lc);

		if (column->stage == stage && (column->computed != NULL) == computed)
			columns = lappend(columns, column);
	}
	return columns;
}

/* Appends columns to the scan tuple's description; their attnums. */
static List *
append_columns(List **scan_tlist, List *columns)
{
	List	   *attnums = NIL;
	ListCell   *lc;

	foreach(lc, columns)
	{
		Column	   *column = lfirst(lc);

		*scan_tlist = lappend(*scan_tlist,
							  makeTargetEntry(copyObject((Expr *) column->expr), list_length(*scan_tlist) + 1, NULL,
											  false));
		attnums = lappend_int(attnums, column->attnum);
	}
	return attnums;
}

/* The expressions that a stage computes for its items. */
static List *
computed_by(const Layout *layout, int stage)
{
	List	   *exprs = NIL;
	ListCell   *lc;

	foreach(lc, columns_of(layout, stage, true))
		exprs = lappend(exprs, ((Column *) lfirst(lc))->computed);
	return exprs;
}

/* What the executor has to know of a stage. */
static void
append_stage(PlannerInfo *root, Layout *layout, int i, CustomScan *scan)
{
	DynJoinStage *stage = list_nth(layout->stages, i);
	List	   *attnums = append_columns(&scan->custom_scan_tlist, columns_of(layout, i, false));

	append_columns(&scan->custom_scan_tlist, columns_of(layout, i, true));
	scan->custom_private = lappend(scan->custom_private,
								   list_make5(list_make2_oid(stage->dyn->relid, stage->rel->userid),
											  makeInteger(stage->jointype),
											  makeString(planner_rt_fetch(stage->rel->relid, root)->eref->aliasname),
											  attnums,
											  makeBoolean(dyn_plan_is_target(root, stage->rel))));
	scan->custom_exprs = lappend(scan->custom_exprs,
								 list_make5(stage->keys, stage->quals, stage->filters, stage->gates,
											computed_by(layout, i)));
}

int
dyn_join_first_window(PlannerInfo *root)
{
	if (root->tuple_fraction <= 0)
		return INT_MAX;
	return root->limit_tuples > DYN_FIRST_WINDOW ? (int) Min(root->limit_tuples, INT_MAX) : DYN_FIRST_WINDOW;
}

Plan *
dyn_join_plan(PlannerInfo *root, RelOptInfo *rel, struct CustomPath *best_path, List *tlist, List *clauses,
			  List *custom_plans)
{
	CustomScan *scan = makeNode(CustomScan);
	Plan	   *outer = linitial(custom_plans);
	Layout		layout = {rel, outer->targetlist, best_path->custom_private, NIL};

	collect_all(&layout, best_path->path.pathtarget);
	scan->custom_private = list_make2(append_columns(&scan->custom_scan_tlist, columns_of(&layout, -1, false)),
									  makeInteger(dyn_join_first_window(root)));
	for (int i = 0; i < list_length(layout.stages); i++)
		append_stage(root, &layout, i, scan);
	scan->custom_exprs = (List *) as_in_tuple((Node *) scan->custom_exprs, &layout);
	scan->scan.plan.targetlist = tlist;
	scan->flags = best_path->flags;
	scan->custom_plans = custom_plans;
	scan->methods = &dyn_join_scan_methods;
	return &scan->scan.plan;
}

void
dyn_join_plan_init(void)
{
	RegisterCustomScanMethods(&dyn_join_scan_methods);
}
