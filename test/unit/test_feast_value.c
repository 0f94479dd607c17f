/*
 * test_feast_value_decode.c
 *	  Value bytes against those the Feast SDK writes and reads.
 *
 * Lists, sets and maps are checked by encoding again what was decoded: that
 * gives Feast's bytes, but for the order of a map's entries, which is free.
 */
#include "core/feast_value.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/pbwire.h"

#include "core/utf8.h"
#include "golden.h"
#include "tap.h"

static DynArena arena;

/* As a verdict; memory does not run out here. */
static bool
decode(const uint8_t *data, size_t len, DynValue *value)
{
	dyn_arena_clear(&arena);
	return dyn_feast_value_decode(data, len, value, &arena) == DYN_DECODE_OK;
}

static bool
is_scalar(int type)
{
	return type >= DYN_FEAST_NONE && type <= DYN_FEAST_UNIX_TIMESTAMP;
}

/* Decodes a copy that ends where its memory ends; slices of it are not to be used. */
static bool
decodes(const uint8_t *data, size_t len, DynValue *value)
{
	uint8_t    *copy = golden_copy(data, len);
	bool		accepted = decode(copy, len, value);

	free(copy);
	return accepted;
}

/* NaN, Infinity and -Infinity are texts in the golden files. */
static double
real_of(json_object *value)
{
	return json_object_is_type(value, json_type_string) ? strtod(json_object_get_string(value), NULL) :
		json_object_get_double(value);
}

/* The DynValue that a golden case describes; `*owned` is to be freed. */
static DynValue
value_of(json_object *c, uint8_t **owned)
{
	json_object *json = golden_get(c, "value");
	DynValue	value = {.type = (int) golden_int(c, "field_number")};

	*owned = NULL;
	switch (value.type)
	{
		case DYN_FEAST_BYTES:
			value.u.bytes.data = *owned = golden_hex(golden_text(c, "value"), &value.u.bytes.len);
			break;
		case DYN_FEAST_STRING:
			value.u.bytes.data = (const uint8_t *) golden_text(c, "value");
			value.u.bytes.len = json_object_get_string_len(json);
			break;
		case DYN_FEAST_INT32:
		case DYN_FEAST_INT64:
			value.u.integer = json_object_get_int64(json);
			break;
		case DYN_FEAST_UNIX_TIMESTAMP:
			value.u.integer = golden_int(c, "epoch_seconds");
			break;
		case DYN_FEAST_DOUBLE:
			value.u.real = real_of(json);
			break;
		case DYN_FEAST_FLOAT:
			value.u.single = (float) real_of(json);
			break;
		case DYN_FEAST_BOOL:
			value.u.boolean = json_object_get_boolean(json);
			break;
	}
	return value;
}

static bool
same_bits(const void *a, const void *b, size_t len)
{
	return memcmp(a, b, len) == 0;
}

/* Bitwise: -0.0 is not 0.0, and a NaN equals itself. */
static bool
same_value(const DynValue *a, const DynValue *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type)
	{
		case DYN_FEAST_NONE:
			return true;
		case DYN_FEAST_BYTES:
		case DYN_FEAST_STRING:
			return a->u.bytes.len == b->u.bytes.len &&
				(a->u.bytes.len == 0 || same_bits(a->u.bytes.data, b->u.bytes.data, a->u.bytes.len));
		case DYN_FEAST_DOUBLE:
			return same_bits(&a->u.real, &b->u.real, sizeof(double));
		case DYN_FEAST_FLOAT:
			return same_bits(&a->u.single, &b->u.single, sizeof(float));
		case DYN_FEAST_BOOL:
			return a->u.boolean == b->u.boolean;
		default:
			return a->u.integer == b->u.integer;
	}
}

static void
test_scalar(json_object *c, const char *name, const uint8_t *data, size_t len)
{
	uint8_t    *owned;
	DynValue	want = value_of(c, &owned);
	DynValue	got;
	DynBuf		buf = {0};

	ok(decode(data, len, &got), "%s is decoded", name);
	ok(same_value(&got, &want), "%s: to its value", name);
	ok(dyn_feast_value_encode(&buf, &want), "%s is encoded", name);
	is_bytes(buf.data, buf.len, data, len, "%s: to Feast's bytes", name);
	dyn_buf_free(&buf);
	free(owned);
}

/* A value is one field, so nothing between no byte and all of them is a Value. */
static void
test_truncated(const char *name, const uint8_t *data, size_t len)
{
	DynValue	value;
	size_t		wrong = 0;

	for (size_t n = 1; n < len; n++)
		if (decodes(data, n, &value))
			wrong = n;
	is_int(wrong, 0, "%s: every truncation is refused", name);
}

static bool
has_maps(int type)
{
	DynShape	shape = dyn_feast_type_shape(type);

	return shape == DYN_SHAPE_MAP || shape == DYN_SHAPE_MAP_LIST || shape == DYN_SHAPE_VALUES ||
		shape == DYN_SHAPE_SCALAR_MAP;
}

static int
compare_bytes(const void *a, const void *b)
{
	return (int) *(const uint8_t *) a - (int) *(const uint8_t *) b;
}

/* Same bytes in some order: entries of maps may have changed places. */
static bool
same_sorted(const DynBuf *buf, const uint8_t *data, size_t len)
{
	uint8_t    *a = golden_copy(buf->data, buf->len);
	uint8_t    *b = golden_copy(data, len);
	bool		same;

	qsort(a, buf->len, 1, compare_bytes);
	qsort(b, len, 1, compare_bytes);
	same = buf->len == len && memcmp(a, b, len) == 0;
	free(a);
	free(b);
	return same;
}

static void
test_message(const char *name, int type, const uint8_t *data, size_t len)
{
	DynValue	value;
	DynBuf		once = {0};
	DynBuf		twice = {0};

	ok(decode(data, len, &value), "%s is decoded", name);
	is_int(value.type, type, "%s: its member", name);
	ok(dyn_feast_value_encode(&once, &value), "%s is encoded", name);
	if (has_maps(type))
		ok(same_sorted(&once, data, len), "%s: to Feast's bytes, entries in any order", name);
	else
		is_bytes(once.data, once.len, data, len, "%s: to Feast's bytes", name);
	ok(decode((uint8_t *) once.data, once.len, &value) && dyn_feast_value_encode(&twice, &value), "%s: again", name);
	is_bytes(twice.data, twice.len, once.data, once.len, "%s: the same again", name);
	dyn_buf_free(&once);
	dyn_buf_free(&twice);
}

static void
test_golden(void)
{
	json_object *cases = golden_json("values.json");

	for (size_t i = 0; i < golden_count(cases, ""); i++)
	{
		json_object *c = golden_at(cases, "", i);
		const char *name = golden_text(c, "name");
		int			type = (int) golden_int(c, "field_number");
		size_t		len;
		uint8_t    *data = golden_hex(golden_text(c, "proto_hex"), &len);
		DynValue	value;

		if (is_scalar(type))
			test_scalar(c, name, data, len);
		else if (type == DYN_FEAST_NULL)
			ok(decode(data, len, &value) && value.type == DYN_FEAST_NONE, "%s is nothing set", name);
		else
			test_message(name, type, data, len);
		test_truncated(name, data, len);
		free(data);
	}
	json_object_put(cases);
}

static void
test_golden_wire(void)
{
	json_object *cases = golden_json("values_wire.json");

	for (size_t i = 0; i < golden_count(cases, ""); i++)
	{
		json_object *c = golden_at(cases, "", i);
		const char *name = golden_text(c, "name");
		bool		accepted = json_object_get_boolean(golden_get(c, "accepted"));
		size_t		len;
		uint8_t    *data = golden_hex(golden_text(c, "proto_hex"), &len);
		uint8_t    *owned;
		DynValue	want = value_of(c, &owned);
		DynValue	got = {0};

		if (want.type == DYN_FEAST_NULL)
			want.type = DYN_FEAST_NONE;
		is_int(decode(data, len, &got), accepted, "%s: verdict", name);
		if (accepted && is_scalar(want.type))
			ok(same_value(&got, &want), "%s: value", name);
		else if (accepted)
			is_int(got.type, want.type, "%s: member", name);
		free(owned);
		free(data);
	}
	json_object_put(cases);
}

/* More of the wire format. The verdicts are those of the SDK's ParseFromString (protobuf 7.36, upb). */
static const struct
{
	const char *what;
	const char *hex;
	int			member;			/* -1: refused */
}			wire_cases[] = {
	{"no bytes", "", 0},
	{"a varint of ten bytes", "2080808080808080808000", 4},
	{"a varint of eleven bytes", "208080808080808080808000", -1},
	{"bits over 64 in a varint", "20ffffffffffffffffff7f", 4},
	{"a tag without a value", "20", -1},
	{"a tag that is cut", "a0", -1},
	{"a tag of five bytes", "a08080800001", 4},
	{"a tag of six bytes", "a0808080800001", -1},
	{"the highest field number", "f8ffffff0f01", 0},
	{"a tag over 32 bits", "f8ffffff1f01", -1},
	{"field 0 with a length", "0200", -1},
	{"a length in five bytes", "12818080800061", 2},
	{"a length in six bytes", "1281808080800061", -1},
	{"a length over 32 bits", "12ffffffffffffffffff01", -1},
	{"a length of 4 GB", "12ffffffff0f", -1},
	{"wire type 6", "26", -1},
	{"wire type 7", "27", -1},
	{"the end of no group", "24", -1},
	{"a group", "2320012c2007", -1},
	{"a group around a member", "232001242007", 4},
	{"an empty group", "2324", 0},
	{"a group that does not end", "23", -1},
	{"a group in a group", "232b2c242007", 4},
	{"groups that end in the wrong order", "232b242c2007", -1},
	{"unused field numbers", "480152026162c00105f00105f20100", 0},
	{"bytes need not be UTF-8", "0a02fffe", 1},
	{"JSON text that is not UTF-8", "820202fffe", -1},
	{"a UUID that is not UTF-8", "a20202fffe", -1},
	{"a time UUID that is not UTF-8", "aa0202fffe", -1},
	{"a decimal that is not UTF-8", "e20202fffe", -1},
	{"bad UTF-8 that a later member replaces", "1202fffe2001", -1},
	{"null after a value", "2001980100", 0},
	{"a value after null", "9801002001", 4},
	{"another wire type does not unset a member", "20012900000000000000002500000000", 5},
	{"garbage after a member", "20012112", -1},
};

static void
test_wire(void)
{
	for (size_t i = 0; i < LENGTH(wire_cases); i++)
	{
		size_t		len;
		uint8_t    *data = golden_hex(wire_cases[i].hex, &len);
		DynValue	value;
		int			member = decode(data, len, &value) ? value.type : -1;

		is_int(member, wire_cases[i].member, "%s (%s)", wire_cases[i].what, wire_cases[i].hex);
		free(data);
	}
}

/* A map of two entries, the second with something besides key and value; how many the SDK reads. */
static const struct
{
	const char *what;
	const char *hex;
	int			entries;
}			entry_cases[] = {
	{"nothing besides", "a201120a070a0161120220010a070a016212022002", 2},
	{"an unknown field", "a201140a070a0161120220010a090a0162120220021801", 1},
	{"a key of another wire type", "a201140a070a0161120220010a090a0162120220020801", 1},
	{"a group", "a201140a070a0161120220010a090a0162120220021b1c", 1},
	{"an unknown field in its value", "a201140a070a0161120220010a090a0162120420024801", 2},
	{"neither key nor value", "a2010b0a070a0161120220010a00", 2},
};

static void
test_entries(void)
{
	for (size_t i = 0; i < LENGTH(entry_cases); i++)
	{
		size_t		len;
		uint8_t    *data = golden_hex(entry_cases[i].hex, &len);
		DynValue	value;

		ok(decode(data, len, &value) && value.type == DYN_FEAST_MAP, "a map: %s", entry_cases[i].what);
		is_int(value.u.map.count, entry_cases[i].entries, "entries: %s", entry_cases[i].what);
		free(data);
	}
}

/* The ways messages stand in each other: the field numbers from a Value down to the next one, or to the innermost. */
static const struct
{
	const char *what;
	uint32_t	path[4];		/* ends with 0 */
}			nestings[] = {
	{"value lists", {DYN_FEAST_VALUE_LIST, 1}},
	{"maps", {DYN_FEAST_MAP, 1, 2}},
	{"scalar maps", {DYN_FEAST_SCALAR_MAP, 1, 2}},
};

static const struct
{
	const char *what;
	uint32_t	path[4];
}			places[] = {
	{"a Value", {0}},
	{"a list of numbers", {DYN_FEAST_UNIX_TIMESTAMP_LIST}},
	{"a map", {DYN_FEAST_STRUCT}},
	{"an entry", {DYN_FEAST_MAP, 1}},
	{"a map in a list", {DYN_FEAST_MAP_LIST, 1}},
	{"a key", {DYN_FEAST_SCALAR_MAP, 1, 1}},
	{"a zoned timestamp", {DYN_FEAST_ZONED_TIMESTAMP}},
};

/* Puts messages around the bytes, the last number of the path innermost; how many. */
static int
wrap(DynBuf *bytes, const uint32_t *path)
{
	DynBuf		outer = {0};
	int			depth;

	if (*path == 0)
		return 0;
	depth = 1 + wrap(bytes, path + 1);
	dyn_pb_put_bytes(&outer, *path, bytes->data, bytes->len);
	dyn_buf_free(bytes);
	*bytes = outer;
	return depth;
}

static void
put_groups(DynBuf *out, int depth)
{
	for (int i = 0; i < depth; i++)
		dyn_pb_put_tag(out, 100, DYN_PB_GROUP);
	for (int i = 0; i < depth; i++)
		dyn_pb_put_tag(out, 100, DYN_PB_END_GROUP);
}

/* At a place below `levels` of a nesting: how many groups in each other are accepted there, and *depth of the place. */
static int
groups_accepted(size_t nesting, int levels, size_t place, int *depth)
{
	for (int groups = 0;; groups++)
	{
		DynBuf		bytes = {0};
		DynValue	value;
		bool		accepted;

		put_groups(&bytes, groups);
		*depth = wrap(&bytes, places[place].path);
		for (int i = 0; i < levels; i++)
			*depth += wrap(&bytes, nestings[nesting].path);
		accepted = decodes((uint8_t *) bytes.data, bytes.len, &value);
		dyn_buf_free(&bytes);
		if (!accepted)
			return groups - 1;
	}
}

/* Feast's parser counts messages and unknown groups together, wherever they stand: 100 of them and no more. */
static void
test_nesting(void)
{
	static const int levels[] = {0, 1, 20, 32, 33, 34, 49, 50, 51};
	DynBuf		deep = {0};
	DynValue	value;

	for (size_t n = 0; n < LENGTH(nestings); n++)
		for (size_t p = 0; p < LENGTH(places); p++)
			for (size_t i = 0; i < LENGTH(levels); i++)
			{
				int			depth;
				int			groups = groups_accepted(n, levels[i], p, &depth);

				is_int(groups, depth > 100 ? -1 : 100 - depth, "groups in %s below %d %s", places[p].what, levels[i],
					   nestings[n].what);
			}
	put_groups(&deep, 1000000);
	ok(!decodes((uint8_t *) deep.data, deep.len, &value), "a million groups do not overflow the stack");
	dyn_buf_free(&deep);
}

/* No byte of a good value, whatever it becomes, makes the decoder read outside. */
static void
test_damaged(void)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0x07, 0x0b, 0x12, 0x7f, 0x80, 0xff};
	json_object *cases = golden_json("values.json");
	size_t		accepted = 0;
	size_t		refused = 0;

	for (size_t i = 0; i < golden_count(cases, ""); i++)
	{
		size_t		len;
		uint8_t    *data = golden_hex(golden_text(golden_at(cases, "", i), "proto_hex"), &len);

		for (size_t at = 0; at < len && at < 40; at++)
			for (size_t b = 0; b < LENGTH(bytes); b++)
			{
				uint8_t		was = data[at];
				DynValue	value;

				data[at] = bytes[b];
				if (decodes(data, len, &value))
					accepted++;
				else
					refused++;
				data[at] = was;
			}
		free(data);
	}
	ok(accepted > 100 && refused > 100, "damaged values: %zu accepted, %zu refused", accepted, refused);
	json_object_put(cases);
}

/* Far more keys than any row has, half of them twice: no time that grows with their square. */
static void
test_large_map(void)
{
	enum { KEYS = 200000 };
	DynBuf		map = {0};
	DynBuf		bytes = {0};
	DynValue	got;

	for (uint32_t i = 0; i < KEYS; i++)
	{
		uint32_t	key = i % (KEYS / 2);
		DynBuf		entry = {0};
		char		text[16];

		snprintf(text, sizeof(text), "%u", key);
		dyn_pb_put_bytes(&entry, 1, text, strlen(text));
		dyn_pb_put_bytes(&entry, 2, i < KEYS / 2 ? "\x20\x01" : "\x20\x02", 2);
		dyn_pb_put_bytes(&map, 1, entry.data, entry.len);
		dyn_buf_free(&entry);
	}
	dyn_pb_put_bytes(&bytes, DYN_FEAST_MAP, map.data, map.len);
	ok(decode((uint8_t *) bytes.data, bytes.len, &got), "a map of many keys");
	is_int(got.u.map.count, KEYS / 2, "each key once");
	ok(got.u.map.entries[77].value.u.integer == 2, "the last of a key wins");

	/* merged from many parts it is still sorted once */
	for (int i = 0; i < 4000; i++)
		dyn_pb_put_bytes(&bytes, DYN_FEAST_MAP, "", 0);
	ok(decode((uint8_t *) bytes.data, bytes.len, &got), "a map of many parts");
	is_int(got.u.map.count, KEYS / 2, "its keys");
	dyn_buf_free(&map);
	dyn_buf_free(&bytes);
}

static void
test_not_encoded(void)
{
	static const int types[] = {9, 10, 30, 31, 49, -1};
	DynBuf		buf = {0};

	dyn_buf_str(&buf, "x");
	for (size_t i = 0; i < LENGTH(types); i++)
	{
		DynValue	value = {.type = types[i]};

		ok(!dyn_feast_value_encode(&buf, &value) && buf.len == 1, "type %d is not encoded", types[i]);
	}
	dyn_buf_free(&buf);
}

static const struct
{
	const char *what;
	const char *bytes;
	bool		valid;
}			utf8_cases[] = {
	{"ASCII", "abc\x7f", true},
	{"lowest of two bytes", "\xc2\x80", true},
	{"highest of two bytes", "\xdf\xbf", true},
	{"lowest of three bytes", "\xe0\xa0\x80", true},
	{"before the surrogates", "\xed\x9f\xbf", true},
	{"after the surrogates", "\xee\x80\x80", true},
	{"highest of three bytes", "\xef\xbf\xbf", true},
	{"lowest of four bytes", "\xf0\x90\x80\x80", true},
	{"U+10FFFF", "\xf4\x8f\xbf\xbf", true},
	{"a mixture", "a\xc3\xbc\xe6\x9d\xb1\xf0\x9f\x9a\x80z", true},
	{"continuation alone", "\x80", false},
	{"overlong '/', two bytes", "\xc0\xaf", false},
	{"overlong U+007F", "\xc1\xbf", false},
	{"overlong '/', three bytes", "\xe0\x80\xaf", false},
	{"overlong U+07FF", "\xe0\x9f\xbf", false},
	{"overlong U+FFFF", "\xf0\x8f\xbf\xbf", false},
	{"first surrogate", "\xed\xa0\x80", false},
	{"last surrogate", "\xed\xbf\xbf", false},
	{"a surrogate pair", "\xed\xa0\xbd\xed\xb8\x80", false},
	{"U+110000", "\xf4\x90\x80\x80", false},
	{"lead byte F5", "\xf5\x80\x80\x80", false},
	{"five bytes", "\xf8\x88\x80\x80\x80", false},
	{"FE", "\xfe", false},
	{"FF", "\xff", false},
	{"two bytes, cut", "a\xc3", false},
	{"three bytes, cut", "a\xe6\x9d", false},
	{"four bytes, cut", "a\xf0\x9f\x9a", false},
	{"second byte is no continuation", "\xc3(", false},
	{"third byte is no continuation", "\xe6\x9d(", false},
	{"fourth byte is no continuation", "\xf0\x9f\x9a(", false},
	{"third byte is a lead", "\xe6\x9d\xc3", false},
};

static size_t
utf8_of(uint32_t code, uint8_t out[4])
{
	if (code < 0x80)
	{
		out[0] = (uint8_t) code;
		return 1;
	}
	if (code < 0x800)
	{
		out[0] = (uint8_t) (0xc0 | code >> 6);
		out[1] = (uint8_t) (0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000)
	{
		out[0] = (uint8_t) (0xe0 | code >> 12);
		out[1] = (uint8_t) (0x80 | (code >> 6 & 0x3f));
		out[2] = (uint8_t) (0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (uint8_t) (0xf0 | code >> 18);
	out[1] = (uint8_t) (0x80 | (code >> 12 & 0x3f));
	out[2] = (uint8_t) (0x80 | (code >> 6 & 0x3f));
	out[3] = (uint8_t) (0x80 | (code & 0x3f));
	return 4;
}

static void
test_utf8(void)
{
	uint8_t		bytes[4];
	uint32_t	wrong = 0;

	for (size_t i = 0; i < LENGTH(utf8_cases); i++)
	{
		size_t		len = strlen(utf8_cases[i].bytes);
		uint8_t    *copy = golden_copy(utf8_cases[i].bytes, len);

		is_int(dyn_utf8_valid(copy, len), utf8_cases[i].valid, "UTF-8: %s", utf8_cases[i].what);
		free(copy);
	}
	ok(dyn_utf8_valid((const uint8_t *) "", 0), "UTF-8: nothing");
	ok(dyn_utf8_valid((const uint8_t *) "a\0b", 3), "UTF-8: NUL");
	for (uint32_t code = 1; code < 0x110000; code++)
		if (dyn_utf8_valid(bytes, utf8_of(code, bytes)) != (code < 0xd800 || code > 0xdfff))
			wrong = code;
	is_int(wrong, 0, "UTF-8: every code point but the surrogates");
}

static void
test_type_names(void)
{
	json_object *cases = golden_json("values.json");

	for (size_t i = 0; i < golden_count(cases, ""); i++)
	{
		json_object *c = golden_at(cases, "", i);
		const char *name = golden_text(c, "value_type");
		int			number = (int) golden_int(c, "field_number");

		/* two types that are stored in another one's member */
		if (strcmp(name, "PDF_BYTES") == 0)
			number = 30;
		if (strcmp(name, "IMAGE_BYTES") == 0)
			number = 31;
		if (number == 0 || (i > 0 && strcmp(name, golden_text(golden_at(cases, "", i - 1), "value_type")) == 0))
			continue;
		is_int(dyn_feast_type_from_name(name), number, "number of %s", name);
		is_string(dyn_feast_type_name(number), name, "name of %d", number);
	}
	json_object_put(cases);

	ok(dyn_feast_type_from_name("int64") == -1, "type names are upper-case");
	ok(dyn_feast_type_from_name("INT6") == -1 && dyn_feast_type_from_name("INT644") == -1, "and exact");
	ok(dyn_feast_type_from_name("") == -1, "no name is no type");
	ok(dyn_feast_type_from_name("an unknown type") == -1, "nor is what unknown numbers are called");
	for (int i = 0; i < 4; i++)
	{
		static const int unused[] = {-1, 9, 10, 49};

		ok(strcmp(dyn_feast_type_name(unused[i]), "an unknown type") == 0, "type %d is unknown", unused[i]);
	}
}

int
main(void)
{
	test_golden();
	test_golden_wire();
	test_wire();
	test_entries();
	test_nesting();
	test_damaged();
	test_not_encoded();
	test_large_map();
	test_utf8();
	dyn_arena_free(&arena);
	test_type_names();
	return done_testing();
}
