/*
 * warmup.c
 *	  Opens connections for requests to come.
 *
 * libcurl keeps a connection only after a whole request: DynamoDB answers
 * GET / with its health, to anybody.
 */
#include "net/warmup.h"

#include <stdlib.h>

void
dyn_warmup_start(DynWarmup *warmup, DynHttp *http, int connections)
{
	DynHttpRequest request = {.method = DYN_HTTP_GET, .fresh = true};
	DynStatus	ignored;

	if (warmup->transfers != NULL || connections <= 0)
		return;
	warmup->transfers = calloc(connections, sizeof(DynTransfer *));
	if (warmup->transfers == NULL)
		return;
	while (warmup->count < connections)
	{
		DynTransfer *transfer = dyn_http_start(http, &request, &ignored);

		if (transfer == NULL)
			return;
		warmup->transfers[warmup->count++] = transfer;
	}
}

void
dyn_warmup_settle(DynWarmup *warmup, DynCounters *counters)
{
	for (int i = warmup->count - 1; i >= 0; i--)
		if (dyn_transfer_done(warmup->transfers[i]))
		{
			DYN_COUNT(counters, connections_opened, dyn_transfer_connects(warmup->transfers[i]));
			dyn_transfer_free(warmup->transfers[i]);
			warmup->transfers[i] = warmup->transfers[--warmup->count];
		}
}

void
dyn_warmup_free(DynWarmup *warmup)
{
	for (int i = 0; i < warmup->count; i++)
		dyn_transfer_free(warmup->transfers[i]);
	free(warmup->transfers);
	warmup->transfers = NULL;
	warmup->count = 0;
}
