/*
 * ddl_job.c
 *	  What all remote DDL has in common: control calls waited for, and messages
 *	  that cannot fail.
 */
#include "pg/util/export.h"

#include "miscadmin.h"

#include "pg/ddl/ddl_job.h"
#include "pg/session/wait.h"
#include "pg/util/error.h"

static double
elapsed_ms(const instr_time *start)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, *start);
	return INSTR_TIME_GET_MILLISEC(now);
}

bool
dyn_ddl_time_is_over(const instr_time *start, int budget_ms)
{
	return budget_ms >= 0 && elapsed_ms(start) > budget_ms;
}

static void
wait_for_jobs(DynTableJob **jobs, int njobs, int budget_ms)
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

void
dyn_ddl_jobs_wait(DynTableJob **jobs, int njobs, int budget_ms)
{
	PG_TRY();
	{
		wait_for_jobs(jobs, njobs, budget_ms);
	}
	PG_CATCH();
	{
		for (int i = 0; i < njobs; i++)
			if (jobs[i]->op != DYN_OP_CREATE_TABLE)
				dyn_table_job_stop(jobs[i], "broken off");
		PG_RE_THROW();
	}
	PG_END_TRY();
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

const char *
dyn_ddl_failure(const DynTableJob *job)
{
	static char text[sizeof(job->status.message) + 64];
	const char *said = ascii(job->status.message[0] ? job->status.message : job->status.aws_code);

	if (job->status.cls != DYN_ACCESS_DENIED)
		return said;
	snprintf(text, sizeof(text), "dynamodb:%s was denied: %s", dyn_op_name(job->op), said);
	return text;
}

char *
dyn_ddl_job_text(const DynTableJob *job)
{
	char	   *text = dyn_status_text(&job->status);

	return job->status.cls != DYN_ACCESS_DENIED ? text :
		psprintf("dynamodb:%s was denied: %s", dyn_op_name(job->op), text);
}

void
dyn_ddl_warn_not_deleted(const char *table, const char *why, const char *hint)
{
	char		message[512];

	snprintf(message, sizeof(message), "remote table \"%s\" could not be deleted", table);
	dyn_warn_at_end(message, why, hint);
}
