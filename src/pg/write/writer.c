/*
 * writer.c
 *	  The rows of a modification on their way to DynamoDB.
 *
 * Rows are encoded at once; requests are in flight (net/write.h) while the next
 * rows are made.  All are acknowledged before the statement's AFTER triggers
 * fire and before EXPLAIN ANALYZE prints: a node of ours that the server runs
 * last sends the rest, and EndForeignModify is the backstop.
 */
#include "pg/util/export.h"

#include "executor/executor.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "pg/session/emptied.h"
#include "pg/session/wait.h"
#include "pg/util/compat.h"
#include "pg/util/error.h"
#include "pg/write/writer.h"

/* So many requests to a server are in flight when the rest of a query's rows is sent. */
#define MAX_SENT_TOGETHER 100

/* Callback of the memory context. After an error rows may be left: they are given up. */
static void
release_writer(void *arg)
{
	DynWriter  *writer = arg;

	dyn_progress_leave(&writer->progress);
	dyn_unsent_leave(&writer->unsent);
	dyn_stays_leave(&writer->stays);
	dyn_write_free(writer->write);
	dyn_connection_release(writer->connection);
}

/* ---- errors ---- */

/* Callback for error messages; also called for a notice of a type's functions. */
static void
add_context(void *arg)
{
	DynWriter  *writer = arg;
	long		written = dyn_write_acknowledged(writer->write);
	long		in_flight = dyn_write_in_flight(writer->write);
	const char *how = writer->stays.deletes ? "deleted" : "written";
	const char *unknown = "";

	if (writer->stays.told || written + in_flight == 0 || !dyn_message_is_error())
		return;
	writer->stays.told = true;
	if (in_flight > 0)
		unknown = psprintf(", of %ld in flight it is not known", in_flight);
	if (written == 1)
		errcontext("feature view \"%s\": 1 item was %s before that and stays so%s", writer->rel->feature_view, how, unknown);
	else
		errcontext("feature view \"%s\": %ld items were %s before that and stay so%s", writer->rel->feature_view, written,
				   how, unknown);
}

void
dyn_writer_push_context(DynWriter *writer, ErrorContextCallback *context)
{
	writer->stays.told = false;
	context->callback = add_context;
	context->arg = writer;
	context->previous = error_context_stack;
	error_context_stack = context;
}

void
dyn_writer_pop_context(ErrorContextCallback *context)
{
	error_context_stack = context->previous;
}

/* ---- rows ---- */

/* Raises what a request came to. */
static void
report_failure(DynWriter *writer, const DynStatus *status)
{
	DynErrorContext context = {dyn_write_failed_op(writer->write), writer->rel->remote.table, writer->rel->feature_view, NULL};
	const char *key = dyn_write_failed_key(writer->write);

	if (key)
		context.note = psprintf("Entity key: %s.", key);
	dyn_report(ERROR, status, &context);
}

/* Waits until there is room for another row or, with `flush`, all are acknowledged. */
static void
step(DynWriter *writer, bool flush)
{
	DynStatus	status;

	for (;;)
	{
		switch (dyn_write_step(writer->write, flush, &status))
		{
			case DYN_STEP_WAIT:
				dyn_progress_show();
				dyn_wait(DYN_WAIT_WRITE, -1);
				break;
			case DYN_STEP_FAILED:
				report_failure(writer, &status);
				break;
			default:
				if (flush)
					dyn_progress_show();
				return;
		}
	}
}

/*
 * Requests in flight must not stand still while rows are made: connecting has
 * its timeout.  Once a millisecond is enough.
 */
static void
keep_moving(DynWriter *writer)
{
	instr_time	now;
	instr_time	since;

	if (dyn_write_in_flight(writer->write) == 0)
		return;
	INSTR_TIME_SET_CURRENT(now);
	since = now;
	INSTR_TIME_SUBTRACT(since, writer->last_drive);
	if (INSTR_TIME_GET_MILLISEC(since) < 1)
		return;
	writer->last_drive = now;
	dyn_drive();
	dyn_progress_show();
}

void
dyn_writer_make_room(DynWriter *writer)
{
	keep_moving(writer);
	step(writer, false);
	dyn_progress_row(&writer->progress);
}

void
dyn_writer_add(DynWriter *writer, DynWriteItem *item)
{
	DynStatus	status;

	if (!dyn_write_add(writer->write, item, &status))
		dyn_report_no_memory();
}

void
dyn_writer_flush(DynWriter *writer)
{
	ErrorContextCallback context;

	dyn_writer_push_context(writer, &context);
	step(writer, true);
	dyn_writer_pop_context(&context);
}

void
dyn_writer_end(DynWriter *writer)
{
	dyn_writer_flush(writer);
	dyn_progress_end(&writer->progress);
}

/* ---- the end of a query ---- */

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
		DynWriter  *writer = (DynWriter *) node;
		DynStatus	status;

		if (node->ExecProcNode != of_ours || writer->rest_sent ||
			writer->connection->counters->in_flight >= MAX_SENT_TOGETHER)
			continue;
		dyn_write_step(writer->write, true, &status);
		writer->rest_sent = true;
	}
}

/* ExecProcNode of `last_node`: all modifications of the query have had their rows, and are waited for together. */
static TupleTableSlot *
flush_at_end(PlanState *node)
{
	send_rest(node->state, flush_at_end);
	dyn_writer_flush((DynWriter *) node);
	return NULL;
}

/*
 * Appends a node to those that the server runs to their end after the plan
 * and before AFTER triggers: the modifications of WITH that nobody read.
 * These are put before it, so no row comes after it.
 */
static void
add_last_node(DynWriter *writer, EState *estate)
{
	NodeSetTag(&writer->last_node, T_CustomScanState);
	writer->last_node.ss.ps.state = estate;
	writer->last_node.ss.ps.ExecProcNode = flush_at_end;
	estate->es_auxmodifytables = lappend(estate->es_auxmodifytables, writer);
}

/* ---- begin ---- */

/* Callback of unsent.h. */
static void
flush_for_others(void *arg)
{
	dyn_writer_flush(arg);
}

/* Callback of stays.h. */
static long
count_in_flight(void *arg)
{
	return dyn_write_in_flight(((DynWriter *) arg)->write);
}

/* The write below, which release_writer() frees. Needs relation and connection. */
static DynWrite *
new_write(DynWriter *writer)
{
	DynWriteConfig config;
	DynWrite   *write;

	config.op = writer->op;
	config.rewrite = writer->op == DYN_OP_UPDATE_ITEM && writer->rel->rewrite;
	config.table = writer->rel->remote.table;
	config.batch_size = writer->rel->batch_size;
	config.max_workers = writer->rel->max_write_workers;
	config.capacity = writer->rel->consumed_capacity;
	config.counters = &writer->counters;
	writer->counters.parent = writer->connection->counters;
	write = dyn_write_new(writer->connection->client, &config);
	if (write == NULL)
		dyn_report_no_memory();
	return write;
}

/* The request that a command writes by. */
static DynOp
op_of(const DynRelation *rel, CmdType operation)
{
	if (operation == CMD_UPDATE)
		return DYN_OP_UPDATE_ITEM;
	return operation == CMD_INSERT && rel->latest ? DYN_OP_PUT_ITEM : DYN_OP_BATCH_WRITE_ITEM;
}

DynWriter *
dyn_writer_new(ResultRelInfo *rinfo, EState *estate, CmdType operation)
{
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	DynWriter  *writer = palloc0(sizeof(DynWriter));

	writer->callback.func = release_writer;
	writer->callback.arg = writer;
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &writer->callback);

	writer->rel = dyn_relation_open(rinfo->ri_RelationDesc);
	dyn_emptied_check(writer->rel->relid, writer->rel->name);
	writer->op = op_of(writer->rel, operation);
	dyn_unsent_flush(writer->rel->remote.table, estate);
	writer->connection = dyn_connection_get(writer->rel->serverid, dyn_modify_user(rinfo, estate));
	writer->write = new_write(writer);
	writer->unsent.table = writer->rel->remote.table;
	writer->unsent.estate = estate;
	writer->unsent.flush = flush_for_others;
	writer->unsent.arg = writer;
	dyn_unsent_enter(&writer->unsent);
	writer->stays.relid = writer->rel->relid;
	writer->stays.feature_view = writer->rel->feature_view;
	if (dyn_stays_is_made(writer->rel->relid))
		writer->stays.created = rinfo->ri_RelationDesc->rd_createSubid;
	writer->stays.deletes = operation == CMD_DELETE;
	writer->stays.counters = &writer->counters;
	writer->stays.in_flight = count_in_flight;
	writer->stays.arg = writer;
	dyn_stays_enter(&writer->stays);
	add_last_node(writer, estate);
	dyn_progress_begin(&writer->progress, estate, operation, writer->rel, &writer->counters);
	MemoryContextSwitchTo(old);
	return writer;
}
