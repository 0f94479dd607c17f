/*
 * option.c
 *	  The table of options, and lookups in it.
 */
#include "pg/util/export.h"

#include <float.h>

#include "commands/defrem.h"
#include "common/int.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

#include "core/sts.h"
#include "core/table_settings.h"
#include "pg/table/option.h"

static const char *const retry_modes[] = {"standard", "adaptive", NULL};
static const char *const drop_policies[] = {"created", "always", "never", NULL};
static const char *const update_modes[] = {"update_item", "rewrite", NULL};
static const char *const registry_types[] = {"file", "sql", NULL};
static const char *const write_modes[] = {"overwrite", "latest", NULL};

#define S DYN_ON_SERVER
#define T DYN_ON_TABLE
#define U DYN_ON_MAPPING
#define C DYN_ON_COLUMN

#define SUPERUSER DYN_OPT_SUPERUSER

/* A row, and the short forms of common ones.  `flags` is 0 in most. */
#define OPT(name, where, kind, fallback, flags) {name, where, DYN_OPT_##kind, fallback, 0, 0, NULL, flags}
#define OPT_TEXT(name, where, flags) OPT(name, where, TEXT, NULL, flags)
#define OPT_BOOL(name, where, fallback, flags) OPT(name, where, BOOL, fallback, flags)
#define OPT_CHOICE(name, where, fallback, choices, flags) {name, where, DYN_OPT_CHOICE, fallback, 0, 0, choices, flags}
#define OPT_INT(name, where, fallback, min, max) {name, where, DYN_OPT_INT, fallback, min, max, NULL, 0}
#define OPT_REAL(name, where, fallback, min, max) {name, where, DYN_OPT_REAL, fallback, min, max, NULL, 0}
#define OPT_INTERVAL(name, where, max) {name, where, DYN_OPT_INTERVAL, NULL, 0, max, NULL, 0}
#define OPT_SECRET(name, where, max) {name, where, DYN_OPT_TEXT, NULL, 0, max, NULL, DYN_OPT_SECRET}

/* The longest duration that protobuf has, and so Feast's registry: 10,000 years. */
#define MAX_DURATION_SECONDS 315576000000.0

/* More than any table has. */
#define MAX_UNITS 1000000000

/* Names are Feast's, AWS's or postgres_fdw's wherever they have one. */
const DynOptionDef dyn_option_defs[] = {
	OPT("region", S, REGION, NULL, 0),
	OPT_TEXT("project", S | T, 0),
	OPT("table_name_template", S, TEMPLATE, "{project}.{table_name}", 0),
	OPT_INT("batch_size", S | T, "100", 1, 100),
	OPT_INT("max_read_workers", S | T, "10", 1, 100),
	OPT_INT("max_write_workers", S | T, "10", 1, 100),
	OPT_BOOL("consistent_reads", S | T, "false", 0),
	OPT_BOOL("consumed_capacity", S | T, "false", 0),
	OPT("tags", S | T, TAGS, NULL, 0),
	OPT_BOOL("deletion_protection", S | T, NULL, 0),
	OPT_CHOICE("billing_mode", S | T, NULL, dyn_billing_modes, 0),
	OPT_INT("read_capacity", S | T, NULL, 1, MAX_UNITS),
	OPT_INT("write_capacity", S | T, NULL, 1, MAX_UNITS),
	OPT("max_read_units", S | T, CEILING, NULL, 0),
	OPT("max_write_units", S | T, CEILING, NULL, 0),
	OPT_CHOICE("table_class", S | T, NULL, dyn_table_classes, 0),
	OPT("warm_throughput", S | T, WARM_THROUGHPUT, NULL, 0),
	OPT("sse_kms_key", S | T, KMS_KEY, NULL, 0),
	OPT_BOOL("point_in_time_recovery", S | T, NULL, 0),
	OPT_CHOICE("stream_view_type", S | T, NULL, dyn_stream_views, 0),
	OPT_BOOL("session_based_auth", S, "false", 0),
	OPT("sts_endpoint_url", S, URL, NULL, SUPERUSER),
	OPT("endpoint_url", S, URL, NULL, 0),
	OPT_BOOL("use_fips_endpoint", S, "false", 0),
	OPT_BOOL("use_dualstack_endpoint", S, "false", 0),
	OPT_REAL("connect_timeout", S, "5", 0.001, 3600),
	OPT_REAL("read_timeout", S, "10", 0.001, 3600),
	OPT_INT("total_max_retry_attempts", S, "4", 1, 100),
	OPT_CHOICE("retry_mode", S, "standard", retry_modes, 0),
	OPT_INT("max_pool_connections", S, "50", 1, 1000),
	OPT_REAL("keepalive_timeout", S, "30", 1, 3600),
	OPT_BOOL("warmup_connections", S, "false", 0),
	OPT("ca_bundle", S, FILE, NULL, SUPERUSER),
	OPT_INT("entity_key_serialization_version", S, "3", 2, 3),
	OPT("registry", S, REGISTRY, NULL, 0),
	OPT_CHOICE("registry_type", S, "file", registry_types, 0),
	OPT("registry_region", S, REGION, NULL, 0),
	OPT("registry_endpoint_url", S, URL, NULL, 0),
	OPT_BOOL("enable_online_feature_view_versioning", S, "false", 0),
	OPT_BOOL("full_feature_names", S, "false", 0),
	OPT_BOOL("include_event_timestamps", S, "false", 0),
	OPT_BOOL("create_remote_table", S | T, "true", 0),
	OPT_CHOICE("drop_remote_table", S | T, "created", drop_policies, 0),
	OPT_CHOICE("update_mode", S | T, "update_item", update_modes, 0),
	OPT_REAL("fdw_startup_cost", S | T, "100", 0, DBL_MAX),
	OPT_REAL("fdw_tuple_cost", S | T, "0.2", 0, DBL_MAX),
	OPT_TEXT("feature_view", T, 0),
	OPT("table_name", T, TABLE_NAME, NULL, 0),
	OPT_BOOL("entityless", T, "false", 0),
	OPT_INTERVAL("ttl", T, MAX_DURATION_SECONDS),
	OPT("ttl_attribute", S | T, ATTRIBUTE, NULL, 0),
	OPT_CHOICE("write_mode", T, "overwrite", write_modes, 0),
	OPT_TEXT("batch_source", T, 0),
	OPT_TEXT("timestamp_field", T, 0),
	OPT_TEXT("created_timestamp_column", T, 0),
	OPT_INTERVAL("source_ttl", T, MAX_DURATION_SECONDS),
	OPT_BOOL("managed", T | C, "false", 0),
	OPT_BOOL("entity_key", C, "false", 0),
	OPT_BOOL("event_timestamp", C, "false", 0),
	OPT_TEXT("name", C, 0),
	OPT_TEXT("source_column", C, 0),
	OPT("value_type", C, VALUE_TYPE, NULL, 0),
	OPT_SECRET("access_key_id", U, 128),
	OPT_SECRET("secret_access_key", U, 1024),
	OPT_SECRET("session_token", U, 16384),
	OPT_TEXT("profile", U, 0),
	OPT("role_arn", U, ROLE_ARN, NULL, 0),
	OPT("external_id", U, EXTERNAL_ID, NULL, 0),
	OPT("role_session_name", U, SESSION_NAME, NULL, 0),
	OPT_INT("duration_seconds", U, NULL, DYN_ROLE_SECONDS_MIN, DYN_ROLE_SECONDS_MAX),
	OPT_BOOL("credentials_required", U, "true", 0),
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

const char *
dyn_option_value(const DefElem *elem)
{
	return elem->arg ? defGetString((DefElem *) elem) : "";
}

const char *
dyn_option_given(const char *name, List *options)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		const DefElem *elem = lfirst_node(DefElem, lc);

		if (strcmp(elem->defname, name) == 0)
			return dyn_option_value(elem);
	}
	return NULL;
}

const char *
dyn_option_text(const char *name, List *first, List *second)
{
	const char *value = dyn_option_given(name, first);

	if (value == NULL)
		value = dyn_option_given(name, second);
	return value ? value : dyn_option_find(name)->fallback;
}

bool
dyn_option_bool(const char *name, List *first, List *second)
{
	bool		result = false;

	parse_bool(dyn_option_text(name, first, second), &result);
	return result;
}

int
dyn_option_int(const char *name, List *first, List *second)
{
	return atoi(dyn_option_text(name, first, second));
}

double
dyn_option_real(const char *name, List *first, List *second)
{
	return strtod(dyn_option_text(name, first, second), NULL);
}

/* Splits an interval into years, months, days and microseconds, as the server's own type does. */
static bool
decode_interval(const char *text, struct pg_itm_in *parts)
{
	char	   *fields[MAXDATEFIELDS];
	int			types[MAXDATEFIELDS];
	char		buffer[256];
	int			nfields;
	int			kind = DTK_DELTA;
	int			fault;

	fault = ParseDateTime(text, buffer, sizeof(buffer), fields, types, MAXDATEFIELDS, &nfields);
	if (fault == 0)
		fault = DecodeInterval(fields, types, nfields, INTERVAL_FULL_RANGE, &kind, parts);
	if (fault == DTERR_BAD_FORMAT)
		fault = DecodeISO8601Interval((char *) text, &kind, parts);
	return fault == 0 && kind == DTK_DELTA; /* the other kinds are infinite */
}

bool
dyn_interval_parse(const char *text, int64 *micros)
{
	struct pg_itm_in parts = {0};
	int64		days;
	int64		sum;

	/* by the setting IntervalStyle a minus sign is one of the first number, or of all */
	if (strchr(text, '-') || !decode_interval(text, &parts) || parts.tm_year != 0 || parts.tm_mon != 0 ||
		pg_mul_s64_overflow(parts.tm_mday, USECS_PER_DAY, &days) || pg_add_s64_overflow(days, parts.tm_usec, &sum) ||
		sum < 0)
		return false;
	*micros = sum;
	return true;
}

int64
dyn_option_interval(const char *name, List *first, List *second)
{
	const char *value = dyn_option_text(name, first, second);
	int64		micros = 0;

	if (value)
		dyn_interval_parse(value, &micros);
	return micros;
}

bool
dyn_option_endpoint(List *server_options, DynEndpoint *endpoint)
{
	const char *url = dyn_option_text("endpoint_url", server_options, NIL);
	const char *region = dyn_option_text("region", server_options, NIL);
	const char *why;

	if (url)
		return dyn_endpoint_parse(url, endpoint, &why);
	return region && dyn_endpoint_of_region(DYN_SERVICE_DYNAMODB, region,
											dyn_option_bool("use_fips_endpoint", server_options, NIL),
											dyn_option_bool("use_dualstack_endpoint", server_options, NIL), endpoint);
}

const char *
dyn_option_signing_region(List *server_options)
{
	const char *region = dyn_option_text("region", server_options, NIL);

	return region == NULL || dyn_option_text("endpoint_url", server_options, NIL) ? region : dyn_signing_region(region);
}
