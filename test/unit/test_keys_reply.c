/*
 * test_keys_reply.c
 *	  Answers of container endpoints and of the instance metadata service.
 *
 * Bodies in this file are written with ' for ".
 */
#include "core/keys_reply.h"

#include "core/buf.h"
#include "keys_check.h"

#define ID "'AccessKeyId':'ASIA'"
#define SECRET "'SecretAccessKey':'SECRET'"
#define TOKEN "'Token':'SECRET=='"
#define EXPIRATION "'Expiration':'2026-03-01T13:00:00Z'"
#define KEYS ID "," SECRET "," TOKEN
#define SUCCESS "'Code':'Success',"

static void
test_golden_keys(void)
{
	ok(check_golden_keys(dyn_container_keys, "\"RoleArn\"", "container-role") >= 6, "containers");
	ok(check_golden_keys(dyn_imds_keys, "\"LastUpdated\"", "iam-role") >= 4, "instances");
}

/* ' turned to " */
static bool
read_quoted(KeysReader read, const char *text, DynKeys *keys, DynStatus *status)
{
	char	   *body = golden_quotes(text);
	bool		done = read_keys_of(read, body, strlen(body), keys, status);

	free(body);
	return done;
}

static void
is_refused(KeysReader read, const char *text, const char *words)
{
	char	   *body = golden_quotes(text);

	keys_refused(read, body, strlen(body), DYN_PROTOCOL, words);
	free(body);
}

static void
test_keys(void)
{
	DynKeys		keys;
	DynStatus	status;

	if (ok(read_quoted(dyn_container_keys, " { " KEYS " } \n", &keys, &status), "without Expiration"))
	{
		is_int(keys.expires, DYN_KEYS_FOREVER, "they are forever");
		is_string(keys.session_token, "SECRET==", "the token");
		dyn_keys_free(&keys);
	}
	if (ok(read_quoted(dyn_imds_keys, "{'Code' : 'Success','':1,'Tok':'x','x':[{'AccessKeyId':1}],'Message':null,"
					   "'\\u0054oken':'a\\/b\\u002b','Expiration':'2026-03-01T13:00:18.333588Z',"
					   ID "," SECRET "}", &keys, &status), "other members, escapes, a fraction"))
	{
		is_string(keys.access_key_id, "ASIA", "the id");
		is_string(keys.secret_access_key, "SECRET", "the secret");
		is_string(keys.session_token, "a/b+", "the token");
		is_int(keys.expires, 1772370018, "the expiry");
		dyn_keys_free(&keys);
	}
	if (ok(read_quoted(dyn_container_keys, "{'Code':1,'Code':2,'Message':3," KEYS "," EXPIRATION "}", &keys, &status),
		   "a container has no Code"))
		dyn_keys_free(&keys);
}

/* Members that are refused of both; Code and Expiration are added where they are not the point. */
static const struct
{
	const char *members;
	const char *words;
}			refused[] = {
	{SECRET "," TOKEN, "the access key id is missing"},
	{ID "," TOKEN, "the secret access key is missing"},
	{ID "," SECRET, "the session token is missing"},
	{"'accessKeyId':'SECRET'," SECRET "," TOKEN, "the access key id is missing"},
	{"'AccessKeyId':''," SECRET "," TOKEN, "the access key id is missing"},
	{ID "," SECRET ",'Token':''", "the session token is missing"},
	{"'x':{" KEYS "}", "the session token is missing"},
	{"'AccessKeyId':null," SECRET "," TOKEN, "AccessKeyId is not a text"},
	{ID ",'SecretAccessKey':12," TOKEN, "SecretAccessKey is not a text"},
	{ID "," SECRET ",'Token':['SECRET']", "Token is not a text"},
	{ID "," SECRET ",'Token':{'Token':'SECRET'}", "Token is not a text"},
	{ID "," SECRET ",'Token':true", "Token is not a text"},
	{"'AccessKeyId':'SECRET\\u0000'," SECRET "," TOKEN, "AccessKeyId has a zero byte"},
	{"'AccessKeyId':'SECRET\\r\\n'," SECRET "," TOKEN,
	"the access key id is not 1 to 128 printable characters without blanks"},
	{ID ",'SecretAccessKey':'SECRET\\u00fc'," TOKEN,
	"the secret access key is not 1 to 1024 printable characters without blanks"},
	{ID "," SECRET ",'Token':'SECRET\\n'", "the session token is not 1 to 16384 printable characters without blanks"},
	{KEYS "," ID, "the answer is malformed"},
	{KEYS ",'Token':null", "the answer is malformed"},
	{KEYS ",", "the answer is malformed"},
	{KEYS ",'x':SECRET", "the answer is malformed"},
	{KEYS ",'x'", "the answer is malformed"},
	{KEYS ",'x':'SECRET\n'", "the answer is malformed"},
	{KEYS "}{", "the answer is malformed"},
};

static const char *const malformed[] = {
	"", " ", "null", "12", "'SECRET'", "[]", "[{" KEYS "}]", "{", "<html>SECRET</html>", "{" KEYS, "{" KEYS "}x", "{" KEYS "}}",
};

static void
test_refused(void)
{
	char		body[1000];

	for (size_t i = 0; i < LENGTH(refused); i++)
	{
		snprintf(body, sizeof(body), "{%s}", refused[i].members);
		is_refused(dyn_container_keys, body, refused[i].words);
		snprintf(body, sizeof(body), "{" SUCCESS EXPIRATION ",%s}", refused[i].members);
		is_refused(dyn_imds_keys, body, refused[i].words);
	}
	for (size_t i = 0; i < LENGTH(malformed); i++)
	{
		is_refused(dyn_container_keys, malformed[i], "the answer is malformed");
		is_refused(dyn_imds_keys, malformed[i], "the answer is malformed");
	}
	is_refused(dyn_container_keys, "{}", "the session token is missing");
	is_refused(dyn_container_keys, "{" KEYS ",'Expiration':null}", "Expiration is not a text");
	is_refused(dyn_container_keys, "{" KEYS ",'Expiration':1772370018}", "Expiration is not a text");
	is_refused(dyn_container_keys, "{" KEYS ",'Expiration':'SECRET'}", "the expiration is not a time");
	is_refused(dyn_container_keys, "{" KEYS ",'Expiration':''}", "the expiration is not a time");
	is_refused(dyn_imds_keys, "{" SUCCESS KEYS "}", "the expiration is missing");
	is_refused(dyn_imds_keys, "{" SUCCESS KEYS ",'Expiration':null}", "Expiration is not a text");
	is_refused(dyn_imds_keys, "{}", "the expiration is missing");
	is_refused(dyn_imds_keys, "{'Code':null," KEYS "," EXPIRATION "}", "Code is not a text");
	is_refused(dyn_imds_keys, "{'Code':'Success\\u0000'," KEYS "," EXPIRATION "}", "Code has a zero byte");
}

/* Nested as deeply as can be, and cut at each byte. */
static void
test_hostile(void)
{
	static const char whole[] = "{'Code':'Success','x':{'y':[1,'z']}," KEYS "," EXPIRATION "}";
	char	   *body = golden_quotes(whole);
	DynKeys		keys;
	DynStatus	status;
	DynBuf		deep = {0};
	int			wrong = 0;

	for (size_t n = 0; n < sizeof(whole) - 1; n++)
		wrong += read_keys_of(dyn_imds_keys, body, n, &keys, &status) || status.cls != DYN_PROTOCOL ||
			read_keys_of(dyn_container_keys, body, n, &keys, &status) || status.cls != DYN_PROTOCOL;
	is_int(wrong, 0, "no keys, wherever the answer is cut");
	keys_refused(dyn_imds_keys, body, sizeof(whole), DYN_PROTOCOL, "the answer is malformed");
	check_keys_without_memory(dyn_imds_keys, body);
	check_keys_without_memory(dyn_container_keys, body);
	free(body);
	dyn_buf_str(&deep, "{\"Token\":");
	for (int i = 0; i < 100000; i++)
		dyn_buf_byte(&deep, '[');
	keys_refused(dyn_container_keys, deep.data, deep.len, DYN_PROTOCOL, "the answer is malformed");
	dyn_buf_free(&deep);
}

static void
test_broken_role(void)
{
	json_object *golden = golden_json("aws_credentials.json");
	DynKeys		keys;
	DynStatus	status;
	int			n = 0;

	for (size_t i = 0; i < golden_count(golden, "credentials"); i++)
	{
		json_object *script = golden_at(golden, "credentials", i);

		for (size_t j = 0; j < golden_count(script, "http"); j++)
		{
			const char *body = golden_text(golden_at(script, "http", j), "body");

			if (body == NULL || strstr(body, "\"AssumeRoleUnauthorizedAccess\"") == NULL)
				continue;
			n++;
			ok(!read_keys_of(dyn_imds_keys, body, strlen(body), &keys, &status), "a role that is broken");
			is_int(status.cls, DYN_NO_CREDENTIALS, "no credentials");
			is_string(status.aws_code, "AssumeRoleUnauthorizedAccess", "its code");
			is_string(status.message, "EC2 cannot assume the role app-role.", "its message");
		}
	}
	is_int(n, 1, "one golden case");
	json_object_put(golden);

	ok(!read_quoted(dyn_imds_keys, "{'Code':'Failed\\u001b[1m','Message':'a\\u0007\\u0000b\\nSECRET'," KEYS "}", &keys,
					&status), "another one");
	is_int(status.cls, DYN_NO_CREDENTIALS, "no credentials");
	is_string(status.aws_code, "Failed", "its code");
	is_string(status.message, "a??b", "the first line of its message");
	ok(keys.access_key_id == NULL, "none of its keys");
	ok(!read_quoted(dyn_imds_keys, "{'Code':'success','Message':5," KEYS "," EXPIRATION "}", &keys, &status),
	   "no message");
	is_int(status.cls, DYN_NO_CREDENTIALS, "no credentials");
	is_string(status.aws_code, "success", "its code, of other letters");
	is_string(status.message, "", "no message");
}

static bool
read_container_error(const char *text, DynStatus *status)
{
	char	   *quoted = golden_quotes(text);
	char	   *body = golden_copy(quoted, strlen(quoted));
	bool		found;

	dyn_status_clear(status);
	status->http_status = 400;
	found = dyn_container_error(body, strlen(quoted), status);
	free(body);
	free(quoted);
	ok(status->cls == DYN_OK && status->http_status == 400, "the rest of the status stays");
	return found;
}

static void
test_container_errors(void)
{
	static const char *const none[] = {
		"", "no", "[]", "{}", "{'code':null}", "{'code':7,'message':'m'}", "{'message':'m'}", "{'Code':'c'}",
		"{'code':'c','message':'m'", "{'code':'c'}x", "{'code':'c','code':'c'}",
	};
	DynStatus	status;

	ok(read_container_error("{'code':'AccessDeniedException','message':'no\\tway\\u009b.\\nSECRET','x':1}", &status),
	   "an error");
	is_string(status.aws_code, "AccessDeniedException", "its code");
	is_string(status.message, "no?way??.", "its message");
	ok(read_container_error("{'message':null,'code':'c d'}", &status), "without a message");
	is_string(status.aws_code, "c", "its code");
	is_string(status.message, "", "no message");
	for (size_t i = 0; i < LENGTH(none); i++)
		ok(!read_container_error(none[i], &status) && !status.aws_code[0] && !status.message[0], "no error: %s", none[i]);
	fail_alloc_after = 0;
	ok(!dyn_container_error("{}", 2, &status), "nor without memory");
	fail_alloc_after = -1;
}

static void
is_role(const char *text, size_t len, const char *want)
{
	char		name[DYN_ROLE_NAME_MAX + 1];
	char	   *copy = golden_copy(text, len);

	memset(name, 'x', sizeof(name));
	ok(dyn_imds_role(copy, len, name) == (want[0] != '\0'), "%s role", want[0] ? "a" : "no");
	is_string(name, want, "its name");
	free(copy);
}

static void
test_roles(void)
{
	static const char longest[] = "a123456789012345678901234567890123456789012345678901234567890123x";
	static const char *const none[] = {
		"", "\n", "\r\n", "\napp", " app", "app ", "app role", "../app", "app/", "app?x", "app%41", "a\xc3\xbc", "<html>", "a\tb", "a\x7f",
	};

	is_role("app-role", 8, "app-role");
	is_role("app-role\nother", 14, "app-role");
	is_role("app-role\r\nother", 15, "app-role");
	is_role("A_z0+=,.@-\n", 11, "A_z0+=,.@-");
	is_role("app\n/", 5, "app");
	is_role("app\0role", 8, "");
	is_role(longest, 64, "a123456789012345678901234567890123456789012345678901234567890123");
	is_role(longest, 65, "");
	for (size_t i = 0; i < LENGTH(none); i++)
		is_role(none[i], strlen(none[i]), "");
}

int
main(void)
{
	test_golden_keys();
	test_keys();
	test_refused();
	test_hostile();
	test_broken_role();
	test_container_errors();
	test_roles();
	return done_testing();
}
