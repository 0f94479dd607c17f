/*
 * ddl_job.h
 *	  What all remote DDL has in common: control calls waited for, one session
 *	  at a time on a remote table, and messages that cannot fail.
 */
#ifndef DYN_DDL_JOB_H
#define DYN_DDL_JOB_H

#include "net/table_job.h"

/* Remote work after COMMIT, in ROLLBACK and when a DROP is decided takes no longer, in ms. */
#define DYN_DDL_BUDGET_MS 5000

/* Calls that one session has in flight for it. */
#define DYN_DDL_MAX_IN_FLIGHT DYN_TABLE_JOBS_IN_FLIGHT

/*
 * Runs jobs of any clients, started or not, to their end or for `budget_ms` (-1: no limit),
 * waiting on the latch: cancel raises.
 */
extern void dyn_ddl_jobs_wait(DynTableJob **jobs, int njobs, int budget_ms);

/*
 * Serializes remote DDL on one remote table until the end of the transaction,
 * what it sends after COMMIT included.  False, with `wait` false: another
 * session has the lock.
 */
extern bool dyn_ddl_lock(const char *endpoint, const char *region, const char *table, bool wait);

/* Is a cancel or terminate pending?  Then work after the end of a transaction stops. */
extern bool dyn_ddl_interrupted(void);

/* In a form that cannot fail after COMMIT. */
extern void dyn_ddl_warn_not_deleted(const DynTableJob *job, const char *hint);

#endif							/* DYN_DDL_JOB_H */
