/*
 * convert.c
 *	  Datums to and from Feast's values, keys and event timestamps.
 */
#include "pg/export.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "core/feast_time.h"
#include "core/feast_value.h"
#include "pg/compat.h"
#include "pg/convert.h"

/* Seconds between 1970, Unix's epoch, and 2000, PostgreSQL's. */
#define EPOCH_DIFF_SECONDS ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)
#define EPOCH_DIFF_MICROS (EPOCH_DIFF_SECONDS * USECS_PER_SEC)

/* ---- text ---- */

static text *
text_from_utf8(const uint8_t *data, size_t len)
{
	char	   *converted = pg_any_to_server((const char *) data, (int) len, PG_UTF8);

	if (converted == (const char *) data)
		return cstring_to_text_with_len((const char *) data, (int) len);
	return cstring_to_text(converted);
}

/* The bytes of a text in UTF-8; owned by the current context or the text. */
static const char *
text_to_utf8(const text *value, size_t *len)
{
	const char *data = VARDATA_ANY(value);
	char	   *converted = pg_server_to_any(data, VARSIZE_ANY_EXHDR(value), PG_UTF8);

	*len = converted == data ? VARSIZE_ANY_EXHDR(value) : strlen(converted);
	return converted;
}

/* ---- keys ---- */

static bool
key_is_varlena(const DynColumn *column)
{
	return column->base_type == TEXTOID || column->base_type == VARCHAROID || column->base_type == BYTEAOID;
}

Datum
dyn_key_from_datum(const DynColumn *column, Datum value)
{
	if (key_is_varlena(column))
		return PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	if (column->base_type == INT4OID)
		return Int64GetDatum(DatumGetInt32(value));
	return Int64GetDatum(DatumGetInt64(value));
}

Datum
dyn_key_to_datum(const DynColumn *column, Datum key)
{
	if (column->base_type == INT4OID)
		return Int32GetDatum((int32) DatumGetInt64(key));
	return key;
}

bool
dyn_key_storable(const DynColumn *column, Datum key)
{
	int64		integer;

	if (key_is_varlena(column))
		return true;
	integer = DatumGetInt64(key);
	if (column->base_type == TIMESTAMPTZOID)
		return !TIMESTAMP_NOT_FINITE(integer) && integer % USECS_PER_SEC == 0;
	if (column->base_type == INT4OID || column->feast_type == DYN_FEAST_INT32)
		return integer >= PG_INT32_MIN && integer <= PG_INT32_MAX;
	return true;
}

bool
dyn_key_equal(const DynColumn *column, Datum a, Datum b)
{
	struct varlena *x;
	struct varlena *y;

	if (!key_is_varlena(column))
		return DatumGetInt64(a) == DatumGetInt64(b);
	x = (struct varlena *) DatumGetPointer(a);
	y = (struct varlena *) DatumGetPointer(b);
	return VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y) &&
		memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
}

static void
key_part(const DynColumn *column, Datum key, DynKeyPart *part)
{
	part->name = column->name;
	part->type = column->feast_type;
	if (column->base_type == BYTEAOID)
	{
		part->data = VARDATA_ANY(DatumGetPointer(key));
		part->len = VARSIZE_ANY_EXHDR(DatumGetPointer(key));
	}
	else if (key_is_varlena(column))
		part->data = text_to_utf8((text *) DatumGetPointer(key), &part->len);
	else if (column->base_type == TIMESTAMPTZOID)
		part->integer = DatumGetInt64(key) / USECS_PER_SEC + EPOCH_DIFF_SECONDS;
	else
		part->integer = DatumGetInt64(key);
}

void
dyn_key_id(const DynRelation *rel, const Datum *keys, DynBuf *scratch, DynEntityId *id)
{
	DynKeyPart	parts[DYN_MAX_KEYS] = {{0}};
	int			nparts = rel->nkeys;

	for (int i = 0; i < rel->nkeys; i++)
		key_part(rel->keys[i], keys[i], &parts[i]);
	if (nparts == 0)
	{
		/* an entityless view's row: what Feast's materialize writes */
		parts[0].name = DYN_DUMMY_JOIN_KEY;
		parts[0].type = DYN_FEAST_STRING;
		parts[0].data = "";
		nparts = 1;
	}
	if (!dyn_feast_key_id(id, scratch, rel->key_version, parts, nparts))
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

static char *
datum_text(Oid type, Datum value)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

char *
dyn_key_text(const DynRelation *rel, const Datum *keys)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < rel->nkeys; i++)
	{
		const DynColumn *column = rel->keys[i];

		appendStringInfo(&text, "%s%s = %s", i > 0 ? ", " : "", column->sql_name,
						 datum_text(column->base_type, dyn_key_to_datum(column, keys[i])));
	}
	return rel->nkeys > 0 ? text.data : pstrdup("none, the view is entityless");
}

/* ---- reading ---- */

/* The row holds something that the column cannot: says what and where. */
static void
report_stored(const DynRelation *rel, const DynColumn *column, const Datum *keys, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
			 column->role == DYN_COLUMN_EVENT_TIMESTAMP ?
			 errmsg("feature view \"%s\": the stored event timestamp of column \"%s\" %s",
					rel->feature_view, column->sql_name, what) :
			 errmsg("feature view \"%s\": the stored value of column \"%s\" %s, expected is %s",
					rel->feature_view, column->sql_name, what, dyn_feast_type_name(column->feast_type)),
			 errdetail("Entity key: %s. Remote table: \"%s\".", dyn_key_text(rel, keys), rel->remote.table)));
}

/* As a plain value of the column's type; its domain may still say no. */
static Datum
timestamp_from_unix(const DynColumn *column, int64 seconds)
{
	Timestamp	result;

	if (pg_sub_s64_overflow(seconds, EPOCH_DIFF_SECONDS, &result) ||
		pg_mul_s64_overflow(result, USECS_PER_SEC, &result) || !IS_VALID_TIMESTAMP(result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("stored timestamp of column \"%s\" is out of range", column->sql_name),
				 errdetail("It is " INT64_FORMAT " seconds since 1970.", seconds)));
	return TimestampTzGetDatum(result);
}

/* Reading is lenient where nothing is lost: any stored integer that fits. */
static bool
integer_from_value(const DynColumn *column, const DynValue *stored, Datum *value)
{
	if (stored->type != DYN_FEAST_INT32 && stored->type != DYN_FEAST_INT64)
		return false;
	if (column->base_type == INT8OID)
		*value = Int64GetDatum(stored->u.integer);
	else if (stored->u.integer >= PG_INT32_MIN && stored->u.integer <= PG_INT32_MAX)
		*value = Int32GetDatum((int32) stored->u.integer);
	else
		return false;
	return true;
}

/* False: the stored type does not go with the column. */
static bool
datum_from_value(const DynColumn *column, const DynValue *stored, Datum *value)
{
	switch (column->base_type)
	{
		case INT4OID:
		case INT8OID:
			return integer_from_value(column, stored, value);
		case FLOAT8OID:
			if (stored->type == DYN_FEAST_FLOAT)
				*value = Float8GetDatum(stored->u.single);
			else
				*value = Float8GetDatum(stored->u.real);
			return stored->type == DYN_FEAST_DOUBLE || stored->type == DYN_FEAST_FLOAT;
		case FLOAT4OID:
			*value = Float4GetDatum(stored->u.single);
			return stored->type == DYN_FEAST_FLOAT;
		case BOOLOID:
			*value = BoolGetDatum(stored->u.boolean);
			return stored->type == DYN_FEAST_BOOL;
		case TEXTOID:
		case VARCHAROID:
			if (stored->type == DYN_FEAST_STRING)
				*value = PointerGetDatum(text_from_utf8(stored->u.bytes.data, stored->u.bytes.len));
			return stored->type == DYN_FEAST_STRING;
		case BYTEAOID:
			if (stored->type == DYN_FEAST_BYTES)
				*value = PointerGetDatum(cstring_to_text_with_len((const char *) stored->u.bytes.data,
																  (int) stored->u.bytes.len));
			return stored->type == DYN_FEAST_BYTES;
		case TIMESTAMPTZOID:
			if (stored->type == DYN_FEAST_UNIX_TIMESTAMP)
				*value = timestamp_from_unix(column, stored->u.integer);
			return stored->type == DYN_FEAST_UNIX_TIMESTAMP;
		default:
			return false;
	}
}

static bool
event_ts_to_datum(const DynRelation *rel, const DynColumn *column, const DynAttr *attr, const Datum *keys,
				  Datum *value)
{
	int64		micros;

	switch (dyn_event_ts_parse((const char *) attr->data, attr->len, &micros))
	{
		case DYN_EVENT_TS_NAT:
			return false;
		case DYN_EVENT_TS_OK:
			*value = TimestampTzGetDatum(micros - EPOCH_DIFF_MICROS);
			return true;
		case DYN_EVENT_TS_BAD:
			break;
	}
	report_stored(rel, column, keys, "is not a date and time");
	return false;
}

bool
dyn_datum_from_item(const DynRelation *rel, DynColumn *column, const DynAttr *attr, const Datum *keys,
					Datum *value)
{
	DynValue	stored;

	if (attr->state == DYN_ATTR_ABSENT)
		return false;
	if (attr->state == DYN_ATTR_WRONG_TYPE)
		report_stored(rel, column, keys, "was not written by Feast");
	if (column->role == DYN_COLUMN_EVENT_TIMESTAMP)
		return event_ts_to_datum(rel, column, attr, keys, value);
	dyn_arena_clear(rel->arena);
	switch (dyn_feast_value_decode(attr->data, attr->len, &stored, rel->arena))
	{
		case DYN_DECODE_OK:
			break;
		case DYN_DECODE_BAD:
			report_stored(rel, column, keys, "cannot be decoded");
			break;
		case DYN_DECODE_NO_MEMORY:
			ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
			break;
	}
	if (stored.type == DYN_FEAST_NONE)
		return false;
	/* pandas' NaT, which Feast stores for a missing timestamp */
	if (stored.type == DYN_FEAST_UNIX_TIMESTAMP && stored.u.integer == PG_INT64_MIN)
		return false;
	if (!datum_from_value(column, &stored, value))
		report_stored(rel, column, keys, psprintf("is %s", dyn_feast_type_name(stored.type)));
	if (column->type != column->base_type)
		domain_check(*value, false, column->type, &column->domain_check, rel->context);
	return true;
}

/* ---- writing ---- */

/* Whole seconds; a fraction goes toward zero, as in Feast. */
static int64
unix_from_timestamp(const DynColumn *column, TimestampTz value)
{
	if (TIMESTAMP_NOT_FINITE(value))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("infinite timestamp in column \"%s\" cannot be stored", column->sql_name)));
	return (value + EPOCH_DIFF_MICROS) / USECS_PER_SEC;
}

static void
set_integer(const DynColumn *column, int64 integer, DynValue *value)
{
	if (column->feast_type == DYN_FEAST_INT32 && (integer < PG_INT32_MIN || integer > PG_INT32_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value " INT64_FORMAT " of column \"%s\" is out of range for value type INT32", integer,
						column->sql_name)));
	value->u.integer = integer;
}

void
dyn_datum_to_value(const DynColumn *column, Datum datum, bool isnull, DynBuf *out)
{
	DynValue	value = {0};
	struct varlena *bytes;
	size_t		len;

	if (isnull)
		return;
	value.type = column->base_type == BYTEAOID ? DYN_FEAST_BYTES : column->feast_type;
	switch (column->base_type)
	{
		case INT4OID:
			set_integer(column, DatumGetInt32(datum), &value);
			break;
		case INT8OID:
			set_integer(column, DatumGetInt64(datum), &value);
			break;
		case FLOAT8OID:
			value.u.real = DatumGetFloat8(datum);
			break;
		case FLOAT4OID:
			value.u.single = DatumGetFloat4(datum);
			break;
		case BOOLOID:
			value.u.boolean = DatumGetBool(datum);
			break;
		case TIMESTAMPTZOID:
			value.u.integer = unix_from_timestamp(column, DatumGetTimestampTz(datum));
			break;
		case BYTEAOID:
			bytes = PG_DETOAST_DATUM_PACKED(datum);
			value.u.bytes.data = (const uint8_t *) VARDATA_ANY(bytes);
			value.u.bytes.len = VARSIZE_ANY_EXHDR(bytes);
			break;
		default:
			bytes = PG_DETOAST_DATUM_PACKED(datum);
			value.u.bytes.data = (const uint8_t *) text_to_utf8((text *) bytes, &len);
			value.u.bytes.len = len;
			break;
	}
	if (!dyn_feast_value_encode(out, &value))
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

void
dyn_event_ts_from_datum(const DynColumn *column, Datum value, char *out)
{
	TimestampTz ts = DatumGetTimestampTz(value);

	if (TIMESTAMP_NOT_FINITE(ts) || !dyn_event_ts_format(ts + EPOCH_DIFF_MICROS, out))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("event timestamp in column \"%s\" is out of range", column ? column->sql_name : "event_ts"),
				 errhint("Feast has the years 1 to 9999.")));
}
