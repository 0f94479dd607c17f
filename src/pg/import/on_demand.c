/*
 * on_demand.c
 *	  SQL functions that stand for on-demand views.
 */
#include "pg/util/export.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "pg/import/definition.h"
#include "pg/import/on_demand.h"
#include "pg/import/service_function.h"
#include "pg/import/sql_name.h"
#include "pg/table/type_map.h"

/* ---- inputs ---- */

static char *
argument_name(const char *name)
{
	return dyn_sql_name_clip(name, NAMEDATALEN - 1);
}

static DynOnDemandInput *
find_input(List *inputs, const char *name)
{
	ListCell   *lc;

	foreach(lc, inputs)
		if (strcmp(((DynOnDemandInput *) lfirst(lc))->name, name) == 0)
			return lfirst(lc);
	return NULL;
}

/* Adds one, unless there is one of its name. */
static List *
add_input(List *inputs, const char *name, const DynRegProjection *projection, const DynRegField *field,
		  const char *join_key)
{
	DynOnDemandInput *input;

	/* each looks through all before it */
	CHECK_FOR_INTERRUPTS();
	if (find_input(inputs, name))
		return inputs;
	input = palloc0(sizeof(DynOnDemandInput));
	input->name = pstrdup(name);
	input->projection = projection;
	input->field = field;
	input->join_key = join_key;
	return lappend(inputs, input);
}

/* Does another of the views have a feature of this name, too? */
static bool
feature_is_ambiguous(const DynRegProjections *inputs, size_t of, const char *name)
{
	/* asked for each of the features */
	CHECK_FOR_INTERRUPTS();
	for (size_t i = 0; i < inputs->n; i++)
		for (size_t j = 0; j < inputs->projection[i].features.n && i != of; j++)
			if (strcmp(inputs->projection[i].features.field[j].name, name) == 0)
				return true;
	return false;
}

/* Features of one of the views: by their own names, and by full ones. */
static List *
add_view_inputs(List *list, const DynRegTransformation *transformation, size_t n, bool full)
{
	const DynRegProjection *input = &transformation->inputs.projection[n];
	char	   *view = dyn_registry_text(*input->alias ? input->alias : input->view);

	for (size_t i = 0; i < input->features.n; i++)
	{
		const DynRegField *field = &input->features.field[i];
		char	   *name = dyn_registry_text(field->name);

		if (full)
			list = add_input(list, argument_name(psprintf("%s__%s", view, name)), input, field, NULL);
		else if (!feature_is_ambiguous(&transformation->inputs, n, field->name))
			list = add_input(list, argument_name(name), input, field, NULL);
	}
	return list;
}

/* What the request calls the join keys of one of the views. */
static List *
add_key_inputs(List *list, const DynRegistry *registry, const DynRegView *view, const DynRegProjection *input)
{
	const DynRegView *of = dyn_registry_view(registry, view->project, input->view);

	for (size_t i = 0; of && i < of->keys.n; i++)
	{
		const char *key = of->keys.field[i].name;

		for (size_t j = 0; j < input->join_key_map.n; j++)
			if (strcmp(input->join_key_map.pair[j].name, key) == 0)
				key = input->join_key_map.pair[j].value;
		list = add_input(list, argument_name(dyn_registry_text(key)), NULL, NULL, key);
	}
	return list;
}

List *
dyn_on_demand_inputs(const DynRegistry *registry, const DynRegView *view)
{
	const DynRegTransformation *transformation = &view->transformation;
	List	   *list = NIL;

	for (size_t i = 0; i < transformation->inputs.n; i++)
		list = add_view_inputs(list, transformation, i, false);
	for (size_t i = 0; i < transformation->request.n; i++)
		list = add_input(list, argument_name(dyn_registry_text(transformation->request.field[i].name)), NULL,
						 &transformation->request.field[i], NULL);
	for (size_t i = 0; i < transformation->inputs.n; i++)
		list = add_view_inputs(list, transformation, i, true);
	for (size_t i = 0; i < transformation->inputs.n; i++)
		list = add_key_inputs(list, registry, view, &transformation->inputs.projection[i]);
	return list;
}

Oid
dyn_on_demand_request_type(const DynRegField *field)
{
	bool		by_default;
	Oid			type = dyn_type_to_import(field->value_type, false, &by_default);

	return OidIsValid(get_element_type(type)) ? JSONBOID : type;
}

/* ---- the function ---- */

/* Its arguments, as inputs with their types; false: one of them is no input, or has no name. */
static bool
match_arguments(HeapTuple tuple, List *inputs, DynOnDemandFunction *function)
{
	Oid		   *types;
	char	  **names;
	char	   *modes;
	int			n = get_func_arg_info(tuple, &types, &names, &modes);

	function->types = palloc(sizeof(Oid) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		DynOnDemandInput *input = names ? find_input(inputs, names[i]) : NULL;

		if (modes && (modes[i] == PROARGMODE_OUT || modes[i] == PROARGMODE_TABLE))
			continue;
		if (input == NULL || (modes && modes[i] != PROARGMODE_IN))
			return false;
		function->types[list_length(function->arguments)] = types[i];
		function->arguments = lappend(function->arguments, input);
	}
	return true;
}

static List *
add_result(List *outputs, const char *name, Oid type, int32 typmod)
{
	DynOnDemandOutput *output = palloc(sizeof(DynOnDemandOutput));

	output->name = pstrdup(name);
	output->type = dyn_type_text(type, typmod);
	return lappend(outputs, output);
}

/* What it returns: a row's columns, or one value without a name. */
static void
list_results(HeapTuple tuple, DynOnDemandFunction *function)
{
	Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);
	TupleDesc	desc = build_function_result_tupdesc_t(tuple);
	Oid			type = getBaseType(proc->prorettype);

	if (desc == NULL && type_is_rowtype(type) && type != RECORDOID)
		desc = lookup_rowtype_tupdesc_copy(type, -1);
	function->composite = desc != NULL;
	if (desc == NULL && proc->prorettype != RECORDOID && proc->prorettype != VOIDOID)
		function->outputs = add_result(NIL, NameStr(proc->proname), proc->prorettype, -1);
	for (int i = 0; desc && i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			function->outputs = add_result(function->outputs, NameStr(TupleDescAttr(desc, i)->attname),
										   TupleDescAttr(desc, i)->atttypid, TupleDescAttr(desc, i)->atttypmod);
}

/* Is every feature of the view among the results? One value is enough for a view of one feature. */
static bool
returns_features(const DynOnDemandFunction *function, const DynRegView *view)
{
	if (!function->composite)
		return function->outputs != NIL && view->features.n == 1;
	for (size_t i = 0; i < view->features.n; i++)
	{
		char	   *name = argument_name(dyn_registry_text(view->features.field[i].name));
		bool		found = false;
		ListCell   *lc;

		foreach(lc, function->outputs)
			found = found || strcmp(((DynOnDemandOutput *) lfirst(lc))->name, name) == 0;
		if (!found)
			return false;
	}
	return true;
}

/* A function, if it can stand for the view; else NULL. */
static DynOnDemandFunction *
match_function(HeapTuple tuple, const char *schema, const DynRegView *view, List *inputs)
{
	Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);
	DynOnDemandFunction *function = palloc0(sizeof(DynOnDemandFunction));

	if (proc->prokind != PROKIND_FUNCTION || proc->proretset || !dyn_function_is_trusted(tuple) || !match_arguments(tuple, inputs, function))
		return NULL;
	list_results(tuple, function);
	if (!returns_features(function, view))
		return NULL;
	function->qualified = quote_qualified_identifier(schema, NameStr(proc->proname));
	function->is_volatile = proc->provolatile == PROVOLATILE_VOLATILE;
	return function;
}

DynOnDemandFunction *
dyn_on_demand_function(Oid schema, const DynRegView *view, List *inputs)
{
	char	   *name = argument_name(dyn_registry_text(view->name));
	char	   *schema_name = get_namespace_name(schema);
	CatCList   *list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
	DynOnDemandFunction *found = NULL;

	for (int i = 0; i < list->n_members; i++)
	{
		HeapTuple	tuple = &list->members[i]->tuple;
		DynOnDemandFunction *function;

		if (((Form_pg_proc) GETSTRUCT(tuple))->pronamespace != schema)
			continue;
		function = match_function(tuple, schema_name, view, inputs);
		/* of several the one that takes the most */
		if (function && (found == NULL || list_length(function->arguments) > list_length(found->arguments)))
			found = function;
	}
	ReleaseSysCacheList(list);
	return found;
}

/* ---- skeletons ---- */

static char *
type_or_text(Oid type)
{
	return OidIsValid(type) ? format_type_be(type) : "text";
}

static char *
field_type(const DynRegField *field)
{
	bool		by_default;

	return type_or_text(dyn_type_to_import(field->value_type, false, &by_default));
}

static void
append_fields(StringInfo sql, const DynRegFields *fields, const char *prefix)
{
	for (size_t i = 0; i < fields->n; i++)
		appendStringInfo(sql, "%s%s%s %s", sql->data[sql->len - 1] == '(' ? "" : ", ", prefix,
						 quote_identifier(argument_name(dyn_registry_text(fields->field[i].name))),
						 field_type(&fields->field[i]));
}

/* "CREATE FUNCTION name(arguments, OUT results)". */
static void
append_header(StringInfo sql, const char *schema, const DynRegistry *registry, const DynRegView *view)
{
	ListCell   *lc;

	appendStringInfo(sql, "CREATE FUNCTION %s(",
					 quote_qualified_identifier(schema, argument_name(dyn_registry_text(view->name))));
	foreach(lc, dyn_on_demand_inputs(registry, view))
	{
		const DynOnDemandInput *input = lfirst(lc);

		/* by short names where there are such; keys are there to be taken by who needs them */
		if (input->field == NULL ||
			(input->projection && strcmp(input->name, argument_name(dyn_registry_text(input->field->name))) != 0 &&
			 !feature_is_ambiguous(&view->transformation.inputs,
								   input->projection - view->transformation.inputs.projection, input->field->name)))
			continue;
		appendStringInfo(sql, "%s%s %s", sql->data[sql->len - 1] == '(' ? "" : ", ", quote_identifier(input->name),
						 input->projection ? field_type(input->field) :
						 type_or_text(dyn_on_demand_request_type(input->field)));
	}
	append_fields(sql, &view->features, "OUT ");
	appendStringInfoChar(sql, ')');
}

char *
dyn_on_demand_skeleton(const char *schema, const DynRegistry *registry, const DynRegView *view)
{
	StringInfoData sql;

	initStringInfo(&sql);
	append_header(&sql, schema, registry, view);
	appendStringInfoString(&sql, "\nLANGUAGE sql IMMUTABLE\nRETURN ");
	if (view->features.n != 1)
		appendStringInfoString(&sql, "ROW(");
	for (size_t i = 0; i < view->features.n; i++)
		appendStringInfo(&sql, "%sNULL::%s", i > 0 ? ", " : "", field_type(&view->features.field[i]));
	appendStringInfoString(&sql, view->features.n != 1 ? ");" : ";");
	return sql.data;
}

char *
dyn_on_demand_python_skeleton(const char *schema, const DynRegistry *registry, const DynRegView *view)
{
	StringInfoData sql;
	StringInfoData body;
	char	   *text = dyn_registry_text(view->transformation.text);
	char	   *line;

	initStringInfo(&body);
	appendStringInfoString(&body, "\n# As in the registry:\n");
	/* either ends a line in Python, and with it the comment */
	for (char *rest = text; (line = strsep(&rest, "\r\n")) != NULL;)
		appendStringInfo(&body, "# %s\n", line);
	appendStringInfoString(&body, "return {");
	for (size_t i = 0; i < view->features.n; i++)
	{
		/* a Python string that no name can leave */
		char	   *name = dyn_registry_text(view->features.field[i].name);

		appendStringInfo(&body, "%s\"", i > 0 ? ", " : "");
		for (; *name; name++)
			appendStringInfo(&body, (unsigned char) *name < ' ' ? "\\x%02x" :
							 *name == '"' || *name == '\\' ? "\\%c" : "%c", *name);
		appendStringInfoString(&body, "\": None");
	}
	appendStringInfoString(&body, "}\n");
	initStringInfo(&sql);
	append_header(&sql, schema, registry, view);
	appendStringInfo(&sql, "\nLANGUAGE plpython3u IMMUTABLE\nAS %s;", quote_literal_cstr(body.data));
	return sql.data;
}
