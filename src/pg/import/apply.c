/*
 * apply.c
 *	  dynamo_fdw_apply: makes a schema what the registry says.
 *
 * A dry run does all of it, but for the remote tables, in a subtransaction that
 * is rolled back.
 */
#include "pg/util/export.h"

#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "pg/import/apply_match.h"
#include "pg/import/apply_table.h"
#include "pg/import/exec_sql.h"
#include "pg/import/import.h"
#include "pg/import/project_tables.h"
#include "pg/import/registry_source.h"
#include "pg/import/service_function.h"
#include "pg/import/service_install.h"
#include "pg/util/attempt.h"
#include "pg/util/compat.h"
#include "pg/util/extension.h"

extern PGDLLEXPORT Datum dynamo_fdw_apply(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(dynamo_fdw_apply);

typedef struct Apply
{
	ForeignServer *server;
	const DynRegistry *registry;
	const char *project;		/* the registry's own text */
	Oid			schema;
	bool		dry_run;
	bool		prune;
	DynImportOptions options;
	DynActions	actions;
	DynSchemaTables *tables;	/* as they are at first */
	List	   *candidates;		/* those of them that are ours, for the project */
	List	   *matches;		/* DynMatches */
	List	   *dropped;		/* by dyn_functions_drop() */
} Apply;

/* ---- changing ---- */

/* OIDs of DynSchemaTables. */
static List *
relids_of(List *tables)
{
	List	   *relids = NIL;
	ListCell   *lc;

	foreach(lc, tables)
		relids = lappend_oid(relids, ((const DynSchemaTable *) lfirst(lc))->relid);
	return relids;
}

/* Drops functions of ours over tables that change or go: those whose services still can have one are made again. */
static void
drop_functions_over(Apply *apply, List *tables)
{
	apply->dropped = dyn_functions_drop(dyn_functions_over(apply->schema, relids_of(tables)), apply->dropped);
}

/* Makes room for a change of columns: functions of ours that name them are made again later. */
static void
carry_out(Apply *apply, const DynTableChange *change)
{
	if (change->breaks_functions)
		drop_functions_over(apply, list_make1((void *) change->table));
	if (change->alter)
		dyn_exec_sql(change->alter);
}

/* Is the name free for a new table, and for its row type? */
static bool
is_name_free(Apply *apply, const DynTableDefinition *definition)
{
	Oid			type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(definition->sql_name),
									   ObjectIdGetDatum(apply->schema));

	/* the type of an array would make room */
	if (!OidIsValid(get_relname_relid(definition->sql_name, apply->schema)) &&
		(!OidIsValid(type) || OidIsValid(get_element_type(type))))
		return true;
	dyn_action_add(&apply->actions, "foreign table", definition->sql_name, "none",
				   "Another relation or type has this name, which was not made for it");
	return false;
}

/* Makes, and changes, the foreign tables of the registry. */
static void
apply_tables(Apply *apply)
{
	List	   *missing = NIL;
	ListCell   *lc;

	foreach(lc, apply->matches)
	{
		DynMatch   *match = lfirst(lc);

		if (match->ours)
			carry_out(apply, dyn_apply_compare(match->definition, match->table, &apply->options, apply->prune,
											   &apply->actions));
		else if (match->table == NULL && is_name_free(apply, match->definition))
		{
			missing = lappend(missing, match->definition);
			dyn_action_add(&apply->actions, "foreign table", match->definition->sql_name, "create", NULL);
		}
	}
	if (missing != NIL)
		dyn_import_tables(missing, apply->server, get_namespace_name(apply->schema));
}

/* Of the tables that are ours, as they are now. */
static void
apply_comments(Apply *apply, const DynSchemaTables *tables, List *definitions)
{
	List	   *candidates = dyn_match_candidates(tables, apply->server, dyn_registry_text(apply->project));
	ListCell   *lc;

	foreach(lc, dyn_match_tables(definitions, tables, candidates, &apply->options))
	{
		DynMatch   *match = lfirst(lc);

		if (match->ours)
			dyn_apply_comments(match->definition, match->table, &apply->actions);
	}
}

/* ---- what left the registry ---- */

/* Candidates that go with no view; *gone: those of them that are to be dropped. */
static void
find_stale_tables(Apply *apply, List **gone)
{
	List	   *matched = NIL;
	ListCell   *lc;

	foreach(lc, apply->matches)
		if (((DynMatch *) lfirst(lc))->ours)
			matched = lappend(matched, (void *) ((DynMatch *) lfirst(lc))->table);
	foreach(lc, apply->candidates)
	{
		const DynSchemaTable *table = lfirst(lc);
		bool		left;
		const char *reason;

		if (list_member_ptr(matched, table))
			continue;
		reason = dyn_match_reason(table, apply->registry, apply->project, &apply->options, &left);
		if (left && apply->prune)
			*gone = lappend(*gone, (void *) table);
		dyn_action_add(&apply->actions, "foreign table", table->relation->name, left && apply->prune ? "drop" : "none",
					   reason);
	}
}

/* Functions that were dropped for a change, and that no service took the place of. */
static void
report_dropped_functions(Apply *apply)
{
	List	   *names = dyn_functions_without_successor(apply->schema, apply->dropped);
	ListCell   *lc;

	if (names != NIL && !apply->prune)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("columns that function \"%s\" names cannot be changed", (char *) linitial(names)),
				 errdetail("Its feature service left the registry, or does not go with the columns as they would be."),
				 errhint("Drop the function, or use prune => true.")));
	foreach(lc, names)
		dyn_action_add(&apply->actions, "function", lfirst(lc), "drop",
					   "Columns that it names changed or went, and its feature service can't be made of what is there");
}

/* Functions of ours for services of the project that are gone. */
static void
apply_stale_functions(Apply *apply, List *names)
{
	List	   *stale = NIL;
	ListCell   *lc;

	foreach(lc, dyn_functions_over(apply->schema, relids_of(dyn_schema_tables_list(apply->tables))))
	{
		char	   *name = get_func_name(lfirst_oid(lc));

		if (name == NULL || list_member(names, makeString(name)) ||
			!dyn_function_is_of(lfirst_oid(lc), apply->server, dyn_registry_text(apply->project)))
			continue;
		stale = lappend_oid(stale, lfirst_oid(lc));
		dyn_action_add(&apply->actions, "function", name, apply->prune ? "drop" : "none",
					   "Its feature service left the registry");
	}
	if (apply->prune)
		dyn_functions_drop(stale, NIL);
}

static void
drop_tables(List *tables)
{
	ListCell   *lc;

	foreach(lc, tables)
		dyn_exec_sql(psprintf("DROP FOREIGN TABLE %s", ((const DynSchemaTable *) lfirst(lc))->qualified));
}

/* ---- the remote side, of a dry run ---- */

/* What would happen to a remote table, by a row of the plan; `dropped`: its foreign table goes. */
static void
add_remote_action(Apply *apply, bool dropped, HeapTuple row, TupleDesc desc)
{
	const char *table = SPI_getvalue(row, desc, 2);
	const char *on_create = SPI_getvalue(row, desc, 3);
	const char *on_drop = SPI_getvalue(row, desc, 4);
	const char *difference = SPI_getvalue(row, desc, 5);
	const char *status = SPI_getvalue(row, desc, 6);

	if (table == NULL)
		return;
	if (dropped)
	{
		if (on_drop && strncmp(on_drop, "delete", 6) == 0)
			dyn_action_add(&apply->actions, "remote table", table, "drop", on_drop);
	}
	else if (on_create && strncmp(on_create, "make", 4) == 0)
		dyn_action_add(&apply->actions, "remote table", table, "create", NULL);
	else if (difference || (status && strncmp(status, "unknown", 7) == 0))
		dyn_action_add(&apply->actions, "remote table", table, "none", difference ? difference : status);
}

/* What dynamo_fdw_plan() says of the schema's tables, where something would be done or differs. */
static void
add_remote_actions(Apply *apply, List *gone)
{
	List	   *relids = relids_of(gone);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(psprintf("SELECT c.oid, p.remote_table, p.on_create, p.on_drop, p.difference, p.status"
							 " FROM %s(%s::pg_catalog.name) p"
							 " JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) p.foreign_table"
							 " WHERE c.relnamespace OPERATOR(pg_catalog.=) %u::pg_catalog.oid ORDER BY 2",
							 dyn_extension_qualify("dynamo_fdw_plan"), quote_literal_cstr(apply->server->servername),
							 apply->schema), false, 0) != SPI_OK_SELECT)
		elog(ERROR, "dynamo_fdw_plan() failed");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;
		Oid			relid = DatumGetObjectId(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));

		add_remote_action(apply, list_member_oid(relids, relid), row, SPI_tuptable->tupdesc);
	}
	SPI_finish();
}

/* ---- all of it ---- */

/* Does what is to be done, in an order in which nothing stands in the way of the next step. */
static void
run_apply(Apply *apply)
{
	List	   *told = NIL;
	List	   *names = NIL;
	List	   *gone = NIL;
	List	   *definitions;
	DynServiceWorld world = {apply->registry, apply->project, apply->schema, NULL, &apply->options, &told};

	apply->tables = dyn_schema_tables_new(apply->server, apply->schema);
	apply->candidates = dyn_match_candidates(apply->tables, apply->server, dyn_registry_text(apply->project));
	definitions = dyn_project_tables(apply->registry, apply->project, apply->server, &apply->options, NULL, NULL);
	apply->matches = dyn_match_tables(definitions, apply->tables, apply->candidates, &apply->options);
	apply_tables(apply);
	find_stale_tables(apply, &gone);
	drop_functions_over(apply, gone);
	world.tables = dyn_schema_tables_new(apply->server, apply->schema);
	if (apply->options.comments)
		apply_comments(apply, world.tables, definitions);
	dyn_services_install(&world, apply->server, apply->dropped, &apply->actions, &names);
	report_dropped_functions(apply);
	apply_stale_functions(apply, names);
	if (apply->dry_run)
		add_remote_actions(apply, gone);
	drop_tables(gone);
}

/* Callback of dyn_attempt_if(): nothing of it is kept. */
static bool
run_dry(void *arg)
{
	set_config_option("dynamo_fdw.remote_ddl", "off", PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	run_apply(arg);
	return false;
}

/* All of it without effect. */
static void
rehearse(Apply *apply)
{
	int			nest = NewGUCNestLevel();
	ErrorData  *error = dyn_attempt_if(run_dry, apply);

	AtEOXact_GUC(false, nest);
	if (error)
		ReThrowError(error);
}

/*
 * Two sessions do it in turn: a lock on the schema that no other command takes,
 * but those that drop it wait for.
 */
static void
lock_schema(Oid schema, const char *name)
{
	AclResult	allowed = object_aclcheck(NamespaceRelationId, schema, GetUserId(), ACL_CREATE);

	if (allowed != ACLCHECK_OK)
		aclcheck_error(allowed, OBJECT_SCHEMA, name);
	LockDatabaseObject(NamespaceRelationId, schema, 0, ShareUpdateExclusiveLock);
	if (get_namespace_name(schema) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema \"%s\" does not exist", name)));
}

/* A Boolean argument; NULL: as the server's option says. */
static void
take_argument(FunctionCallInfo fcinfo, int n, bool *value)
{
	if (!PG_ARGISNULL(n))
		*value = PG_GETARG_BOOL(n);
}

/* Reads the arguments, but for project and registry; locks the schema. */
static void
take_arguments(FunctionCallInfo fcinfo, Apply *apply)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("dynamo_fdw_apply needs a server and a schema")));
	apply->server = dyn_extension_usable_server(NameStr(*PG_GETARG_NAME(0)));
	apply->schema = LookupExplicitNamespace(NameStr(*PG_GETARG_NAME(1)), false);
	lock_schema(apply->schema, NameStr(*PG_GETARG_NAME(1)));
	apply->options = dyn_import_defaults(apply->server);
	apply->options.create_remote_table = true;
	take_argument(fcinfo, 4, &apply->dry_run);
	take_argument(fcinfo, 5, &apply->prune);
	take_argument(fcinfo, 6, &apply->options.full_feature_names);
	take_argument(fcinfo, 7, &apply->options.include_event_timestamps);
	take_argument(fcinfo, 8, &apply->options.disabled);
	take_argument(fcinfo, 9, &apply->options.comments);
	take_argument(fcinfo, 10, &apply->options.ttl);
}

static void
return_actions(ReturnSetInfo *result, const DynActions *actions)
{
	ListCell   *lc;

	foreach(lc, actions->list)
	{
		const DynAction *action = lfirst(lc);
		bool		nulls[] = {false, false, false, action->detail == NULL};
		Datum		values[] = {
			CStringGetTextDatum(action->kind), CStringGetTextDatum(action->name), CStringGetTextDatum(action->action),
			action->detail ? CStringGetTextDatum(action->detail) : (Datum) 0
		};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* SQL function: makes a schema what the registry says, and returns what it did. */
Datum
dynamo_fdw_apply(PG_FUNCTION_ARGS)
{
	Apply	   *apply = palloc0(sizeof(Apply));
	const char *project;

	PreventCommandIfReadOnly("dynamo_fdw_apply()");
	InitMaterializedSRF(fcinfo, 0);
	take_arguments(fcinfo, apply);
	apply->actions.context = CurrentMemoryContext;
	project = dyn_registry_project_wanted(apply->server,
										  PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)));
	apply->registry = dyn_registry_open(apply->server, PG_ARGISNULL(3) ? NULL : PG_GETARG_BYTEA_PP(3), project);
	apply->project = dyn_registry_project(apply->registry, project);
	/* whatever waited for the registry, or ran as a view of it, may have dropped the schema */
	apply->schema = LookupExplicitNamespace(NameStr(*PG_GETARG_NAME(1)), false);
	lock_schema(apply->schema, NameStr(*PG_GETARG_NAME(1)));
	if (apply->dry_run)
		rehearse(apply);
	else
		run_apply(apply);
	return_actions((ReturnSetInfo *) fcinfo->resultinfo, &apply->actions);
	PG_RETURN_NULL();
}
