/*
 * test_endpoint_rule.c
 *	  Endpoints of AWS's own, and hosts that a list of patterns allows.
 */
#include "core/endpoint_rule.h"

#include "golden.h"
#include "tap.h"

/* What can't be parsed is no endpoint: the test is over. */
static DynEndpoint
endpoint_of(const char *url)
{
	DynEndpoint endpoint = {0};
	const char *why = NULL;

	if (!dyn_endpoint_parse(url, &endpoint, &why))
		ok(false, "%s is an endpoint: it %s", url, why);
	return endpoint;
}

/* ---- AWS's own ---- */

static const char *const of_aws[] = {
	"https://dynamodb.us-west-2.amazonaws.com",
	"https://dynamodb.us-west-2.amazonaws.com:443/",
	"HTTPS://DynamoDB.US-West-2.AmazonAWS.com",
	"https://dynamodb-fips.us-west-2.amazonaws.com",
	"https://dynamodb.us-west-2.api.aws",
	"https://dynamodb-fips.us-west-2.api.aws",
	"https://dynamodb.us-gov-west-1.amazonaws.com",
	"https://dynamodb.cn-north-1.amazonaws.com.cn",
	"https://dynamodb.cn-north-1.api.amazonwebservices.com.cn",
	"https://dynamodb.us-isob-east-1.sc2s.sgov.gov",
	"https://dynamodb.us-isof-south-1.api.aws.hci.ic.gov",
	"https://dynamodb.xx-unknown-7.amazonaws.com",
	"https://vpce-1a2b-3c.dynamodb.us-west-2.vpce.amazonaws.com",
	"https://vpce-1a2b-3c-us-west-2a.dynamodb-fips.us-west-2.vpce.amazonaws.com",
	"https://vpce-1a2b-3c.dynamodb.cn-north-1.vpce.amazonaws.com.cn",
	"https://123456789012.ddb.us-west-2.amazonaws.com",
	"https://123456789012.ddb.us-west-2.api.aws",
	"https://123456789012.ddb.cn-north-1.amazonaws.com.cn",
};

/* S3's, where buckets are part of names. */
static const char *const of_s3[] = {
	"https://s3.us-west-2.amazonaws.com",
	"https://feast.s3.us-west-2.amazonaws.com",
	"https://feast.s3.us-west-2.amazonaws.com:443",
	"https://FEAST.s3-fips.us-west-2.amazonaws.com",
	"https://feast.s3-fips.dualstack.us-west-2.amazonaws.com",
	"https://s3.dualstack.cn-north-1.amazonaws.com.cn",
	"https://s3.s3.us-west-2.amazonaws.com",
	"https://dynamodb.s3.us-west-2.amazonaws.com",
	"https://us-west-2.s3.us-west-2.amazonaws.com",
	"https://feast.s3.us-isob-east-1.sc2s.sgov.gov",
	"https://bucket.vpce-1a2b-3c.s3.us-west-2.vpce.amazonaws.com",
};

static const char *const not_of_s3[] = {
	"http://feast.s3.us-west-2.amazonaws.com",
	"https://feast.s3.us-west-2.amazonaws.com:8443",
	"https://feast.s3.us-west-2.amazonaws.com.evil.com",
	"https://feast.s3.us-west-2.amazonaws.com.cn",
	"https://feast.s3.cn-north-1.amazonaws.com",
	"https://feast.s3.us-west-2.api.aws",
	"https://feast.s3.amazonaws.com",
	"https://s3.amazonaws.com",
	"https://evil.feast.s3.us-west-2.amazonaws.com",
	"https://feast.s3.evil.amazonaws.com",
	"https://feast.s3.s3.amazonaws.com",
	"https://feast.xs3.us-west-2.amazonaws.com",
	"https://feast.s3-website.us-west-2.amazonaws.com",
	"https://feast.s3.dualstack.dualstack.us-west-2.amazonaws.com",
	"https://feast.s3.us-west-2.vpce.amazonaws.com",
	"https://evil.vpce-1a2b.s3.us-west-2.vpce.amazonaws.com",
	"https://vpce-1a2b.s3.us-west-2.vpce.amazonaws.com",
	"https://dynamodb.us-west-2.amazonaws.com",
	"https://s3.dynamodb.us-west-2.amazonaws.com",
	"https://123456789012.ddb.us-west-2.amazonaws.com",
	"https://sts.us-west-2.amazonaws.com",
	"https://10.0.0.1",
};

#define LONG_LABEL "a234567890123456789012345678901234567890123456789012345678901234"

static const char *const of_others[] = {
	/* not TLS, or not the port of it */
	"http://dynamodb.us-west-2.amazonaws.com",
	"http://dynamodb.us-west-2.amazonaws.com:443",
	"https://dynamodb.us-west-2.amazonaws.com:8443",
	"https://dynamodb.us-west-2.amazonaws.com:80",
	/* more than the name, or less */
	"https://dynamodb.us-west-2.amazonaws.com.evil.com",
	"https://evildynamodb.us-west-2.amazonaws.com",
	"https://evil-dynamodb.us-west-2.amazonaws.com",
	"https://dynamodb-evil.us-west-2.amazonaws.com",
	"https://evil.dynamodb.us-west-2.amazonaws.com",
	"https://dynamodb.us-west-2.amazonaws.com.",
	"https://.dynamodb.us-west-2.amazonaws.com",
	"https://dynamodb..us-west-2.amazonaws.com",
	"https://dynamodb.us-west-2..amazonaws.com",
	"https://dynamodb.amazonaws.com",
	"https://dynamodb.us-west-2",
	"https://dynamodb.us-west-2.",
	"https://dynamodb",
	"https://us-west-2.amazonaws.com",
	"https://amazonaws.com",
	"https://.",
	"https://...",
	"https://....",
	"https://dynamodb.us-west-2.amazonaws.comx",
	"https://dynamodb.us-west-2.xamazonaws.com",
	"https://dynamodb.us-west-2.amazonaws-com.evil",
	/* no region's name, and none that is too long for one */
	"https://dynamodb.1us.amazonaws.com",
	"https://dynamodb.-us.amazonaws.com",
	"https://dynamodb.us_west.amazonaws.com",
	"https://dynamodb.us-.amazonaws.com",
	"https://dynamodb.abcdefghijklmnopqrstuvwxyz0123456.amazonaws.com",
	"https://dynamodb." LONG_LABEL ".amazonaws.com",
	"https://" LONG_LABEL ".dynamodb.us-west-2.vpce.amazonaws.com",
	/* services, below which people can have names */
	"https://dynamodb.s3.amazonaws.com",
	"https://dynamodb.s3-us-west-2.amazonaws.com",
	"https://dynamodb.compute-1.amazonaws.com",
	"https://dynamodb.us-west-.amazonaws.com",
	"https://dynamodb.us-west.amazonaws.com",
	"https://dynamodb.us-west-2a.amazonaws.com",
	"https://123456789012.ddb.s3.amazonaws.com",
	"https://x.dynamodb.s3.vpce.amazonaws.com",
	/* another partition's suffix */
	"https://dynamodb.us-west-2.amazonaws.com.cn",
	"https://dynamodb.cn-north-1.amazonaws.com",
	"https://dynamodb.us-west-2.api.amazonwebservices.com.cn",
	"https://dynamodb.us-iso-east-1.sc2s.sgov.gov",
	"https://dynamodb.eusc-de-east-1.api.aws",
	"https://123456789012.ddb.us-west-2.amazonaws.com.cn",
	"https://vpce-1.dynamodb.us-west-2.vpce.amazonaws.com.cn",
	/* other services, and what people can have made */
	"https://sts.us-west-2.amazonaws.com",
	"https://s3.us-west-2.amazonaws.com",
	"https://dynamodb.s3.us-west-2.amazonaws.com",
	"https://dynamodb.us-west-2.elb.amazonaws.com",
	"https://streams.dynamodb.us-west-2.amazonaws.com",
	"https://x.execute-api.us-west-2.amazonaws.com",
	"https://vpce-1.vpce-svc-1.us-west-2.vpce.amazonaws.com",
	"https://x.y.dynamodb.us-west-2.vpce.amazonaws.com",
	"https://dynamodb.us-west-2.vpce.amazonaws.com",
	"https://.dynamodb.us-west-2.vpce.amazonaws.com",
	"https://vpce-1.dynamodb.us-west-2.vpce.api.aws",
	"https://vpce-1.dynamodb.us-west-2.vpcexamazonaws.com",
	"https://vpce-1.dynamodb.us-west-2.amazonaws.com",
	/* accounts have twelve digits */
	"https://12345678901.ddb.us-west-2.amazonaws.com",
	"https://1234567890123.ddb.us-west-2.amazonaws.com",
	"https://12345678901a.ddb.us-west-2.amazonaws.com",
	"https://123456789012a.ddb.us-west-2.amazonaws.com",
	"https://ddb.us-west-2.amazonaws.com",
	"https://123456789012.ddb-fips.us-west-2.amazonaws.com",
	"https://123456789012.dynamodb.us-west-2.amazonaws.com",
	"https://123456789012.ddb.us-west-2.vpce.amazonaws.com",
	/* addresses */
	"https://127.0.0.1",
	"https://169.254.169.254",
	"https://[::1]",
	"https://localhost",
};

static void
test_aws(void)
{
	for (size_t i = 0; i < LENGTH(of_aws); i++)
	{
		DynEndpoint endpoint = endpoint_of(of_aws[i]);

		ok(dyn_endpoint_is_aws(DYN_SERVICE_DYNAMODB, &endpoint), "AWS's own: %s", of_aws[i]);
	}
	for (size_t i = 0; i < LENGTH(of_others); i++)
	{
		DynEndpoint endpoint = endpoint_of(of_others[i]);

		ok(!dyn_endpoint_is_aws(DYN_SERVICE_DYNAMODB, &endpoint), "not AWS's: %.100s", of_others[i]);
	}
	for (size_t i = 0; i < LENGTH(of_s3); i++)
	{
		DynEndpoint endpoint = endpoint_of(of_s3[i]);

		ok(dyn_endpoint_is_aws(DYN_SERVICE_S3, &endpoint), "S3's: %s", of_s3[i]);
		ok(!dyn_endpoint_is_aws(DYN_SERVICE_DYNAMODB, &endpoint), "which is none of DynamoDB's");
	}
	for (size_t i = 0; i < LENGTH(not_of_s3); i++)
	{
		DynEndpoint endpoint = endpoint_of(not_of_s3[i]);

		ok(!dyn_endpoint_is_aws(DYN_SERVICE_S3, &endpoint), "not S3's: %s", not_of_s3[i]);
	}
}

/* Tables of one region and name are the same by all endpoints of AWS's. */
static void
test_reaches_same(void)
{
	static const struct
	{
		const char *a;
		const char *b;
		bool		same;
	}			cases[] = {
		{"https://dynamodb.us-west-2.amazonaws.com", "https://123456789012.ddb.us-west-2.amazonaws.com", true},
		{"https://dynamodb.us-west-2.amazonaws.com", "https://dynamodb.example.com", false},
		{"https://dynamodb.example.com", "https://dynamodb.us-west-2.amazonaws.com", false},
		{"http://localhost:8000", "http://localhost:8000", true},
		{"http://localhost:8000", "http://localhost:8001", false},
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		DynEndpoint a = endpoint_of(cases[i].a);
		DynEndpoint b = endpoint_of(cases[i].b);

		ok(dyn_endpoint_reaches_same(&a, &b) == cases[i].same, "%s and %s", cases[i].a, cases[i].b);
	}
}

/* Whatever botocore makes of a region and an account is AWS's own. */
static void
test_golden(void)
{
	json_object *data = golden_json("aws_credentials.json");
	int			n = 0;

	for (size_t i = 0; i < golden_count(data, "endpoints"); i++)
	{
		json_object *golden = golden_at(data, "endpoints", i);
		const char *url = golden_text(golden, "expect.url");
		DynEndpoint endpoint;

		if (url == NULL)
			continue;
		endpoint = endpoint_of(url);
		is_int(dyn_endpoint_is_aws(DYN_SERVICE_DYNAMODB, &endpoint),
			   strcmp(golden_text(golden, "service"), "dynamodb") == 0 && strncmp(url, "https:", 6) == 0, "golden: %s", url);
		n++;
	}
	ok(n > 50, "golden cases: %d", n);
	json_object_put(data);
}

/* ---- patterns ---- */

static const struct
{
	const char *url;
	const char *patterns;
	bool		match;
}			matches[] = {
	{"http://localhost:8000", "localhost", true},
	{"http://localhost:8000", "LocalHost", true},
	{"http://LOCALHOST:8000", "localhost", true},
	{"https://localhost", "localhost", true},
	{"http://localhost:8000", "", false},
	{"http://localhost:8000", "  ", false},
	{"http://localhost:8000", ",", false},
	{"http://localhost:8000", "localhost:8000", false},
	{"http://localhost:8000", "local", false},
	{"http://localhost:8000", "localhosts", false},
	{"http://localhost:8000", "ocalhost", false},
	{"http://localhost.:8000", "localhost", false},
	{"http://localhost", "*", true},
	{"http://localhost", "**", true},
	{"http://localhost", "*localhost*", true},
	{"http://localhost", "local*host", true},
	{"http://localhost", "l*l*t", true},
	{"http://localhost", "l*l*x", false},
	{"http://localhost", "*x", false},
	{"http://localhost", "x*", false},
	{"http://a.b.example.com", "*.example.com", true},
	{"http://example.com", "*.example.com", false},
	{"http://evilexample.com", "*.example.com", false},
	{"http://a.example.com.evil.com", "*.example.com", false},
	{"http://a.example.com", "*.EXAMPLE.*", true},
	{"http://aab.test", "*ab.test", true},
	{"http://abcabd", "*abd", true},
	{"http://abcabc", "a*bc", true},
	{"http://aXbXcX", "a*x*b*x*", true},
	/* a dot and others stand for themselves */
	{"http://axexample.com", "*.example.com", false},
	{"http://a-b_c", "a-b_c", true},
	/* lists */
	{"http://two", "one,two,three", true},
	{"http://two", " one , two\t, three ", true},
	{"http://two", "one,three", false},
	{"http://two", "one,,two", true},
	{"http://two", "one,two,", true},
	{"http://two", "onetwo,t,w,o", false},
	/* addresses are texts */
	{"http://10.1.2.3:8000", "10.*", true},
	{"http://110.1.2.3", "10.*", false},
	{"http://[::1]:8000", "::1", true},
	{"http://[::1]:8000", "[::1]", true},
	{"http://[::1]", "[::1]", true},
	{"http://[::1]:8000", "[::1]:8000", false},
	{"http://[::1]:8000", "::1]", false},
	{"http://[::1]:8000", "[::1", false},
	{"http://[FD00:1::A]", "fd00:1:*", true},
	{"http://[fd00:1::a]", "[FD00:1:*]", true},
	{"http://[fd00:1::a]:8000", "*a", true},
	{"http://[fd00:1::a]:8000", "*8000", false},
	{"http://[::1]", "1", false},
};

static void
test_matches(void)
{
	for (size_t i = 0; i < LENGTH(matches); i++)
	{
		DynEndpoint endpoint = endpoint_of(matches[i].url);

		is_int(dyn_endpoint_matches(&endpoint, matches[i].patterns), matches[i].match, "%s: \"%s\"", matches[i].url,
			   matches[i].patterns);
	}
}

/* Each star tried at each place: more steps than anybody lives to see. */
static void
test_many_stars(void)
{
	char		url[256] = "http://";
	char		pattern[512] = "";
	DynEndpoint endpoint;

	for (int i = 0; i < 200; i++)
		strcat(url, "a");
	for (int i = 0; i < 100; i++)
		strcat(pattern, "*a");
	endpoint = endpoint_of(url);
	ok(dyn_endpoint_matches(&endpoint, pattern), "a hundred stars");
	strcat(pattern, "*b");
	ok(!dyn_endpoint_matches(&endpoint, pattern), "that match nothing");
}

static void
test_faults(void)
{
	static const char *const good[] = {
		"", "  ", "localhost", "*", "*.example.com", "a,b", " a , b ", "\ta\n,\r\nb", "127.0.0.1", "10.*", "::1", "[::1]",
		"::ffff:1.2.3.4", "fe80:*:1", "[fe80:*]", "A-b_C.9", "vpce-*.dynamodb.*.vpce.amazonaws.com",
	};
	static const char *const bad[] = {
		",", "a,", ",a", "a,,b", "a, ,b", "http://localhost", "https://*", "//localhost", "localhost:8000", ":8000", "*:8000",
		"10.0.0.1:8000", "[::1]:8000", "[::1", "::1]", "[]", "[", "]", "[[::1]]", "[localhost]", "a b", "a\tb", "a;b",
		"localhost/", "a/b", "user@localhost", "a?", "a[bc]", "a%", "\"a\"", "'a'", "a\\*", "::g", "fe80::1%eth0",
		"\xc3\xbc.example", "good,bad:1", "{region}", "+", "!a", "a:b:c:8000x",
	};

	for (size_t i = 0; i < LENGTH(good); i++)
		ok(dyn_endpoint_patterns_fault(good[i]) == NULL, "valid list %d", (int) i);
	for (size_t i = 0; i < LENGTH(bad); i++)
		ok(dyn_endpoint_patterns_fault(bad[i]) != NULL, "invalid: %s", bad[i]);
}

/* Every host that can be an endpoint can be allowed as it is. */
static void
test_all_hosts(void)
{
	for (size_t i = 0; i < LENGTH(matches); i++)
	{
		DynEndpoint endpoint = endpoint_of(matches[i].url);
		char		host[sizeof(endpoint.host_header)];
		char	   *port;

		snprintf(host, sizeof(host), "%s", endpoint.host_header);
		port = strrchr(host, ':');
		if (port && (host[0] != '[' || port[-1] == ']'))
			*port = '\0';
		ok(dyn_endpoint_patterns_fault(host) == NULL && dyn_endpoint_matches(&endpoint, host), "%s allows itself", host);
	}
}

int
main(void)
{
	test_aws();
	test_reaches_same();
	test_golden();
	test_matches();
	test_many_stars();
	test_faults();
	test_all_hosts();
	return done_testing();
}
