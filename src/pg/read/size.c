/*
 * size.c
 *	  How many rows the planner expects of a table.
 *
 * Nobody knows how many items a table has, and a scan asks for a few of them
 * only.  A table whose conditions leave a key open is read by a join: it is
 * taken to have a row for each key that the other table can ask for, and the
 * planner's own arithmetic then gives a row of the join for each row of that
 * table.
 */
#include "pg/util/export.h"

#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/selfuncs.h"

#include "pg/qual/qual_bind.h"
#include "pg/qual/qual_column.h"
#include "pg/qual/qual_derive.h"
#include "pg/read/size.h"

/* As many different values has a column of which the planner knows nothing. */
#define VALUES_OF_A_KEY 200.0

/* How many different values the planner expects of an expression of another table. */
static double
different_values(PlannerInfo *root, Node *expr)
{
	VariableStatData column;
	bool		is_default;
	double		values;

	examine_variable(root, expr, 0, &column);
	values = get_variable_numdistinct(&column, &is_default);
	ReleaseVariableStats(column);
	return values;
}

/*
 * The values of a key that the join clause equates with an expression of
 * another table, if it does: at least as many as that has.
 */
static void
raise_values(PlannerInfo *root, RelOptInfo *rel, const DynRelation *dyn, OpExpr *clause, double *values)
{
	if (!IsA(clause, OpExpr) || list_length(clause->args) != 2)
		return;
	for (int side = 0; side < 2; side++)
	{
		Node	   *partner = list_nth(clause->args, 1 - side);
		int			key = dyn_qual_key_number(dyn, rel->relid, list_nth(clause->args, side));
		double		asked_for;

		if (key < 0 || !dyn_qual_operator_fits(dyn->keys[key], clause->opno, clause->inputcollid) ||
			bms_is_member(rel->relid, pull_varnos(root, partner)))
			continue;
		asked_for = different_values(root, partner);
		values[key] = Max(values[key], asked_for);
	}
}

/* Does an anti-join look for rows that have no partner in this table? */
static bool
is_anti_joined(PlannerInfo *root, RelOptInfo *rel)
{
	ListCell   *lc;

	foreach(lc, root->join_info_list)
	{
		SpecialJoinInfo *join = lfirst_node(SpecialJoinInfo, lc);

		if (join->jointype == JOIN_ANTI && bms_equal(join->syn_righthand, rel->relids))
			return true;
	}
	return false;
}

/*
 * The rows that agree with a condition which leaves keys open.  A row for each
 * key would leave nothing of an anti-join, so there it is one for every other.
 */
static double
rows_with_open_keys(PlannerInfo *root, RelOptInfo *rel, const DynRelation *dyn, const DynKeyCondition *base)
{
	bool		anti = is_anti_joined(root, rel);
	double		values[DYN_MAX_KEYS];
	ListCell   *lc;

	for (int i = 0; i < dyn->nkeys; i++)
		values[i] = anti ? 1 : VALUES_OF_A_KEY;
	foreach(lc, dyn_qual_join_clauses(root, rel, dyn))
		raise_values(root, rel, dyn, (OpExpr *) lfirst_node(RestrictInfo, lc)->clause, values);
	return dyn_tree_rows(base->tree, base->operands, dyn->nkeys, values) / (anti ? 2 : 1);
}

void
dyn_size_set(PlannerInfo *root, RelOptInfo *rel, const DynRelation *dyn, const DynKeyCondition *base)
{
	double		rows = base->complete ? base->keys : rows_with_open_keys(root, rel, dyn, base);

	rel->tuples = clamp_row_est(rows);
	rel->rows = clamp_row_est(rel->tuples *
							  clauselist_selectivity(root, base->filters, rel->relid, JOIN_INNER, NULL));
}
