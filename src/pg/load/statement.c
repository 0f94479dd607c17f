/*
 * statement.c
 *	  The statement that loads a feature view from its source.
 *
 * What is in the statement besides the source's own text is qualified or
 * quoted, so no search_path has a say in it.  Values are cast by INSERT itself,
 * as assignments; only what decides whether two rows have the same entity key
 * is cast here, to the same values.
 */
#include "pg/util/export.h"

#include "catalog/pg_type.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "pg/load/statement.h"
#include "pg/table/option.h"

typedef struct Statement
{
	const DynRelation *rel;
	const DynSource *source;
	TupleDesc	columns;		/* of the source */
	List	   *table_options;
} Statement;

/* ---- the source's columns ---- */

/* The names of the source's columns, for a message. */
static char *
list_columns(TupleDesc columns)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < columns->natts; i++)
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "", NameStr(TupleDescAttr(columns, i)->attname));
	return columns->natts > 0 ? list.data : "none";
}

/* The type of the source's column of that name, domains resolved; raises where the source has none, or two. */
static Oid
source_type(const Statement *st, const char *name, const char *meaning)
{
	Oid			type = InvalidOid;
	int			found = 0;

	for (int i = 0; i < st->columns->natts; i++)
		if (strcmp(NameStr(TupleDescAttr(st->columns, i)->attname), name) == 0)
		{
			type = TupleDescAttr(st->columns, i)->atttypid;
			found++;
		}
	if (found != 1)
		ereport(ERROR,
				(errcode(found == 0 ? ERRCODE_UNDEFINED_COLUMN : ERRCODE_AMBIGUOUS_COLUMN),
				 errmsg("the source of feature view \"%s\" has %s column \"%s\", for %s", st->rel->feature_view,
						found == 0 ? "no" : "more than one", name, meaning),
				 errdetail("The columns of %s are %s.", st->source->what, list_columns(st->columns)),
				 errhint("The options \"source_column\" of a column, \"timestamp_field\" and \"created_timestamp_column\" of the table name the source's columns.")));
	return getBaseType(type);
}

/* Which of the source's columns belongs to one of the foreign table. */
static const char *
source_name(const Statement *st, const DynColumn *column)
{
	List	   *options = GetForeignColumnOptions(st->rel->relid, column->attnum);
	const char *name = dyn_option_text("source_column", options, NIL);

	if (name == NULL && column->role == DYN_COLUMN_EVENT_TIMESTAMP)
		name = dyn_option_text("timestamp_field", st->table_options, NIL);
	else if (name == NULL)
		name = dyn_option_text("name", options, NIL);
	return name ? name : column->sql_name;
}

/* The expression of the source's column that belongs to one of the foreign table; its type. */
static char *
source_value(const Statement *st, const DynColumn *column, Oid *type)
{
	const char *name = source_name(st, column);

	*type = source_type(st, name, psprintf("column \"%s\"", column->sql_name));
	return psprintf(DYN_SOURCE_ALIAS ".%s", quote_identifier(name));
}

/* ---- entity keys ---- */

/* A value cut or rounded as an assignment to the column does it, which a cast may do more freely. */
static char *
assigned_value(const DynColumn *key, char *value)
{
	if (!OidIsValid(key->typmod_function))
		return value;
	return psprintf("%s(%s, %d%s)",
					quote_qualified_identifier(get_namespace_name(get_func_namespace(key->typmod_function)),
											   get_func_name(key->typmod_function)),
					value, key->typmod, get_func_nargs(key->typmod_function) > 2 ? ", false" : "");
}

/* The key's value as DynamoDB tells it from others: as the column's type has it, a text by its bytes. */
static char *
identity_of_key(const Statement *st, const DynColumn *key)
{
	Oid			type;
	char	   *value = source_value(st, key, &type);

	value = assigned_value(key, psprintf("%s::%s", value, format_type_be_qualified(key->base_type)));
	return type_is_collatable(key->base_type) ? psprintf("%s COLLATE pg_catalog.\"C\"", value) : value;
}

/* Raises that a column which decides between rows isn't taken from the source. */
static void
refuse_generated(const Statement *st, const DynColumn *column)
{
	if (get_attgenerated(st->rel->relid, column->attnum))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("feature view \"%s\" cannot be materialized: its column \"%s\" is generated",
						st->rel->feature_view, column->sql_name)));
}

/* ---- clauses ---- */

/* Appends the columns to be written, and the source's in the same order. */
static void
append_loaded_columns(const Statement *st, StringInfo names, StringInfo values)
{
	for (int i = 0; i < st->rel->ncolumns; i++)
	{
		const DynColumn *column = &st->rel->columns[i];
		Oid			type;

		if (column->role == DYN_COLUMN_NONE || get_attgenerated(st->rel->relid, column->attnum))
			continue;
		appendStringInfo(names, "%s%s", names->len > 0 ? ", " : "", quote_identifier(column->sql_name));
		appendStringInfo(values, "%s%s", values->len > 0 ? ", " : "", source_value(st, column, &type));
	}
}

/*
 * The condition that the event time lies in the interval.  The bounds are
 * converted, not the column, so that an index on it can be used.
 */
static char *
interval_condition(const Statement *st, const char *event_time, Oid type)
{
	const char *cast = type == TIMESTAMPTZOID ? "" : "::timestamp without time zone";

	if (type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != DATEOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the source of feature view \"%s\" has event times of type %s, in its column \"%s\"",
						st->rel->feature_view, format_type_be(type), source_name(st, st->rel->event_timestamp)),
				 errhint("They must be timestamptz, timestamp or date.")));
	return psprintf("%s OPERATOR(pg_catalog.>=) $1%s AND %s OPERATOR(pg_catalog.<=) $2%s", event_time, cast, event_time,
					cast);
}

/* The order of the rows of one key: the one to be written is the first. */
static char *
newest_first(const Statement *st, const char *event_time)
{
	const char *created = dyn_option_text("created_timestamp_column", st->table_options, NIL);

	if (created == NULL)
		return psprintf("%s DESC", event_time);
	source_type(st, created, "the time when a row was created");
	return psprintf("%s DESC, " DYN_SOURCE_ALIAS ".%s DESC NULLS LAST", event_time, quote_identifier(created));
}

/* The identities of the keys, each followed by `suffix`. */
static char *
list_keys(const Statement *st, const char *suffix)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < st->rel->nkeys; i++)
		appendStringInfo(&list, "%s%s%s", i > 0 ? ", " : "", identity_of_key(st, st->rel->keys[i]), suffix);
	return list.data;
}

/* Raises what is wrong with the foreign table as the target of a load. */
static void
check_target(const Statement *st)
{
	if (st->rel->event_timestamp == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("foreign table \"%s\" has no event timestamp column, and cannot be materialized", st->rel->name),
				 errhint("Add it: ALTER FOREIGN TABLE %s ADD COLUMN event_timestamp timestamptz OPTIONS (event_timestamp 'true').",
						 quote_identifier(st->rel->name))));
	refuse_generated(st, st->rel->event_timestamp);
	for (int i = 0; i < st->rel->nkeys; i++)
		refuse_generated(st, st->rel->keys[i]);
}

/* NULL keys come first, so that nothing is written before they are refused. */
char *
dyn_load_statement(const DynRelation *rel, const DynSource *source, TupleDesc columns)
{
	Statement	st = {rel, source, columns, GetForeignTable(rel->relid)->options};
	StringInfoData names;
	StringInfoData values;
	Oid			type;
	char	   *event_time;
	bool		has_keys = rel->nkeys > 0;

	check_target(&st);
	initStringInfo(&names);
	initStringInfo(&values);
	append_loaded_columns(&st, &names, &values);
	event_time = source_value(&st, rel->event_timestamp, &type);
	return psprintf("INSERT INTO %s (%s)\nSELECT %s%s%s%s\nFROM %s%s\nWHERE %s\nORDER BY %s%s%s%s",
					quote_qualified_identifier(get_namespace_name(get_rel_namespace(rel->relid)), rel->name), names.data,
					has_keys ? "DISTINCT ON (" : "", list_keys(&st, ""), has_keys ? ") " : "", values.data,
					source->text, DYN_SOURCE_END,
					interval_condition(&st, event_time, type),
					list_keys(&st, " NULLS FIRST"), has_keys ? ", " : "", newest_first(&st, event_time),
					has_keys ? "" : "\nLIMIT 1");
}
