/*
 * import_functions.c
 *	  SQL functions that show what the registry holds.
 */
#include "pg/util/export.h"

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#include "pg/import/on_demand.h"
#include "pg/import/registry_source.h"
#include "pg/import/service_sql.h"
#include "pg/import/sql_name.h"
#include "pg/table/option.h"
#include "pg/table/type_map.h"
#include "pg/util/extension.h"

extern PGDLLEXPORT Datum dynamo_fdw_on_demand(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum dynamo_fdw_feature_service_sql(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(dynamo_fdw_on_demand);
PG_FUNCTION_INFO_V1(dynamo_fdw_feature_service_sql);

/* The schema by an argument, else the first one of the search_path; its OID. */
static Oid
schema_argument(FunctionCallInfo fcinfo, int n)
{
	List	   *path;
	Oid			schema;

	if (!PG_ARGISNULL(n))
		return LookupExplicitNamespace(NameStr(*PG_GETARG_NAME(n)), false);
	path = fetch_search_path(false);
	if (path == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("no schema is named, and the search_path has none")));
	schema = linitial_oid(path);
	list_free(path);
	return schema;
}

/* Argument `n`, bytes of a registry, or what the server's options name. */
static const DynRegistry *
registry_argument(FunctionCallInfo fcinfo, int n, const ForeignServer *server, const char *project)
{
	return dyn_registry_open(server, PG_ARGISNULL(n) ? NULL : PG_GETARG_BYTEA_PP(n), project);
}

/* ---- on-demand views ---- */

/* Appends "name type, name type" to the text; NULL: that is empty. */
static char *
describe_fields(const DynRegFields *fields, const char *prefix, StringInfo text)
{
	for (size_t i = 0; i < fields->n; i++)
		appendStringInfo(text, "%s%s%s %s", text->len > 0 ? ", " : "", prefix, dyn_registry_text(fields->field[i].name),
						 dyn_feast_type_name(fields->field[i].value_type));
	return text->len > 0 ? text->data : NULL;
}

static char *
describe_inputs(const DynRegTransformation *transformation)
{
	StringInfoData text;

	initStringInfo(&text);
	for (size_t i = 0; i < transformation->inputs.n; i++)
		describe_fields(&transformation->inputs.projection[i].features,
						psprintf("%s:", dyn_registry_text(transformation->inputs.projection[i].view)), &text);
	return describe_fields(&transformation->request, "", &text);
}

/* Adds the row of an on-demand view to the result: seven texts, then two Booleans. */
static void
put_on_demand(ReturnSetInfo *result, const DynRegistry *registry, const DynRegView *view, Oid schema)
{
	const DynRegTransformation *transformation = &view->transformation;
	char	   *schema_name = get_namespace_name(schema);
	bool		found = dyn_on_demand_function(schema, view, dyn_on_demand_inputs(registry, view)) != NULL;
	StringInfoData outputs;
	const char *texts[7];
	Datum		values[9];
	bool		nulls[9];

	initStringInfo(&outputs);
	texts[0] = dyn_registry_text(view->name);
	texts[1] = describe_inputs(transformation);
	texts[2] = describe_fields(&view->features, "", &outputs);
	texts[3] = !transformation->present ? "aggregations" : transformation->substrait ? "substrait" :
		transformation->singleton ? "singleton" : dyn_registry_text(transformation->mode);
	texts[4] = *transformation->text ? dyn_registry_text(transformation->text) : NULL;
	texts[5] = dyn_on_demand_skeleton(schema_name, registry, view);
	texts[6] = dyn_on_demand_python_skeleton(schema_name, registry, view);
	for (size_t i = 0; i < lengthof(texts); i++)
	{
		nulls[i] = texts[i] == NULL;
		values[i] = texts[i] ? CStringGetTextDatum(texts[i]) : (Datum) 0;
	}
	values[7] = BoolGetDatum(view->online);
	values[8] = BoolGetDatum(found);
	nulls[7] = nulls[8] = false;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* SQL function: the on-demand views of a project, and how SQL functions for them would begin. */
Datum
dynamo_fdw_on_demand(PG_FUNCTION_ARGS)
{
	ForeignServer *server;
	const DynRegistry *registry;
	const char *project;
	Oid			schema;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	server = dyn_extension_usable_server(NameStr(*PG_GETARG_NAME(0)));
	project = dyn_registry_project_wanted(server, PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)));
	registry = registry_argument(fcinfo, 3, server, project);
	schema = schema_argument(fcinfo, 2);	/* which a registry of views may have dropped */
	project = dyn_registry_project(registry, project);
	for (size_t i = 0; i < registry->nviews; i++)
		if (registry->views[i].kind == DYN_REG_ON_DEMAND_VIEW && strcmp(registry->views[i].project, project) == 0)
			put_on_demand((ReturnSetInfo *) fcinfo->resultinfo, registry, &registry->views[i], schema);
	PG_RETURN_NULL();
}

/* ---- services ---- */

static const DynRegService *
find_service(const DynRegistry *registry, const char *project, const char *name)
{
	for (size_t i = 0; i < registry->nservices; i++)
		if (strcmp(registry->services[i].project, project) == 0 &&
			strcmp(dyn_registry_text(registry->services[i].name), name) == 0)
			return &registry->services[i];
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("there is no feature service \"%s\" in project \"%s\" of the Feast registry", name,
					dyn_registry_text(project))));
	return NULL;
}

/* Raises unless it is a relation whose rows a query can read. */
static void
check_entity_table(Oid relid)
{
	char		relkind = get_rel_relkind(relid);

	if (relkind == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no relation with OID %u", relid)));
	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE && relkind != RELKIND_VIEW &&
		relkind != RELKIND_MATVIEW && relkind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table or view", get_rel_name(relid))));
}

/* SQL function: a query that joins a feature service to a table of entities. */
Datum
dynamo_fdw_feature_service_sql(PG_FUNCTION_ARGS)
{
	ForeignServer *server;
	DynImportOptions options;
	DynServiceWorld world = {0};
	DynServiceShape *shape;
	const char *project;
	List	   *told = NIL;
	char	   *why;

	for (int i = 0; i < 3; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	server = dyn_extension_usable_server(NameStr(*PG_GETARG_NAME(0)));
	check_entity_table(PG_GETARG_OID(2));
	options = dyn_import_defaults(server);
	if (!PG_ARGISNULL(5))
		options.full_feature_names = PG_GETARG_BOOL(5);
	if (!PG_ARGISNULL(6))
		options.include_event_timestamps = PG_GETARG_BOOL(6);
	project = dyn_registry_project_wanted(server, PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4)));
	world.registry = registry_argument(fcinfo, 7, server, project);
	world.project = dyn_registry_project(world.registry, project);
	world.schema = schema_argument(fcinfo, 3);
	world.tables = dyn_schema_tables_new(server, world.schema);
	world.options = &options;
	world.told = &told;
	shape = dyn_service_resolve(&world, find_service(world.registry, world.project,
													 text_to_cstring(PG_GETARG_TEXT_PP(1))), &why);
	if (shape == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("feature service \"%s\" cannot be served here", text_to_cstring(PG_GETARG_TEXT_PP(1))),
				 errdetail("%s.", why)));
	PG_RETURN_TEXT_P(cstring_to_text(dyn_service_query_sql(shape, PG_GETARG_OID(2))));
}
