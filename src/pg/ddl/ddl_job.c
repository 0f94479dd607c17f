/*
 * ddl_job.c
 *	  What all remote DDL has in common: control calls waited for, one session
 *	  at a time on a remote table, and messages that cannot fail.
 */
#include "pg/util/export.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/lock.h"
#include "utils/resowner.h"

#include "pg/ddl/ddl_job.h"
#include "pg/session/wait.h"

/* Keeps our advisory locks apart from those of users, which have 1 and 2 there. */
#define LOCK_FIELD4 0xdf

static double
elapsed_ms(const instr_time *start)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, *start);
	return INSTR_TIME_GET_MILLISEC(now);
}

void
dyn_ddl_jobs_wait(DynTableJob **jobs, int njobs, int budget_ms)
{
	instr_time	start;

	INSTR_TIME_SET_CURRENT(start);
	for (;;)
	{
		int			nrunning = 0;
		int			wait_ms = -1;

		if (dyn_table_jobs_step(jobs, njobs) == 0)
			return;
		for (int i = 0; i < njobs; i++)
			nrunning += jobs[i]->call != NULL ? 1 : 0;
		if (nrunning == 0)
			continue;			/* none could be started, but there are more */
		if (budget_ms >= 0)
		{
			wait_ms = budget_ms - (int) elapsed_ms(&start);
			if (wait_ms <= 0)
				break;
		}
		dyn_wait(DYN_WAIT_DDL, wait_ms);
	}
	for (int i = 0; i < njobs; i++)
		dyn_table_job_stop(jobs[i], "no answer in time");
}

bool
dyn_ddl_lock(const char *endpoint, const char *region, const char *table, bool wait)
{
	char	   *identity = psprintf("%s %s %s", endpoint, region, table);
	uint64		hash = hash_bytes_extended((unsigned char *) identity, strlen(identity), 0);
	ResourceOwner owner = CurrentResourceOwner;
	LockAcquireResult result;
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash, LOCK_FIELD4);
	/* also where only a subtransaction wants it: what it made is deleted at the end of the whole */
	CurrentResourceOwner = TopTransactionResourceOwner;
	PG_TRY();
	{
		result = LockAcquire(&tag, ExclusiveLock, false, !wait);
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = owner;
	}
	PG_END_TRY();
	return result != LOCKACQUIRE_NOT_AVAIL;
}

bool
dyn_ddl_interrupted(void)
{
	return QueryCancelPending || ProcDiePending;
}

/* Texts of the network in a message that must not fail over their encoding. */
static const char *
ascii(const char *text)
{
	static char copy[sizeof(((DynStatus *) NULL)->message)];
	size_t		i;

	for (i = 0; text[i] && i < sizeof(copy) - 1; i++)
		copy[i] = text[i] >= ' ' && text[i] < 127 ? text[i] : '?';
	copy[i] = '\0';
	return copy;
}

void
dyn_ddl_warn_not_deleted(const DynTableJob *job, const char *hint)
{
	ereport(WARNING,
			(errmsg("remote table \"%s\" could not be deleted", job->table),
			 errdetail("%s", ascii(job->status.message[0] ? job->status.message : job->status.aws_code)),
			 errhint("%s", hint)));
}
