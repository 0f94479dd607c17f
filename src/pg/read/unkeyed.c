/*
 * unkeyed.c
 *	  Scans whose conditions do not name the keys.
 *
 * The planner needs a path for every table, whatever the query says, so such
 * a path always exists.  It has to lose to every other one, and its plan must
 * not take time before the error is raised.
 */
#include "pg/util/export.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "jit/jit.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"

#include "pg/qual/qual.h"
#include "pg/read/unkeyed.h"
#include "pg/util/compat.h"
#include "pg/util/fdw.h"

/*
 * More than any other plan costs: PostgreSQL expects 1e100 rows at most, and
 * two inputs of that size joined by a nested loop cost 1e198.  A nested loop
 * may multiply it by 1e100 rows without leaving the range of a double.
 */
#define UNKEYED_COST 1e200

/* From 18 on: more than a query can have of nodes that the enable_* settings disable. */
#define UNKEYED_DISABLED_NODES 100000

/* What EXPLAIN shows in place of costs that have two hundred digits. */
#define UNKEYED_COST_SHOWN 1e15

static ExecutorStart_hook_type previous_start = NULL;

/* ---- planning ---- */

/* Raises that the row is that of a cursor, which names no key. */
static void
check_no_cursor(const RelOptInfo *rel)
{
	ListCell   *lc;

	foreach(lc, rel->baserestrictinfo)
		if (IsA(lfirst_node(RestrictInfo, lc)->clause, CurrentOfExpr))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("WHERE CURRENT OF is not supported on foreign tables of dynamo_fdw"),
					 errhint("Name the cursor's row by its entity key.")));
}

void
dyn_unkeyed_add_path(PlannerInfo *root, RelOptInfo *rel)
{
	check_no_cursor(rel);
	add_path(rel, (Path *) dyn_create_foreignscan_path(root, rel, rel->rows, UNKEYED_DISABLED_NODES, UNKEYED_COST,
													   UNKEYED_COST, rel->lateral_relids));
}

/* Does the expression contain a key column? */
static bool
contains_key(RelOptInfo *rel, const DynRelation *dyn, Node *expr)
{
	Bitmapset  *columns = NULL;

	pull_varattnos(expr, rel->relid, &columns);
	for (int i = 0; i < dyn->nkeys; i++)
		if (bms_is_member(dyn->keys[i]->attnum - FirstLowInvalidHeapAttributeNumber, columns))
			return true;
	return false;
}

/* Does a branch of the AND/OR shape compare a key in a sub-select whose values can't be had at once? */
static bool
names_key_in_sub_select(RelOptInfo *rel, const DynRelation *dyn, Node *clause)
{
	ListCell   *lc;

	check_stack_depth();
	if (IsA(clause, AlternativeSubPlan) || (IsA(clause, SubPlan) && !dyn_qual_has_values((SubPlan *) clause)))
		return contains_key(rel, dyn, clause);
	if (is_andclause(clause) || is_orclause(clause))
		foreach(lc, ((BoolExpr *) clause)->args)
			if (names_key_in_sub_select(rel, dyn, lfirst(lc)))
				return true;
	return false;
}

bool
dyn_unkeyed_has_sub_select(RelOptInfo *rel, const DynRelation *dyn, List *restrictinfos)
{
	ListCell   *lc;

	foreach(lc, restrictinfos)
		if (names_key_in_sub_select(rel, dyn, (Node *) lfirst_node(RestrictInfo, lc)->clause))
			return true;
	return false;
}

/* ---- execution ---- */

void
dyn_unkeyed_report(const DynRelation *dyn, bool sub_select)
{
	StringInfoData keys;

	initStringInfo(&keys);
	for (int i = 0; i < dyn->nkeys; i++)
		appendStringInfo(&keys, "%s\"%s\"", i == 0 ? "" : i == dyn->nkeys - 1 ? " and " : ", ",
						 dyn->keys[i]->sql_name);
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("feature view \"%s\" can only be read by entity key", dyn->feature_view),
			 sub_select ?
			 errhint("PostgreSQL would run the sub-select for each row of the table. Where it names %s, write = ANY (ARRAY(SELECT ...)), or combine a SELECT for each branch of OR by UNION.",
					 keys.data) :
			 errhint("Add a condition on %s to WHERE: = a value, IN (...), = ANY (array), or a join with a table of entities.",
					 keys.data)));
}

/* Walker: cuts costs in a plan down to what can be shown. */
static bool
cut_costs(PlanState *state, void *arg)
{
	state->plan->startup_cost = Min(state->plan->startup_cost, UNKEYED_COST_SHOWN);
	state->plan->total_cost = Min(state->plan->total_cost, UNKEYED_COST_SHOWN);
	return planstate_tree_walker(state, cut_costs, arg);
}

/*
 * Hook: a plan with such a scan looks expensive enough to be compiled, which
 * takes a hundred milliseconds, and is nothing but an error.
 */
static void
on_executor_start(QueryDesc *query, int eflags)
{
	PlannedStmt *plan = query->plannedstmt;
	bool		unkeyed = plan->planTree->total_cost >= UNKEYED_COST;

	if (unkeyed)
		plan->jitFlags = PGJIT_NONE;
	if (previous_start)
		previous_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	if (unkeyed)
		cut_costs(query->planstate, NULL);
}

void
dyn_unkeyed_init(void)
{
	previous_start = ExecutorStart_hook;
	ExecutorStart_hook = on_executor_start;
}
