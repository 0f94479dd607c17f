/*
 * change.c
 *	  Rows of UPDATE to updates of items.
 *
 * What a row does not change is left as it is, be it mapped by the foreign
 * table or not.  Where new values depend on old ones, the update depends on
 * these: nobody else's change between reading and writing is lost.
 */
#include "pg/util/export.h"

#include "access/sysattr.h"
#include "catalog/pg_attribute.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "pg/convert/convert.h"
#include "pg/util/scratch.h"
#include "pg/write/change.h"

/* DynamoDB takes a condition of 4 KB. */
#define MAX_SEEN_FEATURES 70

/* Raises that a statement names too many features for a request. */
static void
report_too_many(const DynRelation *rel, int number, int most, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("UPDATE of feature view \"%s\" %s more features than one request of DynamoDB can name",
					rel->feature_view, what),
			 errdetail("There are %d, and at most %d are possible.", number, most),
			 errhint("Use several UPDATEs, or INSERT, which replaces whole rows.")));
}

/*
 * Adds to *anew the generated columns that are assigned, or a part of them is,
 * and to *seen what they are made of besides.  Attnums are offset by
 * FirstLowInvalidHeapAttributeNumber.  ExecGetAllUpdatedCols() can't be asked:
 * before 16 it must not be called when a modification begins.
 */
static void
add_generated(Relation relation, const Bitmapset *assigned, Bitmapset **anew, Bitmapset **seen)
{
	TupleDesc	desc = RelationGetDescr(relation);

	for (int i = 0; desc->constr && desc->constr->has_generated_stored && i < desc->natts; i++)
	{
		Bitmapset  *parts = NULL;

		if (TupleDescAttr(desc, i)->attgenerated != ATTRIBUTE_GENERATED_STORED)
			continue;
		pull_varattnos(build_column_default(relation, i + 1), 1, &parts);
		if (!bms_overlap(parts, assigned) && !bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber, assigned))
			continue;
		*anew = bms_add_member(*anew, i + 1 - FirstLowInvalidHeapAttributeNumber);
		*seen = bms_add_members(*seen, bms_difference(parts, assigned));
	}
}

/* The columns that must still be what they were. */
static void
init_seen(DynChangeEncoder *encoder, Bitmapset *seen)
{
	const DynRelation *rel = encoder->rel;
	const char **names = palloc(sizeof(char *) * (rel->ncolumns + 1));

	for (int i = 0; i < rel->ncolumns; i++)
	{
		const DynColumn *column = &rel->columns[i];

		if (!bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber, seen))
			continue;
		if (column->role == DYN_COLUMN_EVENT_TIMESTAMP)
			encoder->seen_event_ts = true;
		if (column->role != DYN_COLUMN_FEATURE)
			continue;
		encoder->seen[encoder->update.nseen] = column;
		names[encoder->update.nseen++] = column->name;
	}
	encoder->nseen = encoder->update.nseen;
	encoder->update.seen = names;
}

DynChangeEncoder *
dyn_change_encoder_new(const DynRelation *rel, Relation relation, const Bitmapset *assigned, bool triggers,
					   List *seen_attnums)
{
	DynChangeEncoder *encoder = palloc0(sizeof(DynChangeEncoder));
	int			n = rel->ncolumns + 1;
	Bitmapset  *seen = NULL;
	Bitmapset  *anew = NULL;
	ListCell   *lc;

	foreach(lc, seen_attnums)
		seen = bms_add_member(seen, lfirst_int(lc) - FirstLowInvalidHeapAttributeNumber);
	add_generated(relation, assigned, &anew, &seen);
	encoder->rel = rel;
	encoder->triggers = triggers;
	encoder->assigned = palloc0(sizeof(bool) * n);
	for (int i = 0; i < rel->ncolumns; i++)
	{
		int			member = rel->columns[i].attnum - FirstLowInvalidHeapAttributeNumber;

		encoder->assigned[i] = bms_is_member(member, assigned) || (!triggers && bms_is_member(member, anew));
	}
	encoder->set = palloc(sizeof(DynColumn *) * n);
	encoder->seen = palloc(sizeof(DynColumn *) * n);
	encoder->update.set = palloc(sizeof(char *) * n);
	encoder->set_values = palloc(sizeof(DynValueBytes) * n);
	encoder->seen_values = palloc(sizeof(DynValueBytes) * n);
	encoder->ends = palloc(sizeof(size_t) * n * 2);
	encoder->bytes = dyn_scratch_new(CurrentMemoryContext);
	encoder->body = dyn_scratch_new(CurrentMemoryContext);
	encoder->key = dyn_scratch_new(CurrentMemoryContext);
	encoder->update.table = rel->remote.table;
	encoder->update.expiry = rel->ttl_attribute;
	encoder->update.capacity = rel->consumed_capacity;
	encoder->row.set = encoder->set_values;
	encoder->row.seen = encoder->seen_values;
	init_seen(encoder, seen);
	return encoder;
}

/* Has a trigger given the column another value? */
static bool
differs(const DynChangeEncoder *encoder, const DynOldRow *old, TupleTableSlot *slot, const DynColumn *column)
{
	int			i = column->attnum - 1;
	Form_pg_attribute attr = TupleDescAttr(old->desc, i);

	if (!encoder->triggers)
		return false;
	if (old->isnull[i] || slot->tts_isnull[i])
		return old->isnull[i] != slot->tts_isnull[i];
	return !datum_image_eq(old->values[i], slot->tts_values[i], attr->attbyval, attr->attlen);
}

/* Sets a feature. */
static void
set_feature(DynChangeEncoder *encoder, const DynColumn *column)
{
	dyn_column_check(encoder->rel->relid, column);
	encoder->set[encoder->update.nset] = column;
	encoder->update.set[encoder->update.nset++] = column->name;
}

/* The feature must be what was read. */
static void
see_feature(DynChangeEncoder *encoder, const DynColumn *column)
{
	for (int i = 0; i < encoder->update.nseen; i++)
		if (encoder->seen[i] == column)
			return;
	encoder->seen[encoder->update.nseen] = column;
	encoder->update.seen[encoder->update.nseen++] = column->name;
}

/* Chooses what the row sets.  What a trigger sets, it may have made of the value that was there. */
static void
choose_columns(DynChangeEncoder *encoder, const DynOldRow *old, TupleTableSlot *slot)
{
	const DynRelation *rel = encoder->rel;
	DynUpdate  *update = &encoder->update;

	update->event_ts = false;
	update->nset = 0;
	update->nseen = encoder->nseen;
	update->seen_event_ts = encoder->seen_event_ts;
	for (int i = 0; i < rel->ncolumns; i++)
	{
		const DynColumn *column = &rel->columns[i];

		if (!encoder->assigned[i] && !differs(encoder, old, slot, column))
			continue;
		if (column->role == DYN_COLUMN_EVENT_TIMESTAMP)
			update->event_ts = true;
		if (column->role == DYN_COLUMN_FEATURE)
			set_feature(encoder, column);
		if (column->role == DYN_COLUMN_FEATURE && encoder->triggers)
			see_feature(encoder, column);
	}
	if (update->event_ts && (rel->latest || encoder->triggers))
		update->seen_event_ts = true;
	if (update->nset > DYN_MAX_UPDATE_FEATURES)
		report_too_many(rel, update->nset, DYN_MAX_UPDATE_FEATURES, "sets");
	if (update->nseen > MAX_SEEN_FEATURES)
		report_too_many(rel, update->nseen, MAX_SEEN_FEATURES, "depends on");
}

/* Raises that a key was changed, which only a trigger can have done: planning sees to the rest. */
static void
check_keys(const DynRelation *rel, const DynOldRow *old, TupleTableSlot *slot)
{
	for (int i = 0; i < rel->nkeys; i++)
	{
		const DynColumn *column = rel->keys[i];
		int			attno = column->attnum - 1;

		if (slot->tts_isnull[attno] ||
			dyn_key_compare(column, old->keys[i], dyn_key_from_datum(column, slot->tts_values[attno])) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("a trigger changed entity key column \"%s\" of feature view \"%s\"", column->sql_name,
							rel->feature_view),
					 errhint("DELETE the row, and INSERT it with the other key.")));
	}
}

/* Encodes values one after the other into `bytes`; they are looked up when all are there, as the buffer moves. */
static void
append_values(DynChangeEncoder *encoder, const DynColumn **columns, int n, const Datum *values, const bool *isnull,
			  size_t *ends)
{
	for (int i = 0; i < n; i++)
	{
		int			attno = columns[i]->attnum - 1;

		dyn_datum_to_value(columns[i], values[attno], isnull[attno], encoder->bytes);
		ends[i] = encoder->bytes->len;
	}
}

/* The value of a column that must still be there may be stored in other bytes than those that we would write. */
static void
find_stored(const DynChangeEncoder *encoder)
{
	const DynUpdate *update = &encoder->update;

	for (int i = 0; encoder->stored && i < update->nseen; i++)
	{
		size_t		len;
		const void *data = dyn_stored_bytes(encoder->stored, &encoder->row.id, encoder->seen[i]->attnum, &len);

		if (data)
			encoder->seen_values[i] = (DynValueBytes) {data, len};
	}
}

/* Points to the values, of which the first begins at `start`; where the last ends. */
static size_t
find_values(const DynChangeEncoder *encoder, DynValueBytes *out, int n, const size_t *ends, size_t start)
{
	for (int i = 0; i < n; i++)
	{
		out[i].data = encoder->bytes->data + start;
		out[i].len = ends[i] - start;
		start = ends[i];
	}
	return start;
}

/* Encodes the values that are set, and those that must still be there. */
static void
encode_values(DynChangeEncoder *encoder, const DynOldRow *old, TupleTableSlot *slot)
{
	DynUpdate  *update = &encoder->update;
	size_t		start;

	dyn_buf_clear(encoder->bytes);
	append_values(encoder, encoder->set, update->nset, slot->tts_values, slot->tts_isnull, encoder->ends);
	append_values(encoder, encoder->seen, update->nseen, old->values, old->isnull, encoder->ends + update->nset);
	start = find_values(encoder, encoder->set_values, update->nset, encoder->ends, 0);
	find_values(encoder, encoder->seen_values, update->nseen, encoder->ends + update->nset, start);
	find_stored(encoder);
}

/* Text of an event time, in `out`; NULL: it is NULL. */
static const char *
event_ts_text(const DynColumn *column, const Datum *values, const bool *isnull, char *out)
{
	if (column == NULL || isnull[column->attnum - 1])
		return NULL;
	dyn_event_ts_from_datum(column, values[column->attnum - 1], out);
	return out;
}

/* The event time that is set, as text in `out`, and when the item expires by it. */
static void
set_event_time(DynChangeEncoder *encoder, TupleTableSlot *slot, char *out)
{
	const DynColumn *column = encoder->rel->event_timestamp;
	DynUpdateRow *row = &encoder->row;

	row->event_ts = event_ts_text(column, slot->tts_values, slot->tts_isnull, out);
	if (row->event_ts)
		row->expires = dyn_expiry_from_event_time(encoder->rel, DatumGetTimestampTz(slot->tts_values[column->attnum - 1]));
}

/* The event time that must still be there, as text; NULL: none. */
static const char *
seen_event_ts(const DynChangeEncoder *encoder, const DynOldRow *old, char *out)
{
	const DynColumn *column = encoder->rel->event_timestamp;
	size_t		len;
	const void *stored = column && encoder->stored ?
		dyn_stored_bytes(encoder->stored, &encoder->row.id, column->attnum, &len) : NULL;

	return stored ? pnstrdup(stored, len) : event_ts_text(column, old->values, old->isnull, out);
}

/* Is the new event time older than the one that is there? */
static bool
is_older(const DynRelation *rel, const DynOldRow *old, TupleTableSlot *slot)
{
	int			i = rel->event_timestamp->attnum - 1;

	return !old->isnull[i] && DatumGetTimestampTz(slot->tts_values[i]) < DatumGetTimestampTz(old->values[i]);
}

/* Raises that the event time is set to NULL, which no item has. */
static void
report_null_event_ts(const DynRelation *rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("null value in event timestamp column \"%s\" of feature view \"%s\"",
					rel->event_timestamp->sql_name, rel->feature_view)));
}

/* Makes the item of the row that was encoded. */
static void
make_item(DynChangeEncoder *encoder, const DynOldRow *old, DynWriteItem *item)
{
	dyn_buf_clear(encoder->body);
	dyn_update_body(encoder->body, &encoder->update, &encoder->row);
	dyn_buf_clear(encoder->key);
	dyn_buf_str(encoder->key, dyn_key_text(encoder->rel, old->keys));
	item->id = encoder->row.id;
	item->event_ts[0] = '\0';
	dyn_scratch_take(encoder->body, &item->body);
	dyn_scratch_take(encoder->key, &item->key);
}

DynChange
dyn_change_encode(DynChangeEncoder *encoder, const DynOldRow *old, const DynEntityId *id, TupleTableSlot *slot,
				  DynWriteItem *item)
{
	const DynRelation *rel = encoder->rel;
	DynUpdateRow *row = &encoder->row;
	char		event_ts[DYN_EVENT_TS_LEN];
	char		old_event_ts[DYN_EVENT_TS_LEN];

	slot_getallattrs(slot);
	check_keys(rel, old, slot);
	choose_columns(encoder, old, slot);
	if (encoder->update.nset == 0 && !encoder->update.event_ts)
		return DYN_CHANGE_NONE;
	set_event_time(encoder, slot, event_ts);
	if (encoder->update.event_ts && row->event_ts == NULL)
		report_null_event_ts(rel);
	if (encoder->update.event_ts && rel->latest && is_older(rel, old, slot))
		return DYN_CHANGE_REFUSED;
	row->id = *id;
	row->seen_event_ts = seen_event_ts(encoder, old, old_event_ts);
	encode_values(encoder, old, slot);
	make_item(encoder, old, item);
	return DYN_CHANGE_MADE;
}

List *
dyn_change_seen_attnums(const DynChangeEncoder *encoder)
{
	const DynRelation *rel = encoder->rel;
	List	   *attnums = NIL;

	for (int i = 0; i < encoder->nseen; i++)
		attnums = lappend_int(attnums, encoder->seen[i]->attnum);
	if (rel->event_timestamp && (encoder->seen_event_ts || rel->latest))
		attnums = lappend_int(attnums, rel->event_timestamp->attnum);
	for (int i = 0; encoder->triggers && i < rel->ncolumns; i++)
		if (rel->columns[i].role == DYN_COLUMN_FEATURE || rel->columns[i].role == DYN_COLUMN_EVENT_TIMESTAMP)
			attnums = list_append_unique_int(attnums, rel->columns[i].attnum);
	return attnums;
}
