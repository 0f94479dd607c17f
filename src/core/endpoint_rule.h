/*
 * endpoint_rule.h
 *	  Which endpoints a server may have whose owner is not trusted with any.
 */
#ifndef DYN_ENDPOINT_RULE_H
#define DYN_ENDPOINT_RULE_H

#include <stdbool.h>

#include "core/endpoint.h"

/*
 * Is the endpoint one of AWS's own for the service, DynamoDB or S3: https, the
 * default port, and the exact name of a public endpoint, an account's (of
 * DynamoDB), a bucket's (of S3), or one within a VPC, in the DNS suffix of the
 * region's partition?
 */
extern bool dyn_endpoint_is_aws(DynService service, const DynEndpoint *endpoint);

/*
 * Does it look like "us-west-2", as the names of all regions do?  What else
 * stands before the suffix is a service's, as in s3.amazonaws.com, below which
 * anybody can have a name.
 */
extern bool dyn_region_is_aws(const char *region);

/* Do requests for a region reach the same DynamoDB by both?  By all of AWS's endpoints they do. */
extern bool dyn_endpoint_reaches_same(const DynEndpoint *a, const DynEndpoint *b);

/*
 * Does the whole host match one of these patterns, which commas separate?  `*`
 * stands for any characters, or none; case and blanks around a pattern are
 * ignored.  Scheme and port don't matter, and the brackets of an IPv6 address
 * can be left out.  Hosts are compared as texts: "10.*" is 10.example.com, too.
 */
extern bool dyn_endpoint_matches(const DynEndpoint *endpoint, const char *patterns);

/*
 * NULL, or a static text that says what is wrong with the list ("a pattern
 * must not be empty").  An empty list is none, and matches nothing.
 */
extern const char *dyn_endpoint_patterns_fault(const char *patterns);

#endif							/* DYN_ENDPOINT_RULE_H */
