/*
 * ahead.c
 *	  Lookups sent ahead.
 */
#include "pg/util/export.h"

#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"

#include "pg/read/ahead.h"

/* A statement of many lookups, of partitions perhaps, sends no more than this ahead. */
#define MAX_AHEAD_IN_FLIGHT 100

/* All that can be executed, over all nested queries of the session. */
static dlist_head scans = DLIST_STATIC_INIT(scans);

/*
 * Subplans are initialized one after the other, then the main plan: which of
 * them is being initialized now?
 */
static int
part_of_plan(const EState *estate)
{
	return list_length(estate->es_subplanstates);
}

static int
main_part(const EState *estate)
{
	return list_length(estate->es_plannedstmt->subplans);
}

void
dyn_ahead_leave(DynAhead *ahead)
{
	if (ahead->listed)
		dlist_delete(&ahead->node);
	ahead->listed = false;
}

/* Callback of the memory context. */
static void
leave_list(void *arg)
{
	dyn_ahead_leave(arg);
}

void
dyn_ahead_enter(DynAhead *ahead)
{
	ahead->part = part_of_plan(ahead->scan->ss.ps.state);
	ahead->callback.func = leave_list;
	ahead->callback.arg = ahead;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &ahead->callback);
	dlist_push_tail(&scans, &ahead->node);
	ahead->listed = true;
}

/* A field of a record variable may not be there, or be of another type: an error once it is wanted. */
static bool
can_fetch(ParamListInfo params, const Param *param)
{
	ParamExternData workspace;

	if (params == NULL || params->paramFetch == NULL)
		return true;
	return params->paramFetch(params, param->paramid, true, &workspace)->ptype == param->paramtype;
}

/* Is there a Param in the keys that has no value yet? */
static bool
has_unknown_param(Node *node, void *arg)
{
	EState	   *estate = arg;
	Param	   *param;

	if (node == NULL)
		return false;
	if (!IsA(node, Param))
		return expression_tree_walker(node, has_unknown_param, estate);
	param = castNode(Param, node);
	if (param->paramkind == PARAM_EXTERN)
		return !can_fetch(estate->es_param_list_info, param);
	return estate->es_param_exec_vals[param->paramid].execPlan != NULL; /* its init plan has not run */
}

/* Are the keys known, and can evaluating them not fail? */
static bool
can_start_ahead(const DynAhead *ahead)
{
	const DynRelation *rel = ahead->lookup->rel;
	const ForeignScanState *scan = ahead->scan;

	if (!ahead->independent || ahead->started ||
		has_unknown_param((Node *) ((ForeignScan *) scan->ss.ps.plan)->fdw_exprs, scan->ss.ps.state))
		return false;
	for (int i = 0; i < rel->nkeys && GetDatabaseEncoding() != PG_UTF8; i++)
		if (rel->keys[i]->feast_type == DYN_FEAST_STRING)
			return false;		/* the text may have no UTF-8 */
	return true;
}

/* Sends the first window of a scan ahead; what fails is told when its first row is wanted. */
static void
start_ahead(DynAhead *ahead)
{
	DynLookup  *lookup = ahead->lookup;

	if (!dyn_lookup_try_connect(lookup) || lookup->connection->counters->in_flight >= MAX_AHEAD_IN_FLIGHT)
		return;
	dyn_lookup_evaluate(lookup, ahead->tree, ahead->operands, ahead->scan->ss.ps.ps_ExprContext);
	ahead->started = true;
	dyn_lookup_start(lookup);
	ahead->unread = true;
}

void
dyn_ahead_start_others(DynAhead *ahead)
{
	EState	   *estate = ahead->scan->ss.ps.state;
	dlist_iter	iter;

	if (estate->es_epq_active)
		return;
	dlist_foreach(iter, &scans)
	{
		DynAhead   *other = dlist_container(DynAhead, node, iter.cur);

		if (other->scan->ss.ps.state == estate && can_start_ahead(other) &&
			(other->part == ahead->part || other->part == main_part(estate)))
			start_ahead(other);
	}
}
