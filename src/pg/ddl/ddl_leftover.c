/*
 * ddl_leftover.c
 *	  Tables that a rollback could not delete: the session tries again at its
 *	  next remote DDL and when it ends.  Nothing in the catalogs tells of them,
 *	  since their transaction is rolled back; they are in malloc'd memory.
 */
#include "pg/util/export.h"

#include "miscadmin.h"
#include "storage/ipc.h"

#include "pg/ddl/ddl_catalog.h"
#include "pg/ddl/ddl_job.h"
#include "pg/ddl/ddl_leftover.h"

typedef struct Leftover
{
	struct Leftover *next;
	DynDdlClient *client;
	DynTableDescription made;
	DynTableJob job;
	bool		gone;
	char		table[256];
} Leftover;

static Leftover *leftovers = NULL;

void
dyn_ddl_add_leftover(DynDdlClient *client, const DynTableDescription *made, const DynTableJob *failed)
{
	Leftover   *leftover = calloc(1, sizeof(*leftover));

	dyn_ddl_warn_not_deleted(failed, "This session tries again at its next CREATE FOREIGN TABLE and when it ends.");
	if (leftover == NULL)
		return;
	leftover->client = dyn_ddl_client_share(client);
	leftover->made = *made;
	strlcpy(leftover->table, failed->table, sizeof(leftover->table));
	leftover->next = leftovers;
	leftovers = leftover;
}

/* Runs one call for all leftovers that have no job done yet, within half of the budget. */
static void
run_leftovers(DynTableJob **jobs, DynOp op)
{
	int			n = 0;

	for (Leftover *leftover = leftovers; leftover; leftover = leftover->next)
	{
		if (leftover->gone)
			continue;
		dyn_table_job_init(&leftover->job, dyn_ddl_client_of(leftover->client), leftover->table, op);
		jobs[n++] = &leftover->job;
	}
	dyn_table_jobs_run(jobs, n, DYN_DDL_BUDGET_MS / 2, dyn_ddl_interrupted);
}

static bool
still_ours(const Leftover *leftover)
{
	DynOwned	made = {0};

	made.table_id = (char *) leftover->made.table_id;
	made.created = (char *) leftover->made.created;
	return dyn_owned_matches(&made, &leftover->job.description);
}

static void
free_gone_leftovers(void)
{
	Leftover  **link = &leftovers;

	while (*link)
	{
		Leftover   *leftover = *link;

		if (leftover->gone)
		{
			*link = leftover->next;
			dyn_ddl_client_release(leftover->client);
			free(leftover);
		}
		else
			link = &leftover->next;
	}
}

/* Looks at all leftovers, and deletes those that are still the tables made here. */
static void
retry_leftovers(void)
{
	DynTableJob **jobs;
	int			n = 0;

	for (Leftover *leftover = leftovers; leftover; leftover = leftover->next)
		n++;
	jobs = n > 0 ? calloc(n, sizeof(DynTableJob *)) : NULL;
	if (jobs == NULL)
		return;
	run_leftovers(jobs, DYN_OP_DESCRIBE_TABLE);
	n = 0;
	for (Leftover *leftover = leftovers; leftover; leftover = leftover->next)
	{
		leftover->gone = leftover->job.status.cls == DYN_TABLE_MISSING ||
			(leftover->job.status.cls == DYN_OK && !still_ours(leftover));
		n += leftover->job.status.cls == DYN_OK ? 1 : 0;
	}
	if (n > 0)
		run_leftovers(jobs, DYN_OP_DELETE_TABLE);
	for (Leftover *leftover = leftovers; leftover; leftover = leftover->next)
		leftover->gone = leftover->gone || dyn_table_job_deleted(&leftover->job);
	free_gone_leftovers();
	free(jobs);
}

static void
retry_at_exit(int code, Datum arg)
{
	retry_leftovers();
}

void
dyn_ddl_leftover_init(void)
{
	static bool registered = false;

	if (!registered)
		before_shmem_exit(retry_at_exit, (Datum) 0);
	registered = true;
}

void
dyn_ddl_retry_leftovers(void)
{
	retry_leftovers();
	CHECK_FOR_INTERRUPTS();
}
