/*
 * ddl_leftover.c
 *	  What the end of a transaction learned and could not write any more.
 */
#include "pg/util/export.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "utils/snapmgr.h"

#include "pg/ddl/ddl_door.h"
#include "pg/ddl/ddl_job.h"
#include "pg/ddl/ddl_leftover.h"
#include "pg/ddl/ddl_lock.h"

/* Malloc'd. */
typedef struct Leftover
{
	struct Leftover *next;
	Oid			serverid;
	Oid			owner;
	DynEndpoint endpoint;
	char		region[64];
	char		table[256];
	DynTableDescription made;
	DynDdlClient *client;		/* signs where the server is gone */
	bool		over;			/* nothing is left to do */
	bool		written;		/* as a record of the transaction that commits */
} Leftover;

/* A record whose table's deletion was accepted.  Malloc'd. */
typedef struct Accepted
{
	struct Accepted *next;
	int64		id;
	bool		made_again;		/* by TRUNCATE: it does not end, but is this table's: */
	DynTableDescription made;
	char		region[64];
	char		table[256];
	bool		written;		/* by the transaction that commits */
} Accepted;

static Leftover *leftovers = NULL;
static Accepted *all_accepted = NULL;

/* Commits in a row that failed after what is above was to be written. */
static int	failed_commits = 0;

/* Whatever is wrong then, the session must be able to commit. */
#define MAX_FAILED_COMMITS 10

void
dyn_leftover_add(const DynMade *made, const char *why)
{
	Leftover   *leftover = calloc(1, sizeof(*leftover));

	dyn_ddl_warn_not_deleted(made->remote.table, why, !made->ours ? "Delete it by hand if it is there." :
							 "Its deletion is owed: the next CREATE FOREIGN TABLE tries again, and so does dynamo_fdw_delete_pending().");
	if (leftover == NULL)
		return;
	leftover->serverid = made->serverid;
	leftover->owner = made->owner;
	leftover->endpoint = made->remote.endpoint;
	strlcpy(leftover->region, made->remote.region, sizeof(leftover->region));
	strlcpy(leftover->table, made->remote.table, sizeof(leftover->table));
	leftover->made = made->create.description;
	leftover->client = dyn_ddl_client_share(made->client);
	leftover->next = leftovers;
	leftovers = leftover;
}

/* Forgets those that nothing is left to do for. */
static void
free_over(void)
{
	Leftover  **link = &leftovers;

	while (*link)
	{
		Leftover   *leftover = *link;

		if (leftover->over)
		{
			*link = leftover->next;
			dyn_ddl_client_release(leftover->client);
			free(leftover);
		}
		else
			link = &leftover->next;
	}
}

/* NULL: no memory. */
static Accepted *
new_accepted(int64 id, const char *region, const char *table)
{
	Accepted   *accepted = calloc(1, sizeof(*accepted));

	if (accepted == NULL)
		return NULL;
	accepted->id = id;
	strlcpy(accepted->region, region, sizeof(accepted->region));
	strlcpy(accepted->table, table, sizeof(accepted->table));
	accepted->next = all_accepted;
	all_accepted = accepted;
	return accepted;
}

void
dyn_leftover_accepted(const DynRecord *record)
{
	if (!record->orphan)
		new_accepted(record->id, record->region, record->table);	/* else the owner's next look finds the table gone */
}

void
dyn_leftover_made_again(const DynMade *made)
{
	Accepted   *accepted = new_accepted(made->replaces, made->remote.region, made->remote.table);

	if (accepted == NULL)
		return;					/* nobody knows then that it was made here: it is kept */
	accepted->made_again = true;
	accepted->made = made->create.description;
}

static DynRecord *
record_of(const Leftover *leftover)
{
	DynRemote	remote = {0};

	remote.endpoint = leftover->endpoint;
	remote.region = (char *) leftover->region;
	remote.table = (char *) leftover->table;
	return dyn_record_new(DYN_RECORD_LEFTOVER, leftover->serverid, leftover->owner, &remote, &leftover->made);
}

/* Was CreateTable answered, so that it is known which table was made? */
static bool
is_known(const Leftover *leftover)
{
	return leftover->made.table_id[0] != '\0' || leftover->made.created[0] != '\0';
}

/* ---- records ---- */

/* The record in the state that it can have; false: not yet, a retry may still delete the table. */
static bool
write_record(const Leftover *leftover)
{
	DynRecord  *record = record_of(leftover);

	if (GetForeignServerExtended(leftover->serverid, FSV_MISSING_OK) == NULL)
	{
		if (!proc_exit_inprogress)
			return false;
		record->state = DYN_RECORD_FINAL;
		record->note = "the server that it was made by is gone";
	}
	else if (!is_known(leftover))
	{
		record->state = DYN_RECORD_FINAL;
		record->note = "CreateTable was sent and not answered: the table may be there";
	}
	dyn_record_write(record);
	return true;
}

/* Writes into a record what is known of its table. */
static void
write_accepted_record(const Accepted *accepted, DynRecord *record)
{
	if (accepted->made_again)
	{
		record->state = DYN_RECORD_MADE;
		record->table_id = pstrdup(accepted->made.table_id);
		record->created = pstrdup(accepted->made.created);
		dyn_record_write(record);
	}
	else if (dyn_record_is_owed(record))
		dyn_record_end(record);
}

/* Writes the records of accepted deletions, but for those whose remote name another session works on. */
static void
write_accepted(void)
{
	List	   *records;
	ListCell   *lc;

	if (all_accepted == NULL)
		return;
	for (Accepted *accepted = all_accepted; accepted; accepted = accepted->next)
		accepted->written = dyn_ddl_try_lock(accepted->region, accepted->table);
	records = dyn_records();	/* under the locks */
	for (Accepted *accepted = all_accepted; accepted; accepted = accepted->next)
		foreach(lc, accepted->written ? dyn_records_at(records, accepted->region, accepted->table) : NIL)
		{
			DynRecord  *record = lfirst(lc);

			if (record->id == accepted->id)
				write_accepted_record(accepted, record);
		}
}

void
dyn_leftovers_write(void)
{
	if ((leftovers == NULL && all_accepted == NULL) || XactReadOnly || RecoveryInProgress())
		return;
	/* a transaction of VACUUM writes nothing: snapshots don't count it as running */
	if (MyProc->statusFlags & PROC_VACUUM_STATE_MASK)
		return;
	/* after so many failures all was said before; and an idle session, or one that ends, must not wait */
	if (failed_commits >= MAX_FAILED_COMMITS || !dyn_records_try_lock())
		return;
	failed_commits++;
	PushActiveSnapshot(GetLatestSnapshot());
	write_accepted();
	for (Leftover *leftover = leftovers; leftover; leftover = leftover->next)
		leftover->written = write_record(leftover);
	PopActiveSnapshot();
}

static void
forget_accepted(bool committed)
{
	Accepted  **link = &all_accepted;

	while (*link)
	{
		Accepted   *accepted = *link;

		if (accepted->written && committed)
		{
			*link = accepted->next;
			free(accepted);
			continue;
		}
		accepted->written = false;
		link = &accepted->next;
	}
}

void
dyn_leftovers_end_xact(bool committed)
{
	if (committed && failed_commits < MAX_FAILED_COMMITS)
		failed_commits = 0;
	for (Leftover *leftover = leftovers; leftover; leftover = leftover->next)
	{
		leftover->over = leftover->written && committed;
		leftover->written = false;
	}
	free_over();
	forget_accepted(committed);
}

/*
 * A session ends: what it left over becomes records in a transaction of its own,
 * by the callback before its commit.  Nothing is sent: an exit must be short.
 */
static void
write_records_at_exit(int code, Datum arg)
{
	AbortOutOfAnyTransaction();
	if ((leftovers == NULL && all_accepted == NULL) || !OidIsValid(MyDatabaseId) || RecoveryInProgress())
		return;
	StartTransactionCommand();
	XactReadOnly = false;		/* whatever the session's default is */
	CommitTransactionCommand(); /* writes them before it commits */
}

void
dyn_leftover_init(void)
{
	static bool registered = false;

	if (!registered)
		before_shmem_exit(write_records_at_exit, (Datum) 0);
	registered = true;
}

/* ---- trying again ---- */

/* The deletion of one, which must not become a record: no server is left to sign by. */
static DynDeletion *
deletion_of(const Leftover *leftover)
{
	DynDeletion *deletion = dyn_deletion_new(record_of(leftover), NULL);

	deletion->unwritten = true;
	deletion->client = leftover->client;
	return deletion;
}

/* Is nothing left to do?  What is kept, for it is in use, becomes a record that waits, where it can. */
static bool
is_over(const Leftover *leftover, DynVerdict verdict)
{
	return verdict == DYN_VERDICT_GONE ||
		(verdict == DYN_VERDICT_KEEP && GetForeignServerExtended(leftover->serverid, FSV_MISSING_OK) == NULL);
}

void
dyn_leftovers_retry(void)
{
	List	   *deletions = NIL;
	List	   *tried = NIL;
	ListCell   *lc;
	ListCell   *lt;

	for (Leftover *leftover = leftovers; leftover; leftover = leftover->next)
		if (is_known(leftover) && dyn_ddl_try_lock(leftover->region, leftover->table))
		{
			deletions = lappend(deletions, deletion_of(leftover));
			tried = lappend(tried, leftover);
		}
	if (deletions == NIL)
		return;
	dyn_door_pass(deletions, dyn_references_collect_both(), DYN_DDL_BUDGET_MS);
	forboth(lc, deletions, lt, tried)
		((Leftover *) lfirst(lt))->over = is_over(lfirst(lt), ((DynDeletion *) lfirst(lc))->verdict);
	free_over();
}
