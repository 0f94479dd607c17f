/*
 * endpoint.c
 *	  Where a server's requests go, in one normal form.
 */
#include "core/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ascii.h"
#include "core/partition.h"

/* What AWS's SDKs call DynamoDB Local, at the port where it listens by default. */
#define LOCAL_REGION "local"

/* Length of the host at the start of `s`, 0: none that is valid. */
static size_t
host_length(const char *s)
{
	size_t		n = 0;

	if (s[0] == '[')			/* IPv6 */
	{
		n = 1 + strspn(s + 1, "0123456789abcdefABCDEF:.");
		return s[n] == ']' && n > 2 ? n + 1 : 0;
	}
	while (dyn_is_alnum_or(s[n], ".-_"))
		n++;
	return n;
}

/* By its text, in lower case: a name that only resolves to a loopback address is none. */
static bool
host_is_loopback(const char *host)
{
	int			n = 0;
	int			a,
				b,
				c;

	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return strspn(host, "0123456789.") == strlen(host) &&
		sscanf(host, "127.%3d.%3d.%3d%n", &a, &b, &c, &n) == 3 && host[n] == '\0' &&
		a < 256 && b < 256 && c < 256;
}

/* The port in `[:port][/]`, 0 where there is none, -1 where that is not all. */
static int
parse_port(const char *s)
{
	long		port = 0;

	if (*s == ':')
	{
		size_t		digits = strspn(++s, "0123456789");

		if (digits < 1 || digits > 5)
			return -1;
		port = strtol(s, NULL, 10);
		if (port < 1 || port > 65535)
			return -1;
		s += digits;
	}
	if (*s == '/')
		s++;
	return *s == '\0' ? (int) port : -1;
}

bool
dyn_endpoint_parse(const char *url, DynEndpoint *endpoint, const char **why)
{
	const char *host;
	size_t		host_len;
	int			port;
	int			default_port;
	char		name[DYN_HOST_MAX + 1];

	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->tls = dyn_ascii_begins(url, "https://");
	if (!endpoint->tls && !dyn_ascii_begins(url, "http://"))
	{
		*why = "must start with http:// or https://";
		return false;
	}
	host = url + (endpoint->tls ? 8 : 7);
	host_len = host_length(host);
	if (host_len == 0 || host_len > DYN_HOST_MAX)
	{
		*why = "must name a host";
		return false;
	}
	port = parse_port(host + host_len);
	if (port < 0)
	{
		*why = "must be a host and optionally a port: no user, path or query";
		return false;
	}
	for (size_t i = 0; i < host_len; i++)
		name[i] = dyn_ascii_lower(host[i]);
	name[host_len] = '\0';

	endpoint->loopback = host_is_loopback(name);
	default_port = endpoint->tls ? 443 : 80;
	if (port == 0 || port == default_port)
		snprintf(endpoint->host_header, sizeof(endpoint->host_header), "%s", name);
	else
		snprintf(endpoint->host_header, sizeof(endpoint->host_header), "%s:%d", name, port);
	snprintf(endpoint->url, sizeof(endpoint->url), "%s://%s", endpoint->tls ? "https" : "http",
			 endpoint->host_header);
	return true;
}

bool
dyn_region_valid(const char *region)
{
	size_t		len = strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len >= 1 && len <= DYN_REGION_MAX && region[len] == '\0' && region[0] >= 'a' && region[0] <= 'z' &&
		region[len - 1] != '-';
}

bool
dyn_endpoint_of_region(DynService service, const char *region, bool fips, bool dualstack, DynEndpoint *endpoint)
{
	static const char *const names[] = {"dynamodb", "sts", "s3"};
	const DynPartition *partition;
	bool		s3 = service == DYN_SERVICE_S3;
	char		url[128];
	const char *why;

	if (!dyn_region_valid(region))
		return false;
	if (service == DYN_SERVICE_DYNAMODB && strcmp(region, LOCAL_REGION) == 0)
		return dyn_endpoint_parse("http://localhost:8000", endpoint, &why);
	partition = dyn_partition_of(region);
	if (partition->fips_is_plain && !dualstack && !s3)
		fips = false;
	/* S3's names have no suffix of their own for both kinds of addresses, but a label */
	snprintf(url, sizeof(url), "https://%s%s%s.%s.%s", names[service], fips ? "-fips" : "",
			 s3 && dualstack ? ".dualstack" : "", region,
			 dualstack && !s3 ? partition->dualstack_suffix : partition->suffix);
	return dyn_endpoint_parse(url, endpoint, &why);
}

const char *
dyn_signing_region(const char *region)
{
	return strcmp(region, LOCAL_REGION) == 0 ? "us-east-1" : region;
}
