/*
 * test_key_fetch.c
 *	  Getting AWS keys once: how often and how long services are asked, what
 *	  they are sent, and what comes of answers that are none.
 */
#include <math.h>
#include <stdlib.h>

#include "core/sigv4.h"
#include "keys_scene.h"
#include "net/loop.h"
#include "tap.h"

#define IMDS "http://169.254.169.254"
#define ROLES IMDS "/latest/meta-data/iam/security-credentials/"
#define STS "https://sts.us-west-2.amazonaws.com/"
#define ROLE "arn:aws:iam::123456789012:role/reader"
#define KEYS_END "2026-03-01T18:00:00Z"

static DynStatus status;
static const DynKeys *keys;

/* Of a new source: its keys, or what went wrong in `status`. */
static DynKeyState
fetch_of(const DynKeyFetchConfig *config)
{
	DynKeySource *source = scene_source_of(config);
	DynKeyState state = scene_keys(source, &keys, &status);

	dyn_key_source_release(source);
	return state;
}

static DynKeyState
fetch(void)
{
	DynKeyFetchConfig config = scene_config();

	return fetch_of(&config);
}

/* It fails with these words after so many requests, and says nothing secret. */
static void
fails_with(const char *words, int requests, const char *what)
{
	DynKeyState state = fetch();

	ok(state == DYN_KEYS_NONE && status.cls == DYN_NO_CREDENTIALS, "%s: no keys", what);
	if (!ok(strstr(status.message, words) != NULL, "%s: says so", what))
		diag("%s", status.message);
	is_int(fake_sent(), requests, "%s: after %d requests", what, requests);
	ok(scene_status_is_clean(&status), "%s: without a secret", what);
}

/* Seconds from the first request to number `n`. */
static double
sent_after(int n)
{
	return (fake_request(n)->sent_ms - fake_request(0)->sent_ms) / 1000;
}

static void
begin_container(void)
{
	scene_begin();
	scene_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/creds");
}

static void
begin_web_identity(void)
{
	scene_begin();
	scene_variable("AWS_ROLE_ARN", ROLE);
	scene_variable("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
	scene_file("/token", "tOkEn-web");
}

/* ---- time ---- */

static void
test_no_answer(void)
{
	double		begun;

	begin_container();
	begun = fake_now_ms;
	fails_with("container: 169.254.170.2: ", 3, "a container's service that does not answer");
	ok(fabs(sent_after(1) - 3) < 0.1 && fabs(sent_after(2) - 6) < 0.1, "2 s each, 1 s between");
	ok(fabs(fake_now_ms - begun - 8000) < 100, "8 s in all");

	begin_web_identity();
	begun = fake_now_ms;
	fails_with("web identity: no keys within 10 s; the last request went to sts.us-west-2.amazonaws.com", 2,
			   "STS that does not answer");
	ok(fabs(fake_now_ms - begun - 10000) < 100, "10 s in all");

	scene_begin();
	begun = fake_now_ms;
	fails_with("no credentials were found", 1, "no metadata service");
	ok(fabs(fake_now_ms - begun - 1000) < 100, "1 s in all");
	ok(strstr(status.hint, "hop limit") != NULL, "the hint names the hop limit");

	scene_begin();
	scene_variable("AWS_METADATA_SERVICE_TIMEOUT", "2.5");
	scene_variable("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "2");
	fails_with("no credentials were found", 2, "a metadata service with two attempts");
	ok(sent_after(1) >= 2.5, "of 2.5 s each");
	ok(strstr(status.hint, "within 2.5 s") != NULL, "which the hint says");
}

/* That memory ran out is no sign that there is no metadata service. */
static void
test_no_memory(void)
{
	DynKeySource *source;

	scene_begin();
	fake_script = NULL;
	source = scene_source();
	scene_key_id_now(source);
	fake_fail(0, DYN_NO_MEMORY);
	ok(scene_keys(source, &keys, &status) == DYN_KEYS_NONE && status.cls == DYN_NO_MEMORY, "memory that ran out is told as that");
	dyn_key_source_release(source);
}

static void
test_retries(void)
{
	begin_container();
	scene_answer("GET", "", 0, 500, "no");
	fails_with("container: 169.254.170.2 answered with HTTP 500", 3, "HTTP 500");
	ok(fabs(sent_after(1) - 1) < 0.1 && fabs(sent_after(2) - 2) < 0.1, "1 s between");

	begin_container();
	scene_answer("GET", "", 2, 503, "");
	scene_container("AKIATASK", KEYS_END);
	ok(fetch() == DYN_KEYS_READY && fake_sent() == 3, "the third attempt succeeds");

	scene_begin();
	scene_variable("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "2");
	scene_answer("PUT", "", 1, 500, "");
	scene_answer("GET", ROLES, 1, 500, "");
	scene_answer("GET", ROLES "app", 1, 500, "");
	scene_instance("AKIAEC2", KEYS_END);
	ok(fetch() == DYN_KEYS_READY && fake_sent() == 6, "each request has its own attempts");

	begin_container();
	scene_answer("GET", "", 0, 429, "");
	fails_with("HTTP 429", 3, "HTTP 429");
	begin_container();
	scene_answer("GET", "", 0, 404, "");
	fails_with("HTTP 404", 1, "HTTP 404");

}

/* The time of the whole is up while the next attempt is waited for. */
static void
test_deadline(void)
{
	DynKeyFetchConfig config;
	DynKeySource *source;
	uint64_t	serial;
	double		begun;

	begin_web_identity();
	begun = fake_now_ms;
	fake_script = NULL;
	fake_random = 0.9;
	config = scene_config();
	source = scene_source_of(&config);
	dyn_key_source_keys(source, &keys, &serial, &status);
	scene_pass(9.9);
	ok(dyn_key_source_keys(source, &keys, &serial, &status) == DYN_KEYS_WAIT, "it waits for 9.9 s");
	fake_answer(0, 500, "<html>");
	scene_settle();
	ok(dyn_key_source_keys(source, &keys, &serial, &status) == DYN_KEYS_NONE && fake_sent() == 1, "10 s are all");
	ok(strstr(status.message, "no keys within 10 s") != NULL, "it says so");
	ok(fabs(fake_now_ms - begun - 10000) < 100, "and does not wait for the next attempt");
	dyn_key_source_release(source);
}

static void
start_unattended(DynKeySource **source)
{
	uint64_t	serial;

	*source = scene_source();
	dyn_key_source_keys(*source, &keys, &serial, &status);
	is_int(fake_sent(), 1, "a request is in flight");
	scene_jump(300);
}

static void
test_unattended(void)
{
	static const DynClass failures[] = {DYN_TIMEOUT, DYN_CONNECTION_LOST, DYN_CONNECT};
	DynKeySource *source;

	scene_begin();
	start_unattended(&source);
	scene_no_answers();
	scene_instance("AKIAEC2", KEYS_END);
	dyn_loop_drive();
	is_string(scene_key_id_now(source), "waiting", "what nobody drove for minutes has not failed");
	scene_settle();
	dyn_key_source_release(source);

	for (size_t i = 0; i < LENGTH(failures); i++)
	{
		scene_begin();
		fake_script = NULL;
		start_unattended(&source);
		fake_fail(0, failures[i]);
		scene_instance("AKIAEC2", KEYS_END);
		is_string(scene_key_id(source), "AKIAEC2", "class %d: a connection that failed meanwhile is no failed attempt",
				  failures[i]);
		is_int(fake_sent(), 4, "class %d: the request is sent again", failures[i]);
		dyn_key_source_release(source);
	}

	begin_web_identity();
	fake_script = NULL;
	start_unattended(&source);
	fake_answer(0, 500, "");
	scene_sts("AKIASTS", KEYS_END);
	is_string(scene_key_id(source), "AKIASTS", "nor is the time up that nobody used");
	dyn_key_source_release(source);

	/* what nobody drives in time twice is given up by no deadline, and fails by its attempts */
	begin_container();
	start_unattended(&source);
	scene_settle();
	is_int(fake_sent(), 3, "an attempt that began anew counts once");
	dyn_key_source_release(source);
}

static void
test_descriptors(void)
{
	DynKeySource *source;

	scene_begin();
	scene_instance("AKIAEC2", KEYS_END);
	fake_room = 0;
	source = scene_source();
	is_string(scene_key_id_now(source), "waiting", "without a descriptor it waits");
	scene_pass(1);
	ok(fake_refused > 5 && fake_sent() == 0, "and tries again and again");
	is_int(fake_engines, 0, "it holds none in between");
	is_string(scene_key_id_now(source), "waiting", "still");
	fake_room = 1;
	is_string(scene_key_id(source), "AKIAEC2", "until there is one");
	dyn_key_source_release(source);

	scene_begin();
	scene_instance("AKIAEC2", KEYS_END);
	fake_room = 0;
	fake_idle = 1;
	source = scene_source();
	scene_key_id_now(source);
	scene_pass(0.01);
	is_int(fake_sent(), 3, "an idle connection makes room at once");
	dyn_key_source_release(source);

	scene_begin();
	scene_instance("AKIAEC2", KEYS_END);
	fake_room = 0;
	source = scene_source();
	ok(!strstr(scene_key_id(source), "no room") && status.cls != DYN_NO_DESCRIPTOR, "it is no failure of a descriptor");
	ok(strstr(scene_key_id_now(source), "no keys within 10 s") != NULL, "but one of time");
	dyn_key_source_release(source);

	begin_container();
	fake_script = NULL;
	source = scene_source();
	scene_key_id_now(source);
	for (int i = 0; i < 5; i++)
	{
		fake_refuse(i);
		scene_pass(0.1);
	}
	is_int(fake_sent(), 6, "refused after the lookup, it was no attempt");
	scene_answer("GET", "", 2, 500, "");
	scene_container("AKIATASK", KEYS_END);
	fake_refuse(5);
	dyn_loop_drive();
	is_int(fake_sent(), 6, "the next one takes a moment");
	is_string(scene_key_id(source), "AKIATASK", "and succeeds in the end");
	dyn_key_source_release(source);
}

/* ---- requests ---- */

static void
test_engines(void)
{
	DynKeyFetchConfig config;
	const FakeRequest *request;

	scene_begin();
	scene_instance("AKIAEC2", KEYS_END);
	scene_sts("AKIASTS", KEYS_END);
	config = scene_config();
	config.wish.role.role_arn = ROLE;
	ok(fetch_of(&config) == DYN_KEYS_READY, "a role over the instance's");
	is_string(keys->access_key_id, "AKIASTS", "has its keys of STS");
	is_int(fake_sent(), 4, "by four requests");
	request = fake_request(0);
	is_string(request->method, "PUT", "a token first");
	ok(request->body.len == 0 && fake_header_is(request, "x-aws-ec2-metadata-token-ttl-seconds", "21600"),
	   "for six hours, with an empty body");
	ok(fake_header_is(request, "Content-Type", ""), "of no type");
	ok(request->config.no_proxy && !request->config.refuse_link_local && request->ca_bundle[0] == '\0',
	   "the metadata service is asked by no proxy, at its address");
	ok(request->config.connect_timeout_ms == 1000 && request->config.read_timeout_ms == 1000, "within 1 s");
	is_int(request->config.max_body, 64 * 1024, "for no more than 64 KB");
	ok(fake_header_is(fake_request(1), "x-aws-ec2-metadata-token", "tOkEn-imds") &&
	   fake_header_is(fake_request(2), "x-aws-ec2-metadata-token", "tOkEn-imds"), "the token goes along");
	request = fake_request(3);
	ok(!request->config.no_proxy && request->config.refuse_link_local && strcmp(request->ca_bundle, config.ca_bundle) == 0,
	   "STS as DynamoDB is");
	ok(request->config.read_timeout_ms == 5000 && request->config.max_body == 64 * 1024, "for 5 s, and 64 KB");

	scene_begin();
	scene_instance("AKIAEC2", KEYS_END);
	scene_sts("AKIASTS", KEYS_END);
	config = scene_config();
	config.wish.role.role_arn = ROLE;
	config.no_proxy = true;
	fetch_of(&config);
	ok(fake_request(3)->config.no_proxy, "STS without a proxy");
	begin_container();
	scene_container("AKIATASK", KEYS_END);
	fetch();
	request = fake_request(0);
	ok(request->config.no_proxy && !request->config.refuse_link_local && request->config.read_timeout_ms == 2000 &&
	   request->config.max_body == 64 * 1024, "a container's service by no proxy, within 2 s");
}

/* Two services in one fetch that have only the URL, or only the time, in common. */
static void
test_engines_that_do_not_fit(void)
{
	DynKeyFetchConfig config;

	scene_begin();
	scene_variable("AWS_METADATA_SERVICE_TIMEOUT", "5");
	scene_instance("AKIAEC2", KEYS_END);
	scene_sts("AKIASTS", KEYS_END);
	config = scene_config();
	config.wish.role.role_arn = ROLE;
	fetch_of(&config);
	is_string(fake_request(3)->url, STS, "STS has an engine of its own, though it has the time of the metadata service");
	ok(fake_request(3)->config.refuse_link_local, "and its rules");

	scene_begin();
	scene_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:5000/creds");
	scene_answer("GET", "", 0, 200, "{\"AccessKeyId\":\"AKIATASK\",\"SecretAccessKey\":\"sEcReT-task\",\"Token\":\"tOkEn-task\",\"Expiration\":\"" KEYS_END "\"}");
	config = scene_config();
	config.wish.role.role_arn = ROLE;
	config.wish.sts_url = "http://127.0.0.1:5000";
	scene_answer("POST", "", 0, 403, "<html>");
	fetch_of(&config);
	is_int(fake_request(1)->config.read_timeout_ms, 5000, "nor has STS the time of another service at the same port");
}

/* Signs what was sent, with these keys; is it what was sent? */
static bool
is_signed_by(const FakeRequest *request, const char *access_key_id, const char *secret)
{
	static const char *const names[] = {"Content-Type", "Host", "X-Amz-Date", "X-Amz-Security-Token"};
	DynSigv4Header headers[4];
	char		values[4][300];
	DynSigv4Signer signer = {.access_key_id = access_key_id, .secret_access_key = secret, .region = "us-west-2", .service = "sts"};
	DynSigv4Request sigv4 = {.method = "POST", .headers = headers};
	DynBuf		authorization = {0};
	bool		same;

	for (int i = 0; i < 4; i++)
	{
		const char *value = fake_header(request, names[i]);

		if (value == NULL)
			continue;
		snprintf(values[i], sizeof(values[i]), "%.*s", (int) strcspn(value, "\n"), value);
		headers[sigv4.nheaders++] = (DynSigv4Header) {names[i], values[i]};
	}
	sigv4.payload = request->body.data;
	sigv4.payload_len = request->body.len;
	sigv4.amz_date = request->date;
	dyn_sigv4_sign(&signer, &sigv4, &authorization, NULL, NULL);
	same = fake_header_is(request, "Authorization", dyn_buf_cstr(&authorization));
	dyn_buf_free(&authorization);
	return same;
}

static void
test_roles(void)
{
	DynKeyFetchConfig config;

	scene_begin();
	scene_sts("AKIASTS", KEYS_END);
	config = scene_config();
	config.wish.access_key_id = "AKIAMINE";
	config.wish.secret_access_key = "sEcReT-mine";
	config.wish.session_token = "tOkEn-mine";
	config.wish.role = (DynAssumeRole) {.role_arn = ROLE, .external_id = "ext/1", .duration_seconds = 900};
	ok(fetch_of(&config) == DYN_KEYS_READY, "a role over one's own keys");
	is_int(scene_reads, 0, "no file is looked at");
	ok(is_signed_by(fake_request(0), "AKIAMINE", "sEcReT-mine"), "the request is signed by them");
	ok(fake_header_is(fake_request(0), "X-Amz-Security-Token", "tOkEn-mine"), "their token goes along");
	ok(fake_header_is(fake_request(0), "X-Amz-Date", "20260301T120000Z"), "by the clock");
	is_string(fake_request(0)->body.data,
			  "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Freader"
			  "&RoleSessionName=" SCENE_SESSION "&ExternalId=ext%2F1&DurationSeconds=900", "its form");

	config.region = "local";
	scene_answer("POST", "", 0, 403, "<html>");
	fetch_of(&config);
	ok(strstr(fake_header(fake_request(1), "Authorization"), "/us-east-1/sts/aws4_request") != NULL,
	   "region \"local\" is none to sign for");

	scene_begin();
	scene_sts("AKIASTS", KEYS_END);
	scene_file("$HOME/.aws/config", "[default]\nrole_arn = " ROLE "\nsource_profile = base\n"
			   "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = sEcReT-base\n");
	config = scene_config();
	config.wish.role.role_arn = ROLE "2";
	ok(fetch_of(&config) == DYN_KEYS_READY && fake_sent() == 2, "a role over the role of a profile");
	ok(is_signed_by(fake_request(0), "AKIABASE", "sEcReT-base"), "that one is asked for first");
	ok(is_signed_by(fake_request(1), "AKIASTS", "sEcReT-sts"), "and its keys sign the next request");
	ok(strstr(fake_request(1)->body.data, "reader2") != NULL, "for the mapping's");

	scene_begin();
	scene_variable("AWS_ACCESS_KEY_ID", "AKIAENV");
	scene_variable("AWS_SECRET_ACCESS_KEY", "sEcReT-env");
	config = scene_config();
	config.wish.role.role_arn = ROLE;
	config.wish.sts_url = "http://sts.example.com";
	ok(fetch_of(&config) == DYN_KEYS_NONE && fake_sent() == 0, "STS without TLS is not asked");
	ok(strstr(status.message, "plain http") != NULL, "it says so");
	config.wish.sts_url = "http://127.0.0.1:5000";
	scene_answer("POST", "http://127.0.0.1:5000/", 0, 403, "<html>");
	ok(fetch_of(&config) == DYN_KEYS_NONE && fake_sent() == 1, "but on this machine");
	ok(fake_request(0)->config.no_proxy, "by no proxy");
}

static void
test_endpoints(void)
{
	static const struct
	{
		const char *region;
		bool		fips;
		bool		dualstack;
		const char *url;
	}			cases[] = {
		{"us-west-2", false, false, "https://sts.us-west-2.amazonaws.com/"},
		{"us-west-2", true, false, "https://sts-fips.us-west-2.amazonaws.com/"},
		{"us-west-2", false, true, "https://sts.us-west-2.api.aws/"},
		{"us-west-2", true, true, "https://sts-fips.us-west-2.api.aws/"},
		{"local", false, false, "https://sts.us-east-1.amazonaws.com/"},
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		DynKeyFetchConfig config;

		begin_web_identity();
		scene_answer("POST", "", 0, 400, "no");
		config = scene_config();
		config.region = cases[i].region;
		config.fips = cases[i].fips;
		config.dualstack = cases[i].dualstack;
		fetch_of(&config);
		is_string(fake_request(0)->url, cases[i].url, "region %s, FIPS %d, dual-stack %d", cases[i].region, cases[i].fips,
				  cases[i].dualstack);
	}
}

int
main(void)
{
	test_no_answer();
	test_no_memory();
	test_retries();
	test_deadline();
	test_unattended();
	test_descriptors();
	test_engines();
	test_engines_that_do_not_fit();
	test_roles();
	test_endpoints();
	scene_begin();
	return done_testing();
}
