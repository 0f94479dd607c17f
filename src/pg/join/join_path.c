/*
 * join_path.c
 *	  Paths of lookup joins.
 *
 * A join of any outer plan with a foreign table has one where the join's
 * clauses give the whole entity key.  Where the outer plan is a lookup join
 * itself, and the key doesn't depend on what that one finds, the foreign table
 * becomes a further stage of the same node, looked up side by side.
 */
#include "pg/util/export.h"

#include <math.h>

#include "catalog/pg_class.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "parser/parsetree.h"

#include "pg/join/join.h"
#include "pg/join/join_plan.h"
#include "pg/join/join_stage.h"
#include "pg/join/join_window.h"
#include "pg/read/plan.h"
#include "pg/util/compat.h"
#include "pg/util/guc.h"

/* What of a round of requests a window costs that is asked while the rows of another one are used. */
#define LATER_WINDOW 0.5

/* By this much a scan may cost more than a lookup join, if it could do with fewer round trips. */
#define SCAN_FIRST 1.2

static set_join_pathlist_hook_type previous_hook = NULL;

static const CustomPathMethods path_methods = {
	.CustomName = "Lookup Join",
	.PlanCustomPath = dyn_join_plan
};

/* ---- costs ---- */

/* The windows that so many rows make, by the sizes of the first and of the later ones. */
static double
count_windows(double rows, double first, double largest)
{
	double		second = Max(first, DYN_SECOND_WINDOW);

	first = Min(first, largest);
	second = Min(second, largest);
	if (rows <= first)
		return 1;
	return 2 + ceil(Max(rows - first - second, 0) / largest);
}

/* The size of later windows: as many rows as all requests together have keys. */
static double
largest_window(List *stages)
{
	double		largest = DYN_FIRST_WINDOW;
	ListCell   *lc;

	foreach(lc, stages)
	{
		const DynRelation *dyn = ((DynJoinStage *) lfirst(lc))->dyn;
		double		size = (double) dyn->max_read_workers * dyn->batch_size;

		largest = foreach_current_index(lc) == 0 ? size : Min(largest, size);
	}
	return largest;
}

/*
 * What a round of requests of a stage costs.  A table whose keys are known
 * before anything runs is better scanned: its requests go out together with
 * those of the statement's other scans (ahead.c), and not after the outer plan's.
 */
static Cost
round_cost(const DynJoinStage *stage)
{
	return stage->dyn->startup_cost * (dyn_plan_knows_keys(stage->rel) ? SCAN_FIRST : 1);
}

/*
 * A window's stages are asked at once, so a window costs the slowest one's round
 * of requests; a key that several of its rows have is asked once.  While the
 * rows of one window are used the next one is on its way.
 */
static void
set_costs(PlannerInfo *root, Path *path, const Path *outer, List *stages)
{
	double		rows = clamp_row_est(outer->rows);
	double		windows = count_windows(rows, dyn_join_first_window(root), largest_window(stages));
	Cost		round = 0;
	Cost		keys = 0;
	QualCost	clauses = {0, 0};
	ListCell   *lc;

	foreach(lc, stages)
	{
		DynJoinStage *stage = lfirst(lc);
		Cost		own_round = round_cost(stage);

		round = Max(round, own_round);
		keys += Min(rows, stage->distinct * windows) * stage->dyn->tuple_cost;
		clauses.startup += stage->cost.startup;
		clauses.per_tuple += stage->cost.per_tuple;
	}
	clauses.startup += path->pathtarget->cost.startup;
	path->startup_cost = outer->startup_cost + clauses.startup + round;
	path->total_cost = outer->total_cost + clauses.startup + round + (windows - 1) * round * LATER_WINDOW + keys +
		rows * (cpu_tuple_cost / 2 + clauses.per_tuple) + path->rows * path->pathtarget->cost.per_tuple;
	dyn_copy_disabled_nodes(path, outer);
}

/* ---- paths ---- */

/* The stages of a path, if it is a lookup join. */
static List *
stages_of(const Path *path)
{
	if (!IsA(path, CustomPath) || ((const CustomPath *) path)->methods != &path_methods)
		return NIL;
	return ((const CustomPath *) path)->custom_private;
}

/* Adds the path of these stages over an outer path.  `joined` is the outer side of the join that the last one is for. */
static void
add_stages(const DynJoinInput *input, Path *outer, const Path *joined, ParamPathInfo *param_info, List *stages)
{
	CustomPath *path = makeNode(CustomPath);

	path->path.pathtype = T_CustomScan;
	path->path.parent = input->joinrel;
	path->path.pathtarget = input->joinrel->reltarget;
	path->path.param_info = param_info;
	path->path.rows = param_info ? param_info->ppi_rows : input->joinrel->rows;
	path->path.pathkeys = build_join_pathkeys(input->root, input->joinrel, input->jointype, joined->pathkeys);
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_paths = list_make1(outer);
	path->custom_private = stages;	/* not nodes: nobody copies or prints a path */
	path->methods = &path_methods;
	set_costs(input->root, &path->path, outer, stages);
	add_path(input->joinrel, &path->path);
}

/*
 * What the joined path needs rows of, or false where such a path can't be: it
 * would need the foreign table's own, or the planner wants no such path.
 */
static bool
required_outer(const DynJoinInput *input, Path *outer, Relids *required)
{
	RelOptInfo *joinrel = input->joinrel;

	*required = bms_copy(PATH_REQ_OUTER(outer));
	if (bms_overlap(*required, joinrel->relids) || !bms_is_subset(joinrel->lateral_relids, *required))
		return false;
	if (bms_is_empty(*required))
		return true;
	/* a partition's rows can't take the place of its parent's in a path of ours */
	return !enable_partitionwise_join && bms_overlap(*required, input->extra->param_source_rels);
}

/* Adds the paths over one outer path. */
static void
add_paths_over(const DynJoinInput *input, Path *outer)
{
	List	   *clauses = list_copy(input->extra->restrictlist);
	List	   *earlier = stages_of(outer);
	DynJoinStage *stage;
	DynJoinStage *beside;
	ParamPathInfo *param_info;
	Relids		required;

	if (!required_outer(input, outer, &required))
		return;
	param_info = get_joinrel_parampathinfo(input->root, input->joinrel, outer, input->innerrel->cheapest_total_path,
										   input->extra->sjinfo, required, &clauses);
	stage = dyn_join_stage_new(input, clauses);
	if (stage == NULL)
		return;
	beside = earlier ? dyn_join_stage_beside(input->root, stage, earlier) : NULL;
	if (beside)
		add_stages(input, linitial(((CustomPath *) outer)->custom_paths), outer, param_info,
				   lappend(list_copy(earlier), beside));
	else if (stage->joins)
		add_stages(input, outer, outer, param_info, list_make1(stage));
}

/* Are all tables that the query changes foreign ones? */
static bool
changes_foreign_tables_only(PlannerInfo *root)
{
	int			rti = -1;

	while ((rti = bms_next_member(root->leaf_result_relids, rti)) >= 0)
		if (planner_rt_fetch(rti, root)->relkind != RELKIND_FOREIGN_TABLE)
			return false;
	return true;
}

/*
 * May the query have such a node?  Where rows are locked, or local ones are
 * changed, the server may go back to single rows of the tables below it, which
 * the node can't do.  Of foreign tables it never does.
 */
static bool
query_allows_join(PlannerInfo *root)
{
	switch (root->parse->commandType)
	{
		case CMD_SELECT:
		case CMD_INSERT:
			return root->rowMarks == NIL;
		case CMD_UPDATE:
		case CMD_DELETE:
			return root->parse->rowMarks == NIL && changes_foreign_tables_only(root);
		default:
			return false;
	}
}

/* Is the join of a kind, and of tables, that a lookup join can be made of? */
static bool
is_candidate(const DynJoinInput *input)
{
	RelOptInfo *inner = input->innerrel;

	switch (input->jointype)
	{
		case JOIN_INNER:
		case JOIN_LEFT:
		case JOIN_SEMI:
		case JOIN_ANTI:
			break;
		default:
			return false;
	}
	return dyn_guc_enable_lookup_join() && dyn_plan_relation(inner) != NULL && bms_is_empty(inner->lateral_relids) &&
		inner->cheapest_total_path != NULL && PATH_REQ_OUTER(inner->cheapest_total_path) == NULL &&
		query_allows_join(input->root);
}

/* Hook: adds paths of lookup joins to those of the server. */
static void
add_lookup_joins(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *outerrel, RelOptInfo *innerrel,
				 JoinType jointype, JoinPathExtraData *extra)
{
	DynJoinInput input = {root, joinrel, outerrel, innerrel, jointype, extra};
	bool		make_unique = jointype == JOIN_UNIQUE_OUTER;
	ListCell   *lc;

	if (previous_hook)
		previous_hook(root, joinrel, outerrel, innerrel, jointype, extra);
	if (make_unique)
		input.jointype = JOIN_INNER;
	if (!is_candidate(&input))
		return;
	foreach(lc, make_unique ? dyn_unique_paths(root, outerrel, extra->sjinfo) : outerrel->pathlist)
		add_paths_over(&input, lfirst(lc));
}

void
dyn_join_init(void)
{
	dyn_join_plan_init();
	previous_hook = set_join_pathlist_hook;
	set_join_pathlist_hook = add_lookup_joins;
}
