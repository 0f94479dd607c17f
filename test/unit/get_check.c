/*
 * get_check.c
 *	  What tests of reads by key share.
 */
#include "get_check.h"

DynClient  *client;
DynCounters counters;
DynBatchGet *get;
DynEntityId *keys;
DynStatus	status;
const DynItem *item;
char		rows[2000];

void
end_get(void)
{
	dyn_batch_get_free(get);
	dyn_client_free(client);
	free(keys);
	fake_forget();
	get = NULL;
	client = NULL;
	keys = NULL;
}

void
begin_get(const DynClientConfig *client_config, const DynBatchGetConfig *config)
{
	DynBatchGetConfig complete = *config;
	uint32_t	nkeys = 0;

	end_get();
	memset(&counters, 0, sizeof(counters));
	client = fake_client(client_config);
	fake_random = 0.5;
	for (int t = 0; t < config->ntables; t++)
	{
		keys = realloc(keys, (nkeys + config->nkeys[t] + 1) * sizeof(DynEntityId));
		for (uint32_t i = 0; i < config->nkeys[t]; i++)
			keys[nkeys++] = entity(i);
	}
	complete.keys = keys;
	complete.counters = &counters;
	get = dyn_batch_get_new(client, &complete);
	rows[0] = '\0';
}

DynStep
step(void)
{
	uint32_t	key;
	DynStep		result;

	dyn_client_drive(client);
	result = dyn_batch_get_next(get, &item, &key, &status);
	if (result == DYN_STEP_ROW)
		sprintf(rows + strlen(rows), "%s%u%s", rows[0] ? " " : "", key,
				memcmp(&item->id, &keys[key], sizeof(item->id)) == 0 ? "" : "?");
	return result;
}

DynStep
take_rows(void)
{
	DynStep		result;

	while ((result = step()) == DYN_STEP_ROW || result == DYN_STEP_AGAIN)
		;
	return result;
}

DynStep
take_rows_until_sent(int n)
{
	DynStep		result = take_rows();

	for (int i = 0; i < 100000 && result == DYN_STEP_WAIT && fake_sent() <= n; i++)
	{
		fake_pass(client, 0.5);
		result = take_rows();
	}
	return result;
}
