/*
 * table_job.c
 *	  Control calls on tables.
 */
#include "net/table_job.h"

#include <poll.h>
#include <stdint.h>
#include <string.h>

#include "core/clock.h"
#include "core/table_op.h"
#include "net/loop.h"

#define POLL_SLICE_MS 100

/* A service that always tells of another page is broken: a table has some 50 tags, of which a page has ten or more. */
#define MAX_TAG_PAGES 50

void
dyn_table_job_init(DynTableJob *job, DynClient *client, const char *table, DynOp op)
{
	memset(job, 0, sizeof(*job));
	job->client = client;
	job->table = table;
	job->op = op;
}

bool
dyn_table_job_deleted(const DynTableJob *job)
{
	return job->done && (job->status.cls == DYN_OK || job->status.cls == DYN_TABLE_MISSING);
}

void
dyn_table_job_start(DynTableJob *job, double delay_ms)
{
	dyn_status_clear(&job->status);
	if (job->op == DYN_OP_LIST_TAGS_OF_RESOURCE)
		dyn_op_list_tags(&job->body, job->arn, job->next_token);
	else if (job->body.len == 0)
		dyn_op_name_table(&job->body, job->table);
	job->call = dyn_call_start(job->client, job->op, &job->body, delay_ms, NULL, &job->status);
	job->done = job->call == NULL;
}

/* Takes in the body of an answer; NULL, or what is wrong with it. */
static const char *
take_body(DynTableJob *job, const DynBuf *answer)
{
	switch (job->op)
	{
		case DYN_OP_UPDATE_TIME_TO_LIVE:
			return dyn_json_time_to_live(answer->data, answer->len) ? NULL : "the answer does not tell the time to live";
		case DYN_OP_UPDATE_CONTINUOUS_BACKUPS:
		case DYN_OP_DESCRIBE_CONTINUOUS_BACKUPS:
			return dyn_json_continuous_backups(answer->data, answer->len, &job->recovery) ? NULL :
				"the answer does not describe backups";
		case DYN_OP_LIST_TAGS_OF_RESOURCE:
			return dyn_json_tags(answer->data, answer->len, job->arena, &job->tags, &job->next_token) ? NULL :
				"the answer does not list tags";
		case DYN_OP_TAG_RESOURCE:
		case DYN_OP_UNTAG_RESOURCE:
			/* AWS says nothing, others an empty object */
			return answer->len == 0 || dyn_json_is_object(answer->data, answer->len) ? NULL :
				"the answer is not about tags";
		default:
			return dyn_json_table(answer->data, answer->len, &job->description) ? NULL :
				"the answer does not describe a table";
	}
}

/* Was it refused as done already?  An attempt whose answer was lost did it: the call can't be repeated. */
static bool
was_done_before(const DynTableJob *job)
{
	return job->op == DYN_OP_UPDATE_TIME_TO_LIVE && job->status.cls == DYN_REJECTED &&
		strstr(job->status.message, "already enabled") != NULL;
}

/* Asks for the page that follows the one just taken in; false: that was the last one, or it can't be asked for. */
static bool
turn_page(DynTableJob *job)
{
	if (job->op != DYN_OP_LIST_TAGS_OF_RESOURCE || job->status.cls != DYN_OK || job->next_token == NULL)
		return false;
	if (++job->pages == MAX_TAG_PAGES)
		return dyn_status_set(&job->status, DYN_PROTOCOL, "there is no end of the tags");
	dyn_table_job_start(job, 0);
	return !job->done;
}

/* Takes the answer in if there is one; true when the job is done. */
static bool
poll_job(DynTableJob *job)
{
	const char *fault = NULL;

	if (job->done || job->call == NULL || !dyn_call_done(job->call))
		return job->done;
	if (dyn_call_status(job->call)->cls == DYN_OK)
		fault = take_body(job, dyn_call_answer(job->call));
	if (fault)
	{
		dyn_call_reject(job->call, fault);
		if (!dyn_call_done(job->call))
			return false;
	}
	job->status = *dyn_call_status(job->call);
	job->maybe_done = dyn_call_maybe_done(job->call);
	if (job->status.cls == DYN_OK)
		dyn_call_accept(job->call);
	else if (was_done_before(job))
		dyn_status_clear(&job->status);
	dyn_call_free(job->call);
	job->call = NULL;
	job->done = !turn_page(job);
	return job->done;
}

bool
dyn_table_job_sent(const DynTableJob *job)
{
	return job->call && dyn_call_maybe_done(job->call);
}

void
dyn_table_job_stop(DynTableJob *job, const char *why)
{
	if (job->done)
		return;
	job->maybe_done = dyn_table_job_sent(job);
	dyn_call_free(job->call);
	dyn_buf_free(&job->body);
	job->call = NULL;
	job->done = true;
	dyn_status_set(&job->status, DYN_TIMEOUT, "%s", why);
}

/* Waits for whatever is in flight, no longer than `max_ms`: keys that a job is to be signed with may be fetched first. */
static void
wait_for_loop(int max_ms)
{
	struct pollfd fd = {.fd = dyn_loop_fd(), .events = POLLIN};
	int			timeout = dyn_loop_timeout_ms();

	poll(&fd, 1, timeout >= 0 && timeout < max_ms ? timeout : max_ms);
	dyn_loop_drive();
}

int
dyn_table_jobs_step(DynTableJob **jobs, int njobs)
{
	int			running = 0;
	int			left = 0;

	for (int i = 0; i < njobs; i++)
		running += jobs[i]->call != NULL ? 1 : 0;
	for (int i = 0; i < njobs; i++)
	{
		if (jobs[i]->call == NULL && !jobs[i]->done && running < DYN_TABLE_JOBS_IN_FLIGHT)
		{
			dyn_table_job_start(jobs[i], 0);
			running++;
		}
		left += poll_job(jobs[i]) ? 0 : 1;
	}
	return left;
}

void
dyn_table_jobs_run(DynTableJob **jobs, int njobs, int budget_ms, bool (*stop) (void))
{
	int64_t		end = dyn_clock_monotonic_us() / 1000 + budget_ms;

	while (dyn_table_jobs_step(jobs, njobs) > 0)
	{
		int64_t		budget = end - dyn_clock_monotonic_us() / 1000;

		if (budget <= 0 || (stop && stop()))
			break;
		wait_for_loop(budget < POLL_SLICE_MS ? (int) budget : POLL_SLICE_MS);
	}
	for (int i = 0; i < njobs; i++)
		dyn_table_job_stop(jobs[i], "no answer in time");
}
