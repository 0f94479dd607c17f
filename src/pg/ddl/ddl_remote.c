/*
 * ddl_remote.c
 *	  Makes the remote tables of new foreign tables, and deletes those whose
 *	  deletion is pending.
 *
 * Works in rounds: each round sends one call for every table that isn't ready,
 * all together, and waits for all answers.
 */
#include "pg/util/export.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/pg_foreign_server.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "pg/ddl/ddl_catalog.h"
#include "pg/ddl/ddl_client.h"
#include "pg/ddl/ddl_job.h"
#include "pg/ddl/ddl_reference.h"
#include "pg/ddl/ddl_remote.h"
#include "pg/ddl/ddl_xact.h"
#include "pg/session/credential.h"
#include "pg/table/option.h"
#include "pg/util/error.h"
#include "pg/util/extension.h"

/* Pause before a table that is being made or deleted is looked at again. */
#define LOOK_AGAIN_MS 500

/* DescribeTable may miss a table this many times after CreateTable accepted it. */
#define MAX_MISSED_LOOKS 60

typedef enum Phase
{
	PHASE_LOOK,					/* is it there? */
	PHASE_CREATE,
	PHASE_SETTLE,				/* there, until it is ACTIVE */
	PHASE_READY
} Phase;

typedef struct Work
{
	DynTarget  *target;
	DynDdlClient *client;
	Phase		phase;
	bool		again;			/* not the first look: after a pause */
	int			missed;
	DynTableJob look;
	DynMade    *made;			/* once CreateTable was sent */
} Work;

/* ---- making ---- */

static void
report(const Work *work, const DynTableJob *job)
{
	DynErrorContext context = {job->op, job->table, work->target->rel->feature_view, NULL};

	dyn_report(ERROR, &job->status, &context);
}

static DynTableJob *
start(Work *work)
{
	DynTableJob *job = &work->look;

	if (work->phase == PHASE_CREATE)
	{
		work->made = dyn_ddl_note_create(&work->target->rel->remote, work->client);
		job = dyn_ddl_made_job(work->made);
	}
	else
	{
		dyn_table_job_init(job, dyn_ddl_client_of(work->client), work->target->rel->remote.table,
						   DYN_OP_DESCRIBE_TABLE);
	}
	dyn_table_job_start(job, work->again ? LOOK_AGAIN_MS : 0);
	return job;
}

/* A table that is used again is no longer to be deleted. */
static void
forget_pending(const DynRemote *remote)
{
	ListCell   *lc;

	foreach(lc, dyn_catalog_pending())
		if (dyn_owned_is_at(lfirst(lc), remote))
			dyn_catalog_remove_pending(lfirst(lc));
}

/* What was owned under the name before is gone. */
static void
own(Work *work, const DynTableDescription *description)
{
	const DynRemote *remote = &work->target->rel->remote;
	DynOwned	owned = {0};
	ListCell   *lc;

	foreach(lc, dyn_catalog_owned())
		if (dyn_owned_is_at(lfirst(lc), remote))
			dyn_catalog_remove_owned(lfirst(lc));
	forget_pending(remote);

	owned.endpoint = (char *) remote->endpoint.url;
	owned.region = remote->region;
	owned.table = remote->table;
	owned.table_id = (char *) description->table_id;
	owned.created = (char *) description->created;
	owned.database = MyDatabaseId;
	owned.system_identifier = (int64) GetSystemIdentifier();
	owned.owner = work->target->owner;
	if (dyn_catalog_exists())
		dyn_catalog_add_owned(&owned);
}

static bool
is_owned(const DynRemote *remote, const DynTableDescription *shown)
{
	ListCell   *lc;

	foreach(lc, dyn_catalog_owned())
	{
		DynOwned   *owned = lfirst(lc);

		if (dyn_owned_is_at(owned, remote) && dyn_owned_is_ours(owned) && dyn_owned_matches(owned, shown))
			return true;
	}
	return false;
}

/* The table is there already: takes it as it is, if it can be used. */
static void
adopt(Work *work)
{
	const DynTableDescription *shown = &work->look.description;
	const DynRemote *remote = &work->target->rel->remote;

	if (!shown->feast_key)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("remote table \"%s\" is not a table of Feast", remote->table),
				 errdetail("Its key is %s, Feast's is HASH entity_id (S).",
						   shown->key_schema[0] ? shown->key_schema : "not known")));
	if (dyn_ddl_readopt(remote, shown))
	{
		own(work, shown);
		return;
	}
	forget_pending(remote);
	if (!work->target->altered)
		ereport(WARNING,
				(errmsg("remote table \"%s\" exists already and is used as it is", remote->table),
				 is_owned(remote, shown) ?
				 errdetail("CREATE FOREIGN TABLE made it earlier; DROP of the last foreign table over it deletes it.") :
				 errdetail("DROP FOREIGN TABLE will keep it, unless drop_remote_table is 'always'.")));
}

static void
looked(Work *work)
{
	const DynTableJob *job = &work->look;
	const char *state = job->description.status;

	if (job->status.cls == DYN_TABLE_MISSING && work->made && ++work->missed < MAX_MISSED_LOOKS)
		return;					/* made a moment ago, not seen everywhere yet */
	if (job->status.cls == DYN_TABLE_MISSING)
	{
		work->phase = PHASE_CREATE;
		work->again = false;
		return;
	}
	if (job->status.cls != DYN_OK)
		report(work, job);
	work->again = true;
	if (strcmp(state, "DELETING") == 0)
		return;
	if (work->phase == PHASE_LOOK)
	{
		adopt(work);
		work->phase = PHASE_SETTLE;
	}
	if (strcmp(state, "ACTIVE") == 0 || strcmp(state, "UPDATING") == 0)
		work->phase = PHASE_READY;
	else if (strcmp(state, "CREATING") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("remote table \"%s\" cannot be used", job->table),
				 errdetail("Its status is %s.", state)));
}

static void
created(Work *work)
{
	const DynTableJob *job = dyn_ddl_made_job(work->made);

	work->again = true;
	if (job->status.cls == DYN_TABLE_IN_USE)
	{
		/* somebody made it meanwhile, or an attempt whose answer was lost did */
		dyn_ddl_note_created(work->made, false);
		work->made = NULL;
		work->phase = PHASE_LOOK;
		return;
	}
	dyn_ddl_note_created(work->made, job->status.cls == DYN_OK);
	if (job->status.cls != DYN_OK)
		report(work, job);
	own(work, &job->description);
	if (work->target->altered)
		ereport(WARNING,
				(errmsg("foreign table \"%s\" now means remote table \"%s\", which was made", work->target->name,
						job->table),
				 errdetail("The remote table it meant before is kept.")));
	work->phase = strcmp(job->description.status, "ACTIVE") == 0 ? PHASE_READY : PHASE_SETTLE;
}

static void
run_rounds(Work *works, int n, DynTableJob **jobs)
{
	for (;;)
	{
		int			njobs = 0;

		for (int i = 0; i < n; i++)
			if (works[i].phase != PHASE_READY)
				jobs[njobs++] = start(&works[i]);
		if (njobs == 0)
			return;
		dyn_ddl_jobs_wait(jobs, njobs, -1);
		for (int i = 0; i < n; i++)
		{
			if (works[i].phase == PHASE_CREATE)
				created(&works[i]);
			else if (works[i].phase != PHASE_READY)
				looked(&works[i]);
		}
	}
}

static void
begin_work(Work *work, DynTarget *target)
{
	const DynRemote *remote = &target->rel->remote;
	DynStatus	status;

	work->target = target;
	work->client = dyn_ddl_client_get(target->rel->serverid, target->owner, &status);
	if (work->client == NULL)
	{
		if (status.cls == DYN_CREDENTIALS)
			dyn_credentials_report(target->rel->serverid, target->owner);
		dyn_report(ERROR, &status, NULL);
	}
	dyn_ddl_lock(remote->endpoint.url, remote->region, remote->table, true);
}

static void
work_in_slices(Work *works, List *targets)
{
	int			n = list_length(targets);
	DynTableJob **jobs = palloc(sizeof(DynTableJob *) * n);

	for (int i = 0; i < n; i++)
		begin_work(&works[i], list_nth(targets, i));
	for (int i = 0; i < n; i += DYN_DDL_MAX_IN_FLIGHT)
		run_rounds(works + i, Min(n - i, DYN_DDL_MAX_IN_FLIGHT), jobs);
}

void
dyn_ddl_ensure(List *targets)
{
	Work	   *works = palloc0(sizeof(Work) * list_length(targets));

	PG_TRY();
	{
		work_in_slices(works, targets);
	}
	PG_FINALLY();
	{
		/* a CreateTable in flight goes on: a rollback must know how it ended */
		for (int i = 0; i < list_length(targets); i++)
		{
			dyn_table_job_stop(&works[i].look, "broken off");
			dyn_ddl_client_release(works[i].client);
		}
	}
	PG_END_TRY();
}

/* ---- pending deletions ---- */

typedef struct Pending
{
	DynOwned   *row;
	DynDdlClient *client;
	DynTableJob job;
	bool		gone;
} Pending;

/* A client for the row's owner on any server with the row's endpoint. */
static DynDdlClient *
client_for(const DynOwned *row, DynStatus *status)
{
	Relation	rel = table_open(ForeignServerRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	DynDdlClient *client = NULL;

	dyn_status_clear(status);
	dyn_status_set(status, DYN_CREDENTIALS, "no server with this endpoint and region has a user mapping of the owner");
	while (client == NULL && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			serverid = ((Form_pg_foreign_server) GETSTRUCT(tuple))->oid;
		ForeignServer *server = GetForeignServerExtended(serverid, FSV_MISSING_OK);
		List	   *options;
		DynEndpoint endpoint;
		const char *region;

		if (server == NULL || !dyn_extension_has_server(serverid))
			continue;
		options = server->options;
		region = dyn_option_text("region", options, NIL);
		if (dyn_option_endpoint(options, &endpoint) && strcmp(endpoint.url, row->endpoint) == 0 &&
			region && strcmp(region, row->region) == 0)
			client = dyn_ddl_client_get(serverid, row->owner, status);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return client;
}

static void
tell_failure(const Pending *pending, const DynStatus *status, bool warn)
{
	ereport(warn ? WARNING : DEBUG1,
			(errmsg("remote table \"%s\" could not be deleted yet", pending->row->table),
			 errdetail("%s", dyn_status_text(status))));
}

/* Sends one call for all that have none of `op` yet, within the budget. */
static void
run_pending(Pending *pending, int n, DynOp op, DynTableJob **jobs)
{
	int			njobs = 0;

	for (int i = 0; i < n; i++)
	{
		if (pending[i].client == NULL || pending[i].gone)
			continue;
		dyn_table_job_init(&pending[i].job, dyn_ddl_client_of(pending[i].client), pending[i].row->table, op);
		dyn_table_job_start(&pending[i].job, 0);
		jobs[njobs++] = &pending[i].job;
	}
	dyn_ddl_jobs_wait(jobs, njobs, DYN_DDL_BUDGET_MS);
}

/* Looks first: what is gone or was made again by somebody else is done. */
static void
delete_those(Pending *pending, int n, DynTableJob **jobs, bool warn)
{
	run_pending(pending, n, DYN_OP_DESCRIBE_TABLE, jobs);
	for (int i = 0; i < n; i++)
	{
		DynTableJob *job = &pending[i].job;

		if (pending[i].client == NULL)
			continue;
		if (job->status.cls == DYN_TABLE_MISSING ||
			(job->status.cls == DYN_OK && (!dyn_owned_matches(pending[i].row, &job->description) ||
										   strcmp(job->description.status, "DELETING") == 0)))
			pending[i].gone = true;
		else if (job->status.cls != DYN_OK)
		{
			tell_failure(&pending[i], &job->status, warn);
			dyn_ddl_client_release(pending[i].client);
			pending[i].client = NULL;
		}
	}
	run_pending(pending, n, DYN_OP_DELETE_TABLE, jobs);
	for (int i = 0; i < n; i++)
	{
		DynTableJob *job = &pending[i].job;

		if (pending[i].client == NULL || pending[i].gone)
			continue;
		pending[i].gone = job->status.cls == DYN_OK || job->status.cls == DYN_TABLE_MISSING;
		if (!pending[i].gone)
			tell_failure(&pending[i], &job->status, warn);
	}
}

/* May and shall this row be worked on?  Rows that mean nothing any more are marked gone. */
static bool
choose_row(Pending *pending, DynOwned *row, Oid userid, List *except, bool warn)
{
	DynStatus	status;

	if (OidIsValid(userid) && !has_privs_of_role(userid, row->owner))
		return false;
	/* a session that just dropped it may be deleting it, or making it anew */
	if (!dyn_ddl_lock(row->endpoint, row->region, row->table, false))
		return false;
	pending->row = row;
	pending->gone = !dyn_owned_is_ours(row) ||
		dyn_ddl_is_referenced(row->endpoint, row->region, row->table, except);
	if (pending->gone)
		return true;
	pending->client = client_for(row, &status);
	if (pending->client == NULL)
		tell_failure(pending, &status, warn);
	return true;
}

/* Works on the rows; those that are done are marked gone. */
static void
work_on(List *rows, Pending *pending, Oid userid, List *except, bool warn)
{
	DynTableJob **jobs = palloc(sizeof(DynTableJob *) * list_length(rows));
	ListCell   *lc;
	int			n = 0;

	foreach(lc, rows)
		if (choose_row(&pending[n], lfirst(lc), userid, except, warn))
			n++;
	for (int i = 0; i < n; i += DYN_DDL_MAX_IN_FLIGHT)
		delete_those(pending + i, Min(n - i, DYN_DDL_MAX_IN_FLIGHT), jobs, warn);
}

/* Takes the rows of what is gone out of the table; their number. */
static int
remove_gone(Pending *pending, int n)
{
	int			done = 0;

	for (int i = 0; i < n; i++)
		if (pending[i].gone)
		{
			dyn_catalog_remove_pending(pending[i].row);
			done++;
		}
	return done;
}

int
dyn_ddl_delete_pending(Oid userid, List *except, bool warn)
{
	List	   *except_relids = NIL;
	List	   *rows;
	Pending    *pending;
	ListCell   *lc;

	if (!dyn_catalog_lock_pending())
		return 0;
	rows = dyn_catalog_pending();
	if (rows == NIL)
		return 0;
	foreach(lc, except)
		except_relids = lappend_oid(except_relids, ((DynTarget *) lfirst(lc))->rel->relid);
	pending = palloc0(sizeof(Pending) * list_length(rows));
	PG_TRY();
	{
		work_on(rows, pending, userid, except_relids, warn);
	}
	PG_FINALLY();
	{
		for (int i = 0; i < list_length(rows); i++)
		{
			dyn_table_job_stop(&pending[i].job, "broken off");
			dyn_ddl_client_release(pending[i].client);
		}
	}
	PG_END_TRY();
	return remove_gone(pending, list_length(rows));
}
