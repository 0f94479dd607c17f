/*
 * test_key_steps.c
 *	  What comes of the answers of AWS's credential services: refusals,
 *	  garbage, and what nobody should believe.
 */
#include <stdlib.h>

#include "keys_scene.h"
#include "tap.h"

#define IMDS "http://169.254.169.254"
#define TOKEN IMDS "/latest/api/token"
#define ROLES IMDS "/latest/meta-data/iam/security-credentials/"
#define STS "https://sts.us-west-2.amazonaws.com/"
#define ROLE "arn:aws:iam::123456789012:role/reader"
#define KEYS_END "2026-03-01T18:00:00Z"
#define STS_KEYS(id, secret, token, end) \
	"<XResponse><XResult><Credentials><AccessKeyId>" id "</AccessKeyId><SecretAccessKey>" secret "</SecretAccessKey>" \
	"<SessionToken>" token "</SessionToken><Expiration>" end "</Expiration></Credentials></XResult></XResponse>"
#define STS_ERROR(code, message) \
	"<ErrorResponse><Error><Type>Sender</Type><Code>" code "</Code><Message>" message "</Message></Error></ErrorResponse>"

static DynStatus status;
static const DynKeys *keys;

static DynKeyState
fetch(void)
{
	DynKeySource *source = scene_source();
	DynKeyState state = scene_keys(source, &keys, &status);

	dyn_key_source_release(source);
	return state;
}

/* The service answers with that; the message has these words, and there are so many requests. */
typedef struct Bad
{
	int			http;
	const char *body;
	const char *words;
	int			requests;
} Bad;

static void
check_bad(const Bad *bad, const char *service)
{
	DynKeyState state = fetch();

	ok(state == DYN_KEYS_NONE && status.cls == DYN_NO_CREDENTIALS, "%s, HTTP %d: no keys", service, bad->http);
	if (!ok(strstr(status.message, service) != NULL && strstr(status.message, bad->words),
			"it names the source, and says: %s", bad->words))
		diag("%s", status.message);
	is_int(fake_sent(), bad->requests, "requests");
	ok(scene_status_is_clean(&status) && !strpbrk(status.message, "\r\n\033<"), "a clean message");
}

/* ---- STS ---- */

static const Bad bad_sts[] = {
	{200, "", "sts.us-west-2.amazonaws.com: the answer is malformed", 3},
	{200, "garbage", "malformed", 3},
	{200, "<html><body>Log in, sEcReT</body></html>", "the expiration is missing", 3},
	{200, "{\"AccessKeyId\":\"AKIA\"}", "malformed", 3},
	{200, STS_ERROR("NoKeys", "no"), "the expiration is missing", 3},
	{200, "<!DOCTYPE x [<!ENTITY e \"sEcReT\">]>" STS_KEYS("AKIAX", "&e;", "tOkEn", KEYS_END), "malformed", 3},
	{200, STS_KEYS("AKIAX", "sEcReT", "tOkEn", "soon"), "the expiration is not a time", 3},
	{200, STS_KEYS("AKIAX", "sEcReT", "tOkEn", ""), "expiration", 3},
	{200, STS_KEYS("AKIAX", "sEcReT", "", KEYS_END), "session token is missing", 3},
	{200, STS_KEYS("AKIAX", "", "tOkEn", KEYS_END), "secret access key is missing", 3},
	{200, STS_KEYS("", "sEcReT", "tOkEn", KEYS_END), "access key id is missing", 3},
	{200, STS_KEYS("AKIAX\r\nX-Evil: 1", "sEcReT", "tOkEn", KEYS_END), "printable characters without blanks", 3},
	{200, STS_KEYS("AKIAX", "sEcReT", "tOkEn&#10;X-Evil: 1", KEYS_END), "", 3},
	{200, STS_KEYS("AKIAX", "sEcReT", "tOkEn\nX-Evil: 1", KEYS_END), "printable characters without blanks", 3},
	{200, STS_KEYS("AKIAX", "sEcReT", "tOkEn", "2026-03-01T11:00:00Z"), "the credentials have expired", 1},
	{302, "", "a redirect, which is not followed, HTTP 302", 1},
	{307, STS_KEYS("AKIAX", "sEcReT", "tOkEn", KEYS_END), "a redirect", 1},
	{201, STS_KEYS("AKIAX", "sEcReT", "tOkEn", KEYS_END), "answered with HTTP 201", 1},
	{400, "<html>", "answered with HTTP 400", 1},
	{407, "", "answered with HTTP 407", 1},
	{500, "", "answered with HTTP 500", 3},
	{503, "<html>", "answered with HTTP 503", 3},
	{403, STS_ERROR("AccessDenied", "not\nso"), "role " ROLE " by web identity: sts.us-west-2.amazonaws.com refused AssumeRoleWithWebIdentity: AccessDenied: not", 1},
	{400, STS_ERROR("ExpiredTokenException", "old"), "ExpiredTokenException: old", 1},
	{400, STS_ERROR("IDPRejectedClaim", "x"), "IDPRejectedClaim", 1},
	{403, STS_ERROR("RegionDisabledException", "x"), "RegionDisabledException", 1},
	{400, STS_ERROR("Throttling", "slow"), "Throttling: slow", 3},
	{400, STS_ERROR("IDPCommunicationError", "x"), "IDPCommunicationError", 3},
	{400, STS_ERROR("InvalidIdentityToken", "x"), "InvalidIdentityToken", 3},
	{500, STS_ERROR("InternalFailure", "x"), "InternalFailure", 3},
	{403, STS_ERROR("Odd&lt;b&gt;", "see AWS4-HMAC-SHA256 tOkEn"), ": Odd: see ", 1},
	{403, STS_ERROR("Bell", "\007\033[31m"), "HTTP 403", 1},
};

static void
test_sts(void)
{
	char		body[3000];
	char		text[2001];

	for (size_t i = 0; i < LENGTH(bad_sts); i++)
	{
		scene_begin();
		scene_variable("AWS_ROLE_ARN", ROLE);
		scene_variable("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
		scene_file("/token", "tOkEn-web\r\n");
		scene_answer("POST", STS, 0, bad_sts[i].http, bad_sts[i].body);
		check_bad(&bad_sts[i], "web identity");
		ok(strstr(fake_request(0)->body.data, "&WebIdentityToken=tOkEn-web") != NULL &&
		   !strstr(fake_request(0)->body.data, "%0"), "the token goes without its line break");
		ok((strstr(status.hint, "sts:AssumeRoleWithWebIdentity") != NULL) == (strstr(bad_sts[i].words, "AccessDenied") != NULL),
		   "a hint where access was denied");
	}
	memset(text, 'x', 2000);
	text[2000] = '\0';
	snprintf(body, sizeof(body), STS_ERROR("Long", "%s"), text);
	scene_begin();
	scene_variable("AWS_ROLE_ARN", ROLE);
	scene_variable("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
	scene_file("/token", "tOkEn-web");
	scene_answer("POST", STS, 0, 400, body);
	ok(fetch() == DYN_KEYS_NONE && strlen(status.message) < sizeof(status.message), "a long message is cut");
}

/* Token files that can't be used; each is known before anything is sent. */
static void
test_token_files(void)
{
	static const struct
	{
		const char *text;
		const char *words;
	}			cases[] = {
		{NULL, "there is no such file"},
		{"", "it is empty"},
		{"\r\n\n", "it is empty"},
		{"tOkEn\nsEcReT", "more than a token"},
		{"tOkEn\001", "more than a token"},
		{"tOkEn\xc3\xa4", "more than a token"},
	};
	static char longest[20002];

	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		scene_begin();
		scene_variable("AWS_ROLE_ARN", ROLE);
		scene_variable("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
		if (cases[i].text)
			scene_file("/token", cases[i].text);
		ok(fetch() == DYN_KEYS_NONE && strstr(status.message, "web identity: token file /token: ") && strstr(status.message, cases[i].words), "token file: %s", cases[i].words);
		ok(fake_sent() == 0 && scene_status_is_clean(&status), "nothing is sent, nothing told");
	}
	scene_closed_file("/token");
	scene_pass(2);
	ok(fetch() == DYN_KEYS_NONE && strstr(status.message, "Permission denied"), "token file: can't be read");
	memset(longest, 'x', 20000);
	scene_file("/token", longest);
	scene_pass(2);
	scene_sts("AKIASTS", KEYS_END);
	ok(fetch() == DYN_KEYS_READY, "20000 characters are a token");
	longest[20000] = 'x';
	scene_begin();
	scene_variable("AWS_ROLE_ARN", ROLE);
	scene_variable("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
	scene_file("/token", longest);
	ok(fetch() == DYN_KEYS_NONE && strstr(status.message, "too long"), "one more are none");
}

/* ---- a container's service ---- */

#define TASK(id, secret, token, end) \
	"{\"AccessKeyId\":\"" id "\",\"SecretAccessKey\":\"" secret "\",\"Token\":\"" token "\",\"Expiration\":\"" end "\"}"

static const Bad bad_container[] = {
	{200, "", "169.254.170.2: the answer is malformed", 3},
	{200, "no JSON, sEcReT", "malformed", 3},
	{200, "<html>", "malformed", 3},
	{200, "[]", "malformed", 3},
	{200, "{}", "session token is missing", 3},
	{200, TASK("AKIAX", "sEcReT", "tOkEn", KEYS_END) "}", "malformed", 3},
	{200, TASK("AKIAX", "sEcReT", "tOkEn\\r\\nX-Evil: 1", KEYS_END), "printable characters without blanks", 3},
	{200, TASK("AKIAX", "sEcReT", "tOkEn\\u0000", KEYS_END), "zero byte", 3},
	{200, TASK("AKIAX", "sEcReT", "tOkEn", "never"), "the expiration is not a time", 3},
	{200, TASK("AKIAX", "", "tOkEn", KEYS_END), "secret access key is missing", 3},
	{200, TASK("AKIAX", "sEcReT", "tOkEn", "2026-03-01T12:00:00Z"), "the credentials have expired", 1},
	{404, "{\"code\":\"NotFound\",\"message\":\"no role\\n\\u001b[31m\"}", "answered with HTTP 404, NotFound: no role", 1},
	{400, "{\"code\":\"AccessDeniedException\",\"message\":\"x\"}", "HTTP 400, AccessDeniedException: x", 1},
	{400, "{\"message\":\"x\"}", "answered with HTTP 400", 1},
	{401, "<html>", "answered with HTTP 401", 1},
	{403, "", "answered with HTTP 403", 1},
	{500, "{\"code\":\"Internal\",\"message\":\"x\"}", "answered with HTTP 500", 3},
	{301, TASK("AKIAX", "sEcReT", "tOkEn", KEYS_END), "a redirect", 1},
	{204, "", "answered with HTTP 204", 1},
};

/* The token that a container's service is asked with; NULL: it isn't asked, since that token is wrong. */
static void
check_authorization(const char *file, const char *variable, const char *want)
{
	DynKeyState state;

	scene_begin();
	scene_container("AKIATASK", KEYS_END);
	if (file)
	{
		scene_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token");
		scene_file("/token", file);
	}
	if (variable)
		scene_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN", variable);
	state = fetch();
	if (want)
		ok(state == DYN_KEYS_READY && fake_header_is(fake_request(0), "Authorization", want), "it is asked with %s", want);
	else
		ok(state == DYN_KEYS_NONE && fake_sent() == 0 && scene_status_is_clean(&status) &&
		   strncmp(status.message, "container: ", 11) == 0, "it is not asked with such a token: %s", status.message);
}

static void
test_container(void)
{
	for (size_t i = 0; i < LENGTH(bad_container); i++)
	{
		scene_begin();
		scene_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/creds");
		scene_answer("GET", "", 0, bad_container[i].http, bad_container[i].body);
		check_bad(&bad_container[i], "container");
	}
	scene_begin();
	scene_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/creds");
	scene_answer("GET", "", 0, 200, "{\"AccessKeyId\":\"AKIAX\",\"SecretAccessKey\":\"s\",\"Token\":\"t\"}");
	ok(fetch() == DYN_KEYS_READY && keys->expires == DYN_KEYS_FOREVER, "without an end they have none");
	ok(fake_header(fake_request(0), "Authorization") == NULL, "it is asked without a token");

	check_authorization(NULL, "tOkEn-1", "tOkEn-1");
	check_authorization(NULL, "Basic tOkEn-1", "Basic tOkEn-1");
	check_authorization("Bearer tOkEn-2\n", NULL, "Bearer tOkEn-2");
	check_authorization("tOkEn-2\r\n", "tOkEn-1", "tOkEn-2");
	check_authorization(NULL, "tOkEn\r\nX-Evil: 1", NULL);
	check_authorization(NULL, "tOkEn\n", NULL);
	check_authorization(NULL, "tOkEn\rx", NULL);
	check_authorization(NULL, "tOkEn\001x", NULL);
	check_authorization("tOkEn\nX-Evil: 1", NULL, NULL);
	check_authorization("", "tOkEn-1", NULL);
}

/* ---- the instance's metadata ---- */

static const Bad bad_tokens[] = {
	{200, "", "the answer to the request of a token is empty", 1},
	{200, "tOkEn\r\nX-Evil: 1", "the answer to the request of a token is none", 1},
	{200, "tOkEn sEcReT", "token is none", 1},
	{200, "<html> sEcReT", "token is none", 1},
	{200, "tOkEn\xff", "token is none", 1},
	{302, "x", "a redirect", 1},
	{400, "", "169.254.169.254 answered with HTTP 400", 1},
	{401, "", "answered with HTTP 401", 1},
	{500, "", "answered with HTTP 500", 1},
};

static const Bad bad_roles[] = {
	{200, "", "list of roles is none", 2},
	{200, "/../x", "list of roles is none", 2},
	{200, "a/../../user-data", "list of roles is none", 2},
	{200, "a?x=y", "list of roles is none", 2},
	{200, "a b", "list of roles is none", 2},
	{200, "<html>sEcReT</html>", "list of roles is none", 2},
	{200, "a23456789b123456789c123456789d123456789e123456789f123456789g12345", "list of roles is none", 2},
	{302, "app", "a redirect", 2},
	{403, "", "answered with HTTP 403", 2},
	{401, "", "answered with HTTP 401", 4},
	{500, "", "answered with HTTP 500", 2},
};

static const Bad bad_keys[] = {
	{200, "", "169.254.169.254: the answer is malformed", 3},
	{200, "<html>sEcReT", "malformed", 3},
	{200, TASK("AKIAX", "sEcReT", "tOkEn\\n", KEYS_END), "printable", 3},
	{200, "{}", "the expiration is missing", 3},
	{200, "{\"Code\":\"Success\"}", "the expiration is missing", 3},
	{200, "{\"Code\":\"Failed\",\"Message\":\"it\\r\\nis so\"}", "role \"app\": Failed: it", 3},
	{200, "{\"Code\":\"<b>\",\"Message\":\"it is so\"}", "role \"app\": it is so", 3},
	{200, "{\"Code\":\"Success\",\"AccessKeyId\":\"AKIAX\",\"SecretAccessKey\":\"sEcReT\",\"Token\":\"tOkEn\\n\",\"Expiration\":\"" KEYS_END "\"}", "printable", 3},
	{302, "", "a redirect", 3},
	{401, "", "answered with HTTP 401", 6},
	{500, "", "answered with HTTP 500", 3},
};

static void
test_metadata(void)
{
	for (size_t i = 0; i < LENGTH(bad_tokens); i++)
	{
		scene_begin();
		scene_answer("PUT", TOKEN, 0, bad_tokens[i].http, bad_tokens[i].body);
		check_bad(&bad_tokens[i], "instance metadata");
	}
	for (size_t i = 0; i < LENGTH(bad_roles); i++)
	{
		scene_begin();
		scene_answer("PUT", TOKEN, 0, 200, "tOkEn-imds");
		scene_answer("GET", ROLES, 0, bad_roles[i].http, bad_roles[i].body);
		check_bad(&bad_roles[i], "instance metadata");
	}
	for (size_t i = 0; i < LENGTH(bad_keys); i++)
	{
		scene_begin();
		scene_answer("PUT", TOKEN, 0, 200, "tOkEn-imds");
		scene_answer("GET", ROLES, 0, 200, "app\nsecond");
		scene_answer("GET", ROLES "app", 0, bad_keys[i].http, bad_keys[i].body);
		check_bad(&bad_keys[i], "instance metadata");
	}
}

/* Places without a service or a role are none, and no failure. */
static void
test_metadata_misses(void)
{
	static const int statuses[] = {403, 404, 405};

	for (size_t i = 0; i < LENGTH(statuses); i++)
	{
		scene_begin();
		scene_answer("PUT", TOKEN, 0, statuses[i], "no");
		ok(fetch() == DYN_KEYS_NONE && fake_sent() == 1, "HTTP %d for a token", statuses[i]);
		is_string(status.message, "no credentials were found", "is a place without keys");
	}
	scene_begin();
	scene_answer("PUT", TOKEN, 0, 200, "tOkEn-imds");
	scene_answer("GET", ROLES, 0, 200, "app");
	scene_answer("GET", ROLES "app", 0, 404, "");
	ok(fetch() == DYN_KEYS_NONE && strcmp(status.message, "no credentials were found") == 0, "so is a role without keys");
	scene_begin();
	fake_script = NULL;
	scene_answer("PUT", TOKEN, 0, 200, "tOkEn-imds");
	ok(fetch() == DYN_KEYS_NONE && strstr(status.hint, "no answer from 169.254.169.254 within 1 s"),
	   "and a service that says nothing more");
}

/* A token that is not taken is replaced, but not for ever. */
static void
test_metadata_tokens(void)
{
	scene_begin();
	scene_answer("PUT", TOKEN, 1, 200, "old");
	scene_answer("PUT", TOKEN, 1, 200, "new");
	scene_answer("GET", ROLES, 1, 401, "");
	scene_instance("AKIAEC2", KEYS_END);
	ok(fetch() == DYN_KEYS_READY, "a token that is not taken is replaced");
	is_int(fake_sent(), 5, "by one more");
	ok(fake_header_is(fake_request(1), "x-aws-ec2-metadata-token", "old") &&
	   fake_header_is(fake_request(3), "x-aws-ec2-metadata-token", "new"), "which is then used");
	scene_begin();
	scene_answer("GET", ROLES "app", 1, 401, "");
	scene_instance("AKIAEC2", KEYS_END);
	ok(fetch() == DYN_KEYS_READY && fake_sent() == 6, "at the last request, too");
}

/* Whatever kept a service from answering is told, and what no attempt can change is not tried again. */
static void
test_failures(void)
{
	static const struct
	{
		DynClass	cls;
		DynClass	told;
		int			requests;
	}			cases[] = {
		{DYN_CONNECT, DYN_NO_CREDENTIALS, 3},
		{DYN_CONNECTION_LOST, DYN_NO_CREDENTIALS, 3},
		{DYN_UNTRUSTED, DYN_NO_CREDENTIALS, 3},
		{DYN_PROTOCOL, DYN_NO_CREDENTIALS, 3},
		{DYN_NO_MEMORY, DYN_NO_MEMORY, 1},
		{DYN_INTERNAL, DYN_INTERNAL, 1},
		{DYN_FORBIDDEN, DYN_FORBIDDEN, 1},
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		DynKeySource *source;
		uint64_t	serial;
		int			n = 0;

		scene_begin();
		fake_script = NULL;
		scene_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/creds");
		source = scene_source();
		while (dyn_key_source_keys(source, &keys, &serial, &status) == DYN_KEYS_WAIT)
		{
			if (n < fake_sent())
				fake_fail(n++, cases[i].cls);
			scene_pass(0.1);
		}
		is_int(status.cls, cases[i].told, "a failure of class %d", cases[i].cls);
		is_int(n, cases[i].requests, "is met by so many attempts");
		dyn_key_source_release(source);
	}
}

/* A service quotes what it was sent: the message ends before that. */
static void
test_quotes(void)
{
	scene_begin();
	scene_variable("AWS_ROLE_ARN", ROLE);
	scene_variable("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
	scene_file("/token", "tOkEn-of-the-web-identity");
	scene_answer("POST", STS, 0, 403, STS_ERROR("Odd", "not tOkEn-of-the-web-identity"));
	ok(fetch() == DYN_KEYS_NONE && strstr(status.message, ": Odd: not ") && scene_status_is_clean(&status),
	   "a web identity's token: %s", status.message);
	for (int i = 0; i < 2; i++)
	{
		scene_begin();
		scene_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/creds");
		scene_variable(i ? "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" : "AWS_CONTAINER_AUTHORIZATION_TOKEN",
					   i ? "/token" : "tOkEn-of-the-container");
		scene_file("/token", "tOkEn-of-the-container");
		scene_answer("GET", "http://169.254.170.2/creds", 0, 400,
					 "{\"code\":\"Odd\",\"message\":\"not tOkEn-of-the-container\"}");
		ok(fetch() == DYN_KEYS_NONE && strstr(status.message, "Odd: not ") && scene_status_is_clean(&status),
		   "a container's token: %s", status.message);
	}
	scene_begin();
	scene_answer("PUT", TOKEN, 0, 200, "tOkEn-of-the-metadata");
	scene_answer("GET", ROLES, 0, 200, "app");
	scene_answer("GET", ROLES "app", 0, 200, "{\"Code\":\"Odd\",\"Message\":\"not tOkEn-of-the-metadata\"}");
	ok(fetch() == DYN_KEYS_NONE && strstr(status.message, "Odd: not ") && scene_status_is_clean(&status),
	   "a token of the metadata service: %s", status.message);
	scene_begin();
	scene_variable("AWS_ACCESS_KEY_ID", "AKIAENV");
	scene_variable("AWS_SECRET_ACCESS_KEY", "sEcReT");
	scene_variable("AWS_SESSION_TOKEN", "tOkEn-of-the-session");
	scene_file("$HOME/.aws/config", "[profile r]\nrole_arn=" ROLE "\ncredential_source=Environment\n");
	scene_answer("POST", STS, 0, 403, STS_ERROR("Odd", "not tOkEn-of-the-session"));
	{
		DynKeyFetchConfig config = scene_config();
		DynKeySource *source;

		config.wish.profile = "r";
		source = scene_source_of(&config);
		ok(scene_keys(source, &keys, &status) == DYN_KEYS_NONE && strstr(status.message, "Odd: not ") &&
		   scene_status_is_clean(&status), "a session token: %s", status.message);
		dyn_key_source_release(source);
	}
}

int
main(void)
{
	test_sts();
	test_token_files();
	test_container();
	test_metadata();
	test_metadata_misses();
	test_metadata_tokens();
	test_failures();
	test_quotes();
	scene_begin();
	return done_testing();
}
