/*
 * join_explain.c
 *	  What EXPLAIN shows of a lookup join.
 */
#include "pg/util/export.h"

#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/ruleutils.h"

#include "pg/join/join_explain.h"
#include "pg/join/join_plan.h"
#include "pg/join/join_state.h"
#include "pg/util/compat.h"
#include "pg/util/explain_counts.h"

/* An expression over the scan tuple as text. */
static char *
expression_text(CustomScanState *node, List *ancestors, ExplainState *es, Node *expr)
{
	List	   *context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, ancestors);

	return deparse_expression(expr, context, true, false);
}

/* "LEFT v ON v.a = o.a AND v.b = o.b" */
static char *
stage_text(CustomScanState *node, const DynStageState *stage, List *keys, List *ancestors, ExplainState *es)
{
	StringInfoData text;

	initStringInfo(&text);
	if (stage->jointype != JOIN_INNER)
		appendStringInfoString(&text, stage->jointype == JOIN_LEFT ? "LEFT " : "ANTI ");
	appendStringInfoString(&text, quote_identifier(stage->alias));
	for (int i = 0; i < stage->rel->nkeys; i++)
		appendStringInfo(&text, "%s%s.%s = %s", i == 0 ? " ON " : " AND ", quote_identifier(stage->alias),
						 quote_identifier(stage->rel->keys[i]->sql_name),
						 expression_text(node, ancestors, es, list_nth(keys, i)));
	return text.data;
}

/* Shows clauses, if there are any. */
static void
explain_clauses(CustomScanState *node, const char *label, List *clauses, List *ancestors, ExplainState *es)
{
	if (clauses != NIL)
		ExplainPropertyText(label, expression_text(node, ancestors, es, (Node *) make_ands_explicit(clauses)), es);
}

/* Shows which columns are asked for beside the keys; nothing where there are none. */
static void
explain_stage_columns(const DynStageState *stage, ExplainState *es)
{
	const DynProjection *projection = stage->projection;
	List	   *names = NIL;

	if (projection->event_ts)
		names = lappend(names, "event_ts");
	for (int i = 0; i < projection->features.count; i++)
		names = lappend(names, projection->columns[i]->sql_name);
	if (names != NIL)
		ExplainPropertyList("Fetched", names, es);
}

/* Shows what EXPLAIN ANALYZE tells of a stage; where several are over one remote table, the numbers are of all of them. */
static void
explain_stage_counts(const DynJoinState *state, const DynStageState *stage, ExplainState *es)
{
	const DynTableGroup *group = &state->tables->groups[stage->table.group];
	int			table = stage->table.table;

	dyn_explain_number("Keys Asked", group->asked[table], es);
	dyn_explain_number("Keys Deduplicated", group->wanted[table] - group->asked[table], es);
	dyn_explain_number("Items Found", group->found[table], es);
	if (stage->rel->ttl > 0)
		dyn_explain_number("Rows Expired", stage->nexpired, es);
	dyn_explain_number("Table Requests", group->answered[table], es);
}

/* Shows a stage. */
static void
explain_stage(CustomScanState *node, int i, List *ancestors, ExplainState *es)
{
	DynJoinState *state = (DynJoinState *) node;
	DynStageState *stage = &state->stages[i];
	List	   *exprs = list_nth(((CustomScan *) node->ss.ps.plan)->custom_exprs, i);

	ExplainOpenGroup("Lookup", NULL, true, es);
	ExplainPropertyText("Feature View", stage_text(node, stage, list_nth(exprs, DYN_STAGE_KEYS), ancestors, es), es);
	ExplainPropertyText("Remote Table", stage->rel->remote.table, es);
	explain_clauses(node, "Join Filter", list_nth(exprs, DYN_STAGE_QUALS), ancestors, es);
	explain_clauses(node, "Filter", list_nth(exprs, DYN_STAGE_FILTERS), ancestors, es);
	explain_clauses(node, "One-Time Filter", list_nth(exprs, DYN_STAGE_GATES), ancestors, es);
	if (es->verbose)
		explain_stage_columns(stage, es);
	if (es->analyze)
		explain_stage_counts(state, stage, es);
	ExplainCloseGroup("Lookup", NULL, true, es);
}

/* Shows what EXPLAIN ANALYZE tells of the node as a whole: of all its servers together. */
static void
explain_counts(const DynJoinState *state, ExplainState *es)
{
	DynCounters sum = {0};
	bool		capacity = false;

	for (int i = 0; i < state->tables->ngroups; i++)
	{
		const DynTableGroup *group = &state->tables->groups[i];

		dyn_counters_add(&sum, &group->counters);
		for (int k = 0; k < group->ntables; k++)
			capacity = capacity || group->requests[k].capacity;
	}
	dyn_explain_number("Windows", state->nwindows, es);
	dyn_explain_number("Unprocessed Keys", sum.unprocessed_keys, es);
	dyn_explain_requests(&sum, capacity, es);
}

void
dyn_join_explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
	DynJoinState *state = (DynJoinState *) node;

	ExplainOpenGroup("Lookups", "Lookups", false, es);
	for (int i = 0; i < state->nstages; i++)
		explain_stage(node, i, ancestors, es);
	ExplainCloseGroup("Lookups", "Lookups", false, es);
	if (es->analyze)
		explain_counts(state, es);
}
