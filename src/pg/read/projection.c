/*
 * projection.c
 *	  What is asked for of a foreign table's items, and a row of each item.
 */
#include "pg/util/export.h"

#include "access/xact.h"

#include "core/feast_time.h"
#include "pg/convert/convert.h"
#include "pg/read/projection.h"
#include "pg/util/scratch.h"

DynProjection *
dyn_projection_new(DynRelation *rel, List *attnums)
{
	DynProjection *projection = palloc0(sizeof(DynProjection));
	int			n = list_length(attnums) + 1;
	const char **names = palloc(sizeof(char *) * n);
	size_t	   *lengths = palloc(sizeof(size_t) * n);
	ListCell   *lc;

	projection->rel = rel;
	if (rel->ttl > 0)
	{
		projection->event_ts = true;
		projection->oldest = GetCurrentTransactionStartTimestamp() - rel->ttl;
	}
	projection->columns = palloc(sizeof(DynColumn *) * n);
	projection->positions = palloc(sizeof(int) * n);
	foreach(lc, attnums)
	{
		DynColumn  *column = &rel->columns[lfirst_int(lc) - 1];

		dyn_column_check(rel->relid, column);
		if (column->role == DYN_COLUMN_EVENT_TIMESTAMP)
		{
			projection->event_ts = true;
			projection->time_column = column;
		}
		else
		{
			int			i = projection->features.count++;

			projection->columns[i] = column;
			projection->positions[i] = i;
			names[i] = column->name;
			lengths[i] = strlen(column->name);
		}
	}
	projection->features.names = names;
	projection->features.lengths = lengths;
	return projection;
}

bool
dyn_projection_expired(const DynProjection *projection, const DynItem *item, const Datum *keys)
{
	TimestampTz time;

	return projection->rel->ttl > 0 &&
		(!dyn_event_time_from_item(projection->rel, &item->event_ts, keys, &time) || time < projection->oldest);
}

/* Raises what the stored bytes have against the column. */
static void
set_column(const DynProjection *projection, TupleTableSlot *slot, DynColumn *column, const DynAttr *attr,
		   const Datum *keys)
{
	int			i = column->attnum - 1;

	slot->tts_isnull[i] = !dyn_datum_from_item(projection->rel, column, attr, keys, &slot->tts_values[i]);
}

/* The bytes that we would write for a column of the row: a Value, or the text of a time. */
static void
bytes_of_column(const DynProjection *projection, const DynColumn *column, TupleTableSlot *slot)
{
	int			i = column->attnum - 1;
	char		event_ts[DYN_EVENT_TS_LEN];

	dyn_buf_clear(projection->scratch);
	if (column->role == DYN_COLUMN_FEATURE)
		dyn_datum_to_value(column, slot->tts_values[i], slot->tts_isnull[i], projection->scratch);
	else if (!slot->tts_isnull[i])
	{
		dyn_event_ts_from_datum(column, slot->tts_values[i], event_ts);
		dyn_buf_str(projection->scratch, event_ts);
	}
}

/* Notes the bytes of a column in the item, if an UPDATE depends on it and would not make the same of the row. */
static void
note_column(const DynProjection *projection, const DynColumn *column, const DynEntityId *id, const DynAttr *attr,
			TupleTableSlot *slot)
{
	if (attr->state != DYN_ATTR_OK || !list_member_int(projection->stored->attnums, column->attnum))
		return;
	bytes_of_column(projection, column, slot);
	if (projection->scratch->len != attr->len || memcmp(projection->scratch->data, attr->data, attr->len) != 0)
		dyn_stored_note(projection->stored, id, column->attnum, attr->data, attr->len);
}

/* Notes what is needed of an item that became the row in the slot. */
static void
note_stored(const DynProjection *projection, const DynItem *item, TupleTableSlot *slot)
{
	if (projection->time_column)
		note_column(projection, projection->time_column, &item->id, &item->event_ts, slot);
	for (int i = 0; i < projection->features.count; i++)
		note_column(projection, projection->columns[i], &item->id, &item->features[projection->positions[i]], slot);
}

void
dyn_projection_for_update(DynProjection *projection, const EState *estate)
{
	projection->stored = dyn_stored_find(estate, projection->rel->relid);
	if (projection->stored && projection->scratch == NULL)
		projection->scratch = dyn_scratch_new(projection->rel->context);
}

/* Keys as asked, the rest from the item. */
void
dyn_projection_row(const DynProjection *projection, const DynItem *item, const Datum *keys, TupleTableSlot *slot)
{
	DynRelation *rel = projection->rel;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, rel->ncolumns * sizeof(bool));
	for (int i = 0; i < rel->nkeys; i++)
	{
		int			attno = rel->keys[i]->attnum - 1;

		slot->tts_values[attno] = dyn_key_column(rel, i, keys);
		slot->tts_isnull[attno] = false;
	}
	if (item->values.state == DYN_ATTR_WRONG_TYPE && projection->features.count > 0)
		set_column(projection, slot, projection->columns[0], &item->values, keys);	/* raises */
	if (projection->time_column)
		set_column(projection, slot, projection->time_column, &item->event_ts, keys);
	for (int i = 0; i < projection->features.count; i++)
		set_column(projection, slot, projection->columns[i], &item->features[projection->positions[i]], keys);
	ExecStoreVirtualTuple(slot);
	if (projection->stored)
		note_stored(projection, item, slot);
}
