/*
 * join_window.c
 *	  Windows of a lookup join.
 */
#include "pg/util/export.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "pg/join/join_window.h"
#include "pg/read/lookup.h"
#include "pg/session/wait.h"
#include "pg/util/error.h"

/* ---- life ---- */

/* Breaks off what is in flight, and frees the items. */
static void
drop_items(DynWindow *window)
{
	for (int i = 0; window->groups && i < window->tables->ngroups; i++)
	{
		for (DynWindowGet *asked = window->groups[i].gets; asked; asked = asked->next)
			dyn_batch_get_free(asked->get);
		window->groups[i].gets = NULL;
	}
}

/* Callback of the memory context. */
static void
release_window(void *arg)
{
	drop_items(arg);
}

DynWindow *
dyn_window_new(DynJoinTables *tables, int nstages)
{
	DynWindow  *window = palloc0(sizeof(DynWindow));

	window->tables = tables;
	window->nstages = nstages;
	window->context = AllocSetContextCreate(CurrentMemoryContext, "dynamo_fdw window", ALLOCSET_DEFAULT_SIZES);
	window->callback.func = release_window;
	window->callback.arg = window;
	MemoryContextRegisterResetCallback(window->context, &window->callback);
	return window;
}

void
dyn_window_clear(DynWindow *window, int capacity)
{
	MemoryContext old;

	MemoryContextReset(window->context);	/* the callback drops the items */
	window->groups = NULL;
	old = MemoryContextSwitchTo(window->context);
	window->callback.func = release_window;
	MemoryContextRegisterResetCallback(window->context, &window->callback);
	window->nrows = 0;
	window->row_bytes = 0;
	window->capacity = capacity;
	window->rows = palloc(sizeof(MinimalTuple) * Max(capacity, 1));
	window->keys = palloc(sizeof(int64) * Max((Size) capacity * window->nstages, 1));
	window->groups = palloc0(sizeof(DynWindowGroup) * window->tables->ngroups);
	for (int i = 0; i < window->tables->ngroups; i++)
	{
		window->groups[i].tables = palloc0(sizeof(DynWindowKeys) * window->tables->groups[i].ntables);
		window->groups[i].gets_end = &window->groups[i].gets;
	}
	MemoryContextSwitchTo(old);
}

/* ---- rows and keys ---- */

void
dyn_window_add_row(DynWindow *window, TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(window->context);
	MinimalTuple row = ExecCopySlotMinimalTuple(slot);

	MemoryContextSwitchTo(old);
	for (int i = 0; i < window->nstages; i++)
		window->keys[(Size) window->nrows * window->nstages + i] = -1;
	window->row_bytes += row->t_len;
	window->rows[window->nrows++] = row;
}

/* The slot of the hash table that holds the id, or where it would be: the ids are hashes themselves. */
static uint32
find_slot(const DynWindowKeys *keys, const DynEntityId *id)
{
	uint32		mask = keys->nslots - 1;
	uint32		slot;

	memcpy(&slot, id, sizeof(slot));
	for (slot &= mask; keys->slots[slot] != 0; slot = (slot + 1) & mask)
		if (memcmp(&keys->ids[keys->slots[slot] - 1], id, sizeof(*id)) == 0)
			break;
	return slot;
}

/* Room for one more key. */
static void
make_key_room(DynWindowKeys *keys, int nvalues)
{
	uint32		capacity = keys->capacity ? keys->capacity * 2 : 32;

	if (keys->nkeys < keys->capacity)
		return;
	keys->ids = keys->ids ? repalloc(keys->ids, sizeof(DynEntityId) * capacity) : palloc(sizeof(DynEntityId) * capacity);
	keys->values = keys->values ?
		repalloc(keys->values, sizeof(Datum) * Max(nvalues, 1) * capacity) :
		palloc(sizeof(Datum) * Max(nvalues, 1) * capacity);
	keys->items = keys->items ?
		repalloc(keys->items, sizeof(DynItem *) * capacity) : palloc(sizeof(DynItem *) * capacity);
	keys->capacity = capacity;
	if (keys->slots)
		pfree(keys->slots);
	keys->nslots = capacity * 4;
	keys->slots = palloc0(sizeof(uint32) * keys->nslots);
	for (uint32 i = 0; i < keys->nkeys; i++)
		keys->slots[find_slot(keys, &keys->ids[i])] = i + 1;
}

/* A copy of a canonical value, in the current context. */
static Datum
copy_value(const DynColumn *column, Datum value)
{
	switch (column->base_type)
	{
		case TEXTOID:
		case VARCHAROID:
		case BYTEAOID:
			return datumCopy(value, false, -1);
		default:
			return datumCopy(value, FLOAT8PASSBYVAL, sizeof(int64));
	}
}

/* The number of the key, which is added if it is new. */
static uint32
enter_key(DynWindowKeys *keys, const DynRelation *rel, const DynEntityId *id, const Datum *values)
{
	uint32		slot;
	uint32		key;

	make_key_room(keys, rel->nkeys);
	slot = find_slot(keys, id);
	if (keys->slots[slot] != 0)
		return keys->slots[slot] - 1;
	key = keys->nkeys++;
	keys->slots[slot] = key + 1;
	keys->ids[key] = *id;
	keys->items[key] = NULL;
	for (int i = 0; i < rel->nkeys; i++)
		keys->values[(Size) key * rel->nkeys + i] = copy_value(rel->keys[i], values[i]);
	return key;
}

void
dyn_window_add_key(DynWindow *window, int stage, DynTableNumber table, const DynRelation *rel, const DynEntityId *id,
				   const Datum *values)
{
	DynWindowKeys *keys = &window->groups[table.group].tables[table.table];
	MemoryContext old = MemoryContextSwitchTo(window->context);

	window->tables->groups[table.group].wanted[table.table]++;
	window->keys[(Size) (window->nrows - 1) * window->nstages + stage] = enter_key(keys, rel, id, values);
	MemoryContextSwitchTo(old);
}

/* ---- asking ---- */

/* So many keys of the table go out now. */
static uint32
count_to_send(const DynTableGroup *group, const DynWindowKeys *keys, bool flush)
{
	uint32		unsent = keys->nkeys - keys->nsent;

	return flush ? unsent : unsent - unsent % group->batch_size;
}

/* The ids that go out, table by table. */
static DynEntityId *
ids_to_send(const DynTableGroup *group, DynWindowGroup *window, const uint32 *nkeys, Size total)
{
	DynEntityId *ids = palloc(sizeof(DynEntityId) * total);
	DynEntityId *next = ids;

	for (int i = 0; i < group->ntables; i++)
	{
		const DynWindowKeys *keys = &window->tables[i];

		if (nkeys[i] > 0)
			memcpy(next, keys->ids + keys->nsent, sizeof(DynEntityId) * nkeys[i]);
		next += nkeys[i];
	}
	return ids;
}

/* Requests in flight for what goes out next: those sent before, while the window was filled, count. */
static int
workers_left(const DynTableGroup *group, const DynWindowGroup *window)
{
	return Max(group->max_workers - window->nrequests, 1);
}

/* Begins to ask for keys of a group. */
static DynBatchGet *
begin_get(DynTableGroup *group, DynWindowGroup *window, const uint32 *nkeys, Size total)
{
	DynBatchGetConfig config = {0};
	DynBatchGet *get;

	group->counters.parent = dyn_join_tables_connect(group)->counters;
	config.tables = group->requests;
	config.ntables = group->ntables;
	config.nkeys = nkeys;
	config.keys = ids_to_send(group, window, nkeys, total);
	config.batch_size = group->batch_size;
	config.max_workers = workers_left(group, window);
	config.keep = true;
	config.counters = &group->counters;
	get = dyn_batch_get_new(group->connection->client, &config);
	if (get == NULL)
		dyn_report_no_memory();
	return get;
}

/* Sends what a group has to ask for. */
static void
send_group(DynTableGroup *group, DynWindowGroup *window, bool flush)
{
	DynWindowGet *asked;
	uint32	   *nkeys;
	Size		total = 0;

	for (int i = 0; i < group->ntables; i++)
		total += count_to_send(group, &window->tables[i], flush);
	if (total == 0 || (!flush && window->nrequests >= group->max_workers))
		return;
	asked = palloc0(sizeof(DynWindowGet));
	asked->nkeys = nkeys = palloc(sizeof(uint32) * group->ntables);
	for (int i = 0; i < group->ntables; i++)
		nkeys[i] = count_to_send(group, &window->tables[i], flush);
	asked->get = begin_get(group, window, nkeys, total);
	*window->gets_end = asked;
	window->gets_end = &asked->next;
	if (window->unanswered == NULL)
		window->unanswered = asked;
	for (int i = 0; i < group->ntables; i++)
	{
		window->tables[i].nsent += nkeys[i];
		group->asked[i] += nkeys[i];
	}
	window->nrequests += (total + group->batch_size - 1) / group->batch_size;
	dyn_batch_get_begin(asked->get);
	if (!flush)
		dyn_drive();
}

void
dyn_window_send(DynWindow *window, bool flush)
{
	MemoryContext old = MemoryContextSwitchTo(window->context);

	for (int i = 0; i < window->tables->ngroups; i++)
		send_group(&window->tables->groups[i], &window->groups[i], flush);
	MemoryContextSwitchTo(old);
}

/* ---- items ---- */

/* Raises the failure of a read: by the table where it is one's, else by all that were asked. */
static void
report_window_failure(const DynTableGroup *group, const DynWindowGet *asked, const DynStatus *status)
{
	int			table = dyn_batch_get_failed_table(asked->get);
	DynErrorContext context = {DYN_OP_BATCH_GET_ITEM, NULL, NULL, NULL};

	if (table < 0)
	{
		for (table = 0; asked->nkeys[table] == 0;)
			table++;
		context.note = group->ntables > 1 ? "The request was for several tables." : NULL;
	}
	context.table = group->requests[table].table;
	context.feature_view = group->rels[table]->feature_view;
	dyn_report(ERROR, status, &context);
}

/* Notes an item by the number of its key among those asked for, of all tables. */
static void
note_item(DynTableGroup *group, DynWindowGroup *window, const DynWindowGet *asked, uint32 key, const DynItem *item)
{
	int			table = 0;

	while (key >= asked->nkeys[table])
		key -= asked->nkeys[table++];
	Assert(table < group->ntables);
	window->tables[table].items[window->tables[table].nanswered + key] = item;
	group->found[table]++;
}

/* Waits for the items of the keys that were asked for first of those that aren't answered. */
static void
wait_for_answer(DynTableGroup *group, DynWindowGroup *window)
{
	DynWindowGet *asked = window->unanswered;
	const DynItem *item;
	uint32		key;
	DynStatus	status;

	while (dyn_lookup_wait(asked->get, &item, &key, &status))
		note_item(group, window, asked, key, item);
	if (status.cls != DYN_OK)
		report_window_failure(group, asked, &status);
	for (int i = 0; i < group->ntables; i++)
	{
		group->answered[i] += dyn_batch_get_requests(asked->get, i);
		window->tables[i].nanswered += asked->nkeys[i];
	}
	window->unanswered = asked->next;
}

void
dyn_window_finish(DynWindow *window)
{
	for (int i = 0; window->groups && i < window->tables->ngroups; i++)
		while (window->groups[i].unanswered)
			wait_for_answer(&window->tables->groups[i], &window->groups[i]);
}

const DynItem *
dyn_window_item(DynWindow *window, int row, int stage, DynTableNumber table, const Datum **values)
{
	DynTableGroup *group = &window->tables->groups[table.group];
	DynWindowKeys *keys = &window->groups[table.group].tables[table.table];
	int64		key = window->keys[(Size) row * window->nstages + stage];

	if (key < 0)
		return NULL;
	while (key >= keys->nanswered)
		wait_for_answer(group, &window->groups[table.group]);
	*values = keys->values + key * group->rels[table.table]->nkeys;
	return keys->items[key];
}
