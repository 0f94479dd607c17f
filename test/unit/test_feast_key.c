/*
 * test_feast_key.c
 *	  Entity keys and entity_id against Feast's own, versions 2 and 3.
 */
#include "core/feast_key.h"

#include <stdlib.h>

#include "golden.h"
#include "tap.h"

#define MAX_PARTS 8

/* A key part of a golden case; BYTES are malloc'd, STRING is borrowed. */
static DynKeyPart
part_of(json_object *c, size_t i)
{
	json_object *value = golden_at(c, "values", i);
	DynKeyPart	part = {0};

	part.name = json_object_get_string(golden_at(c, "join_keys", i));
	part.type = dyn_feast_type_from_name(golden_text(value, "value_type"));
	if (part.type == DYN_FEAST_BYTES)
		part.data = golden_hex(golden_text(value, "value_hex"), &part.len);
	else if (part.type == DYN_FEAST_STRING)
	{
		part.data = golden_text(value, "value");
		part.len = json_object_get_string_len(golden_get(value, "value"));
	}
	else
		part.integer = golden_int(value, "value");
	return part;
}

static int
by_name(const void *a, const void *b)
{
	return dyn_feast_key_compare_names(((const DynKeyPart *) a)->name, ((const DynKeyPart *) b)->name);
}

static void
test_case(json_object *c, DynBuf *scratch)
{
	const char *name = golden_text(c, "name");
	int			version = (int) golden_int(c, "version");
	int			nparts = (int) golden_count(c, "join_keys");
	DynKeyPart	parts[MAX_PARTS];
	DynBuf		serialized = {0};
	size_t		want_len;
	uint8_t    *want = golden_hex(golden_text(c, "serialized_hex"), &want_len);
	DynEntityId id;
	char		hex[DYN_ENTITY_ID_HEX_LEN];

	for (int i = 0; i < nparts; i++)
		parts[i] = part_of(c, i);
	qsort(parts, nparts, sizeof(parts[0]), by_name);

	ok(dyn_feast_key_serialize(&serialized, version, parts, nparts), "%s is serialized", name);
	is_bytes(serialized.data, serialized.len, want, want_len, "%s: serialized", name);
	ok(dyn_feast_key_id(&id, scratch, version, parts, nparts), "%s is hashed", name);
	dyn_entity_id_to_hex(&id, hex);
	is_text(hex, sizeof(hex), golden_text(c, "entity_id"), "%s: entity_id", name);

	for (int i = 0; i < nparts; i++)
		if (parts[i].type == DYN_FEAST_BYTES)
			free((void *) parts[i].data);
	free(want);
	dyn_buf_free(&serialized);
}

static void
test_golden(void)
{
	json_object *cases = golden_json("entity_keys.json");
	DynBuf		scratch = {0};	/* one for all: what an earlier key left must not count */

	for (size_t i = 0; i < golden_count(cases, ""); i++)
		test_case(golden_at(cases, "", i), &scratch);
	dyn_buf_free(&scratch);
	json_object_put(cases);
}

/* Where Feast's write_to_online_store puts entityless rows. */
static void
test_empty_key(void)
{
	DynBuf		scratch = {0};
	DynEntityId id;
	char		hex[DYN_ENTITY_ID_HEX_LEN];

	ok(dyn_feast_key_id(&id, &scratch, 3, NULL, 0), "a key of no parts");
	dyn_entity_id_to_hex(&id, hex);
	is_text(hex, sizeof(hex), "bc764cd8ddf7a0cff126f51c16239658", "has Feast's id");
	dyn_buf_free(&scratch);
}

static void
test_append(void)
{
	DynKeyPart	part = {.name = "k", .type = DYN_FEAST_INT32, .integer = 1};
	DynBuf		buf = {0};
	size_t		len;

	dyn_buf_str(&buf, "kept");
	ok(dyn_feast_key_serialize(&buf, 3, &part, 1), "a key after other bytes");
	ok(memcmp(buf.data, "kept", 4) == 0, "is appended to them");
	len = buf.len - 4;
	dyn_buf_clear(&buf);
	dyn_feast_key_serialize(&buf, 3, &part, 1);
	is_int(len, buf.len, "and is the same there");
	dyn_buf_free(&buf);
}

static void
test_refused(void)
{
	static const int types[] = {
		DYN_FEAST_NONE, DYN_FEAST_DOUBLE, DYN_FEAST_FLOAT, DYN_FEAST_BOOL, DYN_FEAST_NULL, 12, 99
	};
	DynKeyPart	parts[2] = {
		{.name = "a", .type = DYN_FEAST_INT64, .integer = 1},
		{.name = "b", .data = "x", .len = 1},
	};
	DynBuf		buf = {0};
	DynEntityId id;

	for (size_t i = 0; i < LENGTH(types); i++)
	{
		parts[1].type = types[i];
		ok(!dyn_feast_key_serialize(&buf, 3, parts, 2), "a part of type %d is refused", types[i]);
		ok(!dyn_feast_key_id(&id, &buf, 2, parts, 2), "and has no id");
		dyn_buf_clear(&buf);
	}
#if SIZE_MAX > UINT32_MAX
	parts[1].type = DYN_FEAST_STRING;
	parts[1].len = (size_t) UINT32_MAX + 1;
	ok(!dyn_feast_key_serialize(&buf, 3, parts, 2), "a length over 32 bits is refused unread");
#endif
	dyn_buf_free(&buf);
}

static void
test_name_order(void)
{
	ok(dyn_feast_key_compare_names("a", "a") == 0, "a name equals itself");
	ok(dyn_feast_key_compare_names("a", "ab") < 0, "a prefix comes first");
	ok(dyn_feast_key_compare_names("Z", "a") < 0, "upper case comes before lower case");
	ok(dyn_feast_key_compare_names("a_b", "ab") < 0, "'_' comes before letters");
	/* bytes over 0x7f must not count as negative; U+FFFF sorts before U+10000, unlike in UTF-16 */
	ok(dyn_feast_key_compare_names("z", "\xc3\xbc") < 0, "ASCII comes before the rest");
	ok(dyn_feast_key_compare_names("\xef\xbf\xbf", "\xf0\x90\x80\x80") < 0, "code points, not UTF-16");
}

static void
test_hex(void)
{
	static const char lower[] = "00017f80abcdef0123456789abcdefff";
	static const char upper[] = "00017F80ABCDEF0123456789ABCDEFFF";
	static const char bad[] = "gG/:@`xX .-_\xff\x80\n";
	DynEntityId id;
	DynEntityId again;
	char		hex[DYN_ENTITY_ID_HEX_LEN];
	bool		refused = true;
	char	   *copy = golden_copy(lower, 32);	/* no NUL behind it */

	ok(dyn_entity_id_from_hex(&id, copy, 32), "hex is read");
	is_bytes(id.bytes, 16, "\x00\x01\x7f\x80\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef\xff", 16, "into its bytes");
	dyn_entity_id_to_hex(&id, hex);
	is_text(hex, sizeof(hex), lower, "and written in lower case");
	ok(dyn_entity_id_from_hex(&again, upper, 32) && memcmp(&id, &again, sizeof(id)) == 0, "upper case is read too");

	ok(!dyn_entity_id_from_hex(&id, copy, 31), "31 digits are refused");
	ok(!dyn_entity_id_from_hex(&id, "00017f80abcdef0123456789abcdefff0", 33), "33 digits are refused");
	ok(!dyn_entity_id_from_hex(&id, "", 0), "no digit is refused");
	for (size_t i = 0; i < 32; i++)
		for (const char *c = bad; *c; c++)
		{
			copy[i] = *c;
			refused = refused && !dyn_entity_id_from_hex(&id, copy, 32);
			copy[i] = lower[i];
		}
	copy[5] = '\0';
	ok(refused && !dyn_entity_id_from_hex(&id, copy, 32), "anything but a hex digit is refused, anywhere");
	free(copy);
}

int
main(void)
{
	test_golden();
	test_empty_key();
	test_append();
	test_refused();
	test_name_order();
	test_hex();
	return done_testing();
}
