/*
 * column.c
 *	  A column of a foreign table.
 *
 * A column can be bad although CREATE and ALTER check it: event triggers can
 * be off.  A bad feature is an error only for who asks for it.
 */
#include "pg/util/export.h"

#include "catalog/pg_type.h"
#include "foreign/foreign.h"
#include "mb/pg_wchar.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "pg/table/column.h"
#include "pg/table/option_check.h"
#include "pg/table/type_map.h"

/* A name in the database's encoding, as Feast has it. */
static char *
to_utf8(const char *text)
{
	return pg_server_to_any(text, strlen(text), PG_UTF8);
}

/* Is a Boolean option set?  What is no Boolean counts as that: the column is bad, and must not pass for a feature. */
static bool
is_marked(const char *name, List *options)
{
	const char *value = dyn_option_text(name, options, NIL);
	bool		marked;

	return !parse_bool(value, &marked) || marked;
}

bool
dyn_column_is_stored(Form_pg_attribute attr)
{
	return !attr->attisdropped && attr->attgenerated != 'v';	/* virtual */
}

bool
dyn_column_is_key(Oid relid, AttrNumber attnum)
{
	return is_marked("entity_key", GetForeignColumnOptions(relid, attnum));
}

/* The base type, and the function that a length or precision calls for. */
static void
resolve_base_type(DynColumn *column)
{
	column->base_type = getBaseTypeAndTypmod(column->type, &column->typmod);
	column->element_type = get_element_type(column->base_type);
	if (OidIsValid(column->element_type))
		column->element_base_type = getBaseTypeAndTypmod(column->element_type, &column->typmod);
	if (column->typmod >= 0 &&
		find_typmod_coercion_function(OidIsValid(column->element_type) ? column->element_base_type : column->base_type,
									  &column->typmod_function) != COERCION_PATH_FUNC)
		column->typmod_function = InvalidOid;
}

/* The Feast type that column and option come to; DYN_FEAST_NONE: they don't go together. */
static DynFeastType
resolve_feast_type(const DynColumn *column, const char *value_type)
{
	if (column->role == DYN_COLUMN_EVENT_TIMESTAMP)
		return column->base_type == TIMESTAMPTZOID && value_type == NULL ? DYN_FEAST_UNIX_TIMESTAMP : DYN_FEAST_NONE;
	return dyn_type_resolve(column->base_type, column->element_base_type, value_type, column->role == DYN_COLUMN_KEY);
}

void
dyn_column_resolve(Oid relid, Form_pg_attribute attr, DynColumn *column)
{
	List	   *options = GetForeignColumnOptions(relid, attr->attnum);
	const char *name = dyn_option_text("name", options, NIL);

	column->attnum = attr->attnum;
	column->sql_name = pstrdup(NameStr(attr->attname));
	column->name = to_utf8(name ? name : column->sql_name);
	column->type = attr->atttypid;
	column->typmod = attr->atttypmod;
	if (is_marked("entity_key", options))
		column->role = DYN_COLUMN_KEY;
	else if (is_marked("event_timestamp", options))
		column->role = DYN_COLUMN_EVENT_TIMESTAMP;
	else
		column->role = DYN_COLUMN_FEATURE;
	resolve_base_type(column);
	column->feast_type = resolve_feast_type(column, dyn_option_text("value_type", options, NIL));
	column->bad = column->feast_type == DYN_FEAST_NONE || dyn_options_wrong(options, DYN_ON_COLUMN) != NULL;
}

/* Raises why the column's type can't be what its role and value type ask for. */
static void
refuse_type(Oid relid, const DynColumn *column, const char *value_type)
{
	bool		is_key = column->role == DYN_COLUMN_KEY;
	char	   *choices = dyn_type_choices(column->base_type, column->element_base_type, is_key);
	char	   *type = format_type_be(column->type);

	if (column->role == DYN_COLUMN_EVENT_TIMESTAMP)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("event timestamp column \"%s\" must have type timestamp with time zone and no value type",
						column->sql_name)));
	if (is_key && choices == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("column \"%s\" of type %s cannot be an entity key", column->sql_name, type),
				 errhint("Feast's entity keys are text, varchar, integer, bigint, bytea or timestamptz.")));
	if (choices == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("type %s of column \"%s\" of foreign table \"%s\" is not supported", type,
						column->sql_name, get_rel_name(relid)),
				 errhint("The README lists the types that go with Feast's.")));
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
			 errmsg("value type %s does not go with column \"%s\" of type %s", value_type, column->sql_name, type),
			 errhint("Valid value types here are: %s.", choices)));
}

void
dyn_column_check(Oid relid, const DynColumn *column)
{
	List	   *options;

	if (!column->bad)
		return;
	options = GetForeignColumnOptions(relid, column->attnum);
	dyn_options_check(options, DYN_ON_COLUMN, psprintf("column \"%s\"", column->sql_name));
	refuse_type(relid, column, dyn_option_text("value_type", options, NIL));
}
