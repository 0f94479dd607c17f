/*
 * modify.c
 *	  Execution of INSERT.
 *
 * Rows are encoded at once; requests are in flight (batch_write.h) while the
 * next rows are made.  All are acknowledged before the statement's AFTER
 * triggers fire and before EXPLAIN ANALYZE prints: a node of ours that the
 * server runs last sends the rest, and EndForeignModify is the backstop.
 */
#include "pg/util/export.h"

#include "executor/executor.h"
#include "portability/instr_time.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "net/batch_write.h"
#include "pg/session/connection.h"
#include "pg/session/unsent.h"
#include "pg/session/wait.h"
#include "pg/table/relation.h"
#include "pg/util/compat.h"
#include "pg/util/error.h"
#include "pg/util/fdw.h"
#include "pg/write/modify.h"
#include "pg/write/row.h"

/* So many requests to a server are in flight when the rest of a query's rows is sent. */
#define MAX_SENT_TOGETHER 100

/* A modification that runs; given back with the query's memory. */
typedef struct ModifyState
{
	CustomScanState last_node;	/* first, see flush_at_end() */
	MemoryContextCallback callback;
	DynUnsent	unsent;
	DynRelation *rel;
	DynConnection *connection;
	DynBatchWrite *write;
	MemoryContext row_context;	/* reset for each row */
	DynRowEncoder *encoder;
	instr_time	last_drive;		/* when transfers were last moved on */
	bool		rest_sent;		/* see send_rest() */
	DynCounters counters;
} ModifyState;

/* Callback of the memory context. After an error rows may be left: they are given up. */
static void
release_modify(void *arg)
{
	ModifyState *state = arg;

	dyn_unsent_leave(&state->unsent);
	dyn_batch_write_free(state->write);
	dyn_connection_release(state->connection);
}

/* ---- planning ---- */

int
dynamoIsForeignRelUpdatable(Relation rel)
{
	/* UPDATE and DELETE reach PlanForeignModify all the same, which has the clearer words */
	return 1 << CMD_INSERT;
}

static const char replaces_row[] = "INSERT replaces the whole row of an entity key.";

/* Raises that a statement is not supported, and what there is in its place. */
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

/* ---- writing ---- */

/* Encodes a row, which may raise, and adds it to those that wait to be sent. */
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

/* Waits until there is room for another row or, with `flush`, all are acknowledged. */
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

/* ---- begin ---- */

/* Callback of unsent.h. */
static void
flush_for_others(void *arg)
{
	step(arg, true);
}

/*
 * Sends what the modifications of a query hold, without waiting, until a good
 * many requests are in flight: there may be many partitions.  What fails is
 * raised when it is waited for.
 */
static void
send_rest(EState *estate, ExecProcNodeMtd of_ours)
{
	ListCell   *lc;

	foreach(lc, estate->es_auxmodifytables)
	{
		PlanState  *node = lfirst(lc);
		ModifyState *state = (ModifyState *) node;
		DynStatus	status;

		if (node->ExecProcNode != of_ours || state->rest_sent ||
			state->connection->counters->in_flight >= MAX_SENT_TOGETHER)
			continue;
		dyn_batch_write_step(state->write, true, &status);
		state->rest_sent = true;
	}
}

/* ExecProcNode of `last_node`: all modifications of the query have had their rows, and are waited for together. */
static TupleTableSlot *
flush_at_end(PlanState *node)
{
	send_rest(node->state, flush_at_end);
	step((ModifyState *) node, true);
	return NULL;
}

/*
 * Appends a node to those that the server runs to their end after the plan
 * and before AFTER triggers: the modifications of WITH that nobody read.
 * These are put before it, so no row comes after it.
 */
static void
add_last_node(ModifyState *state, EState *estate)
{
	NodeSetTag(&state->last_node, T_CustomScanState);
	state->last_node.ss.ps.state = estate;
	state->last_node.ss.ps.ExecProcNode = flush_at_end;
	estate->es_auxmodifytables = lappend(estate->es_auxmodifytables, state);
}

/* The write below, which release_modify() frees. Needs relation and connection. */
static DynBatchWrite *
new_write(ModifyState *state)
{
	DynBatchWriteConfig config;
	DynBatchWrite *write;

	config.table = state->rel->remote.table;
	config.batch_size = state->rel->batch_size;
	config.max_workers = state->rel->max_write_workers;
	config.capacity = state->rel->consumed_capacity;
	config.counters = &state->counters;
	state->counters.parent = state->connection->counters;
	write = dyn_batch_write_new(state->connection->client, &config);
	if (write == NULL)
		dyn_report_no_memory();
	return write;
}

/* Makes the state of a result relation; from now on its rows are seen to. */
static void
begin_modify(ModifyTableState *mtstate, ResultRelInfo *rinfo)
{
	EState	   *estate = mtstate->ps.state;
	MemoryContext context = estate->es_query_cxt;
	MemoryContext old = MemoryContextSwitchTo(context);
	ModifyState *state = palloc0(sizeof(ModifyState));

	state->callback.func = release_modify;
	state->callback.arg = state;
	MemoryContextRegisterResetCallback(context, &state->callback);

	state->rel = dyn_relation_open(rinfo->ri_RelationDesc);
	dyn_unsent_flush(state->rel->remote.table, estate);
	state->row_context = AllocSetContextCreate(context, "dynamo_fdw row", ALLOCSET_DEFAULT_SIZES);
	state->encoder = dyn_row_encoder_new(state->rel);
	state->connection = dyn_connection_get(state->rel->serverid, dyn_modify_user(rinfo, estate));
	state->write = new_write(state);
	state->unsent.table = state->rel->remote.table;
	state->unsent.estate = estate;
	state->unsent.flush = flush_for_others;
	state->unsent.arg = state;
	dyn_unsent_enter(&state->unsent);
	add_last_node(state, estate);
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

/* ---- rows ---- */

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

/* The backstop: all is acknowledged when this returns. Nothing to do where it was only explained. */
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
