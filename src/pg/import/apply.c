/*
 * apply.c
 *	  dynamo_fdw_apply: makes a schema what the registry says.
 *
 * A dry run does all of it, but for the remote tables, in a subtransaction that
 * is rolled back.
 */
#include "pg/util/export.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/tuplestore.h"

#include "pg/import/apply_table.h"
#include "pg/import/exec_sql.h"
#include "pg/import/import.h"
#include "pg/import/project_tables.h"
#include "pg/import/registry_source.h"
#include "pg/import/service_function.h"
#include "pg/import/service_install.h"
#include "pg/table/option.h"
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
	List	   *matched;		/* DynSchemaTables that a definition has */
	List	   *dropped;		/* by dyn_functions_drop() */
} Apply;

/* ---- which table is which ---- */

/* Is it a name of the view, at any version? */
static bool
is_name_of_view(const char *feature_view, const char *view)
{
	size_t		len = strlen(view);

	if (strncmp(feature_view, view, len) != 0)
		return false;
	feature_view += len;
	if (*feature_view == '\0')
		return true;
	return strncmp(feature_view, "_v", 2) == 0 && feature_view[2] != '\0' &&
		feature_view[2 + strspn(feature_view + 2, "0123456789")] == '\0';
}

static const char *
project_of(const Apply *apply, const DynSchemaTable *table)
{
	return dyn_option_text("project", GetForeignTable(table->relid)->options, apply->server->options);
}

/* Is it one that we made for the project, and that has no definition yet? */
static bool
is_unmatched(const Apply *apply, const DynSchemaTable *table)
{
	const char *project = project_of(apply, table);

	return table->managed && project && strcmp(project, dyn_registry_text(apply->project)) == 0 &&
		!list_member_ptr(apply->matched, table);
}

/*
 * The managed table of a view that has another version now, or had: by its SQL
 * name, else by what it is of.
 */
static const DynSchemaTable *
find_other_version(const Apply *apply, const DynTableDefinition *definition)
{
	const char *view = dyn_registry_text(definition->view->name);
	const DynSchemaTable *found = NULL;
	ListCell   *lc;

	foreach(lc, dyn_schema_tables_list(apply->tables))
	{
		const DynSchemaTable *table = lfirst(lc);

		if (!is_unmatched(apply, table) || !is_name_of_view(table->relation->feature_view, view))
			continue;
		if (strcmp(table->relation->name, definition->sql_name) == 0)
			return table;
		/* those at a version that a service names have an "@" */
		if (strchr(table->relation->name, '@') == NULL)
			found = table;
	}
	return found;
}

/* The table that a definition is about; NULL: none yet. */
static const DynSchemaTable *
match_table(Apply *apply, const DynTableDefinition *definition)
{
	const DynSchemaTable *table = definition->pinned ? NULL : find_other_version(apply, definition);

	if (table == NULL)
		table = dyn_schema_tables_find(apply->tables, definition->view, definition->version);
	if (table && list_member_ptr(apply->matched, table))
		return NULL;
	if (table)
		apply->matched = lappend(apply->matched, (void *) table);
	return table;
}

/* ---- changing ---- */

/* Makes room for a change of columns: functions of ours that name them are made again later. */
static void
carry_out(Apply *apply, const DynTableChange *change)
{
	if (change->breaks_functions)
		apply->dropped = dyn_functions_drop(dyn_functions_over(apply->schema, list_make1_oid(change->table->relid)),
											apply->dropped);
	if (change->alter)
		dyn_exec_sql(change->alter);
}

/* Is the name free for a new table? */
static bool
is_name_free(Apply *apply, const DynTableDefinition *definition)
{
	if (!OidIsValid(get_relname_relid(definition->sql_name, apply->schema)))
		return true;
	dyn_action_add(&apply->actions, "foreign table", definition->sql_name, "none",
				   "Another relation has this name, which was not made for it");
	return false;
}

/* Makes, and changes, the foreign tables of the registry. */
static void
apply_tables(Apply *apply, List *definitions)
{
	List	   *missing = NIL;
	ListCell   *lc;

	foreach(lc, definitions)
	{
		DynTableDefinition *definition = lfirst(lc);
		const DynSchemaTable *table = match_table(apply, definition);

		if (table && table->managed)
			carry_out(apply, dyn_apply_compare(definition, table, apply->prune, &apply->actions));
		else if (table == NULL && is_name_free(apply, definition))
		{
			missing = lappend(missing, definition);
			dyn_action_add(&apply->actions, "foreign table", definition->sql_name, "create", NULL);
		}
	}
	if (missing != NIL)
		dyn_import_tables(missing, apply->server, dyn_registry_text(apply->project), get_namespace_name(apply->schema));
}

static void
apply_comments(Apply *apply, const DynSchemaTables *tables, List *definitions)
{
	ListCell   *lc;

	foreach(lc, definitions)
	{
		const DynTableDefinition *definition = lfirst(lc);
		const DynSchemaTable *table = dyn_schema_tables_find(tables, definition->view, definition->version);

		if (table && table->managed)
			dyn_apply_comments(definition, table, &apply->actions);
	}
}

/* ---- what left the registry ---- */

/* OIDs of the managed tables of the project. */
static List *
project_relids(const Apply *apply)
{
	List	   *relids = NIL;
	ListCell   *lc;

	foreach(lc, dyn_schema_tables_list(apply->tables))
	{
		const DynSchemaTable *table = lfirst(lc);
		const char *project = project_of(apply, table);

		if (project && strcmp(project, dyn_registry_text(apply->project)) == 0)
			relids = lappend_oid(relids, table->relid);
	}
	return relids;
}

/* Functions of ours for services of the project that are gone. */
static void
apply_stale_functions(Apply *apply, List *names)
{
	List	   *stale = NIL;
	ListCell   *lc;

	foreach(lc, dyn_functions_over(apply->schema, project_relids(apply)))
	{
		char	   *name = get_func_name(lfirst_oid(lc));

		if (list_member(names, makeString(name)))
			continue;
		stale = lappend_oid(stale, lfirst_oid(lc));
		dyn_action_add(&apply->actions, "function", name, apply->prune ? "drop" : "none",
					   "Its feature service left the registry, or can't be served");
	}
	if (apply->prune)
		dyn_functions_drop(stale, NIL);
}

/* Tables of ours for views of the project that are gone. */
static void
apply_stale_tables(Apply *apply)
{
	ListCell   *lc;

	foreach(lc, dyn_schema_tables_list(apply->tables))
	{
		const DynSchemaTable *table = lfirst(lc);

		if (!is_unmatched(apply, table))
			continue;
		dyn_action_add(&apply->actions, "foreign table", table->relation->name, apply->prune ? "drop" : "none",
					   "It left the registry");
		if (apply->prune)
			dyn_exec_sql(psprintf("DROP FOREIGN TABLE %s", table->qualified));
	}
}

/* ---- the remote side, of a dry run ---- */

/* What dynamo_fdw_plan() says of the schema's tables, where something would be done or differs. */
static void
add_remote_actions(Apply *apply)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(psprintf("SELECT p.remote_table, p.on_create, p.difference, p.status FROM %s(%s) p"
							 " JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) p.foreign_table"
							 " WHERE c.relnamespace OPERATOR(pg_catalog.=) %u::pg_catalog.oid ORDER BY 1",
							 dyn_extension_qualify("dynamo_fdw_plan"), quote_literal_cstr(apply->server->servername),
							 apply->schema), false, 0) != SPI_OK_SELECT)
		elog(ERROR, "dynamo_fdw_plan() failed");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *table = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		char	   *create = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2);
		char	   *difference = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 3);
		char	   *status = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 4);

		if (table && create && strncmp(create, "make", 4) == 0)
			dyn_action_add(&apply->actions, "remote table", table, "create", NULL);
		else if (table && (difference || (status && strncmp(status, "unknown", 7) == 0)))
			dyn_action_add(&apply->actions, "remote table", table, "none", difference ? difference : status);
	}
	SPI_finish();
}

/* ---- all of it ---- */

static void
run_apply(Apply *apply)
{
	List	   *told = NIL;
	List	   *names = NIL;
	List	   *definitions;
	DynServiceWorld world = {apply->registry, apply->project, apply->schema, NULL, &apply->options, &told};

	apply->tables = dyn_schema_tables_new(apply->server, apply->schema);
	definitions = dyn_project_tables(apply->registry, apply->project, apply->server, &apply->options, NULL, NULL);
	apply_tables(apply, definitions);
	world.tables = dyn_schema_tables_new(apply->server, apply->schema);
	if (apply->options.comments)
		apply_comments(apply, world.tables, definitions);
	dyn_services_install(&world, apply->dropped, &apply->actions, &names);
	apply_stale_functions(apply, names);
	apply_stale_tables(apply);
	if (apply->dry_run)
		add_remote_actions(apply);
}

/* All of it without effect. */
static void
run_dry(Apply *apply)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	int			nest = NewGUCNestLevel();

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	set_config_option("dynamo_fdw.remote_ddl", "off", PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	run_apply(apply);
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	AtEOXact_GUC(false, nest);
}

/* A Boolean argument; NULL: as the server's option says. */
static void
take_argument(FunctionCallInfo fcinfo, int n, bool *value)
{
	if (!PG_ARGISNULL(n))
		*value = PG_GETARG_BOOL(n);
}

static void
take_arguments(FunctionCallInfo fcinfo, Apply *apply)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("dynamo_fdw_apply needs a server and a schema")));
	apply->server = dyn_extension_usable_server(NameStr(*PG_GETARG_NAME(0)));
	apply->schema = LookupExplicitNamespace(NameStr(*PG_GETARG_NAME(1)), false);
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

	InitMaterializedSRF(fcinfo, 0);
	take_arguments(fcinfo, apply);
	apply->actions.context = CurrentMemoryContext;
	project = dyn_registry_project_wanted(apply->server,
										  PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)));
	apply->registry = dyn_registry_open(apply->server, PG_ARGISNULL(3) ? NULL : PG_GETARG_BYTEA_PP(3), project);
	apply->project = dyn_registry_project(apply->registry, project);
	/* whatever waited for the registry, or ran as a view of it, may have dropped the schema */
	apply->schema = LookupExplicitNamespace(NameStr(*PG_GETARG_NAME(1)), false);
	if (apply->dry_run)
		run_dry(apply);
	else
		run_apply(apply);
	return_actions((ReturnSetInfo *) fcinfo->resultinfo, &apply->actions);
	PG_RETURN_NULL();
}
