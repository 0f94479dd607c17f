/*
 * feast_value.c
 *	  feast.types.Value to and from its protobuf bytes.
 *
 * Value is one oneof.  Scalars are decoded here; of any other member only the
 * raw body of its last occurrence is handed on.
 */
#include "core/feast_value.h"

#include <string.h>

#include "core/pbwire.h"

/* Wire type of each member of Value; -1: no member has that number. */
static int
member_wire(uint32_t number)
{
	switch (number)
	{
		case DYN_FEAST_INT32:
		case DYN_FEAST_INT64:
		case DYN_FEAST_BOOL:
		case DYN_FEAST_UNIX_TIMESTAMP:
		case DYN_FEAST_NULL:
			return DYN_PB_VARINT;
		case DYN_FEAST_DOUBLE:
			return DYN_PB_FIXED64;
		case DYN_FEAST_FLOAT:
			return DYN_PB_FIXED32;
		default:
			if (number == DYN_FEAST_BYTES || number == DYN_FEAST_STRING ||
				(number >= 11 && number <= 29) || (number >= 32 && number <= 48))
				return DYN_PB_LEN;
			return -1;
	}
}

/* Members that are protobuf strings, not bytes: their UTF-8 is checked. */
static bool
member_is_text(uint32_t number)
{
	switch (number)
	{
		case DYN_FEAST_STRING:
		case 32:				/* JSON */
		case 36:				/* UUID */
		case 37:				/* TIME_UUID */
		case 44:				/* DECIMAL */
			return true;
		default:
			return false;
	}
}

static bool
set_member(DynValue *value, const DynPbField *field)
{
	uint32_t	low = (uint32_t) field->value;

	memset(value, 0, sizeof(*value));
	value->type = (int) field->number;
	switch (field->number)
	{
		case DYN_FEAST_INT32:
			value->u.integer = (int32_t) low;
			break;
		case DYN_FEAST_INT64:
		case DYN_FEAST_UNIX_TIMESTAMP:
			value->u.integer = (int64_t) field->value;
			break;
		case DYN_FEAST_BOOL:
			value->u.boolean = field->value != 0;
			break;
		case DYN_FEAST_DOUBLE:
			memcpy(&value->u.real, &field->value, sizeof(double));
			break;
		case DYN_FEAST_FLOAT:
			memcpy(&value->u.single, &low, sizeof(float));
			break;
		case DYN_FEAST_NULL:
			value->type = DYN_FEAST_NONE;
			break;
		default:
			value->u.bytes.data = field->data;
			value->u.bytes.len = field->len;
			if (member_is_text(field->number))
				return dyn_utf8_valid(field->data, field->len);
			break;
	}
	return true;
}

bool
dyn_feast_value_decode(const uint8_t *data, size_t len, DynValue *value)
{
	DynPbReader reader;
	DynPbField	field;

	memset(value, 0, sizeof(*value));
	dyn_pb_init(&reader, data, len);
	while (dyn_pb_next(&reader, &field))
	{
		/* a known number with another wire type is an unknown field */
		if ((int) field.wire == member_wire(field.number) && !set_member(value, &field))
			return false;
	}
	return dyn_pb_at_end(&reader);
}

bool
dyn_feast_value_encode(DynBuf *out, const DynValue *value)
{
	uint64_t	bits64;
	uint32_t	bits32;

	switch (value->type)
	{
		case DYN_FEAST_NONE:
			break;
		case DYN_FEAST_BYTES:
		case DYN_FEAST_STRING:
			dyn_pb_put_bytes(out, value->type, value->u.bytes.data, value->u.bytes.len);
			break;
		case DYN_FEAST_INT32:
		case DYN_FEAST_INT64:
		case DYN_FEAST_UNIX_TIMESTAMP:
			dyn_pb_put_tag(out, value->type, DYN_PB_VARINT);
			dyn_pb_put_varint(out, (uint64_t) value->u.integer);
			break;
		case DYN_FEAST_BOOL:
			dyn_pb_put_tag(out, value->type, DYN_PB_VARINT);
			dyn_pb_put_varint(out, value->u.boolean ? 1 : 0);
			break;
		case DYN_FEAST_DOUBLE:
			memcpy(&bits64, &value->u.real, sizeof(bits64));
			dyn_pb_put_tag(out, value->type, DYN_PB_FIXED64);
			dyn_pb_put_fixed64(out, bits64);
			break;
		case DYN_FEAST_FLOAT:
			memcpy(&bits32, &value->u.single, sizeof(bits32));
			dyn_pb_put_tag(out, value->type, DYN_PB_FIXED32);
			dyn_pb_put_fixed32(out, bits32);
			break;
		default:
			return false;
	}
	return !out->failed;
}

/* Length of the well-formed sequence at p, or 0 (Unicode 15, table 3-7). */
static int
utf8_sequence(const uint8_t *p, const uint8_t *end)
{
	uint8_t		low = 0x80;
	uint8_t		high = 0xbf;
	int			n;

	if (*p < 0x80)
		return 1;
	if (*p >= 0xc2 && *p <= 0xdf)
		n = 2;
	else if (*p >= 0xe0 && *p <= 0xef)
	{
		n = 3;
		if (*p == 0xe0)
			low = 0xa0;
		else if (*p == 0xed)
			high = 0x9f;		/* surrogates */
	}
	else if (*p >= 0xf0 && *p <= 0xf4)
	{
		n = 4;
		if (*p == 0xf0)
			low = 0x90;
		else if (*p == 0xf4)
			high = 0x8f;
	}
	else
		return 0;
	if (end - p < n || p[1] < low || p[1] > high)
		return 0;
	for (int i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

bool
dyn_utf8_valid(const uint8_t *data, size_t len)
{
	const uint8_t *end = data + len;

	while (data < end)
	{
		int			n = utf8_sequence(data, end);

		if (n == 0)
			return false;
		data += n;
	}
	return true;
}
