/*
 * projection.c
 *	  What is asked for of a foreign table's items, and a row of each item.
 */
#include "pg/util/export.h"

#include "pg/convert/convert.h"
#include "pg/read/projection.h"

DynProjection *
dyn_projection_new(DynRelation *rel, List *attnums)
{
	DynProjection *projection = palloc0(sizeof(DynProjection));
	int			n = list_length(attnums) + 1;
	const char **names = palloc(sizeof(char *) * n);
	size_t	   *lengths = palloc(sizeof(size_t) * n);
	ListCell   *lc;

	projection->rel = rel;
	projection->columns = palloc(sizeof(DynColumn *) * n);
	projection->positions = palloc(sizeof(int) * n);
	foreach(lc, attnums)
	{
		DynColumn  *column = &rel->columns[lfirst_int(lc) - 1];

		dyn_column_check(rel->relid, column);
		if (column->role == DYN_COLUMN_EVENT_TIMESTAMP)
			projection->event_ts = true;
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

/* Raises what the stored bytes have against the column. */
static void
set_column(const DynProjection *projection, TupleTableSlot *slot, DynColumn *column, const DynAttr *attr,
		   const Datum *keys)
{
	int			i = column->attnum - 1;

	slot->tts_isnull[i] = !dyn_datum_from_item(projection->rel, column, attr, keys, &slot->tts_values[i]);
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
	if (projection->event_ts)
		set_column(projection, slot, rel->event_timestamp, &item->event_ts, keys);
	for (int i = 0; i < projection->features.count; i++)
		set_column(projection, slot, projection->columns[i], &item->features[projection->positions[i]], keys);
	ExecStoreVirtualTuple(slot);
}
