/*
 * test_golden_credentials.c
 *	  Where AWS keys come from: all of botocore's golden cases, with their
 *	  environment, files, clock and answers.
 *
 * Where a case has `here`, that is what we do instead.
 */
#include <stdlib.h>

#include "golden.h"
#include "keys_check.h"
#include "keys_scene.h"
#include "tap.h"

#define CASES 60

/* Of the script that is run now. */
static json_object *answers;
static bool used[20];			/* of its rules, those that serve once */

/* What a failure says: of each case that ends with one, in order. */
static const struct
{
	const char *name;
	const char *words;
	const char *hint;			/* NULL: none is asked for */
}			failures[] = {
	{"env: access key without secret is an error, not a miss", "environment: the secret access key is missing (AWS_ACCESS_KEY_ID is set)", NULL},
	{"AWS_PROFILE names no profile: error, even with env keys", "profile \"nowhere\" is in neither of the files /home/pg/.aws/credentials and /home/pg/.aws/config", NULL},
	{"nothing configured, and no metadata service answers", "no credentials were found", "no answer from 169.254.169.254 within 1 s"},
	{"web identity without role: error", "web identity: there is a token file, but no valid role ARN", NULL},
	{"web identity: no token file: error", "role arn:aws:iam::123456789012:role/irsa by web identity: token file /home/pg/token: there is no such file", NULL},
	{"web identity: STS refuses", "role arn:aws:iam::123456789012:role/irsa by web identity: sts.us-west-2.amazonaws.com refused AssumeRoleWithWebIdentity: InvalidIdentityToken: No OpenIDConnect provider", NULL},
	{"credentials file: secret is missing", "profile \"default\" (/home/pg/.aws/credentials, line 1): the secret access key is missing", NULL},
	{"role: loop", "profile \"b\" (/home/pg/.aws/config, line 4) has a \"source_profile\" that leads back to it: a loop", NULL},
	{"role: source_profile does not exist", "profile \"a\" (/home/pg/.aws/config, line 1) has a \"source_profile\" that does not exist", NULL},
	{"role: no source", "profile \"a\" (/home/pg/.aws/config, line 1) has a \"role_arn\", but neither", NULL},
	{"role: both sources", "profile \"a\" (/home/pg/.aws/config, line 1) has both", NULL},
	{"role: unknown credential_source", "profile \"a\" (/home/pg/.aws/config, line 1) has a \"credential_source\" that is not", NULL},
	{"role: STS says no", "role arn:aws:iam::123456789012:role/feast/reader over role of a profile: sts.us-west-2.amazonaws.com refused AssumeRole: AccessDenied: User: x is not authorized", "trust policy"},
	{"container: http to any other host is refused", "container: AWS_CONTAINER_CREDENTIALS_FULL_URI may be http only at", NULL},
	{"container: configured and broken is an error, not a miss", "container: 169.254.170.2 answered with HTTP 500", NULL},
	{"IMDS: no token (403): botocore goes on with version 1", "no credentials were found", "gives no token of version 2 (HTTP 403)"},
	{"IMDS: instance without role is a miss", "no credentials were found", "instance metadata: the instance has no role"},
	{"IMDS: an error in a 200 is a miss", "instance metadata: role \"app-role\": AssumeRoleUnauthorizedAccess: EC2 cannot assume the role app-role.", NULL},
	{"a profile asked for explicitly holds no credentials: botocore goes on", "profile \"x\" (/home/pg/.aws/config, line 1) holds no credentials", NULL},
	{"IMDS switched off", "no credentials were found", "switched off by AWS_EC2_METADATA_DISABLED"},
	{"profile with SSO, incomplete: error", "has \"sso_account_id\": single sign-on (SSO) is not supported", "role_arn"},
	{"profile with credential_process", "has \"credential_process\": a credential process is not supported", "read anew"},
};

static const char *const sources[][2] = {
	{"env", "environment"},
	{"shared-credentials-file", "credentials file"},
	{"config-file", "config file"},
	{"assume-role", "role of a profile"},
	{"assume-role-with-web-identity", "web identity"},
	{"container-role", "container"},
	{"iam-role", "instance metadata"},
};

/* ---- requests ---- */

static int
hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'A' + 10;
}

/* A parameter of a form, decoded; NULL: it has none of that name.  Valid until the next call. */
static const char *
form_value(const FakeRequest *request, const char *name)
{
	static char value[1000];
	const char *p = request->body.data;
	size_t		len = strlen(name);
	size_t		n = 0;

	while (strncmp(p, name, len) != 0 || p[len] != '=')
	{
		p = strchr(p, '&');
		if (p == NULL)
			return NULL;
		p++;
	}
	for (p += len + 1; *p && *p != '&' && n < sizeof(value) - 1; p++)
	{
		if (*p != '%')
			value[n++] = *p;
		else
		{
			value[n++] = (char) (hex_digit(p[1]) * 16 + hex_digit(p[2]));
			p += 2;
		}
	}
	value[n] = '\0';
	return value;
}

static int
form_size(const FakeRequest *request)
{
	int			n = request->body.len > 0 ? 1 : 0;

	for (const char *p = request->body.data; *p; p++)
		n += *p == '&';
	return n;
}

/* Has the form what the object has?  "<default>" is the name of sessions that have none. */
static bool
form_has(const FakeRequest *request, json_object *form)
{
	json_object_object_foreach(form, name, value)
	{
		const char *want = json_object_get_string(value);
		const char *got = form_value(request, name);

		if (strcmp(want, "<default>") == 0)
			want = SCENE_SESSION;
		if (got == NULL || strcmp(got, want) != 0)
			return false;
	}
	return true;
}

/* The names of headers are in lower case there, and with us as AWS writes them. */
static const char *
header_name(const char *lower)
{
	static const char *const names[] = {"Accept", "Authorization", "X-Amz-Security-Token"};

	for (size_t i = 0; i < LENGTH(names); i++)
		if (strcasecmp(names[i], lower) == 0)
			return names[i];
	return lower;
}

static bool
has_headers(const FakeRequest *request, json_object *headers)
{
	json_object_object_foreach(headers, name, value)
	{
		if (!fake_header_is(request, header_name(name), json_object_get_string(value)))
			return false;
	}
	return true;
}

static bool
is_request(const FakeRequest *request, json_object *want)
{
	json_object *form = golden_get(want, "form");
	json_object *headers = golden_get(want, "headers");

	return strcmp(request->method, golden_text(want, "method")) == 0 &&
		strcmp(request->url, golden_text(want, "url")) == 0 && (form == NULL || form_has(request, form)) &&
		(headers == NULL || has_headers(request, headers));
}

static bool
answer_from_script(const FakeRequest *request, int *status, const char **body)
{
	for (size_t i = 0; i < (size_t) json_object_array_length(answers); i++)
	{
		json_object *rule = json_object_array_get_idx(answers, i);

		if (used[i] || !is_request(request, rule))
			continue;
		used[i] = json_object_get_boolean(golden_get(rule, "once"));
		*status = (int) golden_int(rule, "status");
		*body = golden_text(rule, "body") ? golden_text(rule, "body") : "";
		return true;
	}
	return false;
}

/* Who signed it: nobody, or the keys and the scope that the case says. */
static void
check_signed(const FakeRequest *request, json_object *signer)
{
	const char *authorization = fake_header(request, "Authorization");
	char		want[300];

	if (signer == NULL)
	{
		ok(authorization == NULL || strncmp(authorization, "AWS4", 4) != 0, "it is not signed");
		return;
	}
	snprintf(want, sizeof(want), "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=content-type;host;x-amz-date%s, ",
			 golden_text(signer, "access_key_id"), golden_text(signer, "scope"),
			 fake_header(request, "X-Amz-Security-Token") ? ";x-amz-security-token" : "");
	ok(authorization && strncmp(authorization, want, strlen(want)) == 0, "it is signed by %s", want);
}

/* Version 1 of the metadata service, which botocore falls back to. */
static bool
is_version_1(json_object *want)
{
	return strstr(golden_text(want, "url"), "/latest/meta-data/") &&
		golden_get(want, "headers.x-aws-ec2-metadata-token") == NULL;
}

/* The requests from number `first` on are those; the same one may be repeated. */
static void
check_requests(int first, json_object *expect)
{
	int			n = first;

	for (size_t i = 0; i < golden_count(expect, "requests"); i++)
	{
		json_object *want = golden_at(expect, "requests", i);
		json_object *form = golden_get(want, "form");

		if (is_version_1(want))
			continue;
		if (!ok(n < fake_sent() && is_request(fake_request(n), want), "%s %s", golden_text(want, "method"),
				golden_text(want, "url")))
			continue;
		check_signed(fake_request(n), golden_get(want, "signed"));
		if (form)
			is_int(form_size(fake_request(n)), json_object_object_length(form), "its form has nothing else");
		if (form)
			ok(fake_header_is(fake_request(n), "Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
			   "it is a form");
		while (n < fake_sent() && is_request(fake_request(n), want))
			n++;
	}
	is_int(fake_sent(), n, "and no other request");
}

/* ---- outcomes ---- */

static void
check_keys(DynKeySource *source, const DynKeys *keys, json_object *expect)
{
	const char *provider = golden_text(expect, "provider");
	const char *token = golden_text(expect, "session_token");
	const char *expires = golden_text(expect, "expires");
	const char *want = "?";
	DynKeyDescription description;

	is_string(keys->access_key_id, golden_text(expect, "access_key_id"), "its access key id");
	is_string(keys->secret_access_key, golden_text(expect, "secret_access_key"), "its secret");
	ok(token ? keys->session_token && strcmp(keys->session_token, token) == 0 : keys->session_token == NULL,
	   "its token");
	if (expires == NULL || strcmp(expires, "<later>") != 0)
		is_int(keys->expires, expires ? golden_time(expires) : DYN_KEYS_FOREVER, "its expiry");
	for (size_t i = 0; i < LENGTH(sources); i++)
		if (strcmp(sources[i][0], provider) == 0)
			want = sources[i][1];
	dyn_key_source_describe(source, &description);
	is_string(description.source, want, "its source");
}

static void
check_failure(const char *name, const DynStatus *status)
{
	bool		found = false;

	is_int(status->cls, DYN_NO_CREDENTIALS, "there are none");
	for (size_t i = 0; i < LENGTH(failures); i++)
	{
		if (strcmp(failures[i].name, name) != 0)
			continue;
		found = true;
		ok(strstr(status->message, failures[i].words) != NULL, "it says: %s", failures[i].words);
		ok(failures[i].hint == NULL || strstr(status->hint, failures[i].hint), "and hints: %s",
		   failures[i].hint ? failures[i].hint : "");
	}
	ok(found, "%s (%s)", status->message, status->hint);
	ok(scene_status_is_clean(status), "without a secret");
}

/* The keys of the first script, for the step where they are used on. */
static json_object *
kept(json_object *golden_case, json_object *script)
{
	const char *here = golden_text(golden_case, "here");
	char		from[20];

	snprintf(from, sizeof(from), "at %d: used on", (int) golden_int(script, "at"));
	return here && strncmp(here, from, strlen(from)) == 0 ? golden_get(golden_case, "expect") : NULL;
}

/* Do we fail where botocore has keys, or does the step fail anyway? */
static bool
fails(json_object *golden_case, json_object *script)
{
	const char *here = golden_text(golden_case, "here");
	const char *outcome = golden_text(script, "expect.outcome");

	if (kept(golden_case, script) || (here && strcmp(here, "one at the end may be cut off") == 0))
		return false;
	return strcmp(outcome, "keys") != 0 || (here && strncmp(here, "at ", 3) != 0);
}

/* ---- cases ---- */

static void
set_files(json_object *script)
{
	json_object *object = golden_get(script, "files");

	if (object == NULL)
		return;
	json_object_object_foreach(object, name, text)
	{
		scene_file(name, json_object_get_string(text));
	}
}

static void
set_environment(json_object *golden_case)
{
	json_object *object = golden_get(golden_case, "env");

	scene_variable("HOME", SCENE_HOME);
	if (object == NULL)
		return;
	json_object_object_foreach(object, name, value)
	{
		const char *text = json_object_get_string(value);

		if (strcmp(text, "$HOME/token") == 0)
			text = SCENE_HOME "/token";
		scene_variable(name, text);
	}
}

/* Keys that botocore refuses and we take: their answer tells which. */
static void
check_taken(const DynKeys *keys)
{
	is_string(keys->access_key_id, "ASIAPOD", "a line break at the token's end is cut off");
	ok(fake_header_is(fake_request(0), "Authorization", "pod-token"), "in the request");
	is_int(fake_sent(), 1, "which is the only one");
}

/* One script: a case's first, or what it does later. */
static void
run_script(DynKeySource *source, json_object *golden_case, json_object *script)
{
	const char *name = golden_text(golden_case, "name");
	json_object *expect = golden_get(script, "expect");
	json_object *none = json_object_new_array();
	int			first = fake_sent();
	const DynKeys *keys;
	DynKeyState state;
	DynStatus	status;

	set_files(script);
	answers = golden_get(script, "http") ? golden_get(script, "http") : none;
	memset(used, 0, sizeof(used));
	fake_script = answer_from_script;
	fake_wall_s = SCENE_START + golden_int(script, "at");
	state = scene_keys(source, &keys, &status);
	if (fails(golden_case, script))
	{
		if (ok(state == DYN_KEYS_NONE, "no keys: %s", name))
			check_failure(name, &status);
	}
	else if (!ok(state == DYN_KEYS_READY, "keys: %s", name))
		diag("%s", status.message);
	else if (strcmp(golden_text(expect, "outcome"), "keys") != 0 && !kept(golden_case, script))
		check_taken(keys);
	else
		check_keys(source, keys, kept(golden_case, script) ? kept(golden_case, script) : expect);
	if (golden_text(golden_case, "here") == NULL || kept(golden_case, script))
		check_requests(first, expect);
	else if (strncmp(golden_text(golden_case, "here"), "refused", 7) == 0 ||
			 strncmp(golden_text(golden_case, "here"), "an error: that", 14) == 0)
		is_int(fake_sent(), 0, "and nothing is asked");
	json_object_put(none);
}

static void
run_case(json_object *golden_case)
{
	const char *region = golden_text(golden_case, "region");
	const char *fips = golden_text(golden_case, "env.AWS_USE_FIPS_ENDPOINT");
	DynKeyFetchConfig config;
	DynKeySource *source;

	scene_begin();
	scene_clock_stands = true;
	config = scene_config();
	set_environment(golden_case);
	config.region = region ? region : config.region;
	config.wish.profile = golden_text(golden_case, "profile");
	/* with us that is an option of the server */
	config.fips = fips && strcmp(fips, "true") == 0;
	source = scene_source_of(&config);
	run_script(source, golden_case, golden_case);
	for (size_t i = 0; i < golden_count(golden_case, "later"); i++)
		run_script(source, golden_case, golden_at(golden_case, "later", i));
	dyn_key_source_release(source);
}

int
main(void)
{
	json_object *golden = golden_json("aws_credentials.json");
	int			n = 0;

	for (size_t i = 0; i < golden_count(golden, "credentials"); i++, n++)
		run_case(golden_at(golden, "credentials", i));
	is_int(n, CASES, "all cases were run");
	json_object_put(golden);
	scene_begin();
	return done_testing();
}
