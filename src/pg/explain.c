/*
 * explain.c
 *	  What EXPLAIN shows of scans and modifications.
 */
#include "pg/export.h"

#include "nodes/makefuncs.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "pg/compat.h"
#include "pg/fdw.h"
#include "pg/relation.h"
#include "pg/scan.h"

/* The conditions that became keys, as they were written; "none" of a plan that cannot be executed. */
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

static void
explain_features(const DynRelation *rel, List *attnums, ExplainState *es)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, attnums)
	{
		const DynColumn *column = &rel->columns[lfirst_int(lc) - 1];

		names = lappend(names, column->role == DYN_COLUMN_EVENT_TIMESTAMP ? "event_ts" : column->sql_name);
	}
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
		explain_features(rel, list_nth(plan->fdw_private, DYN_SCAN_COLUMNS), es);
		ExplainPropertyInteger("Batch Size", NULL, rel->batch_size, es);
	}
}

void
dynamoExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private, int subplan_index,
						   ExplainState *es)
{
	DynRelation *rel = dyn_relation_open(rinfo->ri_RelationDesc);

	ExplainPropertyText("Remote Table", rel->remote.table, es);
	if (es->verbose)
		ExplainPropertyInteger("Batch Size", NULL, Min(rel->batch_size, 25), es);
}
