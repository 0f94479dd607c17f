/*
 * test_table_job.c
 *	  Control calls on tables, on a fake engine: what they send, and what they
 *	  make of answers, of none, and of too little memory.
 *
 * Answers in this file are written with ' for ".
 */
#include "net/table_job.h"

#include <stdlib.h>
#include <string.h>

#include "core/table_op.h"
#include "fail_alloc.h"
#include "fake_http.h"
#include "golden.h"
#include "tap.h"

#define TABLE "p.t"
#define ARN "arn:aws:dynamodb:us-west-2:123456789012:table/p.t"

static DynClient *client;
static DynArena arena;

static void
begin(void)
{
	dyn_client_free(client);
	dyn_arena_clear(&arena);
	client = fake_client(NULL);
}

static DynTableJob
job_of(DynOp op)
{
	DynTableJob job;

	dyn_table_job_init(&job, client, TABLE, op);
	job.arn = ARN;
	job.arena = &arena;
	return job;
}

/* Answers the last request. */
static void
answer(int status, const char *text)
{
	char	   *quoted = golden_quotes(text);

	fake_answer(fake_sent() - 1, status, quoted);
	free(quoted);
}

/* Lets time pass until the job is sent again, or done; true if it is done. */
static bool
step(DynTableJob *job)
{
	int			before = fake_sent();

	for (int i = 0; i < 100000 && fake_sent() == before; i++)
	{
		dyn_client_drive(client);
		if (dyn_table_jobs_step(&job, 1) == 0)
			return true;
		fake_pass(client, 0.5);
	}
	return false;
}

/* Sends it; the text it sends is what is wanted, with ' for ". */
static void
send_job(DynTableJob *job, const char *want)
{
	char	   *quoted = golden_quotes(want);

	dyn_table_job_start(job, 0);
	ok(!job->done && fake_sent() > 0, "%s is sent", dyn_op_name(job->op));
	is_text(fake_request(fake_sent() - 1)->body.data, fake_request(fake_sent() - 1)->body.len, quoted, "with its body");
	ok(fake_header_is(fake_request(fake_sent() - 1), "X-Amz-Target", dyn_op_target(job->op)), "and its target");
	ok(job->body.data == NULL && job->body.len == 0, "which was given away");
	free(quoted);
}

/* It ended well. */
static void
is_done(DynTableJob *job)
{
	ok(step(job) && job->done && job->call == NULL, "the job is done");
	is_int(job->status.cls, DYN_OK, "well (%s)", job->status.message);
}

#define DESCRIBED "'TableStatus':'UPDATING','TableArn':'" ARN "','DeletionProtectionEnabled':true"

static void
test_tables(void)
{
	static const DynTableSettings shown;
	DynTableSettings wanted = {.deletion_protection = true};
	DynTableJob job;

	begin();
	job = job_of(DYN_OP_DESCRIBE_TABLE);
	send_job(&job, "{'TableName':'" TABLE "'}");
	answer(200, "{'Table':{" DESCRIBED "}}");
	is_done(&job);
	is_string(job.description.status, "UPDATING", "the description is read");
	is_string(job.description.arn, ARN, "with its ARN");

	job = job_of(DYN_OP_UPDATE_TABLE);
	dyn_op_update_table(&job.body, TABLE, DYN_SETTING_PROTECTION, &wanted, &shown);
	send_job(&job, "{'TableName':'" TABLE "','DeletionProtectionEnabled':true}");
	answer(200, "{'TableDescription':{" DESCRIBED "}}");
	is_done(&job);
	ok(job.description.settings.deletion_protection, "the table is as it was wanted");
}

static void
test_backups(void)
{
	DynTableJob job;

	begin();
	job = job_of(DYN_OP_DESCRIBE_CONTINUOUS_BACKUPS);
	send_job(&job, "{'TableName':'" TABLE "'}");
	answer(200, "{'Table':{" DESCRIBED "}}");
	ok(!step(&job), "an answer about something else is none");
	answer(200, "{'ContinuousBackupsDescription':{'PointInTimeRecoveryDescription':"
		   "{'PointInTimeRecoveryStatus':'ENABLED'}}}");
	is_done(&job);
	ok(job.recovery, "recovery is told");

	job = job_of(DYN_OP_UPDATE_CONTINUOUS_BACKUPS);
	dyn_op_update_continuous_backups(&job.body, TABLE, true);
	send_job(&job, "{'TableName':'" TABLE "','PointInTimeRecoverySpecification':{'PointInTimeRecoveryEnabled':true}}");
	answer(400, "{'__type':'x#ContinuousBackupsUnavailableException','message':'not yet'}");
	ok(step(&job), "backups of a new table");
	is_int(job.status.cls, DYN_TABLE_IN_USE, "are not there yet");
}

static void
test_tag_pages(void)
{
	static const char second[] = "{\"ResourceArn\":\"" ARN "\",\"NextToken\":\"two\"}";
	DynTableJob job;

	begin();
	job = job_of(DYN_OP_LIST_TAGS_OF_RESOURCE);
	send_job(&job, "{'ResourceArn':'" ARN "'}");
	answer(200, "{'Tags':[{'Key':'b','Value':'1'},{'Key':'d','Value':'2'}],'NextToken':'two'}");
	ok(!step(&job) && job.call != NULL, "another page is asked for");
	is_text(fake_request(1)->body.data, fake_request(1)->body.len, second, "by the token of the first one");
	answer(200, "{'Tags':[{'Key':'c','Value':'3'},{'Key':'x'}]}");
	ok(!step(&job), "a broken page is asked for again");
	is_int(job.tags.n, 2, "and the tags stay");
	answer(200, "{'Tags':[{'Key':'c','Value':'3'},{'Key':'a','Value':'4'}]}");
	is_done(&job);
	is_int(job.tags.n, 4, "all tags");
	is_string(dyn_tags_value(&job.tags, "d"), "2", "one of the first");
	is_string(dyn_tags_value(&job.tags, "a"), "4", "and one of the second");
}

/* Of a service that always tells of another page. */
static void
test_endless_tags(void)
{
	DynTableJob job;

	begin();
	job = job_of(DYN_OP_LIST_TAGS_OF_RESOURCE);
	dyn_table_job_start(&job, 0);
	do
		answer(200, "{'Tags':[],'NextToken':'more'}");
	while (!step(&job));
	is_int(fake_sent(), 50, "so many pages are asked for");
	is_int(job.status.cls, DYN_PROTOCOL, "and no more");
	ok(job.call == NULL, "nothing is in flight");
}

static void
test_tagging(void)
{
	static const char *const answers[] = {"", "{}", "{'Other':1}"};
	DynTag		tag[] = {{"team", "search"}};
	DynTags		tags = {1, tag};
	DynTableJob job;

	for (size_t i = 0; i < LENGTH(answers); i++)
	{
		begin();
		job = job_of(DYN_OP_TAG_RESOURCE);
		dyn_op_tag(&job.body, ARN, &tags);
		send_job(&job, "{'ResourceArn':'" ARN "','Tags':[{'Key':'team','Value':'search'}]}");
		answer(200, answers[i]);
		is_done(&job);

		job = job_of(DYN_OP_UNTAG_RESOURCE);
		dyn_op_untag(&job.body, ARN, &tags);
		send_job(&job, "{'ResourceArn':'" ARN "','TagKeys':['team']}");
		answer(200, answers[i]);
		is_done(&job);
	}
}

/* What answers 200 need not be the service. */
static void
test_foreign_answers(void)
{
	static const DynOp ops[] = {
		DYN_OP_UPDATE_TABLE, DYN_OP_UPDATE_CONTINUOUS_BACKUPS, DYN_OP_LIST_TAGS_OF_RESOURCE, DYN_OP_TAG_RESOURCE,
		DYN_OP_UNTAG_RESOURCE,
	};

	for (size_t i = 0; i < LENGTH(ops); i++)
	{
		DynTableJob job;

		begin();
		job = job_of(ops[i]);
		dyn_table_job_start(&job, 0);
		do
			answer(200, "<html>Please log in</html>");
		while (!step(&job));
		is_int(job.status.cls, DYN_PROTOCOL, "no answer to %s", dyn_op_name(ops[i]));
		is_int(job.status.attempts, 4, "after all attempts");
		ok(job.maybe_done, "it may have been carried out");
	}
}

static void
test_lost_answers(void)
{
	DynTag		tag[] = {{"team", "search"}};
	DynTags		tags = {1, tag};
	DynTableJob job;

	begin();
	job = job_of(DYN_OP_TAG_RESOURCE);
	dyn_op_tag(&job.body, ARN, &tags);
	dyn_table_job_start(&job, 0);
	fake_fail(0, DYN_CONNECTION_LOST);
	ok(!step(&job), "without an answer tags are sent again");
	is_bytes(fake_request(1)->body.data, fake_request(1)->body.len, fake_request(0)->body.data,
			 fake_request(0)->body.len, "the same");
	answer(200, "");
	is_done(&job);

	begin();
	job = job_of(DYN_OP_UPDATE_TABLE);
	dyn_table_job_start(&job, 0);
	fake_fail(0, DYN_CONNECTION_LOST);
	ok(!step(&job), "so is a change");
	answer(400, "{'__type':'x#ResourceInUseException','message':'The table is being updated'}");
	ok(step(&job), "which is refused then");
	is_int(job.status.cls, DYN_TABLE_IN_USE, "for the table is being changed");
	ok(job.maybe_done, "by itself, maybe");

	begin();
	job = job_of(DYN_OP_UPDATE_TABLE);
	dyn_table_job_start(&job, 0);
	answer(400, "{'__type':'x#ResourceInUseException','message':'The table is being updated'}");
	ok(step(&job) && !job.maybe_done, "what is refused at once was not carried out");
}

static void
test_stop(void)
{
	static const DynTableSettings shown;
	DynTableJob job;

	begin();
	job = job_of(DYN_OP_UPDATE_TABLE);
	dyn_op_update_table(&job.body, TABLE, DYN_SETTING_PROTECTION, &shown, &shown);
	dyn_table_job_stop(&job, "broken off");
	ok(job.done && job.body.data == NULL, "a job that was not started is stopped");
	is_int(job.status.cls, DYN_TIMEOUT, "as out of time");
	ok(!job.maybe_done, "and was not carried out");

	job = job_of(DYN_OP_UPDATE_TABLE);
	dyn_op_update_table(&job.body, TABLE, DYN_SETTING_PROTECTION, &shown, &shown);
	dyn_table_job_start(&job, 0);
	dyn_table_job_stop(&job, "broken off");
	ok(job.done && job.call == NULL && job.maybe_done, "one in flight is stopped, and may be carried out");
	is_int(fake_in_flight(), 0, "nothing is in flight");
	dyn_table_job_stop(&job, "again");
	is_string(job.status.message, "broken off", "it is stopped once");
}

static void
test_many(void)
{
	DynTableJob job[DYN_TABLE_JOBS_IN_FLIGHT + 10];
	DynTableJob *jobs[LENGTH(job)];

	begin();
	for (size_t i = 0; i < LENGTH(job); i++)
	{
		job[i] = job_of(DYN_OP_DESCRIBE_TABLE);
		jobs[i] = &job[i];
	}
	is_int(dyn_table_jobs_step(jobs, LENGTH(job)), LENGTH(job), "many jobs");
	is_int(fake_in_flight(), DYN_TABLE_JOBS_IN_FLIGHT, "of which so many are in flight");
	for (size_t i = 0; i < LENGTH(job); i++)
		dyn_table_job_stop(jobs[i], "enough");
}

/* ---- without memory ---- */

static void
test_failed_body(void)
{
	DynTableJob job;

	begin();
	job = job_of(DYN_OP_UPDATE_TABLE);
	fail_alloc_after = 0;
	dyn_op_update_continuous_backups(&job.body, TABLE, true);
	fail_alloc_after = -1;
	ok(job.body.failed, "a body without memory");
	dyn_table_job_start(&job, 0);
	ok(job.done && job.call == NULL, "is not sent");
	is_int(job.status.cls, DYN_NO_MEMORY, "for want of memory");
	is_int(fake_sent(), 0, "nothing is");
	ok(!job.maybe_done && !job.body.failed, "and nothing is left");
}

/* Starts a ListTagsOfResource of which allocation `n` fails; false: none did. */
static bool
start_without(long n, int *failed, int *wrong)
{
	DynTableJob job;
	bool		ended;

	begin();
	job = job_of(DYN_OP_LIST_TAGS_OF_RESOURCE);
	fail_alloc_after = n;
	dyn_table_job_start(&job, 0);
	ended = fail_alloc_after >= 0;
	fail_alloc_after = -1;
	*failed += job.done ? 1 : 0;
	/* a signature does not tell why it could not be made */
	if (job.done == (job.call != NULL) || job.body.data || job.body.failed || (ended && job.done) ||
		(job.done && job.status.cls != DYN_NO_MEMORY && job.status.cls != DYN_INTERNAL))
	{
		diag("allocation %ld: done %d, class %d", n, job.done, job.status.cls);
		*wrong += 1;
	}
	dyn_table_job_stop(&job, "enough");
	return !ended;
}

static void
test_no_memory(void)
{
	int			failed = 0;
	int			wrong = 0;
	long		n = 0;

	while (n < 1000 && start_without(n, &failed, &wrong))
		n++;
	is_int(wrong, 0, "each of %ld allocations may fail", n);
	ok(failed >= 3, "which is told %d times", failed);
}

int
main(void)
{
	test_tables();
	test_backups();
	test_tag_pages();
	test_endless_tags();
	test_tagging();
	test_foreign_answers();
	test_lost_answers();
	test_stop();
	test_many();
	test_failed_body();
	test_no_memory();
	dyn_client_free(client);
	dyn_arena_free(&arena);
	fake_forget();
	return done_testing();
}
