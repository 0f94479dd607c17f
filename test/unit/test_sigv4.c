/*
 * test_sigv4.c
 *	  Signatures against AWS's published test suite.
 *
 * Of the suite these are left out:
 * - get-unreserved, get-utf8, normalize-path/...: another path than "/",
 * - get-vanilla-...-query..., post-vanilla-query, ...-empty-query-...: a query
 *   (get-vanilla-query has none and is in); DynamoDB's requests have neither,
 * - post-sts-header-after: a session token that is not signed; the signer
 *   signs all it is given, so that is post-vanilla.
 */
#include "core/sigv4.h"

#include "core/wipe.h"

#include <stdlib.h>
#include <strings.h>

#include "golden.h"
#include "tap.h"

static const char *const vectors[] = {
	"get-header-key-duplicate",
	"get-header-value-multiline",
	"get-header-value-order",
	"get-header-value-trim",
	"get-vanilla",
	"get-vanilla-query",
	"get-vanilla-with-session-token",
	"post-header-key-case",
	"post-header-key-sort",
	"post-header-value-case",
	"post-sts-header-before",
	"post-vanilla",
	"post-x-www-form-urlencoded",
	"post-x-www-form-urlencoded-parameters",
};

/* The suite's credentials and scope. */
static DynSigv4Signer
suite_signer(void)
{
	return (DynSigv4Signer) {
		.access_key_id = "AKIDEXAMPLE",
		.secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		.region = "us-east-1",
		.service = "service",
	};
}

static char *
read_vector(const char *name, const char *suffix, size_t *len)
{
	char		file[256];

	snprintf(file, sizeof(file), "sigv4/%s/%s.%s", name, name, suffix);
	return golden_read(file, len);
}

/*
 * Reads the request out of a .sreq file, which is changed and kept: the
 * request points into it.  Not the .req, which lacks the session token.
 */
static DynSigv4Request
parse_request(char *text, size_t len, DynSigv4Header *headers)
{
	DynSigv4Request request = {.headers = headers};
	char	   *line = text;
	char	   *next;

	for (; line != NULL && *line != '\n' && *line != '\0'; line = next)
	{
		char	   *colon;

		/* a line that starts with a space goes on with the header before */
		next = strchr(line, '\n');
		while (next != NULL && next[1] == ' ')
			next = strchr(next + 1, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (request.method == NULL)
		{
			line[strcspn(line, " ")] = '\0';
			request.method = line;
			continue;
		}
		colon = strchr(line, ':');
		*colon = '\0';
		if (strcasecmp(line, "Authorization") == 0)
			continue;
		if (strcasecmp(line, "X-Amz-Date") == 0)
			request.amz_date = colon + 1;
		headers[request.nheaders].name = line;
		headers[request.nheaders++].value = colon + 1;
	}
	request.payload = line != NULL && *line == '\n' ? line + 1 : "";
	request.payload_len = line != NULL && *line == '\n' ? (size_t) (text + len - line - 1) : 0;
	return request;
}

static void
is_vector(DynBuf *got, const char *name, const char *suffix)
{
	size_t		len;
	char	   *want = read_vector(name, suffix, &len);

	is_text(got->data, got->len, want, "%s: .%s", name, suffix);
	free(want);
}

static void
test_vector(const char *name)
{
	DynSigv4Signer signer = suite_signer();
	DynSigv4Header headers[DYN_SIGV4_MAX_HEADERS];
	size_t		len;
	char	   *text = read_vector(name, "sreq", &len);
	DynSigv4Request request = parse_request(text, len, headers);
	DynBuf		authorization = {0};
	DynBuf		canonical = {0};
	DynBuf		to_sign = {0};

	ok(dyn_sigv4_sign(&signer, &request, &authorization, &canonical, &to_sign), "%s is signed", name);
	is_vector(&canonical, name, "creq");
	is_vector(&to_sign, name, "sts");
	is_vector(&authorization, name, "authz");
	dyn_buf_free(&authorization);
	dyn_buf_free(&canonical);
	dyn_buf_free(&to_sign);
	free(text);
}

/* Signs a POST at that time. */
static bool
sign_at(DynSigv4Signer *signer, const char *amz_date, int nheaders, DynBuf *authorization)
{
	static const char *const names[] = {
		"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"
	};
	DynSigv4Header headers[DYN_SIGV4_MAX_HEADERS + 1];
	DynSigv4Request request = {
		.method = "POST",
		.headers = headers,
		.nheaders = nheaders,
		.payload = "{}",
		.payload_len = 2,
		.amz_date = amz_date,
	};

	headers[0] = (DynSigv4Header) {"Host", "dynamodb.us-east-1.amazonaws.com"};
	headers[1] = (DynSigv4Header) {"X-Amz-Date", amz_date};
	for (int i = 2; i < nheaders; i++)
		headers[i] = (DynSigv4Header) {names[i], "x"};
	return dyn_sigv4_sign(signer, &request, authorization, NULL, NULL);
}

/* The signer's cached key must follow the date. */
static void
test_key_cache(void)
{
	static const char *const dates[] = {
		"20150830T123600Z", "20150830T235959Z", "20150831T000000Z", "20150830T123600Z", "20160831T000000Z"
	};
	DynSigv4Signer signer = suite_signer();

	for (size_t i = 0; i < LENGTH(dates); i++)
	{
		DynSigv4Signer fresh = suite_signer();
		DynBuf		got = {0};
		DynBuf		want = {0};

		ok(sign_at(&signer, dates[i], 2, &got) && sign_at(&fresh, dates[i], 2, &want), "signed at %s", dates[i]);
		is_text(got.data, got.len, dyn_buf_cstr(&want), "as a new signer does");
		ok(strncmp(signer.date, dates[i], 8) == 0 && memcmp(signer.key, fresh.key, sizeof(fresh.key)) == 0,
		   "with the key of that day");
		dyn_buf_free(&got);
		dyn_buf_free(&want);
	}
}

static void
test_limits(void)
{
	DynSigv4Signer signer = suite_signer();
	DynBuf		authorization = {0};

	dyn_buf_str(&authorization, "Authorization: ");
	ok(sign_at(&signer, "20150830T123600Z", DYN_SIGV4_MAX_HEADERS, &authorization), "the most headers");
	ok(strncmp(dyn_buf_cstr(&authorization), "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/", 55) == 0,
	   "the value is appended");
	ok(strstr(dyn_buf_cstr(&authorization), "SignedHeaders=c;d;e;f;g;h;host;i;j;k;l;m;n;o;p;x-amz-date,") != NULL,
	   "all of them are signed, sorted");
	ok(!sign_at(&signer, "20150830T123600Z", DYN_SIGV4_MAX_HEADERS + 1, &authorization), "one more is refused");
	dyn_buf_free(&authorization);
}

static void
test_date(void)
{
	static const struct
	{
		int64_t		seconds;
		const char *text;
	}			dates[] = {
		{0, "19700101T000000Z"},
		{1440938160, "20150830T123600Z"},
		{1709164800, "20240229T000000Z"},
		{1735689599, "20241231T235959Z"},
		{INT64_C(4102444800), "21000101T000000Z"},
	};
	char		out[DYN_AMZ_DATE_LEN];

	for (size_t i = 0; i < LENGTH(dates); i++)
		if (ok(dyn_sigv4_date(dates[i].seconds, out), "second %" PRId64, dates[i].seconds))
			is_string(out, dates[i].text, "is %s", dates[i].text);
	ok(!dyn_sigv4_date(INT64_C(253402300800), out), "no date of five-digit years");
	ok(!dyn_sigv4_date(INT64_MAX, out), "nor of the end of time");
}

static void
test_wipe(void)
{
	char		secret[] = "secret";
	static const char zeros[sizeof(secret)];

	dyn_wipe(secret, sizeof(secret));
	is_bytes(secret, sizeof(secret), zeros, sizeof(zeros), "a secret is wiped");
	dyn_wipe(NULL, 0);
}

int
main(void)
{
	for (size_t i = 0; i < LENGTH(vectors); i++)
		test_vector(vectors[i]);
	test_key_cache();
	test_limits();
	test_date();
	test_wipe();
	return done_testing();
}
