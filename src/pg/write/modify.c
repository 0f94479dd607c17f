/*
 * modify.c
 *	  Execution of INSERT.
 *
 * Rows are encoded at once; requests are in flight (batch_write.h) while the
 * next rows are made.  All are acknowledged before the statement's AFTER
 * triggers fire and before EXPLAIN ANALYZE prints: an ExecutorFinish hook
 * flushes what belongs to the query, and EndForeignModify is the backstop.
 */
#include "pg/util/export.h"

#include "executor/executor.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "net/batch_write.h"
#include "pg/session/connection.h"
#include "pg/session/wait.h"
#include "pg/table/relation.h"
#include "pg/util/compat.h"
#include "pg/util/error.h"
#include "pg/util/fdw.h"
#include "pg/write/modify.h"
#include "pg/write/row.h"

/* A modification that runs; given back with the query's memory. */
typedef struct ModifyState
{
	MemoryContextCallback callback;
	dlist_node	node;			/* in `running` */
	EState	   *estate;
	DynRelation *rel;
	DynConnection *connection;
	DynBatchWrite *write;
	MemoryContext row_context;	/* reset for each row */
	DynRowEncoder *encoder;
	instr_time	last_drive;		/* when transfers were last moved on */
	DynCounters counters;
} ModifyState;

/* All that hold unsent rows, over all nested queries of the session. */
static dlist_head running = DLIST_STATIC_INIT(running);
static ExecutorFinish_hook_type previous_finish = NULL;

static void
release_modify(void *arg)
{
	ModifyState *state = arg;

	dlist_delete(&state->node);
	dyn_batch_write_free(state->write);
	dyn_connection_release(state->connection);
}

/* ---- planning ---- */

int
dynamoIsForeignRelUpdatable(Relation rel)
{
	/* the others reach PlanForeignModify, which has the clearer words */
	return (1 << CMD_INSERT) | (1 << CMD_UPDATE) | (1 << CMD_DELETE);
}

static const char replaces_row[] = "INSERT replaces the whole row of an entity key.";

static void
refuse(const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s is not supported yet on foreign tables of dynamo_fdw", what),
			 errhint("%s", hint)));
}

List *
dynamoPlanForeignModify(PlannerInfo *root, ModifyTable *plan, Index result_relation, int subplan_index)
{
	if (plan->operation == CMD_UPDATE)
		refuse("UPDATE", replaces_row);
	if (plan->operation == CMD_DELETE)
		refuse("DELETE", replaces_row);
	if (plan->operation != CMD_INSERT)
		refuse("MERGE", replaces_row);
	if (plan->onConflictAction != ONCONFLICT_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("ON CONFLICT is not supported on foreign tables of dynamo_fdw"),
				 errhint("INSERT already replaces the row of an entity key.")));
	return NIL;
}

void
dynamoExecForeignTruncate(List *rels, DropBehavior behavior, bool restart_seqs)
{
	refuse("TRUNCATE", replaces_row);
}

/* ---- begin ---- */

static void
begin_modify(ModifyTableState *mtstate, ResultRelInfo *rinfo)
{
	EState	   *estate = mtstate->ps.state;
	MemoryContext context = estate->es_query_cxt;
	MemoryContext old = MemoryContextSwitchTo(context);
	ModifyState *state = palloc0(sizeof(ModifyState));
	DynBatchWriteConfig config;

	state->callback.func = release_modify;
	state->callback.arg = state;
	dlist_push_tail(&running, &state->node);
	MemoryContextRegisterResetCallback(context, &state->callback);

	state->estate = estate;
	state->rel = dyn_relation_open(rinfo->ri_RelationDesc);
	state->row_context = AllocSetContextCreate(context, "dynamo_fdw row", ALLOCSET_DEFAULT_SIZES);
	state->encoder = dyn_row_encoder_new(state->rel);
	state->connection = dyn_connection_get(state->rel->serverid, dyn_modify_user(rinfo, estate));

	config.table = state->rel->remote.table;
	config.batch_size = state->rel->batch_size;
	config.max_workers = state->rel->max_write_workers;
	config.capacity = state->rel->consumed_capacity;
	config.counters = &state->counters;
	state->counters.parent = state->connection->counters;
	state->write = dyn_batch_write_new(state->connection->client, &config);
	if (state->write == NULL)
		dyn_report_no_memory();
	rinfo->ri_FdwState = state;
	MemoryContextSwitchTo(old);
}

void
dynamoBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private, int subplan_index,
						 int eflags)
{
	if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
		begin_modify(mtstate, rinfo);
}

/* COPY, or a row that an INSERT into a partitioned table brings here. */
void
dynamoBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rinfo)
{
	ModifyTable *plan = (ModifyTable *) mtstate->ps.plan;

	if (plan == NULL)
		refuse("COPY", "Use INSERT ... SELECT.");
	if (plan->operation != CMD_INSERT)
		refuse("Moving a row into the table by UPDATE", replaces_row);
	if (plan->onConflictAction != ONCONFLICT_NONE)
		refuse("ON CONFLICT", replaces_row);
	begin_modify(mtstate, rinfo);
}

const DynCounters *
dyn_modify_counters(ResultRelInfo *rinfo)
{
	ModifyState *state = rinfo->ri_FdwState;

	return state ? &state->counters : NULL;
}

/* ---- writing ---- */

static void
add_put(ModifyState *state, TupleTableSlot *slot)
{
	DynEntityId id;
	DynStatus	status;

	dyn_row_encode(state->encoder, slot, &id);
	if (!dyn_batch_write_add(state->write, &id, state->encoder->put, &status))
		dyn_report_no_memory();
}

/* Raises what a request came to, and how much of the statement is stored all the same. */
static void
report_failure(ModifyState *state, const DynStatus *status)
{
	DynErrorContext context = {DYN_OP_BATCH_WRITE_ITEM, state->rel->remote.table, state->rel->feature_view, NULL};
	long		acknowledged = dyn_batch_write_acknowledged(state->write);
	long		in_flight = dyn_batch_write_in_flight(state->write);

	context.note = psprintf("Before that, %ld items were written; of %ld in flight it is not known.",
							acknowledged, in_flight);
	dyn_report(ERROR, status, &context);
}

/* Until there is room for another row or, with `flush`, all are acknowledged. */
static void
step(ModifyState *state, bool flush)
{
	DynStatus	status;

	for (;;)
	{
		switch (dyn_batch_write_step(state->write, flush, &status))
		{
			case DYN_STEP_WAIT:
				dyn_wait(DYN_WAIT_WRITE, -1);
				break;
			case DYN_STEP_FAILED:
				report_failure(state, &status);
				break;
			default:
				return;
		}
	}
}

/*
 * Requests in flight must not stand still while rows are made: connecting has
 * its timeout.  Once a millisecond is enough.
 */
static void
keep_moving(ModifyState *state)
{
	instr_time	now;
	instr_time	since;

	if (dyn_batch_write_in_flight(state->write) == 0)
		return;
	INSTR_TIME_SET_CURRENT(now);
	since = now;
	INSTR_TIME_SUBTRACT(since, state->last_drive);
	if (INSTR_TIME_GET_MILLISEC(since) < 1)
		return;
	state->last_drive = now;
	dyn_drive();
}

TupleTableSlot *
dynamoExecForeignInsert(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	ModifyState *state = rinfo->ri_FdwState;
	MemoryContext old = MemoryContextSwitchTo(state->row_context);

	/* room first: the new row must not leave before the server has checked it (WITH CHECK OPTION) */
	keep_moving(state);
	step(state, false);
	add_put(state, slot);
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->row_context);
	return slot;
}

static void
end_modify(ResultRelInfo *rinfo)
{
	ModifyState *state = rinfo->ri_FdwState;

	if (state != NULL)
		step(state, true);
}

void
dynamoEndForeignModify(EState *estate, ResultRelInfo *rinfo)
{
	end_modify(rinfo);
}

void
dynamoEndForeignInsert(EState *estate, ResultRelInfo *rinfo)
{
	end_modify(rinfo);
}

static bool
has_running(const EState *estate)
{
	dlist_iter	iter;

	dlist_foreach(iter, &running)
		if (dlist_container(ModifyState, node, iter.cur)->estate == estate)
			return true;
	return false;
}

/* Runs WITH's modifications that nobody read to the end, as ExecutorFinish is about to: they may have rows for us. */
static void
finish_auxiliary(EState *estate)
{
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	ListCell   *lc;

	estate->es_direction = ForwardScanDirection;
	foreach(lc, estate->es_auxmodifytables)
	{
		PlanState  *node = lfirst(lc);

		do
			ResetPerTupleExprContext(estate);
		while (!TupIsNull(ExecProcNode(node)));
	}
	MemoryContextSwitchTo(old);
}

/* Flushes the query's modifications before its AFTER triggers fire. */
static void
on_executor_finish(QueryDesc *query)
{
	dlist_iter	iter;

	if (has_running(query->estate))
		finish_auxiliary(query->estate);
	dlist_foreach(iter, &running)
	{
		ModifyState *state = dlist_container(ModifyState, node, iter.cur);

		if (state->estate == query->estate && state->write != NULL)
			step(state, true);
	}
	if (previous_finish)
		previous_finish(query);
	else
		standard_ExecutorFinish(query);
}

void
dyn_modify_init(void)
{
	previous_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = on_executor_finish;
}
