/*
 * join_scan.c
 *	  Execution of lookup joins.
 *
 * The node reads a window of outer rows, makes the keys of all its stages, and
 * asks for their items side by side, beginning while it reads.  Then it takes
 * row by row through the stages, in the order in which they came, as the items
 * arrive; when half of a window has been emitted, the next one is read and
 * asked for.
 */
#include "pg/util/export.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "pg/convert/convert.h"
#include "pg/join/join_explain.h"
#include "pg/join/join_plan.h"
#include "pg/join/join_state.h"
#include "pg/qual/qual_operand.h"
#include "pg/session/unsent.h"
#include "pg/util/scratch.h"

static Node *create_state(CustomScan *scan);
static void begin_join(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *next_row(CustomScanState *node);
static void end_join(CustomScanState *node);
static void rescan_join(CustomScanState *node);

const CustomScanMethods dyn_join_scan_methods = {
	.CustomName = "Lookup Join",
	.CreateCustomScanState = create_state
};

static const CustomExecMethods exec_methods = {
	.CustomName = "Lookup Join",
	.BeginCustomScan = begin_join,
	.ExecCustomScan = next_row,
	.EndCustomScan = end_join,
	.ReScanCustomScan = rescan_join,
	.ExplainCustomScan = dyn_join_explain
};

/* ---- begin ---- */

static Node *
create_state(CustomScan *scan)
{
	DynJoinState *state = palloc0(sizeof(DynJoinState));

	NodeSetTag(state, T_CustomScanState);
	state->css.methods = &exec_methods;
	return (Node *) state;
}

/* An array of a list of column numbers. */
static AttrNumber *
attnum_array(List *list)
{
	AttrNumber *array = palloc(sizeof(AttrNumber) * (list_length(list) + 1));
	ListCell   *lc;

	foreach(lc, list)
		array[foreach_current_index(lc)] = lfirst_int(lc);
	return array;
}

/* The columns to fetch for those that the scan tuple has. */
static List *
stage_columns_to_fetch(const DynStageState *stage)
{
	List	   *columns = NIL;

	for (int i = 0; i < stage->rel->ncolumns; i++)
	{
		const DynColumn *column = &stage->rel->columns[i];
		bool		needed = false;

		for (int k = 0; k < stage->ncolumns; k++)
			needed = needed || stage->attnums[k] == InvalidAttrNumber || stage->attnums[k] == column->attnum;
		if (needed && (column->role == DYN_COLUMN_EVENT_TIMESTAMP || column->role == DYN_COLUMN_FEATURE))
			columns = lappend_int(columns, column->attnum);
	}
	return columns;
}

/* Prepares the expressions of a stage's keys. */
static void
begin_keys(DynStageState *stage, List *exprs, PlanState *ps)
{
	stage->keys = palloc(sizeof(ExprState *) * (list_length(exprs) + 1));
	stage->key_types = palloc(sizeof(Oid) * (list_length(exprs) + 1));
	stage->key.values = palloc(sizeof(Datum) * (list_length(exprs) + 1));
	for (int i = 0; i < list_length(exprs); i++)
	{
		stage->keys[i] = ExecInitExpr(list_nth(exprs, i), ps);
		stage->key_types[i] = getBaseType(exprType(list_nth(exprs, i)));
	}
}

/* Do two foreign tables have the same entity id for the same values? */
static bool
same_key_columns(const DynRelation *a, const DynRelation *b)
{
	if (a->nkeys != b->nkeys || a->key_version != b->key_version)
		return false;
	for (int i = 0; i < a->nkeys; i++)
		if (strcmp(a->keys[i]->name, b->keys[i]->name) != 0 || a->keys[i]->feast_type != b->keys[i]->feast_type ||
			a->keys[i]->base_type != b->keys[i]->base_type)
			return false;
	return true;
}

/* The first stage whose key is the same as this one's for every row: it is made once. */
static int
find_same_key(const DynJoinState *state, List *stage_exprs, int i)
{
	List	   *keys = list_nth(list_nth(stage_exprs, i), DYN_STAGE_KEYS);
	int			k = 0;

	while (k < i && !(same_key_columns(state->stages[k].rel, state->stages[i].rel) &&
					  equal(list_nth(list_nth(stage_exprs, k), DYN_STAGE_KEYS), keys)))
		k++;
	return k;
}

/* Makes a stage of what the plan says; `first` is where its columns begin. */
static void
begin_stage(DynJoinState *state, DynStageState *stage, List *private, List *exprs, int first)
{
	PlanState  *ps = &state->css.ss.ps;
	List	   *table = list_nth(private, DYN_STAGE_TABLE);
	List	   *attnums = list_nth(private, DYN_STAGE_COLUMNS);
	Oid			userid = lsecond_oid(table);

	stage->relation = table_open(linitial_oid(table), NoLock);	/* locked by the query */
	stage->rel = dyn_relation_open(stage->relation);
	stage->alias = strVal(list_nth(private, DYN_STAGE_ALIAS));
	stage->target = boolVal(list_nth(private, DYN_STAGE_TARGET));
	stage->jointype = intVal(list_nth(private, DYN_STAGE_JOINTYPE));
	begin_keys(stage, list_nth(exprs, DYN_STAGE_KEYS), ps);
	stage->quals = ExecInitQual(list_nth(exprs, DYN_STAGE_QUALS), ps);
	stage->filters = ExecInitQual(list_nth(exprs, DYN_STAGE_FILTERS), ps);
	stage->gates = ExecInitQual(list_nth(exprs, DYN_STAGE_GATES), ps);
	stage->computed = ExecInitExprList(list_nth(exprs, DYN_STAGE_COMPUTED), ps);
	stage->first = first;
	stage->ncolumns = list_length(attnums);
	stage->attnums = attnum_array(attnums);
	stage->projection = dyn_projection_new(stage->rel, stage_columns_to_fetch(stage));
	stage->row = ExecInitExtraTupleSlot(ps->state, RelationGetDescr(stage->relation), &TTSOpsVirtual);
	/* a cursor stays with who opened it */
	stage->table = dyn_join_tables_add(state->tables, stage->projection, OidIsValid(userid) ? userid : GetUserId(),
									   stage->rel->consistent_reads || stage->target);
}

/* Makes all stages. */
static void
begin_stages(DynJoinState *state, CustomScan *scan)
{
	int			first = state->nouter;
	int			rows;

	state->nstages = list_length(scan->custom_exprs);
	state->stages = palloc0(sizeof(DynStageState) * state->nstages);
	state->tables = dyn_join_tables_new(state->nstages);
	for (int i = 0; i < state->nstages; i++)
	{
		DynStageState *stage = &state->stages[i];
		int			largest;

		begin_stage(state, stage, list_nth(scan->custom_private, DYN_JOIN_STAGES + i), list_nth(scan->custom_exprs, i), first);
		stage->same_key = find_same_key(state, scan->custom_exprs, i);
		first += stage->ncolumns + list_length(stage->computed);
		largest = stage->rel->batch_size * stage->rel->max_read_workers;
		state->largest_window = i == 0 ? largest : Min(state->largest_window, largest);
	}
	rows = dyn_join_tables_rows(state->tables);
	state->largest_window = Min(state->largest_window, rows);
}

/* Mutator: gives each RECORD of the scan tuple the type that it has there (join_plan.c, typed_row). */
static Node *
as_stored(Node *node, TupleDesc scan_tuple)
{
	Var		   *var = (Var *) node;

	if (node == NULL)
		return NULL;
	if (!IsA(node, Var) || var->varno != INDEX_VAR || var->vartype != RECORDOID)
		return expression_tree_mutator(node, as_stored, scan_tuple);
	var = copyObject(var);
	var->vartype = TupleDescAttr(scan_tuple, var->varattno - 1)->atttypid;
	return (Node *) var;
}

/* The server has made a projection of the plan's target list, which looks for a RECORD where the scan tuple has a row. */
static void
begin_projection(ScanState *node)
{
	TupleDesc	scan_tuple = node->ss_ScanTupleSlot->tts_tupleDescriptor;
	List	   *targetlist = (List *) as_stored((Node *) node->ps.plan->targetlist, scan_tuple);

	if (node->ps.ps_ProjInfo && !equal(targetlist, node->ps.plan->targetlist))
		node->ps.ps_ProjInfo = ExecBuildProjectionInfo(targetlist, node->ps.ps_ExprContext,
													   node->ps.ps_ResultTupleSlot, &node->ps, scan_tuple);
}

/* Callback of the executor. */
static void
begin_join(CustomScanState *node, EState *estate, int eflags)
{
	DynJoinState *state = (DynJoinState *) node;
	CustomScan *scan = (CustomScan *) node->ss.ps.plan;
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	PlanState  *outer = ExecInitNode(linitial(scan->custom_plans), estate, eflags);
	List	   *outer_attnums = list_nth(scan->custom_private, DYN_JOIN_OUTER_COLUMNS);

	node->custom_ps = list_make1(outer);
	state->nouter = list_length(outer_attnums);
	state->outer_attnums = attnum_array(outer_attnums);
	state->outer_row = ExecInitExtraTupleSlot(estate, ExecGetResultType(outer), &TTSOpsMinimalTuple);
	state->first_window = intVal(list_nth(scan->custom_private, DYN_JOIN_FIRST_WINDOW));
	begin_stages(state, scan);
	begin_projection(&node->ss);
	if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
	{
		for (int i = 0; i < state->nstages; i++)
			dyn_unsent_flush(state->stages[i].rel->remote.table, estate);
		state->scratch = dyn_scratch_new(CurrentMemoryContext);
		state->window = dyn_window_new(state->tables, state->nstages);
		state->next = dyn_window_new(state->tables, state->nstages);
	}
	MemoryContextSwitchTo(old);
}

/* ---- windows ---- */

/* Puts an outer row into the scan tuple; all that the stages add is NULL. */
static TupleTableSlot *
set_outer_columns(DynJoinState *state, TupleTableSlot *outer)
{
	TupleTableSlot *slot = state->css.ss.ss_ScanTupleSlot;

	slot_getallattrs(outer);
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
	for (int i = 0; i < state->nouter; i++)
	{
		slot->tts_values[i] = outer->tts_values[state->outer_attnums[i] - 1];
		slot->tts_isnull[i] = outer->tts_isnull[state->outer_attnums[i] - 1];
	}
	return ExecStoreVirtualTuple(slot);
}

/* Makes a stage's key for the row in the scan tuple, in short-lived memory. */
static void
make_key(DynStageState *stage, ExprContext *econtext, DynBuf *scratch)
{
	DynJoinKey *key = &stage->key;

	key->exists = false;
	for (int i = 0; i < stage->rel->nkeys; i++)
	{
		bool		isnull;
		Datum		value = ExecEvalExpr(stage->keys[i], econtext, &isnull);

		if (isnull || !dyn_operand_to_key(stage->rel->keys[i], stage->key_types[i], value, &key->values[i]))
			return;
	}
	dyn_key_id(stage->rel, key->values, scratch, &key->id);
	key->exists = true;
}

/* Adds an outer row and its keys to a window. */
static void
add_row(DynJoinState *state, DynWindow *window, TupleTableSlot *outer)
{
	ExprContext *econtext = state->css.ss.ps.ps_ExprContext;
	MemoryContext old;

	ResetExprContext(econtext);
	econtext->ecxt_scantuple = set_outer_columns(state, outer);
	dyn_window_add_row(window, outer);
	old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);
	for (int i = 0; i < state->nstages; i++)
	{
		DynStageState *stage = &state->stages[i];
		const DynJoinKey *key = &state->stages[stage->same_key].key;

		if (stage->same_key == i)
			make_key(stage, econtext, state->scratch);
		if (key->exists)
			dyn_window_add_key(window, i, stage->table, stage->rel, &key->id, key->values);
	}
	MemoryContextSwitchTo(old);
}

/* Rows in the window that is filled next. */
static int
window_size(const DynJoinState *state)
{
	int			size = state->largest_window;

	if (state->windows_since_start == 0)
		size = state->first_window;
	else if (state->windows_since_start == 1)
		size = Max(state->first_window, DYN_SECOND_WINDOW);
	return Min(size, state->largest_window);
}

/* Bytes of the answers to all that was sent, if those in flight are like those that have come. */
static double
answer_bytes(const DynJoinState *state)
{
	double		bytes = 0;

	for (int i = 0; i < state->tables->ngroups; i++)
	{
		const DynCounters *counters = &state->tables->groups[i].counters;
		int64		answered = counters->requests - counters->in_flight;

		if (answered > 0)
			bytes += (double) counters->bytes_received * counters->requests / answered;
	}
	return bytes;
}

/* So many rows, so that two windows of rows and answers like those of before fit into work_mem. */
static int
rows_that_fit(const DynJoinState *state, int rows)
{
	double		bytes = state->row_bytes + answer_bytes(state);
	double		fit = bytes == 0 ? rows : work_mem * 1024.0 / 2 * state->nrows / bytes;

	return fit >= rows ? rows : Max((int) fit, 1);
}

/* Do the clauses hold that say nothing of any row? If not, nothing is read nor asked for. */
static bool
gates_are_open(DynJoinState *state)
{
	for (int i = 0; i < state->nstages; i++)
		if (!ExecQual(state->stages[i].gates, state->css.ss.ps.ps_ExprContext))
			return false;
	return true;
}

/* Reads outer rows into a window, and sends its requests; state->outer_ended tells that there were no more. */
static void
fill_window(DynJoinState *state, DynWindow *window)
{
	PlanState  *outer = linitial(state->css.custom_ps);
	int			rows = rows_that_fit(state, window_size(state));

	dyn_window_clear(window, rows);
	while (window->nrows < rows && window->row_bytes < (Size) work_mem * 1024 / 4)
	{
		TupleTableSlot *slot = ExecProcNode(outer);

		if (TupIsNull(slot))
		{
			state->outer_ended = true;
			break;
		}
		add_row(state, window, slot);
		dyn_window_send(window, false);
	}
	if (window->nrows == 0)
		return;
	dyn_window_send(window, true);
	state->nwindows++;
	state->windows_since_start++;
	state->nrows += window->nrows;
	state->row_bytes += window->row_bytes;
}

/* Before the first window: stages whose rows an UPDATE changes; it begins after the node does. */
static void
find_updates(DynJoinState *state)
{
	for (int i = 0; i < state->nstages; i++)
		if (state->stages[i].target)
			dyn_projection_for_update(state->stages[i].projection, state->css.ss.ps.state);
}

/* Makes the window that comes next the one whose rows are emitted; false: there is none. */
static bool
next_window(DynJoinState *state)
{
	DynWindow  *emitted = state->window;

	if (!state->ahead && state->windows_since_start == 0 && !gates_are_open(state))
		state->outer_ended = true;
	if (!state->ahead && !state->outer_ended)
	{
		if (state->windows_since_start == 0)
			find_updates(state);
		fill_window(state, state->next);
	}
	state->ahead = false;
	state->window = state->next;
	state->next = emitted;
	state->next_row = 0;
	dyn_window_finish(emitted);
	dyn_window_clear(emitted, 0);
	return state->window->nrows > 0;
}

/* Sends the next window's requests once half of this one's rows have been wanted: a LIMIT may end before. */
static void
look_ahead(DynJoinState *state)
{
	if (state->ahead || state->outer_ended || state->next_row * 2 < state->window->nrows)
		return;
	fill_window(state, state->next);
	state->ahead = state->next->nrows > 0;
}

/* ---- rows ---- */

/* The value of a stage's column, from the row that its item gave. */
static Datum
column_value(DynStageState *stage, AttrNumber attnum, bool *isnull)
{
	*isnull = false;
	if (attnum == TableOidAttributeNumber)
		return ObjectIdGetDatum(stage->rel->relid);
	if (attnum == InvalidAttrNumber)
		return ExecFetchSlotHeapTupleDatum(stage->row);
	*isnull = stage->row->tts_isnull[attnum - 1];
	return stage->row->tts_values[attnum - 1];
}

/* Puts an item into the scan tuple. */
static void
set_stage_columns(DynStageState *stage, const DynItem *item, const Datum *keys, ExprContext *econtext)
{
	TupleTableSlot *slot = econtext->ecxt_scantuple;
	MemoryContext old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);
	int			position = stage->first;
	ListCell   *lc;

	dyn_projection_row(stage->projection, item, keys, stage->row);
	for (int i = 0; i < stage->ncolumns; i++, position++)
		slot->tts_values[position] = column_value(stage, stage->attnums[i], &slot->tts_isnull[position]);
	foreach(lc, stage->computed)
	{
		slot->tts_values[position] = ExecEvalExpr((ExprState *) lfirst(lc), econtext, &slot->tts_isnull[position]);
		position++;
	}
	MemoryContextSwitchTo(old);
}

/* Makes what the stage has put into the scan tuple NULL. */
static void
clear_stage_columns(DynStageState *stage, TupleTableSlot *slot)
{
	memset(slot->tts_isnull + stage->first, true, sizeof(bool) * (stage->ncolumns + list_length(stage->computed)));
}

/* The item of a stage for a row of the window, and the keys it was asked by; NULL: there is none, or it has expired. */
static const DynItem *
find_item(DynJoinState *state, int i, int row, const Datum **keys)
{
	DynStageState *stage = &state->stages[i];
	const DynItem *item = dyn_window_item(state->window, row, i, stage->table, keys);

	if (item == NULL || !dyn_projection_expired(stage->projection, item, *keys))
		return item;
	stage->nexpired++;
	return NULL;
}

/* Takes the row in the scan tuple through a stage; false: it ends there. */
static bool
pass_stage(DynJoinState *state, int i, int row)
{
	DynStageState *stage = &state->stages[i];
	ExprContext *econtext = state->css.ss.ps.ps_ExprContext;
	const Datum *keys;
	const DynItem *item = find_item(state, i, row, &keys);
	bool		matches = false;

	if (item)
	{
		set_stage_columns(stage, item, keys, econtext);
		matches = ExecQual(stage->quals, econtext);
		if (!matches)
			clear_stage_columns(stage, econtext->ecxt_scantuple);
	}
	if (stage->jointype == JOIN_ANTI ? matches : (stage->jointype == JOIN_INNER && !matches))
		return false;
	return ExecQual(stage->filters, econtext);
}

/* Makes the joined row of the window's next row in the scan tuple; false: it has none. */
static bool
join_row(DynJoinState *state)
{
	ExprContext *econtext = state->css.ss.ps.ps_ExprContext;
	int			row = state->next_row++;

	ResetExprContext(econtext);
	ExecStoreMinimalTuple(state->window->rows[row], state->outer_row, false);
	econtext->ecxt_scantuple = set_outer_columns(state, state->outer_row);
	for (int i = 0; i < state->nstages; i++)
		if (!pass_stage(state, i, row))
			return false;
	return true;
}

/* Callback of the executor. */
static TupleTableSlot *
next_row(CustomScanState *node)
{
	DynJoinState *state = (DynJoinState *) node;

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (state->next_row >= state->window->nrows && !next_window(state))
			return ExecClearTuple(node->ss.ps.ps_ProjInfo ? node->ss.ps.ps_ResultTupleSlot : node->ss.ss_ScanTupleSlot);
		look_ahead(state);
		if (join_row(state))
			return node->ss.ps.ps_ProjInfo ? ExecProject(node->ss.ps.ps_ProjInfo) : node->ss.ss_ScanTupleSlot;
	}
}

/* ---- end ---- */

/* Drops both windows, and what is in flight. */
static void
drop_windows(DynJoinState *state)
{
	if (state->window == NULL)
		return;
	dyn_window_clear(state->window, 0);
	dyn_window_clear(state->next, 0);
	state->next_row = 0;
	state->ahead = false;
	state->outer_ended = false;
	state->windows_since_start = 0;
}

/* Callback of the executor. */
static void
rescan_join(CustomScanState *node)
{
	DynJoinState *state = (DynJoinState *) node;
	PlanState  *outer = linitial(node->custom_ps);

	drop_windows(state);
	ExecClearTuple(node->ss.ss_ScanTupleSlot);
	if (node->ss.ps.chgParam)
		UpdateChangedParamSet(outer, node->ss.ps.chgParam);
	/* if a parameter has changed, the outer plan's first row does that */
	if (outer->chgParam == NULL)
		ExecReScan(outer);
}

/* Callback of the executor. */
static void
end_join(CustomScanState *node)
{
	DynJoinState *state = (DynJoinState *) node;

	drop_windows(state);
	if (state->tables)
		dyn_join_tables_release(state->tables);
	for (int i = 0; i < state->nstages; i++)
		if (state->stages[i].relation)
			table_close(state->stages[i].relation, NoLock);
	ExecEndNode(linitial(node->custom_ps));
}
