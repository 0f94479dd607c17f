/*
 * import_schema.c
 *	  IMPORT FOREIGN SCHEMA: the foreign tables of a project.
 *
 * The callback may return CREATE FOREIGN TABLE alone.  Comments and the functions
 * of feature services are made when the server has carried these out, by an event
 * trigger at the command's end; what it needs is kept until then.
 */
#include "pg/util/export.h"

#include "catalog/namespace.h"
#include "commands/event_trigger.h"
#include "fmgr.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/import/apply_table.h"
#include "pg/import/exec_sql.h"
#include "pg/import/import.h"
#include "pg/import/project_tables.h"
#include "pg/import/registry_source.h"
#include "pg/import/service_install.h"

extern PGDLLEXPORT Datum dynamo_fdw_import_end(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(dynamo_fdw_import_end);

/* An IMPORT whose tables are being made. */
typedef struct Import
{
	MemoryContext context;		/* of all this */
	const DynRegistry *registry;
	const char *project;		/* the registry's own text */
	ForeignServer *server;
	char	   *local_schema;
	DynImportOptions options;
	List	   *tables;			/* DynTableDefinitions */
} Import;

/* The last one, until its command or its transaction ends. */
static Import *current_import = NULL;

/* Definitions that dyn_import_tables() makes by an IMPORT that is about to run, from a server into a schema; else NIL. */
typedef struct Given
{
	List	   *tables;
	Oid			serverid;
	const char *schema;
} Given;

static Given given_tables = {NIL, InvalidOid, NULL};

static void
forget_import(void *arg)
{
	if (current_import == arg)
		current_import = NULL;
}

/* Begins an IMPORT in a memory context of its own, which goes with the callback's if that fails. */
static Import *
begin_import(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "dynamo_fdw import", ALLOCSET_DEFAULT_SIZES);
	Import	   *import = MemoryContextAllocZero(context, sizeof(Import));
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));

	import->context = context;
	callback->func = forget_import;
	callback->arg = import;
	MemoryContextRegisterResetCallback(context, callback);
	return import;
}

/* Keeps an IMPORT for its command's end, in place of one whose command failed. */
static void
keep_import(Import *import)
{
	if (current_import)
		MemoryContextDelete(current_import->context);
	MemoryContextSetParent(import->context, TopTransactionContext);
	current_import = import;
}

static bool
is_importable(const char *sql_name, void *stmt)
{
	return IsImportableForeignTable(sql_name, stmt);
}

static List *
create_statements(List *tables, const ForeignServer *server)
{
	List	   *commands = NIL;
	ListCell   *lc;

	foreach(lc, tables)
		commands = lappend(commands, dyn_definition_create_sql(lfirst(lc), NULL, server->servername));
	return commands;
}

void
dyn_import_tables(List *tables, const ForeignServer *server, const char *schema)
{
	Import	   *outer = current_import;
	Given		outer_tables = given_tables;

	/* an event trigger of a user's may have called us while another IMPORT ends */
	given_tables = (Given) {tables, server->serverid, schema};
	current_import = NULL;
	PG_TRY();
	{
		/* the name of what is imported means nothing here; a project's may be none that SQL has */
		dyn_exec_sql(psprintf("IMPORT FOREIGN SCHEMA registry FROM SERVER %s INTO %s",
							  quote_identifier(server->servername), quote_identifier(schema)));
	}
	PG_FINALLY();
	{
		given_tables = outer_tables;
		current_import = outer;
	}
	PG_END_TRY();
}

/* The definitions that this IMPORT is to make, which are given once; NIL: it is a user's, perhaps of an event trigger. */
static List *
take_given(const ImportForeignSchemaStmt *stmt, Oid serverid)
{
	List	   *tables = given_tables.tables;

	if (tables == NIL || given_tables.serverid != serverid || strcmp(given_tables.schema, stmt->local_schema) != 0)
		return NIL;
	given_tables.tables = NIL;
	return tables;
}

List *
dynamoImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid)
{
	MemoryContext old = CurrentMemoryContext;
	List	   *given = take_given(stmt, serverid);
	Import	   *import;

	if (current_import)
		MemoryContextDelete(current_import->context);
	if (given != NIL)
		return create_statements(given, GetForeignServer(serverid));
	import = begin_import();
	MemoryContextSwitchTo(import->context);
	import->server = GetForeignServer(serverid);
	import->options = dyn_import_options(import->server, stmt->options);
	import->local_schema = pstrdup(stmt->local_schema);
	import->registry = dyn_registry_open(import->server, NULL, stmt->remote_schema);
	import->project = dyn_registry_project(import->registry, stmt->remote_schema);
	import->tables = dyn_project_tables(import->registry, import->project, import->server, &import->options,
										is_importable, stmt);
	/* not before: views of a SQL registry may call functions that import, too */
	keep_import(import);
	MemoryContextSwitchTo(old);
	return create_statements(import->tables, import->server);
}

/* Gives the tables that were made their comments. */
static void
comment_tables(const Import *import, const DynSchemaTables *tables)
{
	ListCell   *lc;

	foreach(lc, import->tables)
	{
		const DynTableDefinition *definition = lfirst(lc);
		const DynSchemaTable *table = dyn_schema_tables_named(tables, definition->sql_name);

		if (table)
			dyn_apply_comments(definition, table, NULL);
	}
}

/* Makes what is not a table. */
static void
finish_import(const Import *import)
{
	Oid			schema = get_namespace_oid(import->local_schema, false);
	List	   *told = NIL;
	DynServiceWorld world = {
		import->registry, import->project, schema, dyn_schema_tables_new(import->server, schema), &import->options, &told
	};

	if (import->options.comments)
		comment_tables(import, world.tables);
	if (import->options.services)
		dyn_services_install(&world, import->server, NIL, NULL, NULL);
}

/* Is it the end of this import's command? One that failed may have left its own behind. */
static bool
is_end_of(const Import *import, const Node *parsetree)
{
	return import && IsA(parsetree, ImportForeignSchemaStmt) &&
		get_foreign_server_oid(((const ImportForeignSchemaStmt *) parsetree)->server_name, true) ==
			import->server->serverid;
}

/* Event trigger at the end of IMPORT FOREIGN SCHEMA, of any wrapper. */
Datum
dynamo_fdw_import_end(PG_FUNCTION_ARGS)
{
	EventTriggerData *data;
	MemoryContext old = CurrentMemoryContext;
	Import	   *import = current_import;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		elog(ERROR, "not called by event trigger manager");
	data = (EventTriggerData *) fcinfo->context;
	if (!is_end_of(import, data->parsetree))
		PG_RETURN_NULL();
	current_import = NULL;
	MemoryContextSwitchTo(import->context);
	finish_import(import);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(import->context);
	PG_RETURN_NULL();
}
