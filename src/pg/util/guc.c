/*
 * guc.c
 *	  Settings of the extension.
 */
#include "pg/util/export.h"

#include <limits.h>

#include "utils/guc.h"

#include "core/endpoint_rule.h"
#include "pg/util/guc.h"

static bool remote_ddl = true;
static bool enable_lookup_join = true;
static int	log_min_duration = -1;
static char *allowed_endpoints = NULL;
static unsigned endpoints_serial = 0;

bool
dyn_guc_remote_ddl(void)
{
	return remote_ddl;
}

bool
dyn_guc_enable_lookup_join(void)
{
	return enable_lookup_join;
}

int
dyn_guc_log_min_duration(void)
{
	return log_min_duration;
}

const char *
dyn_guc_allowed_endpoints(void)
{
	return allowed_endpoints ? allowed_endpoints : "";
}

unsigned
dyn_guc_endpoints_serial(void)
{
	return endpoints_serial;
}

static bool
check_endpoints(char **value, void **extra, GucSource source)
{
	const char *fault = dyn_endpoint_patterns_fault(*value);

	if (fault)
		GUC_check_errdetail("In the list of hosts, %s.", fault);
	return fault == NULL;
}

static void
assign_endpoints(const char *value, void *extra)
{
	endpoints_serial++;
}

void
dyn_guc_init(void)
{
	DefineCustomStringVariable("dynamo_fdw.allowed_endpoints",
							   "Sets which hosts servers that no superuser owns may reach, beside AWS's own.",
							   "A list of host names and addresses, separated by commas, in which * stands for any characters.",
							   &allowed_endpoints, "", PGC_SUSET, 0, check_endpoints, assign_endpoints, NULL);
	DefineCustomBoolVariable("dynamo_fdw.remote_ddl",
							 "Lets CREATE and DROP of foreign tables act on DynamoDB.",
							 "Off for restores, clones and migrations: nothing is created, deleted or owned.",
							 &remote_ddl, true, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("dynamo_fdw.enable_lookup_join",
							 "Enables the planner's use of lookup joins.",
							 "Off: a join asks for the entity keys of one row at a time.",
							 &enable_lookup_join, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo_fdw.log_min_duration",
							"Sets the minimum time of a load above which it is logged.",
							"0 logs all loads. -1 turns this off.",
							&log_min_duration, -1, -1, INT_MAX, PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
	MarkGUCPrefixReserved("dynamo_fdw");
}
