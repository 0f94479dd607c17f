/*
 * endpoint.h
 *	  Where a server's requests go, in one normal form.
 *
 * The normal form is also the endpoint's identity in the ownership table:
 * scheme and host in lower case, no default port, no trailing slash.
 */
#ifndef DYN_ENDPOINT_H
#define DYN_ENDPOINT_H

#include <stdbool.h>

#define DYN_HOST_MAX 255
#define DYN_REGION_MAX 32

typedef enum DynService
{
	DYN_SERVICE_DYNAMODB,
	DYN_SERVICE_STS,
	DYN_SERVICE_S3
} DynService;

typedef struct DynEndpoint
{
	bool		tls;
	bool		loopback;		/* localhost, 127.0.0.0/8, ::1 */
	char		host_header[DYN_HOST_MAX + 10]; /* host[:port], as signed */
	char		url[DYN_HOST_MAX + 20]; /* scheme://host[:port] */
} DynEndpoint;

/*
 * Parses `http[s]://host[:port][/]`.  On false *why is a static text that says
 * what is wrong ("must start with http:// or https://").
 */
extern bool dyn_endpoint_parse(const char *url, DynEndpoint *endpoint, const char **why);

/*
 * A service's public endpoint in a region, whether it exists or not; DynamoDB's
 * in "local" is http://localhost:8000, by any flags.  False: not a region's name.
 */
extern bool dyn_endpoint_of_region(DynService service, const char *region, bool fips, bool dualstack,
								   DynEndpoint *endpoint);

/* The region that requests to a public endpoint are signed for: that of "local" is us-east-1. */
extern const char *dyn_signing_region(const char *region);

/* 1-32 of [a-z0-9-], a letter first */
extern bool dyn_region_valid(const char *region);

#endif							/* DYN_ENDPOINT_H */
