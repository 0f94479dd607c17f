/*
 * option_check.c
 *	  Which options and values are valid; the validator, which refuses others
 *	  at DDL time.
 *
 * The validator sees neither a column's type nor other columns; those are
 * checked when the DDL command ends (column.c, relation.c).  Nor does it see
 * which options a statement names, so who may name them is checked there, too
 * (ddl_privilege.c).
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
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "core/ddb_op.h"
#include "core/feast_type.h"
#include "core/s3.h"
#include "core/sts.h"
#include "pg/table/option_check.h"
#include "pg/table/setting.h"

extern PGDLLEXPORT Datum dynamo_fdw_validator(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(dynamo_fdw_validator);

/* A name further off than this is no hint. */
#define MAX_NAME_DISTANCE 6

/* Of the name that DynamoDB takes for its time to live. */
#define MAX_ATTRIBUTE_BYTES 255

/* How an option fails; OPTION_FINE is not to fail. */
typedef enum OptionFault
{
	OPTION_FINE,
	OPTION_UNKNOWN,				/* or not one of this kind of object */
	OPTION_BAD_VALUE
} OptionFault;

/* ---- names ---- */

/* The kind of object whose options a catalog holds. */
static DynOptionPlace
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
			return DYN_ON_NOTHING;
	}
}

/* Words for DYN_ON_* bits. */
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
nearest_name(const char *name, DynOptionPlace where)
{
	const char *best = NULL;
	int			len = strlen(name);
	int			best_distance = Min(MAX_NAME_DISTANCE, len / 2) + 1;

	if (len >= NAMEDATALEN)
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

/* All options that may stand in a place, as a list for a hint. */
static char *
all_names(DynOptionPlace where)
{
	StringInfoData names;

	initStringInfo(&names);
	for (const DynOptionDef *def = dyn_option_defs; def->name; def++)
		if (def->where & where)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", def->name);
	return names.data;
}

/* A hint for an option that is unknown in its place. */
static char *
name_hint(const char *name, DynOptionPlace where)
{
	const DynOptionDef *elsewhere = dyn_option_find(name);
	const char *nearest;

	if (elsewhere)
		return psprintf("\"%s\" is an option of %s.", name, place_name(elsewhere->where));
	nearest = nearest_name(name, where);
	if (nearest)
		return psprintf("Perhaps you meant the option \"%s\".", nearest);
	if (where == DYN_ON_NOTHING)
		return pstrdup("There are no valid options here.");
	return psprintf("Valid options here are: %s.", all_names(where));
}

/* ---- values: each function gives a hint what is valid, or NULL if the value is ---- */

/* Of INT and REAL. */
static const char *
number_fault(const DynOptionDef *def, const char *value)
{
	char	   *end;
	double		number;
	bool		whole = strspn(value, "-0123456789") == strlen(value);

	errno = 0;
	number = strtod(value, &end);
	if (*value != '\0' && *end == '\0' && errno == 0 && !isnan(number) && number >= def->min && number <= def->max &&
		(whole || def->kind != DYN_OPT_INT))
		return NULL;
	if (def->max >= 1e9)
		return psprintf("Valid values are numbers from %g.", def->min);
	return psprintf("Valid values are %s between %g and %g.", def->kind == DYN_OPT_INT ? "whole numbers" : "numbers",
					def->min, def->max);
}

/* Of CHOICE. */
static const char *
choice_fault(const DynOptionDef *def, const char *value)
{
	StringInfoData names;

	for (const char *const *choice = def->choices; *choice; choice++)
		if (strcmp(*choice, value) == 0)
			return NULL;
	initStringInfo(&names);
	for (const char *const *choice = def->choices; *choice; choice++)
		appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "", *choice);
	return psprintf("Valid values are %s.", names.data);
}

/* Of TEMPLATE: known placeholders only, {table_name} among them, and nothing DynamoDB refuses around them. */
static const char *
template_fault(const char *value)
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
			return "A template is made of {project}, {table_name}, letters, digits, '_', '.' and '-'.";
	}
	return has_table_name ? NULL : "The template must contain {table_name}, or all feature views would share a table.";
}

/* Of a secret.  Credentials go into HTTP headers: a line break in one would start another header. */
static const char *
secret_fault(const DynOptionDef *def, const char *value)
{
	size_t		len = 0;

	while (value[len] > ' ' && value[len] < 127)
		len++;
	if (len > 0 && value[len] == '\0' && len <= def->max)
		return NULL;
	return psprintf("The value is 1 to %.0f printable ASCII characters without blanks.", def->max);
}

/* Of URL. */
static const char *
url_fault(const char *value)
{
	DynEndpoint endpoint;
	const char *why;

	return dyn_endpoint_parse(value, &endpoint, &why) ? NULL : psprintf("An endpoint URL %s.", why);
}

/* Of INTERVAL. */
static const char *
interval_fault(const DynOptionDef *def, const char *value)
{
	int64		micros;

	if (dyn_interval_parse(value, &micros) && micros <= (int64) def->max * USECS_PER_SEC)
		return NULL;
	return psprintf("Valid values are intervals between 0 and %.0f seconds, without months, years and minus signs, such as \"1 day\" or \"86400 seconds\".",
					def->max);
}

/* Of ATTRIBUTE: what DynamoDB takes as the name of its time to live, in the place of nothing that Feast reads. */
static const char *
attribute_fault(const char *value)
{
	static const char *const of_feast[] = {"entity_id", "event_ts", "values"};

	for (size_t i = 0; i < lengthof(of_feast); i++)
		if (strcmp(value, of_feast[i]) == 0)
			return "Feast's own attributes are \"entity_id\", \"event_ts\" and \"values\".";
	return *value != '\0' && strlen(value) <= MAX_ATTRIBUTE_BYTES ? NULL :
		psprintf("The name of an attribute has 1 to %d bytes.", MAX_ATTRIBUTE_BYTES);
}

/*
 * Of REGISTRY.  What has no scheme is a path or, of a SQL registry, a schema:
 * which one it is, another option says, so that is checked when it is used.
 */
static const char *
registry_fault(const char *value)
{
	size_t		scheme = 0;
	DynS3Object object;
	const char *why;

	while (isalnum((unsigned char) value[scheme]) || (value[scheme] != '\0' && strchr("+.-", value[scheme])))
		scheme++;
	if (dyn_s3_is_uri(value))
		return dyn_s3_parse(value, &object, &why) ? NULL : psprintf("A URI of S3 %s.", why);
	if (scheme > 0 && strncmp(value + scheme, "://", 3) == 0)
		return "A registry is s3://bucket/key, or the absolute path of a file of the server, or with registry_type 'sql' the schema that has Feast's tables.";
	return *value != '\0' ? NULL : "The value must not be empty.";
}

/* Of CEILING. */
static const char *
ceiling_fault(const char *value)
{
	size_t		digits = strspn(value, "0123456789");

	if (strcmp(value, "-1") == 0 || (digits > 0 && digits < 10 && value[digits] == '\0' && atoi(value) > 0))
		return NULL;
	return "Valid values are whole numbers from 1, and -1 for no ceiling.";
}

/* Of any kind. */
static const char *
value_fault(const DynOptionDef *def, const char *value)
{
	bool		boolean;
	int64_t		read;
	int64_t		write;

	if (def->flags & DYN_OPT_SECRET)
		return secret_fault(def, value);
	switch (def->kind)
	{
		case DYN_OPT_BOOL:
			return parse_bool(value, &boolean) ? NULL : "Valid values are \"true\" and \"false\".";
		case DYN_OPT_INT:
		case DYN_OPT_REAL:
			return number_fault(def, value);
		case DYN_OPT_CHOICE:
			return choice_fault(def, value);
		case DYN_OPT_REGION:
			return dyn_region_valid(value) ? NULL : "A region looks like \"us-west-2\".";
		case DYN_OPT_URL:
			return url_fault(value);
		case DYN_OPT_TEMPLATE:
			return template_fault(value);
		case DYN_OPT_TABLE_NAME:
			return dyn_table_name_valid(value) ? NULL :
				"A DynamoDB table name has 3 to 255 characters out of a-z, A-Z, 0-9, '_', '.' and '-'.";
		case DYN_OPT_FILE:
			return is_absolute_path(value) ? NULL : "The path must be absolute.";
		case DYN_OPT_REGISTRY:
			return registry_fault(value);
		case DYN_OPT_VALUE_TYPE:
			return dyn_feast_type_from_name(value) >= 0 ? NULL :
				"Valid values are Feast's value types, for example \"INT64\" or \"STRING\".";
		case DYN_OPT_INTERVAL:
			return interval_fault(def, value);
		case DYN_OPT_ATTRIBUTE:
			return attribute_fault(value);
		case DYN_OPT_ROLE_ARN:
			return dyn_role_arn_valid(value) ? NULL :
				"The ARN of a role looks like \"arn:aws:iam::123456789012:role/feast\".";
		case DYN_OPT_EXTERNAL_ID:
			return dyn_external_id_valid(value) ? NULL :
				"An external id is 2 to 1224 letters, digits and characters of \"_+=,.@:/-\".";
		case DYN_OPT_SESSION_NAME:
			return dyn_role_session_name_valid(value) ? NULL :
				"The name of a session is 2 to 64 letters, digits and characters of \"_+=,.@-\".";
		case DYN_OPT_TAGS:
			return dyn_tags_fault(value);
		case DYN_OPT_CEILING:
			return ceiling_fault(value);
		case DYN_OPT_WARM_THROUGHPUT:
			return dyn_warm_throughput_parse(value, &read, &write) ? NULL :
				"Warm throughput looks like \"ReadUnitsPerSecond=12000,WriteUnitsPerSecond=4000\", or one of both.";
		case DYN_OPT_KMS_KEY:
			return dyn_kms_key_valid(value) ? NULL :
				"A key is the id, ARN or alias of one in KMS, \"" DYN_KMS_AWS_MANAGED "\" for the key that AWS manages for the account, or \"" DYN_KMS_AWS_OWNED "\" for a key of AWS's own.";
		case DYN_OPT_TEXT:
			return *value != '\0' ? NULL : "The value must not be empty.";
	}
	return NULL;
}

/* ---- an option ---- */

/* What is wrong with an option, and the hint for it. */
static OptionFault
find_fault(const DefElem *elem, DynOptionPlace where, const char **hint)
{
	const DynOptionDef *def = dyn_option_find(elem->defname);

	*hint = NULL;
	if (def == NULL || (def->where & where) == 0)
		return OPTION_UNKNOWN;
	*hint = value_fault(def, dyn_option_value(elem));
	return *hint ? OPTION_BAD_VALUE : OPTION_FINE;
}

/* May the value stand in a message?  A URL is refused if it holds a password or a signature, too. */
static bool
may_show(const DynOptionDef *def, const char *value)
{
	bool		url = def->kind == DYN_OPT_URL || def->kind == DYN_OPT_REGISTRY;

	return (def->flags & DYN_OPT_SECRET) == 0 && !(url && strpbrk(value, def->kind == DYN_OPT_URL ? "@" : "@?"));
}

/* The message and code of a fault, as an argument of ereport. */
static int
fault_message(OptionFault fault, const DefElem *elem)
{
	const DynOptionDef *def = dyn_option_find(elem->defname);
	const char *value = dyn_option_value(elem);

	switch (fault)
	{
		case OPTION_UNKNOWN:
			errcode(ERRCODE_FDW_INVALID_OPTION_NAME);
			return errmsg("invalid option \"%s\"", elem->defname);
		default:
			errcode(ERRCODE_INVALID_PARAMETER_VALUE);
			if (may_show(def, value))
				return errmsg("invalid value for option \"%s\": \"%s\"", def->name, value);
			return errmsg("invalid value for option \"%s\"", def->name);
	}
}

/* Raises what is wrong with an option. */
static void
check_option(const DefElem *elem, DynOptionPlace where, const char *owner)
{
	const char *hint;
	OptionFault fault = find_fault(elem, where, &hint);

	if (fault == OPTION_FINE)
		return;
	if (fault == OPTION_UNKNOWN)
		hint = name_hint(elem->defname, where);
	ereport(ERROR,
			(fault_message(fault, elem),
			 hint ? errhint("%s", hint) : 0,
			 owner ? errcontext("options of %s", owner) : 0));
}

/* ---- options together ---- */

/* Is it among the options? */
static bool
has_option(List *options, const char *name)
{
	return dyn_option_text(name, options, NIL) != NULL;
}

/* Raises that this option, as it is, is a superuser's. */
static void
refuse_to_lend(const char *name, const char *when)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for a user mapping with option \"%s\"%s", name, when),
			 errhint("It lends the credentials of the server process: only a superuser may make or change such a user mapping.")));
}

void
dyn_options_check_mapping(List *options)
{
	static const char *const needed[][2] = {
		{"session_token", "access_key_id"}, {"external_id", "role_arn"}, {"role_session_name", "role_arn"},
		{"duration_seconds", "role_arn"}
	};
	bool		has_keys = has_option(options, "access_key_id");

	if (has_keys != has_option(options, "secret_access_key"))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("options \"access_key_id\" and \"secret_access_key\" go together")));
	for (size_t i = 0; i < lengthof(needed); i++)
		if (has_option(options, needed[i][0]) && !has_option(options, needed[i][1]))
			ereport(ERROR,
					(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
					 errmsg("option \"%s\" needs option \"%s\"", needed[i][0], needed[i][1])));
	if (superuser())
		return;
	if (!dyn_option_bool("credentials_required", options, NIL))
		refuse_to_lend("credentials_required", " set to false");
	if (has_option(options, "profile"))
		refuse_to_lend("profile", "");
	if (has_option(options, "role_arn") && !has_keys)
		refuse_to_lend("role_arn", " and without keys of its own");
}

/* Raises what valid options lack, or must not be together. */
static void
check_together(List *options, DynOptionPlace where)
{
	if (where == DYN_ON_SERVER && !has_option(options, "region"))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("option \"region\" is required for a server"),
				 errhint("Set the AWS region, for example OPTIONS (region 'us-west-2').")));
	if (where == DYN_ON_MAPPING)
		dyn_options_check_mapping(options);
	if (where == DYN_ON_TABLE && has_option(options, "ttl_attribute") && dyn_option_interval("ttl", options, NIL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("option \"ttl_attribute\" of a foreign table needs a \"ttl\""),
				 errhint("The attribute holds the event time plus \"ttl\": set, for example, ttl '1 day'.")));
	if (where == DYN_ON_SERVER || where == DYN_ON_TABLE)
		dyn_settings_check_together(options);
	if (where == DYN_ON_COLUMN &&
		dyn_option_bool("entity_key", options, NIL) && dyn_option_bool("event_timestamp", options, NIL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a column cannot be both \"entity_key\" and \"event_timestamp\"")));
}

void
dyn_options_check(List *options, DynOptionPlace where, const char *owner)
{
	ListCell   *lc;

	foreach(lc, options)
		check_option(lfirst_node(DefElem, lc), where, owner);
}

const char *
dyn_options_wrong(List *options, DynOptionPlace where)
{
	const char *hint;
	ListCell   *lc;

	foreach(lc, options)
		if (find_fault(lfirst_node(DefElem, lc), where, &hint) != OPTION_FINE)
			return lfirst_node(DefElem, lc)->defname;
	return NULL;
}

Datum
dynamo_fdw_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));
	DynOptionPlace where = place_of_catalog(PG_GETARG_OID(1));

	dyn_options_check(options, where, NULL);
	check_together(options, where);
	PG_RETURN_VOID();
}
