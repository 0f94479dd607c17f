/*
 * feast_json_read.c
 *	  Values from JSON text.
 */
#include "core/feast_json.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/feast_key.h"
#include "core/json_scan.h"
#include "core/json_text.h"

typedef struct Reader
{
	DynArena   *arena;
	const char *why;			/* what is wrong; NULL with a failure: no memory */
} Reader;

static bool read_any(Reader *r, struct json_object *json, DynValue *value);

/* For a reader to return. */
static bool
wrong(Reader *r, const char *why)
{
	r->why = why;
	return false;
}

/* With a NUL behind them, which does not count, since the arena is zeroed: also good as a C string. */
static bool
copy_bytes(Reader *r, const char *text, size_t len, DynValue *value)
{
	uint8_t    *copy = dyn_arena_alloc(r->arena, len + 1);

	if (copy == NULL)
		return false;
	memcpy(copy, text, len);
	value->u.bytes.data = copy;
	value->u.bytes.len = len;
	return true;
}

static bool
read_text(Reader *r, struct json_object *json, int type, DynValue *value)
{
	value->type = type;
	return copy_bytes(r, json_object_get_string(json), json_object_get_string_len(json), value);
}

/*
 * Copies JSON with a fraction behind whole numbers that no int64 holds: json-c
 * would take the nearest one, and they are DOUBLEs.
 */
static void
widen_integers(const char *text, size_t len, DynBuf *out)
{
	bool		in_string = false;
	size_t		done = 0;

	for (size_t i = 0; i < len;)
	{
		size_t		start = i;
		char		c = text[i++];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && ((c >= '0' && c <= '9') || c == '-'))
		{
			char		digits[24];

			while (i < len && text[i] != '\0' && strchr("0123456789.eE+-", text[i]))
				i++;
			if (i - start < 19 || memchr(text + start, '.', i - start) || memchr(text + start, 'e', i - start) ||
				memchr(text + start, 'E', i - start))
				continue;
			errno = 0;
			snprintf(digits, sizeof(digits), "%.*s", (int) (i - start), text + start);
			strtoll(digits, NULL, 10);
			if (errno == 0 && i - start < sizeof(digits))
				continue;
			dyn_buf_add(out, text + done, i - done);
			dyn_buf_str(out, ".0");
			done = i;
		}
	}
	dyn_buf_add(out, text + done, len - done);
}

/* The code unit of an escape like \u00fc; -1: there is none. */
static long
unicode_escape(const char *text, size_t len)
{
	char		digits[5] = "";
	char	   *end;
	long		code;

	if (len < 6 || text[0] != '\\' || text[1] != 'u')
		return -1;
	memcpy(digits, text + 2, 4);
	code = strtol(digits, &end, 16);
	return end == digits + 4 ? code : -1;
}

/*
 * What json-c would silently change: it ends a name at its first NUL, and
 * replaces half of a surrogate pair.  *i is at a backslash, and moves to the
 * last byte of what it begins.
 */
static bool
check_escape(Reader *r, const char *text, size_t len, size_t *i, bool *nul)
{
	long		code = unicode_escape(text + *i, len - *i);
	long		next;

	if (code < 0)
	{
		*i += 1;
		return true;
	}
	*i += 5;
	*nul = *nul || code == 0;
	if (code < 0xd800 || code > 0xdfff)
		return true;
	next = unicode_escape(text + *i + 1, len - *i - 1);
	if (code > 0xdbff || next < 0xdc00 || next > 0xdfff)
		return wrong(r, "a text holds half of a surrogate pair");
	*i += 6;
	return true;
}

/*
 * Checks the escapes of all strings in the text.  A NUL is refused in names
 * only, which are the strings with a colon behind them.  Text that is no JSON
 * is left to json-c.
 */
static bool
check_escapes(Reader *r, const char *text, size_t len)
{
	bool		in_string = false;
	bool		nul = false;	/* in the last string */

	for (size_t i = 0; i < len; i++)
	{
		if (in_string && text[i] == '\\')
		{
			if (!check_escape(r, text, len, &i, &nul))
				return false;
		}
		else if (text[i] == '"')
		{
			in_string = !in_string;
			nul = nul && !in_string;
		}
		else if (!in_string && text[i] == ':' && nul)
			return wrong(r, "a name holds \\u0000");
	}
	return true;
}

/* Takes the type from JSON's own kinds; what the caller needs instead it makes of that. */
static bool
read_scalar(Reader *r, struct json_object *json, DynValue *value)
{
	switch (json_object_get_type(json))
	{
		case json_type_boolean:
			value->type = DYN_FEAST_BOOL;
			value->u.boolean = json_object_get_boolean(json);
			return true;
		case json_type_int:
			value->type = DYN_FEAST_INT64;
			value->u.integer = json_object_get_int64(json);
			return true;
		case json_type_double:
			value->type = DYN_FEAST_DOUBLE;
			value->u.real = json_object_get_double(json);
			return isfinite(value->u.real) || wrong(r, "a number is out of range");
		case json_type_string:
			return read_text(r, json, DYN_FEAST_STRING, value);
		default:
			return true;		/* null: nothing set */
	}
}

/* Zeroed items for the elements of an array.  False: no memory. */
static bool
new_items(Reader *r, struct json_object *json, DynValue *list)
{
	list->u.list.count = json_object_array_length(json);
	list->u.list.items = dyn_arena_alloc(r->arena, (list->u.list.count + 1) * sizeof(DynValue));
	return list->u.list.items != NULL;
}

/* An object as MAP or, at the top, STRUCT. */
static bool
read_map(Reader *r, struct json_object *json, int type, DynValue *map)
{
	struct json_object_iterator i;
	struct json_object_iterator end;

	if (!json_object_is_type(json, json_type_object))
		return wrong(r, "an object is expected");
	map->type = type;
	map->u.map.entries = dyn_arena_alloc(r->arena, (json_object_object_length(json) + 1) * sizeof(DynMapEntry));
	if (map->u.map.entries == NULL)
		return false;
	i = json_object_iter_begin(json);
	end = json_object_iter_end(json);
	for (; !json_object_iter_equal(&i, &end); json_object_iter_next(&i))
	{
		DynMapEntry *entry = &map->u.map.entries[map->u.map.count++];
		const char *key = json_object_iter_peek_name(&i);

		entry->key.type = DYN_FEAST_STRING;
		if (!copy_bytes(r, key, strlen(key), &entry->key) ||
			!read_any(r, json_object_iter_peek_value(&i), &entry->value))
			return false;
	}
	return true;
}

/* An array of objects as MAP_LIST or, at the top, STRUCT_LIST. */
static bool
read_maps(Reader *r, struct json_object *json, int type, DynValue *list)
{
	list->type = type;
	if (!json_object_is_type(json, json_type_array))
		return wrong(r, "an array of objects is expected");
	if (!new_items(r, json, list))
		return false;
	for (size_t i = 0; i < list->u.list.count; i++)
		if (!read_map(r, json_object_array_get_idx(json, i), DYN_FEAST_MAP, &list->u.list.items[i]))
			return false;
	return true;
}

/* An array as `type`, each element as what it is by itself; the caller knows that they fit. */
static bool
read_values(Reader *r, struct json_object *json, int type, DynValue *list)
{
	list->type = type;
	if (!json_object_is_type(json, json_type_array))
		return wrong(r, "an array is expected");
	if (!new_items(r, json, list))
		return false;
	for (size_t i = 0; i < list->u.list.count; i++)
		if (!read_any(r, json_object_array_get_idx(json, i), &list->u.list.items[i]))
			return false;
	return true;
}

/* What an array's elements are together: one scalar kind, all objects, or anything. */
static int
array_type(struct json_object *json)
{
	size_t		n = json_object_array_length(json);
	enum json_type kind = n > 0 ? json_object_get_type(json_object_array_get_idx(json, 0)) : json_type_null;

	for (size_t i = 0; i < n; i++)
	{
		enum json_type next = json_object_get_type(json_object_array_get_idx(json, i));

		if ((kind == json_type_int && next == json_type_double) || (kind == json_type_double && next == json_type_int))
			kind = json_type_double;
		else if (next != kind)
			return DYN_FEAST_VALUE_LIST;
	}
	switch (kind)
	{
		case json_type_boolean:
			return dyn_feast_type_list_of(DYN_FEAST_BOOL);
		case json_type_int:
			return dyn_feast_type_list_of(DYN_FEAST_INT64);
		case json_type_double:
			return dyn_feast_type_list_of(DYN_FEAST_DOUBLE);
		case json_type_string:
			return dyn_feast_type_list_of(DYN_FEAST_STRING);
		case json_type_object:
			return DYN_FEAST_MAP_LIST;
		default:
			return DYN_FEAST_VALUE_LIST;
	}
}

/* An array inside a value, as the type that its elements suggest; beside a fraction, whole numbers are DOUBLEs too. */
static bool
read_array(Reader *r, struct json_object *json, DynValue *list)
{
	int			type = array_type(json);

	if (type == DYN_FEAST_MAP_LIST)
		return read_maps(r, json, type, list);
	if (!read_values(r, json, type, list))
		return false;
	for (size_t i = 0; i < list->u.list.count; i++)
	{
		DynValue   *item = &list->u.list.items[i];

		if (dyn_feast_type_element(type) == DYN_FEAST_DOUBLE && item->type == DYN_FEAST_INT64)
		{
			item->type = DYN_FEAST_DOUBLE;
			item->u.real = (double) item->u.integer;
		}
	}
	return true;
}

/* A value inside another one.  json-c has limited the depth of the recursion. */
static bool
read_any(Reader *r, struct json_object *json, DynValue *value)
{
	if (json_object_is_type(json, json_type_array))
		return read_array(r, json, value);
	if (json_object_is_type(json, json_type_object))
		return read_map(r, json, DYN_FEAST_MAP, value);
	return read_scalar(r, json, value);
}

/* Does Feast's MapKey have a member of this type? */
static bool
is_map_key(int type)
{
	return (type >= DYN_FEAST_INT32 && type <= DYN_FEAST_UNIX_TIMESTAMP) || type == DYN_FEAST_BYTES ||
		type == DYN_FEAST_UUID || type == DYN_FEAST_TIME_UUID || type == DYN_FEAST_DECIMAL;
}

/* A number, or one of the texts that stand for those JSON hasn't. */
static bool
read_real(const DynValue *key, double *real)
{
	static const char *const texts[] = {"NaN", "Infinity", "-Infinity"};

	if (key->type == DYN_FEAST_INT64)
		*real = (double) key->u.integer;
	else if (key->type == DYN_FEAST_DOUBLE)
		*real = key->u.real;
	else
	{
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && key->type == DYN_FEAST_STRING; i++)
			if (strcmp((const char *) key->u.bytes.data, texts[i]) == 0)
			{
				*real = strtod(texts[i], NULL);
				return true;
			}
		return false;
	}
	return true;
}

/* The key of a scalar map, of the type that key_type names. */
static bool
read_map_key(Reader *r, struct json_object *json, const char *type_name, DynValue *key)
{
	int			type = dyn_feast_type_from_name(type_name);
	bool		is_text = dyn_feast_type_shape(type) == DYN_SHAPE_BYTES;

	if (strcmp(type_name, dyn_feast_type_name(DYN_FEAST_NONE)) == 0)
		return json_object_is_type(json, json_type_null) || wrong(r, "a key is not of its \"key_type\"");
	if (!is_map_key(type))
		return wrong(r, "a \"key_type\" is not a type of keys");
	if (!read_scalar(r, json, key))
		return false;
	if (type == DYN_FEAST_FLOAT || type == DYN_FEAST_DOUBLE)
	{
		double		real;

		if (!read_real(key, &real) || (type == DYN_FEAST_FLOAT && isfinite(real) && !isfinite((float) real)))
			return wrong(r, "a key is not of its \"key_type\"");
		if (type == DYN_FEAST_FLOAT)
			key->u.single = (float) real;
		else
			key->u.real = real;
	}
	else if (type == DYN_FEAST_BYTES && key->type == DYN_FEAST_STRING)
	{
		if (!dyn_hex_decode((uint8_t *) key->u.bytes.data, &key->u.bytes.len))
			return wrong(r, "a BYTES key is not hexadecimal");
	}
	else if (is_text ? key->type != DYN_FEAST_STRING :
			 key->type != (type == DYN_FEAST_BOOL ? DYN_FEAST_BOOL : DYN_FEAST_INT64))
		return wrong(r, "a key is not of its \"key_type\"");
	if (type == DYN_FEAST_INT32 && (key->u.integer < INT32_MIN || key->u.integer > INT32_MAX))
		return wrong(r, "an INT32 key is out of range");
	key->type = type;
	return true;
}

/* An array of entries: an object's names are texts, which could not tell the key 1 from "1". */
static bool
read_scalar_map(Reader *r, struct json_object *json, DynValue *map)
{
	size_t		n;

	map->type = DYN_FEAST_SCALAR_MAP;
	if (!json_object_is_type(json, json_type_array))
		return wrong(r, "an array of {\"key_type\", \"key\", \"value\"} is expected");
	n = json_object_array_length(json);
	map->u.map.entries = dyn_arena_alloc(r->arena, (n + 1) * sizeof(DynMapEntry));
	if (map->u.map.entries == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		struct json_object *element = json_object_array_get_idx(json, i);
		const char *type = dyn_json_text(element, "key_type");
		DynMapEntry *entry = &map->u.map.entries[map->u.map.count++];
		struct json_object *key = NULL;
		struct json_object *value = NULL;

		if (type == NULL || !json_object_object_get_ex(element, "key", &key) ||
			!json_object_object_get_ex(element, "value", &value))
			return wrong(r, "an array of {\"key_type\", \"key\", \"value\"} is expected");
		if (!read_map_key(r, key, type, &entry->key) || !read_any(r, value, &entry->value))
			return false;
	}
	return true;
}

/* An object with these two members; others are ignored. */
static bool
read_zoned(Reader *r, struct json_object *json, DynValue *zoned)
{
	struct json_object *seconds = dyn_json_member(json, "unix_timestamp", json_type_int);
	struct json_object *zone = dyn_json_member(json, "zone", json_type_string);
	DynValue	text = {0};

	if (seconds == NULL || zone == NULL)
		return wrong(r, "{\"unix_timestamp\": seconds, \"zone\": \"name\"} is expected");
	if (!read_text(r, zone, DYN_FEAST_STRING, &text))
		return false;
	zoned->type = DYN_FEAST_ZONED_TIMESTAMP;
	zoned->u.zoned.seconds = json_object_get_int64(seconds);
	zoned->u.zoned.zone = text.u.bytes.data;
	zoned->u.zoned.zone_len = text.u.bytes.len;
	return true;
}

/* Of the messages that encode it, below the outermost one. */
static int
message_depth(const DynValue *value)
{
	DynShape	shape = dyn_feast_type_shape(value->type);
	int			deepest = 0;

	if (shape == DYN_SHAPE_MAP || shape == DYN_SHAPE_SCALAR_MAP)
	{
		for (size_t i = 0; i < value->u.map.count; i++)
		{
			int			depth = 2 + message_depth(&value->u.map.entries[i].value);

			deepest = depth > deepest ? depth : deepest;
		}
		return 1 + deepest;
	}
	if (shape == DYN_SHAPE_MAP_LIST || shape == DYN_SHAPE_VALUES)
	{
		for (size_t i = 0; i < value->u.list.count; i++)
		{
			/* a Map stands in a MapList without a Value around it */
			int			depth = (shape == DYN_SHAPE_VALUES ? 1 : 0) + message_depth(&value->u.list.items[i]);

			deepest = depth > deepest ? depth : deepest;
		}
		return 1 + deepest;
	}
	return shape == DYN_SHAPE_LIST || shape == DYN_SHAPE_ZONED ? 1 : 0;
}

/* A value of a type whose JSON is looked into: all but JSON_LIST. */
static bool
read_form(Reader *r, const char *text, size_t len, int type, DynValue *value)
{
	struct json_object *json = NULL;
	DynBuf		widened = {0};
	bool		ok;

	widen_integers(text, len, &widened);
	if (widened.failed || !check_escapes(r, text, len))
		ok = false;
	else if (!dyn_json_parse(widened.data, widened.len, &json))
		ok = wrong(r, "it is not JSON, or nested too deep");
	else
		switch (dyn_feast_type_shape(type))
		{
			case DYN_SHAPE_MAP:
				ok = read_map(r, json, type, value);
				break;
			case DYN_SHAPE_MAP_LIST:
				ok = read_maps(r, json, type, value);
				break;
			case DYN_SHAPE_VALUES:
				ok = read_values(r, json, type, value);
				break;
			case DYN_SHAPE_SCALAR_MAP:
				ok = read_scalar_map(r, json, value);
				break;
			default:
				ok = read_zoned(r, json, value);
				break;
		}
	if (ok && message_depth(value) > DYN_VALUE_MAX_DEPTH)
		ok = wrong(r, "it is nested too deep");
	json_object_put(json);
	dyn_buf_free(&widened);
	return ok;
}

/* False: no memory. */
static bool
add_json(Reader *r, DynJsonString text, DynValue *list)
{
	DynValue   *item;

	if (list->u.list.count == list->u.list.cap)
	{
		DynValue   *more = dyn_arena_grow(r->arena, list->u.list.items, &list->u.list.cap, list->u.list.count + 1,
										  sizeof(DynValue));

		if (more == NULL)
			return false;
		list->u.list.items = more;
	}
	item = &list->u.list.items[list->u.list.count++];
	item->type = DYN_FEAST_JSON;
	item->u.bytes.data = (const uint8_t *) text.data;
	item->u.bytes.len = text.len;
	return true;
}

/* The elements of an array as the texts that they are: numbers keep their digits, names their order. */
static bool
read_json_list(Reader *r, const char *json, size_t len, DynValue *list)
{
	char	   *copy = dyn_arena_alloc(r->arena, len + 1);
	DynJsonScan s;
	DynJsonString text;
	bool		ok = true;

	if (copy == NULL)
		return false;
	memcpy(copy, json, len);
	s.pos = copy;
	s.end = copy + len;
	list->type = DYN_FEAST_JSON_LIST;
	if (!dyn_js_take(&s, '['))
		return wrong(r, "an array is expected");
	if (!dyn_js_take(&s, ']'))
		do
		{
			if (!dyn_js_raw(&s, &text))
				return wrong(r, "it is not JSON");
			if (!add_json(r, text, list))
				return false;
		} while (dyn_js_more(&s, ']', &ok));
	dyn_js_space(&s);
	return (ok && s.pos == s.end) || wrong(r, "it is not JSON");
}

bool
dyn_json_to_value(const char *text, size_t len, int type, DynValue *value, DynArena *arena, const char **why)
{
	Reader		r = {arena, NULL};
	bool		ok;

	memset(value, 0, sizeof(*value));
	ok = type == DYN_FEAST_JSON_LIST ? read_json_list(&r, text, len, value) : read_form(&r, text, len, type, value);
	*why = r.why;
	return ok;
}
