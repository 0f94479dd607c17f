/*
 * ddl_xact.c
 *	  What this transaction made and dropped, and what becomes of it.
 *
 * Records live in TopTransactionContext.  Drops are decided before commit,
 * while errors and catalogs are still allowed; a row of the extension then
 * says that the deletion is pending.  XACT_EVENT_COMMIT only sends: an error
 * there would be a PANIC of the whole cluster, so it uses malloc, plain poll()
 * and messages of ASCII only, and takes DYN_DDL_BUDGET_MS at most.
 */
#include "pg/util/export.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "pg/ddl/ddl_catalog.h"
#include "pg/ddl/ddl_job.h"
#include "pg/ddl/ddl_leftover.h"
#include "pg/ddl/ddl_reference.h"
#include "pg/ddl/ddl_xact.h"
#include "pg/util/error.h"

/* An abort takes a cancel of its first moments for the echo of the one that caused it. */
#define CANCEL_ECHO_MS 100

struct DynMade
{
	DynMade    *next;
	SubTransactionId subid;
	bool		undone;			/* its subtransaction was rolled back */
	bool		ours;			/* CreateTable was accepted */
	char	   *endpoint;
	char	   *region;
	char	   *table;
	DynDdlClient *client;
	DynTableJob create;
	DynTableJob delete;
};

typedef struct Dropped
{
	struct Dropped *next;
	SubTransactionId subid;
	DynDropPolicy policy;
	DynRemote	remote;
	Oid			owner;
	char	   *name;
	DynDdlClient *client;		/* NULL: no user mapping */
	DynStatus	no_client;		/* then: why */
	DynOwned   *owned;			/* row of the table that was made here */
	bool		candidate;		/* is to be deleted if it is the right one */
	bool		send;			/* at commit */
	DynTableJob look;
	DynTableJob delete;
} Dropped;

static DynMade *all_made = NULL;
static Dropped *all_dropped = NULL;
static List *captured_owned = NIL;	/* rows of the table of owned rows, once it goes */
static SubTransactionId catalog_dropped = InvalidSubTransactionId;	/* by which subtransaction, if any */
static DynTableJob **commit_jobs = NULL;	/* room for all that XACT_EVENT_COMMIT sends */

/* ---- noting ---- */

DynMade *
dyn_ddl_note_create(const DynRemote *remote, DynDdlClient *client)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	DynMade    *made = palloc0(sizeof(DynMade));

	dyn_ddl_leftover_init();	/* may throw, which an abort that leaves something over must not */

	made->subid = GetCurrentSubTransactionId();
	made->endpoint = pstrdup(remote->endpoint.url);
	made->region = pstrdup(remote->region);
	made->table = pstrdup(remote->table);
	made->client = dyn_ddl_client_share(client);
	dyn_table_job_init(&made->create, dyn_ddl_client_of(client), made->table, DYN_OP_CREATE_TABLE);
	made->next = all_made;
	all_made = made;
	MemoryContextSwitchTo(old);
	return made;
}

DynTableJob *
dyn_ddl_made_job(DynMade *made)
{
	return &made->create;
}

void
dyn_ddl_note_created(DynMade *made, bool ours)
{
	made->ours = ours;
}

bool
dyn_ddl_readopt(const DynRemote *remote, const DynTableDescription *shown)
{
	for (DynMade *made = all_made; made; made = made->next)
	{
		if (!made->undone || !made->ours || strcmp(made->table, remote->table) != 0 ||
			strcmp(made->region, remote->region) != 0 || strcmp(made->endpoint, remote->endpoint.url) != 0 ||
			strcmp(made->create.description.table_id, shown->table_id) != 0 ||
			strcmp(made->create.description.created, shown->created) != 0)
			continue;
		made->undone = false;
		made->subid = GetCurrentSubTransactionId();
		return true;
	}
	return false;
}

void
dyn_ddl_note_drop(const DynRemote *remote, DynDropPolicy policy, Oid serverid, Oid owner, const char *name)
{
	MemoryContext old;
	Dropped    *dropped;
	Dropped   **link;

	if (policy == DYN_DROP_NEVER)
		return;
	old = MemoryContextSwitchTo(TopTransactionContext);
	dropped = palloc0(sizeof(Dropped));
	dropped->subid = GetCurrentSubTransactionId();
	dropped->policy = policy;
	dropped->remote = *remote;
	dropped->remote.region = pstrdup(remote->region);
	dropped->remote.table = pstrdup(remote->table);
	dropped->owner = owner;
	dropped->name = pstrdup(name);
	/* sorted, so that all sessions lock in one order */
	link = &all_dropped;
	while (*link && strcmp((*link)->remote.table, dropped->remote.table) < 0)
		link = &(*link)->next;
	dropped->next = *link;
	*link = dropped;
	MemoryContextSwitchTo(old);
	dropped->client = dyn_ddl_client_get(serverid, owner, &dropped->no_client);
}

void
dyn_ddl_note_catalog_drop(void)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	ListCell   *lc;

	captured_owned = dyn_catalog_owned();
	catalog_dropped = GetCurrentSubTransactionId();
	foreach(lc, dyn_catalog_pending())
		ereport(WARNING,
				(errmsg("the pending deletion of remote table \"%s\" is forgotten", ((DynOwned *) lfirst(lc))->table)));
	MemoryContextSwitchTo(old);
}

/* ---- deciding, before commit ---- */

static bool
catalog_is_gone(void)
{
	return catalog_dropped != InvalidSubTransactionId;
}

static TimestampTz abort_started;

/*
 * As above, during an abort.  A client's cancel reaches the backend as two
 * signals, for the postmaster signals the process and its process group; the
 * second must not break off the undoing.
 */
static bool
interrupted_again(void)
{
	if (QueryCancelPending && !TimestampDifferenceExceeds(abort_started, GetCurrentTimestamp(), CANCEL_ECHO_MS))
		QueryCancelPending = false;
	return dyn_ddl_interrupted();
}

static DynOwned *
find_owned(List *rows, const DynRemote *remote)
{
	ListCell   *lc;

	foreach(lc, rows)
	{
		DynOwned   *owned = lfirst(lc);

		if (dyn_owned_is_at(owned, remote) && dyn_owned_is_ours(owned))
			return owned;
	}
	return NULL;
}

/* Was the same remote table dropped through another foreign table as well?  One is enough. */
static bool
seen_before(const Dropped *dropped)
{
	for (Dropped *other = all_dropped; other != dropped; other = other->next)
		if (dyn_remote_equal(&other->remote, &dropped->remote))
		{
			if (dropped->policy == DYN_DROP_ALWAYS)
				other->policy = DYN_DROP_ALWAYS;
			return true;
		}
	return false;
}

static void
choose_candidates(List *rows)
{
	for (Dropped *dropped = all_dropped; dropped; dropped = dropped->next)
	{
		const DynRemote *remote = &dropped->remote;

		if (seen_before(dropped))
			continue;
		if (dyn_ddl_is_referenced(remote->endpoint.url, remote->region, remote->table, NIL))
			continue;
		dropped->owned = find_owned(rows, remote);
		dropped->candidate = true;
	}
	/* decided last: a later duplicate may have made the policy 'always' */
	for (Dropped *dropped = all_dropped; dropped; dropped = dropped->next)
		if (dropped->policy == DYN_DROP_CREATED && dropped->owned == NULL)
			dropped->candidate = false;
}

/* Looks at all candidates at once. */
static void
look(void)
{
	DynTableJob **jobs;
	int			n = 0;

	for (Dropped *dropped = all_dropped; dropped; dropped = dropped->next)
		n++;
	jobs = palloc(sizeof(DynTableJob *) * n);
	n = 0;
	for (Dropped *dropped = all_dropped; dropped; dropped = dropped->next)
	{
		if (!dropped->candidate || dropped->client == NULL)
			continue;
		dyn_table_job_init(&dropped->look, dyn_ddl_client_of(dropped->client), dropped->remote.table,
						   DYN_OP_DESCRIBE_TABLE);
		jobs[n++] = &dropped->look;
	}
	dyn_ddl_jobs_wait(jobs, n, DYN_DDL_BUDGET_MS);
}

static void
add_pending(const Dropped *dropped)
{
	DynOwned	pending = {0};

	if (catalog_is_gone() || !dyn_catalog_exists())
		return;
	pending.endpoint = (char *) dropped->remote.endpoint.url;
	pending.region = dropped->remote.region;
	pending.table = dropped->remote.table;
	pending.table_id = dropped->owned ? dropped->owned->table_id : (char *) dropped->look.description.table_id;
	pending.created = dropped->owned ? dropped->owned->created : (char *) dropped->look.description.created;
	pending.database = MyDatabaseId;
	pending.system_identifier = (int64) GetSystemIdentifier();
	pending.owner = dropped->owner;
	dyn_catalog_add_pending(&pending);
}

/* The table could not be looked at: the foreign table goes all the same. */
static void
postpone(Dropped *dropped, const DynStatus *status)
{
	bool		pending = dropped->owned != NULL && !catalog_is_gone();

	ereport(WARNING,
			(errmsg("remote table \"%s\" of foreign table \"%s\" is not deleted", dropped->remote.table, dropped->name),
			 errdetail("%s", dyn_status_text(status)),
			 pending ?
			 errhint("Its deletion is pending: the next CREATE FOREIGN TABLE tries again, and so does dynamo_fdw_delete_pending().") :
			 errhint("Delete it by hand if it is not needed.")));
	if (pending)
		add_pending(dropped);
}

static void
judge(Dropped *dropped)
{
	const DynTableJob *job = &dropped->look;
	bool		same;

	if (dropped->client == NULL)
		postpone(dropped, &dropped->no_client);
	else if (job->status.cls == DYN_TABLE_MISSING ||
			 (job->status.cls == DYN_OK && strcmp(job->description.status, "DELETING") == 0))
		 /* gone already */ ;
	else if (job->status.cls != DYN_OK)
		postpone(dropped, &job->status);
	else
	{
		same = dropped->owned && dyn_owned_matches(dropped->owned, &job->description);
		if (same || dropped->policy == DYN_DROP_ALWAYS)
		{
			if (!same)
				dropped->owned = NULL;	/* the pending row is for the table that is there */
			add_pending(dropped);
			dropped->send = true;
		}
		else
			ereport(WARNING,
					(errmsg("remote table \"%s\" of foreign table \"%s\" is kept", dropped->remote.table, dropped->name),
					 errdetail("It is not the table that CREATE FOREIGN TABLE made, but one made later.")));
	}
}

static void
forget_ownership(const Dropped *dropped, List *rows)
{
	DynOwned   *owned = find_owned(rows, &dropped->remote);

	if (owned && !catalog_is_gone())
		dyn_catalog_remove_owned(owned);
}

static void
decide_drops(void)
{
	List	   *rows;

	if (all_dropped == NULL)
		return;
	/* locked before anything is read that another session may be changing */
	for (Dropped *dropped = all_dropped; dropped; dropped = dropped->next)
		dyn_ddl_lock(dropped->remote.endpoint.url, dropped->remote.region, dropped->remote.table, true);
	PushActiveSnapshot(GetLatestSnapshot());
	rows = catalog_is_gone() ? captured_owned : dyn_catalog_owned();
	choose_candidates(rows);
	look();
	for (Dropped *dropped = all_dropped; dropped; dropped = dropped->next)
		if (dropped->candidate)
		{
			judge(dropped);
			forget_ownership(dropped, rows);
		}
	PopActiveSnapshot();
}

/* Everything that the commit will need to send. */
static void
prepare_commit(void)
{
	int			n = 1;

	for (DynMade *made = all_made; made; made = made->next)
		n++;
	for (Dropped *dropped = all_dropped; dropped; dropped = dropped->next)
		n++;
	commit_jobs = MemoryContextAlloc(TopTransactionContext, sizeof(DynTableJob *) * n);
}

/* ---- the end ---- */

/* Waits for CreateTable calls still in flight, whose outcome decides, and names those nobody knows of. */
static void
finish_creates(DynTableJob **jobs, bool (*stop) (void))
{
	int			n = 0;

	for (DynMade *made = all_made; made; made = made->next)
		if (made->create.call)
			jobs[n++] = &made->create;
	dyn_table_jobs_run(jobs, n, DYN_DDL_BUDGET_MS / 2, stop);
	for (DynMade *made = all_made; made; made = made->next)
	{
		DynClass	cls = made->create.status.cls;

		if (made->create.done && cls == DYN_OK)
			made->ours = true;
		if (!made->ours && made->create.done && (cls == DYN_TIMEOUT || cls == DYN_CONNECTION_LOST || cls == DYN_PROTOCOL))
			ereport(WARNING,
					(errmsg("remote table \"%s\" may have been made", made->table),
					 errdetail("CreateTable was sent and not answered."),
					 errhint("Delete it by hand if it is there.")));
	}
}

/* After COMMIT: deletes what was dropped, and what only a rolled-back part of the transaction made. */
static void
send_deletes(void)
{
	int			n = 0;

	if (commit_jobs == NULL)
		return;
	finish_creates(commit_jobs, dyn_ddl_interrupted);
	for (Dropped *dropped = all_dropped; dropped; dropped = dropped->next)
		if (dropped->send)
		{
			dyn_table_job_init(&dropped->delete, dyn_ddl_client_of(dropped->client), dropped->remote.table,
							   DYN_OP_DELETE_TABLE);
			commit_jobs[n++] = &dropped->delete;
		}
	for (DynMade *made = all_made; made; made = made->next)
		if (made->undone && made->ours)
		{
			dyn_table_job_init(&made->delete, dyn_ddl_client_of(made->client), made->table, DYN_OP_DELETE_TABLE);
			commit_jobs[n++] = &made->delete;
		}
	dyn_table_jobs_run(commit_jobs, n, DYN_DDL_BUDGET_MS / 2, dyn_ddl_interrupted);
	for (Dropped *dropped = all_dropped; dropped; dropped = dropped->next)
		if (dropped->send && !dyn_table_job_deleted(&dropped->delete))
			dyn_ddl_warn_not_deleted(&dropped->delete,
							 "Its deletion is pending: the next CREATE FOREIGN TABLE tries again, and so does dynamo_fdw_delete_pending().");
	for (DynMade *made = all_made; made; made = made->next)
		if (made->undone && made->ours && !dyn_table_job_deleted(&made->delete))
			dyn_ddl_add_leftover(made->client, &made->create.description, &made->delete);
}

/* After ROLLBACK: deletes all that the transaction made. */
static void
undo_creates(void)
{
	DynTableJob **jobs;
	int			n = 0;

	for (DynMade *made = all_made; made; made = made->next)
		n++;
	jobs = n > 0 ? calloc(n, sizeof(DynTableJob *)) : NULL;
	if (jobs == NULL)
		return;
	abort_started = GetCurrentTimestamp();
	finish_creates(jobs, interrupted_again);
	n = 0;
	for (DynMade *made = all_made; made; made = made->next)
		if (made->ours)
		{
			dyn_table_job_init(&made->delete, dyn_ddl_client_of(made->client), made->table, DYN_OP_DELETE_TABLE);
			jobs[n++] = &made->delete;
		}
	dyn_table_jobs_run(jobs, n, DYN_DDL_BUDGET_MS / 2, interrupted_again);
	for (DynMade *made = all_made; made; made = made->next)
		if (made->ours && !dyn_table_job_deleted(&made->delete))
			dyn_ddl_add_leftover(made->client, &made->create.description, &made->delete);
	free(jobs);
}

/* The records' memory goes with the transaction; what they hold is given back here. */
static void
forget(void)
{
	for (DynMade *made = all_made; made; made = made->next)
	{
		dyn_table_job_stop(&made->create, "broken off");
		dyn_ddl_client_release(made->client);
	}
	for (Dropped *dropped = all_dropped; dropped; dropped = dropped->next)
	{
		dyn_table_job_stop(&dropped->look, "broken off");
		dyn_ddl_client_release(dropped->client);
	}
	all_made = NULL;
	all_dropped = NULL;
	captured_owned = NIL;
	catalog_dropped = InvalidSubTransactionId;
	commit_jobs = NULL;
	dyn_ddl_client_forget_all();
}

static void
on_xact(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			decide_drops();
			if (all_made || all_dropped)
				prepare_commit();
			break;
		case XACT_EVENT_PRE_PREPARE:
			if (all_made || all_dropped)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that made or dropped foreign tables of dynamo_fdw")));
			break;
		case XACT_EVENT_PREPARE:
			forget();
			break;
		case XACT_EVENT_COMMIT:
			send_deletes();
			forget();
			break;
		case XACT_EVENT_ABORT:
			undo_creates();
			forget();
			break;
		default:
			break;
	}
}

static void
on_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	Dropped   **link = &all_dropped;

	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	if (catalog_dropped == mine)
		catalog_dropped = event == SUBXACT_EVENT_ABORT_SUB ? InvalidSubTransactionId : parent;
	for (DynMade *made = all_made; made; made = made->next)
		if (made->subid == mine)
		{
			made->subid = parent;
			made->undone = made->undone || event == SUBXACT_EVENT_ABORT_SUB;
		}
	while (*link)
	{
		Dropped    *dropped = *link;

		if (dropped->subid == mine && event == SUBXACT_EVENT_ABORT_SUB)
		{
			*link = dropped->next;
			dyn_ddl_client_release(dropped->client);
			continue;
		}
		if (dropped->subid == mine)
			dropped->subid = parent;
		link = &dropped->next;
	}
}

void
dyn_ddl_xact_init(void)
{
	RegisterXactCallback(on_xact, NULL);
	RegisterSubXactCallback(on_subxact, NULL);
}
