/*
 * fuzz_entity_key.c
 *	  Entity keys of any parts: the serialized key can be read back, and an id
 *	  and its text are the same thing.
 *
 * Input: a version, then of each part a type, a name and a value; texts and
 * bytes after their length.
 */
#include <string.h>

#include "core/feast_key.h"
#include "fuzz.h"

#define MAX_PARTS 8

typedef struct Bytes
{
	const uint8_t *pos;
	const uint8_t *end;
} Bytes;

static uint8_t
take_byte(Bytes *in)
{
	return in->pos < in->end ? *in->pos++ : 0;
}

/* A text after its length, or what there is of it. */
static const uint8_t *
take_text(Bytes *in, size_t *len)
{
	const uint8_t *text;

	*len = take_byte(in);
	if (*len > (size_t) (in->end - in->pos))
		*len = in->end - in->pos;
	text = in->pos;
	in->pos += *len;
	return text;
}

static void
take_part(Bytes *in, DynKeyPart *part, char name[256])
{
	const uint8_t *text;
	size_t		len;

	part->type = take_byte(in);
	text = take_text(in, &len);
	memcpy(name, text, len);
	name[len] = '\0';
	part->name = name;
	part->data = take_text(in, &part->len);
	part->integer = 0;
	memcpy(&part->integer, part->data, part->len < sizeof(int64_t) ? part->len : sizeof(int64_t));
}

static void
expect(Bytes *key, const void *data, size_t len)
{
	must((size_t) (key->end - key->pos) >= len);
	must(memcmp(key->pos, data, len) == 0);
	key->pos += len;
}

static void
expect_u32(Bytes *key, uint32_t value)
{
	uint8_t		bytes[] = {value & 255, value >> 8 & 255, value >> 16 & 255, value >> 24};

	expect(key, bytes, sizeof(bytes));
}

/* Reads the key as feast_key.c describes it. */
static void
check_serialized(const DynBuf *out, int version, const DynKeyPart *parts, int nparts)
{
	Bytes		key = {(const uint8_t *) out->data, NULL};

	if (out->len == 0)
		return;					/* version 2, no parts */
	key.end = key.pos + out->len;
	if (version >= 3)
		expect_u32(&key, nparts);
	for (int i = 0; i < nparts; i++)
	{
		expect_u32(&key, DYN_FEAST_STRING);
		if (version >= 3)
			expect_u32(&key, strlen(parts[i].name));
		expect(&key, parts[i].name, strlen(parts[i].name));
	}
	for (int i = 0; i < nparts; i++)
	{
		expect_u32(&key, parts[i].type);
		if (parts[i].type == DYN_FEAST_STRING || parts[i].type == DYN_FEAST_BYTES)
		{
			expect_u32(&key, parts[i].len);
			expect(&key, parts[i].data, parts[i].len);
			continue;
		}
		expect_u32(&key, parts[i].type == DYN_FEAST_INT32 ? 4 : 8);
		expect_u32(&key, (uint32_t) parts[i].integer);
		if (parts[i].type != DYN_FEAST_INT32)
			expect_u32(&key, (uint32_t) ((uint64_t) parts[i].integer >> 32));
	}
	must(key.pos == key.end);
}

static void
check_key(Bytes *in)
{
	int			version = take_byte(in) & 1 ? 3 : 2;
	DynKeyPart	parts[MAX_PARTS];
	char		names[MAX_PARTS][256];
	int			nparts = 0;
	DynBuf		out = {0};
	DynBuf		scratch = {0};
	DynEntityId id;
	bool		ok;

	while (in->pos < in->end && nparts < MAX_PARTS)
	{
		take_part(in, &parts[nparts], names[nparts]);
		nparts++;
	}
	ok = dyn_feast_key_serialize(&out, version, parts, nparts);
	must(dyn_feast_key_id(&id, &scratch, version, parts, nparts) == ok);
	if (ok)
		check_serialized(&out, version, parts, nparts);
	dyn_buf_free(&out);
	dyn_buf_free(&scratch);
}

static void
check_hex(const uint8_t *data, size_t len)
{
	uint8_t    *text = malloc(len + 1);
	char		hex[DYN_ENTITY_ID_HEX_LEN];
	DynEntityId id;
	DynEntityId same;
	size_t		n = len;
	bool		ok = dyn_entity_id_from_hex(&id, (const char *) data, len);

	must(text != NULL);
	memcpy(text, data, len);
	must(ok == (dyn_hex_decode(text, &n) && len == sizeof(hex)));
	if (ok)
	{
		must(n == sizeof(id) && memcmp(text, &id, n) == 0);
		dyn_entity_id_to_hex(&id, hex);
		must(dyn_entity_id_from_hex(&same, hex, sizeof(hex)));
		must(memcmp(&id, &same, sizeof(id)) == 0);
	}
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	Bytes		in = {data, data + len};

	check_hex(data, len);
	check_key(&in);
	return 0;
}
