/*
 * test_ddb_client.c
 *	  Retries of single calls, on a fake engine and a fake clock: when the next
 *	  attempt goes out, what it costs, and when there is none.
 */
#include <math.h>
#include <string.h>

#include "fake_http.h"
#include "tap.h"

static DynClient *client;

/* Ends a test and begins the next one with a client of its own. */
static void
begin(const DynClientConfig *config)
{
	dyn_client_free(client);
	client = fake_client(config);
	fake_random = 0.5;
}

static void
begin_with(int attempts)
{
	DynClientConfig config = {.total_max_retry_attempts = attempts};

	begin(&config);
}

static DynCall *
start(void)
{
	DynBuf		body = {0};
	DynStatus	status;

	dyn_buf_str(&body, "{}");
	return dyn_call_start(client, DYN_OP_BATCH_GET_ITEM, &body, 0, NULL, &status);
}

/* The last request gets an error of DynamoDB; `headers` go with it. */
static void
refuse(int status, const char *code)
{
	char		body[200];

	snprintf(body, sizeof(body), "{\"__type\":\"com.amazonaws.dynamodb.v20120810#%s\",\"message\":\"no\"}", code);
	fake_answer(fake_sent() - 1, status, body);
}

/* ms from the last but one request to the last */
static double
last_delay(void)
{
	return fake_request(fake_sent() - 1)->sent_ms - fake_request(fake_sent() - 2)->sent_ms;
}

/* Lets time pass until the call is sent again or done; true if sent. */
static bool
sent_again(DynCall *call)
{
	int			before = fake_sent();

	dyn_client_drive(client);
	while (fake_sent() == before && !dyn_call_done(call))
		fake_pass(client, 0.5);
	return fake_sent() > before;
}

/* How often a call that fails as `refuse` says is tried again, with `cls` for failures without an answer. */
static int
retries_of(DynCall *call, int status, const char *code)
{
	int			n = 0;

	for (;;)
	{
		if (status == 0)
			fake_fail(fake_sent() - 1, DYN_CONNECTION_LOST);
		else
			refuse(status, code);
		if (!sent_again(call))
			return n;
		n++;
	}
}

static void
test_delays(void)
{
	DynCall    *call;
	double		begun = fake_now_ms;

	begin(NULL);
	call = start();
	is_int(fake_sent(), 1, "a call goes out at once");
	for (int i = 0; i < 3; i++)
	{
		static const double want[] = {12.5, 25, 50};

		refuse(500, "InternalServerError");
		ok(sent_again(call) && fabs(last_delay() - want[i]) < 1, "attempt %d: half of 25 ms, doubled each time", i + 2);
	}
	refuse(500, "InternalServerError");
	ok(!sent_again(call), "four attempts are all");
	is_int(dyn_call_status(call)->cls, DYN_SERVER_FAULT, "the call failed by the last answer");
	is_int(dyn_call_status(call)->attempts, 4, "and tells its attempts");
	ok(fabs(dyn_call_status(call)->elapsed_ms - (fake_now_ms - begun)) < 1, "and its time");
	dyn_call_free(call);

	begin(NULL);
	call = start();
	refuse(400, "ProvisionedThroughputExceededException");
	ok(sent_again(call) && fabs(last_delay() - 500) < 1, "a throttle waits half a second");
	refuse(400, "ThrottlingException");
	ok(sent_again(call) && fabs(last_delay() - 1000) < 1, "the second one a second");
	fake_headers.retry_after_ms = 2300;
	refuse(500, "InternalServerError");
	ok(sent_again(call) && fabs(last_delay() - 2300) < 1, "x-amz-retry-after is heeded");
	dyn_call_free(call);

	begin(NULL);
	call = start();
	fake_headers.retry_after_ms = 60000;
	refuse(500, "InternalServerError");
	ok(sent_again(call) && fabs(last_delay() - 5012.5) < 1, "up to 5 s over the delay");
	dyn_call_free(call);

	begin(NULL);
	call = start();
	refuse(500, "InternalServerError");
	dyn_client_drive(client);
	is_int(dyn_client_timeout_ms(client), 13, "the wait is the delay, rounded up");
	dyn_call_free(call);
	is_int(dyn_client_timeout_ms(client), -1, "without calls there is nothing to wait for");
}

static const struct
{
	int			status;
	const char *code;
	bool		retried;
	bool		throttle;
}			answers[] = {
	{400, "ProvisionedThroughputExceededException", true, true},
	{400, "ThrottlingException", true, true},
	{400, "RequestLimitExceeded", true, true},
	{400, "LimitExceededException", true, true},
	{400, "TransactionInProgressException", true, true},
	{429, "", true, true},
	{500, "InternalServerError", true, false},
	{502, "", true, false},
	{503, "ServiceUnavailable", true, false},
	{504, "", true, false},
	{501, "", false, false},
	{505, "", false, false},
	{400, "ValidationException", false, false},
	{400, "AccessDeniedException", false, false},
	{400, "ResourceNotFoundException", false, false},
	{400, "ResourceInUseException", false, false},
	{400, "UnrecognizedClientException", false, false},
	{400, "ExpiredTokenException", false, false},
	{413, "", false, false},
};

static void
test_what_is_retried(void)
{
	static const DynClass failures[] = {DYN_CONNECT, DYN_CONNECTION_LOST, DYN_TIMEOUT, DYN_PROTOCOL};
	DynCall    *call;

	for (size_t i = 0; i < LENGTH(answers); i++)
	{
		double		want = answers[i].throttle ? 500 : 12.5;

		begin(NULL);
		call = start();
		refuse(answers[i].status, answers[i].code);
		if (!answers[i].retried)
			ok(!sent_again(call), "HTTP %d %s is final", answers[i].status, answers[i].code);
		else
			ok(sent_again(call) && fabs(last_delay() - want) < 1, "HTTP %d %s: again after %g ms", answers[i].status,
			   answers[i].code, want);
		dyn_call_free(call);
	}
	for (size_t i = 0; i < LENGTH(failures); i++)
	{
		begin(NULL);
		call = start();
		fake_fail(0, failures[i]);
		ok(sent_again(call) && fabs(last_delay() - 12.5) < 1, "failure of class %d: again", failures[i]);
		dyn_call_free(call);
	}
	begin(NULL);
	call = start();
	fake_headers.wrong_crc = true;
	fake_answer(0, 200, "{}");
	ok(sent_again(call) && fabs(last_delay() - 12.5) < 1, "a wrong checksum: again");
	fake_answer(1, 500, "<html>");
	ok(sent_again(call) && fabs(last_delay() - 25) < 1, "500 without a DynamoDB error: again");
	fake_answer(2, 200, "{");
	dyn_client_drive(client);
	ok(dyn_call_done(call), "an answer");
	dyn_call_reject(call, "malformed");
	ok(sent_again(call) && fabs(last_delay() - 50) < 1, "that its owner rejects: again");
	fake_answer(3, 200, "{");
	dyn_client_drive(client);
	dyn_call_reject(call, "malformed");
	ok(dyn_call_done(call) && dyn_call_status(call)->cls == DYN_PROTOCOL, "until attempts run out");
	dyn_call_free(call);
}

static void
test_bucket(void)
{
	DynCall    *call;
	DynCall    *other;
	int			rejected = 0;

	begin_with(100);
	call = start();
	is_int(retries_of(call, 0, NULL), 35, "500 tokens are 35 retries of 14");
	dyn_call_free(call);
	call = start();
	is_int(retries_of(call, 400, "ThrottlingException"), 2, "10 are left for two throttles of 5");
	dyn_call_free(call);
	call = start();
	is_int(retries_of(call, 500, ""), 0, "then there is no retry");
	dyn_call_free(call);
	for (int i = 0; i < 14; i++)
	{
		call = start();
		fake_answer(fake_sent() - 1, 200, "{}");
		dyn_client_drive(client);
		dyn_call_free(call);
	}
	call = start();
	is_int(retries_of(call, 500, ""), 0, "answers that nobody accepted bring none");
	dyn_call_free(call);
	for (int i = 0; i < 14; i++)
	{
		call = start();
		fake_answer(fake_sent() - 1, 200, "{}");
		dyn_client_drive(client);
		dyn_call_accept(call);
		dyn_call_free(call);
	}
	call = start();
	is_int(retries_of(call, 500, ""), 1, "14 successes without a retry make up for one");
	dyn_call_free(call);

	begin_with(100);
	call = start();
	for (int i = 0; i < 30; i++)
	{
		refuse(500, "");
		sent_again(call);
	}
	fake_answer(30, 200, "{}");
	dyn_client_drive(client);
	other = start();
	is_int(retries_of(other, 500, ""), 5, "retries share the bucket");
	dyn_call_free(other);
	dyn_call_accept(call);
	dyn_call_free(call);
	call = start();
	is_int(retries_of(call, 500, ""), 30, "a success gives back what all of its retries took");
	dyn_call_free(call);

	begin_with(100);
	call = start();
	do
	{
		fake_answer(fake_sent() - 1, 200, "{");
		dyn_client_drive(client);
		dyn_call_reject(call, "malformed");
		rejected++;
	} while (sent_again(call));
	is_int(rejected, 36, "an answer that is rejected gives nothing back");
	dyn_call_free(call);

	begin_with(100);
	call = start();
	for (int i = 0; i < 30; i++)
	{
		refuse(500, "");
		sent_again(call);
	}
	dyn_call_free(call);
	call = start();
	is_int(retries_of(call, 500, ""), 35, "nor does one that is broken off keep anything");
	dyn_call_free(call);
}

static void
test_stale_connection(void)
{
	DynCall    *call;

	begin_with(1);
	call = start();
	ok(!fake_request(0)->fresh, "any connection will do");
	fake_stale(0);
	ok(sent_again(call) && last_delay() == 0, "an idle connection that was cut: at once again, with a single attempt");
	ok(fake_request(1)->fresh, "by a new connection");
	fake_answer(1, 200, "{}");
	dyn_client_drive(client);
	ok(dyn_call_done(call) && dyn_call_status(call)->attempts == 1, "which is no retry");
	dyn_call_free(call);

	begin_with(1);
	call = start();
	fake_stale(0);
	sent_again(call);
	fake_stale(1);
	ok(!sent_again(call) && dyn_call_status(call)->cls == DYN_CONNECTION_LOST, "a second time is a failure");
	dyn_call_free(call);

	begin_with(100);
	call = start();
	fake_stale(0);
	sent_again(call);
	is_int(retries_of(call, 0, NULL), 35, "and the first took no token");
	dyn_call_free(call);
}

static void
test_clock_skew(void)
{
	DynCall    *call;

	begin_with(1);
	call = start();
	is_string(fake_request(0)->date, "20231114T221320Z", "our time");
	fake_headers.date = fake_wall_s + 3600;
	refuse(400, "InvalidSignatureException");
	ok(sent_again(call) && last_delay() == 0, "a signature from a wrong clock: at once again");
	is_string(fake_request(1)->date, "20231114T231320Z", "by the service's time");
	fake_headers.date = fake_wall_s + 7200;
	refuse(400, "InvalidSignatureException");
	ok(!sent_again(call) && dyn_call_status(call)->cls == DYN_CREDENTIALS, "but once");
	dyn_call_free(call);
	call = start();
	is_string(fake_request(2)->date, "20231114T231320Z", "later calls use it too");
	fake_headers.date = fake_wall_s + 3500;
	refuse(400, "InvalidSignatureException");
	ok(!sent_again(call), "a clock that is right is not corrected");
	dyn_call_free(call);
}

static void
test_delayed_start(void)
{
	DynBuf		body = {0};
	DynStatus	status;
	DynCall    *call;

	begin(NULL);
	dyn_buf_str(&body, "{}");
	call = dyn_call_start(client, DYN_OP_BATCH_GET_ITEM, &body, 40, NULL, &status);
	is_int(fake_sent(), 0, "a call may begin later");
	is_int(dyn_client_timeout_ms(client), 40, "which is waited for");
	fake_pass(client, 39);
	is_int(fake_sent(), 0, "not before");
	fake_pass(client, 1);
	is_int(fake_sent(), 1, "but then");
	dyn_call_free(call);
}

#define CALLS 20

/* Starts CALLS calls; the first of them is throttled. */
static void
throttle_one(DynCall **calls)
{
	for (int i = 0; i < CALLS; i++)
		calls[i] = start();
	dyn_client_drive(client);
	fake_answer(0, 400, "{\"__type\":\"ThrottlingException\"}");
	dyn_client_drive(client);
	for (int i = 1; i < CALLS; i++)
		fake_answer(i, 200, "{}");
	dyn_client_drive(client);
	for (int i = 1; i < CALLS; i++)
	{
		dyn_call_free(calls[i]);
		calls[i] = start();
	}
}

/* Answers what is in flight until nothing is to be done; the most that were at a time. */
static int
serve(int from)
{
	int			most = 0;

	for (int next = from; next < fake_sent() || dyn_client_timeout_ms(client) >= 0;)
	{
		most = fake_in_flight() > most ? fake_in_flight() : most;
		while (next < fake_sent())
			fake_answer(next++, 200, "{}");
		fake_pass(client, 1);
	}
	return most;
}

static void
test_adaptive(void)
{
	DynClientConfig config = {.adaptive = true};
	DynCall    *calls[CALLS];
	double		begun;

	begin(NULL);
	throttle_one(calls);
	is_int(fake_in_flight(), CALLS - 1, "standard: a throttle holds nothing else back");
	for (int i = 0; i < CALLS; i++)
		dyn_call_free(calls[i]);

	begin(&config);
	throttle_one(calls);
	is_int(fake_in_flight(), 0, "adaptive: a throttle holds others back");
	begun = fake_now_ms;
	ok(dyn_client_timeout_ms(client) > 0 && dyn_client_timeout_ms(client) <= 1000 / 28 + 1, "until there is a token");
	is_int(serve(CALLS), 1, "of which there are few");
	is_int(fake_sent(), 2 * CALLS, "but all go out");
	ok(fake_now_ms - begun > 500 && fake_now_ms - begun < 1500, "in the time that the rate takes");
	for (int i = 0; i < CALLS; i++)
	{
		ok(dyn_call_done(calls[i]) && dyn_call_status(calls[i])->cls == DYN_OK, "call %d", i);
		dyn_call_free(calls[i]);
	}
}

static void
test_adaptive_window(void)
{
	DynClientConfig config = {.adaptive = true};
	DynCall    *calls[CALLS];

	begin(&config);
	throttle_one(calls);
	fake_pass(client, 10000);
	is_int(fake_in_flight(), CALLS * 7 / 10 + 1, "while answers fail to come fewer are in flight");
	is_int(dyn_client_timeout_ms(client), -1, "for which no clock is needed");
	for (int i = 0; i < CALLS; i++)
		dyn_call_free(calls[i]);
}

static void
test_warm_up(void)
{
	DynClientConfig config = {.warmup_connections = true, .max_pool_connections = 8};
	DynCall    *call;

	begin(NULL);
	call = start();
	dyn_client_warm_up(client, 10);
	is_int(fake_sent(), 1, "no warm-up unless asked for");
	dyn_call_free(call);

	begin(&config);
	call = start();
	dyn_client_warm_up(client, 5);
	is_int(fake_sent(), 5, "as many connections as requests could use at a time");
	ok(fake_request(4)->get && fake_request(4)->fresh, "each by a GET of its own");
	dyn_client_warm_up(client, 8);
	is_int(fake_sent(), 5, "once");
	fake_answer(0, 200, "{}");
	fake_answer(1, 400, "x");
	fake_fail(2, DYN_CONNECT);
	dyn_client_drive(client);
	ok(dyn_call_done(call) && dyn_call_status(call)->cls == DYN_OK, "what becomes of them is nobody's failure");
	ok(fake_request(1)->transfer == NULL && fake_request(2)->transfer == NULL && fake_request(3)->transfer != NULL,
	   "those that ended are given back");
	dyn_call_free(call);

	begin(&config);
	call = start();
	dyn_client_warm_up(client, 1);
	dyn_client_warm_up(client, 5);
	is_int(fake_sent(), 1, "only the first scan counts");
	dyn_call_free(call);

	begin(&config);
	dyn_client_warm_up(client, 100);
	is_int(fake_sent(), 8, "no more than the pool keeps");
}

static void
test_config(void)
{
	DynClientConfig config = {.connect_timeout_s = 0.25, .read_timeout_s = 1.5, .keepalive_timeout_s = 7.1};

	begin(&config);
	is_int(fake_config.connect_timeout_ms, 250, "timeouts have fractions");
	is_int(fake_config.read_timeout_ms, 1500, "both");
	is_int(fake_config.keepalive_timeout_s, 8, "the age of connections is rounded up");
	ok(fake_config.refuse_link_local, "no connection goes to link-local addresses");
	ok(fake_config.no_proxy, "a server on this machine has no proxy");
	dyn_endpoint_of_region(DYN_SERVICE_DYNAMODB, "us-west-2", false, false, &config.endpoint);
	begin(&config);
	ok(!fake_config.no_proxy && fake_config.refuse_link_local, "another one may have a proxy, but no link-local address");
	config.no_proxy = true;
	begin(&config);
	ok(fake_config.no_proxy, "unless it must not");
}

static void
test_a_client_that_goes_first(void)
{
	DynCall    *call;
	DynCall    *waiting;

	begin(NULL);
	waiting = start();
	refuse(500, "");
	dyn_client_drive(client);
	call = start();
	dyn_client_free(client);
	client = NULL;
	ok(dyn_call_done(call) && dyn_call_done(waiting), "calls are over with their client");
	is_int(dyn_call_status(call)->cls, DYN_INTERNAL, "and failed");
	dyn_call_free(call);
	dyn_call_free(waiting);
}

int
main(void)
{
	test_delays();
	test_what_is_retried();
	test_bucket();
	test_stale_connection();
	test_clock_skew();
	test_delayed_start();
	test_adaptive();
	test_adaptive_window();
	test_warm_up();
	test_config();
	test_a_client_that_goes_first();
	fake_forget();
	return done_testing();
}
