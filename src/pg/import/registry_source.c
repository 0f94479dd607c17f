/*
 * registry_source.c
 *	  Reads Feast's registry from where a server says it is.
 *
 * A SQL registry is read by the caller's rights, whatever its tables are: those
 * of Feast in this database, views, or foreign tables over another's.  What a
 * view calls runs as the view's owner all the same, where the caller has the
 * owner's rights: who imports for others does not run what they wrote.
 */
#include "pg/util/export.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "pg/import/registry_bytes.h"
#include "pg/import/registry_source.h"
#include "pg/session/s3_object.h"
#include "pg/table/option.h"
#include "pg/util/error.h"
#include "pg/util/extension.h"
#include "pg/util/text.h"

static void
free_registry(void *arg)
{
	dyn_registry_free(*(DynRegistry **) arg);
}

/* An empty registry, as long as the current memory context. */
static DynRegistry *
new_registry(void)
{
	DynRegistry **holder = palloc0(sizeof(DynRegistry *));
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));

	callback->func = free_registry;
	callback->arg = holder;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	*holder = dyn_registry_new();
	if (*holder == NULL)
		dyn_report_no_memory();
	return *holder;
}

/* Raises that bytes are no registry. `what` names them. */
static void
report_unreadable(const char *what, const DynStatus *status)
{
	if (status->cls == DYN_NO_MEMORY)
		dyn_report_no_memory();
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
			 errmsg("%s cannot be read", what),
			 errdetail("%s.", dyn_service_text(status->message))));
}

/* ---- a file's bytes ---- */

static DynRegistry *
decode_bytes(const bytea *bytes, const char *what)
{
	DynRegistry *registry = new_registry();
	DynStatus	status;

	dyn_status_clear(&status);
	if (!dyn_registry_read(registry, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &status))
		report_unreadable(what, &status);
	return registry;
}

/* What is decoded takes many times the memory, so wherever the bytes are from they have the limit of an object of S3. */
static void
check_registry_size(size_t bytes)
{
	if (bytes > DYN_OBJECT_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the registry is too large"),
				 errdetail("It is larger than %d MB.", DYN_OBJECT_MAX_BYTES / (1024 * 1024))));
}

/* ---- tables ---- */

/* The tables of Feast's SQL registry that we read. */
typedef struct RegistryTable
{
	const char *name;
	const char *column;			/* with the object's bytes */
	const char *object_name;	/* column with its name */
	DynRegObject object;
} RegistryTable;

static const RegistryTable registry_tables[] = {
	{"projects", "project_proto", "project_name", DYN_REG_OBJECT_PROJECT},
	{"feature_views", "feature_view_proto", "feature_view_name", DYN_REG_OBJECT_FEATURE_VIEW},
	{"stream_feature_views", "feature_view_proto", "feature_view_name", DYN_REG_OBJECT_STREAM_VIEW},
	{"label_views", "feature_view_proto", "feature_view_name", DYN_REG_OBJECT_LABEL_VIEW},
	{"on_demand_feature_views", "feature_view_proto", "feature_view_name", DYN_REG_OBJECT_ON_DEMAND_VIEW},
	{"feature_services", "feature_service_proto", "feature_service_name", DYN_REG_OBJECT_SERVICE},
};

/* Raises that a column of a row is NULL. */
static void
report_no_value(TupleDesc desc, int column)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("a row of Feast's SQL registry has no \"%s\"", NameStr(TupleDescAttr(desc, column - 1)->attname))));
}

/* A column of a row as text; raises where there is none. */
static char *
row_text(HeapTuple row, TupleDesc desc, int column)
{
	char	   *value = SPI_getvalue(row, desc, column);

	if (value == NULL)
		report_no_value(desc, column);
	return value;
}

/* The third column of a row, an object's bytes. */
static bytea *
row_bytes(HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		value = SPI_getbinval(row, desc, 3, &isnull);

	if (getBaseType(SPI_gettypeid(desc, 3)) != BYTEAOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of Feast's SQL registry is %s, not bytea", NameStr(TupleDescAttr(desc, 2)->attname),
						format_type_be(SPI_gettypeid(desc, 3)))));
	if (isnull)
		report_no_value(desc, 3);
	return DatumGetByteaPP(value);
}

/* A SQL registry that is being read. */
typedef struct Reading
{
	DynRegistry *registry;
	size_t		bytes;			/* of the objects so far */
} Reading;

/* Adds the object of a row: project, name, bytes, and of the history also version and kind. */
static void
add_object_row(Reading *reading, const RegistryTable *table, HeapTuple row, TupleDesc desc)
{
	const char *project = dyn_cstring_to_utf8(row_text(row, desc, 1));
	char	   *name = row_text(row, desc, 2);
	int			version = -1;
	DynRegObject object = DYN_REG_OBJECT_FEATURE_VIEW;
	bytea	   *bytes;
	DynStatus	status;

	if (table)
		object = table->object;
	else if (!dyn_registry_history_object(row_text(row, desc, 5), &object))
		return;
	else
	{
		version = pg_strtoint32(row_text(row, desc, 4));
		version = Max(version, 0);	/* below, a negative one is not of the history */
	}
	bytes = row_bytes(row, desc);
	reading->bytes += VARSIZE_ANY_EXHDR(bytes);
	check_registry_size(reading->bytes);
	dyn_status_clear(&status);
	if (!dyn_registry_add(reading->registry, object, project, version, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &status))
		report_unreadable(psprintf("\"%s\" in table \"%s\" of the registry", name,
								   table ? table->name : "feature_view_version_history"), &status);
}

/* Runs a query over a table of the registry, whose rows become objects. */
static void
add_object_rows(Reading *reading, const RegistryTable *table, const char *query, const char *project)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(project)};
	Portal		portal;
	SPIPlanPtr	plan = SPI_prepare(query, 1, types);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, values, NULL, true);
	do
	{
		SPI_cursor_fetch(portal, true, 50);
		for (uint64 i = 0; i < SPI_processed; i++)
			add_object_row(reading, table, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0);
	SPI_cursor_close(portal);
}

/*
 * The same, as the relation's owner in a security-restricted operation, if the
 * caller has its rights; else as the caller.  An error undoes that by the abort.
 */
static void
add_object_rows_as_owner(Reading *reading, const RegistryTable *table, const char *query, const char *project,
						 Oid relid)
{
	Oid			owner = dyn_relation_owner(relid);
	Oid			caller;
	int			security;

	GetUserIdAndSecContext(&caller, &security);
	if (OidIsValid(owner) && owner != caller && has_privs_of_role(caller, owner))
		SetUserIdAndSecContext(owner, security | SECURITY_RESTRICTED_OPERATION);
	add_object_rows(reading, table, query, project);
	SetUserIdAndSecContext(caller, security);
}

/* OID of a table of the registry, locked so that its name stays; InvalidOid: it is not there, which raises if it is required. */
static Oid
find_registry_table(const char *schema, const char *name, bool required)
{
	Oid			relid = RangeVarGetRelid(makeRangeVar(pstrdup(schema), pstrdup(name), -1), AccessShareLock, true);

	if (!OidIsValid(relid) && required)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no Feast registry in schema \"%s\"", schema),
				 errdetail("It has no table \"%s\".", name),
				 errhint("The option \"registry\" names the schema of this database that has the tables of Feast's SQL registry, or foreign tables over them.")));
	return relid;
}

/*
 * Objects of one project, and the names of all: the project is a column, which
 * counts whatever an object's bytes say.
 */
static DynRegistry *
read_tables(const char *schema, const char *project)
{
	Reading		reading = {new_registry(), 0};
	const char *history = "feature_view_version_history";
	Oid			relid;
	DynStatus	status;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	for (size_t i = 0; i < lengthof(registry_tables); i++)
	{
		const RegistryTable *table = &registry_tables[i];
		bool		of_all = table->object == DYN_REG_OBJECT_PROJECT;

		relid = find_registry_table(schema, table->name, table->object != DYN_REG_OBJECT_LABEL_VIEW && !of_all);
		if (!OidIsValid(relid))
			continue;
		add_object_rows_as_owner(&reading, table,
								 psprintf("SELECT project_id, %s, %s FROM %s WHERE %s ORDER BY 1, 2", table->object_name,
										  table->column, quote_qualified_identifier(schema, table->name),
										  of_all ? "$1 IS NOT NULL" : "project_id OPERATOR(pg_catalog.=) $1"),
								 project, relid);
	}
	relid = find_registry_table(schema, history, false);
	if (OidIsValid(relid))
		add_object_rows_as_owner(&reading, NULL,
								 psprintf("SELECT project_id, feature_view_name, feature_view_proto, version_number, feature_view_type"
										  " FROM %s WHERE project_id OPERATOR(pg_catalog.=) $1 ORDER BY 2, 4",
										  quote_qualified_identifier(schema, history)), project, relid);
	SPI_finish();
	dyn_status_clear(&status);
	if (!dyn_registry_finish(reading.registry, &status))
		dyn_report_no_memory();
	return reading.registry;
}

/* ---- the door ---- */

const DynRegistry *
dyn_registry_open(const ForeignServer *server, const bytea *given, const char *project)
{
	const char *registry = dyn_option_text("registry", server->options, NIL);

	if (given)
	{
		check_registry_size(VARSIZE_ANY_EXHDR(given));
		return decode_bytes(given, "the registry");
	}
	if (registry == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("server \"%s\" does not say where Feast's registry is", server->servername),
				 errhint("Use ALTER SERVER %s OPTIONS (ADD registry 's3://bucket/key').", quote_identifier(server->servername))));
	if (strcmp(dyn_option_text("registry_type", server->options, NIL), "sql") == 0)
		return read_tables(registry, project);
	return decode_bytes(dyn_registry_bytes(server->serverid, registry), psprintf("the registry \"%s\"", registry));
}

const char *
dyn_registry_project_wanted(const ForeignServer *server, const char *given)
{
	const char *project = given ? given : dyn_option_text("project", server->options, NIL);

	if (project == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("server \"%s\" has no project", server->servername),
				 errhint("Set the option \"project\", or name one as an argument.")));
	return project;
}

const char *
dyn_registry_project(const DynRegistry *registry, const char *project)
{
	const char *utf8 = dyn_cstring_to_utf8(project);
	StringInfoData there;

	initStringInfo(&there);
	for (size_t i = 0; i < registry->nprojects; i++)
	{
		if (strcmp(registry->projects[i], utf8) == 0)
			return registry->projects[i];
		appendStringInfo(&there, "%s\"%s\"", i > 0 ? ", " : "", dyn_service_text(registry->projects[i]));
	}
	ereport(ERROR,
			(errcode(ERRCODE_FDW_SCHEMA_NOT_FOUND),
			 errmsg("there is no project \"%s\" in the Feast registry", project),
			 registry->nprojects > 0 ? errhint("There are: %s.", there.data) : errdetail("It has nothing of such a project.")));
	return NULL;
}
