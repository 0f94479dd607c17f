/*
 * ddl_truncate.c
 *	  TRUNCATE.
 */
#include "pg/util/export.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "nodes/parsenodes.h"
#include "tcop/pquery.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "pg/ddl/ddl_door.h"
#include "pg/ddl/ddl_job.h"
#include "pg/ddl/ddl_leftover.h"
#include "pg/ddl/ddl_lock.h"
#include "pg/ddl/ddl_make.h"
#include "pg/ddl/ddl_record.h"
#include "pg/ddl/ddl_reference.h"
#include "pg/ddl/ddl_target.h"
#include "pg/ddl/ddl_truncate.h"
#include "pg/session/emptied.h"
#include "pg/util/error.h"
#include "pg/util/fdw.h"
#include "pg/util/guc.h"

/* Waits no longer than this for tables to be gone, and to be there again. */
#define TRUNCATE_BUDGET_MS 60000

/* One of the foreign tables, in TopTransactionContext. */
typedef struct Truncation
{
	DynTarget  *target;
	DynDeletion *deletion;
} Truncation;

static List *truncations = NIL;

/* ---- the statement ---- */

/* Does the client's own statement truncate here?  Its triggers alone could do it in its place. */
static bool
is_top_level(void)
{
	PlannedStmt *stmt;

	if (ActivePortal == NULL || list_length(ActivePortal->stmts) != 1)
		return false;
	stmt = linitial_node(PlannedStmt, ActivePortal->stmts);
	return stmt->utilityStmt && IsA(stmt->utilityStmt, TruncateStmt) &&
		DatumGetInt32(OidFunctionCall0(F_PG_TRIGGER_DEPTH)) == 0;
}

/* Raises unless the transaction has nothing but this statement; then its commit is sure to follow. */
static void
require_statement_of_its_own(const char *name)
{
	bool		is_alone = is_top_level();

	if (IsInTransactionBlock(is_alone))
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("TRUNCATE of foreign table \"%s\" must be a statement of its own", name),
				 errdetail("It deletes the remote table and makes it again, which no ROLLBACK can undo."),
				 errhint("Run it outside of transaction blocks, functions, triggers and pipelines, or DELETE rows by their entity keys.")));
	PreventInTransactionBlock(is_alone, "TRUNCATE of foreign tables");
}

/* Raises that TRUNCATE does nothing in this session. */
static void
require_remote_ddl(const char *name)
{
	const char *setting = !dyn_guc_remote_ddl() ? "dynamo_fdw.remote_ddl is off" :
		SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA ? "session_replication_role is replica" : NULL;

	if (setting)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("foreign table \"%s\" cannot be truncated while %s", name, setting)));
}

static void
note_truncation(Relation rel)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Truncation *truncation = palloc0(sizeof(Truncation));
	DynTarget  *target = dyn_target_new(RelationGetRelid(rel));

	if (target->rel->drop_policy == DYN_DROP_NEVER)
		dyn_target_refuse_option(target, "drop_remote_table", "never");
	if (!target->rel->create_remote_table)
		dyn_target_refuse_option(target, "create_remote_table", "false");
	/* options that make no table must not be found out after the deletion */
	dyn_target_settings(target);
	truncation->target = target;
	truncations = lappend(truncations, truncation);
	MemoryContextSwitchTo(old);
	dyn_emptied_note(target->rel->relid);
}

void
dynamoExecForeignTruncate(List *rels, DropBehavior behavior, bool restart_seqs)
{
	const char *name = RelationGetRelationName((Relation) linitial(rels));
	ListCell   *lc;

	require_statement_of_its_own(name);
	require_remote_ddl(name);
	dyn_records_require();
	dyn_leftover_init();
	foreach(lc, rels)
		note_truncation(lfirst(lc));
}

/* ---- deciding ---- */

static int
compare_remote_names(const Truncation *a, const Truncation *b)
{
	return dyn_remote_compare(&a->target->rel->remote, &b->target->rel->remote);
}

static int
compare_truncations(const ListCell *a, const ListCell *b)
{
	return compare_remote_names(lfirst(a), lfirst(b));
}

/* Do two foreign tables mean the same remote table, of the same maker?  Then one truncation is enough. */
static bool
are_the_same(const Truncation *a, const Truncation *b)
{
	return compare_remote_names(a, b) == 0 &&
		a->target->owner == b->target->owner && a->target->rel->serverid == b->target->rel->serverid;
}

/* Leaves one truncation of each remote table. */
static void
drop_repeated(void)
{
	ListCell   *lc;

	foreach(lc, truncations)
	{
		int			i = foreach_current_index(lc);

		for (int j = 0; j < i; j++)
			if (are_the_same(list_nth(truncations, j), lfirst(lc)))
			{
				truncations = foreach_delete_current(truncations, lc);
				break;
			}
	}
}

/* In one order, as all sessions do. */
static void
lock_remote_names(void)
{
	ListCell   *lc;

	list_sort(truncations, compare_truncations);
	dyn_ddl_lock_reserve(list_length(truncations));
	foreach(lc, truncations)
	{
		const DynRemote *remote = &((Truncation *) lfirst(lc))->target->rel->remote;

		dyn_ddl_lock(remote->region, remote->table);
	}
}

/* The foreign tables over remote names, but those that are truncated. */
static DynReferences *
other_references(void)
{
	DynReferences *references = dyn_references_collect();
	ListCell   *lc;

	foreach(lc, truncations)
	{
		const DynRelation *rel = ((Truncation *) lfirst(lc))->target->rel;

		dyn_references_remove(references, rel->relid, rel->remote.region, rel->remote.table);
	}
	return references;
}

/* The records by which the owner of the foreign table may delete its remote table. */
static List *
own_records(const DynTarget *target, List *at_name)
{
	List	   *own = NIL;
	ListCell   *lc;

	foreach(lc, at_name)
	{
		DynRecord  *record = lfirst(lc);

		if (record->owner == target->owner && record->server == target->rel->serverid &&
			record->state != DYN_RECORD_FINAL)
			own = lappend(own, record);
	}
	return own;
}

static DynDeletion *
deletion_for(const DynTarget *target, List *records)
{
	List	   *own = own_records(target, dyn_records_at(records, target->rel->remote.region, target->rel->remote.table));
	DynDeletion *deletion;

	if (own == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("remote table \"%s\" of foreign table \"%s\" cannot be truncated", target->rel->remote.table,
						target->name),
				 errdetail("CREATE FOREIGN TABLE by the foreign table's owner and server did not make it here."),
				 errhint("DELETE rows by their entity keys.")));
	deletion = dyn_deletion_new(linitial(own), target->name);
	deletion->records = own;
	deletion->truncates = true;
	return deletion;
}

/* Finds out, of all tables before anything is sent, that they may go; raises.  Their deletions. */
static List *
judge_truncations(void)
{
	List	   *deletions = NIL;
	DynReferences *references;
	List	   *records;
	ListCell   *lc;

	lock_remote_names();
	records = dyn_records();	/* under the locks */
	references = other_references();
	drop_repeated();
	foreach(lc, truncations)
	{
		Truncation *truncation = lfirst(lc);

		truncation->deletion = deletion_for(truncation->target, records);
		deletions = lappend(deletions, truncation->deletion);
	}
	dyn_door_judge(deletions, references, -1);
	return deletions;
}

/* ---- acting ---- */

/* Is the table gone, or going, or may it be? */
static bool
may_be_deleted(const DynDeletion *deletion)
{
	const DynTableJob *job = &deletion->job;

	return deletion->verdict == DYN_VERDICT_SEND &&
		(!job->done || dyn_table_job_deleted(job) || job->maybe_done);
}

/* Callback for error messages: what has become of remote tables so far. */
static void
add_truncate_context(void *arg)
{
	ListCell   *lc;

	if (!dyn_message_is_error())
		return;
	foreach(lc, truncations)
	{
		const Truncation *truncation = lfirst(lc);

		if (may_be_deleted(truncation->deletion))
			errcontext("TRUNCATE of foreign table \"%s\" had asked DynamoDB to delete remote table \"%s\"; if it is gone, TRUNCATE or dynamo_fdw_create_table() makes it again",
					   truncation->target->name, truncation->target->rel->remote.table);
	}
}

/* Makes again what is gone or going. */
static void
make_again(void)
{
	List	   *targets = NIL;
	ListCell   *lc;

	foreach(lc, truncations)
	{
		Truncation *truncation = lfirst(lc);
		DynDeletion *deletion = truncation->deletion;

		if (deletion->verdict == DYN_VERDICT_SEND && !dyn_table_job_deleted(&deletion->job))
			continue;
		truncation->target->deleted = deletion->record;
		targets = lappend(targets, truncation->target);
	}
	if (targets != NIL)
		dyn_ddl_make(targets, TRUNCATE_BUDGET_MS);
}

/* Raises why a table was not deleted, if one was not. */
static void
report_not_deleted(void)
{
	ListCell   *lc;

	foreach(lc, truncations)
	{
		const Truncation *truncation = lfirst(lc);
		const DynDeletion *deletion = truncation->deletion;
		DynErrorContext context = {DYN_OP_DELETE_TABLE, deletion->record->table, truncation->target->rel->feature_view, NULL};

		if (deletion->verdict == DYN_VERDICT_SEND && !dyn_table_job_deleted(&deletion->job))
			dyn_report(ERROR, &deletion->job.status, &context);
	}
}

/* Where one table can't be deleted, those that are gone are made again all the same. */
static void
delete_and_make(List *deletions)
{
	DynTableJob **jobs = palloc(sizeof(DynTableJob *) * list_length(deletions));
	ErrorContextCallback context = {.callback = add_truncate_context, .previous = error_context_stack};
	int			njobs = dyn_door_jobs(deletions, jobs);

	error_context_stack = &context;
	dyn_ddl_jobs_wait(jobs, njobs, -1);
	make_again();
	report_not_deleted();
	error_context_stack = context.previous;
}

void
dyn_truncate_before_commit(void)
{
	if (truncations == NIL)
		return;
	PushActiveSnapshot(GetLatestSnapshot());
	delete_and_make(judge_truncations());
	ForceSyncCommit();			/* a crash must not lose the record of the new table */
	PopActiveSnapshot();
}

void
dyn_truncate_forget(void)
{
	truncations = NIL;
	dyn_emptied_forget();
}
