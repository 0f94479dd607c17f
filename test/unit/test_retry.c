/*
 * test_retry.c
 *	  Delays, the token bucket, and which failures are tried again.
 */
#include "core/retry.h"

#include "core/status.h"
#include "tap.h"

static const struct
{
	DynClass	cls;
	int			attempt;
	double		random;
	double		retry_after_ms;
	double		delay_ms;
}			delays[] = {
	/* 25 ms, doubled each time */
	{DYN_SERVER_FAULT, 1, 0.5, 0, 12.5},
	{DYN_SERVER_FAULT, 2, 0.5, 0, 25},
	{DYN_SERVER_FAULT, 3, 0.5, 0, 50},
	{DYN_TIMEOUT, 4, 0.25, 0, 50},
	{DYN_CONNECT, 5, 0.25, 0, 100},
	{DYN_CONNECTION_LOST, 1, 0.75, 0, 18.75},
	{DYN_PROTOCOL, 1, 0.75, 0, 18.75},
	/* 1 s after a throttle */
	{DYN_THROTTLED, 1, 0.5, 0, 500},
	{DYN_THROTTLED, 2, 0.5, 0, 1000},
	{DYN_THROTTLED, 3, 0.5, 0, 2000},
	/* at most 20 s, before the random factor */
	{DYN_SERVER_FAULT, 10, 0.5, 0, 6400},
	{DYN_SERVER_FAULT, 11, 0.5, 0, 10000},
	{DYN_SERVER_FAULT, 100, 0.5, 0, 10000},
	{DYN_THROTTLED, 5, 0.5, 0, 8000},
	{DYN_THROTTLED, 6, 0.5, 0, 10000},
	{DYN_THROTTLED, 2000000000, 0.5, 0, 10000},
	/* any random */
	{DYN_SERVER_FAULT, 1, 0, 0, 0},
	{DYN_THROTTLED, 100, 0, 0, 0},
	{DYN_THROTTLED, 100, 0.999, 0, 19980},
	/* what the service wishes: not less than the delay, not more than 5 s over it */
	{DYN_SERVER_FAULT, 1, 0.5, 1, 12.5},
	{DYN_SERVER_FAULT, 1, 0.5, 12.5, 12.5},
	{DYN_SERVER_FAULT, 1, 0.5, 1500, 1500},
	{DYN_SERVER_FAULT, 1, 0.5, 5012.5, 5012.5},
	{DYN_SERVER_FAULT, 1, 0.5, 6000, 5012.5},
	{DYN_SERVER_FAULT, 1, 0, 86400000, 5000},
	{DYN_THROTTLED, 2, 0.5, 3000, 3000},
	{DYN_THROTTLED, 6, 0.5, 60000, 15000},
};

static void
test_delays(void)
{
	for (size_t i = 0; i < LENGTH(delays); i++)
	{
		double		delay = dyn_retry_delay_ms(delays[i].cls, delays[i].attempt, delays[i].random,
											   delays[i].retry_after_ms);

		if (!ok(delay > delays[i].delay_ms - 1e-6 && delay < delays[i].delay_ms + 1e-6,
				"class %d, attempt %d, random %g, wish %g: %g ms", delays[i].cls, delays[i].attempt, delays[i].random,
				delays[i].retry_after_ms, delays[i].delay_ms))
			diag("got %g", delay);
	}
}

static void
test_bucket(void)
{
	DynRetryBucket bucket;
	int			retries = 0;

	dyn_retry_bucket_init(&bucket);
	is_int(bucket.tokens, 500, "a bucket starts full");
	is_int(dyn_retry_take(&bucket, DYN_SERVER_FAULT), 14, "a retry takes 14");
	is_int(dyn_retry_take(&bucket, DYN_TIMEOUT), 14, "after a timeout too");
	is_int(dyn_retry_take(&bucket, DYN_THROTTLED), 5, "after a throttle 5");
	is_int(bucket.tokens, 467, "that much is gone");
	dyn_retry_give_back(&bucket, 14);
	is_int(bucket.tokens, 481, "a success gives back what it took");
	dyn_retry_give_back(&bucket, 100);
	is_int(bucket.tokens, 500, "but the bucket does not overflow");

	while (dyn_retry_take(&bucket, DYN_CONNECTION_LOST) > 0 && retries < 1000)
		retries++;
	is_int(retries, 35, "an outage is retried 35 times");
	is_int(bucket.tokens, 10, "a refused retry takes nothing");
	is_int(dyn_retry_take(&bucket, DYN_CONNECT), -1, "10 are too few");
	is_int(dyn_retry_take(&bucket, DYN_THROTTLED), 5, "but enough after a throttle");
	is_int(dyn_retry_take(&bucket, DYN_THROTTLED), 5, "to the last token");
	is_int(bucket.tokens, 0, "the bucket is empty");
	is_int(dyn_retry_take(&bucket, DYN_THROTTLED), -1, "and gives no more");
	dyn_retry_give_back(&bucket, 14);
	is_int(dyn_retry_take(&bucket, DYN_PROTOCOL), 14, "until something is given back");
}

static void
test_retryable(void)
{
	static const struct
	{
		DynClass	cls;
		bool		retryable;
	}			classes[] = {
		{DYN_OK, false}, {DYN_NO_MEMORY, false}, {DYN_INTERNAL, false},
		{DYN_CONNECT, true}, {DYN_CONNECTION_LOST, true}, {DYN_TIMEOUT, true}, {DYN_SERVER_FAULT, true},
		{DYN_THROTTLED, true}, {DYN_PROTOCOL, true},
		{DYN_TABLE_MISSING, false}, {DYN_TABLE_IN_USE, false}, {DYN_ACCESS_DENIED, false},
		{DYN_CREDENTIALS, false}, {DYN_ITEM_TOO_LARGE, false}, {DYN_REJECTED, false},
	};

	for (size_t i = 0; i < LENGTH(classes); i++)
	{
		DynStatus	status;

		dyn_status_clear(&status);
		status.cls = classes[i].cls;
		status.http_status = classes[i].cls == DYN_SERVER_FAULT ? 503 : 0;
		is_int(dyn_status_retryable(&status), classes[i].retryable, "class %d: tried again or not", classes[i].cls);
	}
}

static void
test_status(void)
{
	DynStatus	status;
	char		text[1000];

	memset(&status, 'x', sizeof(status));
	dyn_status_clear(&status);
	ok(status.cls == DYN_OK && status.http_status == 0 && status.attempts == 0 && status.elapsed_ms == 0 &&
	   status.aws_code[0] == '\0' && status.request_id[0] == '\0' && status.message[0] == '\0', "a cleared status");

	status.http_status = 400;
	strcpy(status.aws_code, "Code");
	ok(!dyn_status_set(&status, DYN_TIMEOUT, "%s after %d s", "nothing", 10), "setting one returns false");
	ok(status.cls == DYN_TIMEOUT && strcmp(status.message, "nothing after 10 s") == 0, "class and message are set");
	ok(status.http_status == 400 && strcmp(status.aws_code, "Code") == 0, "the rest stays");

	memset(text, 'm', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	dyn_status_set(&status, DYN_REJECTED, "%s", text);
	is_int(strlen(status.message), sizeof(status.message) - 1, "a long message is cut");
}

/* Counts an answer to a request of `round`, four attempts. */
static bool
count_stall(DynStall *stall, int round, bool progress, double *delay)
{
	DynStallMark sent = {round, 100.0 * round};

	return dyn_stall_count(stall, &sent, progress, 4, 0.5, delay);
}

static void
test_stall(void)
{
	DynStall	state = {0};
	double		delay = 1;

	ok(count_stall(&state, 0, true, &delay) && delay == 0, "progress: at once");
	for (int i = 0; i < 10; i++)
		ok(count_stall(&state, 0, false, &delay) && delay == 12.5, "requests side by side are one round, answer %d", i);
	is_int(state.fruitless, 1, "one round");
	ok(count_stall(&state, 1, false, &delay) && delay == 25, "the second round waits longer");
	ok(count_stall(&state, 2, false, &delay) && delay == 50, "the third longer still");
	ok(!count_stall(&state, 3, false, &delay), "the fourth is the end");
	ok(state.since_ms == 0, "which counts from the first");

	ok(count_stall(&state, 0, true, &delay) && state.fruitless == 0, "progress anywhere starts anew");
	ok(count_stall(&state, 3, false, &delay) && state.fruitless == 0, "for which rounds before it do not count");
	ok(count_stall(&state, 4, false, &delay) && state.fruitless == 1 && state.since_ms == 400, "but rounds since do");
	state = (DynStall) {0};
	ok(!dyn_stall_count(&state, &(DynStallMark) {0, 0}, false, 1, 0.5, &delay), "one attempt is no retry");
}

static void
test_5xx(void)
{
	static const int statuses[] = {400, 500, 501, 502, 503, 504, 505, 507, 599};
	static const bool passing[] = {true, true, false, true, true, true, false, false, false};

	for (size_t i = 0; i < LENGTH(statuses); i++)
	{
		DynStatus	status;

		dyn_status_clear(&status);
		status.cls = DYN_SERVER_FAULT;
		status.http_status = statuses[i];
		is_int(dyn_status_retryable(&status), passing[i], "HTTP %d: tried again or not", statuses[i]);
	}
}

int
main(void)
{
	test_stall();
	test_5xx();
	test_delays();
	test_bucket();
	test_retryable();
	test_status();
	return done_testing();
}
