/*
 * convert_write.c
 *	  Datums to Feast's value bytes and event timestamps.
 */
#include "pg/util/export.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "core/feast_json.h"
#include "core/feast_time.h"
#include "core/feast_value.h"
#include "pg/convert/convert.h"
#include "pg/util/compat.h"
#include "pg/util/error.h"
#include "pg/util/scratch.h"
#include "pg/util/text.h"

/* A column's value that is being written. */
typedef struct Writer
{
	const DynColumn *column;
	DynArena   *arena;			/* of all that comes from JSON; NULL until something does */
} Writer;

/* ---- scalars ---- */

/* Raises 22003 where the column's INT32 is narrower than its SQL type. */
static void
write_integer(const DynColumn *column, int64 integer, DynValue *value)
{
	if (value->type == DYN_FEAST_INT32 && (integer < PG_INT32_MIN || integer > PG_INT32_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value " INT64_FORMAT " of column \"%s\" is out of range for value type INT32", integer,
						column->sql_name)));
	value->u.integer = integer;
}

/*
 * Whole seconds since 1970; a fraction is cut off toward zero, as Feast does it.
 * The timestamp is UTC. Raises for infinity, which Feast does not have.
 */
static void
write_time(const DynColumn *column, Timestamp timestamp, DynValue *value)
{
	int64		seconds;

	if (TIMESTAMP_NOT_FINITE(timestamp))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("infinite timestamp in column \"%s\" cannot be stored", column->sql_name)));
	/* the sum of both in microseconds can be too large */
	seconds = timestamp / USECS_PER_SEC + DYN_EPOCH_DIFF_SECONDS;
	if (seconds < 0 && timestamp % USECS_PER_SEC > 0)
		seconds++;
	else if (seconds > 0 && timestamp % USECS_PER_SEC < 0)
		seconds--;
	if (value->type == DYN_FEAST_ZONED_TIMESTAMP)
	{
		value->u.zoned.seconds = seconds;
		value->u.zoned.zone = (const uint8_t *) "UTC";
		value->u.zoned.zone_len = 3;
	}
	else
		value->u.integer = seconds;
}

/* The first moment of a day; infinity stays infinite. Raises for a day after the last timestamp. */
static Timestamp
date_to_timestamp(const DynColumn *column, DateADT date)
{
	if (DATE_IS_NOBEGIN(date))
		return DT_NOBEGIN;
	if (DATE_IS_NOEND(date))
		return DT_NOEND;
	if (date >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date in column \"%s\" is out of range for a timestamp", column->sql_name)));
	return DatumGetTimestamp(DirectFunctionCall1(date_timestamp, DateADTGetDatum(date)));
}

/* Sets bytes or text, which stay where they are. */
static void
point_to(const void *data, size_t len, DynValue *value)
{
	value->u.bytes.data = data;
	value->u.bytes.len = len;
}

/* Text of every kind is stored in UTF-8. */
static void
write_text(Datum datum, DynValue *value)
{
	size_t		len;
	const char *utf8 = dyn_text_to_utf8((text *) PG_DETOAST_DATUM_PACKED(datum), &len);

	point_to(utf8, len, value);
}

/* What Feast stores of PDF_BYTES and IMAGE_BYTES is BYTES, too. */
static void
write_bytea(Datum datum, DynValue *value)
{
	struct varlena *bytes = PG_DETOAST_DATUM_PACKED(datum);

	value->type = DYN_FEAST_BYTES;
	point_to(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), value);
}

/* The text that the type's output function makes, in UTF-8. */
static void
write_by_output(Oid type, Datum datum, DynValue *value)
{
	Oid			output;
	bool		is_varlena;
	const char *utf8;

	getTypeOutputInfo(type, &output, &is_varlena);
	utf8 = dyn_cstring_to_utf8(OidOutputFunctionCall(output, datum));
	point_to(utf8, strlen(utf8), value);
}

/*
 * json or jsonb to a value that has a JSON form (feast_json.h), such as a MAP.
 * Its parts are in the writer's arena, which the current context owns.  Raises
 * 22023 where the JSON is not that form.
 */
static void
write_json_form(Writer *writer, Oid type, Datum datum, DynValue *value)
{
	DynFeastType feast_type = value->type;
	const char *why;

	if (writer->arena == NULL)
		writer->arena = dyn_scratch_arena(CurrentMemoryContext);
	write_by_output(type, datum, value);
	if (dyn_json_to_value((const char *) value->u.bytes.data, value->u.bytes.len, feast_type, value, writer->arena,
						  &why))
		return;
	if (why == NULL)
		dyn_report_no_memory();
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("JSON in column \"%s\" is not a %s", writer->column->sql_name,
					dyn_feast_type_name(feast_type)),
			 errdetail("%c%s.", pg_toupper((unsigned char) why[0]), why + 1)));
}

/* uuid, numeric, json, jsonb, enums: stored as the text that SQL shows, or by their JSON form. */
static void
write_other(Writer *writer, Oid type, Datum datum, DynValue *value)
{
	if ((type == JSONOID || type == JSONBOID) && value->type != DYN_FEAST_JSON)
		write_json_form(writer, type, datum, value);
	else
		write_by_output(type, datum, value);
}

/*
 * A value of base type `type`: the column's, or its elements'.  It becomes one of
 * `feast_type`, which type_map.c found to go with it, and points into `datum` or
 * into memory of the current context.
 */
static void
write_scalar(Writer *writer, Oid type, DynFeastType feast_type, Datum datum, DynValue *value)
{
	const DynColumn *column = writer->column;

	memset(value, 0, sizeof(*value));
	value->type = feast_type;
	switch (type)
	{
		case INT2OID:
			write_integer(column, DatumGetInt16(datum), value);
			break;
		case INT4OID:
			write_integer(column, DatumGetInt32(datum), value);
			break;
		case INT8OID:
			write_integer(column, DatumGetInt64(datum), value);
			break;
		case FLOAT8OID:
			value->u.real = DatumGetFloat8(datum);
			break;
		case FLOAT4OID:
			value->u.single = DatumGetFloat4(datum);
			break;
		case BOOLOID:
			value->u.boolean = DatumGetBool(datum);
			break;
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
			write_time(column, DatumGetTimestamp(datum), value);
			break;
		case DATEOID:
			write_time(column, date_to_timestamp(column, DatumGetDateADT(datum)), value);
			break;
		case BYTEAOID:
			write_bytea(datum, value);
			break;
		case TEXTOID:
		case VARCHAROID:
			write_text(datum, value);
			break;
		default:
			write_other(writer, type, datum, value);
			break;
	}
}

/* ---- arrays ---- */

/* NaN equals NaN and is the largest, as in SQL; 0 equals -0. */
static int
compare_reals(double a, double b)
{
	if (isnan(a) || isnan(b))
		return !!isnan(a) - !!isnan(b);
	return (a > b) - (a < b);
}

/* Byte by byte; a beginning of the other one is smaller. */
static int
compare_bytes(const DynValue *a, const DynValue *b)
{
	size_t		len = Min(a->u.bytes.len, b->u.bytes.len);
	int			c = len > 0 ? memcmp(a->u.bytes.data, b->u.bytes.data, len) : 0;

	return c != 0 ? c : (a->u.bytes.len > b->u.bytes.len) - (a->u.bytes.len < b->u.bytes.len);
}

/*
 * Some total order of values of one scalar type; 0: equal.  Texts are compared
 * as they are stored, so 1.0 and 1.00 of type DECIMAL differ.
 */
static int
compare_elements(const DynValue *a, const DynValue *b)
{
	if (dyn_feast_type_shape(a->type) == DYN_SHAPE_BYTES)
		return compare_bytes(a, b);
	switch (a->type)
	{
		case DYN_FEAST_DOUBLE:
			return compare_reals(a->u.real, b->u.real);
		case DYN_FEAST_FLOAT:
			return compare_reals(a->u.single, b->u.single);
		case DYN_FEAST_BOOL:
			return a->u.boolean - b->u.boolean;
		default:
			return (a->u.integer > b->u.integer) - (a->u.integer < b->u.integer);
	}
}

/* Order of pointers to elements: equal ones stay in the order in which they stand. */
static int
compare_places(const void *a, const void *b, void *arg)
{
	const DynValue *x = *(DynValue *const *) a;
	const DynValue *y = *(DynValue *const *) b;
	int			c = compare_elements(x, y);

	return c != 0 ? c : (x > y) - (x < y);
}

/*
 * Leaves each element of a set once, in the order in which the first of each
 * stands.  Repeats are marked by type NONE, from the end of the sorted ones, so
 * that the two that are compared are not yet marked.
 */
static void
drop_repeats(DynValue *list)
{
	size_t		n = list->u.list.count;
	DynValue  **sorted = palloc(sizeof(DynValue *) * Max(n, 1));
	size_t		kept = 0;

	for (size_t i = 0; i < n; i++)
		sorted[i] = &list->u.list.items[i];
	qsort_interruptible(sorted, n, sizeof(DynValue *), compare_places, NULL);
	for (size_t i = n; i > 1; i--)
		if (compare_elements(sorted[i - 2], sorted[i - 1]) == 0)
			sorted[i - 1]->type = DYN_FEAST_NONE;
	for (size_t i = 0; i < n; i++)
		if (list->u.list.items[i].type != DYN_FEAST_NONE)
			list->u.list.items[kept++] = list->u.list.items[i];
	list->u.list.count = kept;
}

/* Fills list->u.list.items. Raises for a NULL, which Feast's lists and sets don't have. */
static void
write_elements(Writer *writer, const Datum *elements, const bool *nulls, int n, DynValue *list)
{
	const DynColumn *column = writer->column;
	DynFeastType feast_type = dyn_feast_type_element(column->feast_type);

	list->u.list.count = n;
	list->u.list.items = palloc(sizeof(DynValue) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("array in column \"%s\" contains a NULL, which %s has not", column->sql_name,
							dyn_feast_type_name(column->feast_type)),
					 errhint("Take it out with array_remove(..., NULL), or put a value in its place with array_replace.")));
		write_scalar(writer, column->element_base_type, feast_type, elements[i], &list->u.list.items[i]);
	}
}

/* A list or a set, in the current context, from an array of one dimension or none. */
static void
write_array(Writer *writer, Datum datum, DynValue *list)
{
	const DynColumn *column = writer->column;
	ArrayType  *array = DatumGetArrayTypeP(datum);
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array in column \"%s\" has more than one dimension, which %s has not", column->sql_name,
						dyn_feast_type_name(column->feast_type))));
	get_typlenbyvalalign(column->element_type, &typlen, &typbyval, &typalign);
	deconstruct_array(array, column->element_type, typlen, typbyval, typalign, &elements, &nulls, &n);
	memset(list, 0, sizeof(*list));
	list->type = column->feast_type;
	write_elements(writer, elements, nulls, n, list);
	if (dyn_feast_type_set_of(dyn_feast_type_element(list->type)) == column->feast_type)
		drop_repeats(list);
}

/* ---- items ---- */

void
dyn_datum_to_value(const DynColumn *column, Datum datum, bool isnull, DynBuf *out)
{
	Writer		writer = {column, NULL};
	DynValue	value;

	if (isnull)
		return;
	if (OidIsValid(column->element_type))
		write_array(&writer, datum, &value);
	else
		write_scalar(&writer, column->base_type, column->feast_type, datum, &value);
	if (!dyn_feast_value_encode(out, &value))
		dyn_report_no_memory();
}

void
dyn_event_ts_from_datum(const DynColumn *column, Datum value, char *out)
{
	TimestampTz ts = DatumGetTimestampTz(value);

	if (TIMESTAMP_NOT_FINITE(ts) || ts > PG_INT64_MAX - DYN_EPOCH_DIFF_MICROS ||
		!dyn_event_ts_format(ts + DYN_EPOCH_DIFF_MICROS, out))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("event timestamp in column \"%s\" is out of range", column ? column->sql_name : "event_ts"),
				 errhint("Feast has the years 1 to 9999.")));
}

int64
dyn_expiry_from_event_time(const DynRelation *rel, TimestampTz time)
{
	int64		micros = time + DYN_EPOCH_DIFF_MICROS + rel->ttl;

	return micros / USECS_PER_SEC + (micros % USECS_PER_SEC > 0 ? 1 : 0);
}
