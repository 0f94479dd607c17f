/*
 * ddl_functions.c
 *	  SQL functions that act on remote tables and their records by hand.
 *
 * Everybody may call them; they act on what the caller has the owner's role for.
 */
#include "pg/util/export.h"

#include "access/xlog.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "pg/ddl/ddl_client.h"
#include "pg/ddl/ddl_job.h"
#include "pg/ddl/ddl_leftover.h"
#include "pg/ddl/ddl_lock.h"
#include "pg/ddl/ddl_make.h"
#include "pg/ddl/ddl_note.h"
#include "pg/ddl/ddl_owed.h"
#include "pg/ddl/ddl_record.h"
#include "pg/ddl/ddl_setting.h"
#include "pg/ddl/ddl_target.h"
#include "pg/util/error.h"
#include "pg/util/extension.h"
#include "pg/util/guc.h"

extern PGDLLEXPORT Datum dynamo_fdw_create_table(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum dynamo_fdw_alter_table(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum dynamo_fdw_drop_table(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum dynamo_fdw_delete_pending(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum dynamo_fdw_forget(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum dynamo_fdw_claim(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(dynamo_fdw_create_table);
PG_FUNCTION_INFO_V1(dynamo_fdw_alter_table);
PG_FUNCTION_INFO_V1(dynamo_fdw_drop_table);
PG_FUNCTION_INFO_V1(dynamo_fdw_delete_pending);
PG_FUNCTION_INFO_V1(dynamo_fdw_forget);
PG_FUNCTION_INFO_V1(dynamo_fdw_claim);

/* Raises where records can't be written. */
static void
check_writable(const char *function)
{
	PreventCommandIfReadOnly(function);
	dyn_records_require();
}

/* Raises where nothing may be written, here or there. */
static void
check_active(const char *function)
{
	check_writable(function);
	if (!dyn_guc_remote_ddl())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s does nothing while dynamo_fdw.remote_ddl is off", function)));
}

/* A foreign table of ours, which the caller must own; raises. */
static DynTarget *
own_target(Oid relid)
{
	dyn_extension_require_own_table(relid);
	return dyn_target_new(relid);
}

/*
 * Makes the remote table of a foreign table, as CREATE does.  Nobody else writes
 * by the foreign table until the transaction's end: a rollback deletes what it
 * made.
 */
Datum
dynamo_fdw_create_table(PG_FUNCTION_ARGS)
{
	DynTarget  *target;

	check_active("dynamo_fdw_create_table()");
	own_target(PG_GETARG_OID(0));	/* who may not have it locks nothing */
	LockRelationOid(PG_GETARG_OID(0), ShareRowExclusiveLock);
	target = own_target(PG_GETARG_OID(0));
	if (!target->rel->create_remote_table)
		dyn_target_refuse_option(target, "create_remote_table", "false");
	dyn_ddl_make(list_make1(target), -1);
	PG_RETURN_VOID();
}

/*
 * Changes the remote table of a foreign table, before COMMIT, to have all settings
 * that the options say.  Until then it gets no other owner, whose keys would sign.
 */
Datum
dynamo_fdw_alter_table(PG_FUNCTION_ARGS)
{
	DynTarget  *target;

	check_active("dynamo_fdw_alter_table()");
	own_target(PG_GETARG_OID(0));	/* who may not have it locks nothing */
	LockRelationOid(PG_GETARG_OID(0), ShareUpdateExclusiveLock);
	target = own_target(PG_GETARG_OID(0));
	if (!target->rel->create_remote_table)
		dyn_target_refuse_option(target, "create_remote_table", "false");
	dyn_setting_note(target, dyn_target_settings(target)->settings.known);
	PG_RETURN_VOID();
}

/* Deletes the remote table of a foreign table that stays, after COMMIT, as DROP does. */
Datum
dynamo_fdw_drop_table(PG_FUNCTION_ARGS)
{
	DynTarget  *target;

	check_active("dynamo_fdw_drop_table()");
	target = own_target(PG_GETARG_OID(0));
	if (target->rel->drop_policy == DYN_DROP_NEVER)
		dyn_target_refuse_option(target, "drop_remote_table", "never");
	dyn_note_drop(&target->rel->remote, target->rel->drop_policy, target->rel->serverid, target->owner,
				  target->rel->relid, target->name);
	PG_RETURN_VOID();
}

/* Deletes what is owed; the number of tables that are gone. */
Datum
dynamo_fdw_delete_pending(PG_FUNCTION_ARGS)
{
	check_active("dynamo_fdw_delete_pending()");
	dyn_leftovers_retry();
	PG_RETURN_INT32(dyn_owed_delete(GetUserId()));
}

/* ---- records ---- */

/* The record with this number, read under the lock on its remote name; raises. */
static DynRecord *
locked_record(int64 id)
{
	for (int round = 0; round < 2; round++)
	{
		ListCell   *lc;

		foreach(lc, dyn_records())
		{
			DynRecord  *record = lfirst(lc);

			if (record->id != id || !has_privs_of_role(GetUserId(), record->owner))
				continue;
			if (round == 1)
				return record;
			dyn_ddl_lock(record->region, record->table);
			break;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("there is no record %lld, or it is another role's", (long long) id),
			 errhint("dynamo_fdw_plan() lists the records.")));
	return NULL;
}

/* Ends a record without deleting its table. */
Datum
dynamo_fdw_forget(PG_FUNCTION_ARGS)
{
	check_writable("dynamo_fdw_forget()");
	dyn_record_end(locked_record(PG_GETARG_INT64(0)));
	PG_RETURN_VOID();
}

/* What the remote table of the target is now, seen by its owner; raises. */
static DynTableDescription
look_at_target(const DynTarget *target)
{
	DynErrorContext context = {DYN_OP_DESCRIBE_TABLE, target->rel->remote.table, target->rel->feature_view, NULL};
	DynSignerLack lack;
	const DynSigner *signer = dyn_note_signer(target->rel->serverid, target->owner, &lack);
	DynStatus	status;
	DynDdlClient *client = NULL;
	DynTableJob job;
	DynTableJob *jobs[] = {&job};

	if (signer)
		client = dyn_ddl_client_get(signer, &status);
	else
		dyn_signer_status(lack, target->rel->serverid, target->owner, &status);
	if (client == NULL)
		dyn_report(ERROR, &status, NULL);
	dyn_table_job_init(&job, dyn_ddl_client_of(client), target->rel->remote.table, DYN_OP_DESCRIBE_TABLE);
	dyn_ddl_jobs_wait(jobs, 1, DYN_DDL_BUDGET_MS);
	if (job.status.cls != DYN_OK)
		dyn_report(ERROR, &job.status, &context);
	return job.description;
}

/*
 * Makes a record that another cluster or database wrote one of this database's,
 * for the foreign table that means its remote table: after pg_upgrade.  Returns
 * its number.
 */
Datum
dynamo_fdw_claim(PG_FUNCTION_ARGS)
{
	DynTarget  *target;
	DynTableDescription shown;
	ListCell   *lc;

	check_writable("dynamo_fdw_claim()");
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be superuser to claim remote tables")));
	target = own_target(PG_GETARG_OID(0));
	dyn_ddl_lock(target->rel->remote.region, target->rel->remote.table);
	shown = look_at_target(target);
	foreach(lc, dyn_records_at(dyn_records_of_all(), target->rel->remote.region, target->rel->remote.table))
	{
		DynRecord  *old = lfirst(lc);
		DynRecord  *record;

		if (!dyn_record_matches(old, &shown))
			continue;
		record = dyn_record_new(DYN_RECORD_MADE, target->rel->serverid, target->owner, &target->rel->remote, &shown);
		dyn_record_end(old);
		dyn_record_write(record);
		PG_RETURN_INT64(record->id);
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("no record says that remote table \"%s\" was made by CREATE FOREIGN TABLE", target->rel->remote.table),
			 errhint("DROP keeps it, unless drop_remote_table is 'always'.")));
}
