/*
 * join_stage.c
 *	  Feature views as stages of a lookup join.
 *
 * The clauses of a join, and those of the foreign table alone, fall into three:
 * those that say what a key is, which an item meets by being found; those that
 * decide whether an item matches; and those that are checked above an outer
 * join.
 */
#include "pg/util/export.h"

#include "access/sysattr.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/restrictinfo.h"
#include "utils/memutils.h"
#include "utils/selfuncs.h"

#include "pg/join/join_stage.h"
#include "pg/qual/qual.h"
#include "pg/qual/qual_operand.h"
#include "pg/read/plan.h"

/* ---- one stage ---- */

/* Order of two clauses: what hides rows comes before what could leak them. */
static int
compare_security(const ListCell *a, const ListCell *b)
{
	Index		level_a = lfirst_node(RestrictInfo, a)->security_level;
	Index		level_b = lfirst_node(RestrictInfo, b)->security_level;

	return level_a < level_b ? -1 : level_a > level_b;
}

/*
 * Bare clauses.  get_actual_clauses() takes none that say nothing of any row,
 * but a partition has such ones from its parent's row security.
 */
static List *
bare(List *clauses)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, clauses)
		result = lappend(result, lfirst_node(RestrictInfo, lc)->clause);
	return result;
}

/* Bare clauses, in the order to check them. */
static List *
in_order(List *clauses)
{
	List	   *sorted = list_copy(clauses);

	list_sort(sorted, compare_security);	/* a merge sort: it is stable */
	return bare(sorted);
}

/*
 * Divides clauses: into *keys (an array) the first one that gives a value to a
 * key, into *quals all others.  True: one gave a value.
 */
static bool
take_keys(const DynJoinInput *input, const DynRelation *dyn, List *clauses, Node **keys, List **quals)
{
	bool		taken = false;
	ListCell   *lc;

	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst(lc);
		Node	   *value;
		int			key;

		if (dyn_qual_equates_key(input->root, input->innerrel, dyn, rinfo, &key, &value) && keys[key] == NULL)
		{
			keys[key] = value;
			taken = true;
		}
		else
			*quals = lappend(*quals, rinfo);
	}
	return taken;
}

/*
 * Divides the join's clauses into those of the join itself, those checked above
 * an outer join, and those that say nothing of any row: what stands in ON of an
 * outer join is never taken for one of these.
 */
static void
divide_clauses(const DynJoinInput *input, List *clauses, List **own, List **above, List **gates)
{
	bool		outer = input->jointype == JOIN_LEFT || input->jointype == JOIN_ANTI;
	ListCell   *lc;

	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst(lc);

		if (rinfo->pseudoconstant)
			*gates = lappend(*gates, rinfo);
		else if (outer && RINFO_IS_PUSHED_DOWN(rinfo, input->joinrel->relids))
			*above = lappend(*above, rinfo);
		else
			*own = lappend(*own, rinfo);
	}
}

/* Are all system columns that are needed of the table ones that a row of ours has? */
static bool
columns_are_there(RelOptInfo *rel, List *clauses)
{
	Bitmapset  *used = NULL;
	int			i = -1;

	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &used);
	pull_varattnos((Node *) bare(clauses), rel->relid, &used);
	while ((i = bms_next_member(used, i)) >= 0 && i + FirstLowInvalidHeapAttributeNumber < 0)
		if (i + FirstLowInvalidHeapAttributeNumber != TableOidAttributeNumber)
			return false;
	return true;
}

/* The estimated number of different values that the keys have in so many rows. */
static double
count_keys(PlannerInfo *root, List *keys, double rows)
{
	return keys == NIL ? 1 : estimate_num_groups(root, keys, clamp_row_est(rows), NULL, NULL);
}

/* Adds what it costs to evaluate expressions once. */
static void
add_cost(PlannerInfo *root, List *exprs, QualCost *cost)
{
	QualCost	more;

	cost_qual_eval(&more, exprs, root);
	cost->startup += more.startup;
	cost->per_tuple += more.per_tuple;
}

static void
set_cost(PlannerInfo *root, DynJoinStage *stage)
{
	add_cost(root, stage->keys, &stage->cost);
	add_cost(root, stage->quals, &stage->cost);
	add_cost(root, stage->filters, &stage->cost);
	add_cost(root, stage->gates, &stage->cost);
}

/* The stage for these clauses; NULL: they don't give the whole key. */
static DynJoinStage *
make_stage(const DynJoinInput *input, List *clauses)
{
	RelOptInfo *inner = input->innerrel;
	DynRelation *dyn = dyn_plan_relation(inner);
	DynJoinStage *stage = palloc0(sizeof(DynJoinStage));
	Node	   *keys[DYN_MAX_KEYS] = {NULL};
	List	   *own = NIL;
	List	   *above = NIL;
	List	   *gates = NIL;
	List	   *quals = NIL;

	divide_clauses(input, clauses, &own, &above, &gates);
	stage->joins = take_keys(input, dyn, own, keys, &quals);
	take_keys(input, dyn, inner->baserestrictinfo, keys, &quals);
	for (int i = 0; i < dyn->nkeys; i++)
	{
		if (keys[i] == NULL)
			return NULL;
		stage->keys = lappend(stage->keys, keys[i]);
	}
	if (!columns_are_there(inner, list_concat_copy(quals, above)))
		return NULL;
	stage->rel = inner;
	stage->dyn = dyn;
	stage->jointype = input->jointype == JOIN_SEMI ? JOIN_INNER : input->jointype;
	stage->quals = in_order(quals);
	stage->filters = in_order(above);
	stage->gates = bare(gates);
	set_cost(input->root, stage);
	stage->distinct = count_keys(input->root, stage->keys, input->outerrel->rows);
	return stage;
}

/* ---- stages seen before ---- */

/*
 * A star of many tables is joined in many orders, and most of them ask for the
 * same stages.
 */
typedef struct SeenStage
{
	JoinType	jointype;
	double		rows;			/* of the outer side */
	List	   *clauses;
	DynJoinStage *stage;		/* may be NULL */
} SeenStage;

/* So many are remembered of a table. */
#define MAX_SEEN_STAGES 16

/* Are both lists of the very same clauses? */
static bool
same_clauses(const List *a, const List *b)
{
	if (list_length(a) != list_length(b))
		return false;
	for (int i = 0; i < list_length(a); i++)
		if (list_nth(a, i) != list_nth(b, i))
			return false;
	return true;
}

/* The stage that was asked for by the same clauses before, or NULL. */
static SeenStage *
find_seen(const DynJoinInput *input, List *clauses, List *all)
{
	ListCell   *lc;

	foreach(lc, all)
	{
		SeenStage  *seen = lfirst(lc);

		if (seen->jointype == input->jointype && seen->rows == input->outerrel->rows &&
			same_clauses(seen->clauses, clauses))
			return seen;
	}
	return NULL;
}

/* GEQO plans joins in contexts of its own, where a freed clause's place can be another one's: nothing is kept there. */
DynJoinStage *
dyn_join_stage_new(const DynJoinInput *input, List *clauses)
{
	List	  **all = (List **) dyn_plan_kept(input->innerrel);
	SeenStage  *seen;

	if (CurrentMemoryContext != GetMemoryChunkContext(input->innerrel))
		return make_stage(input, clauses);
	seen = find_seen(input, clauses, *all);
	if (seen)
		return seen->stage;
	seen = palloc(sizeof(SeenStage));
	seen->jointype = input->jointype;
	seen->rows = input->outerrel->rows;
	seen->clauses = clauses;
	seen->stage = make_stage(input, clauses);
	if (list_length(*all) < MAX_SEEN_STAGES)
		*all = lappend(*all, seen);
	return seen->stage;
}

/* ---- stages side by side ---- */

/* Does the stage let all rows pass? */
static bool
keeps_rows(const DynJoinStage *stage)
{
	return stage->jointype == JOIN_LEFT && stage->filters == NIL;
}

/* The number of the key that an expression is the column of, or -1. */
static int
key_of(const DynJoinStage *stage, Node *expr)
{
	while (IsA(expr, RelabelType))
		expr = (Node *) castNode(RelabelType, expr)->arg;
	if (!IsA(expr, Var) || castNode(Var, expr)->varno != (int) stage->rel->relid)
		return -1;
	for (int i = 0; i < stage->dyn->nkeys; i++)
		if (stage->dyn->keys[i]->attnum == castNode(Var, expr)->varattno)
			return i;
	return -1;
}

/*
 * What a key's value is where it is the key of an earlier stage: that one's, if
 * the row only comes this far when it was found.
 */
static Node *
resolve_key(const DynColumn *column, Node *value, List *stages)
{
	for (int i = list_length(stages) - 1; i >= 0; i--)
	{
		DynJoinStage *earlier = list_nth(stages, i);
		int			key = earlier->jointype == JOIN_INNER ? key_of(earlier, value) : -1;

		if (key >= 0 && dyn_operand_fits(column, exprType(list_nth(earlier->keys, key))))
			value = list_nth(earlier->keys, key);
	}
	return value;
}

DynJoinStage *
dyn_join_stage_beside(PlannerInfo *root, const DynJoinStage *stage, List *stages)
{
	DynJoinStage *beside = palloc(sizeof(DynJoinStage));
	bool		all_kept = true;
	Relids		found = NULL;
	ListCell   *lc;

	*beside = *stage;
	beside->keys = NIL;
	for (int i = 0; i < stage->dyn->nkeys; i++)
		beside->keys = lappend(beside->keys, resolve_key(stage->dyn->keys[i], list_nth(stage->keys, i), stages));
	foreach(lc, stages)
	{
		DynJoinStage *earlier = lfirst(lc);

		found = bms_add_member(found, earlier->rel->relid);
		all_kept = all_kept && keeps_rows(earlier);
	}
	if (bms_overlap(pull_varnos(root, (Node *) beside->keys), found))
		return NULL;
	return all_kept || !dyn_qual_can_fail((Node *) beside->keys) ? beside : NULL;
}
