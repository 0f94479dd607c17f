/*
 * table_job.h
 *	  Control calls on tables: describe, create, change, delete; several at
 *	  once, on any number of clients.
 */
#ifndef DYN_TABLE_JOB_H
#define DYN_TABLE_JOB_H

#include <stdbool.h>

#include "core/ddb_reply.h"
#include "core/ddb_op.h"
#include "core/status.h"
#include "net/ddb_client.h"

/* dyn_table_jobs_step starts no more than this at once: each may need a connection. */
#define DYN_TABLE_JOBS_IN_FLIGHT 50

typedef struct DynTableJob
{
	DynClient  *client;			/* borrowed */
	const char *table;			/* borrowed */
	DynOp		op;
	DynBuf		body;			/* of a request that says more than the table's name: the caller's to append between
								 * dyn_table_job_init() and the start, which consumes it */
	const char *arn;			/* borrowed; of ListTagsOfResource, whose pages are asked for one after the other */
	DynArena   *arena;			/* borrowed; where their tags go */
	int			pages;			/* so far */
	DynCall    *call;			/* while it runs */
	bool		done;
	DynStatus	status;			/* of a job that is done */
	bool		maybe_done;		/* of one that failed: it may have been carried out, for an attempt got no answer */
	/* answers, where status.cls is DYN_OK */
	DynTableDescription description;	/* of a table that is described, made, changed or deleted */
	bool		recovery;		/* of DescribeContinuousBackups and UpdateContinuousBackups */
	DynTags		tags;			/* of ListTagsOfResource */
	const char *next_token;		/* of the page that follows */
} DynTableJob;

extern void dyn_table_job_init(DynTableJob *job, DynClient *client, const char *table, DynOp op);

/* Of a DeleteTable that is done: is the table gone, or going? */
extern bool dyn_table_job_deleted(const DynTableJob *job);

/* Starts the job after `delay_ms`; a failure to start makes it done. */
extern void dyn_table_job_start(DynTableJob *job, double delay_ms);

/* Of a job that runs: may its request be carried out, or have been?  It may still wait for its keys, for example. */
extern bool dyn_table_job_sent(const DynTableJob *job);

/* Breaks off a job that is not done: it is, with class DYN_TIMEOUT. */
extern void dyn_table_job_stop(DynTableJob *job, const char *why);

/* Starts what may run now and takes answers in; the number of jobs that are not done. */
extern int	dyn_table_jobs_step(DynTableJob **jobs, int njobs);

/*
 * Runs all jobs, started or not, in parallel to their end, at most `budget_ms`, in a plain
 * poll() that throws nothing and allocates only by malloc: fit for the end of
 * a transaction.  `stop`, asked ten times a second, breaks off as well.  What
 * was broken off is done, with class DYN_TIMEOUT.
 */
extern void dyn_table_jobs_run(DynTableJob **jobs, int njobs, int budget_ms, bool (*stop) (void));

#endif							/* DYN_TABLE_JOB_H */
