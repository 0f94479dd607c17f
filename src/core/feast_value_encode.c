/*
 * feast_value_encode.c
 *	  feast.types.Value to its protobuf bytes.
 *
 * Lengths come before bodies, so a message is built in a buffer of its own
 * and then copied; values are small.
 */
#include "core/feast_value.h"

#include <string.h>

#include "core/pbwire.h"

static bool encode(DynBuf *out, const DynValue *value, int depth);

/* ---- scalars ---- */

/* What stands for a number on the wire; a negative INT32 takes 64 bits there, as protobuf's int32 does. */
static uint64_t
number_bits(const DynValue *value)
{
	uint64_t	bits64 = 0;
	uint32_t	bits32;

	switch (value->type)
	{
		case DYN_FEAST_BOOL:
			return value->u.boolean ? 1 : 0;
		case DYN_FEAST_DOUBLE:
			memcpy(&bits64, &value->u.real, sizeof(bits64));
			return bits64;
		case DYN_FEAST_FLOAT:
			memcpy(&bits32, &value->u.single, sizeof(bits32));
			return bits32;
		default:
			return (uint64_t) value->u.integer;
	}
}

/* Without a tag, as in a packed list. */
static void
put_number(DynBuf *out, const DynValue *value)
{
	uint64_t	bits = number_bits(value);

	if (value->type == DYN_FEAST_DOUBLE)
		dyn_pb_put_fixed64(out, bits);
	else if (value->type == DYN_FEAST_FLOAT)
		dyn_pb_put_fixed32(out, (uint32_t) bits);
	else
		dyn_pb_put_varint(out, bits);
}

/* A number or text, behind its tag. */
static void
put_scalar_field(DynBuf *out, uint32_t number, const DynValue *value)
{
	if (dyn_feast_type_shape(value->type) == DYN_SHAPE_BYTES)
	{
		dyn_pb_put_bytes(out, number, value->u.bytes.data, value->u.bytes.len);
		return;
	}
	dyn_pb_put_tag(out, number, value->type == DYN_FEAST_DOUBLE ? DYN_PB_FIXED64 :
				   value->type == DYN_FEAST_FLOAT ? DYN_PB_FIXED32 : DYN_PB_VARINT);
	put_number(out, value);
}

/* ---- messages ---- */

/* Appends `body` as field `number`; frees it. */
static bool
put_message(DynBuf *out, uint32_t number, DynBuf *body)
{
	bool		ok = !body->failed;

	dyn_pb_put_bytes(out, number, body->data, body->len);
	dyn_buf_free(body);
	return ok && !out->failed;
}

/* The body of a list or set: numbers packed into one field, as proto3 has it, texts in a field each. */
static bool
encode_list(DynBuf *out, const DynValue *list)
{
	DynBuf		packed = {0};
	bool		numbers = dyn_feast_type_shape(dyn_feast_type_element(list->type)) == DYN_SHAPE_NUMBER;

	for (size_t i = 0; i < list->u.list.count; i++)
	{
		if (numbers)
			put_number(&packed, &list->u.list.items[i]);
		else
			put_scalar_field(out, 1, &list->u.list.items[i]);
	}
	if (numbers && list->u.list.count > 0)
		return put_message(out, 1, &packed);
	dyn_buf_free(&packed);
	return !out->failed;
}

/* An entry of map<string, Value>, both parts of which protobuf writes even where they are empty. */
static bool
encode_entry(DynBuf *out, const DynMapEntry *entry, int depth)
{
	DynBuf		value = {0};

	dyn_pb_put_bytes(out, 1, entry->key.u.bytes.data, entry->key.u.bytes.len);
	if (!encode(&value, &entry->value, depth))
	{
		dyn_buf_free(&value);
		return false;
	}
	return put_message(out, 2, &value);
}

/* The body of a Map.  On false `out` is for the caller to drop; so it is for all of these functions. */
static bool
encode_map(DynBuf *out, const DynValue *map, int depth)
{
	for (size_t i = 0; i < map->u.map.count; i++)
	{
		DynBuf		entry = {0};

		if (!encode_entry(&entry, &map->u.map.entries[i], depth))
		{
			dyn_buf_free(&entry);
			return false;
		}
		if (!put_message(out, 1, &entry))
			return false;
	}
	return !out->failed;
}

/* Number of a key's field in MapKey, 0: no such key. */
static uint32_t
map_key_number(int type)
{
	static const int types[] = {
		DYN_FEAST_INT32, DYN_FEAST_INT64, DYN_FEAST_FLOAT, DYN_FEAST_DOUBLE, DYN_FEAST_BOOL,
		DYN_FEAST_UNIX_TIMESTAMP, DYN_FEAST_BYTES, DYN_FEAST_UUID, DYN_FEAST_TIME_UUID, DYN_FEAST_DECIMAL
	};

	for (uint32_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i] == type)
			return i + 1;
	return 0;
}

/* An entry of a ScalarMap; a key of no type is an empty MapKey. */
static bool
encode_scalar_entry(DynBuf *out, const DynMapEntry *entry, int depth)
{
	uint32_t	number = map_key_number(entry->key.type);
	DynBuf		part = {0};

	if (number == 0 && entry->key.type != DYN_FEAST_NONE)
		return false;
	if (number != 0)
		put_scalar_field(&part, number, &entry->key);
	if (!put_message(out, 1, &part))
		return false;
	if (!encode(&part, &entry->value, depth))
	{
		dyn_buf_free(&part);
		return false;
	}
	return put_message(out, 2, &part);
}

/* The body of a ScalarMap. */
static bool
encode_scalar_map(DynBuf *out, const DynValue *map, int depth)
{
	for (size_t i = 0; i < map->u.map.count; i++)
	{
		DynBuf		entry = {0};

		if (!encode_scalar_entry(&entry, &map->u.map.entries[i], depth))
		{
			dyn_buf_free(&entry);
			return false;
		}
		if (!put_message(out, 1, &entry))
			return false;
	}
	return !out->failed;
}

/* MapList and RepeatedValue. */
static bool
encode_messages(DynBuf *out, const DynValue *list, int depth)
{
	bool		maps = dyn_feast_type_shape(list->type) == DYN_SHAPE_MAP_LIST;

	for (size_t i = 0; i < list->u.list.count; i++)
	{
		const DynValue *item = &list->u.list.items[i];
		DynBuf		body = {0};

		if (!(maps ? encode_map(&body, item, depth) : encode(&body, item, depth)))
		{
			dyn_buf_free(&body);
			return false;
		}
		if (!put_message(out, 1, &body))
			return false;
	}
	return !out->failed;
}

/* Proto3: a field that has its default is left out. */
static void
encode_zoned(DynBuf *out, const DynValue *zoned)
{
	if (zoned->u.zoned.seconds != 0)
	{
		dyn_pb_put_tag(out, 1, DYN_PB_VARINT);
		dyn_pb_put_varint(out, (uint64_t) zoned->u.zoned.seconds);
	}
	if (zoned->u.zoned.zone_len > 0)
		dyn_pb_put_bytes(out, 2, zoned->u.zoned.zone, zoned->u.zoned.zone_len);
}

/* The body of a member that is a message. */
static bool
encode_body(DynBuf *out, const DynValue *value, int depth)
{
	switch (dyn_feast_type_shape(value->type))
	{
		case DYN_SHAPE_LIST:
			return encode_list(out, value);
		case DYN_SHAPE_MAP:
			return encode_map(out, value, depth + 1);
		case DYN_SHAPE_SCALAR_MAP:
			return encode_scalar_map(out, value, depth + 1);
		case DYN_SHAPE_MAP_LIST:
		case DYN_SHAPE_VALUES:
			return encode_messages(out, value, depth + 1);
		default:
			encode_zoned(out, value);
			return !out->failed;
	}
}

/*
 * A Value: its member under the number of its type, or nothing.  `depth` counts
 * the values around it, so that the recursion ends; what is too deep for Feast
 * is refused where it is read.
 */
static bool
encode(DynBuf *out, const DynValue *value, int depth)
{
	DynBuf		body = {0};

	if (value->type == DYN_FEAST_NONE)
		return !out->failed;
	if (depth >= DYN_VALUE_MAX_DEPTH)
		return false;
	switch (dyn_feast_type_shape(value->type))
	{
		case DYN_SHAPE_NONE:
			return false;
		case DYN_SHAPE_NUMBER:
		case DYN_SHAPE_BYTES:
			put_scalar_field(out, value->type, value);
			return !out->failed;
		default:
			break;
	}
	if (!encode_body(&body, value, depth))
	{
		dyn_buf_free(&body);
		return false;
	}
	return put_message(out, value->type, &body);
}

bool
dyn_feast_value_encode(DynBuf *out, const DynValue *value)
{
	return encode(out, value, 0);
}
