/*
 * service.c
 *	  A feature service, resolved against the foreign tables of a schema.
 *
 * Arguments follow from the registry alone, so a service has the same ones
 * whether or not a function stands for its on-demand views.
 */
#include "pg/util/export.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "core/feast_key.h"
#include "pg/import/on_demand.h"
#include "pg/import/project_tables.h"
#include "pg/import/service.h"
#include "pg/table/type_map.h"

/* What a service is resolved with. */
typedef struct Resolver
{
	const DynServiceWorld *world;
	DynServiceShape *shape;
	char	   *why;			/* it can't be one; NULL so far */
	StringInfoData missing;		/* features that are left out */
} Resolver;

static const DynRegView *
projected_view(Resolver *resolver, const DynRegProjection *projection)
{
	const DynServiceWorld *world = resolver->world;
	const DynRegView *view = dyn_registry_view(world->registry, world->project, projection->view);

	if (view == NULL && resolver->why == NULL)
		resolver->why = psprintf("Its feature view \"%s\" is not in the registry", dyn_registry_text(projection->view));
	return view;
}

/* Is the view computed when it is asked for? */
static bool
is_computed(const DynRegView *view)
{
	return view->kind == DYN_REG_ON_DEMAND_VIEW && !view->online;
}

/* ---- parameters ---- */

/* Number of the parameter of this name; -1: none. */
static int
find_parameter(const DynServiceShape *shape, const char *name)
{
	/* a hostile service has a great many, each of which is looked for */
	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < list_length(shape->parameters); i++)
		if (strcmp(((DynServiceParameter *) list_nth(shape->parameters, i))->name, name) == 0)
			return i;
	return -1;
}

/* Two types whose values can be compared with one column. */
static bool
types_agree(Oid a, Oid b)
{
	return a == b || ((a == INT4OID || a == INT8OID) && (b == INT4OID || b == INT8OID));
}

/* Adds a parameter unless there is one of its name; of integers the wider type counts. */
static void
add_argument(Resolver *resolver, const char *utf8, Oid type)
{
	char	   *name = dyn_registry_text(utf8);
	int			there = find_parameter(resolver->shape, name);
	DynServiceParameter *parameter;

	if (there >= 0)
	{
		parameter = list_nth(resolver->shape->parameters, there);
		if (!types_agree(parameter->type, type) && resolver->why == NULL)
			resolver->why = psprintf("Its views have \"%s\" of types %s and %s", name, format_type_be(parameter->type),
									 format_type_be(type));
		if (type == INT8OID)
			parameter->type = type;
		return;
	}
	parameter = palloc0(sizeof(DynServiceParameter));
	parameter->name = name;
	parameter->type = type;
	resolver->shape->parameters = lappend(resolver->shape->parameters, parameter);
}

/* What the request calls a join key of the view. */
static const char *
request_key(const DynRegProjection *projection, const char *join_key)
{
	for (size_t i = 0; i < projection->join_key_map.n; i++)
		if (strcmp(projection->join_key_map.pair[i].name, join_key) == 0)
			return projection->join_key_map.pair[i].value;
	return join_key;
}

/* The join keys of a projection; those of an on-demand view are of the views that it takes its inputs from. */
static void
add_join_keys(Resolver *resolver, const DynRegProjection *projection)
{
	const DynRegView *view = projected_view(resolver, projection);
	bool		by_default;

	if (view == NULL)
		return;
	if (is_computed(view))
	{
		for (size_t i = 0; i < view->transformation.inputs.n; i++)
		{
			const DynRegProjection *input = &view->transformation.inputs.projection[i];
			const DynRegView *of = projected_view(resolver, input);

			if (of && !is_computed(of))
				add_join_keys(resolver, input);
		}
		return;
	}
	for (size_t i = 0; i < view->keys.n; i++)
	{
		const DynRegField *key = &view->keys.field[i];
		Oid			type = dyn_type_to_import(key->value_type, true, &by_default);

		if (OidIsValid(type))
			add_argument(resolver, request_key(projection, key->name), type);
	}
}

/* The request data of an on-demand view that is computed. */
static void
add_request_data(Resolver *resolver, const DynRegProjection *projection)
{
	const DynRegView *view = projected_view(resolver, projection);

	if (view == NULL || !is_computed(view))
		return;
	for (size_t i = 0; i < view->transformation.request.n; i++)
	{
		const DynRegField *field = &view->transformation.request.field[i];

		if (OidIsValid(dyn_on_demand_request_type(field)))
			add_argument(resolver, field->name, dyn_on_demand_request_type(field));
	}
}

/* ---- joins ---- */

/* The table of a projection; NULL, with *why set. */
static const DynSchemaTable *
projected_table(Resolver *resolver, const DynRegProjection *projection, const DynRegView *view, char **why)
{
	const DynServiceWorld *world = resolver->world;
	const DynRegView *then = view;
	int			version = dyn_projection_version(projection, view, world->options);
	const DynSchemaTable *table;
	char	   *name = dyn_registry_text(view->name);

	if (projection->version >= 0 && !world->options->versioning)
	{
		*why = psprintf("It names version %d of feature view \"%s\", and the server does not have enable_online_feature_view_versioning",
						projection->version, name);
		return NULL;
	}
	/* without versioning there is the view alone, whatever its number */
	if (world->options->versioning && version != view->version)
		then = dyn_registry_view_version(world->registry, world->project, view->name, version);
	if (then == NULL)
	{
		*why = psprintf("The registry has no version %d of feature view \"%s\"", version, name);
		return NULL;
	}
	table = dyn_schema_tables_find(world->tables, then, version);
	if (table == NULL)
		*why = psprintf("Schema \"%s\" has no foreign table for %s \"%s\"", get_namespace_name(world->schema),
						dyn_reg_kind_name(view->kind), dyn_versioned_name(view, version));
	return table;
}

/* For each key of the table, the number of the parameter that it is asked by; false, *why set: there is none. */
static bool
list_key_parameters(const DynServiceShape *shape, const DynRegProjection *projection, const DynSchemaTable *table,
					List **numbers, char **why)
{
	*numbers = NIL;
	for (int i = 0; i < table->relation->nkeys; i++)
	{
		int			parameter = find_parameter(shape, dyn_registry_text(request_key(projection, table->relation->keys[i]->name)));

		if (parameter < 0)
		{
			*why = psprintf("Foreign table %s has key column \"%s\", which is no join key of feature view \"%s\"",
							table->qualified, table->relation->keys[i]->sql_name, dyn_registry_text(projection->view));
			return false;
		}
		*numbers = lappend_int(*numbers, parameter);
	}
	return true;
}

/* Number of the join of a projection, which it makes unless there is one of the same table by the same keys; -1: *why. */
static int
join_of(Resolver *resolver, const DynRegProjection *projection, const DynRegView *view, char **why)
{
	const DynSchemaTable *table = projected_table(resolver, projection, view, why);
	DynServiceShape *shape = resolver->shape;
	DynServiceJoin *join;
	List	   *numbers;

	CHECK_FOR_INTERRUPTS();
	if (table == NULL || !list_key_parameters(shape, projection, table, &numbers, why))
		return -1;
	for (int i = 0; i < list_length(shape->joins); i++)
	{
		join = list_nth(shape->joins, i);
		if (join->table == table && equal(join->key_parameters, numbers))
			return i;
	}
	join = palloc0(sizeof(DynServiceJoin));
	join->table = table;
	join->key_parameters = numbers;
	shape->joins = lappend(shape->joins, join);
	return list_length(shape->joins) - 1;
}

/* ---- results ---- */

static DynServiceOutput *
add_output(Resolver *resolver, const char *name, char *owner, DynServiceSource from, int source, const char *column,
		   char *type)
{
	DynServiceOutput *output = palloc0(sizeof(DynServiceOutput));

	output->name = pstrdup(name);
	output->owner = owner;
	output->from = from;
	output->source = source;
	output->column = column ? pstrdup(column) : NULL;
	output->type = type;
	resolver->shape->outputs = lappend(resolver->shape->outputs, output);
	return output;
}

/* "origin", "parcel_stats@v1": what full names begin with. */
static char *
projection_owner(const DynRegProjection *projection)
{
	char	   *name = dyn_registry_text(*projection->alias ? projection->alias : projection->view);

	return projection->version >= 0 ? psprintf("%s@v%d", name, projection->version) : name;
}

/* Is a feature really a key? Stream views list theirs, the stand-in of views without entities included. */
static bool
is_join_key(const DynRegView *view, const DynSchemaTable *table, const char *name)
{
	return dyn_schema_table_column(table, DYN_COLUMN_KEY, name) != NULL ||
		(view->entityless && strcmp(name, DYN_DUMMY_JOIN_KEY) == 0);
}

/* Notes that a feature of the service is left out: nothing here returns it. */
static void
leave_out_feature(Resolver *resolver, const DynRegProjection *projection, const DynRegField *feature)
{
	appendStringInfo(&resolver->missing, "%s\"%s\" of \"%s\"", resolver->missing.len > 0 ? ", " : "",
					 dyn_registry_text(feature->name), projection_owner(projection));
}

/* Tells which features are left out, all at once. */
static void
notice_missing(const Resolver *resolver)
{
	if (resolver->missing.len > 0)
		ereport(NOTICE,
				(errmsg("features are left out of feature service \"%s\"", resolver->shape->name),
				 errdetail("No foreign table or function has a column for %s.", resolver->missing.data)));
}

/* The features of a table, in the service's order, then its event time if that is asked for. */
static void
add_features(Resolver *resolver, const DynRegProjection *projection, const DynRegView *view)
{
	int			n = join_of(resolver, projection, view, &resolver->why);
	const DynSchemaTable *table;

	if (n < 0)
		return;
	table = ((DynServiceJoin *) list_nth(resolver->shape->joins, n))->table;
	for (size_t i = 0; i < projection->features.n; i++)
	{
		const DynRegField *feature = &projection->features.field[i];
		const DynColumn *column = dyn_schema_table_column(table, DYN_COLUMN_FEATURE, feature->name);

		if (column)
			add_output(resolver, dyn_registry_text(feature->name), projection_owner(projection), DYN_SERVICE_COLUMN, n,
					   column->sql_name, dyn_type_text(column->type, column->typmod));
		else if (!is_join_key(view, table, feature->name))
			leave_out_feature(resolver, projection, feature);
	}
	if (resolver->world->options->include_event_timestamps && table->relation->event_timestamp)
		add_output(resolver, psprintf("%s__event_timestamp", projection_owner(projection)), NULL, DYN_SERVICE_COLUMN, n,
				   table->relation->event_timestamp->sql_name, "timestamp with time zone");
}

/* ---- on-demand views ---- */

/* An argument's value, and its type; false, *why set: its view has no table. */
static bool
resolve_argument(Resolver *resolver, const DynOnDemandInput *input, DynServiceArgument *argument, Oid *type, char **why)
{
	const DynColumn *column;
	const DynServiceWorld *world = resolver->world;
	DynServiceShape *shape = resolver->shape;

	argument->name = input->name;
	if (input->projection == NULL)
	{
		const char *name = input->join_key ? input->join_key : input->field->name;

		argument->from = DYN_SERVICE_PARAMETER;
		argument->source = find_parameter(shape, dyn_registry_text(name));
		if (argument->source < 0)
			return false;
		*type = ((DynServiceParameter *) list_nth(shape->parameters, argument->source))->type;
		return true;
	}
	argument->from = DYN_SERVICE_COLUMN;
	argument->source = join_of(resolver, input->projection,
							   dyn_registry_view(world->registry, world->project, input->projection->view), why);
	if (argument->source < 0)
		return false;
	column = dyn_schema_table_column(((DynServiceJoin *) list_nth(shape->joins, argument->source))->table,
									 DYN_COLUMN_FEATURE, input->field->name);
	if (column == NULL)
		return false;
	argument->column = column->sql_name;
	*type = column->type;
	return true;
}

/* Number of the call of a function; -1, *why set: what it needs is not there. */
static int
add_call(Resolver *resolver, const DynOnDemandFunction *function, char **why)
{
	DynServiceCall *call = palloc0(sizeof(DynServiceCall));
	Oid			given[FUNC_MAX_ARGS];
	int			n = 0;
	ListCell   *lc;

	call->qualified = function->qualified;
	call->composite = function->composite;
	call->is_volatile = function->is_volatile;
	foreach(lc, function->arguments)
	{
		DynServiceArgument *argument = palloc0(sizeof(DynServiceArgument));

		if (!resolve_argument(resolver, lfirst(lc), argument, &given[n++], why))
			return -1;
		call->arguments = lappend(call->arguments, argument);
	}
	if (!can_coerce_type(n, given, function->types, COERCION_IMPLICIT))
	{
		*why = psprintf("Function %s takes its inputs by other types than they have", function->qualified);
		return -1;
	}
	resolver->shape->calls = lappend(resolver->shape->calls, call);
	resolver->shape->is_volatile |= call->is_volatile;
	return list_length(resolver->shape->calls) - 1;
}

/* What a function returns for a feature; NULL: nothing. */
static const DynOnDemandOutput *
find_on_demand_output(const DynOnDemandFunction *function, const char *feature)
{
	char	   *name = dyn_sql_name_clip(dyn_registry_text(feature), NAMEDATALEN - 1);
	ListCell   *lc;

	foreach(lc, function->outputs)
	{
		const DynOnDemandOutput *output = lfirst(lc);

		if (!function->composite || strcmp(output->name, name) == 0)
			return output;
	}
	return NULL;
}

/* Tells, once for all services, that an on-demand view is left out. */
static void
notice_on_demand(const Resolver *resolver, const DynRegView *view, bool has_function, const char *why)
{
	const DynServiceWorld *world = resolver->world;

	if (list_member_ptr(*world->told, view))
		return;
	*world->told = lappend(*world->told, (void *) view);
	ereport(NOTICE,
			(errmsg("on-demand feature view \"%s\" is left out of feature services", dyn_registry_text(view->name)),
			 has_function ? errdetail("%s.", why ? why : "An input of its function is not there") :
			 errdetail("Code of the registry is never run, and no function in schema \"%s\" stands for it.",
					   get_namespace_name(world->schema)),
			 has_function ? 0 : errhint("Fill this in, then call dynamo_fdw_apply():\n%s",
										dyn_on_demand_skeleton(get_namespace_name(world->schema), world->registry, view))));
}

/* The features of an on-demand view, if a function stands for it. */
static void
add_computed(Resolver *resolver, const DynRegProjection *projection, const DynRegView *view)
{
	const DynServiceWorld *world = resolver->world;
	DynOnDemandFunction *function =
	dyn_on_demand_function(world->schema, view, dyn_on_demand_inputs(world->registry, view));
	char	   *why = NULL;
	int			n = function ? add_call(resolver, function, &why) : -1;

	if (n < 0)
	{
		notice_on_demand(resolver, view, function != NULL, why);
		return;
	}
	for (size_t i = 0; i < projection->features.n; i++)
	{
		const DynRegField *feature = &projection->features.field[i];
		const DynOnDemandOutput *output = find_on_demand_output(function, feature->name);

		if (output)
			add_output(resolver, dyn_registry_text(feature->name), projection_owner(projection), DYN_SERVICE_CALL, n,
					   output->name, output->type);
		else
			leave_out_feature(resolver, projection, feature);
	}
}

/* ---- names ---- */

/* Would two columns of the result have one name, by their short names? */
static bool
short_names_collide(const DynServiceShape *shape)
{
	DynSqlNames *names = dyn_sql_names_new();
	bool		collide = false;
	ListCell   *lc;

	foreach(lc, shape->outputs)
	{
		const DynServiceOutput *output = lfirst(lc);

		/* long names that are cut alike have numbers instead */
		if (strlen(output->name) >= NAMEDATALEN)
			continue;
		collide = dyn_sql_names_has(names, output->name);
		if (collide)
			break;
		dyn_sql_names_take(names, output->name);
	}
	dyn_sql_names_free(names);
	return collide;
}

/* Names the result's columns, and with those of parameters the arguments. */
static void
name_columns(DynServiceShape *shape, bool full)
{
	DynSqlNames *names = dyn_sql_names_new();
	ListCell   *lc;

	foreach(lc, shape->outputs)
	{
		DynServiceOutput *output = lfirst(lc);

		output->sql_name = dyn_sql_names_take(names, full && output->owner ?
											  psprintf("%s__%s", output->owner, output->name) : output->name);
		if (output->from == DYN_SERVICE_PARAMETER)
			((DynServiceParameter *) list_nth(shape->parameters, output->source))->sql_name = output->sql_name;
	}
	dyn_sql_names_free(names);
}

static void
choose_names(const DynServiceWorld *world, DynServiceShape *shape)
{
	bool		full = world->options->full_feature_names;

	if (!full && short_names_collide(shape))
	{
		full = true;
		ereport(NOTICE,
				(errmsg("feature service \"%s\" returns full feature names", shape->name),
				 errdetail("Features of its views have the same names, or names of join keys.")));
	}
	name_columns(shape, full);
}

/* ---- the service ---- */

/* The result's columns: the parameters, then what each projection has. */
static void
add_results(Resolver *resolver)
{
	const DynRegProjections *projections = &resolver->shape->service->projections;
	int			n = 0;
	ListCell   *lc;

	foreach(lc, resolver->shape->parameters)
	{
		const DynServiceParameter *parameter = lfirst(lc);

		add_output(resolver, parameter->name, NULL, DYN_SERVICE_PARAMETER, n++, NULL,
				   format_type_be_qualified(parameter->type));
	}
	for (size_t i = 0; i < projections->n && resolver->why == NULL; i++)
	{
		const DynRegView *view = projected_view(resolver, &projections->projection[i]);

		if (view && is_computed(view))
			add_computed(resolver, &projections->projection[i], view);
		else if (view)
			add_features(resolver, &projections->projection[i], view);
	}
}

/* Is it more than a function can take or return, or nothing? */
static char *
exceeds_limits(const DynServiceShape *shape)
{
	if (list_length(shape->parameters) > FUNC_MAX_ARGS)
		return psprintf("It would take %d arguments, and a function can take %d", list_length(shape->parameters),
						FUNC_MAX_ARGS);
	/* the rows' order takes one of those that a query can have */
	if (list_length(shape->outputs) > MaxTupleAttributeNumber - 1)
		return psprintf("It would return %d columns, and a function can return %d", list_length(shape->outputs),
						MaxTupleAttributeNumber - 1);
	if (list_length(shape->outputs) == list_length(shape->parameters))
		return "None of its features is here";
	return NULL;
}

DynServiceShape *
dyn_service_resolve(const DynServiceWorld *world, const DynRegService *service, char **why)
{
	DynServiceShape *shape = palloc0(sizeof(DynServiceShape));
	Resolver	resolver = {.world = world, .shape = shape};

	initStringInfo(&resolver.missing);
	shape->service = service;
	shape->name = dyn_registry_text(service->name);
	for (size_t i = 0; i < service->projections.n; i++)
		add_join_keys(&resolver, &service->projections.projection[i]);
	for (size_t i = 0; i < service->projections.n; i++)
		add_request_data(&resolver, &service->projections.projection[i]);
	add_results(&resolver);
	*why = resolver.why ? resolver.why : exceeds_limits(shape);
	if (*why)
		return NULL;
	notice_missing(&resolver);
	choose_names(world, shape);
	return shape;
}
