/*
 * row.c
 *	  Rows of INSERT and COPY to items.
 */
#include "pg/util/export.h"

#include "access/xact.h"
#include "utils/timestamp.h"

#include "core/ddb_op.h"
#include "pg/convert/convert.h"
#include "pg/util/scratch.h"
#include "pg/write/row.h"

/* Of a time in seconds, as DynamoDB counts: one for two digits, and one more. */
#define NUMBER_BYTES 7

/* Makes what stands before the value of each feature. */
static void
make_heads(DynRowEncoder *encoder)
{
	const DynRelation *rel = encoder->rel;

	encoder->heads = palloc0(sizeof(DynBuf *) * (rel->ncolumns + 1));
	for (int i = 0; i < rel->ncolumns; i++)
	{
		const DynColumn *column = &rel->columns[i];

		if (column->role != DYN_COLUMN_FEATURE || column->bad)
			continue;
		encoder->heads[i] = dyn_scratch_new(CurrentMemoryContext);
		dyn_op_feature_head(encoder->heads[i], column->name);
	}
}

DynRowEncoder *
dyn_row_encoder_new(const DynRelation *rel, bool wants_key)
{
	DynRowEncoder *encoder = palloc0(sizeof(DynRowEncoder));

	encoder->rel = rel;
	encoder->scratch = dyn_scratch_new(CurrentMemoryContext);
	encoder->item = dyn_scratch_new(CurrentMemoryContext);
	encoder->key = dyn_scratch_new(CurrentMemoryContext);
	make_heads(encoder);
	encoder->wants_key = wants_key;
	encoder->time = GetCurrentStatementStartTimestamp();
	dyn_event_ts_from_datum(NULL, TimestampTzGetDatum(encoder->time), encoder->event_ts);
	return encoder;
}

/* What tells a row from others, for a message: its entity key and event time, of which some are NULL. */
static char *
row_with_nulls_text(const DynRelation *rel, TupleTableSlot *slot)
{
	const DynColumn *time = rel->event_timestamp;
	Datum		keys[DYN_MAX_KEYS];
	bool		nulls[DYN_MAX_KEYS];
	char	   *key_text;

	for (int i = 0; i < rel->nkeys; i++)
	{
		int			attno = rel->keys[i]->attnum - 1;

		nulls[i] = slot->tts_isnull[attno];
		if (!nulls[i])
			keys[i] = dyn_key_from_datum(rel->keys[i], slot->tts_values[attno]);
	}
	key_text = dyn_key_text_with_nulls(rel, keys, nulls);
	if (time == NULL || slot->tts_isnull[time->attnum - 1])
		return psprintf("Entity key: %s.", key_text);
	return psprintf("Entity key: %s. Event time: %s.", key_text,
					timestamptz_to_str(DatumGetTimestampTz(slot->tts_values[time->attnum - 1])));
}

/* Raises that a column which every item has is NULL. */
static void
report_null(const DynRelation *rel, const DynColumn *column, TupleTableSlot *slot)
{
	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("null value in %s column \"%s\" of feature view \"%s\"",
					column->role == DYN_COLUMN_KEY ? "entity key" : "event timestamp", column->sql_name,
					rel->feature_view),
			 errdetail("%s", row_with_nulls_text(rel, slot))));
}

/* Raises why Feast can't store this value of a key. */
static void
report_unstorable(const DynRelation *rel, const DynColumn *column, Datum key)
{
	TimestampTz time = DatumGetTimestampTz(key);	/* if it is one */

	if (column->feast_type == DYN_FEAST_UNIX_TIMESTAMP && TIMESTAMP_NOT_FINITE(time))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("entity key column \"%s\" of feature view \"%s\" must not be infinite", column->sql_name,
						rel->feature_view)));
	if (column->feast_type == DYN_FEAST_UNIX_TIMESTAMP)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
				 errmsg("entity key column \"%s\" of feature view \"%s\" must be a whole second", column->sql_name,
						rel->feature_view),
				 errhint("Use date_trunc('second', ...).")));
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("entity key column \"%s\" of feature view \"%s\" is out of range for value type %s",
					column->sql_name, rel->feature_view, dyn_feast_type_name(column->feast_type))));
}

/* The row's entity key in canonical form (convert.h), checked. */
static void
row_keys(const DynRelation *rel, TupleTableSlot *slot, Datum *keys)
{
	for (int i = 0; i < rel->nkeys; i++)
	{
		const DynColumn *column = rel->keys[i];
		int			attno = column->attnum - 1;

		if (slot->tts_isnull[attno])
			report_null(rel, column, slot);
		keys[i] = dyn_key_from_datum(column, slot->tts_values[attno]);
		if (!dyn_key_storable(column, keys[i]))
			report_unstorable(rel, column, keys[i]);
	}
}

/* The row's event time, and its text, which is in `out` or the statement's. */
static const char *
row_event_ts(const DynRowEncoder *encoder, TupleTableSlot *slot, char *out, TimestampTz *time)
{
	const DynColumn *column = encoder->rel->event_timestamp;

	*time = encoder->time;
	if (column == NULL)
		return encoder->event_ts;
	if (slot->tts_isnull[column->attnum - 1])
		report_null(encoder->rel, column, slot);
	*time = DatumGetTimestampTz(slot->tts_values[column->attnum - 1]);
	dyn_event_ts_from_datum(column, slot->tts_values[column->attnum - 1], out);
	return out;
}

/*
 * Adds the item's features; returns its size as DynamoDB counts it (names and
 * values, 3 bytes a map, 1 byte an element).
 */
static size_t
put_features(DynRowEncoder *encoder, TupleTableSlot *slot)
{
	const DynRelation *rel = encoder->rel;
	size_t		size = strlen("values") + 3;
	bool		first = true;

	for (int i = 0; i < rel->ncolumns; i++)
	{
		const DynColumn *column = &rel->columns[i];

		if (column->role != DYN_COLUMN_FEATURE)
			continue;
		if (column->bad)
		{
			/* without a value it is left out, as if it were not there */
			if (!slot->tts_isnull[i])
				dyn_column_check(rel->relid, column);
			continue;
		}
		dyn_buf_clear(encoder->scratch);
		dyn_datum_to_value(column, slot->tts_values[i], slot->tts_isnull[i], encoder->scratch);
		dyn_op_item_feature(encoder->item, encoder->heads[i], encoder->scratch->data, encoder->scratch->len, first);
		size += strlen(column->name) + encoder->scratch->len + 1;
		first = false;
	}
	return size;
}

/* Ends the item; the size of what was added. */
static size_t
end_item(DynRowEncoder *encoder, TimestampTz time)
{
	const DynRelation *rel = encoder->rel;

	if (rel->ttl_attribute == NULL)
	{
		dyn_op_item_end(encoder->item);
		return 0;
	}
	dyn_op_item_end_expiring(encoder->item, rel->ttl_attribute, dyn_expiry_from_event_time(rel, time));
	return strlen(rel->ttl_attribute) + NUMBER_BYTES;
}

/* Raises that an item is too large. */
static void
check_size(const DynRelation *rel, size_t size, const Datum *keys)
{
	if (size > DYN_MAX_ITEM_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a row of feature view \"%s\" is larger than the 400 KB that DynamoDB stores", rel->feature_view),
				 errdetail("It has %zu bytes, names of features included. Entity key: %s.", size,
						   dyn_key_text(rel, keys))));
}

void
dyn_row_id(DynRowEncoder *encoder, TupleTableSlot *slot, DynEntityId *id)
{
	Datum		keys[DYN_MAX_KEYS];

	slot_getallattrs(slot);
	row_keys(encoder->rel, slot, keys);
	dyn_key_id(encoder->rel, keys, encoder->scratch, id);
}

void
dyn_row_encode(DynRowEncoder *encoder, TupleTableSlot *slot, DynWriteItem *item)
{
	const DynRelation *rel = encoder->rel;
	Datum		keys[DYN_MAX_KEYS];
	char		event_ts_buffer[DYN_EVENT_TS_LEN];
	TimestampTz time;
	const char *event_ts;
	size_t		size;

	slot_getallattrs(slot);
	row_keys(rel, slot, keys);
	event_ts = row_event_ts(encoder, slot, event_ts_buffer, &time);
	dyn_key_id(rel, keys, encoder->scratch, &item->id);

	dyn_buf_clear(encoder->item);
	dyn_op_item_begin(encoder->item, &item->id, event_ts);
	size = strlen("entity_id") + DYN_ENTITY_ID_HEX_LEN + strlen("event_ts") + strlen(event_ts);
	size += put_features(encoder, slot);
	size += end_item(encoder, time);
	check_size(rel, size, keys);
	dyn_buf_clear(encoder->key);
	if (encoder->wants_key)
		dyn_buf_str(encoder->key, dyn_key_text(rel, keys));

	strlcpy(item->event_ts, event_ts, sizeof(item->event_ts));
	dyn_scratch_take(encoder->item, &item->body);
	dyn_scratch_take(encoder->key, &item->key);
}
