/*
 * lookup.c
 *	  One foreign table read by entity keys.
 *
 * The read below (batch_get.h) is malloc'd, so its owner has a reset callback
 * that exists before it.
 */
#include "pg/util/export.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "pg/read/lookup.h"
#include "pg/session/wait.h"
#include "pg/util/error.h"

void
dyn_lookup_stop(DynLookup *lookup)
{
	dyn_batch_get_free(lookup->get);
	lookup->get = NULL;
}

void
dyn_lookup_release(DynLookup *lookup)
{
	dyn_lookup_stop(lookup);
	dyn_connection_release(lookup->connection);
	lookup->connection = NULL;
}

/* Callback of the memory context. */
static void
release_lookup(void *arg)
{
	dyn_lookup_release(arg);
}

DynLookup *
dyn_lookup_new(DynRelation *rel, List *columns)
{
	DynLookup  *lookup = palloc0(sizeof(DynLookup));

	lookup->callback.func = release_lookup;
	lookup->callback.arg = lookup;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &lookup->callback);
	lookup->rel = rel;
	lookup->key_context = AllocSetContextCreate(CurrentMemoryContext, "dynamo_fdw keys", ALLOCSET_DEFAULT_SIZES);
	lookup->projection = dyn_projection_new(rel, columns);
	lookup->request.event_ts = lookup->projection->event_ts;
	lookup->request.features = &lookup->projection->features;
	lookup->request.table = rel->remote.table;
	lookup->request.consistent = rel->consistent_reads;
	lookup->request.capacity = rel->consumed_capacity;
	return lookup;
}

void
dyn_lookup_connect(DynLookup *lookup)
{
	if (lookup->connection == NULL)
		lookup->connection = dyn_connection_get(lookup->rel->serverid, lookup->userid);
}

bool
dyn_lookup_try_connect(DynLookup *lookup)
{
	if (lookup->connection == NULL)
		lookup->connection = dyn_connection_try(lookup->rel->serverid, lookup->userid);
	return lookup->connection != NULL;
}

void
dyn_lookup_evaluate(DynLookup *lookup, Node *tree, List *operand_states, ExprContext *econtext)
{
	MemoryContext old;

	MemoryContextReset(lookup->key_context);
	old = MemoryContextSwitchTo(lookup->key_context);
	dyn_keys_evaluate(lookup->rel, tree, operand_states, econtext, &lookup->keys);
	MemoryContextSwitchTo(old);
}

void
dyn_lookup_start(DynLookup *lookup)
{
	DynBatchGetConfig config = {.tables = &lookup->request, .ntables = 1};

	lookup->again = false;
	lookup->counters.parent = lookup->connection->counters;
	config.nkeys = &lookup->keys.nkeys;
	config.keys = lookup->keys.ids;
	config.batch_size = lookup->rel->batch_size;
	config.max_workers = lookup->rel->max_read_workers;
	config.counters = &lookup->counters;
	lookup->get = dyn_batch_get_new(lookup->connection->client, &config);
	if (lookup->get == NULL)
		dyn_report_no_memory();
	dyn_batch_get_begin(lookup->get);
}

bool
dyn_lookup_rewind(DynLookup *lookup)
{
	lookup->again = true;
	return lookup->get && dyn_batch_get_rewind(lookup->get);
}

bool
dyn_lookup_wait(DynBatchGet *get, const DynItem **item, uint32 *key, DynStatus *status)
{
	for (;;)
	{
		switch (dyn_batch_get_next(get, item, key, status))
		{
			case DYN_STEP_ROW:
				return true;
			case DYN_STEP_WAIT:
				dyn_wait(DYN_WAIT_READ, -1);
				break;
			case DYN_STEP_AGAIN:
				CHECK_FOR_INTERRUPTS();
				break;
			case DYN_STEP_END:
				dyn_status_clear(status);
				return false;
			case DYN_STEP_FAILED:
				return false;
		}
	}
}

bool
dyn_lookup_next(DynLookup *lookup, TupleTableSlot *slot)
{
	DynErrorContext context = {DYN_OP_BATCH_GET_ITEM, lookup->rel->remote.table, lookup->rel->feature_view, NULL};
	DynStatus	status;
	const DynItem *item;
	uint32		key;

	while (dyn_lookup_wait(lookup->get, &item, &key, &status))
	{
		const Datum *keys = lookup->keys.values + (Size) key * lookup->rel->nkeys;

		if (!dyn_projection_expired(lookup->projection, item, keys))
		{
			dyn_projection_row(lookup->projection, item, keys, slot);
			return true;
		}
		lookup->expired += lookup->again ? 0 : 1;
		CHECK_FOR_INTERRUPTS();
	}
	if (status.cls != DYN_OK)
		dyn_report(ERROR, &status, &context);
	ExecClearTuple(slot);
	return false;
}
