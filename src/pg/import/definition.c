/*
 * definition.c
 *	  The foreign table of a feature view: names, types, options, and the
 *	  statement that makes it.
 */
#include "pg/util/export.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "nodes/value.h"
#include "utils/builtins.h"

#include "pg/import/definition.h"
#include "pg/import/sql_name.h"
#include "pg/import/view_tags.h"
#include "pg/table/option.h"
#include "pg/table/relation.h"
#include "pg/table/type_map.h"
#include "pg/util/text.h"

char *
dyn_registry_text(const char *utf8)
{
	return dyn_cstring_from_utf8((const uint8_t *) utf8, strlen(utf8));
}

char *
dyn_type_text(Oid type, int32 typmod)
{
	return format_type_extended(type, typmod, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

static List *
add_definition_option(List *options, const char *name, const char *value)
{
	return lappend(options, makeDefElem(pstrdup(name), (Node *) makeString(pstrdup(value)), -1));
}

/* ---- columns ---- */

/* The column of the source that a name of Feast's is filled from: the last one that is mapped to it, or that name. */
static const char *
source_of(const DynRegSource *source, const char *name)
{
	for (size_t i = source->field_mapping.n; i > 0; i--)
		if (strcmp(source->field_mapping.pair[i - 1].value, name) == 0)
			return source->field_mapping.pair[i - 1].name;
	return name;
}

/* A key or feature. NULL: no SQL type goes with its value type. */
static DynColumnDefinition *
define_column(const DynRegView *view, const DynRegField *field, bool is_key, DynSqlNames *names)
{
	DynColumnDefinition *column = palloc0(sizeof(DynColumnDefinition));
	bool		by_default;
	Oid			type = dyn_type_to_import(field->value_type, is_key, &by_default);
	const char *source;

	if (!OidIsValid(type))
		return NULL;
	column->name = dyn_registry_text(field->name);
	column->sql_name = dyn_sql_names_take_column(names, column->name);
	column->type = format_type_be_qualified(type);
	column->role = is_key ? DYN_COLUMN_KEY : DYN_COLUMN_FEATURE;
	column->feast_type = field->value_type;
	column->description = field->description;
	if (is_key)
		column->options = add_definition_option(column->options, "entity_key", "true");
	if (strcmp(column->name, column->sql_name) != 0)
		column->options = add_definition_option(column->options, "name", column->name);
	if (!by_default)
		column->options = add_definition_option(column->options, "value_type", dyn_feast_type_name(field->value_type));
	source = view->has_source && view->source.postgres ? source_of(&view->source, field->name) : field->name;
	if (strcmp(source, field->name) != 0)
		column->options = add_definition_option(column->options, "source_column", dyn_registry_text(source));
	if (!is_key)
		column->options = add_definition_option(column->options, "managed", "true");
	return column;
}

/* Of the event time, by a name that no key or feature has. */
static DynColumnDefinition *
define_event_time(DynSqlNames *names)
{
	DynColumnDefinition *column = palloc0(sizeof(DynColumnDefinition));

	column->sql_name = dyn_sql_names_take(names, dyn_sql_names_has(names, "event_timestamp") ?
										  "feast_event_timestamp" : "event_timestamp");
	column->name = column->sql_name;
	column->type = format_type_be_qualified(TIMESTAMPTZOID);
	column->role = DYN_COLUMN_EVENT_TIMESTAMP;
	column->feast_type = DYN_FEAST_UNIX_TIMESTAMP;
	column->options = add_definition_option(NIL, "event_timestamp", "true");
	column->description = "";
	return column;
}

/* A key without a type leaves the whole view out. */
static bool
define_keys(DynTableDefinition *table, const DynRegView *view, DynSqlNames *names)
{
	if (view->keys.n > DYN_MAX_KEYS)
	{
		ereport(WARNING,
				(errmsg("%s \"%s\" is left out", dyn_reg_kind_name(view->kind), dyn_registry_text(view->name)),
				 errdetail("It has more than %d join keys.", DYN_MAX_KEYS)));
		return false;
	}
	for (size_t i = 0; i < view->keys.n; i++)
	{
		DynColumnDefinition *column = define_column(view, &view->keys.field[i], true, names);

		if (column == NULL)
		{
			ereport(WARNING,
					(errmsg("%s \"%s\" is left out", dyn_reg_kind_name(view->kind), dyn_registry_text(view->name)),
					 errdetail("Join key \"%s\" has value type %s, which no entity key can have.",
							   dyn_registry_text(view->keys.field[i].name),
							   dyn_feast_type_name(view->keys.field[i].value_type))));
			return false;
		}
		table->columns = lappend(table->columns, column);
	}
	return true;
}

/* Has an earlier feature the same name? Feast makes no such view. */
static bool
is_repeated(const DynRegFields *features, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(features->field[i].name, features->field[n].name) == 0)
			return true;
	return false;
}

/* Tells that a feature is left out alone. */
static void
warn_feature(const DynRegView *view, const DynRegField *field, const char *why)
{
	ereport(WARNING,
			(errmsg("feature \"%s\" of %s \"%s\" is left out", dyn_registry_text(field->name),
					dyn_reg_kind_name(view->kind), dyn_registry_text(view->name)),
			 errdetail("%s.", why)));
}

/* Features' names are taken in order, so later ones get the numbers. */
static void
define_features(DynTableDefinition *table, const DynRegView *view, DynSqlNames *names)
{
	for (size_t i = 0; i < view->features.n; i++)
	{
		const DynRegField *field = &view->features.field[i];
		DynColumnDefinition *column = is_repeated(&view->features, i) ? NULL :
			define_column(view, field, false, names);

		if (column)
			table->columns = lappend(table->columns, column);
		else if (is_repeated(&view->features, i))
			warn_feature(view, field, "The view has another feature of this name");
		else
			warn_feature(view, field, psprintf("No SQL type goes with its value type, %d (%s)", field->value_type,
											   dyn_feast_type_name(field->value_type)));
	}
}

/* All columns, the event time behind the keys; false: the whole view is left out. */
static bool
define_columns(DynTableDefinition *table, const DynRegView *view)
{
	DynSqlNames *names = dyn_sql_names_new();
	bool		possible = define_keys(table, view, names);

	if (possible)
	{
		define_features(table, view, names);
		table->columns = list_insert_nth(table->columns, view->keys.n, define_event_time(names));
	}
	dyn_sql_names_free(names);
	return possible;
}

/* ---- options ---- */

/* A length of time as an option has it; Feast has microseconds. */
static char *
seconds_text(double seconds)
{
	return seconds == floor(seconds) ? psprintf("%.0f seconds", seconds) : psprintf("%.6f seconds", seconds);
}

/* A query as it can stand in FROM: it may end in a comment, or with a semicolon. */
static char *
query_in_from(const char *query)
{
	int			len = strlen(query);

	while (len > 0 && strchr(" \t\r\n;", query[len - 1]))
		len--;
	return psprintf("(%.*s\n)", len, query);
}

/* What dynamo_fdw_materialize reads, of a source in PostgreSQL, and from when on. */
static List *
add_source_options(List *options, const DynRegView *view)
{
	const DynRegSource *source = &view->source;

	if (!source->postgres || (!*source->table && !*source->query))
		return options;
	options = add_definition_option(options, "batch_source", dyn_registry_text(*source->table ? source->table :
																			   query_in_from(source->query)));
	if (view->ttl_seconds > 0)
		options = add_definition_option(options, "source_ttl", seconds_text(view->ttl_seconds));
	if (*source->timestamp_field)
		options = add_definition_option(options, "timestamp_field",
										dyn_registry_text(source_of(source, source->timestamp_field)));
	if (*source->created_timestamp_column)
		options = add_definition_option(options, "created_timestamp_column",
										dyn_registry_text(source_of(source, source->created_timestamp_column)));
	return options;
}

/* Options of the table, of which those that say what the defaults say are left out. */
static List *
define_options(const DynTableDefinition *table, const ForeignServer *server, const DynImportOptions *import)
{
	const DynRegView *view = table->view;
	const char *project = dyn_registry_text(view->project);
	const char *of_server = dyn_option_text("project", server->options, NIL);
	const char *tags = dyn_view_tags(view, server);
	List	   *options = NIL;

	if (of_server == NULL || strcmp(of_server, project) != 0)
		options = add_definition_option(options, "project", project);
	if (strcmp(table->feature_view, table->sql_name) != 0)
		options = add_definition_option(options, "feature_view", table->feature_view);
	if (view->entityless)
		options = add_definition_option(options, "entityless", "true");
	if (import->ttl && view->ttl_seconds > 0)
		options = add_definition_option(options, "ttl", seconds_text(view->ttl_seconds));
	if (!import->create_remote_table)
		options = add_definition_option(options, "create_remote_table", "false");
	if (view->has_source)
		options = add_source_options(options, view);
	if (tags)
		options = add_definition_option(options, "tags", tags);
	return add_definition_option(options, "managed", "true");
}

/* ---- the table ---- */

char *
dyn_versioned_name(const DynRegView *view, int version)
{
	char	   *name = dyn_registry_text(view->name);

	return version > 0 ? psprintf("%s_v%d", name, version) : name;
}

/* Has the view what a table needs? */
static bool
is_possible(const DynRegView *view)
{
	if (view->entityless || view->keys.n > 0)
	{
		if (view->keys.n + view->features.n + 1 <= MaxHeapAttributeNumber)
			return true;
		ereport(WARNING,
				(errmsg("%s \"%s\" is left out", dyn_reg_kind_name(view->kind), dyn_registry_text(view->name)),
				 errdetail("It would have %zu columns, and a table can have %d.", view->keys.n + view->features.n + 1,
						   MaxHeapAttributeNumber)));
		return false;
	}
	ereport(WARNING,
			(errmsg("%s \"%s\" is left out", dyn_reg_kind_name(view->kind), dyn_registry_text(view->name)),
			 errdetail("The registry does not say what its join keys are (entity_columns)."),
			 errhint("Use \"feast apply\" of a newer Feast, which writes them.")));
	return false;
}

/* Can DynamoDB have the table? Of a view whose table was refused, a registry may know all the same. */
static bool
has_remote(const DynTableDefinition *table, const ForeignServer *server)
{
	const char *why;

	if (dyn_remote_resolve(table->options, server->options, table->sql_name, &why))
		return true;
	ereport(WARNING,
			(errmsg("%s \"%s\" is left out", dyn_reg_kind_name(table->view->kind), dyn_registry_text(table->view->name)),
			 errdetail("%s.", why)));
	return false;
}

DynTableDefinition *
dyn_definition_new(const DynRegView *view, int version, const char *sql_name, const ForeignServer *server,
				   const DynImportOptions *options)
{
	DynTableDefinition *table = palloc0(sizeof(DynTableDefinition));

	table->view = view;
	table->version = version;
	if (!is_possible(view) || !define_columns(table, view))
		return NULL;
	table->sql_name = pstrdup(sql_name);
	table->feature_view = dyn_versioned_name(view, version);
	table->description = view->description;
	table->options = define_options(table, server, options);
	return has_remote(table, server) ? table : NULL;
}

/* ---- SQL ---- */

static void
append_options(StringInfo sql, List *options)
{
	const char *separator = " OPTIONS (";
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *elem = lfirst_node(DefElem, lc);

		appendStringInfo(sql, "%s%s %s", separator, quote_identifier(elem->defname),
						 quote_literal_cstr(strVal(elem->arg)));
		separator = ", ";
	}
	if (options != NIL)
		appendStringInfoChar(sql, ')');
}

void
dyn_definition_append_column(StringInfo sql, const DynColumnDefinition *column)
{
	appendStringInfo(sql, "%s %s", quote_identifier(column->sql_name), column->type);
	append_options(sql, column->options);
	if (column->role == DYN_COLUMN_KEY)
		appendStringInfoString(sql, " NOT NULL");
}

char *
dyn_definition_create_sql(const DynTableDefinition *table, const char *schema, const char *server)
{
	StringInfoData sql;
	const char *separator = " (";
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE FOREIGN TABLE %s", schema ?
					 quote_qualified_identifier(schema, table->sql_name) : quote_identifier(table->sql_name));
	foreach(lc, table->columns)
	{
		appendStringInfoString(&sql, separator);
		dyn_definition_append_column(&sql, lfirst(lc));
		separator = ", ";
	}
	appendStringInfo(&sql, ") SERVER %s", quote_identifier(server));
	append_options(&sql, table->options);
	return sql.data;
}
