/*
 * test_s3_get.c
 *	  Getting an object of S3: botocore's requests byte for byte, another region,
 *	  keys that end, retries, and answers that nobody should believe.
 */
#include "net/s3_get.h"

#include <stdlib.h>

#include "fail_alloc.h"
#include "golden.h"
#include "keys_scene.h"
#include "tap.h"

#define CASES 11
#define WEST "https://feast.s3.us-west-2.amazonaws.com/registry.db"
#define IRELAND "https://feast.s3.eu-west-1.amazonaws.com/registry.db"
#define ERROR_OF(code, more) "<Error><Code>" code "</Code><Message>words</Message>" more "</Error>"

static DynS3GetConfig config;
static DynBuf *object;
static const char *etag;
static DynStatus status;

/* s3://feast/registry.db in us-west-2, by 4 attempts, and no answers yet. */
static void
begin_get(void)
{
	DynKeyFetchConfig keys;

	scene_begin();
	keys = scene_config();
	keys.wish.access_key_id = "AKIDEXAMPLE";
	keys.wish.secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
	memset(&config, 0, sizeof(config));
	strcpy(config.object.bucket, "feast");
	strcpy(config.object.key, "registry.db");
	config.region = "us-west-2";
	config.keys = scene_source_of(&keys);
	config.connect_timeout_s = 5;
	config.read_timeout_s = 10;
	config.total_max_retry_attempts = 4;
	config.max_bytes = DYN_HTTP_MAX_BODY;
	config.clock = fake_clock;
}

/* Keys of the scene's own kind in their place. */
static void
use_scene_keys(void)
{
	dyn_key_source_release(config.keys);
	config.keys = scene_source();
}

/* The whole of a fetch, which the caller frees. */
static DynS3Get *
run_get(DynS3Outcome *outcome)
{
	DynS3Get   *get = dyn_s3_get_start(&config, &status);

	if (get == NULL)
		abort();
	ok(scene_settle() && dyn_s3_get_done(get), "it ends");
	*outcome = dyn_s3_get_result(get, &object, &etag, &status);
	return get;
}

static void
end_get(DynS3Get *get)
{
	dyn_s3_get_free(get);
	dyn_key_source_release(config.keys);
	is_int(fake_engines, 0, "no engine is left");
}

/* A fetch that gives these bytes after so many requests. */
static void
check_got(const char *bytes, int requests, const char *what)
{
	DynS3Outcome outcome;
	DynS3Get   *get = run_get(&outcome);

	if (!ok(outcome == DYN_S3_GOT, "got: %s", what))
		diag("%s", status.message);
	is_text(object->data ? object->data : "", object->len, bytes, "its bytes");
	is_int(fake_sent(), requests, "requests");
	end_get(get);
}

/* A fetch that fails so. */
static void
check_failed(DynClass cls, const char *words, int requests, const char *what)
{
	DynS3Outcome outcome;
	DynS3Get   *get = run_get(&outcome);

	ok(outcome == DYN_S3_FAILED, "failed: %s", what);
	is_int(status.cls, cls, "its class");
	if (!ok(strstr(status.message, words) || strstr(status.hint, words), "it says: %s", words))
		diag("%s | %s", status.message, status.hint);
	is_int(fake_sent(), requests, "requests");
	is_int(status.attempts, requests, "attempts");
	ok(scene_status_is_clean(&status), "no secret in it");
	end_get(get);
}

/* ---- golden ---- */

/* What a case asks for. */
static void
set_up_case(json_object *golden, DynEndpoint *own)
{
	DynKeyFetchConfig keys = scene_config();
	const char *url = golden_text(golden, "endpoint_url");
	const char *why;

	keys.wish.access_key_id = "AKIDEXAMPLE";
	keys.wish.secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
	keys.wish.session_token = golden_text(golden, "session_token");
	dyn_key_source_release(config.keys);
	config.keys = scene_source_of(&keys);
	config.region = golden_text(golden, "region");
	strcpy(config.object.bucket, golden_text(golden, "parameters.Bucket"));
	strcpy(config.object.key, golden_text(golden, "parameters.Key"));
	config.service.fips = golden_get(golden, "use_fips_endpoint") != NULL;
	config.service.dualstack = golden_get(golden, "use_dualstack_endpoint") != NULL;
	if (url && dyn_endpoint_parse(url, own, &why))
		config.service.own = own;
}

static json_object *golden_case;

/* Answers by the case's rules; where it has none, all is well. */
static bool
answer_golden(const FakeRequest *request, int *http_status, const char **body)
{
	*http_status = 200;
	*body = "registry bytes";
	for (size_t i = 0; golden_get(golden_case, "http") && i < golden_count(golden_case, "http"); i++)
	{
		json_object *rule = golden_at(golden_case, "http", i);

		if (strcmp(golden_text(rule, "url"), request->url) != 0)
			continue;
		*http_status = (int) golden_int(rule, "status");
		*body = golden_text(rule, "body");
		fake_headers.bucket_region = golden_text(rule, "answer_headers.x-amz-bucket-region");
	}
	return true;
}

/* We send what botocore does.  With `here` the host is another one, and the signature with it. */
static void
check_golden_request(const FakeRequest *request, json_object *want, bool elsewhere)
{
	static const char *const names[][2] = {
		{"x-amz-content-sha256", "X-Amz-Content-Sha256"}, {"x-amz-date", "X-Amz-Date"},
		{"x-amz-security-token", "X-Amz-Security-Token"}, {"authorization", "Authorization"}
	};
	json_object *headers = golden_get(want, "headers");

	is_string(request->method, "GET", "its method");
	if (elsewhere)
		is_string(request->url, "https://feast.s3.us-east-1.amazonaws.com/registry.db", "its URL");
	else
		is_string(request->url, golden_text(want, "url"), "its URL");
	for (size_t i = 0; i < LENGTH(names); i++)
	{
		json_object *value = NULL;
		const char *text;

		if (!json_object_object_get_ex(headers, names[i][0], &value))
		{
			ok(fake_header(request, names[i][1]) == NULL, "no %s", names[i][1]);
			continue;
		}
		text = json_object_get_string(value);
		if (elsewhere && i == 3)
			ok(strncmp(fake_header(request, names[i][1]), text, strstr(text, "Signature") - text) == 0, "%s", names[i][1]);
		else
			ok(fake_header_is(request, names[i][1], text), "%s", names[i][1]);
	}
}

static void
test_golden(void)
{
	json_object *golden = golden_json("aws_credentials.json");

	is_int(golden_count(golden, "s3_get_object"), CASES, "golden cases");
	for (size_t i = 0; i < CASES; i++)
	{
		size_t		n;
		DynEndpoint own;
		DynS3Outcome outcome;
		DynS3Get   *get;

		golden_case = golden_at(golden, "s3_get_object", i);
		diag("%s", golden_text(golden_case, "name"));
		begin_get();
		scene_clock_stands = true;
		set_up_case(golden_case, &own);
		fake_script = answer_golden;
		get = run_get(&outcome);
		ok(outcome == DYN_S3_GOT, "the object comes");
		n = golden_count(golden_case, "expect.requests");
		is_int(fake_sent(), n, "requests");
		for (size_t j = 0; j < n; j++)
			check_golden_request(fake_request(j), golden_at(golden_case, "expect.requests", j),
								 golden_get(golden_case, "here") != NULL);
		end_get(get);
	}
	json_object_put(golden);
}

/* ---- regions ---- */

static const char *told_region;

/* Every host says that the bucket is elsewhere, and names hosts that nobody should ask. */
static bool
send_elsewhere(const FakeRequest *request, int *http_status, const char **body)
{
	*http_status = 301;
	*body = ERROR_OF("PermanentRedirect", "<Endpoint>evil.com</Endpoint>");
	fake_headers.bucket_region = told_region;
	if (strncmp(request->url, IRELAND, strlen(IRELAND)) == 0)
		fake_headers.bucket_region = "eu-north-1";
	return true;
}

static void
test_regions(void)
{
	static const char *const refused[] = {
		"us-west-2", "cn-north-1", "evil", "evil.com", "eu-west-1/", "eu-west-1.evil.com", "EU-WEST-1", "a b", "", NULL
	};

	begin_get();
	told_region = "eu-west-1";
	fake_script = send_elsewhere;
	check_failed(DYN_REJECTED, "\"registry_region\"", 2, "a bucket that is always elsewhere");
	for (size_t i = 0; i < LENGTH(refused); i++)
	{
		begin_get();
		told_region = refused[i];
		fake_script = send_elsewhere;
		check_failed(DYN_REJECTED, "words", 1, refused[i] ? refused[i] : "no region");
	}
	begin_get();
	scene_answer("GET", WEST, 0, 403, ERROR_OF("AccessDenied", "<Region>eu-west-1</Region>"));
	check_failed(DYN_ACCESS_DENIED, "s3:GetObject", 1, "a refusal that names a region");
	begin_get();
	config.region = "nowhere at all";
	ok(dyn_s3_get_start(&config, &status) == NULL && status.cls == DYN_INTERNAL, "what is no region");
	dyn_key_source_release(config.keys);
}

/* ---- attempts ---- */

static int	ways;

/* Each attempt fails in another way, the last one does not. */
static bool
fail_first(const FakeRequest *request, int *http_status, const char **body)
{
	static const int http[] = {503, 500, 400, 200};
	static const char *const bodies[] = {ERROR_OF("SlowDown", ""), "", "<html>", "bytes"};

	*http_status = http[ways];
	*body = bodies[ways++];
	return true;
}

static void
test_attempts(void)
{
	begin_get();
	ways = 0;
	fake_script = fail_first;
	check_got("bytes", 4, "the fourth attempt");
	begin_get();
	config.total_max_retry_attempts = 3;
	ways = 0;
	fake_script = fail_first;
	check_failed(DYN_PROTOCOL, "HTTP 400", 3, "three attempts");
	begin_get();
	check_failed(DYN_TIMEOUT, "", 4, "silence");
	begin_get();
	scene_answer("GET", WEST, 0, 404, ERROR_OF("NoSuchKey", ""));
	check_failed(DYN_OBJECT_MISSING, "words", 1, "what is not there");
	begin_get();
	scene_answer("GET", WEST, 0, 200, "");
	check_got("", 1, "an empty object");
}

/* By hand: the first attempt breaks, the second one is too long. */
static void
test_broken(void)
{
	DynS3Get   *get;

	begin_get();
	fake_script = NULL;
	get = dyn_s3_get_start(&config, &status);
	is_int(fake_request(0)->config.max_body, DYN_HTTP_MAX_BODY, "the cap is the engine's");
	ok(fake_request(0)->config.refuse_link_local && !fake_request(0)->config.no_proxy, "no link-local address, and the proxy");
	fake_fail(0, DYN_CONNECTION_LOST);
	scene_pass(1);
	is_int(fake_sent(), 2, "a lost connection is tried again");
	fake_too_long(1);
	scene_pass(1);
	is_int(dyn_s3_get_result(get, &object, &etag, &status), DYN_S3_FAILED, "an object that is too long");
	is_int(status.cls, DYN_OBJECT_TOO_LARGE, "its class");
	is_string(status.message, "the object is larger than 64 MB", "its words");
	is_int(fake_sent(), 2, "it is not asked for again");
	end_get(get);
	/* in flight, and freed */
	begin_get();
	fake_script = NULL;
	end_get(dyn_s3_get_start(&config, &status));
	is_int(fake_in_flight(), 0, "a fetch that is freed is broken off");
}

static bool
answer_not_modified(const FakeRequest *request, int *http_status, const char **body)
{
	bool		same = fake_header_is(request, "If-None-Match", "\"abc\"");

	*http_status = same ? 304 : 200;
	*body = same ? "" : "bytes";
	fake_headers.etag = "\"abc\"";
	return true;
}

static void
test_etag(void)
{
	DynS3Outcome outcome;
	DynS3Get   *get;

	begin_get();
	fake_script = answer_not_modified;
	get = run_get(&outcome);
	ok(outcome == DYN_S3_GOT && strcmp(etag, "\"abc\"") == 0, "the ETag is told");
	end_get(get);
	begin_get();
	fake_script = answer_not_modified;
	config.etag = "\"abc\"";
	get = run_get(&outcome);
	ok(outcome == DYN_S3_NOT_MODIFIED, "the same is not sent again");
	ok(!strstr(fake_header(fake_request(0), "Authorization"), "if-none-match"), "its header is not signed");
	end_get(get);
	begin_get();
	scene_answer("GET", WEST, 0, 304, "");
	check_failed(DYN_REJECTED, "HTTP 304", 1, "an answer that nobody asked for");
}

/* ---- keys ---- */

static void
test_keys(void)
{
	begin_get();
	use_scene_keys();
	scene_container("AKIAFIRST", "2026-03-01T18:00:00Z");
	scene_answer("GET", WEST, 0, 200, "bytes");
	check_got("bytes", 2, "keys are fetched first");
	/* the service takes them for old */
	begin_get();
	use_scene_keys();
	scene_container("AKIAFIRST", "2026-03-01T18:00:00Z");
	scene_answer("GET", WEST, 1, 400, ERROR_OF("ExpiredToken", "<Token-0>tOkEn-task</Token-0>"));
	scene_answer("GET", WEST, 0, 200, "bytes");
	check_got("bytes", 4, "keys are renewed once");
	begin_get();
	use_scene_keys();
	scene_container("AKIAFIRST", "2026-03-01T18:00:00Z");
	scene_answer("GET", WEST, 0, 400, "<Error><Code>InvalidToken</Code><Message>bad: tOkEn-task</Message></Error>");
	{
		DynS3Outcome outcome;
		DynS3Get   *get = run_get(&outcome);

		ok(outcome == DYN_S3_FAILED && status.cls == DYN_CREDENTIALS, "and not twice");
		is_int(fake_sent(), 4, "requests");
		ok(strstr(status.hint, "The credentials come from: container") != NULL, "the hint names their source");
		ok(scene_status_is_clean(&status), "no token in it");
		end_get(get);
	}
	begin_get();
	use_scene_keys();
	scene_variable("AWS_EC2_METADATA_DISABLED", "true");
	check_failed(DYN_NO_CREDENTIALS, "no credentials were found", 0, "no keys");
	/* its own never change */
	begin_get();
	scene_answer("GET", WEST, 0, 403, ERROR_OF("InvalidAccessKeyId", ""));
	check_failed(DYN_CREDENTIALS, "of the user mapping", 1, "keys of the mapping");
}

static bool
complain_of_clock(const FakeRequest *request, int *http_status, const char **body)
{
	bool		right = fake_header_is(request, "X-Amz-Date", "20260301T130000Z");

	*http_status = right ? 200 : 403;
	*body = right ? "bytes" : ERROR_OF("RequestTimeTooSkewed", "");
	fake_headers.date = SCENE_START + 3600;
	return true;
}

static void
test_clock(void)
{
	begin_get();
	scene_clock_stands = true;
	fake_script = complain_of_clock;
	check_got("bytes", 2, "the service's clock counts");
	begin_get();
	scene_answer("GET", WEST, 0, 403, ERROR_OF("RequestTimeTooSkewed", ""));
	check_failed(DYN_CREDENTIALS, "clock", 1, "a service that does not tell its own");
}

/* ---- descriptors and memory ---- */

static void
test_descriptors(void)
{
	DynHttpConfig other = {.url = "http://127.0.0.1:1"};
	DynHttpRequest request = {0};
	DynHttp    *http;
	DynTransfer *transfer;
	DynS3Get   *get;

	begin_get();
	scene_answer("GET", WEST, 0, 200, "bytes");
	fake_room = 0;
	fake_idle = 1;
	check_got("bytes", 1, "an idle connection is closed for it");
	begin_get();
	fake_room = 0;
	check_failed(DYN_NO_DESCRIPTOR, "no room", 0, "nothing is idle, and nothing in flight");
	/* somebody's request will end */
	begin_get();
	fake_script = NULL;
	http = dyn_http_new(&other, &status);
	transfer = dyn_http_start(http, &request, &status);
	fake_room = 1;
	get = dyn_s3_get_start(&config, &status);
	scene_pass(3);
	ok(!dyn_s3_get_done(get) && fake_sent() == 1 && fake_engines == 0, "it waits, and holds nothing");
	dyn_transfer_free(transfer);
	scene_pass(1);
	is_int(fake_sent(), 2, "then it is sent");
	fake_refuse(1);
	scene_pass(0.01);
	ok(dyn_s3_get_done(get), "no descriptor after the lookup, and nobody has one");
	ok(dyn_s3_get_result(get, &object, &etag, &status) == DYN_S3_FAILED && status.cls == DYN_NO_DESCRIPTOR, "its class");
	end_get(get);
	dyn_http_free(http);
}

/* Whichever allocation fails: an error, or the object, and nothing leaks. */
static void
test_memory(void)
{
	bool		got = false;
	int			n;

	for (n = 0; n < 500 && !got; n++)
	{
		DynS3Get   *get;

		begin_get();
		scene_answer("GET", WEST, 1, 301, ERROR_OF("PermanentRedirect", "<Region>eu-west-1</Region>"));
		scene_answer("GET", IRELAND, 0, 200, "bytes");
		fail_alloc_after = n;
		get = dyn_s3_get_start(&config, &status);
		if (get)
		{
			scene_settle();
			got = dyn_s3_get_result(get, &object, &etag, &status) == DYN_S3_GOT && fail_alloc_after > 0;
			if (!got && status.cls != DYN_NO_MEMORY && status.cls != DYN_OK && status.cls != DYN_INTERNAL)
				ok(false, "allocation %d: %s", n, status.message);
		}
		fail_alloc_after = -1;
		dyn_s3_get_free(get);
		dyn_key_source_release(config.keys);
	}
	ok(got && n > 10, "with memory enough it succeeds (%d)", n);
}

int
main(void)
{
	test_golden();
	test_regions();
	test_attempts();
	test_broken();
	test_etag();
	test_keys();
	test_clock();
	test_descriptors();
	test_memory();
	fake_forget();
	return done_testing();
}
