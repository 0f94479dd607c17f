/*
 * test_s3.c
 *	  URIs of objects of S3, the hosts and paths that they lead to, and S3's
 *	  errors.
 */
#include "core/s3.h"

#include <stdlib.h>

#include "fail_alloc.h"
#include "golden.h"
#include "tap.h"

#define B63 "a23456789012345678901234567890123456789012345678901234567890123"

/* ---- URIs ---- */

/* The bucket and key of Feast: urlparse(uri).hostname and .path.lstrip("/"). */
static const char *const good_uris[][3] = {
	{"s3://feast/registry.db", "feast", "registry.db"},
	{"S3://FeAsT/Registry.DB", "feast", "Registry.DB"},
	{"s3://feast/a/b/../c//d", "feast", "a/b/../c//d"},
	{"s3://feast//a", "feast", "a"},
	{"s3://feast/a/", "feast", "a/"},
	{"s3://feast/a?versionId=1", "feast", "a"},
	{"s3://feast/a#b", "feast", "a"},
	{"s3://feast/a#b?c", "feast", "a"},
	{"s3://feast/a;b", "feast", "a;b"},
	{"s3://feast/a b+c%41&d=\xc3\xa4", "feast", "a b+c%41&d=\xc3\xa4"},
	{"s3://feast/a@b:c", "feast", "a@b:c"},
	{"s3://my.feast.bucket/a", "my.feast.bucket", "a"},
	{"s3://1-2/a", "1-2", "a"},
	{"s3://" B63 "/a", B63, "a"},
};

static const char *const bad_uris[][2] = {
	{"", "must start with s3://"},
	{"s3:/feast/a", "must start with s3://"},
	{" s3://feast/a", "must start with s3://"},
	{"s3a://feast/a", "must start with s3://"},
	{"https://feast.s3.us-west-2.amazonaws.com/a", "must start with s3://"},
	{"s3://", "must name a bucket of 3 to 63"},
	{"s3:///a", "must name a bucket of 3 to 63"},
	{"s3://ab/a", "must name a bucket of 3 to 63"},
	{"s3://" B63 "x/a", "must name a bucket of 3 to 63"},
	{"s3://fea_st/a", "must name a bucket of 3 to 63"},
	{"s3://fea st/a", "must name a bucket of 3 to 63"},
	{"s3://us:pw@feast/a", "must name a bucket of 3 to 63"},
	{"s3://feast:443/a", "must name a bucket of 3 to 63"},
	{"s3://f\xc3\xa4st/a", "must name a bucket of 3 to 63"},
	{"s3://feast\n/a", "must name a bucket of 3 to 63"},
	{"s3://.feast/a", "begins and ends"},
	{"s3://feast./a", "begins and ends"},
	{"s3://-feast/a", "begins and ends"},
	{"s3://fe..ast/a", "no two dots"},
	{"s3://169.254..169.254/a", "no two dots"},
	{"s3://feast", "must name a key"},
	{"s3://feast/", "must name a key"},
	{"s3://feast///", "must name a key"},
	{"s3://feast/?a", "must name a key"},
	{"s3://feast?a/b", "must name a key"},
	{"s3://feast#a/b", "must name a key"},
	{"s3://feast/a\r\nX-Evil: 1", "control"},
	{"s3://feast/a\x7f", "control"},
};

static void
test_uris(void)
{
	char		uri[DYN_OBJECT_KEY_MAX + 20];
	DynS3Object object;
	const char *why;

	for (size_t i = 0; i < LENGTH(good_uris); i++)
	{
		why = "";
		ok(dyn_s3_parse(good_uris[i][0], &object, &why), "%s %s", good_uris[i][0], why);
		is_string(object.bucket, good_uris[i][1], "bucket");
		is_string(object.key, good_uris[i][2], "key");
	}
	for (size_t i = 0; i < LENGTH(bad_uris); i++)
	{
		ok(!dyn_s3_parse(bad_uris[i][0], &object, &why), "refused: %zu", i);
		if (!ok(strstr(why, bad_uris[i][1]) != NULL, "it says: %s", bad_uris[i][1]))
			diag("%s", why);
	}
	snprintf(uri, sizeof(uri), "s3://feast/%0*d", DYN_OBJECT_KEY_MAX, 0);
	ok(dyn_s3_parse(uri, &object, &why) && strlen(object.key) == DYN_OBJECT_KEY_MAX, "the longest key");
	strcat(uri, "x");
	ok(!dyn_s3_parse(uri, &object, &why), "a longer one");
}

/* ---- hosts and paths ---- */

static void
check_place(const DynS3Service *service, const char *uri, const char *region, const char *url)
{
	DynBuf		got = {0};
	DynEndpoint endpoint;
	DynS3Object object;
	const char *why;

	ok(dyn_s3_parse(uri, &object, &why) && dyn_s3_endpoint(service, &object, region, &endpoint), "%s in %s", uri, region);
	dyn_buf_str(&got, endpoint.url);
	dyn_s3_path(service, &object, &got);
	is_text(got.data, got.len, url, "its URL");
	dyn_buf_free(&got);
}

static void
test_places(void)
{
	DynEndpoint own;
	DynS3Service aws = {0};
	DynS3Service fips = {.fips = true};
	DynS3Service dualstack = {.dualstack = true};
	DynS3Service minio = {.own = &own, .fips = true, .dualstack = true};
	DynS3Object object;
	const char *why;

	check_place(&aws, "s3://feast/a b", "us-east-1", "https://feast.s3.us-east-1.amazonaws.com/a%20b");
	check_place(&aws, "s3://my.feast/a", "us-west-2", "https://s3.us-west-2.amazonaws.com/my.feast/a");
	check_place(&fips, "s3://feast/a", "us-gov-west-1", "https://feast.s3-fips.us-gov-west-1.amazonaws.com/a");
	check_place(&dualstack, "s3://feast/a", "cn-north-1", "https://feast.s3.dualstack.cn-north-1.amazonaws.com.cn/a");
	check_place(&dualstack, "s3://my.feast/a", "us-west-2", "https://s3.dualstack.us-west-2.amazonaws.com/my.feast/a");
	check_place(&aws, "s3://dynamodb/a", "us-west-2", "https://dynamodb.s3.us-west-2.amazonaws.com/a");
	check_place(&aws, "s3://" B63 "/a", "us-isob-east-1", "https://" B63 ".s3.us-isob-east-1.sc2s.sgov.gov/a");
	dyn_endpoint_parse("http://127.0.0.1:9000", &own, &why);
	check_place(&minio, "s3://feast/a/../b", "us-west-2", "http://127.0.0.1:9000/feast/a/../b");
	dyn_s3_parse("s3://feast/a", &object, &why);
	ok(!dyn_s3_endpoint(&aws, &object, "evil.com/", &own), "no region");
}

static void
test_moves(void)
{
	DynEndpoint own = {0};
	DynS3Service aws = {0};
	DynS3Service minio = {.own = &own};

	ok(dyn_s3_may_move(&aws, "us-west-2", "eu-west-1"), "to another region");
	ok(!dyn_s3_may_move(&aws, "us-west-2", "us-west-2"), "not to the same");
	ok(!dyn_s3_may_move(&aws, "us-west-2", "cn-north-1"), "not to another partition");
	ok(!dyn_s3_may_move(&aws, "cn-north-1", "us-west-2"), "nor out of it");
	ok(!dyn_s3_may_move(&aws, "us-west-2", "evil"), "not to what is none");
	ok(!dyn_s3_may_move(&aws, "us-west-2", "eu-west-1.evil.com"), "nor to a host");
	ok(!dyn_s3_may_move(&aws, "us-west-2", "EU-west-1"), "nor in capitals");
	ok(!dyn_s3_may_move(&aws, "us-west-2", "s3-website-1 x"), "nor with a blank");
	ok(dyn_s3_may_move(&minio, "us-west-2", "somewhere"), "another service has regions of its own");
	ok(!dyn_s3_may_move(&minio, "us-west-2", "x/../y"), "which have names, too");
}

/* ---- errors ---- */

#define ERROR_OF(code, more) "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" code "</Code><Message>words</Message>" more "</Error>"

static const struct
{
	int			http;
	const char *body;
	DynClass	cls;
	const char *code;
	const char *message;
	const char *region;
}			errors[] = {
	{404, ERROR_OF("NoSuchKey", "<Key>a</Key>"), DYN_OBJECT_MISSING, "NoSuchKey", "words", ""},
	{404, ERROR_OF("NoSuchBucket", ""), DYN_OBJECT_MISSING, "NoSuchBucket", "words", ""},
	{404, "", DYN_OBJECT_MISSING, "", "the service answered with HTTP 404", ""},
	{404, "<html>", DYN_OBJECT_MISSING, "", "the service answered with HTTP 404", ""},
	{403, ERROR_OF("AccessDenied", ""), DYN_ACCESS_DENIED, "AccessDenied", "words", ""},
	{403, "", DYN_ACCESS_DENIED, "", "the service answered with HTTP 403", ""},
	{403, ERROR_OF("AllAccessDisabled", ""), DYN_ACCESS_DENIED, "AllAccessDisabled", "words", ""},
	{403, ERROR_OF("InvalidObjectState", ""), DYN_REJECTED, "InvalidObjectState", "words", ""},
	{403, ERROR_OF("InvalidAccessKeyId", ""), DYN_CREDENTIALS, "InvalidAccessKeyId", "words", ""},
	{403, ERROR_OF("SignatureDoesNotMatch", "<StringToSign>AWS4-HMAC-SHA256</StringToSign>"), DYN_CREDENTIALS, "SignatureDoesNotMatch", "words", ""},
	{403, ERROR_OF("RequestTimeTooSkewed", ""), DYN_CREDENTIALS, "RequestTimeTooSkewed", "words", ""},
	{400, ERROR_OF("ExpiredToken", "<Token-0>tOkEn</Token-0>"), DYN_CREDENTIALS, "ExpiredToken", "words", ""},
	{400, ERROR_OF("InvalidToken", ""), DYN_CREDENTIALS, "InvalidToken", "words", ""},
	{400, ERROR_OF("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"), DYN_CREDENTIALS, "AuthorizationHeaderMalformed", "words", "eu-west-1"},
	{400, ERROR_OF("AuthorizationHeaderMalformed", "<Region>a-region-name-that-is-longer-than-any</Region>"), DYN_CREDENTIALS, "AuthorizationHeaderMalformed", "words", ""},
	{400, ERROR_OF("RequestTimeout", ""), DYN_SERVER_FAULT, "RequestTimeout", "words", ""},
	{400, ERROR_OF("InvalidRequest", ""), DYN_REJECTED, "InvalidRequest", "words", ""},
	{400, "", DYN_PROTOCOL, "", "the service answered with HTTP 400", ""},
	{400, "<Error><Code>Twice</Code><Code>Twice</Code></Error>", DYN_PROTOCOL, "", "the service answered with HTTP 400", ""},
	{400, "<!DOCTYPE x [<!ENTITY e \"x\">]><Error><Code>&e;</Code></Error>", DYN_PROTOCOL, "", "the service answered with HTTP 400", ""},
	{301, ERROR_OF("PermanentRedirect", "<Endpoint>evil.com</Endpoint>"), DYN_REJECTED, "PermanentRedirect", "words", ""},
	{302, "", DYN_REJECTED, "", "the service answered with a redirect, which is not followed, HTTP 302", ""},
	{304, "", DYN_REJECTED, "", "the service answered with a redirect, which is not followed, HTTP 304", ""},
	{206, "part", DYN_PROTOCOL, "", "the service answered with HTTP 206", ""},
	{503, ERROR_OF("SlowDown", ""), DYN_THROTTLED, "SlowDown", "words", ""},
	{429, "", DYN_THROTTLED, "", "the service answered with HTTP 429", ""},
	{503, ERROR_OF("ServiceUnavailable", ""), DYN_SERVER_FAULT, "ServiceUnavailable", "words", ""},
	{500, ERROR_OF("InternalError", ""), DYN_SERVER_FAULT, "InternalError", "words", ""},
	{502, "<html>", DYN_SERVER_FAULT, "", "the service answered with HTTP 502", ""},
};

static void
test_errors(void)
{
	for (size_t i = 0; i < LENGTH(errors); i++)
	{
		char		region[DYN_REGION_MAX + 1];
		size_t		len = strlen(errors[i].body);
		char	   *body = golden_copy(errors[i].body, len);
		DynStatus	status = {0};

		dyn_s3_error(errors[i].http, body, len, region, &status);
		is_int(status.cls, errors[i].cls, "HTTP %d %s", errors[i].http, errors[i].code);
		is_string(status.aws_code, errors[i].code, "its code");
		is_string(status.message, errors[i].message, "its words");
		is_string(region, errors[i].region, "region");
		ok(!strchr(status.message, '<') && !strstr(status.message, "tOkEn"), "nothing else is quoted");
		free(body);
	}
}

static void
test_no_memory(void)
{
	DynStatus	status = {0};

	fail_alloc_after = 0;
	dyn_s3_error(404, "x", 1, NULL, &status);
	fail_alloc_after = -1;
	is_int(status.cls, DYN_NO_MEMORY, "no memory for an answer");
}

static void
test_advice(void)
{
	DynStatus	status = {.cls = DYN_ACCESS_DENIED};

	dyn_s3_advise(&status);
	ok(strstr(status.hint, "s3:GetObject") && strstr(status.hint, "s3:ListBucket") && strstr(status.hint, "kms:Decrypt"),
	   "what IAM must allow");
	status.cls = DYN_OBJECT_MISSING;
	dyn_s3_advise(&status);
	ok(strstr(status.hint, "s3:GetObject") != NULL, "a hint that is there stays");
	for (int cls = DYN_OK; cls <= DYN_REJECTED; cls++)
	{
		memset(&status, 0, sizeof(status));
		status.cls = cls;
		dyn_s3_advise(&status);
		ok(!strstr(status.hint, "\"region\"") && !strstr(status.hint, "DynamoDB"), "class %d: nothing of DynamoDB", cls);
	}
}

int
main(void)
{
	test_uris();
	test_places();
	test_moves();
	test_errors();
	test_no_memory();
	test_advice();
	return done_testing();
}
