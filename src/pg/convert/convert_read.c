/*
 * convert_read.c
 *	  Stored values to Datums: lenient where nothing is lost, an error that
 *	  names column and entity key where something would be.
 */
#include "pg/util/export.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "core/ddb_op.h"
#include "core/feast_json.h"
#include "core/feast_time.h"
#include "core/feast_value.h"
#include "pg/convert/convert.h"
#include "pg/util/compat.h"
#include "pg/util/scratch.h"
#include "pg/util/text.h"

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

/* Of a value: for messages. */
typedef struct Place
{
	const DynRelation *rel;
	const DynColumn *column;
	const Datum *keys;
} Place;

/* pandas' NaT, which Feast stores for a missing timestamp: SQL NULL. */
static bool
is_nat(const DynValue *stored)
{
	return (stored->type == DYN_FEAST_UNIX_TIMESTAMP && stored->u.integer == PG_INT64_MIN) ||
		(stored->type == DYN_FEAST_ZONED_TIMESTAMP && stored->u.zoned.seconds == PG_INT64_MIN);
}

/* ---- scalars; each returns false where the stored type does not go with the SQL type ---- */

static bool
is_integer(const DynValue *stored)
{
	return stored->type == DYN_FEAST_INT32 || stored->type == DYN_FEAST_INT64;
}

/* Any stored integer that fits. */
static bool
read_integer(Oid type, const DynValue *stored, Datum *value)
{
	int64		integer = stored->u.integer;

	if (!is_integer(stored))
		return false;
	if (type == INT8OID)
		*value = Int64GetDatum(integer);
	else if (type == INT4OID && integer >= PG_INT32_MIN && integer <= PG_INT32_MAX)
		*value = Int32GetDatum((int32) integer);
	else if (type == INT2OID && integer >= PG_INT16_MIN && integer <= PG_INT16_MAX)
		*value = Int16GetDatum((int16) integer);
	else
		return false;
	return true;
}

static bool
real_from_value(Oid type, const DynValue *stored, Datum *value)
{
	if (type == FLOAT4OID)
	{
		*value = Float4GetDatum(stored->u.single);
		return stored->type == DYN_FEAST_FLOAT;
	}
	if (stored->type == DYN_FEAST_FLOAT)
		*value = Float8GetDatum(stored->u.single);
	else
		*value = Float8GetDatum(stored->u.real);
	return stored->type == DYN_FEAST_DOUBLE || stored->type == DYN_FEAST_FLOAT;
}

static void
report_range(const DynColumn *column, int64 seconds)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("stored timestamp of column \"%s\" is out of range", column->sql_name),
			 errdetail("It is " INT64_FORMAT " seconds since 1970.", seconds)));
}

/* date and timestamp are UTC; a date is the first second of its day */
static bool
read_time(const DynColumn *column, Oid type, int feast_type, const DynValue *stored, Datum *value)
{
	int64		seconds = stored->type == DYN_FEAST_ZONED_TIMESTAMP ? stored->u.zoned.seconds : stored->u.integer;
	Timestamp	result;

	/* the zone is given up only where value_type says that there may be one */
	if (stored->type != DYN_FEAST_UNIX_TIMESTAMP && (stored->type != DYN_FEAST_ZONED_TIMESTAMP ||
													 feast_type != DYN_FEAST_ZONED_TIMESTAMP))
		return false;
	if (type == DATEOID && seconds % SECS_PER_DAY != 0)
		return false;
	if (pg_sub_s64_overflow(seconds, DYN_EPOCH_DIFF_SECONDS, &result) ||
		pg_mul_s64_overflow(result, USECS_PER_SEC, &result) || !IS_VALID_TIMESTAMP(result))
		report_range(column, seconds);
	if (type == DATEOID)
		*value = DirectFunctionCall1(timestamp_date, TimestampGetDatum(result));
	else
		*value = TimestampTzGetDatum(result);
	return true;
}

static bool
is_text(const DynValue *stored)
{
	return dyn_feast_type_shape(stored->type) == DYN_SHAPE_BYTES && stored->type != DYN_FEAST_BYTES;
}

static Datum
call_input(Oid type, const uint8_t *utf8, size_t len)
{
	Oid			input;
	Oid			ioparam;

	getTypeInputInfo(type, &input, &ioparam);
	return OidInputFunctionCall(input, dyn_cstring_from_utf8(utf8, len), ioparam, -1);
}

/* A map, or what else has a JSON form (feast_json.h), if the column is for its like. */
static bool
read_json_form(Oid type, int feast_type, const DynValue *stored, Datum *value)
{
	DynBuf	   *json;

	if (dyn_feast_type_shape(stored->type) != dyn_feast_type_shape(feast_type))
		return false;
	json = dyn_scratch_new(CurrentMemoryContext);
	if (!dyn_value_to_json(stored, json))
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	*value = call_input(type, (uint8_t *) json->data, json->len);
	dyn_buf_free(json);
	return true;
}

/* Text that the type's input function reads: uuid, numeric, json, jsonb, enums. */
static bool
read_by_input(Oid type, int feast_type, const DynValue *stored, Datum *value)
{
	bool		fits;

	switch (type)
	{
		case UUIDOID:
			fits = stored->type == DYN_FEAST_UUID || stored->type == DYN_FEAST_TIME_UUID;
			break;
		case NUMERICOID:
			fits = stored->type == DYN_FEAST_DECIMAL;
			break;
		case JSONOID:
		case JSONBOID:
			if (feast_type != DYN_FEAST_JSON)
				return read_json_form(type, feast_type, stored, value);
			fits = stored->type == DYN_FEAST_JSON;
			break;
		default:				/* an enum */
			fits = stored->type == DYN_FEAST_STRING;
			break;
	}
	if (fits)
		*value = call_input(type, stored->u.bytes.data, stored->u.bytes.len);
	return fits;
}

/* `feast_type` is what the column expects; most SQL types tell by themselves. */
static bool
scalar_from_value(const DynColumn *column, Oid type, int feast_type, const DynValue *stored, Datum *value)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return read_integer(type, stored, value);
		case FLOAT4OID:
		case FLOAT8OID:
			return real_from_value(type, stored, value);
		case BOOLOID:
			*value = BoolGetDatum(stored->u.boolean);
			return stored->type == DYN_FEAST_BOOL;
		case TEXTOID:
		case VARCHAROID:
			if (is_text(stored))
				*value = PointerGetDatum(dyn_text_from_utf8(stored->u.bytes.data, stored->u.bytes.len));
			return is_text(stored);
		case BYTEAOID:
			if (stored->type == DYN_FEAST_BYTES)
				*value = PointerGetDatum(cstring_to_text_with_len((const char *) stored->u.bytes.data,
																  (int) stored->u.bytes.len));
			return stored->type == DYN_FEAST_BYTES;
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
		case DATEOID:
			return read_time(column, type, feast_type, stored, value);
		default:
			return read_by_input(type, feast_type, stored, value);
	}
}

/* ---- what the declared type asks for beyond its base type ---- */

/* varchar(n), numeric(p, s) and timestamptz(p): raises where something would be lost. */
static Datum
fit_typmod(const DynColumn *column, Datum value)
{
	if (!OidIsValid(column->typmod_function))
		return value;
	return OidFunctionCall3(column->typmod_function, value, Int32GetDatum(column->typmod), BoolGetDatum(false));
}

static void
check_domain(const DynRelation *rel, DynColumn *column, Datum value, bool isnull)
{
	if (column->type != column->base_type)
		domain_check(value, isnull, column->type, &column->domain_check, rel->context);
}

static void
check_element_domain(const DynRelation *rel, DynColumn *column, Datum value, bool isnull)
{
	if (column->element_type != column->element_base_type)
		domain_check(value, isnull, column->element_type, &column->element_check, rel->context);
}

/* ---- arrays ---- */

/* Lists and sets alike: the elements in the order they are stored. An empty one has no type to differ. */
static bool
array_from_value(const DynRelation *rel, DynColumn *column, const DynValue *stored, Datum *value)
{
	size_t		n = stored->u.list.count;
	Datum	   *elements;
	bool	   *nulls;
	int			dims[1];
	int			lower[1] = {1};
	int16		typlen;
	bool		typbyval;
	char		typalign;

	if (dyn_feast_type_shape(stored->type) != dyn_feast_type_shape(column->feast_type))
		return false;
	elements = palloc0(sizeof(Datum) * Max(n, 1));
	nulls = palloc(sizeof(bool) * Max(n, 1));
	for (size_t i = 0; i < n; i++)
	{
		nulls[i] = is_nat(&stored->u.list.items[i]);
		if (!nulls[i] && !scalar_from_value(column, column->element_base_type, dyn_feast_type_element(column->feast_type),
									  &stored->u.list.items[i], &elements[i]))
			return false;
		if (!nulls[i])
			elements[i] = fit_typmod(column, elements[i]);
		check_element_domain(rel, column, elements[i], nulls[i]);
	}
	get_typlenbyvalalign(column->element_type, &typlen, &typbyval, &typalign);
	dims[0] = (int) n;
	*value = n == 0 ? PointerGetDatum(construct_empty_array(column->element_type)) :
		PointerGetDatum(construct_md_array(elements, nulls, 1, dims, lower, column->element_type, typlen, typbyval,
										   typalign));
	return true;
}

/* ---- items ---- */

/* Is it a number of the right kind that the SQL type has no room for? */
static bool
is_unfit_number(Oid type, const DynValue *stored)
{
	Datum		unused;

	if (type == INT2OID || type == INT4OID)
		return is_integer(stored) && !read_integer(type, stored, &unused);
	return type == DATEOID && stored->type == DYN_FEAST_UNIX_TIMESTAMP && !is_nat(stored) &&
		stored->u.integer % SECS_PER_DAY != 0;
}

/* What is stored instead of what the column expects, for report_stored(). */
static char *
describe(const DynColumn *column, const DynValue *stored)
{
	bool		list = dyn_feast_type_shape(stored->type) == DYN_SHAPE_LIST;
	const DynValue *items = list ? stored->u.list.items : stored;
	size_t		n = list ? stored->u.list.count : 1;
	Oid			type = list ? column->element_base_type : column->base_type;
	const char *name = dyn_feast_type_name(stored->type);

	for (size_t i = 0; i < n; i++)
		if (is_unfit_number(type, &items[i]))
			return psprintf("is %s with " INT64_FORMAT ", which type %s cannot hold", name, items[i].u.integer,
							format_type_be(type));
	return psprintf("is %s", name);
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
			*value = fit_typmod(column, TimestampTzGetDatum(micros - DYN_EPOCH_DIFF_MICROS));
			return true;
		case DYN_EVENT_TS_BAD:
			break;
	}
	report_stored(rel, column, keys, "is not a date and time");
	return false;
}

static void
decode(const DynRelation *rel, const DynColumn *column, const DynAttr *attr, const Datum *keys, DynValue *stored)
{
	/* what it decodes to may take many times its length */
	if (attr->len > DYN_MAX_ITEM_BYTES)
		report_stored(rel, column, keys, "is longer than an item of DynamoDB can be");
	dyn_arena_clear(rel->arena);
	switch (dyn_feast_value_decode(attr->data, attr->len, stored, rel->arena))
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
}

static bool
value_to_datum(const DynRelation *rel, DynColumn *column, const DynAttr *attr, const Datum *keys, Datum *value)
{
	DynValue	stored;
	bool		fits;

	decode(rel, column, attr, keys, &stored);
	if (stored.type == DYN_FEAST_NONE || is_nat(&stored))
		return false;
	fits = OidIsValid(column->element_type) ?
		array_from_value(rel, column, &stored, value) :
		scalar_from_value(column, column->base_type, column->feast_type, &stored, value);
	if (!fits)
		report_stored(rel, column, keys, describe(column, &stored));
	if (!OidIsValid(column->element_type))
		*value = fit_typmod(column, *value);
	return true;
}

/* Says where a value stands that the server's own functions object to; report_stored() says it itself. */
static void
say_where(void *arg)
{
	const Place *place = arg;

	if (geterrcode() != ERRCODE_FDW_INVALID_DATA_TYPE)
		errcontext("column \"%s\" of feature view \"%s\", entity key: %s", place->column->sql_name,
				   place->rel->feature_view, dyn_key_text(place->rel, place->keys));
}

bool
dyn_datum_from_item(const DynRelation *rel, DynColumn *column, const DynAttr *attr, const Datum *keys,
					Datum *value)
{
	Place		place = {rel, column, keys};
	ErrorContextCallback context = {error_context_stack, say_where, &place};
	bool		found = false;

	error_context_stack = &context;
	*value = (Datum) 0;
	if (attr->state == DYN_ATTR_WRONG_TYPE)
		report_stored(rel, column, keys, "was not written by Feast");
	if (attr->state != DYN_ATTR_ABSENT)
		found = column->role == DYN_COLUMN_EVENT_TIMESTAMP ?
			event_ts_to_datum(rel, column, attr, keys, value) :
			value_to_datum(rel, column, attr, keys, value);
	check_domain(rel, column, *value, !found);
	error_context_stack = context.previous;
	return found;
}

Datum
dyn_key_column(const DynRelation *rel, int i, const Datum *keys)
{
	DynColumn  *column = rel->keys[i];
	Place		place = {rel, column, keys};
	ErrorContextCallback context = {error_context_stack, say_where, &place};
	Datum		value;

	error_context_stack = &context;
	value = fit_typmod(column, dyn_key_to_datum(column, keys[i]));
	check_domain(rel, column, value, false);
	error_context_stack = context.previous;
	return value;
}
