/*
 * partition.c
 *	  AWS's partitions, as botocore's rule sets have them.
 */
#include "core/partition.h"

#include <string.h>

/* The first whose prefix fits counts. */
static const DynPartition partitions[] = {
	{"us-gov-", "amazonaws.com", "api.aws", true},
	{"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", false},
	{"eusc-", "amazonaws.eu", "api.amazonwebservices.eu", false},
	{"us-iso-", "c2s.ic.gov", "api.aws.ic.gov", false},
	{"us-isob-", "sc2s.sgov.gov", "api.aws.scloud", false},
	{"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", false},
	{"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", false},
	{"", "amazonaws.com", "api.aws", false},
};

const DynPartition *
dyn_partition_of(const char *region)
{
	const DynPartition *partition = partitions;

	while (strncmp(region, partition->prefix, strlen(partition->prefix)) != 0)
		partition++;
	return partition;
}
