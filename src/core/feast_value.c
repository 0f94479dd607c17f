/*
 * feast_value.c
 *	  feast.types.Value from its protobuf bytes.
 *
 * One recursive reader for all messages below Value.  Reading a message member
 * a second time goes on with what is there, which is protobuf's merge.
 */
#include "core/feast_value.h"

#include <stdlib.h>
#include <string.h>

#include "core/pbwire.h"
#include "core/utf8.h"

typedef struct Decoder
{
	DynArena   *arena;
	bool		no_memory;
} Decoder;

/* Field numbers of MapKey, in their order: the types of a scalar map's keys. */
static const int map_key_types[] = {
	0, DYN_FEAST_INT32, DYN_FEAST_INT64, DYN_FEAST_FLOAT, DYN_FEAST_DOUBLE, DYN_FEAST_BOOL,
	DYN_FEAST_UNIX_TIMESTAMP, DYN_FEAST_BYTES, DYN_FEAST_UUID, DYN_FEAST_TIME_UUID, DYN_FEAST_DECIMAL
};

static bool merge_value(Decoder *d, const uint8_t *data, size_t len, DynValue *value, int depth);

/* ---- scalars ---- */

/* Wire type of a number's field. */
static DynPbWire
number_wire(int type)
{
	if (type == DYN_FEAST_DOUBLE)
		return DYN_PB_FIXED64;
	return type == DYN_FEAST_FLOAT ? DYN_PB_FIXED32 : DYN_PB_VARINT;
}

static void
set_number(DynValue *value, int type, uint64_t bits)
{
	uint32_t	low = (uint32_t) bits;

	value->type = type;
	switch (type)
	{
		case DYN_FEAST_INT32:
			value->u.integer = (int32_t) low;
			break;
		case DYN_FEAST_BOOL:
			value->u.boolean = bits != 0;
			break;
		case DYN_FEAST_DOUBLE:
			memcpy(&value->u.real, &bits, sizeof(double));
			break;
		case DYN_FEAST_FLOAT:
			memcpy(&value->u.single, &low, sizeof(float));
			break;
		default:
			value->u.integer = (int64_t) bits;
			break;
	}
}

/* All but BYTES are protobuf strings. */
static bool
set_bytes(DynValue *value, int type, const DynPbField *field)
{
	value->type = type;
	value->u.bytes.data = field->data;
	value->u.bytes.len = field->len;
	return type == DYN_FEAST_BYTES || dyn_utf8_valid(field->data, field->len);
}

/* A field of scalar type `type`. *known: its wire type is the right one, else it is an unknown field. */
static bool
set_scalar(DynValue *value, int type, const DynPbField *field, bool *known)
{
	if (dyn_feast_type_shape(type) == DYN_SHAPE_BYTES)
	{
		*known = field->wire == DYN_PB_LEN;
		return !*known || set_bytes(value, type, field);
	}
	*known = field->wire == number_wire(type);
	if (*known)
		set_number(value, type, field->value);
	return true;
}

/* ---- lists ---- */

/* A new, zeroed last item. */
static DynValue *
add_item(Decoder *d, DynValue *list)
{
	DynValue   *items;

	if (list->u.list.count == list->u.list.cap)
	{
		items = dyn_arena_grow(d->arena, list->u.list.items, &list->u.list.cap, list->u.list.count + 1,
							   sizeof(DynValue));
		if (items == NULL)
		{
			d->no_memory = true;
			return NULL;
		}
		list->u.list.items = items;
	}
	return &list->u.list.items[list->u.list.count++];
}

static bool
add_packed(Decoder *d, const DynPbField *field, int type, DynValue *list)
{
	DynPbReader reader;
	size_t		size = number_wire(type) == DYN_PB_FIXED64 ? 8 : 4;

	dyn_pb_init(&reader, field->data, field->len);
	while (!dyn_pb_at_end(&reader))
	{
		uint64_t	bits = 0;
		DynValue   *item;

		if (number_wire(type) == DYN_PB_VARINT)
		{
			if (!dyn_pb_varint(&reader, &bits))
				return false;
		}
		else if (!dyn_pb_fixed(&reader, size, &bits))
			return false;
		item = add_item(d, list);
		if (item == NULL)
			return false;
		set_number(item, type, bits);
	}
	return true;
}

static bool
merge_list(Decoder *d, const uint8_t *data, size_t len, DynValue *list, int depth)
{
	int			type = dyn_feast_type_element(list->type);
	bool		packable = dyn_feast_type_shape(type) == DYN_SHAPE_NUMBER;
	DynPbReader reader;
	DynPbField	field;

	if (depth > DYN_VALUE_MAX_DEPTH)
		return false;
	dyn_pb_init(&reader, data, len);
	while (dyn_pb_next(&reader, &field))
	{
		DynValue	item = {0};
		DynValue   *slot;
		bool		known;

		if (field.number != 1)
			continue;
		if (packable && field.wire == DYN_PB_LEN)
		{
			if (!add_packed(d, &field, type, list))
				return false;
			continue;
		}
		if (!set_scalar(&item, type, &field, &known))
			return false;
		if (!known)
			continue;
		slot = add_item(d, list);
		if (slot == NULL)
			return false;
		*slot = item;
	}
	return dyn_pb_at_end(&reader);
}

/* ---- maps ---- */

static bool
add_entry(Decoder *d, DynValue *map, const DynMapEntry *entry)
{
	DynMapEntry *entries;

	if (map->u.map.count == map->u.map.cap)
	{
		entries = dyn_arena_grow(d->arena, map->u.map.entries, &map->u.map.cap, map->u.map.count + 1,
								 sizeof(DynMapEntry));
		if (entries == NULL)
		{
			d->no_memory = true;
			return false;
		}
		map->u.map.entries = entries;
	}
	map->u.map.entries[map->u.map.count] = *entry;
	map->u.map.entries[map->u.map.count].order = map->u.map.count;
	map->u.map.count++;
	return true;
}

/* One entry of map<string, Value>; both parts may be missing. */
static bool
read_entry(Decoder *d, const DynPbField *outer, DynMapEntry *entry, int depth)
{
	DynPbReader reader;
	DynPbField	field;

	if (depth > DYN_VALUE_MAX_DEPTH)
		return false;
	memset(entry, 0, sizeof(*entry));
	entry->key.type = DYN_FEAST_STRING;
	entry->key.u.bytes.data = (const uint8_t *) "";
	dyn_pb_init(&reader, outer->data, outer->len);
	while (dyn_pb_next(&reader, &field))
	{
		if (field.wire != DYN_PB_LEN)
			continue;
		if (field.number == 1 && !set_bytes(&entry->key, DYN_FEAST_STRING, &field))
			return false;
		if (field.number == 2 && !merge_value(d, field.data, field.len, &entry->value, depth + 1))
			return false;
	}
	return dyn_pb_at_end(&reader);
}

static int
compare_keys(const DynValue *a, const DynValue *b)
{
	size_t		len = a->u.bytes.len < b->u.bytes.len ? a->u.bytes.len : b->u.bytes.len;
	int			c = memcmp(a->u.bytes.data, b->u.bytes.data, len);

	if (c != 0)
		return c;
	return (a->u.bytes.len > b->u.bytes.len) - (a->u.bytes.len < b->u.bytes.len);
}

static int
compare_entries(const void *a, const void *b)
{
	const DynMapEntry *x = a;
	const DynMapEntry *y = b;
	int			c = compare_keys(&x->key, &y->key);

	return c != 0 ? c : (x->order > y->order) - (x->order < y->order);
}

/* Sorts by key; of entries with one key the last wins. */
static void
make_distinct(DynValue *map)
{
	DynMapEntry *entries = map->u.map.entries;
	size_t		kept = 0;

	if (map->u.map.count > 1)
		qsort(entries, map->u.map.count, sizeof(DynMapEntry), compare_entries);
	for (size_t i = 0; i < map->u.map.count; i++)
	{
		if (i + 1 < map->u.map.count && compare_keys(&entries[i].key, &entries[i + 1].key) == 0)
			continue;
		entries[kept] = entries[i];
		kept++;
	}
	map->u.map.count = kept;
}

static bool
merge_map(Decoder *d, const uint8_t *data, size_t len, DynValue *map, int depth)
{
	DynPbReader reader;
	DynPbField	field;

	if (depth > DYN_VALUE_MAX_DEPTH)
		return false;
	dyn_pb_init(&reader, data, len);
	while (dyn_pb_next(&reader, &field))
	{
		DynMapEntry entry;

		if (field.number != 1 || field.wire != DYN_PB_LEN)
			continue;
		if (!read_entry(d, &field, &entry, depth + 1) || !add_entry(d, map, &entry))
			return false;
	}
	return dyn_pb_at_end(&reader);
}

static bool
read_map_key(const DynPbField *outer, DynValue *key)
{
	DynPbReader reader;
	DynPbField	field;

	dyn_pb_init(&reader, outer->data, outer->len);
	while (dyn_pb_next(&reader, &field))
	{
		DynValue	value = {0};
		bool		known;

		if (field.number >= sizeof(map_key_types) / sizeof(map_key_types[0]))
			continue;
		if (!set_scalar(&value, map_key_types[field.number], &field, &known))
			return false;
		if (known)
			*key = value;
	}
	return dyn_pb_at_end(&reader);
}

static bool
read_scalar_entry(Decoder *d, const DynPbField *outer, DynMapEntry *entry, int depth)
{
	DynPbReader reader;
	DynPbField	field;

	if (depth > DYN_VALUE_MAX_DEPTH)
		return false;
	memset(entry, 0, sizeof(*entry));
	dyn_pb_init(&reader, outer->data, outer->len);
	while (dyn_pb_next(&reader, &field))
	{
		if (field.wire != DYN_PB_LEN)
			continue;
		if (field.number == 1 && (depth >= DYN_VALUE_MAX_DEPTH || !read_map_key(&field, &entry->key)))
			return false;
		if (field.number == 2 && !merge_value(d, field.data, field.len, &entry->value, depth + 1))
			return false;
	}
	return dyn_pb_at_end(&reader);
}

/* A repeated message, no protobuf map: equal keys stay. */
static bool
merge_scalar_map(Decoder *d, const uint8_t *data, size_t len, DynValue *map, int depth)
{
	DynPbReader reader;
	DynPbField	field;

	if (depth > DYN_VALUE_MAX_DEPTH)
		return false;
	dyn_pb_init(&reader, data, len);
	while (dyn_pb_next(&reader, &field))
	{
		DynMapEntry entry;

		if (field.number != 1 || field.wire != DYN_PB_LEN)
			continue;
		if (!read_scalar_entry(d, &field, &entry, depth + 1) || !add_entry(d, map, &entry))
			return false;
	}
	return dyn_pb_at_end(&reader);
}

/* ---- lists of messages ---- */

/* MapList and RepeatedValue: each element a message of its own. */
static bool
merge_messages(Decoder *d, const uint8_t *data, size_t len, DynValue *list, int depth)
{
	bool		maps = dyn_feast_type_shape(list->type) == DYN_SHAPE_MAP_LIST;
	DynPbReader reader;
	DynPbField	field;

	if (depth > DYN_VALUE_MAX_DEPTH)
		return false;
	dyn_pb_init(&reader, data, len);
	while (dyn_pb_next(&reader, &field))
	{
		DynValue	item = {0};
		DynValue   *slot;

		if (field.number != 1 || field.wire != DYN_PB_LEN)
			continue;
		if (maps)
			item.type = DYN_FEAST_MAP;
		if (!(maps ? merge_map(d, field.data, field.len, &item, depth + 1) :
			  merge_value(d, field.data, field.len, &item, depth + 1)))
			return false;
		slot = add_item(d, list);
		if (slot == NULL)
			return false;
		*slot = item;
	}
	return dyn_pb_at_end(&reader);
}

static bool
merge_zoned(const uint8_t *data, size_t len, DynValue *zoned)
{
	DynPbReader reader;
	DynPbField	field;

	dyn_pb_init(&reader, data, len);
	while (dyn_pb_next(&reader, &field))
	{
		if (field.number == 1 && field.wire == DYN_PB_VARINT)
			zoned->u.zoned.seconds = (int64_t) field.value;
		if (field.number == 2 && field.wire == DYN_PB_LEN)
		{
			if (!dyn_utf8_valid(field.data, field.len))
				return false;
			zoned->u.zoned.zone = field.data;
			zoned->u.zoned.zone_len = field.len;
		}
	}
	return dyn_pb_at_end(&reader);
}

/* ---- Value ---- */

/* A member that is a message: goes on with the one that is there, or starts anew. */
static bool
merge_member(Decoder *d, const DynPbField *field, DynValue *value, int depth)
{
	int			type = (int) field->number;

	if (value->type != type)
	{
		memset(value, 0, sizeof(*value));
		value->type = type;
	}
	switch (dyn_feast_type_shape(type))
	{
		case DYN_SHAPE_LIST:
			return merge_list(d, field->data, field->len, value, depth + 1);
		case DYN_SHAPE_MAP:
			return merge_map(d, field->data, field->len, value, depth + 1);
		case DYN_SHAPE_SCALAR_MAP:
			return merge_scalar_map(d, field->data, field->len, value, depth + 1);
		case DYN_SHAPE_ZONED:
			return depth < DYN_VALUE_MAX_DEPTH && merge_zoned(field->data, field->len, value);
		default:
			return merge_messages(d, field->data, field->len, value, depth + 1);
	}
}

static bool
merge_field(Decoder *d, const DynPbField *field, DynValue *value, int depth)
{
	int			type = field->number <= DYN_FEAST_ZONED_TIMESTAMP ? (int) field->number : DYN_FEAST_NONE;
	DynShape	shape = dyn_feast_type_shape(type);
	bool		known;

	if (type == DYN_FEAST_NULL && field->wire == DYN_PB_VARINT)
	{
		memset(value, 0, sizeof(*value));
		return true;
	}
	/* JSON_LIST, UUID_LIST and their like share their messages with STRING_LIST */
	if (shape == DYN_SHAPE_NUMBER || shape == DYN_SHAPE_BYTES)
	{
		DynValue	scalar = {0};

		if (!set_scalar(&scalar, type, field, &known))
			return false;
		if (known)
			*value = scalar;
		return true;
	}
	if (shape == DYN_SHAPE_NONE || field->wire != DYN_PB_LEN)
		return true;			/* unknown */
	return merge_member(d, field, value, depth);
}

static bool
merge_value(Decoder *d, const uint8_t *data, size_t len, DynValue *value, int depth)
{
	DynPbReader reader;
	DynPbField	field;

	if (depth > DYN_VALUE_MAX_DEPTH)
		return false;
	dyn_pb_init(&reader, data, len);
	while (dyn_pb_next(&reader, &field))
		if (!merge_field(d, &field, value, depth))
			return false;
	return dyn_pb_at_end(&reader);
}

/* Makes the keys of all maps distinct, once each: a map may have been merged from many parts. */
static void
finish(DynValue *value)
{
	DynShape	shape = dyn_feast_type_shape(value->type);

	if (shape == DYN_SHAPE_MAP)
		make_distinct(value);
	switch (shape)
	{
		case DYN_SHAPE_MAP:
		case DYN_SHAPE_SCALAR_MAP:
			for (size_t i = 0; i < value->u.map.count; i++)
				finish(&value->u.map.entries[i].value);
			break;
		case DYN_SHAPE_MAP_LIST:
		case DYN_SHAPE_VALUES:
			for (size_t i = 0; i < value->u.list.count; i++)
				finish(&value->u.list.items[i]);
			break;
		default:
			break;
	}
}

DynDecode
dyn_feast_value_decode(const uint8_t *data, size_t len, DynValue *value, DynArena *arena)
{
	Decoder		d = {arena, false};

	memset(value, 0, sizeof(*value));
	if (merge_value(&d, data, len, value, 0))
	{
		finish(value);
		return DYN_DECODE_OK;
	}
	return d.no_memory ? DYN_DECODE_NO_MEMORY : DYN_DECODE_BAD;
}
