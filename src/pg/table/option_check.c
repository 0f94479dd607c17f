/*
 * option_check.c
 *	  The validator: refuses unknown options and bad values at DDL time.
 *
 * It sees neither a column's type nor other columns; those are checked when
 * the DDL command ends (relation.c).
 */
#include "pg/util/export.h"

#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/varlena.h"

#include "core/ddb_op.h"
#include "core/feast_type.h"
#include "pg/table/option.h"

extern PGDLLEXPORT Datum dynamo_fdw_validator(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(dynamo_fdw_validator);

/* A name further off than this is no hint. */
#define MAX_NAME_DISTANCE 6

static int
place_of_catalog(Oid catalog)
{
	switch (catalog)
	{
		case ForeignServerRelationId:
			return DYN_ON_SERVER;
		case ForeignTableRelationId:
			return DYN_ON_TABLE;
		case UserMappingRelationId:
			return DYN_ON_MAPPING;
		case AttributeRelationId:
			return DYN_ON_COLUMN;
		default:
			return 0;
	}
}

static const char *
place_name(int where)
{
	if (where & DYN_ON_SERVER)
		return where & DYN_ON_TABLE ? "a server or a foreign table" : "a server";
	if (where & DYN_ON_TABLE)
		return "a foreign table";
	if (where & DYN_ON_MAPPING)
		return "a user mapping";
	return "a column";
}

/* The valid option whose name is nearest, or NULL. */
static const char *
nearest_name(const char *name, int where)
{
	const char *best = NULL;
	int			best_distance = Min(MAX_NAME_DISTANCE, (int) strlen(name) / 2) + 1;

	if (strlen(name) >= NAMEDATALEN)
		return NULL;
	for (const DynOptionDef *def = dyn_option_defs; def->name; def++)
	{
		int			distance;

		if ((def->where & where) == 0)
			continue;
		distance = varstr_levenshtein(name, strlen(name), def->name, strlen(def->name), 1, 1, 1, true);
		if (distance < best_distance)
		{
			best = def->name;
			best_distance = distance;
		}
	}
	return best;
}

static char *
all_names(int where)
{
	StringInfoData names;

	initStringInfo(&names);
	for (const DynOptionDef *def = dyn_option_defs; def->name; def++)
		if (def->where & where)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", def->name);
	return names.data;
}

static void
unknown_option(const char *name, int where)
{
	const DynOptionDef *elsewhere = dyn_option_find(name);
	const char *nearest = nearest_name(name, where);

	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("invalid option \"%s\"", name),
			 elsewhere ?
			 errhint("\"%s\" is an option of %s.", name, place_name(elsewhere->where)) :
			 nearest ?
			 errhint("Perhaps you meant the option \"%s\".", nearest) :
			 where ?
			 errhint("Valid options here are: %s.", all_names(where)) :
			 errhint("There are no valid options here.")));
}

/* May the value stand in a message?  A URL is refused if it holds a password, too. */
static bool
may_show(const DynOptionDef *def, const char *value)
{
	return (def->flags & DYN_OPT_SECRET) == 0 && (def->kind != DYN_OPT_URL || strchr(value, '@') == NULL);
}

/* Refuses a value; `hint` is a full sentence. */
static void
bad_value(const DynOptionDef *def, const char *value, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 may_show(def, value) ?
			 errmsg("invalid value for option \"%s\": \"%s\"", def->name, value) :
			 errmsg("invalid value for option \"%s\"", def->name),
			 errhint("%s", hint)));
}

static void
check_number(const DynOptionDef *def, const char *value)
{
	char	   *end;
	double		number;
	bool		whole = strspn(value, "-0123456789") == strlen(value);

	errno = 0;
	number = strtod(value, &end);
	if (*value == '\0' || *end != '\0' || errno != 0 || isnan(number) || number < def->min || number > def->max ||
		(def->kind == DYN_OPT_INT && !whole))
		bad_value(def, value,
				  def->max < 1e9 ?
				  psprintf("Valid values are %s between %g and %g.",
						   def->kind == DYN_OPT_INT ? "whole numbers" : "numbers", def->min, def->max) :
				  psprintf("Valid values are numbers from %g.", def->min));
}

static void
check_choice(const DynOptionDef *def, const char *value)
{
	StringInfoData names;

	initStringInfo(&names);
	for (const char *const *choice = def->choices; *choice; choice++)
	{
		if (strcmp(*choice, value) == 0)
			return;
		appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "", *choice);
	}
	bad_value(def, value, psprintf("Valid values are %s.", names.data));
}

/* Known placeholders only, {table_name} among them, and nothing DynamoDB refuses around them. */
static void
check_template(const DynOptionDef *def, const char *value)
{
	bool		has_table_name = false;

	for (const char *p = value; *p;)
	{
		if (strncmp(p, "{table_name}", 12) == 0)
		{
			has_table_name = true;
			p += 12;
		}
		else if (strncmp(p, "{project}", 9) == 0)
			p += 9;
		else if (isalnum((unsigned char) *p) || strchr("_.-", *p))
			p++;
		else
			bad_value(def, value, "A template is made of {project}, {table_name}, letters, digits, '_', '.' and '-'.");
	}
	if (!has_table_name)
		bad_value(def, value, "The template must contain {table_name}, or all feature views would share a table.");
}

/* Credentials go into HTTP headers: a line break in one would start another header. */
static void
check_secret(const DynOptionDef *def, const char *value)
{
	size_t		len = 0;

	while (value[len] > ' ' && value[len] < 127)
		len++;
	if (len == 0 || value[len] != '\0' || len > def->max)
		bad_value(def, value, psprintf("The value is 1 to %.0f printable ASCII characters without blanks.", def->max));
}

static void
check_value(const DynOptionDef *def, const char *value)
{
	DynEndpoint endpoint;
	const char *why;
	bool		boolean;

	switch (def->kind)
	{
		case DYN_OPT_BOOL:
			if (!parse_bool(value, &boolean))
				bad_value(def, value, "Valid values are \"true\" and \"false\".");
			break;
		case DYN_OPT_INT:
		case DYN_OPT_REAL:
			check_number(def, value);
			break;
		case DYN_OPT_CHOICE:
			check_choice(def, value);
			break;
		case DYN_OPT_REGION:
			if (!dyn_region_valid(value))
				bad_value(def, value, "A region looks like \"us-west-2\".");
			break;
		case DYN_OPT_URL:
			if (!dyn_endpoint_parse(value, &endpoint, &why))
				bad_value(def, value, psprintf("An endpoint URL %s.", why));
			break;
		case DYN_OPT_TEMPLATE:
			check_template(def, value);
			break;
		case DYN_OPT_TABLE_NAME:
			if (!dyn_table_name_valid(value))
				bad_value(def, value,
						  "A DynamoDB table name has 3 to 255 characters out of a-z, A-Z, 0-9, '_', '.' and '-'.");
			break;
		case DYN_OPT_FILE:
			if (!is_absolute_path(value))
				bad_value(def, value, "The path must be absolute.");
			break;
		case DYN_OPT_VALUE_TYPE:
			if (dyn_feast_type_from_name(value) < 0)
				bad_value(def, value, "Valid values are Feast's value types, for example \"INT64\" or \"STRING\".");
			break;
		case DYN_OPT_TEXT:
		case DYN_OPT_TAGS:
		case DYN_OPT_INTERVAL:
			if (*value == '\0')
				bad_value(def, value, "The value must not be empty.");
			break;
	}
}

static void
check_supported(const DynOptionDef *def, const char *value)
{
	bool		is_default = def->fallback && strcmp(value, def->fallback) == 0;
	bool		boolean;
	bool		fallback;

	if (def->kind == DYN_OPT_BOOL && parse_bool(value, &boolean) && parse_bool(def->fallback, &fallback))
		is_default = boolean == fallback;
	if (!is_default)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 def->fallback ?
				 errmsg("option \"%s\" is not supported yet with a value other than \"%s\"", def->name, def->fallback) :
				 errmsg("option \"%s\" is not supported yet", def->name)));
}

static void
check_option(const DefElem *elem, int where)
{
	const DynOptionDef *def = dyn_option_find(elem->defname);
	const char *value;

	if (def == NULL || (def->where & where) == 0)
		unknown_option(elem->defname, where);
	value = defGetString((DefElem *) elem);
	if ((def->flags & DYN_OPT_SUPERUSER) && !superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to set option \"%s\"", def->name),
				 errhint("Only a superuser may set it.")));
	if (def->flags & DYN_OPT_SECRET)
		check_secret(def, value);
	check_value(def, value);
	if (def->flags & DYN_OPT_LATER)
		check_supported(def, value);
}

/* What options need of each other. */
static void
check_together(List *options, int where)
{
	if (where == DYN_ON_SERVER && dyn_option_text("region", options, NIL) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("option \"region\" is required for a server"),
				 errhint("Set the AWS region, for example OPTIONS (region 'us-west-2').")));
	if (where == DYN_ON_MAPPING &&
		(dyn_option_text("access_key_id", options, NIL) == NULL) !=
		(dyn_option_text("secret_access_key", options, NIL) == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("options \"access_key_id\" and \"secret_access_key\" go together")));
	if (where == DYN_ON_COLUMN &&
		dyn_option_bool("entity_key", options, NIL) && dyn_option_bool("event_timestamp", options, NIL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a column cannot be both \"entity_key\" and \"event_timestamp\"")));
}

Datum
dynamo_fdw_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));
	int			where = place_of_catalog(PG_GETARG_OID(1));
	ListCell   *lc;

	foreach(lc, options)
		check_option(lfirst_node(DefElem, lc), where);
	check_together(options, where);
	PG_RETURN_VOID();
}
