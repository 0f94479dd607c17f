/*
 * dynamo_fdw.c
 *	  The module: its entry point and the wrapper's handler.
 */
#include "pg/util/export.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "core/ddb_reply.h"
#include "core/sigv4.h"
#include "net/http.h"
#include "pg/ddl/ddl.h"
#include "pg/import/import.h"
#include "pg/join/join.h"
#include "pg/session/stays.h"
#include "pg/util/fdw.h"
#include "pg/util/guc.h"
#include "pg/write/progress_slots.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);
extern PGDLLEXPORT Datum dynamo_fdw_handler(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(dynamo_fdw_handler);
extern PGDLLEXPORT Datum dynamo_fdw_version(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(dynamo_fdw_version);

/* Called when the module is loaded. Nothing here touches libcurl: it must not be initialized in the postmaster. */
void
_PG_init(void)
{
	dyn_guc_init();
	dyn_unkeyed_init();
	dyn_unique_init();
	dyn_join_init();
	dyn_ddl_init();
	dyn_stays_init();
	dyn_progress_slots_init();
}

/* SQL function: the callbacks of the wrapper. */
Datum
dynamo_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	routine->GetForeignRelSize = dynamoGetForeignRelSize;
	routine->GetForeignPaths = dynamoGetForeignPaths;
	routine->GetForeignPlan = dynamoGetForeignPlan;
	routine->BeginForeignScan = dynamoBeginForeignScan;
	routine->IterateForeignScan = dynamoIterateForeignScan;
	routine->ReScanForeignScan = dynamoReScanForeignScan;
	routine->EndForeignScan = dynamoEndForeignScan;

	routine->IsForeignRelUpdatable = dynamoIsForeignRelUpdatable;
	routine->AddForeignUpdateTargets = dynamoAddForeignUpdateTargets;
	routine->PlanForeignModify = dynamoPlanForeignModify;
	routine->BeginForeignModify = dynamoBeginForeignModify;
	routine->ExecForeignInsert = dynamoExecForeignInsert;
	routine->ExecForeignUpdate = dynamoExecForeignUpdate;
	routine->ExecForeignDelete = dynamoExecForeignDelete;
	routine->EndForeignModify = dynamoEndForeignModify;
	routine->BeginForeignInsert = dynamoBeginForeignInsert;
	routine->EndForeignInsert = dynamoEndForeignInsert;
	routine->ExecForeignTruncate = dynamoExecForeignTruncate;

	routine->ImportForeignSchema = dynamoImportForeignSchema;

	routine->ExplainForeignScan = dynamoExplainForeignScan;
	routine->ExplainForeignModify = dynamoExplainForeignModify;
	PG_RETURN_POINTER(routine);
}

/*
 * SQL function: versions of this module and of the libraries that it runs with,
 * which may be others than those it was compiled with.
 */
Datum
dynamo_fdw_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("dynamo_fdw %s, compiled for PostgreSQL %s, %s, %s, json-c %s",
											  DYNAMO_FDW_VERSION, PG_VERSION, dyn_http_version(),
											  dyn_openssl_version(), dyn_json_c_version())));
}
