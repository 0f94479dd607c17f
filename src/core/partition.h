/*
 * partition.h
 *	  AWS's partitions: which DNS names the endpoints of a region have.
 */
#ifndef DYN_PARTITION_H
#define DYN_PARTITION_H

#include <stdbool.h>

typedef struct DynPartition
{
	const char *prefix;			/* of its regions' names */
	const char *suffix;			/* of its endpoints' names */
	const char *dualstack_suffix;	/* of those that have IPv6 addresses, too */
	bool		fips_is_plain;	/* endpoints of DynamoDB and STS that conform to FIPS are the plain ones, but for
								 * dual-stack */
} DynPartition;

/* Never NULL: regions of no other one are those of `aws`. */
extern const DynPartition *dyn_partition_of(const char *region);

#endif							/* DYN_PARTITION_H */
