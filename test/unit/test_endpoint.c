/*
 * test_endpoint.c
 *	  Endpoint URLs and their normal form, and the regions' own endpoints.
 */
#include "core/endpoint.h"

#include "golden.h"
#include "tap.h"

/* A label is 63 characters at most, a host name 255 as we take it. */
#define LABEL "a23456789012345678901234567890123456789012345678901234567890123"

/* Golden cases that servers can have, without an endpoint_url. */
#define GOLDEN_CASES 42

static const struct
{
	const char *url;
	const char *normal;
	const char *host_header;
}			good[] = {
	{"http://localhost:8000", "http://localhost:8000", "localhost:8000"},
	{"http://localhost:8000/", "http://localhost:8000", "localhost:8000"},
	{"HTTP://LocalHost:8000/", "http://localhost:8000", "localhost:8000"},
	{"https://example.com", "https://example.com", "example.com"},
	{"https://example.com/", "https://example.com", "example.com"},
	{"hTTpS://EXAMPLE.Com", "https://example.com", "example.com"},
	{"https://vpce-1a2b.dynamodb.us-west-2.vpce.amazonaws.com",
		"https://vpce-1a2b.dynamodb.us-west-2.vpce.amazonaws.com",
	"vpce-1a2b.dynamodb.us-west-2.vpce.amazonaws.com"},
	/* the scheme's own port is not named */
	{"https://example.com:443", "https://example.com", "example.com"},
	{"https://example.com:443/", "https://example.com", "example.com"},
	{"http://example.com:80", "http://example.com", "example.com"},
	{"https://example.com:80", "https://example.com:80", "example.com:80"},
	{"http://example.com:443", "http://example.com:443", "example.com:443"},
	{"http://example.com:1", "http://example.com:1", "example.com:1"},
	{"http://example.com:65535", "http://example.com:65535", "example.com:65535"},
	/* addresses */
	{"http://127.0.0.1:8000", "http://127.0.0.1:8000", "127.0.0.1:8000"},
	{"http://[::1]:8000", "http://[::1]:8000", "[::1]:8000"},
	{"http://[::1]", "http://[::1]", "[::1]"},
	{"https://[FE80::AB]:443/", "https://[fe80::ab]", "[fe80::ab]"},
	{"http://dynamodb-local", "http://dynamodb-local", "dynamodb-local"},
	{"https://" LABEL "." LABEL "." LABEL "." LABEL, "https://" LABEL "." LABEL "." LABEL "." LABEL,
	LABEL "." LABEL "." LABEL "." LABEL},
	{"http://" LABEL "." LABEL "." LABEL "." LABEL ":65535", "http://" LABEL "." LABEL "." LABEL "." LABEL ":65535",
	LABEL "." LABEL "." LABEL "." LABEL ":65535"},
};

static void
test_good(void)
{
	for (size_t i = 0; i < LENGTH(good); i++)
	{
		DynEndpoint endpoint;
		DynEndpoint again;
		const char *why = NULL;

		memset(&endpoint, 'x', sizeof(endpoint));
		if (!ok(dyn_endpoint_parse(good[i].url, &endpoint, &why), "good: %s", good[i].url))
			continue;
		is_string(endpoint.url, good[i].normal, "its normal form");
		is_string(endpoint.host_header, good[i].host_header, "its Host header");
		is_int(endpoint.tls, strncmp(good[i].normal, "https", 5) == 0, "its TLS");
		ok(dyn_endpoint_parse(endpoint.url, &again, &why) && strcmp(again.url, endpoint.url) == 0,
		   "the normal form stays as it is");
	}
}

static const char *const bad[] = {
	"", " ", "localhost", "localhost:8000", "//localhost", "example.com", "http", "http:", "http:/", "http:/localhost",
	"ftp://localhost", "file:///etc/passwd", "unix:///tmp/socket", "httpx://localhost", " http://localhost",
	"http//localhost", "https:localhost",
	/* no host */
	"http://", "http:///", "https://", "http://:8000", "http://?", "http://[]", "http://[]:8000",
	/* ports */
	"http://localhost:", "http://localhost:/", "http://localhost:0", "http://localhost:65536", "http://localhost:99999",
	"http://localhost:100000", "http://localhost:18446744073709551617", "http://localhost:abc", "http://localhost:80a",
	"http://localhost:-1", "http://localhost:+80", "http://localhost: 80", "http://localhost:80 ",
	"http://localhost:80:80",
	/* more than a host */
	"http://user@localhost", "http://user:secret@localhost", "http://user:secret@localhost:8000", "http://:@localhost",
	"http://localhost/path", "http://localhost//", "http://localhost:8000/path", "http://localhost?x=1",
	"http://localhost/?x=1", "http://localhost#x", "http://localhost/#x", "http://localhost:8000?x",
	/* hosts */
	"http://local host", "http://localhost ", "http://localhost\t", "http://localhost\n", "http://localhost\r\nX: y",
	"http://local%68ost", "http://localhost\\x", "http://\xc3\xbc.example", "http://example.com,example.org",
	"http://{region}", "http://::1", "http://::1:8000", "http://[::1", "http://::1]", "http://[::1]8000",
	"http://[::1]x",
	"http://[::g]", "http://[localhost]", "http://[::1]@x", "http://[[::1]]", "http://*.example.com",
	"http://a;b", "http://a'b",
	/* 256 characters */
	"https://" LABEL "." LABEL "." LABEL "." LABEL "a",
};

static void
test_bad(void)
{
	for (size_t i = 0; i < LENGTH(bad); i++)
	{
		DynEndpoint endpoint;
		const char *why = NULL;

		ok(!dyn_endpoint_parse(bad[i], &endpoint, &why), "bad: %.*s", (int) strcspn(bad[i], "\r\n"), bad[i]);
		ok(why != NULL && why[0] != '\0' && strstr(why, "secret") == NULL, "with a reason");
	}
}

static const struct
{
	const char *host;
	bool		loopback;
}			hosts[] = {
	{"localhost", true},
	{"LOCALHOST", true},
	{"127.0.0.1", true},
	{"127.0.0.2", true},
	{"127.1.2.3", true},
	{"127.255.255.255", true},
	{"[::1]", true},
	{"localhost.evil.com", false},
	{"evil-localhost", false},
	{"localhost-evil.com", false},
	{"localhos", false},
	{"127.0.0.1.evil.com", false},
	{"127.evil.com", false},
	{"127.0.0.1-evil.com", false},
	{"127.-1.0.1", false},
	{"127.0.0.256", false},
	{"127.0.0.1.2", false},
	{"1127.0.0.1", false},
	{"128.0.0.1", false},
	{"12.7.0.1", false},
	{"0.0.0.0", false},
	{"10.0.0.1", false},
	{"169.254.169.254", false},
	{"[::2]", false},
	{"[::]", false},
	{"example.com", false},
};

static void
test_loopback(void)
{
	for (size_t i = 0; i < LENGTH(hosts); i++)
	{
		char		url[64];
		DynEndpoint endpoint = {0};
		const char *why;

		/* what is no host at all is no loopback either */
		snprintf(url, sizeof(url), "http://%s:8000", hosts[i].host);
		dyn_endpoint_parse(url, &endpoint, &why);
		is_int(endpoint.loopback, hosts[i].loopback, "%s: loopback or not", hosts[i].host);
	}
}

/*
 * Is the case one of what servers can say?  Ours have no accounts, and take
 * nothing from the environment.
 */
static bool
concerns_servers(json_object *golden)
{
	return golden_text(golden, "region") && !golden_get(golden, "env") && !golden_get(golden, "account_id") &&
		!golden_get(golden, "account_id_endpoint_mode");
}

static bool
golden_flag(json_object *golden, const char *name)
{
	return json_object_get_boolean(golden_get(golden, name));
}

static void
check_golden(json_object *golden)
{
	const char *name = golden_text(golden, "name");
	const char *region = golden_text(golden, "region");
	DynService	service = strcmp(golden_text(golden, "service"), "sts") == 0 ? DYN_SERVICE_STS : DYN_SERVICE_DYNAMODB;
	DynEndpoint endpoint;

	if (!ok(dyn_endpoint_of_region(service, region, golden_flag(golden, "use_fips_endpoint"),
								   golden_flag(golden, "use_dualstack_endpoint"), &endpoint), "golden: %s", name))
		return;
	is_string(endpoint.url, golden_text(golden, "expect.url"), "its URL");
	is_string(dyn_signing_region(region), golden_text(golden, "expect.signing_region"), "its region");
}

/* Botocore's answers. */
static void
test_golden(void)
{
	json_object *data = golden_json("aws_credentials.json");
	int			n = 0;

	for (size_t i = 0; i < golden_count(data, "endpoints"); i++)
	{
		json_object *golden = golden_at(data, "endpoints", i);

		/* a URL that is given comes first: in option.c, which has a test in SQL */
		if (!concerns_servers(golden) || golden_get(golden, "endpoint_url"))
			continue;
		check_golden(golden);
		n++;
	}
	is_int(n, GOLDEN_CASES, "golden cases");
	json_object_put(data);
}

static void
test_sts_of_local(void)
{
	DynEndpoint endpoint;

	ok(dyn_endpoint_of_region(DYN_SERVICE_STS, "local", false, false, &endpoint), "STS in region \"local\"");
	is_string(endpoint.url, "https://sts.local.amazonaws.com", "is not DynamoDB Local");
	ok(dyn_endpoint_of_region(DYN_SERVICE_DYNAMODB, "local", true, true, &endpoint), "DynamoDB in \"local\"");
	is_string(endpoint.url, "http://localhost:8000", "has one endpoint");
	ok(endpoint.loopback && !endpoint.tls, "on this machine");
}

static bool
of_region(const char *region, DynEndpoint *endpoint)
{
	return dyn_endpoint_of_region(DYN_SERVICE_DYNAMODB, region, false, false, endpoint);
}

static void
test_regions(void)
{
	/* as botocore 1.43 has them: those besides the golden ones */
	static const struct
	{
		const char *region;
		const char *host;
	}			regions[] = {
		{"us-west-2", "dynamodb.us-west-2.amazonaws.com"},
		{"ap-southeast-2", "dynamodb.ap-southeast-2.amazonaws.com"},
		{"mx-central-1", "dynamodb.mx-central-1.amazonaws.com"},
		{"cn-northwest-1", "dynamodb.cn-northwest-1.amazonaws.com.cn"},
		{"us-isof-south-1", "dynamodb.us-isof-south-1.csp.hci.ic.gov"},
		{"eu-isoe-west-1", "dynamodb.eu-isoe-west-1.cloud.adc-e.uk"},
		{"us-isofar-1", "dynamodb.us-isofar-1.amazonaws.com"},
		{"eu-south-1", "dynamodb.eu-south-1.amazonaws.com"},
	};

	for (size_t i = 0; i < LENGTH(regions); i++)
	{
		DynEndpoint endpoint;
		char		url[256];

		ok(dyn_region_valid(regions[i].region), "%s is a region's name", regions[i].region);
		if (!ok(of_region(regions[i].region, &endpoint), "%s has an endpoint", regions[i].region))
			continue;
		snprintf(url, sizeof(url), "https://%s", regions[i].host);
		is_string(endpoint.url, url, "its URL");
		is_string(endpoint.host_header, regions[i].host, "its Host header");
		ok(endpoint.tls && !endpoint.loopback, "by TLS, elsewhere");
	}
}

static void
test_region_names(void)
{
	static const char *const good_names[] = {"a", "local", "us-west-2", "abcdefghijklmnopqrstuvwxyz012345"};
	static const char *const bad_names[] = {
		"", " ", "1us", "-us", "US-WEST-2", "Us-west-2", "us_west_2", "us.west", "us west", " us-west-2", "us-west-2 ",
		"us-west-2\n", "us-west-2/", "us-west-2.evil.com", "us-west-2.evil.com/", "us-west-2@evil.com", "us-west-2:80",
		"us-west-2#", "us-west-2?", "\xc3\xbcs-west-2", "{region}", "abcdefghijklmnopqrstuvwxyz0123456",
	};
	DynEndpoint endpoint;

	for (size_t i = 0; i < LENGTH(good_names); i++)
		ok(dyn_region_valid(good_names[i]) && of_region(good_names[i], &endpoint),
		   "region %s", good_names[i]);
	for (size_t i = 0; i < LENGTH(bad_names); i++)
		ok(!dyn_region_valid(bad_names[i]) && !of_region(bad_names[i], &endpoint), "no region: %.*s",
		   (int) strcspn(bad_names[i], "\n#"), bad_names[i]);
}

int
main(void)
{
	test_good();
	test_bad();
	test_loopback();
	test_golden();
	test_sts_of_local();
	test_regions();
	test_region_names();
	return done_testing();
}
