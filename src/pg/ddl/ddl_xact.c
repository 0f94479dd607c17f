/*
 * ddl_xact.c
 *	  The end of a transaction that made or dropped foreign tables.
 *
 * At PRE_COMMIT, where errors and catalogs are still allowed, it is decided what
 * goes (ddl_door.c), and records say so.  XACT_EVENT_COMMIT only sends: an error
 * there would be a PANIC of the whole cluster, so it uses malloc, plain poll()
 * and messages of ASCII only, and takes half of DYN_DDL_BUDGET_MS.  An abort
 * deletes at once what this transaction's own CreateTable was answered for.
 */
#include "pg/util/export.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "pg/ddl/ddl_change.h"
#include "pg/ddl/ddl_door.h"
#include "pg/ddl/ddl_job.h"
#include "pg/ddl/ddl_leftover.h"
#include "pg/ddl/ddl_lock.h"
#include "pg/ddl/ddl_note.h"
#include "pg/ddl/ddl_pin.h"
#include "pg/ddl/ddl_setting.h"
#include "pg/ddl/ddl_snapshot.h"
#include "pg/ddl/ddl_truncate.h"
#include "pg/ddl/ddl_xact.h"

/* An abort takes a cancel of its first moments for the echo of the one that caused it. */
#define CANCEL_ECHO_MS 100

#define NOT_ANSWERED "CreateTable was sent, and not answered clearly."

static List *deletions = NIL;	/* of the commit that is going on */
static DynTableJob **commit_jobs = NULL;	/* room for all that XACT_EVENT_COMMIT sends */
static TimestampTz abort_started;

/* ---- deciding, before commit ---- */

static bool
same_name(const DynRemote *a, const DynRemote *b)
{
	return strcmp(a->table, b->table) == 0 && strcmp(a->region, b->region) == 0;
}

/* Was the same remote table dropped through another foreign table as well, from `first` on?  One is enough. */
static bool
seen_before(DynDropped *first, const DynDropped *dropped)
{
	for (DynDropped *other = first; other != dropped; other = other->next)
		if (other->owner == dropped->owner && other->serverid == dropped->serverid)
		{
			if (dropped->policy == DYN_DROP_ALWAYS)
				other->policy = DYN_DROP_ALWAYS;
			return true;
		}
	return false;
}

/* The foreign tables that are over remote names, but those whose remote table is to be deleted by hand. */
static DynReferences *
collect_references(void)
{
	DynReferences *references = dyn_references_collect();

	for (DynDropped *dropped = dyn_notes_dropped(); dropped; dropped = dropped->next)
		if (OidIsValid(dropped->stays))
			dyn_references_remove(references, dropped->stays, dropped->remote.region, dropped->remote.table);
	return references;
}

static bool
has_reference_at(DynReferences *references, const char *region, const char *table, const char *endpoint)
{
	const DynReference *reference = dyn_references_find(references, region, table);

	for (; reference; reference = reference->next)
		if (strcmp(reference->endpoint, endpoint) == 0)
			return true;
	return false;
}

/*
 * Could anything of it have to be deleted?  As seen without a lock, to lock no
 * more than needed.  Another foreign table over the name is no reason not to
 * lock: two sessions that drop one each must not both leave it to the other.
 */
static bool
may_concern_us(const DynDropped *dropped, List *records)
{
	return dropped->policy == DYN_DROP_ALWAYS ||
		dyn_records_at(records, dropped->remote.region, dropped->remote.table) != NIL;
}

/* Whoever asked by hand hears why nothing is deleted; DROP of a foreign table is no demand to delete. */
static void
tell_kept(const DynDropped *dropped, DynReferences *references)
{
	const DynReference *reference = NULL;

	if (references)
		reference = dyn_references_find(references, dropped->remote.region, dropped->remote.table);
	if (OidIsValid(dropped->stays))
		ereport(WARNING,
				(errmsg("remote table \"%s\" is kept", dropped->remote.table),
				 reference ? errdetail("Foreign table \"%s\" uses it.", get_rel_name(reference->relid)) :
				 errdetail("CREATE FOREIGN TABLE did not make it here.")));
}

/* The drops, one for each remote table, and the undone tables that have to be decided: lists of their notes. */
static void
choose_notes(List **drops, List **undone)
{
	List	   *records = dyn_note_records();
	DynDropped *first = NULL;	/* of the same remote name */
	ListCell   *lc;

	*drops = *undone = NIL;
	for (DynDropped *dropped = dyn_notes_dropped(); dropped; dropped = dropped->next)
	{
		if (first == NULL || !same_name(&first->remote, &dropped->remote))
			first = dropped;
		if (!seen_before(first, dropped))	/* else its 'always' counts for the first */
			*drops = lappend(*drops, dropped);
	}
	foreach(lc, *drops)
		if (!may_concern_us(lfirst(lc), records))
		{
			tell_kept(lfirst(lc), NULL);
			*drops = foreach_delete_current(*drops, lc);
		}
	for (DynMade *made = dyn_notes_made(); made; made = made->next)
		if (made->undone && made->ours)
			*undone = lappend(*undone, made);
}

static void
lock_names(List *drops, List *undone)
{
	ListCell   *lc;

	dyn_ddl_lock_reserve(list_length(drops) + list_length(undone));
	foreach(lc, drops)
	{
		DynDropped *dropped = lfirst(lc);

		dyn_ddl_lock(dropped->remote.region, dropped->remote.table);
	}
	/* names of tables that this transaction made are locked since then */
}

/* A record of another role stays as it is: whether its table is to be deleted was his to say. */
static void
leave_to_owner(const DynRecord *record, const DynDropped *dropped, DynReferences *references)
{
	char	   *owner = GetUserNameFromId(record->owner, true);

	if (strcmp(record->endpoint, dropped->remote.endpoint.url) != 0 ||
		has_reference_at(references, record->region, record->table, record->endpoint))
		return;					/* probably another table, or none that should go by now */
	if (dyn_record_is_owed(record))
		ereport(WARNING,
				(errmsg("remote table \"%s\" of foreign table \"%s\" is not deleted yet", dropped->remote.table,
						dropped->name),
				 errdetail("It was made by CREATE FOREIGN TABLE of role \"%s\", whose user mapping has to delete it.",
						   owner ? owner : "?"),
				 errhint("The next CREATE FOREIGN TABLE of that role deletes it, and so does dynamo_fdw_delete_pending().")));
	else
		ereport(WARNING,
				(errmsg("remote table \"%s\" of foreign table \"%s\" is kept", dropped->remote.table, dropped->name),
				 errdetail("It was made by CREATE FOREIGN TABLE of role \"%s\", which did not drop it.",
						   owner ? owner : "?"),
				 errhint("dynamo_fdw_plan() lists its record.")));
}

/* The deletion of a record that is asked for already, by another foreign table over the name; they come together. */
static DynDeletion *
deletion_of(const DynRecord *record)
{
	for (int i = list_length(deletions) - 1; i >= 0; i--)
	{
		DynDeletion *deletion = list_nth(deletions, i);

		if (deletion->record == record)
			return deletion;
		if (strcmp(deletion->record->table, record->table) != 0)
			break;
	}
	return NULL;
}

/* The table of the record is to go, for this foreign table went. */
static void
add_deletion_of_record(const DynDropped *dropped, DynRecord *record)
{
	DynDeletion *deletion = deletion_of(record);
	bool		surely_meant = record->server == dropped->serverid &&
		strcmp(record->endpoint, dropped->remote.endpoint.url) == 0;

	if (deletion == NULL)
	{
		deletion = dyn_deletion_new(record, dropped->name);
		deletion->dropped_server = surely_meant ? InvalidOid : dropped->serverid;
		deletions = lappend(deletions, deletion);
	}
	else if (surely_meant)
		deletion->dropped_server = InvalidOid;
	deletion->by_hand = deletion->by_hand || OidIsValid(dropped->stays);
}

/*
 * Is nothing to be deleted, for a foreign table is over the same remote table?
 * Those of other roles only delay it (by hand they forbid it): the door sees to
 * that.
 */
static bool
is_in_use(const DynDropped *dropped, DynReferences *references)
{
	const DynReference *reference = dyn_references_find(references, dropped->remote.region, dropped->remote.table);

	for (; reference; reference = reference->next)
		if (strcmp(reference->endpoint, dropped->remote.endpoint.url) == 0 &&
			(reference->owner == dropped->owner || OidIsValid(dropped->stays)))
			return true;
	return false;
}

/* What the drop of a role's last foreign table over a name asks for. */
static void
add_deletions_of_drop(const DynDropped *dropped, List *records, DynReferences *references)
{
	List	   *at_name = dyn_records_at(records, dropped->remote.region, dropped->remote.table);
	DynTableDescription unknown = {0};
	DynDeletion *deletion;
	ListCell   *lc;

	if (dropped->policy == DYN_DROP_ALWAYS &&
		!has_reference_at(references, dropped->remote.region, dropped->remote.table, dropped->remote.endpoint.url))
	{
		deletion = dyn_deletion_new(dyn_record_new(DYN_RECORD_PENDING, dropped->serverid, dropped->owner,
												   &dropped->remote, &unknown), dropped->name);
		deletion->any_table = true;
		deletion->by_hand = OidIsValid(dropped->stays);
		deletion->records = at_name;
		deletions = lappend(deletions, deletion);
		return;
	}
	foreach(lc, at_name)
	{
		DynRecord  *record = lfirst(lc);

		if (record->state == DYN_RECORD_FINAL)
			continue;
		if (record->owner != dropped->owner)
			leave_to_owner(record, dropped, references);
		else
			add_deletion_of_record(dropped, record);
	}
}

/* What only a rolled-back part of the transaction made. */
static void
add_deletion_of_made(const DynMade *made)
{
	DynDeletion *deletion = dyn_deletion_new(dyn_record_new(DYN_RECORD_LEFTOVER, made->serverid, made->owner,
															&made->remote, &made->create.description), NULL);

	deletion->client = made->client;
	deletions = lappend(deletions, deletion);
}

static void
decide(void)
{
	List	   *drops;
	List	   *undone;
	List	   *records;
	DynReferences *references;
	ListCell   *lc;

	choose_notes(&drops, &undone);
	dyn_leftover_init();
	if (drops == NIL && undone == NIL)
		return;
	lock_names(drops, undone);
	/* again, now that no other session can change it */
	records = dyn_note_records();
	references = collect_references();
	foreach(lc, drops)
	{
		const DynDropped *dropped = lfirst(lc);

		if (is_in_use(dropped, references))
			tell_kept(dropped, references);
		else
			add_deletions_of_drop(dropped, records, references);
	}
	foreach(lc, undone)
		add_deletion_of_made(lfirst(lc));
	/* a session that ends drops its temporary tables, and asks nobody */
	dyn_door_judge(deletions, references, proc_exit_inprogress ? 0 : DYN_DDL_BUDGET_MS / 2);
	commit_jobs = palloc(sizeof(DynTableJob *) * (list_length(deletions) + 1));
}

/* Once, also where the commit that found it fails. */
static void
add_leftover(DynMade *made, const char *why)
{
	if (!made->left_over)
		dyn_leftover_add(made, why);
	made->left_over = true;
}

/*
 * May the table be there although nobody knows?  CreateTable was sent, and no
 * answer came, whatever another attempt failed for.  A table that was found in
 * use was looked at then.
 */
static bool
may_have_been_made(const DynMade *made)
{
	return !made->ours && made->create.done && made->create.maybe_done &&
		made->create.status.cls != DYN_TABLE_IN_USE;
}

/*
 * Collects the CreateTable calls that are in flight, whose answers decide;
 * `jobs` has room for all.  What was not sent yet is broken off.
 */
static int
collect_creates(DynTableJob **jobs)
{
	int			n = 0;

	for (DynMade *made = dyn_notes_made(); made; made = made->next)
		if (dyn_table_job_sent(&made->create))
			jobs[n++] = &made->create;
		else
			dyn_table_job_stop(&made->create, "broken off");
	return n;
}

/* A subtransaction was broken off while its CreateTable was in flight: waits for the answer. */
static void
finish_undone_creates(void)
{
	DynTableJob **jobs;
	int			n = 0;

	for (DynMade *made = dyn_notes_made(); made; made = made->next)
		n++;
	jobs = palloc(sizeof(DynTableJob *) * n);
	dyn_ddl_jobs_wait(jobs, collect_creates(jobs), DYN_DDL_BUDGET_MS / 2);
	for (DynMade *made = dyn_notes_made(); made; made = made->next)
	{
		if (made->create.done && made->create.status.cls == DYN_OK)
			made->ours = true;
		else if (may_have_been_made(made))
			add_leftover(made, NOT_ANSWERED);
	}
}

/* All of it lives to the end of the transaction. */
static void
decide_before_commit(void)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	dyn_truncate_before_commit();
	if (dyn_notes_made())
		finish_undone_creates();
	dyn_leftovers_write();
	if (dyn_notes_dropped() || dyn_notes_made())
	{
		PushActiveSnapshot(GetLatestSnapshot());
		decide();
		PopActiveSnapshot();
		ForceSyncCommit();		/* a crash must not bring back the foreign table of a remote one that was deleted */
	}
	dyn_change_before_commit();
	MemoryContextSwitchTo(old);
}

/* ---- commit ---- */

/* After COMMIT.  What isn't deleted stays owed by its record. */
static void
send_deletions(void)
{
	ListCell   *lc;

	if (deletions == NIL)
		return;
	dyn_table_jobs_run(commit_jobs, dyn_door_jobs(deletions, commit_jobs), DYN_DDL_BUDGET_MS / 2, dyn_ddl_interrupted);
	foreach(lc, deletions)
	{
		const DynDeletion *deletion = lfirst(lc);

		if (deletion->verdict != DYN_VERDICT_SEND)
			continue;
		if (dyn_table_job_deleted(&deletion->job))
			dyn_leftover_accepted(deletion->record);
		else
			dyn_ddl_warn_not_deleted(deletion->job.table, dyn_ddl_failure(&deletion->job),
									 "Its deletion is pending: the next CREATE FOREIGN TABLE tries again, and so does dynamo_fdw_delete_pending().");
	}
}

/* ---- abort ---- */

/*
 * Is it time to stop the undoing?  A client's cancel reaches the backend as two
 * signals, for the postmaster signals the process and its process group; the
 * second must not break it off.
 */
static bool
interrupted_again(void)
{
	if (QueryCancelPending && !TimestampDifferenceExceeds(abort_started, GetCurrentTimestamp(), CANCEL_ECHO_MS))
		QueryCancelPending = false;
	return dyn_ddl_interrupted();
}

/* Waits for CreateTable calls that are in flight. */
static void
finish_creates(DynTableJob **jobs)
{
	dyn_table_jobs_run(jobs, collect_creates(jobs), DYN_DDL_BUDGET_MS / 2, interrupted_again);
	for (DynMade *made = dyn_notes_made(); made; made = made->next)
		if (made->create.done && made->create.status.cls == DYN_OK)
			made->ours = true;
}

/* Does the last look at a table show the one that was made? */
static bool
undo_saw_ours(const DynMade *made)
{
	const DynTableDescription *shown = &made->undo.description;

	return made->undo.status.cls == DYN_OK &&
		strcmp(shown->table_id, made->create.description.table_id) == 0 &&
		strcmp(shown->created, made->create.description.created) == 0;
}

/* Runs one call for each table of ours whose last one (if `checked`) showed it to be the one made. */
static void
run_undo(DynTableJob **jobs, DynOp op, bool checked)
{
	int			n = 0;

	for (DynMade *made = dyn_notes_made(); made; made = made->next)
	{
		if (!made->ours || made->in_use || made->replaces || (checked && !undo_saw_ours(made)))
			continue;
		dyn_table_job_init(&made->undo, dyn_ddl_client_of(made->client), made->remote.table, op);
		jobs[n++] = &made->undo;
	}
	dyn_table_jobs_run(jobs, n, DYN_DDL_BUDGET_MS / 4, interrupted_again);
}

/* Did the look find another table, or none? */
static bool
is_not_there(const DynMade *made)
{
	return made->undo.op == DYN_OP_DESCRIBE_TABLE &&
		(made->undo.status.cls == DYN_TABLE_MISSING || made->undo.status.cls == DYN_OK);
}

static const char *
why_left_over(const DynMade *made)
{
	if (made->in_use)
		return "Another foreign table is over it.";
	return made->undo.done ? dyn_ddl_failure(&made->undo) : "The session ended.";
}

/*
 * After ROLLBACK: deletes all that the transaction made, under the locks that it
 * holds since before, but for what TRUNCATE made again.  A session that ends sends nothing: an exit must be short.
 */
static void
undo_creates(void)
{
	DynTableJob **jobs;
	int			n = 0;

	for (DynMade *made = dyn_notes_made(); made; made = made->next)
		n++;
	jobs = n > 0 && !proc_exit_inprogress ? calloc(n, sizeof(DynTableJob *)) : NULL;
	abort_started = GetCurrentTimestamp();
	if (jobs)
	{
		finish_creates(jobs);
		run_undo(jobs, DYN_OP_DESCRIBE_TABLE, false);
		run_undo(jobs, DYN_OP_DELETE_TABLE, true);
		free(jobs);
	}
	for (DynMade *made = dyn_notes_made(); made; made = made->next)
	{
		if (may_have_been_made(made) || dyn_table_job_sent(&made->create))
			add_leftover(made, NOT_ANSWERED);
		else if (made->ours && made->replaces)
			dyn_leftover_made_again(made);
		else if (made->ours && !is_not_there(made) && !dyn_table_job_deleted(&made->undo))
			add_leftover(made, why_left_over(made));
	}
}

/* ---- callbacks ---- */

static void
forget_transaction(void)
{
	deletions = NIL;
	commit_jobs = NULL;
	dyn_notes_forget();
	dyn_truncate_forget();
	dyn_change_forget();
	dyn_setting_forget();
	dyn_pins_reset();
	dyn_ddl_lock_forget();
}

static void
on_xact(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			decide_before_commit();
			break;
		case XACT_EVENT_PRE_PREPARE:
			if (dyn_notes_made() || dyn_notes_dropped() || dyn_settings_are_asked())
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that made, dropped or changed remote tables of dynamo_fdw")));
			break;
		case XACT_EVENT_PREPARE:
			dyn_leftovers_end_xact(false);
			forget_transaction();
			break;
		case XACT_EVENT_COMMIT:
			dyn_leftovers_end_xact(true);
			send_deletions();
			forget_transaction();
			break;
		case XACT_EVENT_ABORT:
			dyn_leftovers_end_xact(false);
			dyn_change_tell_rolled_back();
			undo_creates();
			forget_transaction();
			break;
		default:
			break;
	}
}

static void
on_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	dyn_notes_end_subxact(event, mine, parent);
	dyn_setting_end_subxact(event, mine, parent);
	if (event == SUBXACT_EVENT_ABORT_SUB)
		dyn_snapshot_abort_subxact();
}

void
dyn_ddl_xact_init(void)
{
	RegisterXactCallback(on_xact, NULL);
	RegisterSubXactCallback(on_subxact, NULL);
}
