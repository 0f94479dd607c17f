/*
 * progress_view.c
 *	  The function behind the view dynamo_fdw_progress.
 */
#include "pg/util/export.h"

#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "pg/util/compat.h"
#include "pg/util/error.h"
#include "pg/write/progress_slots.h"

PG_FUNCTION_INFO_V1(dynamo_fdw_progress);
extern PGDLLEXPORT Datum dynamo_fdw_progress(PG_FUNCTION_ARGS);

#define PROGRESS_COLUMNS 18

/* A row being made: columns from the first on; a name that is missing is NULL. */
typedef struct ProgressRow
{
	Datum		values[PROGRESS_COLUMNS];
	bool		nulls[PROGRESS_COLUMNS];
	int			n;
} ProgressRow;

static void
add_value(ProgressRow *row, Datum value, bool is_null)
{
	row->values[row->n] = value;
	row->nulls[row->n++] = is_null;
}

static void
add_text_value(ProgressRow *row, const char *text)
{
	add_value(row, CStringGetTextDatum(text), false);
}

/* As pg_stat_activity decides it. */
static bool
may_see(Oid writer)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS) || has_privs_of_role(GetUserId(), writer);
}

/* Adds all columns behind the pid.  The relation and its database may be gone by now. */
static void
add_load(ProgressRow *row, const DynProgressLoad *load)
{
	const DynProgressNumbers *n = &load->numbers;
	const int64 numbers[] = {
		n->rows, n->items_written, n->items_refused, n->unprocessed_items, n->requests, n->retries, n->throttles, n->bytes_sent,
		n->in_flight
	};
	bool		here = load->database == MyDatabaseId;
	char	   *database = get_database_name(load->database);

	add_value(row, ObjectIdGetDatum(load->database), false);
	add_value(row, DirectFunctionCall1(namein, CStringGetDatum(database ? database : "")), database == NULL);
	add_value(row, ObjectIdGetDatum(load->relid), false);
	add_value(row, ObjectIdGetDatum(load->relid), !here);
	add_text_value(row, load->command);
	/* another database may have another encoding */
	add_text_value(row, here ? load->feature_view : dyn_service_text(load->feature_view));
	add_text_value(row, load->remote_table);
	for (int i = 0; i < (int) lengthof(numbers); i++)
		add_value(row, Int64GetDatum(numbers[i]), false);
	add_value(row, TimestampTzGetDatum(load->started), false);
	Assert(row->n == PROGRESS_COLUMNS);
}

/* SQL function: a row for each load of the cluster; of those that the reader may not see, only the pid. */
Datum
dynamo_fdw_progress(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	if (!dyn_progress_slots_open())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the progress of loads is not available"),
				 errhint("Before PostgreSQL 17, dynamo_fdw must be loaded via \"shared_preload_libraries\".")));
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < DYN_PROGRESS_SLOTS; i++)
	{
		DynProgressLoad load;
		ProgressRow row = {0};

		if (!dyn_progress_slot_read(i, &load))
			continue;
		memset(row.nulls, true, sizeof(row.nulls));
		add_value(&row, Int32GetDatum(load.pid), false);
		if (may_see(load.userid))
			add_load(&row, &load);
		tuplestore_putvalues(result->setResult, result->setDesc, row.values, row.nulls);
	}
	PG_RETURN_NULL();
}
