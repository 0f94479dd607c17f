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

#include "pg/convert/convert.h"
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

/* The request's projection: which features, and the event timestamp or not. */
static void
choose_features(DynLookup *lookup, List *attnums)
{
	int			n = list_length(attnums);
	const char **names = palloc(sizeof(char *) * Max(n, 1));
	size_t	   *lengths = palloc(sizeof(size_t) * Max(n, 1));
	ListCell   *lc;

	lookup->feature_columns = palloc(sizeof(DynColumn *) * Max(n, 1));
	foreach(lc, attnums)
	{
		DynColumn  *column = &lookup->rel->columns[lfirst_int(lc) - 1];

		dyn_column_check(lookup->rel->relid, column);
		if (column->role == DYN_COLUMN_EVENT_TIMESTAMP)
			lookup->request.event_ts = true;
		else
		{
			int			i = lookup->features.count++;

			lookup->feature_columns[i] = column;
			names[i] = column->name;
			lengths[i] = strlen(column->name);
		}
	}
	lookup->features.names = names;
	lookup->features.lengths = lengths;
	lookup->request.features = &lookup->features;
	lookup->request.table = lookup->rel->remote.table;
	lookup->request.consistent = lookup->rel->consistent_reads;
	lookup->request.capacity = lookup->rel->consumed_capacity;
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
	choose_features(lookup, columns);
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
	DynBatchGetConfig config;

	lookup->counters.parent = lookup->connection->counters;
	config.request = lookup->request;
	config.keys = lookup->keys.ids;
	config.nkeys = lookup->keys.nkeys;
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
	return lookup->get && dyn_batch_get_rewind(lookup->get);
}

/* Raises what the stored bytes have against the column. */
static void
set_column(DynLookup *lookup, TupleTableSlot *slot, DynColumn *column, const DynAttr *attr, const Datum *keys)
{
	int			i = column->attnum - 1;

	slot->tts_isnull[i] = !dyn_datum_from_item(lookup->rel, column, attr, keys, &slot->tts_values[i]);
}

/* A row: keys as asked, the rest from the item; values live until the next row. */
static void
make_row(DynLookup *lookup, const DynItem *item, uint32 key, TupleTableSlot *slot)
{
	DynRelation *rel = lookup->rel;
	const Datum *keys = lookup->keys.values + (Size) key * rel->nkeys;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, rel->ncolumns * sizeof(bool));
	for (int i = 0; i < rel->nkeys; i++)
	{
		int			attno = rel->keys[i]->attnum - 1;

		slot->tts_values[attno] = dyn_key_column(rel, i, keys);
		slot->tts_isnull[attno] = false;
	}
	if (item->values.state == DYN_ATTR_WRONG_TYPE && lookup->features.count > 0)
		set_column(lookup, slot, lookup->feature_columns[0], &item->values, keys);	/* raises */
	if (lookup->request.event_ts)
		set_column(lookup, slot, rel->event_timestamp, &item->event_ts, keys);
	for (int i = 0; i < lookup->features.count; i++)
		set_column(lookup, slot, lookup->feature_columns[i], &item->features[i], keys);
	ExecStoreVirtualTuple(slot);
}

bool
dyn_lookup_next(DynLookup *lookup, TupleTableSlot *slot)
{
	DynErrorContext context = {DYN_OP_BATCH_GET_ITEM, lookup->rel->remote.table, lookup->rel->feature_view, NULL};
	DynStatus	status;
	const DynItem *item;
	uint32		key;

	for (;;)
	{
		switch (dyn_batch_get_next(lookup->get, &item, &key, &status))
		{
			case DYN_STEP_ROW:
				make_row(lookup, item, key, slot);
				return true;
			case DYN_STEP_WAIT:
				dyn_wait(DYN_WAIT_READ, -1);
				break;
			case DYN_STEP_AGAIN:
				CHECK_FOR_INTERRUPTS();
				break;
			case DYN_STEP_END:
				ExecClearTuple(slot);
				return false;
			case DYN_STEP_FAILED:
				dyn_report(ERROR, &status, &context);
				break;
		}
	}
}
