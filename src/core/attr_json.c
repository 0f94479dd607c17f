/*
 * attr_json.c
 *	  The only user of json-c: answers of control calls and writes, error
 *	  bodies, and the JSON form of values.  The answers of BatchGetItem go
 *	  through item_scan instead.
 */
#include "core/attr_json.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/feast_json.h"
#include "core/item_scan.h"

static bool
only_space(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || strchr(" \t\r\n", text[i]) == NULL)
			return false;
	return true;
}

/*
 * False where the text is not one JSON value; *json is the caller's to put,
 * NULL is JSON's null.  Not in json-c's strict mode, which in 0.18 refuses
 * texts that aren't ASCII; what it would refuse does no harm here.
 */
static bool
parse(const char *text, size_t len, struct json_object **json)
{
	struct json_tokener *tokener;
	enum json_tokener_error error;
	size_t		used;

	*json = NULL;
	if (len > INT_MAX - 1)
		return false;
	tokener = json_tokener_new_ex(DYN_JSON_MAX_DEPTH);
	if (tokener == NULL)
		return false;
	*json = json_tokener_parse_ex(tokener, text, (int) len);
	error = json_tokener_get_error(tokener);
	used = json_tokener_get_parse_end(tokener);
	/* a number alone may go on: a line break ends it */
	if (error == json_tokener_continue)
	{
		used = len;
		*json = json_tokener_parse_ex(tokener, "\n", 1);
		error = json_tokener_get_error(tokener);
	}
	json_tokener_free(tokener);
	if (error == json_tokener_success && only_space(text + used, len - used))
		return true;
	json_object_put(*json);
	*json = NULL;
	return false;
}

/* NULL where the text is not one JSON object; the caller puts it. */
static struct json_object *
parse_object(const char *text, size_t len)
{
	struct json_object *json;

	if (!parse(text, len, &json))
		return NULL;
	if (json_object_is_type(json, json_type_object))
		return json;
	json_object_put(json);
	return NULL;
}

/* Member of an object with that type, or NULL; borrowed. */
static struct json_object *
member(struct json_object *object, const char *name, enum json_type type)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, name, &value) ||
		!json_object_is_type(value, type))
		return NULL;
	return value;
}

static const char *
text_member(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name, json_type_string);

	return value ? json_object_get_string(value) : NULL;
}

static void
copy_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

/* "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException" → what is after the '#' */
static void
copy_code(DynStatus *status, const char *type)
{
	const char *hash = strrchr(type, '#');
	size_t		len;

	type = hash ? hash + 1 : type;
	len = strcspn(type, ":");	/* "Code:http://..." happens too */
	snprintf(status->aws_code, sizeof(status->aws_code), "%.*s", (int) len, type);
}

/*
 * Complaints about a signature may quote the canonical request, session token
 * included, after a line break, or the Authorization header.
 */
static void
copy_message(DynStatus *status, const char *message)
{
	const char *quoted = strstr(message, "AWS4-HMAC");
	size_t		len = strcspn(message, "\r\n");

	if (quoted && (size_t) (quoted - message) < len)
		len = quoted - message;
	snprintf(status->message, sizeof(status->message), "%.*s", (int) len, message);
}

bool
dyn_json_error(const char *body, size_t len, DynStatus *status)
{
	struct json_object *object = parse_object(body, len);
	const char *type = text_member(object, "__type");
	const char *message = text_member(object, "message");

	if (type == NULL)
		type = text_member(object, "code");
	if (type == NULL)
	{
		json_object_put(object);
		return false;
	}
	if (message == NULL)
		message = text_member(object, "Message");
	copy_code(status, type);
	copy_message(status, message ? message : "");
	json_object_put(object);
	return true;
}

/* Type of a key attribute, from AttributeDefinitions; "?" where it is not told. */
static const char *
attribute_type(struct json_object *table, const char *name)
{
	struct json_object *definitions = member(table, "AttributeDefinitions", json_type_array);

	for (size_t i = 0; definitions && i < json_object_array_length(definitions); i++)
	{
		struct json_object *definition = json_object_array_get_idx(definitions, i);
		const char *attribute = text_member(definition, "AttributeName");
		const char *type = text_member(definition, "AttributeType");

		if (attribute && type && strcmp(attribute, name) == 0)
			return type;
	}
	return "?";
}

static void
read_key_schema(struct json_object *json, DynTableDescription *table)
{
	struct json_object *schema = member(json, "KeySchema", json_type_array);
	size_t		nkeys = schema ? json_object_array_length(schema) : 0;
	size_t		used = 0;

	for (size_t i = 0; i < nkeys && used < sizeof(table->key_schema); i++)
	{
		struct json_object *key = json_object_array_get_idx(schema, i);
		const char *name = text_member(key, "AttributeName");
		const char *kind = text_member(key, "KeyType");

		if (name == NULL || kind == NULL)
			return;
		used += snprintf(table->key_schema + used, sizeof(table->key_schema) - used, "%s%s %s (%s)",
						 i > 0 ? ", " : "", kind, name, attribute_type(json, name));
	}
	table->feast_key = nkeys == 1 && strcmp(table->key_schema, "HASH entity_id (S)") == 0;
}

bool
dyn_json_table(const char *body, size_t len, DynTableDescription *table)
{
	struct json_object *object = parse_object(body, len);
	struct json_object *json = member(object, "Table", json_type_object);
	struct json_object *created;
	bool		ok;

	memset(table, 0, sizeof(*table));
	if (json == NULL)
		json = member(object, "TableDescription", json_type_object);
	copy_text(table->status, sizeof(table->status), text_member(json, "TableStatus"));
	ok = json != NULL && table->status[0] != '\0';
	if (ok)
	{
		copy_text(table->table_id, sizeof(table->table_id), text_member(json, "TableId"));
		/* the number's own text: a double printed again could differ */
		if (json_object_object_get_ex(json, "CreationDateTime", &created) &&
			(json_object_is_type(created, json_type_double) || json_object_is_type(created, json_type_int)))
			copy_text(table->created, sizeof(table->created), json_object_get_string(created));
		read_key_schema(json, table);
	}
	json_object_put(object);
	return ok;
}

int
dyn_json_unprocessed_items(const char *body, size_t len, const char *table, DynEntityId *ids, int max)
{
	struct json_object *object = parse_object(body, len);
	struct json_object *tables = member(object, "UnprocessedItems", json_type_object);
	struct json_object *requests;
	int			n = 0;

	if (tables == NULL)
	{
		json_object_put(object);
		return -1;
	}
	requests = member(tables, table, json_type_array);
	if (json_object_object_length(tables) != (requests ? 1 : 0) ||
		(requests && json_object_array_length(requests) > (size_t) max))
		n = -1;
	for (size_t i = 0; n >= 0 && requests && i < json_object_array_length(requests); i++)
	{
		struct json_object *request = json_object_array_get_idx(requests, i);
		struct json_object *put = member(request, "PutRequest", json_type_object);
		struct json_object *item = member(put, "Item", json_type_object);
		const char *hex = text_member(member(item, "entity_id", json_type_object), "S");

		if (hex != NULL && dyn_entity_id_from_hex(&ids[n], hex, strlen(hex)))
			n++;
		else
			n = -1;
	}
	json_object_put(object);
	return n;
}

/* ---- JSON to values (feast_json.h) ---- */

typedef struct Reader
{
	DynArena   *arena;
	const char *why;			/* what is wrong; NULL with a failure: no memory */
} Reader;

static bool read_any(Reader *r, struct json_object *json, DynValue *value);

static bool
wrong(Reader *r, const char *why)
{
	r->why = why;
	return false;
}

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

static bool
read_any(Reader *r, struct json_object *json, DynValue *value)
{
	if (json_object_is_type(json, json_type_array))
		return read_array(r, json, value);
	if (json_object_is_type(json, json_type_object))
		return read_map(r, json, DYN_FEAST_MAP, value);
	return read_scalar(r, json, value);
}

/* The key of a scalar map, of the type that key_type names. */
static bool
read_map_key(Reader *r, struct json_object *json, const char *type_name, DynValue *key)
{
	int			type = dyn_feast_type_from_name(type_name);
	bool		is_text = dyn_feast_type_shape(type) == DYN_SHAPE_BYTES;

	if (strcmp(type_name, dyn_feast_type_name(DYN_FEAST_NONE)) == 0)
		return true;
	if (!read_scalar(r, json, key))
		return false;
	if (type == DYN_FEAST_FLOAT || type == DYN_FEAST_DOUBLE)
	{
		double		real = key->type == DYN_FEAST_STRING ? strtod((const char *) key->u.bytes.data, NULL) :
			key->type == DYN_FEAST_INT64 ? (double) key->u.integer : key->u.real;

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
		const char *type = text_member(element, "key_type");
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

static bool
read_zoned(Reader *r, struct json_object *json, DynValue *zoned)
{
	struct json_object *seconds = member(json, "unix_timestamp", json_type_int);
	struct json_object *zone = member(json, "zone", json_type_string);
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

bool
dyn_json_to_value(const char *text, size_t len, int type, DynValue *value, DynArena *arena, const char **why)
{
	Reader		r = {arena, NULL};
	struct json_object *json = NULL;
	DynBuf		widened = {0};
	bool		ok;

	memset(value, 0, sizeof(*value));
	widen_integers(text, len, &widened);
	if (widened.failed)
		ok = false;
	else if (!parse(widened.data, widened.len, &json))
		ok = wrong(&r, "it is not JSON, or nested too deep");
	else
		switch (dyn_feast_type_shape(type))
		{
			case DYN_SHAPE_MAP:
				ok = read_map(&r, json, type, value);
				break;
			case DYN_SHAPE_MAP_LIST:
				ok = read_maps(&r, json, type, value);
				break;
			case DYN_SHAPE_VALUES:
				ok = read_values(&r, json, type, value);
				break;
			case DYN_SHAPE_SCALAR_MAP:
				ok = read_scalar_map(&r, json, value);
				break;
			default:
				ok = read_zoned(&r, json, value);
				break;
		}
	json_object_put(json);
	dyn_buf_free(&widened);
	*why = r.why;
	return ok;
}
