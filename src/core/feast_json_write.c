/*
 * feast_json_write.c
 *	  Values to JSON text.
 */
#include "core/feast_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json_scan.h"

static void
put_text(DynBuf *out, const uint8_t *data, size_t len)
{
	dyn_buf_json_string(out, (const char *) data, len);
}

/* From here on a whole number is read as a DOUBLE however it is written: no int64 is as large. */
#define TOO_LARGE_FOR_INTEGER 1e19

/*
 * The shortest decimal that gives the number again, never taken for a whole
 * one: jsonb makes 1e+16 a whole number, but keeps the fraction of
 * 10000000000000000.0.
 */
static void
put_real(DynBuf *out, double value, bool single)
{
	char		text[40];

	if (!isfinite(value))
	{
		dyn_buf_str(out, isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
		return;
	}
	for (int digits = single ? 6 : 15; digits <= 17; digits++)
	{
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (single ? strtof(text, NULL) == (float) value : strtod(text, NULL) == value)
			break;
	}
	if (fabs(value) < TOO_LARGE_FOR_INTEGER && strstr(text, "e+") != NULL)
		snprintf(text, sizeof(text), "%.1f", strtod(text, NULL));
	dyn_buf_str(out, text);
	if (strpbrk(text, ".e") == NULL)
		dyn_buf_str(out, ".0");
}

static void
put_hex(DynBuf *out, const uint8_t *data, size_t len)
{
	dyn_buf_byte(out, '"');
	dyn_buf_hex(out, data, len);
	dyn_buf_byte(out, '"');
}

/* Scalars as feast_json.h has them; what has no type is null. */
static void
put_json_scalar(DynBuf *out, const DynValue *value)
{
	switch (value->type)
	{
		case DYN_FEAST_NONE:
			dyn_buf_str(out, "null");
			break;
		case DYN_FEAST_BYTES:
			put_hex(out, value->u.bytes.data, value->u.bytes.len);
			break;
		case DYN_FEAST_DOUBLE:
			put_real(out, value->u.real, false);
			break;
		case DYN_FEAST_FLOAT:
			put_real(out, value->u.single, true);
			break;
		case DYN_FEAST_BOOL:
			dyn_buf_str(out, value->u.boolean ? "true" : "false");
			break;
		default:
			if (dyn_feast_type_shape(value->type) == DYN_SHAPE_BYTES)
				put_text(out, value->u.bytes.data, value->u.bytes.len);
			else
				dyn_buf_int(out, value->u.integer);
			break;
	}
}

static void put_json_value(DynBuf *out, const DynValue *value);

/* Lists and sets, be it of scalars, maps or any values. */
static void
put_list(DynBuf *out, const DynValue *list)
{
	dyn_buf_byte(out, '[');
	for (size_t i = 0; i < list->u.list.count; i++)
	{
		if (i > 0)
			dyn_buf_str(out, ", ");
		put_json_value(out, &list->u.list.items[i]);
	}
	dyn_buf_byte(out, ']');
}

/* The decoder has sorted the keys and left each once. */
static void
put_map(DynBuf *out, const DynValue *map)
{
	dyn_buf_byte(out, '{');
	for (size_t i = 0; i < map->u.map.count; i++)
	{
		const DynMapEntry *entry = &map->u.map.entries[i];

		if (i > 0)
			dyn_buf_str(out, ", ");
		put_text(out, entry->key.u.bytes.data, entry->key.u.bytes.len);
		dyn_buf_str(out, ": ");
		put_json_value(out, &entry->value);
	}
	dyn_buf_byte(out, '}');
}

/* Each entry names its key's type, which JSON has too few of. */
static void
put_scalar_map(DynBuf *out, const DynValue *map)
{
	dyn_buf_byte(out, '[');
	for (size_t i = 0; i < map->u.map.count; i++)
	{
		const DynMapEntry *entry = &map->u.map.entries[i];

		dyn_buf_str(out, i > 0 ? ", {\"key_type\": \"" : "{\"key_type\": \"");
		dyn_buf_str(out, dyn_feast_type_name(entry->key.type));
		dyn_buf_str(out, "\", \"key\": ");
		put_json_scalar(out, &entry->key);
		dyn_buf_str(out, ", \"value\": ");
		put_json_value(out, &entry->value);
		dyn_buf_byte(out, '}');
	}
	dyn_buf_byte(out, ']');
}

/* The decoder's depth limit bounds the recursion. */
static void
put_json_value(DynBuf *out, const DynValue *value)
{
	switch (dyn_feast_type_shape(value->type))
	{
		case DYN_SHAPE_LIST:
		case DYN_SHAPE_MAP_LIST:
		case DYN_SHAPE_VALUES:
			put_list(out, value);
			break;
		case DYN_SHAPE_MAP:
			put_map(out, value);
			break;
		case DYN_SHAPE_SCALAR_MAP:
			put_scalar_map(out, value);
			break;
		case DYN_SHAPE_ZONED:
			dyn_buf_str(out, "{\"unix_timestamp\": ");
			dyn_buf_int(out, value->u.zoned.seconds);
			dyn_buf_str(out, ", \"zone\": ");
			put_text(out, value->u.zoned.zone, value->u.zoned.zone_len);
			dyn_buf_byte(out, '}');
			break;
		default:
			put_json_scalar(out, value);
			break;
	}
}

/*
 * A JSON_LIST that is not inside another value.  What is stored may be any text:
 * "1], [2" must not end the array, nor "1, 2" be two of its elements.
 */
static bool
put_json_list(DynBuf *out, const DynValue *list)
{
	dyn_buf_byte(out, '[');
	for (size_t i = 0; i < list->u.list.count; i++)
	{
		const DynValue *item = &list->u.list.items[i];
		DynJsonScan s = {(char *) item->u.bytes.data, (char *) item->u.bytes.data + item->u.bytes.len};
		DynJsonString text;

		if (!dyn_js_raw(&s, &text) || s.pos < s.end)
			return false;
		if (i > 0)
			dyn_buf_str(out, ", ");
		dyn_buf_add(out, text.data, text.len);
	}
	dyn_buf_byte(out, ']');
	return true;
}

bool
dyn_value_to_json(const DynValue *value, DynBuf *out)
{
	if (value->type != DYN_FEAST_JSON_LIST)
		put_json_value(out, value);
	else if (!put_json_list(out, value))
		return false;
	return !out->failed;
}
