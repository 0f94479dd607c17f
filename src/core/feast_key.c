/*
 * feast_key.c
 *	  Entity key to entity_id.
 *
 * Layout, all integers little-endian:
 *   v3: u32 number of keys, then per key u32 STRING, u32 length, name, then
 *       per value u32 type, u32 length, bytes.
 *   v2: the same without the number of keys and without the names' lengths.
 */
#include "core/feast_key.h"

#include <string.h>

#include "core/murmur3.h"
#include "core/pbwire.h"

int
dyn_feast_key_compare_names(const char *a, const char *b)
{
	return strcmp(a, b);
}

static void
put_u32(DynBuf *out, size_t value)
{
	dyn_pb_put_fixed32(out, (uint32_t) value);
}

/* Type, length and bytes of a value.  False: a type that cannot be a key, or a length over 32 bits. */
static bool
put_key_value(DynBuf *out, const DynKeyPart *part)
{
	put_u32(out, part->type);
	switch (part->type)
	{
		case DYN_FEAST_INT32:
			put_u32(out, 4);
			dyn_pb_put_fixed32(out, (uint32_t) part->integer);
			return true;
		case DYN_FEAST_INT64:
		case DYN_FEAST_UNIX_TIMESTAMP:
			put_u32(out, 8);
			dyn_pb_put_fixed64(out, (uint64_t) part->integer);
			return true;
		case DYN_FEAST_STRING:
		case DYN_FEAST_BYTES:
			if (part->len > UINT32_MAX)
				return false;
			put_u32(out, part->len);
			dyn_buf_add(out, part->data, part->len);
			return true;
		default:
			return false;
	}
}

bool
dyn_feast_key_serialize(DynBuf *out, int version, const DynKeyPart *parts, int nparts)
{
	if (version >= 3)
		put_u32(out, nparts);
	for (int i = 0; i < nparts; i++)
	{
		put_u32(out, DYN_FEAST_STRING);
		if (version >= 3)
			put_u32(out, strlen(parts[i].name));
		dyn_buf_str(out, parts[i].name);
	}
	for (int i = 0; i < nparts; i++)
		if (!put_key_value(out, &parts[i]))
			return false;
	return !out->failed;
}

bool
dyn_feast_key_id(DynEntityId *id, DynBuf *scratch, int version, const DynKeyPart *parts, int nparts)
{
	dyn_buf_clear(scratch);
	if (!dyn_feast_key_serialize(scratch, version, parts, nparts))
		return false;
	dyn_murmur3_x64_128(scratch->data, scratch->len, 0, id->bytes);
	return true;
}

void
dyn_entity_id_to_hex(const DynEntityId *id, char hex[DYN_ENTITY_ID_HEX_LEN])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++)
	{
		hex[2 * i] = digits[id->bytes[i] >> 4];
		hex[2 * i + 1] = digits[id->bytes[i] & 15];
	}
}

/* One more than the digit that a character stands for; 0: it is none. */
static const uint8_t hex_digits[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16
};

bool
dyn_hex_decode(uint8_t *text, size_t *len)
{
	for (size_t i = 0; i + 1 < *len; i += 2)
	{
		int			high = hex_digits[text[i]] - 1;
		int			low = hex_digits[text[i + 1]] - 1;

		if (high < 0 || low < 0)
			return false;
		text[i / 2] = (uint8_t) (high << 4 | low);
	}
	if (*len % 2 != 0)
		return false;
	*len /= 2;
	return true;
}

bool
dyn_entity_id_from_hex(DynEntityId *id, const char *hex, size_t len)
{
	uint8_t		text[DYN_ENTITY_ID_HEX_LEN];

	if (len != DYN_ENTITY_ID_HEX_LEN)
		return false;
	memcpy(text, hex, len);
	if (!dyn_hex_decode(text, &len))
		return false;
	memcpy(id->bytes, text, sizeof(id->bytes));
	return true;
}
