/*
 * ddl_job.h
 *	  What all remote DDL has in common: control calls waited for, and messages
 *	  that cannot fail.
 */
#ifndef DYN_DDL_JOB_H
#define DYN_DDL_JOB_H

#include "portability/instr_time.h"

#include "net/table_job.h"

/* Remote work after COMMIT, in ROLLBACK and when a DROP is decided takes no longer, in ms. */
#define DYN_DDL_BUDGET_MS 5000

/* Calls that one session has in flight for it. */
#define DYN_DDL_MAX_IN_FLIGHT DYN_TABLE_JOBS_IN_FLIGHT

/*
 * Runs jobs of any clients, started or not, to their end or for `budget_ms`
 * (-1: no limit), waiting on the latch.  Cancel raises: then jobs are broken
 * off, but for CreateTable, which goes on, since a rollback must know how it
 * ended.
 */
extern void dyn_ddl_jobs_wait(DynTableJob **jobs, int njobs, int budget_ms);

/* Has more than that gone by?  -1: there is no limit. */
extern bool dyn_ddl_time_is_over(const instr_time *start, int budget_ms);

/* Is a cancel or terminate pending?  Then work after the end of a transaction stops. */
extern bool dyn_ddl_interrupted(void);

/* In a form that cannot fail after COMMIT. */
extern void dyn_ddl_warn_not_deleted(const char *table, const char *why, const char *hint);

/* Why a job failed, with the action that IAM must allow, for that. */
extern const char *dyn_ddl_failure(const DynTableJob *job);

/* The same where catalogs can be read, palloc'd. */
extern char *dyn_ddl_job_text(const DynTableJob *job);

#endif							/* DYN_DDL_JOB_H */
