/*
 * feast_value_decode.c
 *	  feast.types.Value from its protobuf bytes.
 *
 * read_message() reads every message, with a function for the fields of its
 * kind.  Reading a message member a second time goes on with what is there,
 * which is protobuf's merge.
 */
#include "core/feast_value.h"

#include <stdlib.h>
#include <string.h>

#include "core/pbwire.h"
#include "core/utf8.h"

typedef struct Decoder
{
	DynArena   *arena;
	int			depth_left;		/* messages and groups that may still be opened */
	bool		no_memory;
} Decoder;

/* Takes a field into what is being read: a DynValue, or a DynMapEntry. */
typedef bool (*FieldReader) (Decoder *d, const DynPbField *field, void *target);

/* Field numbers of MapKey, in their order: the types of a scalar map's keys. */
static const int map_key_types[] = {
	0, DYN_FEAST_INT32, DYN_FEAST_INT64, DYN_FEAST_FLOAT, DYN_FEAST_DOUBLE, DYN_FEAST_BOOL,
	DYN_FEAST_UNIX_TIMESTAMP, DYN_FEAST_BYTES, DYN_FEAST_UUID, DYN_FEAST_TIME_UUID, DYN_FEAST_DECIMAL
};

static bool value_field(Decoder *d, const DynPbField *field, void *target);

/*
 * Reads the fields of a message into `target`, one by one.  False: malformed,
 * nested too deep, not what `read_field` takes, or no memory.
 */
static bool
read_message(Decoder *d, const DynPbField *message, FieldReader read_field, void *target)
{
	DynPbReader reader;
	DynPbField	field;
	bool		ok = true;

	if (d->depth_left == 0)
		return false;
	d->depth_left--;
	dyn_pb_init(&reader, message->data, message->len, d->depth_left);
	while (ok && dyn_pb_next(&reader, &field))
		ok = read_field(d, &field, target);
	d->depth_left++;
	return ok && dyn_pb_at_end(&reader);
}

/* ---- scalars ---- */

/* Wire type of a number's field. */
static DynPbWire
number_wire(int type)
{
	if (type == DYN_FEAST_DOUBLE)
		return DYN_PB_FIXED64;
	return type == DYN_FEAST_FLOAT ? DYN_PB_FIXED32 : DYN_PB_VARINT;
}

/* A number from its bits on the wire; of an INT32, which a varint widens to 64 bits, the low half counts. */
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

/* Numbers one behind the other, without tags.  False: the last one is cut, or no memory. */
static bool
add_packed(Decoder *d, const DynPbField *field, int type, DynValue *list)
{
	DynPbReader reader;
	size_t		size = number_wire(type) == DYN_PB_FIXED64 ? 8 : 4;

	dyn_pb_init(&reader, field->data, field->len, 0);
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

/* Of a list or set: elements come packed or in a field each, even by turns. */
static bool
list_field(Decoder *d, const DynPbField *field, void *target)
{
	DynValue   *list = target;
	int			type = dyn_feast_type_element(list->type);
	DynValue	item = {0};
	DynValue   *slot;
	bool		known;

	if (field->number != 1)
		return true;
	if (field->wire == DYN_PB_LEN && dyn_feast_type_shape(type) == DYN_SHAPE_NUMBER)
		return add_packed(d, field, type, list);
	if (!set_scalar(&item, type, field, &known))
		return false;
	if (!known)
		return true;
	slot = add_item(d, list);
	if (slot == NULL)
		return false;
	*slot = item;
	return true;
}

/* ---- maps ---- */

/* Appends an entry, and notes its place in the order of coming. */
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

/* An entry of map<string, Value>. */
typedef struct EntryTarget
{
	DynMapEntry entry;
	bool		unknown;
} EntryTarget;

/* Key and value may come in any order, or more than once: the last key counts, values merge. */
static bool
entry_field(Decoder *d, const DynPbField *field, void *target)
{
	EntryTarget *t = target;

	if (field->number == 1 && field->wire == DYN_PB_LEN)
		return set_bytes(&t->entry.key, DYN_FEAST_STRING, field);
	if (field->number == 2 && field->wire == DYN_PB_LEN)
		return read_message(d, field, value_field, &t->entry.value);
	t->unknown = true;
	return true;
}

/* Feast's parser takes an entry with an unknown field for an unknown field as a whole. */
static bool
map_field(Decoder *d, const DynPbField *field, void *target)
{
	EntryTarget t = {0};

	if (field->number != 1 || field->wire != DYN_PB_LEN)
		return true;
	t.entry.key.type = DYN_FEAST_STRING;	/* both parts may be missing */
	t.entry.key.u.bytes.data = (const uint8_t *) "";
	return read_message(d, field, entry_field, &t) && (t.unknown || add_entry(d, target, &t.entry));
}

/* By bytes; a key comes before those that it begins. */
static int
compare_map_keys(const DynValue *a, const DynValue *b)
{
	size_t		len = a->u.bytes.len < b->u.bytes.len ? a->u.bytes.len : b->u.bytes.len;
	int			c = memcmp(a->u.bytes.data, b->u.bytes.data, len);

	if (c != 0)
		return c;
	return (a->u.bytes.len > b->u.bytes.len) - (a->u.bytes.len < b->u.bytes.len);
}

/* For qsort(), which is not stable: equal keys stay in the order of coming. */
static int
compare_entries(const void *a, const void *b)
{
	const DynMapEntry *x = a;
	const DynMapEntry *y = b;
	int			c = compare_map_keys(&x->key, &y->key);

	return c != 0 ? c : (x->order > y->order) - (x->order < y->order);
}

/* Sorts by key; of entries with one key the last wins. */
static void
drop_repeated_keys(DynValue *map)
{
	DynMapEntry *entries = map->u.map.entries;
	size_t		kept = 0;

	if (map->u.map.count > 1)
		qsort(entries, map->u.map.count, sizeof(DynMapEntry), compare_entries);
	for (size_t i = 0; i < map->u.map.count; i++)
	{
		if (i + 1 < map->u.map.count && compare_map_keys(&entries[i].key, &entries[i + 1].key) == 0)
			continue;
		entries[kept] = entries[i];
		kept++;
	}
	map->u.map.count = kept;
}

/* Of MapKey, a oneof: the last known member counts. */
static bool
map_key_field(Decoder *d, const DynPbField *field, void *target)
{
	DynValue	key = {0};
	bool		known;

	if (field->number >= sizeof(map_key_types) / sizeof(map_key_types[0]))
		return true;
	if (!set_scalar(&key, map_key_types[field->number], field, &known))
		return false;
	if (known)
		*(DynValue *) target = key;
	return true;
}

/* Of a ScalarMap's entry; parts that come again merge. */
static bool
scalar_entry_field(Decoder *d, const DynPbField *field, void *target)
{
	DynMapEntry *entry = target;

	if (field->wire != DYN_PB_LEN)
		return true;
	if (field->number == 1)
		return read_message(d, field, map_key_field, &entry->key);
	return field->number != 2 || read_message(d, field, value_field, &entry->value);
}

/* A repeated message, no protobuf map: equal keys stay. */
static bool
scalar_map_field(Decoder *d, const DynPbField *field, void *target)
{
	DynMapEntry entry = {0};

	if (field->number != 1 || field->wire != DYN_PB_LEN)
		return true;
	return read_message(d, field, scalar_entry_field, &entry) && add_entry(d, target, &entry);
}

/* ---- lists of messages ---- */

/* Of MapList and RepeatedValue: each element a message of its own. */
static bool
messages_field(Decoder *d, const DynPbField *field, void *target)
{
	DynValue   *list = target;
	bool		maps = dyn_feast_type_shape(list->type) == DYN_SHAPE_MAP_LIST;
	DynValue	item = {.type = maps ? DYN_FEAST_MAP : DYN_FEAST_NONE};
	DynValue   *slot;

	if (field->number != 1 || field->wire != DYN_PB_LEN)
		return true;
	if (!read_message(d, field, maps ? map_field : value_field, &item))
		return false;
	slot = add_item(d, list);
	if (slot == NULL)
		return false;
	*slot = item;
	return true;
}

/* Of ZonedTimestamp: seconds, and the zone's name. */
static bool
zoned_field(Decoder *d, const DynPbField *field, void *target)
{
	DynValue   *zoned = target;

	if (field->number == 1 && field->wire == DYN_PB_VARINT)
		zoned->u.zoned.seconds = (int64_t) field->value;
	if (field->number == 2 && field->wire == DYN_PB_LEN)
	{
		zoned->u.zoned.zone = field->data;
		zoned->u.zoned.zone_len = field->len;
		return dyn_utf8_valid(field->data, field->len);
	}
	return true;
}

/* ---- Value ---- */

/* Who reads the fields of a member that is a message, by its shape. */
static FieldReader
member_reader(DynShape shape)
{
	switch (shape)
	{
		case DYN_SHAPE_LIST:
			return list_field;
		case DYN_SHAPE_MAP:
			return map_field;
		case DYN_SHAPE_SCALAR_MAP:
			return scalar_map_field;
		case DYN_SHAPE_ZONED:
			return zoned_field;
		default:
			return messages_field;
	}
}

/*
 * Of Value, a oneof of all types, each under its own number: a scalar takes
 * the place of what was there, a message goes on with one of its type.
 */
static bool
value_field(Decoder *d, const DynPbField *field, void *target)
{
	DynValue   *value = target;
	int			type = field->number <= DYN_FEAST_ZONED_TIMESTAMP ? (int) field->number : DYN_FEAST_NONE;
	DynShape	shape = dyn_feast_type_shape(type);
	bool		known;

	if (type == DYN_FEAST_NULL && field->wire == DYN_PB_VARINT)
	{
		memset(value, 0, sizeof(*value));
		return true;
	}
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
	/* a message goes on with the one that is there, or starts anew */
	if (value->type != type)
	{
		memset(value, 0, sizeof(*value));
		value->type = type;
	}
	return read_message(d, field, member_reader(shape), value);
}

/* Makes the keys of all maps distinct, once each: a map may have been merged from many parts. */
static void
finish_value(DynValue *value)
{
	DynShape	shape = dyn_feast_type_shape(value->type);

	if (shape == DYN_SHAPE_MAP)
		drop_repeated_keys(value);
	switch (shape)
	{
		case DYN_SHAPE_MAP:
		case DYN_SHAPE_SCALAR_MAP:
			for (size_t i = 0; i < value->u.map.count; i++)
				finish_value(&value->u.map.entries[i].value);
			break;
		case DYN_SHAPE_MAP_LIST:
		case DYN_SHAPE_VALUES:
			for (size_t i = 0; i < value->u.list.count; i++)
				finish_value(&value->u.list.items[i]);
			break;
		default:
			break;
	}
}

/*
 * A single scalar member and nothing else, as nearly every value is, without
 * the general reader.  False: it is something else, or malformed.
 */
static bool
read_lone_scalar(const uint8_t *data, size_t len, DynValue *value)
{
	DynPbReader reader;
	DynPbField	field = {0};
	int			type;

	if (len < 2 || data[0] >= 0x80)
		return false;
	type = data[0] >> 3;
	if (type < DYN_FEAST_BYTES || type > DYN_FEAST_UNIX_TIMESTAMP)
		return false;
	if (type == DYN_FEAST_BYTES || type == DYN_FEAST_STRING)
	{
		/* a length of one byte */
		if ((data[0] & 7) != DYN_PB_LEN || data[1] >= 0x80 || data[1] != len - 2)
			return false;
		field.data = data + 2;
		field.len = len - 2;
		return set_bytes(value, type, &field);
	}
	if ((data[0] & 7) != number_wire(type))
		return false;
	dyn_pb_init(&reader, data + 1, len - 1, 0);
	if (!(number_wire(type) == DYN_PB_VARINT ? dyn_pb_varint(&reader, &field.value) :
		  dyn_pb_fixed(&reader, type == DYN_FEAST_DOUBLE ? 8 : 4, &field.value)) || !dyn_pb_at_end(&reader))
		return false;
	set_number(value, type, field.value);
	return true;
}

DynDecode
dyn_feast_value_decode(const uint8_t *data, size_t len, DynValue *value, DynArena *arena)
{
	Decoder		d = {.arena = arena, .depth_left = 1 + DYN_VALUE_MAX_DEPTH};
	DynPbField	whole = {.data = data, .len = len};

	memset(value, 0, sizeof(*value));
	if (read_lone_scalar(data, len, value))
		return DYN_DECODE_OK;
	memset(value, 0, sizeof(*value));
	if (read_message(&d, &whole, value_field, value))
	{
		finish_value(value);
		return DYN_DECODE_OK;
	}
	return d.no_memory ? DYN_DECODE_NO_MEMORY : DYN_DECODE_BAD;
}
