/*
 * test_write.c
 *	  Writing many items: windows of requests, the order of writes of one key,
 *	  unprocessed items, answers that are wrong; on a fake engine and a fake
 *	  clock.
 */
#include "net/write.h"

#include <math.h>

#include "batch_check.h"
#include "tap.h"

static DynClient *client;
static DynCounters counters;
static DynWrite *writing;
static DynStatus status;

static void
end(void)
{
	dyn_write_free(writing);
	dyn_client_free(client);
	fake_forget();
	writing = NULL;
	client = NULL;
}

static void
begin(int batch_size, int max_workers)
{
	DynWriteConfig config = {.op = DYN_OP_BATCH_WRITE_ITEM, .table = TABLE, .batch_size = batch_size, .max_workers = max_workers,
	.counters = &counters};

	end();
	memset(&counters, 0, sizeof(counters));
	client = fake_client(NULL);
	fake_random = 0.5;
	writing = dyn_write_new(client, &config);
}

/* Adds a put of entity `n`; `version` tells it from others of that entity. */
static void
add(int n, const char *version)
{
	DynWriteItem item = {.id = entity(n)};

	dyn_op_item_begin(&item.body, &item.id, version);
	dyn_op_item_end(&item.body);
	dyn_write_add(writing, &item, &status);
}

static DynStep
step(bool flush)
{
	dyn_client_drive(client);
	return dyn_write_step(writing, flush, &status);
}

/* The next flushing step after request `n` has gone out, be it at once or later. */
static DynStep
flush_until_sent(int n)
{
	DynStep		result = step(true);

	for (int i = 0; i < 100000 && result == DYN_STEP_WAIT && fake_sent() <= n; i++)
	{
		fake_pass(client, 0.5);
		result = step(true);
	}
	return result;
}

/* Answers request `n`, of which `unprocessed` are left. */
static void
answer(int n, const char *unprocessed)
{
	DynBuf		body = {0};

	dyn_buf_str(&body, "{\"UnprocessedItems\":{");
	if (unprocessed[0])
	{
		dyn_buf_str(&body, "\"" TABLE "\":[");
		add_entities(&body, unprocessed, "{\"PutRequest\":{\"Item\":{\"entity_id\":{\"S\":\"%s\"}}}}");
		dyn_buf_str(&body, "]");
	}
	dyn_buf_str(&body, "}}");
	fake_answer(n, 200, dyn_buf_cstr(&body));
	dyn_buf_free(&body);
}

static bool
has_version(int n, const char *version)
{
	return strstr(fake_request(n)->body.data, version) != NULL;
}

static double
between(int a, int b)
{
	return fake_request(b)->sent_ms - fake_request(a)->sent_ms;
}

static void
test_windows(void)
{
	begin(3, 2);
	add(0, "v");
	add(1, "v");
	is_int(step(false), DYN_STEP_END, "there is room");
	is_int(fake_sent(), 0, "and less than a request's worth stays");
	add(2, "v");
	is_int(step(false), DYN_STEP_END, "a request's worth leaves");
	is_string(entities_of(0), "0 1 2", "in order");
	for (int i = 3; i < 9; i++)
		add(i, "v");
	is_int(step(false), DYN_STEP_WAIT, "with all workers busy there is no room");
	is_int(fake_sent(), 2, "no more requests than workers");
	answer(0, "");
	is_int(step(false), DYN_STEP_END, "an answer makes room");
	is_int(fake_sent(), 3, "for the next one");
	add(9, "v");
	is_int(step(true), DYN_STEP_WAIT, "flushing waits for answers");
	answer(1, "");
	answer(2, "");
	is_int(step(true), DYN_STEP_WAIT, "to the last");
	is_string(entities_of(3), "9", "the rest goes, though it is no full request");
	is_int(dyn_write_in_flight(writing), 1, "in flight is what has no answer");
	answer(3, "");
	is_int(step(true), DYN_STEP_END, "all are acknowledged");
	is_int(dyn_write_acknowledged(writing), 10, "and counted");
	is_int(counters.requests, 4, "requests too");
}

static void
test_a_request_takes_25(void)
{
	begin(100, 1);
	for (int i = 0; i < 30; i++)
		add(i, "v");
	step(true);
	answer(0, "");
	step(true);
	is_string(entities_of(1), "25 26 27 28 29", "DynamoDB takes 25 items a request");
}

static void
test_the_later_wins(void)
{
	begin(2, 3);
	add(1, "old");
	add(1, "new");
	add(2, "v");
	step(true);
	is_string(entities_of(0), "1 2", "of two that wait");
	ok(has_version(0, "new") && !has_version(0, "old"), "the later goes out");

	begin(1, 3);
	add(1, "old");
	step(false);
	add(1, "new");
	add(2, "v");
	step(true);
	is_int(fake_sent(), 2, "while one is in flight");
	is_string(entities_of(1), "2", "the next of its key is held back");
	answer(1, "");
	step(true);
	is_int(fake_sent(), 2, "and only that one's answer");
	answer(0, "");
	step(true);
	ok(fake_sent() == 3 && has_version(2, "new"), "lets it go");
	answer(2, "");
	is_int(step(true), DYN_STEP_END, "the end");

	begin(1, 3);
	add(1, "old");
	step(false);
	add(1, "new");
	answer(0, "1");
	step(true);
	ok(fake_sent() == 2 && has_version(1, "new"), "one that comes back does not replace a newer one");
	answer(1, "");
	is_int(step(true), DYN_STEP_END, "which is all");
}

static void
test_some_unprocessed(void)
{
	begin(3, 1);
	for (int i = 0; i < 4; i++)
		add(i, "v");
	step(true);
	answer(0, "2 0");
	is_int(step(true), DYN_STEP_WAIT, "some come back");
	ok(fake_sent() == 2 && between(0, 1) == 0, "and go out again at once");
	is_string(entities_of(1), "0 2 3", "before all others, in their order");
	answer(1, "");
	is_int(step(true), DYN_STEP_END, "until none does");
	is_int(dyn_write_acknowledged(writing), 4, "each is acknowledged once");
	is_int(counters.unprocessed_items, 2, "and those that came back are counted");
}

static void
test_all_unprocessed(void)
{
	double		begun;

	begin(3, 2);
	begun = fake_now_ms;
	for (int i = 0; i < 2; i++)
		add(i, "v");
	step(true);
	for (int i = 0; i < 3; i++)
	{
		static const double want[] = {12.5, 25, 50};

		answer(i, "0 1");
		is_int(flush_until_sent(i + 1), DYN_STEP_WAIT, "round %d", i + 1);
		ok(fabs(between(i, i + 1) - want[i]) < 1, "its items wait %g ms", want[i]);
	}
	answer(3, "0 1");
	is_int(step(true), DYN_STEP_FAILED, "the fourth round is the last");
	is_int(status.cls, DYN_THROTTLED, "it counts as throttled");
	is_int(status.attempts, 4, "after four attempts");
	ok(fabs(status.elapsed_ms - (fake_now_ms - begun)) < 1 && status.elapsed_ms > 80, "in the time of them all");
	is_int(dyn_write_acknowledged(writing), 0, "nothing is acknowledged");
	is_int(step(true), DYN_STEP_FAILED, "there is no fifth");
}

static void
test_each_has_its_own_delay(void)
{
	begin(3, 2);
	for (int i = 0; i < 5; i++)
		add(i, "v");
	step(true);
	answer(1, "3 4");
	answer(0, "0");
	step(true);
	is_int(fake_sent(), 3, "what an answer with progress left goes out at once");
	is_string(entities_of(2), "0", "by itself");
	flush_until_sent(3);
	ok(between(2, 3) > 11 && between(2, 3) < 14, "what one without left has to wait");
	is_string(entities_of(3), "3 4", "by itself as well");
}

static void
test_progress_resets(void)
{
	begin(1, 2);
	add(0, "v");
	add(1, "v");
	step(true);
	for (int i = 1; i < 4; i++)
	{
		answer(i, "1");
		is_int(flush_until_sent(i + 1), DYN_STEP_WAIT, "the second request brings nothing, round %d", i);
	}
	answer(0, "");
	is_int(step(true), DYN_STEP_WAIT, "the first one does");
	for (int i = 4; i < 7; i++)
	{
		answer(i, "1");
		is_int(flush_until_sent(i + 1), DYN_STEP_WAIT, "for which the count begins anew, round %d", i - 3);
	}
	answer(7, "1");
	is_int(step(true), DYN_STEP_FAILED, "and ends at its fourth");
}

static const struct
{
	const char *what;
	const char *unprocessed;
}			wrong[] = {
	{"an item not sent", "7"},
	{"an item twice", "1 1"},
	{"more items than were sent", "0 1 2 0"},
};

static void
test_wrong_answers(void)
{
	for (size_t i = 0; i < LENGTH(wrong); i++)
	{
		begin(5, 2);
		for (int k = 0; k < 3; k++)
			add(k, "v");
		step(true);
		answer(0, wrong[i].unprocessed);
		is_int(flush_until_sent(1), DYN_STEP_WAIT, "%s: is sent again", wrong[i].what);
		is_string(entities_of(1), "0 1 2", "all of it");
		answer(1, "");
		is_int(step(true), DYN_STEP_END, "and then done");
		is_int(dyn_write_acknowledged(writing), 3, "each once");
	}
	begin(5, 2);
	add(0, "v");
	step(true);
	for (int i = 0; i < 4; i++)
	{
		fake_answer(i, 200, "{\"UnprocessedItems\":");
		flush_until_sent(i + 1);
	}
	is_int(fake_sent(), 4, "an answer that stays malformed is asked for four times");
	is_int(status.cls, DYN_PROTOCOL, "and is an error");

	begin(1, 3);
	add(0, "old");
	step(true);
	answer(0, wrong[0].unprocessed);
	step(false);
	add(0, "new");
	flush_until_sent(1);
	ok(fake_sent() == 2 && has_version(1, "old"), "meanwhile the next of its key is held back");
	answer(1, "");
	step(true);
	ok(fake_sent() == 3 && has_version(2, "new"), "until that was answered well");
}

static void
test_failures(void)
{
	begin(2, 2);
	for (int i = 0; i < 4; i++)
		add(i, "v");
	step(true);
	answer(1, "");
	step(true);
	fake_answer(0, 400, "{\"__type\":\"ValidationException\",\"message\":\"Item size has exceeded\"}");
	is_int(step(true), DYN_STEP_FAILED, "a refusal ends it");
	is_int(status.cls, DYN_ITEM_TOO_LARGE, "for its reason");
	is_int(dyn_write_acknowledged(writing), 2, "what was acknowledged is known");
	is_int(dyn_write_in_flight(writing), 0, "and that the others were not written");
	is_int(step(true), DYN_STEP_FAILED, "it has failed for good");
	is_int(status.cls, DYN_ITEM_TOO_LARGE, "for the same reason");

	begin(2, 2);
	add(0, "v");
	step(true);
	fake_fail(0, DYN_TIMEOUT);
	is_int(flush_until_sent(1), DYN_STEP_WAIT, "a timeout is no end");
	answer(1, "");
	is_int(step(true), DYN_STEP_END, "if the next attempt is answered");
}

int
main(void)
{
	test_windows();
	test_a_request_takes_25();
	test_the_later_wins();
	test_some_unprocessed();
	test_all_unprocessed();
	test_each_has_its_own_delay();
	test_progress_resets();
	test_wrong_answers();
	test_failures();
	end();
	return done_testing();
}
