/*
 * test_sts.c
 *	  Requests to STS and its answers: botocore's, moto's, and hostile ones.
 */
#include "core/sts.h"

#include "keys_check.h"

#define CREDENTIALS(fields) \
	"<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>" fields \
	"</Credentials></AssumeRoleResult></AssumeRoleResponse>"
#define ID "<AccessKeyId>ASIA</AccessKeyId>"
#define SECRET "<SecretAccessKey>SECRET</SecretAccessKey>"
#define TOKEN "<SessionToken>SECRET==</SessionToken>"
#define EXPIRATION "<Expiration>2026-03-01T13:00:00Z</Expiration>"

/* ---- requests ---- */

/* Decodes in place what stands between '=' and '&', as a server does. */
static void
form_decode(char *text)
{
	char	   *out = text;

	for (; *text; text++)
	{
		unsigned	byte;

		if (*text == '%' && sscanf(text + 1, "%2x", &byte) == 1)
		{
			*out++ = (char) byte;
			text += 2;
		}
		else
			*out++ = *text == '+' ? ' ' : *text;
	}
	*out = '\0';
}

/* The body, decoded, against a golden form. */
static void
is_form(DynBuf *body, json_object *form)
{
	char	   *next = dyn_buf_cstr(body);
	size_t		n = 0;

	while (next)
	{
		char	   *name = next;
		char	   *value = strchr(name, '=');
		const char *want;

		next = strchr(name, '&');
		if (next)
			*next++ = '\0';
		*value++ = '\0';
		form_decode(value);
		want = golden_text(form, name);
		ok(want && (strcmp(value, want) == 0 || strcmp(want, "<default>") == 0), "%s is %s", name, value);
		n++;
	}
	is_int(n, json_object_object_length(form), "as many parameters");
}

/* Sends what a golden request of botocore says. */
static void
check_form(json_object *form)
{
	const char *arn = golden_text(form, "RoleArn");
	const char *session = golden_text(form, "RoleSessionName");
	DynBuf		body = {0};

	if (strcmp(golden_text(form, "Action"), "AssumeRole") == 0)
	{
		const char *seconds = golden_text(form, "DurationSeconds");
		DynAssumeRole role = {arn, session, golden_text(form, "ExternalId"), seconds ? atoi(seconds) : 0};

		dyn_sts_assume_role(&body, &role);
	}
	else
		dyn_sts_web_identity(&body, arn, session, golden_text(form, "WebIdentityToken"));
	is_form(&body, form);
	dyn_buf_free(&body);
}

static int
check_forms(json_object *script)
{
	int			n = 0;

	for (size_t i = 0; i < golden_count(script, "expect.requests"); i++)
	{
		json_object *form = golden_get(golden_at(script, "expect.requests", i), "form");

		if (form)
			check_form(form);
		n += form != NULL;
	}
	for (size_t i = 0; i < golden_count(script, "later"); i++)
		n += check_forms(golden_at(script, "later", i));
	return n;
}

static void
test_golden_forms(void)
{
	json_object *golden = golden_json("aws_credentials.json");
	int			n = 0;

	for (size_t i = 0; i < golden_count(golden, "credentials"); i++)
		n += check_forms(golden_at(golden, "credentials", i));
	ok(n >= 15, "%d forms", n);
	json_object_put(golden);
}

static void
test_forms(void)
{
	DynAssumeRole role = {
		.role_arn = "arn:aws:iam::1:role/a b", .session_name = "A-Z.a_z~0+9", .external_id = "\xc3\xbc\x01&=%\x7f",
		.duration_seconds = 900
	};
	DynBuf		body = {0};

	dyn_buf_str(&body, "before ");
	dyn_sts_assume_role(&body, &role);
	is_text(body.data, body.len, "before Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%20b"
			"&RoleSessionName=A-Z.a_z~0%2B9&ExternalId=%C3%BC%01%26%3D%25%7F&DurationSeconds=900",
			"all but unreserved characters is encoded");
	dyn_buf_clear(&body);
	dyn_sts_web_identity(&body, "arn", "s", "a.b/c");
	is_text(body.data, body.len, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn&RoleSessionName=s"
			"&WebIdentityToken=a.b%2Fc", "a web identity");
	dyn_buf_free(&body);
}

static void
test_forms_without_memory(void)
{
	static char token[DYN_WEB_IDENTITY_TOKEN_MAX + 1];
	DynAssumeRole role = {token, token, token, 3600};
	int			wrong = 0;
	DynBuf		body = {0};

	memset(token, '/', sizeof(token) - 1);
	for (int n = 0; n < 2; n++)
	{
		fail_alloc_after = n;
		dyn_sts_web_identity(&body, "arn", "s", token);
		wrong += !body.failed;
		dyn_buf_free(&body);
		fail_alloc_after = n;
		dyn_sts_assume_role(&body, &role);
		wrong += !body.failed;
		dyn_buf_free(&body);
	}
	is_int(wrong, 0, "no memory is told");
	/* a length for which another size would not be enough */
	token[12000] = '\0';
	fail_alloc_after = 2;
	dyn_sts_web_identity(&body, "arn", "s", token);
	ok(!body.failed && body.len > 36000, "a token is written once, it does not move");
	fail_alloc_after = -1;
	dyn_buf_free(&body);
}

/* ---- keys ---- */

static void
test_golden_keys(void)
{
	ok(check_golden_keys(dyn_sts_keys, "<AssumeRoleWithWebIdentityResult>", "assume-role-with-web-identity") >= 10,
	   "web identities");
	ok(check_golden_keys(dyn_sts_keys, "<AssumeRoleResult>", "assume-role") >= 6, "roles");
}

/* In the form of moto: prolog, fractions of seconds, other elements with names of ours. */
static void
test_moto(void)
{
	static const char answer[] =
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
	"<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AccessKeyId>no</AccessKeyId>\n"
	"  <AssumeRoleResult><SessionToken>no</SessionToken>\n    <Credentials>\n"
	"      <SessionToken>T/&#x2b;=</SessionToken>\n      <Expiration>2026-03-01T13:00:18.333588Z</Expiration>\n"
	"      <AccessKeyId>ASIAMOTO</AccessKeyId><SecretAccessKey><![CDATA[s/]]>e</SecretAccessKey>\n"
	"      <New><SecretAccessKey>no</SecretAccessKey></New>\n"
	"    </Credentials>\n    <AssumedRoleUser><Arn>arn</Arn><Expiration>no</Expiration></AssumedRoleUser>\n"
	"    <PackedPolicySize>6</PackedPolicySize>\n  </AssumeRoleResult>\n"
	"  <ResponseMetadata><RequestId>x</RequestId></ResponseMetadata>\n</AssumeRoleResponse>";
	DynKeys		keys;
	DynStatus	status;

	if (!ok(read_keys_of(dyn_sts_keys, answer, strlen(answer), &keys, &status), "moto's keys"))
		return;
	is_string(keys.access_key_id, "ASIAMOTO", "the id");
	is_string(keys.secret_access_key, "s/e", "the secret");
	is_string(keys.session_token, "T/+=", "the token");
	is_int(keys.expires, 1772370018, "the expiry, in whole seconds");
	dyn_keys_free(&keys);
}

static const struct
{
	const char *body;
	const char *words;
}			refused[] = {
	{"", "the answer is malformed"},
	{"{}", "the answer is malformed"},
	{CREDENTIALS(ID SECRET TOKEN EXPIRATION) "x", "the answer is malformed"},
	{"<!DOCTYPE x>" CREDENTIALS(ID SECRET TOKEN EXPIRATION), "the answer is malformed"},
	{CREDENTIALS(ID ID SECRET TOKEN EXPIRATION), "the answer is malformed"},
	{CREDENTIALS(ID SECRET TOKEN EXPIRATION "</Credentials><Credentials>"), "the answer is malformed"},
	{CREDENTIALS(ID SECRET TOKEN EXPIRATION "</Credentials></AssumeRoleResult><AssumeRoleResult><Credentials>"),
	"the answer is malformed"},
	{"<AssumeRoleResponse><AssumeRoleResult>" ID SECRET TOKEN EXPIRATION "</AssumeRoleResult></AssumeRoleResponse>",
	"the expiration is missing"},
	{CREDENTIALS("<x>" ID SECRET TOKEN EXPIRATION "</x>"), "the expiration is missing"},
	{"<ErrorResponse><Error><Code>x</Code></Error></ErrorResponse>", "the expiration is missing"},
	{CREDENTIALS(ID SECRET TOKEN), "the expiration is missing"},
	{CREDENTIALS(ID SECRET EXPIRATION), "the session token is missing"},
	{CREDENTIALS(ID SECRET EXPIRATION "<SessionToken/>"), "the session token is missing"},
	{CREDENTIALS(ID TOKEN EXPIRATION), "the secret access key is missing"},
	{CREDENTIALS(SECRET TOKEN EXPIRATION), "the access key id is missing"},
	{CREDENTIALS(ID SECRET TOKEN "<Expiration>SECRET</Expiration>"), "the expiration is not a time"},
	{CREDENTIALS(ID SECRET TOKEN "<Expiration></Expiration>"), "the expiration is not a time"},
	{CREDENTIALS(ID SECRET "<SessionToken>SECRET&#10;x</SessionToken>" EXPIRATION),
	"the session token is not 1 to 16384 printable characters without blanks"},
	{CREDENTIALS("<AccessKeyId>SECRET\r\n</AccessKeyId>" SECRET TOKEN EXPIRATION),
	"the access key id is not 1 to 128 printable characters without blanks"},
	{CREDENTIALS(ID "<SecretAccessKey>SECRET\xc3\xbc</SecretAccessKey>" TOKEN EXPIRATION),
	"the secret access key is not 1 to 1024 printable characters without blanks"},
};

static void
test_refused_keys(void)
{
	static const char whole[] = CREDENTIALS(ID SECRET TOKEN EXPIRATION);
	DynKeys		keys;
	DynStatus	status;
	int			wrong = 0;

	for (size_t i = 0; i < LENGTH(refused); i++)
		keys_refused(dyn_sts_keys, refused[i].body, strlen(refused[i].body), DYN_PROTOCOL, refused[i].words);
	for (size_t n = 0; n < sizeof(whole) - 1; n++)
		wrong += read_keys_of(dyn_sts_keys, whole, n, &keys, &status) || status.cls != DYN_PROTOCOL;
	is_int(wrong, 0, "no keys, wherever the answer is cut");
	keys_refused(dyn_sts_keys, whole, sizeof(whole), DYN_PROTOCOL, "the answer is malformed");
	check_keys_without_memory(dyn_sts_keys, whole);
}

/* ---- errors ---- */

static bool
read_sts_error(const char *body, DynStatus *status)
{
	char	   *copy = golden_copy(body, strlen(body));
	bool		found;

	dyn_status_clear(status);
	status->http_status = 403;
	found = dyn_sts_error(copy, strlen(body), status);
	free(copy);
	ok(status->cls == DYN_OK && status->http_status == 403, "the rest of the status stays");
	return found;
}

/* Of each golden case that STS refuses: botocore says "An error occurred (CODE) ...: MESSAGE". */
static void
test_golden_errors(void)
{
	json_object *golden = golden_json("aws_credentials.json");
	int			n = 0;

	for (size_t i = 0; i < golden_count(golden, "credentials"); i++)
	{
		json_object *script = golden_at(golden, "credentials", i);
		const char *said = golden_text(script, "expect.message");
		const char *body = golden_text(golden_at(script, "http", 0), "body");
		char		code[120];
		DynStatus	status;

		if (said == NULL || body == NULL || !strstr(body, "<ErrorResponse"))
			continue;
		n++;
		ok(read_sts_error(body, &status), "%s", golden_text(script, "name"));
		snprintf(code, sizeof(code), "(%s)", status.aws_code);
		ok(status.aws_code[0] && strstr(said, code), "its code");
		is_string(status.message, strstr(said, "operation: ") + strlen("operation: "), "its message");
	}
	ok(n >= 2, "%d errors", n);
	json_object_put(golden);
}

static void
test_errors(void)
{
	DynStatus	status;

	ok(read_sts_error("<?xml version='1.0'?>\n<ErrorResponse xmlns='x'>\n<Error>\n<Type>Sender</Type>"
					  "<Code>Access&#68;enied&#10;x</Code><Message><![CDATA[User: <x>]]> &amp;\t\xc2\x9b\xc2z"
					  "&#10;x-amz-security-token:SECRET</Message></Error></ErrorResponse>", &status), "moto's error");
	is_string(status.aws_code, "AccessDenied", "its code");
	is_string(status.message, "User: <x> &???\xc2z", "the first line of its message");
	ok(read_sts_error("<ErrorResponse><Error><Message>not AWS4-HMAC-SHA256 SECRET</Message><Code>x</Code></Error>"
					  "</ErrorResponse>", &status), "an error that quotes");
	is_string(status.message, "not ", "is cut");
	ok(read_sts_error("<ErrorResponse><Error><Code>Throttling.User-rate_1</Code></Error></ErrorResponse>", &status), "no message");
	is_string(status.message, "", "is none");
	is_string(status.aws_code, "Throttling.User-rate_1", "a code with all that codes may have");
}

static void
test_long_errors(void)
{
	static const size_t lengths[] = {5000, sizeof(((DynStatus *) 0)->message), sizeof(((DynStatus *) 0)->aws_code)};

	for (size_t i = 0; i < LENGTH(lengths); i++)
	{
		DynStatus	status;
		DynBuf		body = {0};

		dyn_buf_str(&body, "<ErrorResponse><Error><Code>");
		for (size_t j = 0; j < lengths[i]; j++)
			dyn_buf_byte(&body, 'C');
		dyn_buf_str(&body, "</Code><Message>");
		for (size_t j = 0; j < lengths[i]; j++)
			dyn_buf_byte(&body, 'm');
		dyn_buf_str(&body, "</Message></Error></ErrorResponse>");
		ok(read_sts_error(dyn_buf_cstr(&body), &status), "an error of %zu bytes", lengths[i]);
		is_int(strnlen(status.aws_code, sizeof(status.aws_code)), sizeof(status.aws_code) - 1, "its code is cut");
		is_int(strnlen(status.message, sizeof(status.message)),
			   lengths[i] < sizeof(status.message) ? lengths[i] : sizeof(status.message) - 1, "and its message");
		dyn_buf_free(&body);
	}
}

static void
test_no_errors(void)
{
	static const char *const bodies[] = {
		"", "Service Unavailable", "<html><body><h1>502</h1></body></html>", "{\"__type\":\"x\"}",
		"<ErrorResponse/>", "<ErrorResponse><Error/></ErrorResponse>", "<Error><Code>x</Code></Error>",
		"<ErrorResponse><Code>x</Code></ErrorResponse>", "<ErrorResponse><Error><Code>x</Code></Error>",
		"<ErrorResponse><Error><Code>x</Code><Code>y</Code></Error></ErrorResponse>",
		CREDENTIALS(ID SECRET TOKEN EXPIRATION),
	};
	DynStatus	status;

	for (size_t i = 0; i < LENGTH(bodies); i++)
		ok(!read_sts_error(bodies[i], &status) && !status.aws_code[0] && !status.message[0], "no error: %s", bodies[i]);
	fail_alloc_after = 0;
	ok(!dyn_sts_error("<x/>", 4, &status), "nor without memory");
	fail_alloc_after = -1;
}

static void
test_retryable(void)
{
	static const char *const passing[] = {
		"Throttling", "ThrottlingException", "IDPCommunicationError", "InvalidIdentityToken"
	};
	static const char *const lasting[] = {
		"", "AccessDenied", "ExpiredTokenException", "IDPRejectedClaim", "RegionDisabledException", "NoThrottling",
		"IDPCommunicationErrors", "InvalidIdentityTokenException",
	};

	for (size_t i = 0; i < LENGTH(passing); i++)
		ok(dyn_sts_retryable(400, passing[i]), "%s may pass", passing[i]);
	for (size_t i = 0; i < LENGTH(lasting); i++)
		ok(!dyn_sts_retryable(403, lasting[i]) && dyn_sts_retryable(500, lasting[i]) &&
		   dyn_sts_retryable(503, lasting[i]) && !dyn_sts_retryable(499, lasting[i]), "\"%s\" of a 5xx only", lasting[i]);
}

/* ---- what it takes ---- */

/* Text of `len` bytes that begins so. */
static const char *
long_text(const char *start, size_t len)
{
	static char text[4000];

	memset(text, 'x', len);
	memcpy(text, start, strlen(start));
	text[len] = '\0';
	return text;
}

/* No character of 1 to 255 is taken but letters, digits and those of the set. */
static void
takes_only(bool (*valid) (const char *), const char *start, const char *set)
{
	int			wrong = 0;

	for (int c = 1; c < 256; c++)
	{
		bool		want = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr(set, c);
		char		text[100];

		snprintf(text, sizeof(text), "%s%c", start, c);
		wrong += valid(text) != want;
	}
	is_int(wrong, 0, "of characters %s", set);
}

static void
has_length(bool (*valid) (const char *), const char *start, size_t min, size_t max)
{
	ok(!valid(long_text(start, min - 1)) && valid(long_text(start, min)), "at least %zu", min);
	ok(valid(long_text(start, max)) && !valid(long_text(start, max + 1)), "at most %zu", max);
}

static void
test_valid(void)
{
	char		printable[95] = "";

	for (int c = '!'; c <= '~'; c++)
		printable[c - '!'] = (char) c;
	takes_only(dyn_role_session_name_valid, "x", "_+=,.@-");
	has_length(dyn_role_session_name_valid, "", 2, 64);
	takes_only(dyn_external_id_valid, "x", "_+=,.@:/-");
	has_length(dyn_external_id_valid, "", 2, 1224);
	takes_only(dyn_role_arn_valid, "arn:aws:iam::123456789012:role/x", printable);
	has_length(dyn_role_arn_valid, "arn:", 20, 2048);
	ok(!dyn_role_arn_valid("ARN:aws:iam::123456789012:role/x"), "another beginning");
	ok(!dyn_role_arn_valid("") && !dyn_external_id_valid("") && !dyn_role_session_name_valid(""), "nothing");
}

int
main(void)
{
	test_golden_forms();
	test_forms();
	test_forms_without_memory();
	test_golden_keys();
	test_moto();
	test_refused_keys();
	test_golden_errors();
	test_errors();
	test_long_errors();
	test_no_errors();
	test_retryable();
	test_valid();
	return done_testing();
}
