/*
 * test_batch_get.c
 *	  Reading many items: windows of requests, unprocessed keys, answers that
 *	  are wrong; on a fake engine and a fake clock.
 */
#include "net/batch_get.h"

#include <math.h>

#include "get_check.h"
#include "tap.h"

/* A read of entities 0 .. nkeys-1 by a client of its own. */
static void
begin_with(const DynClientConfig *client_config, int nkeys, int batch_size, int max_workers)
{
	static const DynFeatureNames no_features;
	static const DynGetRequest table = {.table = TABLE, .features = &no_features};
	uint32_t	count = nkeys;
	DynBatchGetConfig config = {
		.tables = &table, .ntables = 1, .nkeys = &count, .batch_size = batch_size, .max_workers = max_workers
	};

	begin_get(client_config, &config);
}

static void
begin(int nkeys, int batch_size, int max_workers)
{
	begin_with(NULL, nkeys, batch_size, max_workers);
}

/* Answers request `n` by items for the entities `found`, and leaves `unprocessed`. */
static void
answer(int n, const char *found, const char *unprocessed)
{
	DynBuf		body = {0};

	dyn_buf_str(&body, "{\"Responses\":{\"" TABLE "\":[");
	add_entities(&body, found, "{\"entity_id\":{\"S\":\"%s\"}}");
	dyn_buf_str(&body, "]},\"UnprocessedKeys\":{");
	if (unprocessed[0])
	{
		dyn_buf_str(&body, "\"" TABLE "\":{\"Keys\":[");
		add_entities(&body, unprocessed, "{\"entity_id\":{\"S\":\"%s\"}}");
		dyn_buf_str(&body, "]}");
	}
	dyn_buf_str(&body, "}}");
	fake_answer(n, 200, dyn_buf_cstr(&body));
	dyn_buf_free(&body);
}

/* ms from request `a` to request `b` */
static double
between(int a, int b)
{
	return fake_request(b)->sent_ms - fake_request(a)->sent_ms;
}

static void
test_windows(void)
{
	begin(25, 10, 2);
	is_int(fake_sent(), 0, "nothing is sent before the first step");
	is_int(step(), DYN_STEP_WAIT, "a window goes out");
	is_int(fake_sent(), 2, "of as many requests as workers");
	is_string(entities_of(0), "0 1 2 3 4 5 6 7 8 9", "with as many keys as the batch size, in order");
	is_string(entities_of(1), "10 11 12 13 14 15 16 17 18 19", "the next ones");
	answer(1, "19 11", "");
	is_int(step(), DYN_STEP_ROW, "an answer may overtake another");
	is_int(fake_sent(), 3, "with its first row the next request goes out");
	is_string(entities_of(2), "20 21 22 23 24", "for the rest");
	is_int(take_rows(), DYN_STEP_WAIT, "its rows, and then the others are waited for");
	answer(0, "", "");
	is_int(take_rows(), DYN_STEP_WAIT, "an answer without items has no rows");
	answer(2, "24 20", "");
	is_int(take_rows(), DYN_STEP_END, "the end");
	is_string(rows, "19 11 24 20", "rows come as they were answered");
	is_int(step(), DYN_STEP_END, "and stays the end");
	is_int(counters.requests, 3, "requests are counted");
	is_int(counters.items_found, 4, "and items");
}

static void
test_the_caller_is_let_in_between_answers(void)
{
	begin(30, 10, 3);
	step();
	for (int i = 0; i < 3; i++)
		answer(i, "", "");
	for (int i = 0; i < 3; i++)
		is_int(step(), DYN_STEP_AGAIN, "answer %d has no rows", i);
	is_int(step(), DYN_STEP_END, "the end");
}

static void
test_nothing_more_is_asked_than_is_read(void)
{
	begin(1000, 10, 3);
	step();
	answer(0, "0", "");
	answer(1, "10", "");
	answer(2, "20 21", "");
	is_int(step(), DYN_STEP_ROW, "a row");
	is_int(fake_sent(), 4, "one answer is begun, and one request more goes out");
	is_int(step(), DYN_STEP_ROW, "a further row of the same answer");
	is_int(fake_sent(), 4, "asks for nothing");
	is_int(step(), DYN_STEP_ROW, "the row of another answer");
	is_int(fake_sent(), 5, "asks again");
	dyn_batch_get_free(get);
	get = NULL;
	is_int(fake_in_flight(), 0, "a read that is given up breaks off its requests");
}

static void
test_no_keys(void)
{
	begin(0, 10, 3);
	is_int(step(), DYN_STEP_END, "no keys: the end");
	is_int(fake_sent(), 0, "and nothing is asked");
}

static void
test_some_unprocessed(void)
{
	begin(10, 10, 2);
	step();
	answer(0, "2 4", "0 1 5");
	is_int(step(), DYN_STEP_ROW, "the rows of an answer that left keys");
	is_int(fake_sent(), 2, "which are asked again at once");
	is_string(entities_of(1), "5 1 0", "these keys alone");
	ok(between(0, 1) == 0, "without any delay");
	answer(1, "0", "5");
	is_int(take_rows(), DYN_STEP_WAIT, "again one is left");
	answer(2, "5", "");
	is_int(take_rows(), DYN_STEP_END, "until none is");
	is_string(rows, "2 4 0 5", "no row is missing");
	is_int(counters.unprocessed_keys, 4, "unprocessed keys are counted");
}

static void
test_progress_without_items(void)
{
	begin(4, 10, 1);
	step();
	answer(0, "", "3");
	is_int(take_rows(), DYN_STEP_WAIT, "items that do not exist are progress");
	ok(fake_sent() == 2 && between(0, 1) == 0, "no delay");
}

static void
test_new_keys_fill_up(void)
{
	begin(15, 10, 1);
	step();
	answer(0, "", "7 8");
	take_rows();
	is_string(entities_of(1), "8 7 10 11 12 13 14", "what may go at once takes further keys along");
}

static void
test_all_unprocessed(void)
{
	double		begun;

	begin(2, 10, 2);
	begun = fake_now_ms;
	step();
	for (int i = 0; i < 3; i++)
	{
		static const double want[] = {12.5, 25, 50};

		fake_pass(client, 10);
		answer(i, "", "0 1");
		is_int(take_rows_until_sent(i + 1), DYN_STEP_WAIT, "round %d", i + 1);
		ok(fabs(between(i, i + 1) - 10 - want[i]) < 1, "its keys wait %g ms", want[i]);
	}
	fake_pass(client, 10);
	answer(3, "", "0 1");
	is_int(step(), DYN_STEP_FAILED, "the fourth round is the last");
	is_int(status.cls, DYN_THROTTLED, "it counts as throttled");
	is_int(status.attempts, 4, "after four attempts");
	ok(fabs(status.elapsed_ms - (fake_now_ms - begun)) < 1 && status.elapsed_ms > 120, "in the time of them all");
	is_string(rows, "", "and there is no row");
}

static void
test_a_window_of_unprocessed(void)
{
	begin(40, 10, 4);
	step();
	for (int i = 0; i < 4; i++)
		answer(i, "", entities_of(i));
	is_int(take_rows_until_sent(7), DYN_STEP_WAIT, "four requests side by side that bring nothing");
	is_int(fake_sent(), 8, "are one round of four attempts");
}

/* Request `n` brings nothing; what happens until the next one goes out. */
static DynStep
answer_nothing(int n)
{
	answer(n, "", entities_of(n));
	return take_rows_until_sent(n + 1);
}

static void
test_progress_resets(void)
{
	begin(20, 10, 2);
	step();
	for (int i = 1; i < 4; i++)
		is_int(answer_nothing(i), DYN_STEP_WAIT, "the second request brings nothing, round %d", i);
	answer(0, "1", "");
	is_int(take_rows(), DYN_STEP_WAIT, "the first one does");
	for (int i = 4; i < 7; i++)
		is_int(answer_nothing(i), DYN_STEP_WAIT, "for which the count begins anew, round %d", i - 3);
	is_int(answer_nothing(7), DYN_STEP_FAILED, "and ends at its fourth");
	is_int(status.attempts, 4, "of which it tells");
	ok(fabs(status.elapsed_ms - (between(4, 7))) < 1, "with their time");
}

static void
test_each_has_its_own_delay(void)
{
	begin(12, 10, 2);
	step();
	answer(1, "", "10 11");
	answer(0, "0", "5");
	take_rows();
	is_int(fake_sent(), 3, "what an answer with progress left goes out at once");
	is_string(entities_of(2), "5", "and alone");
	take_rows_until_sent(3);
	ok(between(2, 3) > 11 && between(2, 3) < 14, "what one without left has to wait");
	is_string(entities_of(3), "11 10", "and goes alone as well");
}

static void
test_adaptive(void)
{
	DynClientConfig config = {.adaptive = true};

	begin_with(&config, 200, 10, 10);
	step();
	step();
	is_int(fake_sent(), 10, "a window");
	for (int i = 0; i < 10; i++)
		answer(i, "", entities_of(i));
	take_rows();
	fake_pass(client, 5000);
	is_int(fake_in_flight(), 7, "unprocessed keys are throttling, too: fewer requests go out again");
}

static const struct
{
	const char *what;
	const char *found;
	const char *unprocessed;
}			wrong[] = {
	{"an item not asked for", "0 7", ""},
	{"an item twice", "0 1 0", ""},
	{"an unprocessed key not asked for", "0", "9"},
	{"an unprocessed key twice", "0", "1 1"},
	{"an item that is unprocessed too", "0 1", "1"},
	{"more items than keys", "0 1 2 3", ""},
	{"more unprocessed keys than keys", "", "0 1 2 3"},
};

static void
test_wrong_answers(void)
{
	for (size_t i = 0; i < LENGTH(wrong); i++)
	{
		begin(3, 10, 2);
		step();
		answer(0, wrong[i].found, wrong[i].unprocessed);
		is_int(take_rows_until_sent(1), DYN_STEP_WAIT, "%s: is asked again", wrong[i].what);
		is_string(entities_of(1), "0 1 2", "all of it");
		answer(1, "1", "");
		is_int(take_rows(), DYN_STEP_END, "and then right");
		is_string(rows, "1", "with the right row only");
	}
	begin(3, 10, 2);
	step();
	for (int i = 0; i < 4; i++)
	{
		fake_answer(i, 200, "{\"Responses\":{\"" TABLE "\":[{\"entity_id\":{\"S\":\"");
		take_rows_until_sent(i + 1);
	}
	is_int(fake_sent(), 4, "an answer that stays malformed is asked for four times");
	is_int(status.cls, DYN_PROTOCOL, "and is an error");
}

static void
test_failures(void)
{
	begin(20, 10, 2);
	step();
	fake_answer(0, 400, "{\"__type\":\"AccessDeniedException\",\"message\":\"no\"}");
	is_int(take_rows(), DYN_STEP_FAILED, "a refusal ends the read");
	is_int(status.cls, DYN_ACCESS_DENIED, "for its reason");

	begin(20, 10, 2);
	step();
	for (int i = 0; i < 4; i++)
	{
		fake_answer(fake_sent() - (i == 0 ? 2 : 1), 400, "{\"__type\":\"ThrottlingException\"}");
		take_rows_until_sent(fake_sent());
	}
	is_int(status.cls, DYN_THROTTLED, "throttled to the end");
	is_int(status.attempts, 4, "after its attempts");

	begin(10, 10, 2);
	step();
	fake_fail(0, DYN_CONNECTION_LOST);
	is_int(take_rows_until_sent(1), DYN_STEP_WAIT, "a connection that is lost is no end");
	answer(1, "3", "");
	is_int(take_rows(), DYN_STEP_END, "if the next one holds");
	is_string(rows, "3", "with its row");

	begin(10, 10, 2);
	step();
	dyn_client_free(client);
	client = NULL;
	is_int(dyn_batch_get_next(get, &(const DynItem *) {NULL}, &(uint32_t) {0}, &status), DYN_STEP_FAILED,
		   "without its client the read fails");
}

int
main(void)
{
	test_windows();
	test_the_caller_is_let_in_between_answers();
	test_nothing_more_is_asked_than_is_read();
	test_no_keys();
	test_some_unprocessed();
	test_progress_without_items();
	test_new_keys_fill_up();
	test_all_unprocessed();
	test_a_window_of_unprocessed();
	test_progress_resets();
	test_each_has_its_own_delay();
	test_adaptive();
	test_wrong_answers();
	test_failures();
	end_get();
	return done_testing();
}
