/*
 * scan.c
 *	  Execution of scans: the callbacks of the executor.
 *
 * Keys are evaluated when the first row is wanted, and again after a rescan.
 */
#include "pg/util/export.h"

#include "executor/executor.h"
#include "nodes/nodeFuncs.h"

#include "pg/read/ahead.h"
#include "pg/read/lookup.h"
#include "pg/read/scan.h"
#include "pg/read/unkeyed.h"
#include "pg/session/unsent.h"
#include "pg/util/compat.h"
#include "pg/util/fdw.h"

typedef struct DynScanState
{
	DynLookup  *lookup;
	bool		complete;		/* the plan names the keys */
	bool		target;			/* UPDATE or DELETE changes the rows */
	Bitmapset  *key_params;		/* PARAM_EXECs in the operands */
	DynAhead	ahead;			/* unused under plain EXPLAIN */
} DynScanState;

static DynScanState *
state_of(ForeignScanState *node)
{
	return node->fdw_state;
}

const DynRelation *
dyn_scan_relation(ForeignScanState *node)
{
	return state_of(node)->lookup->rel;
}

const DynCounters *
dyn_scan_counters(ForeignScanState *node)
{
	return &state_of(node)->lookup->counters;
}

int64
dyn_scan_expired(ForeignScanState *node)
{
	return state_of(node)->lookup->expired;
}

/* What add_exec_params needs, and finds. */
typedef struct ParamCollector
{
	const PlannedStmt *statement;
	Bitmapset  *params;
} ParamCollector;

/* Walker: collects the PARAM_EXECs of an expression, those that its sub-selects use included. */
static bool
add_exec_params(Node *node, ParamCollector *collector)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param) && castNode(Param, node)->paramkind == PARAM_EXEC)
		collector->params = bms_add_member(collector->params, castNode(Param, node)->paramid);
	if (IsA(node, SubPlan))
	{
		Plan	   *plan = list_nth(collector->statement->subplans, castNode(SubPlan, node)->plan_id - 1);

		collector->params = bms_add_members(collector->params, plan->extParam);
	}
	return expression_tree_walker(node, add_exec_params, collector);
}

void
dynamoBeginForeignScan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	MemoryContext old = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);
	DynScanState *state = palloc0(sizeof(DynScanState));

	node->fdw_state = state;
	state->lookup = dyn_lookup_new(dyn_relation_open(node->ss.ss_currentRelation),
								   list_nth(plan->fdw_private, DYN_SCAN_COLUMNS));
	state->target = boolVal(list_nth(plan->fdw_private, DYN_SCAN_TARGET));
	if (state->target)
		state->lookup->request.consistent = true;
	state->complete = boolVal(list_nth(plan->fdw_private, DYN_SCAN_COMPLETE));
	if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
	{
		ParamCollector collector = {node->ss.ps.state->es_plannedstmt, NULL};

		dyn_unsent_flush(state->lookup->rel->remote.table, node->ss.ps.state);
		/* a cursor stays with who opened it */
		state->lookup->userid = dyn_scan_user(node);
		add_exec_params((Node *) plan->fdw_exprs, &collector);
		state->key_params = collector.params;
		state->ahead.scan = node;
		state->ahead.lookup = state->lookup;
		state->ahead.tree = list_nth(plan->fdw_private, DYN_SCAN_TREE);
		state->ahead.operands = ExecInitExprList(plan->fdw_exprs, &node->ss.ps);
		state->ahead.independent = boolVal(list_nth(plan->fdw_private, DYN_SCAN_INDEPENDENT));
		dyn_ahead_enter(&state->ahead);
	}
	MemoryContextSwitchTo(old);
}

/* Raises the error of a plan that does not name the keys. */
static void
report_no_keys(ForeignScanState *node)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;

	dyn_unkeyed_report(dyn_scan_relation(node), boolVal(list_nth(plan->fdw_private, DYN_SCAN_SUB_SELECT)));
}

/* Asks for the keys as they are now. */
static void
start_scan(ForeignScanState *node, DynScanState *state)
{
	DynAhead   *ahead = &state->ahead;
	bool		first = !ahead->started;

	if (!state->complete)
		report_no_keys(node);
	if (state->target)
		dyn_projection_for_update(state->lookup->projection, node->ss.ps.state);
	dyn_lookup_connect(state->lookup);
	dyn_lookup_evaluate(state->lookup, ahead->tree, ahead->operands, node->ss.ps.ps_ExprContext);
	ahead->started = true;
	dyn_lookup_start(state->lookup);
	if (first)
		dyn_ahead_start_others(ahead);
}

TupleTableSlot *
dynamoIterateForeignScan(ForeignScanState *node)
{
	DynScanState *state = node->fdw_state;

	if (state->lookup->get == NULL)
		start_scan(node, state);
	else if (state->ahead.unread)
		dyn_ahead_start_others(&state->ahead);
	state->ahead.unread = false;
	dyn_lookup_next(state->lookup, node->ss.ss_ScanTupleSlot);
	return node->ss.ss_ScanTupleSlot;
}

void
dynamoReScanForeignScan(ForeignScanState *node)
{
	DynScanState *state = node->fdw_state;
	bool		same_keys = !bms_overlap(node->ss.ps.chgParam, state->key_params);

	/* a nested loop rescans its inner side before the first row, too */
	if (same_keys && (state->ahead.unread || dyn_lookup_rewind(state->lookup)))
		return;
	dyn_lookup_stop(state->lookup);
	state->ahead.unread = false;
}

void
dynamoEndForeignScan(ForeignScanState *node)
{
	DynScanState *state = node->fdw_state;

	if (state == NULL)
		return;
	dyn_ahead_leave(&state->ahead);
	dyn_lookup_release(state->lookup);
}
