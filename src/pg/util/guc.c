/*
 * guc.c
 *	  Settings of the extension.
 */
#include "pg/util/export.h"

#include "utils/guc.h"

#include "pg/util/guc.h"

static bool remote_ddl = true;

bool
dyn_guc_remote_ddl(void)
{
	return remote_ddl;
}

void
dyn_guc_init(void)
{
	DefineCustomBoolVariable("dynamo_fdw.remote_ddl",
							 "Lets CREATE and DROP of foreign tables act on DynamoDB.",
							 "Off for restores, clones and migrations: nothing is created, deleted or owned.",
							 &remote_ddl, true, PGC_SUSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("dynamo_fdw");
}
