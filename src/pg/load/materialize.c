/*
 * materialize.c
 *	  SQL functions that load feature views from their batch sources, and show
 *	  what has been loaded.
 *
 * As REFRESH MATERIALIZED VIEW, a load runs as the owner of the foreign table,
 * in a security-restricted operation, whoever calls: the source is the owner's
 * text, and must not act as a superuser who runs the loads of all.
 */
#include "pg/util/export.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "pg/load/interval.h"
#include "pg/load/source.h"
#include "pg/load/statement.h"
#include "pg/table/option.h"
#include "pg/util/attempt.h"
#include "pg/util/error.h"
#include "pg/util/extension.h"

extern PGDLLEXPORT Datum dynamo_fdw_materialize(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum dynamo_fdw_materialize_all(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum dynamo_fdw_intervals(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(dynamo_fdw_materialize);
PG_FUNCTION_INFO_V1(dynamo_fdw_materialize_all);
PG_FUNCTION_INFO_V1(dynamo_fdw_intervals);

/* How far back a first load goes of a feature view that never expires, as in Feast. */
#define FIRST_LOAD_DAYS (52 * 7)

/* What is asked for. */
typedef struct Order
{
	bool		has_start;
	TimestampTz start;
	TimestampTz end;
	const char *source;			/* in place of the option; NULL: the option */
} Order;

/* ---- the interval ---- */

/* Raises over times that are no interval's. */
static void
check_order(const Order *order)
{
	char	   *start = pstrdup(timestamptz_to_str(order->start));

	if (TIMESTAMP_IS_NOBEGIN(order->end) || TIMESTAMP_IS_NOEND(order->end))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("end_date must not be infinite")));
	if (order->has_start && order->start > order->end)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("start_date %s is after end_date %s", start, timestamptz_to_str(order->end))));
}

/* Where a load begins that was told no start: where the last one ended, which Feast loads once more, too. */
static TimestampTz
default_start(const DynRelation *rel)
{
	int64		ttl = dyn_option_interval("source_ttl", GetForeignTable(rel->relid)->options, NIL);
	TimestampTz start;

	if (dyn_interval_latest_end(rel, &start))
		return start;
	if (ttl == 0)
		ttl = rel->ttl > 0 ? rel->ttl : FIRST_LOAD_DAYS * USECS_PER_DAY;
	start = GetCurrentTransactionStartTimestamp() - ttl;
	if (!IS_VALID_TIMESTAMP(start))
		TIMESTAMP_NOBEGIN(start);
	return start;
}

/* ---- one load ---- */

/* Error context callback. */
static void
tell_view(void *arg)
{
	const DynRelation *rel = arg;

	if (dyn_message_is_error())
		errcontext("materialization of foreign table \"%s\"", rel->name);
}

/* Does reading the source call what somebody wrote, and not just read a table? */
static bool
runs_code(const DynSource *source)
{
	return source->relation == NULL ||
		get_rel_relkind(RangeVarGetRelid(source->relation, NoLock, true)) == RELKIND_VIEW;
}

/*
 * A managed table's option comes from the registry: who may write that is none
 * who may do anything here.  Raises.
 */
static void
refuse_registry_code(const DynRelation *rel, const DynSource *source)
{
	if (!superuser_arg(dyn_relation_owner(rel->relid)) ||
		!dyn_option_bool("managed", GetForeignTable(rel->relid)->options, NIL) || !runs_code(source))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("the batch source of foreign table \"%s\" is not run as a superuser", rel->name),
			 errdetail("It is a query or a view that Feast's registry names, and would run as the owner of the foreign table."),
			 errhint("Have a role own the foreign table that may read the source and no more, or set the option managed 'false' once you have read the source.")));
}

/* The source of a load; raises where none is named. */
static DynSource
source_of_load(const DynRelation *rel, const Order *order)
{
	DynSource	source = {order->source, "argument \"source\"", NULL};

	if (source.text == NULL)
	{
		source.text = dyn_option_text("batch_source", GetForeignTable(rel->relid)->options, NIL);
		source.what = psprintf("option \"batch_source\" of foreign table \"%s\"", rel->name);
	}
	if (source.text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("foreign table \"%s\" has no batch source", rel->name),
				 errhint("Set the option \"batch_source\" of the foreign table, or give the argument \"source\".")));
	dyn_source_check(&source);
	if (order->source == NULL)
		refuse_registry_code(rel, &source);
	return source;
}

/* Runs the load; the number of rows that were written. */
static int64
execute_load(const DynRelation *rel, const DynSource *source, TimestampTz start, TimestampTz end)
{
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(start), TimestampTzGetDatum(end)};
	char	   *statement;
	int64		rows;
	int			code;

	SPI_connect();
	statement = dyn_load_statement(rel, source, dyn_source_describe(source));
	code = SPI_execute_with_args(statement, 2, types, values, NULL, false, 0);
	if (code != SPI_OK_INSERT)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(code));
	rows = (int64) SPI_processed;
	SPI_finish();
	return rows;
}

/*
 * The same as the owner.  Times without zone are UTC, as Feast stores them, so
 * that is the time zone of all that runs.  An error undoes all this by the abort.
 */
static int64
execute_as_owner(const DynRelation *rel, Oid owner, const DynSource *source, TimestampTz start, TimestampTz end)
{
	Oid			caller;
	int			security;
	int			nest_level = NewGUCNestLevel();
	int64		rows;

	GetUserIdAndSecContext(&caller, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_RESTRICTED_OPERATION);
	(void) set_config_option("timezone", "UTC", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	rows = execute_load(rel, source, start, end);
	AtEOXact_GUC(false, nest_level);
	SetUserIdAndSecContext(caller, security);
	return rows;
}

/* ALTER SERVER waits for nobody: does the foreign table still mean the remote table that was to be loaded? */
static bool
means_same_table(const DynRelation *rel)
{
	ForeignTable *table = GetForeignTable(rel->relid);
	DynRemote  *now = dyn_remote_resolve(table->options, GetForeignServer(table->serverid)->options, rel->name, NULL);

	return now && dyn_remote_equal(now, &rel->remote);
}

/* Loads the interval that is asked for, and notes what of it has passed: rows of times to come may come yet. */
static int64
load_interval(const DynRelation *rel, Oid owner, const Order *order)
{
	TimestampTz start = order->has_start ? order->start : default_start(rel);
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	TimestampTz known = Min(order->end, now);
	DynSource	source = source_of_load(rel, order);
	int64		rows;

	if (start > order->end)
	{
		ereport(NOTICE,
				(errmsg("nothing of foreign table \"%s\" is left to materialize before %s", rel->name,
						timestamptz_to_str(order->end))));
		return 0;
	}
	rows = execute_as_owner(rel, owner, &source, start, order->end);
	if (start <= known && means_same_table(rel))
		dyn_interval_add(rel, start, known, rows);
	return rows;
}

/*
 * Loads a foreign table; the number of rows that were written.  Loads of one
 * table follow each other, and a later one finds the interval of the one before.
 */
static int64
load_view(Oid relid, const Order *order)
{
	ErrorContextCallback callback;
	Relation	relation;
	DynRelation *rel;
	Oid			owner;
	int64		rows;

	dyn_extension_require_own_table(relid); /* who may not load it locks nothing */
	LockRelationOid(relid, ShareUpdateExclusiveLock);
	owner = dyn_extension_require_own_table(relid);
	relation = table_open(relid, NoLock);
	rel = dyn_relation_open(relation);
	callback.callback = tell_view;
	callback.arg = rel;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	rows = load_interval(rel, owner, order);
	error_context_stack = callback.previous;
	table_close(relation, NoLock);
	return rows;
}

/* ---- SQL functions ---- */

/* Raises that an argument is NULL that can't be. */
static void
require_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
}

/* Reads the arguments start_date and end_date, which is now where it is NULL. */
static Order
order_of_arguments(FunctionCallInfo fcinfo)
{
	Order		order = {0};

	order.has_start = !PG_ARGISNULL(1);
	order.start = order.has_start ? PG_GETARG_TIMESTAMPTZ(1) : 0;
	order.end = PG_ARGISNULL(2) ? GetCurrentTransactionStartTimestamp() : PG_GETARG_TIMESTAMPTZ(2);
	check_order(&order);
	return order;
}

Datum
dynamo_fdw_materialize(PG_FUNCTION_ARGS)
{
	Order		order;

	PreventCommandIfReadOnly("dynamo_fdw_materialize()");
	require_argument(fcinfo, 0, "view");
	order = order_of_arguments(fcinfo);
	if (!PG_ARGISNULL(3))
		order.source = text_to_cstring(PG_GETARG_TEXT_PP(3));
	PG_RETURN_INT64(load_view(PG_GETARG_OID(0), &order));
}

/* A foreign table that is to be loaded with others; it may be dropped meanwhile. */
typedef struct View
{
	Oid			relid;
	char	   *name;
} View;

/* list_sort comparator: by name */
static int
compare_loaded_views(const ListCell *a, const ListCell *b)
{
	return strcmp(((const View *) lfirst(a))->name, ((const View *) lfirst(b))->name);
}

/* Is the foreign table one that is loaded with all others of its schema? */
static bool
is_to_be_loaded(Oid relid)
{
	return dyn_extension_has_table(relid) && has_privs_of_role(GetUserId(), dyn_relation_owner(relid)) &&
		dyn_option_text("batch_source", GetForeignTable(relid)->options, NIL);
}

/* Views of a schema that have a batch source, and an owner whose rights the caller has; by name. */
static List *
views_of_schema(Oid schema)
{
	Relation	catalog = table_open(ForeignTableRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	List	   *views = NIL;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		View	   *view = palloc(sizeof(View));

		view->relid = ((Form_pg_foreign_table) GETSTRUCT(tuple))->ftrelid;
		view->name = get_rel_name(view->relid);
		if (view->name && get_rel_namespace(view->relid) == schema && is_to_be_loaded(view->relid))
			views = lappend(views, view);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	list_sort(views, compare_loaded_views);
	return views;
}

/* Loads one after the other, in one transaction: an error ends all. */
Datum
dynamo_fdw_materialize_all(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext view_context;
	MemoryContext old;
	Order		order;
	ListCell   *lc;

	PreventCommandIfReadOnly("dynamo_fdw_materialize_all()");
	require_argument(fcinfo, 0, "schema");
	order = order_of_arguments(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	view_context = AllocSetContextCreate(CurrentMemoryContext, "dynamo_fdw load", ALLOCSET_DEFAULT_SIZES);
	foreach(lc, views_of_schema(LookupExplicitNamespace(NameStr(*PG_GETARG_NAME(0)), false)))
	{
		const View *view = lfirst(lc);
		Datum		values[2] = {ObjectIdGetDatum(view->relid)};
		bool		nulls[2] = {false};

		old = MemoryContextSwitchTo(view_context);
		values[1] = Int64GetDatum(load_view(view->relid, &order));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		MemoryContextSwitchTo(old);
		MemoryContextReset(view_context);
	}
	PG_RETURN_NULL();
}

/* ---- what has been loaded ---- */

typedef struct Resolved
{
	Oid			relid;
	DynRelation *rel;
} Resolved;

/* Callback of dyn_attempt(): options can have become wrong. */
static void
resolve_view(void *arg)
{
	Resolved   *resolved = arg;
	Relation	relation = table_open(resolved->relid, AccessShareLock);

	resolved->rel = dyn_relation_open(relation);
	table_close(relation, AccessShareLock);
}

/* Resolves the foreign table of an interval; leaves NULL where it is gone, wrong, or not for the caller's eyes. */
static void
resolve_shown(Resolved *resolved, Oid relid)
{
	if (resolved->relid == relid)
		return;
	resolved->relid = relid;
	resolved->rel = NULL;
	if (dyn_extension_has_table(relid) && pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
		(void) dyn_attempt(resolve_view, resolved);
}

/* A row for each interval that counts, of foreign tables that the caller may read. */
Datum
dynamo_fdw_intervals(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Resolved	resolved = {InvalidOid, NULL};
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, dyn_intervals())
	{
		const DynInterval *interval = lfirst(lc);
		Datum		values[] = {
			ObjectIdGetDatum(interval->relid), TimestampTzGetDatum(interval->start), TimestampTzGetDatum(interval->end),
			Int64GetDatum(interval->rows), TimestampTzGetDatum(interval->at)
		};
		bool		nulls[lengthof(values)] = {false};

		resolve_shown(&resolved, interval->relid);
		if (resolved.rel && dyn_interval_counts(interval, resolved.rel))
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	PG_RETURN_NULL();
}
