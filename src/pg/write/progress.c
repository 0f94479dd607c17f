/*
 * progress.c
 *	  How far the loads of this session are.
 */
#include "pg/util/export.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/ipc.h"

#include "pg/util/attempt.h"
#include "pg/util/guc.h"
#include "pg/write/progress.h"

/* Others are told at most this often while rows come. */
#define SHOW_INTERVAL_MS 1

/* Over all nested statements of the session. */
static dlist_head loads = DLIST_STATIC_INIT(loads);

static void
hide_load(DynProgress *progress)
{
	if (progress->slot)
		dyn_progress_slot_free(progress->slot);
	progress->slot = NULL;
}

/* Callback of the session's end. A rollback hides them, too, unless it fails halfway; then the memory is gone. */
static void
hide_loads(int code, Datum arg)
{
	dlist_iter	iter;

	dlist_foreach(iter, &loads)
		hide_load(dlist_container(DynProgress, node, iter.cur));
}

/* What is done to the table. COPY has no plan. */
static const char *
command_of(const EState *estate, CmdType operation)
{
	if (estate->es_plannedstmt == NULL)
		return "COPY";
	switch (operation)
	{
		case CMD_UPDATE:
			return "UPDATE";
		case CMD_DELETE:
			return "DELETE";
		default:
			return "INSERT";
	}
}

static void
fill_numbers(const DynProgress *progress, DynProgressNumbers *numbers)
{
	const DynCounters *counters = progress->counters;

	numbers->rows = progress->rows;
	numbers->items_written = counters->items_written;
	numbers->items_refused = counters->items_refused;
	numbers->unprocessed_items = counters->unprocessed_items;
	numbers->requests = counters->requests;
	numbers->retries = counters->retries;
	numbers->throttles = counters->throttles;
	numbers->bytes_sent = counters->bytes_sent;
	numbers->in_flight = counters->in_flight;
}

/* Logs why there are no slots. */
static void
log_no_slots(const ErrorData *error)
{
	ereport(LOG,
			(errmsg("loads of this session are not shown in dynamo_fdw_progress"),
			 errdetail_internal("%s", error->message), errhidestmt(true), errhidecontext(true)));
}

/* Callback of dyn_attempt(). */
static void
attach_to_slots(void *arg)
{
	if (dyn_progress_slots_open())
		before_shmem_exit(hide_loads, 0);
}

/* A load does not fail because nobody could see it.  From its first failure on a session does without. */
static bool
open_slots(void)
{
	static bool tried = false;
	ErrorData  *error;

	if (tried)
		return dyn_progress_slots_attached();
	error = dyn_attempt(attach_to_slots, NULL);
	tried = true;
	if (error)
		log_no_slots(error);
	return dyn_progress_slots_attached();
}

/* Takes a slot for the load, if there is one. */
static void
claim_slot(DynProgress *progress)
{
	const char *feature_view = progress->rel->feature_view;
	DynProgressLoad load = {0};

	if (!open_slots())
		return;
	load.pid = MyProcPid;
	load.database = MyDatabaseId;
	load.userid = GetUserId();
	load.relid = progress->rel->relid;
	load.started = progress->started;
	strlcpy(load.command, progress->command, sizeof(load.command));
	strlcpy(load.feature_view, feature_view,
			pg_mbcliplen(feature_view, strlen(feature_view), sizeof(load.feature_view) - 1) + 1);
	strlcpy(load.remote_table, progress->rel->remote.table, sizeof(load.remote_table));
	progress->slot = dyn_progress_slot_claim(&load);
}

void
dyn_progress_begin(DynProgress *progress, const EState *estate, CmdType operation, const DynRelation *rel,
				   const DynCounters *counters)
{
	progress->rel = rel;
	progress->counters = counters;
	progress->command = command_of(estate, operation);
	progress->started = GetCurrentTimestamp();
	claim_slot(progress);
	dlist_push_tail(&loads, &progress->node);
	progress->listed = true;
}

static void
show_load(DynProgress *progress)
{
	DynProgressNumbers numbers;

	if (progress->slot == NULL)
		return;
	fill_numbers(progress, &numbers);
	dyn_progress_slot_update(progress->slot, &numbers);
	INSTR_TIME_SET_CURRENT(progress->shown);
}

void
dyn_progress_show(void)
{
	dlist_iter	iter;

	dlist_foreach(iter, &loads)
		show_load(dlist_container(DynProgress, node, iter.cur));
}

void
dyn_progress_row(DynProgress *progress)
{
	instr_time	now;

	progress->rows++;
	if (progress->slot == NULL || progress->counters->in_flight > 0)
		return;
	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, progress->shown);
	if (INSTR_TIME_GET_MILLISEC(now) >= SHOW_INTERVAL_MS)
		show_load(progress);
}

/* One line, without the statement: that may hold values that belong in no log. */
static void
log_load(const DynProgress *progress, double ms)
{
	DynProgressNumbers n;
	double		rate = ms > 0 ? progress->rows * 1000.0 / ms : 0;

	fill_numbers(progress, &n);
	ereport(LOG,
			(errmsg("duration: %.3f ms  %s of feature view \"%s\" in table \"%s\": "
					"%lld rows (%.0f/s), %lld items written, %lld refused, %lld requests, %lld retries, %lld throttles, "
					"%lld unprocessed items, %lld bytes sent",
					ms, progress->command, progress->rel->feature_view, progress->rel->remote.table,
					(long long) n.rows, rate, (long long) n.items_written, (long long) n.items_refused, (long long) n.requests,
					(long long) n.retries, (long long) n.throttles, (long long) n.unprocessed_items,
					(long long) n.bytes_sent),
			 errhidestmt(true), errhidecontext(true)));
}

void
dyn_progress_end(DynProgress *progress)
{
	double		ms = (GetCurrentTimestamp() - progress->started) / 1000.0;
	int			log_min_duration = dyn_guc_log_min_duration();

	dyn_progress_leave(progress);
	if (log_min_duration >= 0 && ms >= log_min_duration)
		log_load(progress, ms);
}

void
dyn_progress_leave(DynProgress *progress)
{
	hide_load(progress);
	if (progress->listed)
		dlist_delete(&progress->node);
	progress->listed = false;
}
