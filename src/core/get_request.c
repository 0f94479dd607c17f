/*
 * get_request.c
 *	  Requests of a read by key that may be of several tables.
 */
#include "core/get_request.h"

#include <stdlib.h>
#include <string.h>

/* ---- tables ---- */

/* False: no memory. */
static bool
init_table(DynGetTable *table, const DynGetRequest *request)
{
	dyn_op_get_prefix(&table->prefix, request);
	dyn_op_get_suffix(&table->suffix, request);
	dyn_scan_table_init(&table->scan, request->table, request->features);
	table->capacity = request->capacity;
	return !table->prefix.failed && !table->suffix.failed;
}

bool
dyn_get_tables_init(DynGetTables *tables, const DynGetRequest *requests, int ntables, const uint32_t *nkeys,
					const DynEntityId *keys)
{
	memset(tables, 0, sizeof(*tables));
	tables->keys = keys;
	tables->tables = calloc(ntables, sizeof(DynGetTable));
	if (tables->tables == NULL)
		return false;
	tables->ntables = ntables;
	for (int i = 0; i < ntables; i++)
	{
		DynGetTable *table = &tables->tables[i];

		if (!init_table(table, &requests[i]))
			return false;
		table->first = tables->nkeys;
		tables->nkeys += nkeys[i];
		table->end = tables->nkeys;
	}
	return true;
}

void
dyn_get_tables_free(DynGetTables *tables)
{
	for (int i = 0; i < tables->ntables; i++)
	{
		dyn_buf_free(&tables->tables[i].prefix);
		dyn_buf_free(&tables->tables[i].suffix);
	}
	free(tables->tables);
	memset(tables, 0, sizeof(*tables));
}

int
dyn_get_table_of(const DynGetTables *tables, uint32_t key, int guess)
{
	while (key < tables->tables[guess].first)
		guess--;
	while (key >= tables->tables[guess].end)
		guess++;
	return guess;
}

/* ---- bodies ---- */

/* Notes the table of each key, in a request where keys of a table stand side by side. */
static void
make_parts(DynGetKeys *request, const int *tables)
{
	request->nparts = 0;
	for (int i = 0; i < request->nkeys; i++)
	{
		if (i == 0 || tables[i] != tables[i - 1])
			request->parts[request->nparts++] = (DynGetPart) {tables[i], i, i};
		request->parts[request->nparts - 1].end = i + 1;
	}
}

/* An insertion sort: keys that are asked for the first time are in order already, and others are few. */
void
dyn_get_group(const DynGetTables *tables, DynGetKeys *request)
{
	uint32_t   *keys = request->keys;
	int			table_of[DYN_MAX_GET_KEYS];
	int			table = 0;

	for (int i = 0; i < request->nkeys; i++)
	{
		uint32_t	key = keys[i];
		int			to = i;

		table = dyn_get_table_of(tables, key, table);
		for (; to > 0 && table_of[to - 1] > table; to--)
		{
			keys[to] = keys[to - 1];
			table_of[to] = table_of[to - 1];
		}
		keys[to] = key;
		table_of[to] = table;
	}
	make_parts(request, table_of);
}

/* The keys of one table, and what is asked of it. */
static void
add_part(const DynGetTables *tables, const DynGetKeys *request, const DynGetPart *part, DynBuf *out)
{
	const DynGetTable *table = &tables->tables[part->table];

	dyn_buf_add(out, table->prefix.data, table->prefix.len);
	for (int i = part->first; i < part->end; i++)
		dyn_op_get_key(out, &tables->keys[request->keys[i]], i == part->first);
	dyn_buf_add(out, table->suffix.data, table->suffix.len);
}

void
dyn_get_body(const DynGetTables *tables, const DynGetKeys *request, DynBuf *out)
{
	size_t		len = 64 * (request->nkeys + 1);	/* about that, without the tables' own */
	bool		capacity = false;

	for (int i = 0; i < request->nparts; i++)
	{
		const DynGetTable *table = &tables->tables[request->parts[i].table];

		len += table->prefix.len + table->suffix.len;
		capacity |= table->capacity;
	}
	dyn_buf_reserve(out, len);
	dyn_op_get_begin(out);
	for (int i = 0; i < request->nparts; i++)
	{
		if (i > 0)
			dyn_buf_byte(out, ',');
		add_part(tables, request, &request->parts[i], out);
	}
	dyn_op_get_end(out, capacity);
}

/* ---- answers ---- */

DynScanResult
dyn_get_scan(const DynGetTables *tables, const DynGetKeys *request, char *body, size_t len, DynAnswer *answer)
{
	DynScanTable asked[DYN_MAX_GET_KEYS];

	for (int i = 0; i < request->nparts; i++)
		asked[i] = tables->tables[request->parts[i].table].scan;
	return dyn_item_scan(body, len, asked, request->nparts, answer);
}

/*
 * Position among the request's keys of an id of a table, not used yet, or -1;
 * the search starts at `guess`.
 */
static int
find_key(const DynGetTables *tables, const DynGetKeys *request, int part, const DynEntityId *id, const bool *used,
		 int guess)
{
	int			first = request->parts[part].first;
	int			end = request->parts[part].end;

	if (guess < first)
		guess = first;
	for (int n = first, i = guess; n < end; n++, i++)
	{
		if (i >= end)
			i = first;
		if (!used[i] && memcmp(&tables->keys[request->keys[i]], id, sizeof(*id)) == 0)
			return i;
	}
	return -1;
}

bool
dyn_get_match(const DynGetTables *tables, const DynGetKeys *request, const DynAnswer *answer, DynGetMatch *match)
{
	bool		used[DYN_MAX_GET_KEYS] = {false};
	int			k = -1;

	for (int i = 0; i < answer->nitems; i++)
	{
		const DynItem *item = &answer->items[i];

		k = find_key(tables, request, item->table, &item->id, used, k + 1);
		if (k < 0)
			return false;
		used[k] = true;
		match->items[i] = request->keys[k];
	}
	for (int i = 0; i < answer->nunprocessed; i++)
	{
		const DynUnprocessedKey *key = &answer->unprocessed[i];

		k = find_key(tables, request, key->table, &key->id, used, k + 1);
		if (k < 0)
			return false;
		used[k] = true;
		match->unprocessed[i] = request->keys[k];
	}
	return true;
}
