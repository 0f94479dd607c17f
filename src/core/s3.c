/*
 * s3.c
 *	  Objects of Amazon S3: where they are, how they are asked for, and what S3
 *	  says where it gives none.
 */
#include "core/s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ascii.h"
#include "core/endpoint_rule.h"
#include "core/partition.h"
#include "core/xml_scan.h"

#define SCHEME "s3://"

/* ---- URIs ---- */

bool
dyn_s3_is_uri(const char *text)
{
	return dyn_ascii_begins(text, SCHEME);
}

/* Copies a bucket's name in lower case; false: it is none, and *why says why. */
static bool
take_bucket(const char *name, size_t len, char *bucket, const char **why)
{
	*why = "must name a bucket of 3 to 63 letters, digits, '-' and '.': s3://bucket/key";
	if (len < DYN_BUCKET_MIN || len > DYN_BUCKET_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (!dyn_is_alnum_or(name[i], "-."))
			return false;
		bucket[i] = dyn_ascii_lower(name[i]);
	}
	bucket[len] = '\0';
	*why = "must name a bucket that begins and ends with a letter or digit, and has no two dots in a row";
	return dyn_is_alnum_or(bucket[0], "") && dyn_is_alnum_or(bucket[len - 1], "") && strstr(bucket, "..") == NULL;
}

/* A control character can be part of no key that Feast writes: Python leaves line breaks out. */
static bool
has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char) text[i] < ' ' || text[i] == 0x7f)
			return true;
	return false;
}

bool
dyn_s3_parse(const char *uri, DynS3Object *object, const char **why)
{
	const char *name = uri + strlen(SCHEME);
	const char *key;
	size_t		len;

	memset(object, 0, sizeof(*object));
	*why = "must start with s3://";
	if (!dyn_s3_is_uri(uri))
		return false;
	len = strcspn(name, "/?#");
	if (!take_bucket(name, len, object->bucket, why))
		return false;
	key = name + len + strspn(name + len, "/");
	len = strcspn(key, "?#");
	*why = "must name a key: s3://bucket/key";
	if (len == 0)
		return false;
	*why = "must name a key of at most 1024 bytes, without control characters";
	if (len > DYN_OBJECT_KEY_MAX || has_control(key, len))
		return false;
	memcpy(object->key, key, len);
	return true;
}

/* ---- requests ---- */

static bool
is_in_path(const DynS3Service *service, const DynS3Object *object)
{
	return service->own || strchr(object->bucket, '.') != NULL;
}

bool
dyn_s3_endpoint(const DynS3Service *service, const DynS3Object *object, const char *region, DynEndpoint *endpoint)
{
	DynEndpoint of_region;
	char		url[DYN_BUCKET_MAX + sizeof(of_region.host_header) + 10];
	const char *why;

	if (service->own)
	{
		*endpoint = *service->own;
		return true;
	}
	if (!dyn_endpoint_of_region(DYN_SERVICE_S3, region, service->fips, service->dualstack, &of_region))
		return false;
	if (is_in_path(service, object))
	{
		*endpoint = of_region;
		return true;
	}
	snprintf(url, sizeof(url), "https://%s.%s", object->bucket, of_region.host_header);
	return dyn_endpoint_parse(url, endpoint, &why);
}

void
dyn_s3_path(const DynS3Service *service, const DynS3Object *object, DynBuf *path)
{
	dyn_buf_byte(path, '/');
	if (is_in_path(service, object))
	{
		dyn_buf_str(path, object->bucket);
		dyn_buf_byte(path, '/');
	}
	dyn_buf_percent(path, object->key, "-._~/");
}

bool
dyn_s3_may_move(const DynS3Service *service, const char *from, const char *to)
{
	if (!dyn_region_valid(to) || strcmp(from, to) == 0)
		return false;
	return service->own || (dyn_region_is_aws(to) && dyn_partition_of(from) == dyn_partition_of(to));
}

/* ---- errors ---- */

/* Codes that say more than their HTTP status does. */
static const struct
{
	const char *code;
	DynClass	cls;
}			codes[] = {
	{"NoSuchBucket", DYN_OBJECT_MISSING},
	{"NoSuchKey", DYN_OBJECT_MISSING},
	{"AuthorizationHeaderMalformed", DYN_CREDENTIALS},
	{"ExpiredToken", DYN_CREDENTIALS},
	{"InvalidAccessKeyId", DYN_CREDENTIALS},
	{"InvalidToken", DYN_CREDENTIALS},
	{"RequestExpired", DYN_CREDENTIALS},
	{"RequestTimeTooSkewed", DYN_CREDENTIALS},
	{"SignatureDoesNotMatch", DYN_CREDENTIALS},
	{"TokenRefreshRequired", DYN_CREDENTIALS},
	{"InvalidObjectState", DYN_REJECTED},
	{"BandwidthLimitExceeded", DYN_THROTTLED},
	{"RequestLimitExceeded", DYN_THROTTLED},
	{"SlowDown", DYN_THROTTLED},
	{"Throttling", DYN_THROTTLED},
	{"ThrottlingException", DYN_THROTTLED},
	{"RequestTimeout", DYN_SERVER_FAULT},
};

/* `code` "": the answer has none. */
static DynClass
classify_s3(int http_status, const char *code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(code, codes[i].code) == 0)
			return codes[i].cls;
	if (http_status == 404)
		return DYN_OBJECT_MISSING;
	if (http_status == 401 || http_status == 403)
		return DYN_ACCESS_DENIED;
	if (http_status == 429)
		return DYN_THROTTLED;
	if (http_status >= 500)
		return DYN_SERVER_FAULT;
	return code[0] || (http_status >= 300 && http_status < 400) ? DYN_REJECTED : DYN_PROTOCOL;
}

void
dyn_s3_error(int http_status, const char *body, size_t len, char region[DYN_REGION_MAX + 1], DynStatus *status)
{
	DynXmlField fields[] = {{.name = "Code"}, {.name = "Message"}, {.name = "Region"}};
	char	   *copy = dyn_copy_bytes(body, len);
	bool		read = copy && dyn_xml_read(copy, len, "Error", fields, 3);

	if (region)
		region[0] = '\0';
	if (copy == NULL)
	{
		dyn_status_no_memory(status);
		return;
	}
	if (read && fields[2].text && fields[2].len <= DYN_REGION_MAX && region)
		strcpy(region, fields[2].text);
	if (read && fields[0].text)
		dyn_status_words(status, fields[0].text, fields[0].len, fields[1].text, fields[1].text ? fields[1].len : 0);
	status->cls = classify_s3(http_status, status->aws_code);
	if (status->aws_code[0] == '\0')
		dyn_status_set(status, status->cls, "the service answered with %s%d",
					   http_status >= 300 && http_status < 400 ? "a redirect, which is not followed, HTTP " : "HTTP ",
					   http_status);
	free(copy);
}

/* ---- what to do ---- */

/* What to do about a failure of that class; NULL: nothing that its message does not say. */
static const char *
advice_for(DynClass cls)
{
	switch (cls)
	{
		case DYN_CONNECT:
			return "Check the server's options \"registry_region\" and \"registry_endpoint_url\", the network, and \"connect_timeout\".";
		case DYN_UNTRUSTED:
			return "Check the server's options \"registry_endpoint_url\" and \"ca_bundle\", a file that the server process must be able to read.";
		case DYN_THROTTLED:
			return "Try again in a moment, or raise the server's option \"total_max_retry_attempts\".";
		case DYN_PROTOCOL:
			return "Check that \"registry_endpoint_url\" is that of S3 and that no proxy changes its answers.";
		case DYN_OBJECT_MISSING:
			return "Check bucket and key, and \"registry_endpoint_url\"; feast apply writes the registry.";
		case DYN_ACCESS_DENIED:
			return "The IAM policy must allow s3:GetObject on the object, and kms:Decrypt on its key if it is encrypted with one of KMS. For an object that is not there S3 says the same, unless s3:ListBucket is allowed.";
		case DYN_CREDENTIALS:
			return "Check \"access_key_id\", \"secret_access_key\" and \"session_token\" of the user mapping, the server's \"registry_region\", and this machine's clock.";
		default:
			return NULL;
	}
}

void
dyn_s3_advise(DynStatus *status)
{
	const char *advice = advice_for(status->cls);

	if (advice && status->hint[0] == '\0')
		dyn_status_hint(status, "%s", advice);
}
