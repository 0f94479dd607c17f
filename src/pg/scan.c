/*
 * scan.c
 *	  Execution of scans.
 *
 * Keys are evaluated when the first row is wanted, and again after a rescan.
 * The read below (batch_get.h) is malloc'd, so its owner is a holder with a
 * reset callback that exists before it.
 *
 * Lookups of one statement overlap: when the first row of any scan is wanted,
 * the first window of the others goes out too, as far as their keys are known
 * (plan.c tells) and evaluating them can't fail.
 */
#include "pg/export.h"

#include "executor/executor.h"
#include "lib/ilist.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "net/batch_get.h"
#include "pg/compat.h"
#include "pg/connection.h"
#include "pg/convert.h"
#include "pg/error.h"
#include "pg/fdw.h"
#include "pg/qual_eval.h"
#include "pg/scan.h"
#include "pg/wait.h"

/* A statement of many lookups, of partitions perhaps, sends no more than this ahead. */
#define MAX_AHEAD_IN_FLIGHT 100

/* What has to be given back when the query ends, however it does. */
typedef struct ScanHolder
{
	MemoryContextCallback callback;
	dlist_node	node;			/* in `scans` */
	ForeignScanState *scan;
	DynBatchGet *get;
	DynConnection *connection;
} ScanHolder;

typedef struct LookupState
{
	DynRelation *rel;
	ScanHolder *holder;			/* NULL under plain EXPLAIN */
	Oid			userid;			/* whose mapping signs: a cursor stays with who opened it */
	bool		complete;		/* the plan names the keys */
	bool		independent;	/* they hang on nothing that only running the plan can tell, but init plans */
	Bitmapset  *key_params;		/* PARAM_EXECs in the operands */
	int			part;			/* see part_of_plan */
	bool		started;		/* at least once */
	bool		ahead;			/* started, and no row was wanted yet */
	Node	   *tree;
	List	   *operands;		/* ExprStates */
	MemoryContext key_context;	/* keys of one (re)scan */
	DynKeySet	keys;
	DynGetRequest request;
	DynFeatureNames features;
	DynColumn **feature_columns;	/* in the order of `features` */
	DynCounters counters;
} LookupState;

/* All that can be executed, over all nested queries of the session. */
static dlist_head scans = DLIST_STATIC_INIT(scans);

static void
release(void *arg)
{
	ScanHolder *holder = arg;

	dyn_batch_get_free(holder->get);
	holder->get = NULL;
	dyn_connection_release(holder->connection);
	holder->connection = NULL;
	if (holder->scan)
		dlist_delete(&holder->node);
	holder->scan = NULL;
}

static ScanHolder *
make_holder(MemoryContext context, ForeignScanState *scan)
{
	ScanHolder *holder = MemoryContextAllocZero(context, sizeof(ScanHolder));

	holder->callback.func = release;
	holder->callback.arg = holder;
	MemoryContextRegisterResetCallback(context, &holder->callback);
	holder->scan = scan;
	dlist_push_tail(&scans, &holder->node);
	return holder;
}

const DynRelation *
dyn_scan_relation(ForeignScanState *node)
{
	return ((LookupState *) node->fdw_state)->rel;
}

const DynCounters *
dyn_scan_counters(ForeignScanState *node)
{
	return &((LookupState *) node->fdw_state)->counters;
}

/* The request's projection: which features, and the event timestamp or not. */
static void
choose_features(LookupState *state, List *attnums)
{
	int			n = list_length(attnums);
	const char **names = palloc(sizeof(char *) * Max(n, 1));
	size_t	   *lengths = palloc(sizeof(size_t) * Max(n, 1));
	ListCell   *lc;

	state->feature_columns = palloc(sizeof(DynColumn *) * Max(n, 1));
	foreach(lc, attnums)
	{
		DynColumn  *column = &state->rel->columns[lfirst_int(lc) - 1];

		if (column->role == DYN_COLUMN_EVENT_TIMESTAMP)
			state->request.event_ts = true;
		else
		{
			int			i = state->features.count++;

			state->feature_columns[i] = column;
			names[i] = column->name;
			lengths[i] = strlen(column->name);
		}
	}
	state->features.names = names;
	state->features.lengths = lengths;
	state->request.features = &state->features;
	state->request.table = state->rel->remote.table;
	state->request.consistent = state->rel->consistent_reads;
	state->request.capacity = state->rel->consumed_capacity;
}

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

static bool
add_exec_params(Node *node, Bitmapset **params)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param) && castNode(Param, node)->paramkind == PARAM_EXEC)
		*params = bms_add_member(*params, castNode(Param, node)->paramid);
	return expression_tree_walker(node, add_exec_params, params);
}

void
dynamoBeginForeignScan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	EState	   *estate = node->ss.ps.state;
	LookupState  *state = palloc0(sizeof(LookupState));

	node->fdw_state = state;
	state->rel = dyn_relation_open(node->ss.ss_currentRelation);
	state->complete = boolVal(list_nth(plan->fdw_private, DYN_SCAN_COMPLETE));
	state->tree = list_nth(plan->fdw_private, DYN_SCAN_TREE);
	state->independent = boolVal(list_nth(plan->fdw_private, DYN_SCAN_INDEPENDENT));
	state->part = part_of_plan(estate);
	choose_features(state, list_nth(plan->fdw_private, DYN_SCAN_COLUMNS));
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	state->userid = dyn_scan_user(node);
	state->operands = ExecInitExprList(plan->fdw_exprs, &node->ss.ps);
	state->key_context = AllocSetContextCreate(estate->es_query_cxt, "dynamo_fdw keys", ALLOCSET_DEFAULT_SIZES);
	add_exec_params((Node *) plan->fdw_exprs, &state->key_params);
	state->holder = make_holder(estate->es_query_cxt, node);
}

static void
report_no_keys(const DynRelation *rel)
{
	StringInfoData keys;

	initStringInfo(&keys);
	for (int i = 0; i < rel->nkeys; i++)
		appendStringInfo(&keys, "%s\"%s\"", i == 0 ? "" : i == rel->nkeys - 1 ? " and " : ", ",
						 rel->keys[i]->sql_name);
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("feature view \"%s\" can only be read by entity key", rel->feature_view),
			 errhint("Add a condition on %s to WHERE: = a value, IN (...), = ANY (array), or a join with a table of entities.",
					 keys.data)));
}

/* Evaluates the keys and makes the read; the connection is there. */
static void
make_read(ForeignScanState *node, LookupState *state)
{
	DynBatchGetConfig config;
	MemoryContext old;

	MemoryContextReset(state->key_context);
	old = MemoryContextSwitchTo(state->key_context);
	dyn_keys_evaluate(state->rel, state->tree, state->operands, node->ss.ps.ps_ExprContext, &state->keys);
	MemoryContextSwitchTo(old);

	state->started = true;
	state->counters.parent = state->holder->connection->counters;
	config.request = state->request;
	config.keys = state->keys.ids;
	config.nkeys = state->keys.nkeys;
	config.batch_size = state->rel->batch_size;
	config.max_workers = state->rel->max_read_workers;
	config.counters = &state->counters;
	state->holder->get = dyn_batch_get_new(state->holder->connection->client, &config);
	if (state->holder->get == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
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
can_start_ahead(const ForeignScanState *node, const LookupState *state)
{
	if (!state->independent || state->started ||
		has_unknown_param((Node *) ((ForeignScan *) node->ss.ps.plan)->fdw_exprs, node->ss.ps.state))
		return false;
	for (int i = 0; i < state->rel->nkeys && GetDatabaseEncoding() != PG_UTF8; i++)
		if (state->rel->keys[i]->feast_type == DYN_FEAST_STRING)
			return false;		/* the text may have no UTF-8 */
	return true;
}

/* Sends the first window of a scan ahead; what fails is told when its first row is wanted. */
static void
start_ahead(ForeignScanState *node, LookupState *state)
{
	ScanHolder *holder = state->holder;

	if (holder->connection == NULL)
		holder->connection = dyn_connection_try(state->rel->serverid, state->userid);
	if (holder->connection == NULL || holder->connection->counters->in_flight >= MAX_AHEAD_IN_FLIGHT)
		return;
	make_read(node, state);
	state->ahead = true;
	dyn_batch_get_begin(holder->get);
}

/* Starts what can go together with the scan `node`: its own part of the plan, and the main plan. */
static void
start_others_ahead(ForeignScanState *node, LookupState *state)
{
	EState	   *estate = node->ss.ps.state;
	dlist_iter	iter;

	if (estate->es_epq_active)
		return;
	dlist_foreach(iter, &scans)
	{
		ForeignScanState *other = dlist_container(ScanHolder, node, iter.cur)->scan;
		LookupState *other_state = other->fdw_state;

		if (other->ss.ps.state == estate && can_start_ahead(other, other_state) &&
			(other_state->part == state->part || other_state->part == main_part(estate)))
			start_ahead(other, other_state);
	}
}

static void
start_read(ForeignScanState *node, LookupState *state)
{
	bool		first = !state->started;

	if (!state->complete)
		report_no_keys(state->rel);
	if (state->holder->connection == NULL)
		state->holder->connection = dyn_connection_get(state->rel->serverid, state->userid);
	make_read(node, state);
	dyn_batch_get_begin(state->holder->get);
	if (first)
		start_others_ahead(node, state);
}

static void
set_column(LookupState *state, TupleTableSlot *slot, DynColumn *column, const DynAttr *attr, const Datum *keys)
{
	int			i = column->attnum - 1;

	slot->tts_isnull[i] = !dyn_datum_from_item(state->rel, column, attr, keys, &slot->tts_values[i]);
}

/* A row: keys as asked, the rest from the item; values live until the next row. */
static TupleTableSlot *
make_row(LookupState *state, const DynItem *item, uint32 key, TupleTableSlot *slot)
{
	DynRelation *rel = state->rel;
	const Datum *keys = state->keys.values + (Size) key * rel->nkeys;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, rel->ncolumns * sizeof(bool));
	for (int i = 0; i < rel->nkeys; i++)
	{
		int			attno = rel->keys[i]->attnum - 1;

		slot->tts_values[attno] = dyn_key_column(rel, i, keys);
		slot->tts_isnull[attno] = false;
	}
	if (item->values.state == DYN_ATTR_WRONG_TYPE && state->features.count > 0)
		set_column(state, slot, state->feature_columns[0], &item->values, keys);	/* raises */
	if (state->request.event_ts)
		set_column(state, slot, rel->event_timestamp, &item->event_ts, keys);
	for (int i = 0; i < state->features.count; i++)
		set_column(state, slot, state->feature_columns[i], &item->features[i], keys);
	return ExecStoreVirtualTuple(slot);
}

TupleTableSlot *
dynamoIterateForeignScan(ForeignScanState *node)
{
	LookupState  *state = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	DynErrorContext context = {DYN_OP_BATCH_GET_ITEM, state->rel->remote.table, state->rel->feature_view, NULL};
	DynStatus	status;
	const DynItem *item;
	uint32		key;

	if (state->holder->get == NULL)
		start_read(node, state);
	else if (state->ahead)
		start_others_ahead(node, state);
	state->ahead = false;
	for (;;)
	{
		switch (dyn_batch_get_next(state->holder->get, &item, &key, &status))
		{
			case DYN_STEP_ROW:
				return make_row(state, item, key, slot);
			case DYN_STEP_WAIT:
				dyn_wait(DYN_WAIT_READ, -1);
				break;
			case DYN_STEP_AGAIN:
				CHECK_FOR_INTERRUPTS();
				break;
			case DYN_STEP_END:
				return ExecClearTuple(slot);
			case DYN_STEP_FAILED:
				dyn_report(ERROR, &status, &context);
				break;
		}
	}
}

void
dynamoReScanForeignScan(ForeignScanState *node)
{
	LookupState  *state = node->fdw_state;
	bool		same_keys = !bms_overlap(node->ss.ps.chgParam, state->key_params);

	/* a nested loop rescans its inner side before the first row, too */
	if (same_keys && (state->ahead || (state->holder->get && dyn_batch_get_rewind(state->holder->get))))
		return;
	dyn_batch_get_free(state->holder->get);
	state->holder->get = NULL;
	state->ahead = false;
}

void
dynamoEndForeignScan(ForeignScanState *node)
{
	LookupState  *state = node->fdw_state;

	if (state && state->holder)
		release(state->holder);
}
