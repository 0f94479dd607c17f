/*
 * endpoint_rule.c
 *	  Which endpoints a server may have whose owner is not trusted with any.
 */
#include "core/endpoint_rule.h"

#include <string.h>

#include "core/ascii.h"
#include "core/partition.h"

/* A label of a DNS name, and its NUL. */
#define LABEL_SIZE 64

#define ACCOUNT_DIGITS 12

#define DIGITS "0123456789"
#define BLANKS " \t\r\n\f\v"

/* ---- AWS's own ---- */

/* Takes the label at the start of *name, and its dot, off.  False: there is no dot, or no valid label before it. */
static bool
take_label(const char **name, char label[LABEL_SIZE])
{
	size_t		len = strcspn(*name, ".");

	if (len == 0 || len >= LABEL_SIZE || (*name)[len] == '\0')
		return false;
	memcpy(label, *name, len);
	label[len] = '\0';
	*name += len + 1;
	return true;
}

static bool
is_dynamodb(const char *label)
{
	return strcmp(label, "dynamodb") == 0 || strcmp(label, "dynamodb-fips") == 0;
}

static bool
is_account(const char *label)
{
	return strlen(label) == ACCOUNT_DIGITS && strspn(label, DIGITS) == ACCOUNT_DIGITS;
}

bool
dyn_region_is_aws(const char *region)
{
	size_t		letters = strspn(region, "abcdefghijklmnopqrstuvwxyz-");
	const char *number = region + letters;

	return dyn_region_valid(region) && letters > 0 && number[-1] == '-' && *number != '\0' &&
		number[strspn(number, DIGITS)] == '\0' && strchr(region, '-') != number - 1;
}

/* Is `suffix` that of the region's partition, for `vpce` that of names within a VPC? */
static bool
is_suffix_of(const char *region, const char *suffix, bool vpce)
{
	const DynPartition *partition = dyn_partition_of(region);

	if (!dyn_region_is_aws(region))
		return false;
	if (vpce)
		return strncmp(suffix, "vpce.", 5) == 0 && strcmp(suffix + 5, partition->suffix) == 0;
	return strcmp(suffix, partition->suffix) == 0 || strcmp(suffix, partition->dualstack_suffix) == 0;
}

/* Names: SERVICE.REGION.…, ACCOUNT.ddb.REGION.…, ENDPOINT.SERVICE.REGION.vpce.… */
static bool
is_name_of_dynamodb(const char *rest)
{
	char		first[LABEL_SIZE];
	char		second[LABEL_SIZE];
	char		region[LABEL_SIZE];

	if (!take_label(&rest, first) || !take_label(&rest, second))
		return false;
	if (is_dynamodb(first))
		return is_suffix_of(second, rest, false);
	if (!take_label(&rest, region))
		return false;
	if (is_dynamodb(second))
		return is_suffix_of(region, rest, true);
	return is_account(first) && strcmp(second, "ddb") == 0 && is_suffix_of(region, rest, false);
}

/* Takes S3's own label, and that of names with both kinds of addresses, off *name. */
static bool
take_s3(const char **name)
{
	static const char dualstack[] = "dualstack.";
	char		label[LABEL_SIZE];

	if (!take_label(name, label) || (strcmp(label, "s3") != 0 && strcmp(label, "s3-fips") != 0))
		return false;
	if (strncmp(*name, dualstack, strlen(dualstack)) == 0)
		*name += strlen(dualstack);
	return true;
}

/* Is it s3.REGION.…, s3.dualstack.REGION.…, and none of the other suffixes that such names have with other services? */
static bool
is_s3_of_region(const char *rest, bool vpce)
{
	char		region[LABEL_SIZE];

	return take_s3(&rest) && take_label(&rest, region) && is_suffix_of(region, rest, vpce) &&
		(vpce || strcmp(rest, dyn_partition_of(region)->suffix) == 0);
}

/* Names: S3.REGION.…, BUCKET.S3.REGION.…, bucket.ENDPOINT.s3.REGION.vpce.…  A bucket with dots is in the path. */
static bool
is_name_of_s3(const char *rest)
{
	char		first[LABEL_SIZE];

	if (is_s3_of_region(rest, false))
		return true;
	if (!take_label(&rest, first))
		return false;
	if (is_s3_of_region(rest, false))
		return true;
	return strcmp(first, "bucket") == 0 && take_label(&rest, first) && is_s3_of_region(rest, true);
}

bool
dyn_endpoint_is_aws(DynService service, const DynEndpoint *endpoint)
{
	/* a port that is not the default one is part of the name, and of no suffix */
	if (!endpoint->tls)
		return false;
	return service == DYN_SERVICE_S3 ? is_name_of_s3(endpoint->host_header) : is_name_of_dynamodb(endpoint->host_header);
}

/* ---- patterns ---- */

/* A part of a text, without a NUL. */
typedef struct Span
{
	const char *start;
	const char *end;
} Span;

/* Takes the next pattern, without blanks around it, off *list.  False: there is none left. */
static bool
take_pattern(const char **list, Span *pattern)
{
	if (*list == NULL)
		return false;
	pattern->start = *list + strspn(*list, BLANKS);
	pattern->end = pattern->start + strcspn(pattern->start, ",");
	*list = *pattern->end ? pattern->end + 1 : NULL;
	while (pattern->end > pattern->start && strchr(BLANKS, pattern->end[-1]) != NULL)
		pattern->end--;
	return true;
}

/*
 * Where the texts differ behind a star, the star takes one more character.  Only
 * the last one needs to: what stood before it has matched as early as it can,
 * and nothing is gained by matching it later.
 */
static bool
span_matches(Span pattern, Span text)
{
	const char *behind_star = NULL;
	const char *star_end = NULL;	/* of what the star takes of `text` */

	while (text.start < text.end)
	{
		if (pattern.start < pattern.end && *pattern.start == '*')
		{
			behind_star = ++pattern.start;
			star_end = text.start;
		}
		else if (pattern.start < pattern.end && dyn_ascii_lower(*pattern.start) == dyn_ascii_lower(*text.start))
		{
			pattern.start++;
			text.start++;
		}
		else if (behind_star != NULL)
		{
			pattern.start = behind_star;
			text.start = ++star_end;
		}
		else
			return false;
	}
	while (pattern.start < pattern.end && *pattern.start == '*')
		pattern.start++;
	return pattern.start == pattern.end;
}

/* The endpoint's host, without port, an IPv6 address with its brackets. */
static Span
host_of(const DynEndpoint *endpoint)
{
	Span		host;

	host.start = endpoint->host_header;
	host.end = host.start[0] == '[' ? strchr(host.start, ']') + 1 : host.start + strcspn(host.start, ":");
	return host;
}

bool
dyn_endpoint_matches(const DynEndpoint *endpoint, const char *patterns)
{
	Span		host = host_of(endpoint);
	Span		bare = host;
	Span		pattern;

	if (*host.start == '[')
	{
		bare.start++;
		bare.end--;
	}
	while (take_pattern(&patterns, &pattern))
		if (span_matches(pattern, host) || span_matches(pattern, bare))
			return true;
	return false;
}

/* Are all characters out of `valid`? */
static bool
has_only(Span text, const char *valid)
{
	while (text.start < text.end && strchr(valid, *text.start) != NULL)
		text.start++;
	return text.start == text.end;
}

static int
count_colons(Span text)
{
	int			n = 0;

	for (; text.start < text.end; text.start++)
		n += *text.start == ':';
	return n;
}

/* Could a host look like this?  An IPv6 address has two colons at least: one alone stands before a port, unless in brackets. */
static bool
may_be_host(Span pattern)
{
	bool		brackets = pattern.end - pattern.start > 2 && *pattern.start == '[' && pattern.end[-1] == ']';

	if (brackets)
	{
		pattern.start++;
		pattern.end--;
	}
	if (brackets || count_colons(pattern) > 1)
		return has_only(pattern, "abcdefABCDEF" DIGITS ":.*");
	return has_only(pattern, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "._-*");
}

const char *
dyn_endpoint_patterns_fault(const char *patterns)
{
	Span		pattern;

	if (patterns[strspn(patterns, BLANKS)] == '\0')
		return NULL;
	while (take_pattern(&patterns, &pattern))
	{
		if (pattern.start == pattern.end)
			return "a pattern must not be empty";
		if (!may_be_host(pattern))
			return "a pattern is a host without scheme, port and path, in which \"*\" stands for any characters";
	}
	return NULL;
}

bool
dyn_endpoint_reaches_same(const DynEndpoint *a, const DynEndpoint *b)
{
	return strcmp(a->url, b->url) == 0 || (dyn_endpoint_is_aws(DYN_SERVICE_DYNAMODB, a) &&
										   dyn_endpoint_is_aws(DYN_SERVICE_DYNAMODB, b));
}
