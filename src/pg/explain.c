/*
 * explain.c
 *	  What EXPLAIN shows of scans and modifications.
 */
#include "pg/util/export.h"

#include "nodes/makefuncs.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "core/ddb_op.h"
#include "pg/read/scan.h"
#include "pg/table/relation.h"
#include "pg/util/compat.h"
#include "pg/util/explain_counts.h"
#include "pg/util/fdw.h"
#include "pg/write/modify.h"

/* Shows the conditions that became keys, as they were written; "none" where the plan can't be executed. */
static void
explain_key_condition(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	bool		prefix = list_length(es->rtable) > 1 || es->verbose;
	List	   *context;

	if (!boolVal(list_nth(plan->fdw_private, DYN_SCAN_COMPLETE)))
		ExplainPropertyText("Key Condition", "none", es);
	if (plan->fdw_recheck_quals == NIL)
		return;
	context = set_deparse_context_plan(es->deparse_cxt, (Plan *) plan, NIL);
	ExplainPropertyText("Key Condition",
						deparse_expression((Node *) make_ands_explicit(plan->fdw_recheck_quals), context, prefix,
										   false), es);
}

/* Shows what is asked for beside the keys; nothing where there is nothing. */
static void
explain_fetched(const DynRelation *rel, List *attnums, ExplainState *es)
{
	bool		hidden = rel->ttl > 0;	/* asked for although no column shows it */
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, attnums)
	{
		const DynColumn *column = &rel->columns[lfirst_int(lc) - 1];

		names = lappend(names, column->role == DYN_COLUMN_EVENT_TIMESTAMP ? "event_ts" : column->sql_name);
		hidden = hidden && column->role != DYN_COLUMN_EVENT_TIMESTAMP;
	}
	if (hidden)
		names = lappend(names, "event_ts");
	if (names != NIL)
		ExplainPropertyList("Fetched", names, es);
}

void
dynamoExplainForeignScan(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	const DynRelation *rel = dyn_scan_relation(node);

	ExplainPropertyText("Remote Table", rel->remote.table, es);
	explain_key_condition(node, es);
	if (es->verbose)
	{
		explain_fetched(rel, list_nth(plan->fdw_private, DYN_SCAN_COLUMNS), es);
		dyn_explain_number("Batch Size", rel->batch_size, es);
	}
	if (es->analyze)
	{
		const DynCounters *counters = dyn_scan_counters(node);

		dyn_explain_number("Items Found", counters->items_found, es);
		dyn_explain_number("Items Missing", counters->items_missing, es);
		if (rel->ttl > 0)
			dyn_explain_number("Items Expired", dyn_scan_expired(node), es);
		dyn_explain_number("Unprocessed Keys", counters->unprocessed_keys, es);
		dyn_explain_requests(counters, rel->consumed_capacity, es);
	}
}

/* Does a command write several rows a request? */
static bool
writes_batches(const DynRelation *rel, CmdType operation)
{
	return operation == CMD_UPDATE ? rel->rewrite : operation != CMD_INSERT || !rel->latest;
}

void
dynamoExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private, int subplan_index,
						   ExplainState *es)
{
	DynRelation *rel = dyn_relation_open(rinfo->ri_RelationDesc);
	const DynCounters *counters = dyn_modify_counters(rinfo);

	ExplainPropertyText("Remote Table", rel->remote.table, es);
	if (es->verbose && writes_batches(rel, mtstate->operation))
		dyn_explain_number("Batch Size", Min(rel->batch_size, DYN_MAX_WRITE_ITEMS), es);
	if (es->analyze && counters)
	{
		dyn_explain_number("Items Written", counters->items_written, es);
		if (rel->latest)
			dyn_explain_number("Items Refused", counters->items_refused, es);
		dyn_explain_number("Unprocessed Items", counters->unprocessed_items, es);
		dyn_explain_requests(counters, rel->consumed_capacity, es);
	}
}
