/*
 * convert_read.c
 *	  Stored values to Datums: lenient where nothing is lost, an error that
 *	  names column and entity key where something would be.
 *
 * The functions x_from_value() make a Datum in the current memory context.
 * They return false where the stored value does not go with the SQL type, and
 * leave it to their caller to say so; they raise what the server would object to
 * anywhere, such as a uuid that is none.
 */
#include "pg/util/export.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "miscadmin.h"
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
#include "pg/util/error.h"
#include "pg/util/scratch.h"
#include "pg/util/text.h"

/*
 * Raises HV004: the item holds something that the column can't.  `what` follows
 * "the stored value of column ..." and begins with a verb.  No column: it is
 * about the event timestamp of a table that doesn't show it.
 */
static void
report_stored(const DynRelation *rel, const DynColumn *column, const Datum *keys, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
			 column == NULL ?
			 errmsg("feature view \"%s\": the stored event timestamp %s", rel->feature_view, what) :
			 column->role == DYN_COLUMN_EVENT_TIMESTAMP ?
			 errmsg("feature view \"%s\": the stored event timestamp of column \"%s\" %s",
					rel->feature_view, column->sql_name, what) :
			 errmsg("feature view \"%s\": the stored value of column \"%s\" %s, expected is %s",
					rel->feature_view, column->sql_name, what, dyn_feast_type_name(column->feast_type)),
			 errdetail("Entity key: %s. Remote table: \"%s\".", dyn_key_text(rel, keys), rel->remote.table)));
}

/* Is it pandas' NaT? Feast stores that for a missing timestamp; here it is NULL. */
static bool
is_nat(const DynValue *stored)
{
	return (stored->type == DYN_FEAST_UNIX_TIMESTAMP && stored->u.integer == PG_INT64_MIN) ||
		(stored->type == DYN_FEAST_ZONED_TIMESTAMP && stored->u.zoned.seconds == PG_INT64_MIN);
}

/* ---- scalars ---- */

static bool
is_integer(const DynValue *stored)
{
	return stored->type == DYN_FEAST_INT32 || stored->type == DYN_FEAST_INT64;
}

/* Any stored integer that `type`, an integer of any width, has room for. */
static bool
integer_from_value(Oid type, const DynValue *stored, Datum *value)
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

/* A stored FLOAT fits both widths, a DOUBLE only its own. */
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

/* Raises 22008: the moment lies outside the years that PostgreSQL has. */
static void
report_range(const DynColumn *column, int64 seconds)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("stored timestamp of column \"%s\" is out of range", column->sql_name),
			 errdetail("It is " INT64_FORMAT " seconds since 1970.", seconds)));
}

/*
 * timestamptz, timestamp or date from whole seconds since 1970.  The latter two
 * show UTC; a date takes only the first second of its day, so nothing is lost.
 */
static bool
time_from_value(const DynColumn *column, Oid type, DynFeastType feast_type, const DynValue *stored, Datum *value)
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

/* Is it text, of whatever kind: STRING, JSON, UUID, DECIMAL? */
static bool
is_text(const DynValue *stored)
{
	return dyn_feast_type_shape(stored->type) == DYN_SHAPE_BYTES && stored->type != DYN_FEAST_BYTES;
}

/* What the type's input function makes of a text, which it may refuse. */
static Datum
call_input(Oid type, const uint8_t *utf8, size_t len)
{
	Oid			input;
	Oid			ioparam;

	getTypeInputInfo(type, &input, &ioparam);
	return OidInputFunctionCall(input, dyn_cstring_from_utf8(utf8, len), ioparam, -1);
}

/*
 * json or jsonb from a value that has a JSON form (feast_json.h), such as a MAP.
 * The column expects one of the same shape: a STRUCT may be stored as a MAP.  Of
 * the lists of scalars it expects JSON_LIST; an empty one fits whatever it is of.
 */
static bool
json_from_value(Oid type, DynFeastType feast_type, const DynValue *stored, Datum *value)
{
	DynBuf	   *json;
	bool		fits = true;

	if (dyn_feast_type_shape(stored->type) != dyn_feast_type_shape(feast_type))
		return false;
	if (feast_type == DYN_FEAST_JSON_LIST && stored->type != DYN_FEAST_JSON_LIST && stored->u.list.count > 0)
		return false;
	json = dyn_scratch_new(CurrentMemoryContext);
	if (dyn_value_to_json(stored, json))
		*value = call_input(type, (uint8_t *) json->data, json->len);
	else if (json->failed)
		dyn_report_no_memory();
	else
		fits = false;
	dyn_buf_free(json);
	return fits;
}

/*
 * The types that are stored as the text that SQL shows of them, and so are made
 * by their input function: uuid, numeric, enums, and json and jsonb of value type
 * JSON. Of other value types these two come by their JSON form.
 */
static bool
parsed_from_value(Oid type, DynFeastType feast_type, const DynValue *stored, Datum *value)
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
				return json_from_value(type, feast_type, stored, value);
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

/*
 * A value of base type `type`: the column's, or its elements'.  `feast_type` is
 * what is expected; most SQL types go with the same stored types whatever it is.
 */
static bool
scalar_from_value(const DynColumn *column, Oid type, DynFeastType feast_type, const DynValue *stored, Datum *value)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return integer_from_value(type, stored, value);
		case FLOAT4OID:
		case FLOAT8OID:
			return real_from_value(type, stored, value);
		case BOOLOID:
			if (stored->type == DYN_FEAST_BOOL)
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
			return time_from_value(column, type, feast_type, stored, value);
		default:
			return parsed_from_value(type, feast_type, stored, value);
	}
}

/* ---- what the declared type asks for beyond its base type ---- */

/*
 * What an assignment to varchar(n), numeric(p, s) or timestamptz(p) makes of the
 * value: raises where the text or the number is too long, rounds where there
 * are too many digits after the point.  In an array this goes for each element.
 */
static Datum
fit_typmod(const DynColumn *column, Datum value)
{
	if (!OidIsValid(column->typmod_function))
		return value;
	return OidFunctionCall3(column->typmod_function, value, Int32GetDatum(column->typmod), BoolGetDatum(false));
}

/* Raises where the column's type is a domain that forbids the value or NULL. */
static void
check_domain(const DynRelation *rel, DynColumn *column, Datum value, bool isnull)
{
	if (column->type != column->base_type)
		domain_check(value, isnull, column->type, &column->domain_check, rel->context);
}

/* The same for an element, where the type of the array's elements is a domain. */
static void
check_element_domain(const DynRelation *rel, DynColumn *column, Datum value, bool isnull)
{
	if (column->element_type != column->element_base_type)
		domain_check(value, isnull, column->element_type, &column->element_check, rel->context);
}

/* ---- arrays ---- */

/*
 * The elements of a list or a set, in the order they are stored, each made to
 * fit the declared type.  False: one of them does not go with it.
 */
static bool
elements_from_value(const DynRelation *rel, DynColumn *column, const DynValue *list, Datum *elements, bool *nulls)
{
	DynFeastType feast_type = dyn_feast_type_element(column->feast_type);

	for (size_t i = 0; i < list->u.list.count; i++)
	{
		const DynValue *stored = &list->u.list.items[i];

		CHECK_FOR_INTERRUPTS();
		nulls[i] = is_nat(stored);
		if (!nulls[i])
		{
			if (!scalar_from_value(column, column->element_base_type, feast_type, stored, &elements[i]))
				return false;
			elements[i] = fit_typmod(column, elements[i]);
		}
		check_element_domain(rel, column, elements[i], nulls[i]);
	}
	return true;
}

/*
 * An array from a list or a set.  An empty one fits an array of any scalars, since
 * no element says what type it has.
 */
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
	if (!elements_from_value(rel, column, stored, elements, nulls))
		return false;
	get_typlenbyvalalign(column->element_type, &typlen, &typbyval, &typalign);
	dims[0] = (int) n;
	*value = n == 0 ? PointerGetDatum(construct_empty_array(column->element_type)) :
		PointerGetDatum(construct_md_array(elements, nulls, 1, dims, lower, column->element_type, typlen, typbyval,
										   typalign));
	return true;
}

/* ---- items ---- */

/* Is it a number of the right kind that `type` has no room for? */
static bool
is_unfit_number(Oid type, const DynValue *stored)
{
	Datum		unused;

	if (type == INT2OID || type == INT4OID)
		return is_integer(stored) && !integer_from_value(type, stored, &unused);
	return type == DATEOID && stored->type == DYN_FEAST_UNIX_TIMESTAMP && !is_nat(stored) &&
		stored->u.integer % SECS_PER_DAY != 0;
}

/*
 * Says, for report_stored(), what is stored instead of what the column expects, and
 * which number does not fit.  A JSON_LIST is what the column expects: only an
 * element that its JSON form has no place for can be wrong with it.
 */
static char *
describe_stored(const DynColumn *column, const DynValue *stored)
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
	if (stored->type == DYN_FEAST_JSON_LIST && column->feast_type == DYN_FEAST_JSON_LIST)
		return psprintf("is %s with an element that is not one JSON value", name);
	return psprintf("is %s", name);
}

bool
dyn_event_time_from_item(const DynRelation *rel, const DynAttr *attr, const Datum *keys, TimestampTz *time)
{
	int64		micros;

	if (attr->state == DYN_ATTR_WRONG_TYPE)
		report_stored(rel, rel->event_timestamp, keys, "was not written by Feast");
	if (attr->state == DYN_ATTR_ABSENT)
		return false;
	switch (dyn_event_ts_parse((const char *) attr->data, attr->len, &micros))
	{
		case DYN_EVENT_TS_NAT:
			return false;
		case DYN_EVENT_TS_OK:
			*time = micros - DYN_EPOCH_DIFF_MICROS;
			return true;
		case DYN_EVENT_TS_BAD:
			break;
	}
	report_stored(rel, rel->event_timestamp, keys, "is not a date and time");
	return false;
}

/* The event timestamp in its column; false: there is none, or NaT. */
static bool
event_ts_to_datum(const DynRelation *rel, const DynAttr *attr, const Datum *keys, Datum *value)
{
	TimestampTz time;

	if (!dyn_event_time_from_item(rel, attr, keys, &time))
		return false;
	*value = fit_typmod(rel->event_timestamp, TimestampTzGetDatum(time));
	return true;
}

/*
 * Decodes a Value, or raises.  Its elements live in rel->arena until the next one
 * is decoded, its texts in the item.
 */
static void
decode_stored(const DynRelation *rel, const DynColumn *column, const DynAttr *attr, const Datum *keys,
			  DynValue *stored)
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
			dyn_report_no_memory();
	}
}

/* A feature's value; false: NULL. */
static bool
value_to_datum(const DynRelation *rel, DynColumn *column, const DynAttr *attr, const Datum *keys, Datum *value)
{
	DynValue	stored;
	bool		fits;

	decode_stored(rel, column, attr, keys, &stored);
	if (stored.type == DYN_FEAST_NONE || is_nat(&stored))
		return false;
	fits = OidIsValid(column->element_type) ?
		array_from_value(rel, column, &stored, value) :
		scalar_from_value(column, column->base_type, column->feast_type, &stored, value);
	if (!fits)
		report_stored(rel, column, keys, describe_stored(column, &stored));
	if (!OidIsValid(column->element_type))
		*value = fit_typmod(column, *value);
	return true;
}

/* Where a value stands, for say_where(). */
typedef struct Place
{
	const DynRelation *rel;
	const DynColumn *column;
	const Datum *keys;
} Place;

/*
 * Error context: says where the value stands that one of the server's own
 * functions objects to; report_stored() has said it already.
 */
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
			event_ts_to_datum(rel, attr, keys, value) :
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
