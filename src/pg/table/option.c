/*
 * option.c
 *	  The table of options, and lookups in it.
 */
#include "pg/util/export.h"

#include <float.h>

#include "commands/defrem.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"

#include "pg/table/option.h"

static const char *const retry_modes[] = {"standard", "adaptive", NULL};
static const char *const drop_policies[] = {"created", "always", "never", NULL};
static const char *const write_modes[] = {"overwrite", "latest", NULL};

#define S DYN_ON_SERVER
#define T DYN_ON_TABLE
#define U DYN_ON_MAPPING
#define C DYN_ON_COLUMN

/* Names are Feast's, AWS's or postgres_fdw's wherever they have one. */
const DynOptionDef dyn_option_defs[] = {
	{"region", S, DYN_OPT_REGION, NULL, 0, 0, NULL, 0},
	{"project", S | T, DYN_OPT_TEXT, NULL, 0, 0, NULL, 0},
	{"table_name_template", S, DYN_OPT_TEMPLATE, "{project}.{table_name}", 0, 0, NULL, 0},
	{"batch_size", S | T, DYN_OPT_INT, "100", 1, 100, NULL, 0},
	{"max_read_workers", S | T, DYN_OPT_INT, "10", 1, 100, NULL, 0},
	{"max_write_workers", S | T, DYN_OPT_INT, "10", 1, 100, NULL, 0},
	{"consistent_reads", S | T, DYN_OPT_BOOL, "false", 0, 0, NULL, 0},
	{"consumed_capacity", S | T, DYN_OPT_BOOL, "false", 0, 0, NULL, 0},
	{"tags", S | T, DYN_OPT_TAGS, NULL, 0, 0, NULL, DYN_OPT_LATER},
	{"session_based_auth", S, DYN_OPT_BOOL, "false", 0, 0, NULL, DYN_OPT_LATER},
	{"endpoint_url", S, DYN_OPT_URL, NULL, 0, 0, NULL, 0},
	{"use_fips_endpoint", S, DYN_OPT_BOOL, "false", 0, 0, NULL, DYN_OPT_LATER},
	{"use_dualstack_endpoint", S, DYN_OPT_BOOL, "false", 0, 0, NULL, DYN_OPT_LATER},
	{"connect_timeout", S, DYN_OPT_REAL, "5", 0.001, 3600, NULL, 0},
	{"read_timeout", S, DYN_OPT_REAL, "10", 0.001, 3600, NULL, 0},
	{"total_max_retry_attempts", S, DYN_OPT_INT, "4", 1, 100, NULL, 0},
	{"retry_mode", S, DYN_OPT_CHOICE, "standard", 0, 0, retry_modes, 0},
	{"max_pool_connections", S, DYN_OPT_INT, "50", 1, 1000, NULL, 0},
	{"keepalive_timeout", S, DYN_OPT_REAL, "30", 1, 3600, NULL, 0},
	{"warmup_connections", S, DYN_OPT_BOOL, "false", 0, 0, NULL, 0},
	{"ca_bundle", S, DYN_OPT_FILE, NULL, 0, 0, NULL, DYN_OPT_SUPERUSER},
	{"entity_key_serialization_version", S, DYN_OPT_INT, "3", 2, 3, NULL, 0},
	{"create_remote_table", S | T, DYN_OPT_BOOL, "true", 0, 0, NULL, 0},
	{"drop_remote_table", S | T, DYN_OPT_CHOICE, "created", 0, 0, drop_policies, 0},
	{"fdw_startup_cost", S | T, DYN_OPT_REAL, "100", 0, DBL_MAX, NULL, 0},
	{"fdw_tuple_cost", S | T, DYN_OPT_REAL, "0.2", 0, DBL_MAX, NULL, 0},
	{"feature_view", T, DYN_OPT_TEXT, NULL, 0, 0, NULL, 0},
	{"table_name", T, DYN_OPT_TABLE_NAME, NULL, 0, 0, NULL, 0},
	{"ttl", T, DYN_OPT_INTERVAL, NULL, 0, 0, NULL, DYN_OPT_LATER},
	{"write_mode", T, DYN_OPT_CHOICE, "overwrite", 0, 0, write_modes, DYN_OPT_LATER},
	{"entity_key", C, DYN_OPT_BOOL, "false", 0, 0, NULL, 0},
	{"event_timestamp", C, DYN_OPT_BOOL, "false", 0, 0, NULL, 0},
	{"name", C, DYN_OPT_TEXT, NULL, 0, 0, NULL, 0},
	{"value_type", C, DYN_OPT_VALUE_TYPE, NULL, 0, 0, NULL, 0},
	{"access_key_id", U, DYN_OPT_TEXT, NULL, 0, 128, NULL, DYN_OPT_SECRET},
	{"secret_access_key", U, DYN_OPT_TEXT, NULL, 0, 1024, NULL, DYN_OPT_SECRET},
	{"session_token", U, DYN_OPT_TEXT, NULL, 0, 16384, NULL, DYN_OPT_SECRET},
	{"profile", U, DYN_OPT_TEXT, NULL, 0, 0, NULL, DYN_OPT_SUPERUSER | DYN_OPT_LATER},
	{"role_arn", U, DYN_OPT_TEXT, NULL, 0, 0, NULL, DYN_OPT_SUPERUSER | DYN_OPT_LATER},
	{"external_id", U, DYN_OPT_TEXT, NULL, 0, 0, NULL, DYN_OPT_SUPERUSER | DYN_OPT_LATER},
	{"credentials_required", U, DYN_OPT_BOOL, "true", 0, 0, NULL, DYN_OPT_SUPERUSER | DYN_OPT_LATER},
	{0}
};

const DynOptionDef *
dyn_option_find(const char *name)
{
	for (const DynOptionDef *def = dyn_option_defs; def->name; def++)
		if (strcmp(def->name, name) == 0)
			return def;
	return NULL;
}

static const char *
find_value(const char *name, List *options)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *elem = lfirst_node(DefElem, lc);

		if (strcmp(elem->defname, name) == 0)
			return defGetString(elem);
	}
	return NULL;
}

const char *
dyn_option_text(const char *name, List *first, List *second)
{
	const char *value = find_value(name, first);

	if (value == NULL)
		value = find_value(name, second);
	return value ? value : dyn_option_find(name)->fallback;
}

bool
dyn_option_bool(const char *name, List *first, List *second)
{
	bool		result = false;

	if (!parse_bool(dyn_option_text(name, first, second), &result))
		elog(ERROR, "option \"%s\" is not a Boolean", name);
	return result;
}

int
dyn_option_int(const char *name, List *first, List *second)
{
	return pg_strtoint32(dyn_option_text(name, first, second));
}

double
dyn_option_real(const char *name, List *first, List *second)
{
	return strtod(dyn_option_text(name, first, second), NULL);
}

bool
dyn_option_endpoint(List *server_options, DynEndpoint *endpoint)
{
	const char *url = dyn_option_text("endpoint_url", server_options, NIL);
	const char *region = dyn_option_text("region", server_options, NIL);
	const char *why;

	if (url)
		return dyn_endpoint_parse(url, endpoint, &why);
	return region && dyn_endpoint_of_region(region, endpoint);
}
