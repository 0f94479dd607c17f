/*
 * test_call_keys.c
 *	  Calls and the keys that sign them: calls that wait for keys, keys that
 *	  DynamoDB refuses, and keys that change while calls are under way.
 */
#include <stdlib.h>

#include "core/sigv4.h"
#include "keys_scene.h"
#include "net/loop.h"
#include "tap.h"

#define DYNAMODB "https://dynamodb.us-west-2.amazonaws.com/"
#define KEYS_END "2026-03-01T18:00:00Z"
#define REFUSAL(code) "{\"__type\":\"x#" code "\",\"message\":\"The security token is expired\"}"
#define EXPIRED REFUSAL("ExpiredTokenException")
#define UNKNOWN REFUSAL("UnrecognizedClientException")

static DynClient *client;

/* A container's keys with this id, whose secret and token are made of it. */
static char answer[600];
static int	fetches;
static bool silent;				/* the container's service says nothing */

static void
set_keys(const char *id)
{
	snprintf(answer, sizeof(answer),
			 "{\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"sEcReT-%s\",\"Token\":\"tOkEn-of-the-session-%s\",\"Expiration\":\"" KEYS_END "\"}",
			 id, id, id);
}

/* The same as STS answers. */
static void
set_sts_keys(const char *id)
{
	snprintf(answer, sizeof(answer),
			 "<AResponse><AResult><Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>sEcReT-%s</SecretAccessKey><SessionToken>tOkEn-of-the-session-%s</SessionToken><Expiration>" KEYS_END "</Expiration></Credentials></AResult></AResponse>",
			 id, id, id);
}

/* The container's service, or STS, answers, DynamoDB's calls the test does. */
static bool
answer_container(const FakeRequest *request, int *status, const char **body)
{
	if (strcmp(request->url, DYNAMODB) == 0)
		return false;
	fetches++;
	*status = 200;
	*body = answer;
	return !silent;
}

static void
begin_with(const DynKeyFetchConfig *keys)
{
	DynClientConfig config = {.region = "us-west-2", .total_max_retry_attempts = 4, .max_pool_connections = 50};
	DynStatus	status;
	const char *why;

	dyn_endpoint_parse("https://dynamodb.us-west-2.amazonaws.com", &config.endpoint, &why);
	config.keys = scene_source_of(keys);
	config.clock = fake_clock;
	config.read_timeout_s = 1e6;	/* the test answers in its own time */
	client = dyn_client_new(&config, &status);
	dyn_key_source_release(config.keys);
	fake_script = answer_container;
	fetches = 0;
	silent = false;
	set_keys("AKIA1");
}

static void
begin(void)
{
	DynKeyFetchConfig keys;

	scene_begin();
	scene_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/creds");
	keys = scene_config();
	begin_with(&keys);
}

static void
begin_fixed(void)
{
	DynKeyFetchConfig keys;

	scene_begin();
	keys = scene_config();
	keys.wish.access_key_id = "AKIAMINE";
	keys.wish.secret_access_key = "sEcReT-AKIAMINE";
	keys.wish.session_token = "tOkEn-of-the-session-AKIAMINE";
	begin_with(&keys);
}

static void
end(void)
{
	dyn_client_free(client);
	client = NULL;
}

static DynCall *
start(DynStatus *status)
{
	DynBuf		body = {0};

	dyn_buf_str(&body, "{}");
	return dyn_call_start(client, DYN_OP_BATCH_GET_ITEM, &body, 0, NULL, status);
}

static DynCall *
start_well(void)
{
	DynStatus	status;
	DynCall    *call = start(&status);

	if (call == NULL)
		abort();
	return call;
}

/* The loop is driven until nothing happens but waiting for DynamoDB. */
static void
drive(void)
{
	for (int i = 0; i < 20; i++)
		dyn_loop_drive();
}

/* The requests to DynamoDB, from 0; NULL: there are fewer. */
static const FakeRequest *
sent(int n, int *number)
{
	for (int i = 0; i < fake_sent(); i++)
		if (strcmp(fake_request(i)->url, DYNAMODB) == 0 && n-- == 0)
		{
			if (number)
				*number = i;
			return fake_request(i);
		}
	return NULL;
}

static int
calls_sent(void)
{
	int			n = 0;

	while (sent(n, NULL))
		n++;
	return n;
}

static void
answer_call(int n, int http, const char *body)
{
	int			number = 0;

	if (sent(n, &number) == NULL)
		abort();
	fake_answer(number, http, body);
	drive();
}

/* Is request `n` signed by the keys of that id, and with their secret and token? */
static void
signed_by(int n, const char *id, const char *what)
{
	static const char *const names[] = {"Host", "Content-Type", "X-Amz-Date", "X-Amz-Target", "X-Amz-Security-Token"};
	const FakeRequest *request = sent(n, NULL);
	DynSigv4Header headers[5];
	char		values[5][200];
	char		secret[100];
	char		token[100];
	DynSigv4Signer signer = {.access_key_id = id, .secret_access_key = secret, .region = "us-west-2", .service = "dynamodb"};
	DynSigv4Request sigv4 = {.method = "POST", .headers = headers, .nheaders = 5};
	DynBuf		authorization = {0};

	if (!ok(request != NULL, "%s: it is sent", what))
		return;
	snprintf(secret, sizeof(secret), "sEcReT-%s", id);
	snprintf(token, sizeof(token), "tOkEn-of-the-session-%s", id);
	ok(fake_header_is(request, "X-Amz-Security-Token", token), "%s: with the token of %s", what, id);
	for (int i = 0; i < 5; i++)
	{
		const char *value = fake_header(request, names[i]);

		snprintf(values[i], sizeof(values[i]), "%.*s", value ? (int) strcspn(value, "\n") : 0, value ? value : "");
		headers[i] = (DynSigv4Header) {names[i], values[i]};
	}
	sigv4.payload = request->body.data;
	sigv4.payload_len = request->body.len;
	sigv4.amz_date = request->date;
	dyn_sigv4_sign(&signer, &sigv4, &authorization, NULL, NULL);
	ok(fake_header_is(request, "Authorization", dyn_buf_cstr(&authorization)), "%s: signed by %s", what, id);
	dyn_buf_free(&authorization);
}

/* ---- waiting ---- */

static void
test_waiting(void)
{
	DynCall    *calls[5];
	DynStatus	status;

	begin();
	for (int i = 0; i < 5; i++)
		calls[i] = start_well();
	ok(calls_sent() == 0 && fetches == 1, "calls wait for keys, which are fetched once");
	ok(!dyn_call_done(calls[0]), "none is done");
	drive();
	is_int(calls_sent(), 5, "with the keys all go out");
	for (int i = 0; i < 5; i++)
		signed_by(i, "AKIA1", "a call");
	for (int i = 0; i < 5; i++)
	{
		answer_call(i, 200, "{}");
		dyn_call_free(calls[i]);
	}
	is_int(fetches, 1, "one fetch in all");
	end();

	/* no keys come */
	begin();
	silent = true;
	calls[0] = start_well();
	scene_pass(30);
	ok(dyn_call_done(calls[0]) && calls_sent() == 0, "without keys a call fails");
	is_int(dyn_call_status(calls[0])->cls, DYN_NO_CREDENTIALS, "and says why");
	ok(strncmp(dyn_call_status(calls[0])->message, "container: ", 11) == 0, "naming the source");
	is_int(dyn_call_status(calls[0])->attempts, 0, "it was not sent");
	dyn_call_free(calls[0]);
	end();

	/* that is known at once */
	begin();
	scene_variable("AWS_ACCESS_KEY_ID", "AKIA");
	ok(start(&status) == NULL && status.cls == DYN_NO_CREDENTIALS, "a call that can't have keys does not start");
	end();

	/* one that goes while it waits */
	begin();
	calls[0] = start_well();
	dyn_call_free(calls[0]);
	drive();
	is_int(calls_sent(), 0, "a call that is given up is not sent");
	end();
}

/* A fetch that goes on in the background makes nobody wait. */
static void
test_refresh(void)
{
	DynCall    *call;

	begin();
	call = start_well();
	drive();
	dyn_call_free(call);
	scene_jump(6 * 3600 - 600);
	set_keys("AKIA2");
	call = start_well();
	ok(calls_sent() == 2 && fetches == 2, "a call goes out while keys are refreshed");
	signed_by(1, "AKIA1", "the old ones sign");
	drive();
	dyn_call_free(start_well());
	signed_by(2, "AKIA2", "the new ones sign what is started later");
	dyn_call_free(call);
	is_int(fetches, 2, "two fetches in all");
	end();
}

/* ---- refusals ---- */

static void
test_expired(const char *refusal, const char *code)
{
	DynCall    *call;
	const DynStatus *status;

	begin();
	call = start_well();
	drive();
	set_keys("AKIA2");
	answer_call(0, 400, refusal);
	is_int(fetches, 2, "%s: new keys are fetched", code);
	is_int(calls_sent(), 2, "%s: and the call is sent again", code);
	signed_by(1, "AKIA2", "by the new ones");
	answer_call(1, 200, "{}");
	ok(dyn_call_done(call) && dyn_call_status(call)->cls == DYN_OK, "%s: with success", code);
	dyn_call_free(call);

	call = start_well();
	set_keys("AKIA3");
	answer_call(2, 400, refusal);
	answer_call(3, 400, refusal);
	status = dyn_call_status(call);
	ok(dyn_call_done(call) && calls_sent() == 4 && fetches == 3, "%s: a second refusal is the end", code);
	is_int(status->cls, DYN_CREDENTIALS, "%s: its class", code);
	is_string(status->aws_code, code, "its code");
	ok(strstr(status->hint, "The credentials come from: container.") != NULL, "%s: the hint names the source", code);
	ok(scene_status_is_clean(status), "%s: without a secret", code);
	dyn_call_free(call);
	end();

	begin_fixed();
	call = start_well();
	answer_call(0, 400, refusal);
	ok(dyn_call_done(call) && calls_sent() == 1, "%s: for a mapping's keys there is no second request", code);
	ok(dyn_call_status(call)->cls == DYN_CREDENTIALS && dyn_call_status(call)->hint[0] == '\0', "%s: nor a hint", code);
	dyn_call_free(call);
	end();
}

/* Keys that are not the mapping's alone are named with their profile and their role. */
static void
test_named(void)
{
	DynKeyFetchConfig keys;
	DynCall    *call;

	scene_begin();
	keys = scene_config();
	keys.wish.access_key_id = "AKIAMINE";
	keys.wish.secret_access_key = "sEcReT-AKIAMINE";
	keys.wish.role.role_arn = "arn:aws:iam::123456789012:role/reader";
	begin_with(&keys);
	set_sts_keys("AKIASTS");
	call = start_well();
	drive();
	answer_call(0, 400, REFUSAL("InvalidSignatureException"));
	ok(strstr(dyn_call_status(call)->hint, "come from: user mapping, role arn:aws:iam::123456789012:role/reader.") != NULL,
	   "a role over a mapping's keys is named");
	dyn_call_free(call);
	end();

	scene_begin();
	scene_file("$HOME/.aws/credentials", "[other]\naws_access_key_id = AKIAFILE\naws_secret_access_key = sEcReT-file\n");
	keys = scene_config();
	keys.wish.profile = "other";
	begin_with(&keys);
	call = start_well();
	answer_call(0, 400, REFUSAL("InvalidSignatureException"));
	ok(strstr(dyn_call_status(call)->hint, ", profile other. Check") != NULL, "so is a profile");
	dyn_call_free(call);
	end();
}

/* What else DynamoDB says of keys has nothing to do with their age. */
static void
test_other_refusals(void)
{
	static const char *const codes[] = {"InvalidSignatureException", "AccessDeniedException", "ValidationException"};

	for (size_t i = 0; i < LENGTH(codes); i++)
	{
		DynCall    *call;
		char		body[200];

		begin();
		call = start_well();
		drive();
		snprintf(body, sizeof(body), "{\"__type\":\"x#%s\",\"message\":\"no\"}", codes[i]);
		answer_call(0, 400, body);
		ok(dyn_call_done(call) && fetches == 1 && calls_sent() == 1, "%s fetches no keys", codes[i]);
		ok((strstr(dyn_call_status(call)->hint, "come from: container") != NULL) == (i == 0), "%s: the hint", codes[i]);
		dyn_call_free(call);
		end();
	}
}

/* New keys can't be had, or are the old ones. */
static void
test_no_others(void)
{
	DynCall    *call;
	DynCall    *calls[4];

	begin();
	call = start_well();
	drive();
	answer_call(0, 400, EXPIRED);
	ok(calls_sent() == 2 && fetches == 2, "keys that stay the same are tried once more");
	answer_call(1, 400, EXPIRED);
	ok(dyn_call_done(call) && calls_sent() == 2, "and no more");
	dyn_call_free(call);

	call = start_well();
	silent = true;
	answer_call(2, 400, EXPIRED);
	scene_pass(30);
	ok(dyn_call_done(call) && dyn_call_status(call)->cls == DYN_NO_CREDENTIALS, "without new keys it fails for want of them");
	ok(strstr(dyn_call_status(call)->message, ", after an attempt that failed: The security token is expired") != NULL,
	   "and tells the refusal, too");
	is_int(dyn_call_status(call)->attempts, 1, "after one attempt");
	dyn_call_free(call);
	end();

	begin();
	for (int i = 0; i < 4; i++)
		calls[i] = start_well();
	drive();
	for (int i = 0; i < 8; i++)
		answer_call(i, 400, EXPIRED);
	ok(fetches == 2 && calls_sent() == 8, "many calls fetch the same keys once more, not each");
	for (int i = 0; i < 4; i++)
	{
		ok(dyn_call_done(calls[i]), "call %d fails", i);
		dyn_call_free(calls[i]);
	}
	end();
}

/* Many calls with the same keys, all refused. */
static void
test_many(void)
{
	DynCall    *calls[6];

	begin();
	for (int i = 0; i < 6; i++)
		calls[i] = start_well();
	drive();
	set_keys("AKIA2");
	for (int i = 0; i < 6; i++)
		answer_call(i, 400, i % 2 ? EXPIRED : UNKNOWN);
	ok(fetches == 2 && calls_sent() == 12, "calls whose keys are old by now are just sent again");
	for (int i = 6; i < 12; i++)
	{
		signed_by(i, "AKIA2", "each");
		answer_call(i, 200, "{}");
	}
	for (int i = 0; i < 6; i++)
	{
		ok(dyn_call_done(calls[i]) && dyn_call_status(calls[i])->cls == DYN_OK, "call %d succeeds", i);
		dyn_call_free(calls[i]);
	}

	/* the fetch takes its time, and all wait for it */
	for (int i = 0; i < 3; i++)
		calls[i] = start_well();
	set_keys("AKIA3");
	for (int i = 0; i < 3; i++)
	{
		int			number = 0;

		sent(12 + i, &number);
		fake_answer(number, 400, EXPIRED);
	}
	dyn_client_drive(client);
	ok(fetches == 3 && calls_sent() == 15, "refused at the same time");
	drive();
	ok(fetches == 3 && calls_sent() == 18, "they wait for one fetch");
	signed_by(17, "AKIA3", "then");
	for (int i = 0; i < 3; i++)
		dyn_call_free(calls[i]);
	end();
}

/* The answer quotes the token that the call was sent with, which is not the client's any more. */
static void
test_redacted(void)
{
	DynCall    *call;
	DynCall    *other;
	DynStatus	before;

	begin();
	call = start_well();
	drive();
	other = start_well();
	set_keys("AKIA2");
	answer_call(1, 400, EXPIRED);
	signed_by(2, "AKIA2", "the other call");
	answer_call(0, 400, "{\"__type\":\"x#ValidationException\",\"message\":\"Bad header tOkEn-of-the-session-AKIA1 there\"}");
	before = *dyn_call_status(call);
	is_string(before.message, "Bad header ", "the message ends before the token");
	dyn_call_free(call);
	answer_call(2, 400, "{\"__type\":\"x#ValidationException\",\"message\":\"Bad header tOkEn-of-the-session-AKIA2 there\"}");
	is_string(dyn_call_status(other)->message, "Bad header ", "that of new keys, too");
	dyn_call_free(other);
	end();
}

/* A retry signs with the keys of its time, and the signing key of the old secret is not used for them. */
static void
test_retry(void)
{
	DynCall    *call;

	begin();
	fake_random = 0.5;
	call = start_well();
	drive();
	answer_call(0, 500, "{\"__type\":\"x#InternalServerError\",\"message\":\"no\"}");
	set_keys("AKIA2");
	dyn_call_free(start_well());
	drive();
	{
		const DynKeys *keys;
		uint64_t	serial;
		DynStatus	status;

		dyn_key_source_keys(dyn_client_keys(client), &keys, &serial, &status);
		dyn_key_source_refused(dyn_client_keys(client), serial);
	}
	scene_pass(1);
	signed_by(2, "AKIA2", "a retry on the same day");
	dyn_call_free(call);
	end();
}

/* Clients with the same wish have the same keys. */
static void
test_two_clients(void)
{
	DynKeyFetchConfig keys;
	DynClient  *first;
	DynCall    *one;
	DynCall    *two;

	begin();
	first = client;
	keys = scene_config();
	one = start_well();
	begin_with(&keys);
	fetches = 1;
	two = start_well();
	drive();
	ok(fetches == 1 && calls_sent() == 2, "two clients fetch once");
	set_keys("AKIA2");
	answer_call(0, 400, EXPIRED);
	answer_call(1, 400, EXPIRED);
	ok(fetches == 2 && calls_sent() == 4, "and again once");
	signed_by(2, "AKIA2", "one");
	signed_by(3, "AKIA2", "the other");
	dyn_call_free(one);
	dyn_call_free(two);
	dyn_client_free(first);
	end();
}

int
main(void)
{
	test_waiting();
	test_refresh();
	test_expired(EXPIRED, "ExpiredTokenException");
	test_expired(REFUSAL("ExpiredToken"), "ExpiredToken");
	test_expired(REFUSAL("RequestExpired"), "RequestExpired");
	test_expired(UNKNOWN, "UnrecognizedClientException");
	test_expired(REFUSAL("InvalidClientTokenId"), "InvalidClientTokenId");
	test_expired(REFUSAL("InvalidAccessKeyId"), "InvalidAccessKeyId");
	test_named();
	test_other_refusals();
	test_no_others();
	test_many();
	test_redacted();
	test_retry();
	test_two_clients();
	scene_begin();
	return done_testing();
}
