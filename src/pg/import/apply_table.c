/*
 * apply_table.c
 *	  A managed foreign table, compared with what the registry says.
 */
#include "pg/util/export.h"

#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "nodes/value.h"
#include "utils/builtins.h"

#include "pg/import/apply_table.h"
#include "pg/import/exec_sql.h"
#include "pg/import/sql_name.h"
#include "pg/table/option.h"
#include "pg/table/setting.h"
#include "pg/util/text.h"

/* A comparison under way. */
typedef struct Comparison
{
	const DynTableDefinition *definition;
	const DynSchemaTable *table;
	const DynImportOptions *options;
	bool		prune;
	DynActions *actions;
	DynSqlNames *names;			/* of the columns that are there */
	StringInfoData clauses;		/* of ALTER FOREIGN TABLE */
	bool		breaks_functions;
} Comparison;

static StringInfo
begin_clause(Comparison *comparison)
{
	if (comparison->clauses.len > 0)
		appendStringInfoString(&comparison->clauses, ", ");
	return &comparison->clauses;
}

/* "parcel_stats.weight_kg", for the rows of the result. */
static char *
column_label(const Comparison *comparison, const char *column)
{
	return psprintf("%s.%s", quote_identifier(comparison->table->relation->name), quote_identifier(column));
}

/* ---- options ---- */

/* Do two values of an option say the same?  Tags may be written in any order and spacing. */
static bool
is_same_value(const char *name, const char *value, const char *wanted)
{
	return strcmp(value, wanted) == 0 || (strcmp(name, "tags") == 0 && dyn_tags_same(value, wanted));
}

/* "ADD x 'y'", "SET x 'y'" or "DROP x", where an option is to become `wanted` (NULL: none); NULL: it is so already. */
static char *
option_change(const char *name, List *options, List *wanted_options)
{
	const char *value = dyn_option_given(name, options);
	const char *wanted = dyn_option_given(name, wanted_options);

	if (value == NULL && wanted == NULL)
		return NULL;
	if (wanted == NULL)
		return psprintf("DROP %s", name);
	if (value && is_same_value(name, value, wanted))
		return NULL;
	return psprintf("%s %s %s", value ? "SET" : "ADD", name, quote_literal_cstr(wanted));
}

/* All changes of these options, separated by commas; NULL: none. */
static char *
option_changes(const char *const *names, List *options, List *wanted_options)
{
	StringInfoData changes;

	initStringInfo(&changes);
	for (; *names; names++)
	{
		char	   *change = option_change(*names, options, wanted_options);

		if (change)
			appendStringInfo(&changes, "%s%s", changes.len > 0 ? ", " : "", change);
	}
	return changes.len > 0 ? changes.data : NULL;
}

/* The wanted options with one more, which the definition leaves out for another reason than that it is not to be. */
static List *
keep_option(List *wanted, const char *name, const char *value)
{
	if (dyn_option_given(name, wanted))
		return wanted;
	return lappend(list_copy(wanted), makeDefElem(pstrdup(name), (Node *) makeString(pstrdup(value)), -1));
}

/* The registry decides these; all others are the user's. */
static void
compare_table_options(Comparison *comparison)
{
	/* the first only where it is asked for */
	static const char *const names[] = {
		"ttl", "feature_view", "batch_source", "timestamp_field", "created_timestamp_column", "source_ttl", "tags", NULL
	};
	const DynTableDefinition *definition = comparison->definition;
	List	   *options = GetForeignTable(comparison->table->relid)->options;
	List	   *wanted = definition->options;
	const char *tags = dyn_option_given("tags", options);
	char	   *changes;

	/* a table that was renamed says what it is by this, whatever its name */
	if (dyn_option_given("feature_view", options))
		wanted = keep_option(wanted, "feature_view", definition->feature_view);
	/* where no table can have the view's tags, it keeps those that it has */
	if (tags && definition->view->tags.n > 0)
		wanted = keep_option(wanted, "tags", tags);
	changes = option_changes(comparison->options->ttl ? names : names + 1, options, wanted);
	if (changes == NULL)
		return;
	appendStringInfo(begin_clause(comparison), "OPTIONS (%s)", changes);
	dyn_action_add(comparison->actions, "foreign table", comparison->table->relation->name, "alter", changes);
}

/* ---- columns ---- */

/* A column that came; by another name, if that is taken here. */
static void
add_missing_column(Comparison *comparison, DynColumnDefinition *column)
{
	char	   *wanted = column->sql_name;

	column->sql_name = dyn_sql_names_take_column(comparison->names, wanted);
	if (strcmp(column->sql_name, column->name) != 0 && column->role != DYN_COLUMN_EVENT_TIMESTAMP &&
		dyn_option_given("name", column->options) == NULL)
		column->options = lappend(column->options, makeDefElem("name", (Node *) makeString(column->name), -1));
	appendStringInfoString(begin_clause(comparison), "ADD COLUMN ");
	dyn_definition_append_column(&comparison->clauses, column);
	dyn_action_add(comparison->actions, "column", column_label(comparison, column->sql_name), "add", NULL);
}

/* Did we make the column?  All but features are as they must be. */
static bool
is_column_ours(const DynSchemaTable *table, const DynColumn *column)
{
	return column->role != DYN_COLUMN_FEATURE ||
		dyn_option_bool("managed", GetForeignColumnOptions(table->relid, column->attnum), NIL);
}

/* A user's own column is left alone, whatever type it has. */
static void
report_own_column(Comparison *comparison, const DynColumnDefinition *wanted, const DynColumn *column)
{
	if (column->feast_type != wanted->feast_type)
		dyn_action_add(comparison->actions, "column", column_label(comparison, column->sql_name), "none",
					   psprintf("It was not made by this function, and is %s where the registry has %s",
								dyn_feast_type_name(column->feast_type), dyn_feast_type_name(wanted->feast_type)));
}

/* A column that is there: its Feast type, and where it is loaded from. */
static void
compare_column(Comparison *comparison, const DynColumnDefinition *wanted, const DynColumn *column)
{
	static const char *const type_options[] = {"value_type", NULL};
	static const char *const source_options[] = {"source_column", NULL};
	List	   *options = GetForeignColumnOptions(comparison->table->relid, column->attnum);
	const char *name = quote_identifier(column->sql_name);
	char	   *changes;

	if (column->feast_type != wanted->feast_type)
	{
		changes = option_changes(type_options, options, wanted->options);
		appendStringInfo(begin_clause(comparison), "ALTER COLUMN %s TYPE %s", name, wanted->type);
		if (changes)
			appendStringInfo(begin_clause(comparison), "ALTER COLUMN %s OPTIONS (%s)", name, changes);
		comparison->breaks_functions = true;
		dyn_action_add(comparison->actions, "column", column_label(comparison, column->sql_name), "alter",
					   psprintf("%s becomes %s", dyn_feast_type_name(column->feast_type),
								dyn_feast_type_name(wanted->feast_type)));
	}
	changes = option_changes(source_options, options, wanted->options);
	if (changes)
	{
		appendStringInfo(begin_clause(comparison), "ALTER COLUMN %s OPTIONS (%s)", name, changes);
		dyn_action_add(comparison->actions, "column", column_label(comparison, column->sql_name), "alter", changes);
	}
}

static const DynColumn *
column_there(const Comparison *comparison, const DynColumnDefinition *wanted)
{
	if (wanted->role == DYN_COLUMN_EVENT_TIMESTAMP)
		return comparison->table->relation->event_timestamp;
	return dyn_schema_table_column(comparison->table, wanted->role, dyn_cstring_to_utf8(wanted->name));
}

/* Does the registry still have a feature? */
static bool
is_wanted_column(const Comparison *comparison, const DynColumn *column)
{
	ListCell   *lc;

	foreach(lc, comparison->definition->columns)
	{
		const DynColumnDefinition *wanted = lfirst(lc);

		if (wanted->role == column->role && strcmp(dyn_cstring_to_utf8(wanted->name), column->name) == 0)
			return true;
	}
	return false;
}

/* Columns that we made and that left the registry. */
static void
find_stale_columns(Comparison *comparison)
{
	const DynRelation *relation = comparison->table->relation;

	for (int i = 0; i < relation->ncolumns; i++)
	{
		const DynColumn *column = &relation->columns[i];

		if (column->role != DYN_COLUMN_FEATURE || is_wanted_column(comparison, column) ||
			!is_column_ours(comparison->table, column))
			continue;
		if (comparison->prune)
		{
			appendStringInfo(begin_clause(comparison), "DROP COLUMN %s", quote_identifier(column->sql_name));
			comparison->breaks_functions = true;
		}
		dyn_action_add(comparison->actions, "column", column_label(comparison, column->sql_name),
					   comparison->prune ? "drop" : "none", "It left the registry");
	}
}

/* Another key makes another table of it: none of the items would be found. */
static bool
has_same_keys(const Comparison *comparison)
{
	int			nkeys = 0;
	ListCell   *lc;

	foreach(lc, comparison->definition->columns)
	{
		const DynColumnDefinition *wanted = lfirst(lc);

		if (wanted->role != DYN_COLUMN_KEY)
			continue;
		nkeys++;
		if (column_there(comparison, wanted) == NULL || column_there(comparison, wanted)->feast_type != wanted->feast_type)
			return false;
	}
	return nkeys == comparison->table->relation->nkeys;
}

/* Users' own columns are only compared; what is missing is added. */
static void
compare_columns(Comparison *comparison)
{
	ListCell   *lc;

	foreach(lc, comparison->definition->columns)
	{
		DynColumnDefinition *wanted = lfirst(lc);
		const DynColumn *column = column_there(comparison, wanted);

		if (column && is_column_ours(comparison->table, column))
			compare_column(comparison, wanted, column);
		else if (column)
			report_own_column(comparison, wanted, column);
		else
			add_missing_column(comparison, wanted);
	}
	find_stale_columns(comparison);
}

DynTableChange *
dyn_apply_compare(const DynTableDefinition *definition, const DynSchemaTable *table, const DynImportOptions *options,
				  bool prune, DynActions *actions)
{
	Comparison	comparison = {
		.definition = definition, .table = table, .options = options, .prune = prune, .actions = actions,
		.names = dyn_sql_names_of_columns(table->relid)
	};
	DynTableChange *change = palloc0(sizeof(DynTableChange));

	initStringInfo(&comparison.clauses);
	change->table = table;
	if (!has_same_keys(&comparison))
	{
		dyn_action_add(actions, "foreign table", table->relation->name, "none",
					   "Its join keys differ from the registry's: drop it, and apply again");
		return change;
	}
	compare_table_options(&comparison);
	compare_columns(&comparison);
	change->breaks_functions = comparison.breaks_functions;
	if (comparison.clauses.len > 0)
		change->alter = psprintf("ALTER FOREIGN TABLE %s %s", table->qualified, comparison.clauses.data);
	return change;
}

/* ---- comments ---- */

/*
 * Gives a table, or a column (attnum), its description; what has none may have a
 * comment of a user's.  By SQL, which asks whose the table is.
 */
static void
apply_comment(const DynSchemaTable *table, AttrNumber attnum, const char *sql_object, const char *label,
			  const char *description, DynActions *actions)
{
	char	   *text;
	char	   *comment;

	if (*description == '\0')
		return;
	text = dyn_registry_text(description);
	comment = GetComment(table->relid, RelationRelationId, attnum);
	if (comment && strcmp(comment, text) == 0)
		return;
	dyn_exec_sql(psprintf("COMMENT ON %s IS %s", sql_object, quote_literal_cstr(text)));
	dyn_action_add(actions, "comment", label, comment ? "replace" : "create", NULL);
}

void
dyn_apply_comments(const DynTableDefinition *definition, const DynSchemaTable *table, DynActions *actions)
{
	Comparison	comparison = {.definition = definition, .table = table};
	ListCell   *lc;

	apply_comment(table, 0, psprintf("FOREIGN TABLE %s", table->qualified), table->relation->name,
				  definition->description, actions);
	foreach(lc, definition->columns)
	{
		const DynColumnDefinition *wanted = lfirst(lc);
		const DynColumn *column = column_there(&comparison, wanted);

		if (column && is_column_ours(table, column))
			apply_comment(table, column->attnum,
						  psprintf("COLUMN %s.%s", table->qualified, quote_identifier(column->sql_name)),
						  column_label(&comparison, column->sql_name), wanted->description, actions);
	}
}
