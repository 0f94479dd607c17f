/*
 * fuzz_settings.c
 *	  Bytes as an option of a table's settings: what is taken as tags makes a
 *	  request that reads as the same again, and a key and a warm throughput that are
 *	  taken need no escapes.
 */
#include <string.h>

#include "core/table_op.h"
#include "fuzz.h"
#include "golden.h"

/* The tags of a request's body. */
static void
check_body(const DynTags *tags)
{
	DynBuf		body = {0};
	json_object *json;

	dyn_op_create_table(&body, "p.t", NULL, tags);
	json = golden_parse(body.data, body.len);
	must(json != NULL && golden_count(json, "Tags") == (size_t) tags->n);
	for (int i = 0; i < tags->n; i++)
	{
		must(strcmp(golden_text(golden_at(json, "Tags", i), "Key"), tags->tag[i].key) == 0);
		must(strcmp(golden_text(golden_at(json, "Tags", i), "Value"), tags->tag[i].value) == 0);
	}
	json_object_put(json);
	dyn_buf_free(&body);
}

/* What they are said as is read as the same. */
static void
check_round(const DynTags *tags, DynArena *arena)
{
	DynBuf		said = {0};
	DynTags		again;
	DynTags		rest;
	const char *why;

	dyn_tags_say(&said, tags);
	must(dyn_tags_parse(said.data, said.len, arena, &again, &why) && again.n == tags->n);
	must(dyn_tags_missing(tags, &again, arena, &rest) && rest.n == 0);
	must(dyn_tags_gone(tags, tags, &again, arena, &rest) && rest.n == 0);
	must(dyn_tags_merge(tags, &again, arena, &rest) && rest.n == tags->n);
	dyn_buf_free(&said);
}

static void
check_tags(const char *text, size_t len)
{
	DynArena	arena = {0};
	DynTags		tags;
	const char *why = NULL;

	if (dyn_tags_parse(text, len, &arena, &tags, &why))
	{
		must(tags.n >= 0 && tags.n <= DYN_MAX_TAGS);
		for (int i = 0; i < tags.n; i++)
			must(tags.tag[i].key[0] != '\0' && strlen(tags.tag[i].key) <= 128 * 4 && strlen(tags.tag[i].value) <= 256 * 4);
		check_body(&tags);
		check_round(&tags, &arena);
	}
	else
		must(why != NULL);
	dyn_arena_free(&arena);
}

/* A text without anything that quotes or ends a text in SQL or JSON. */
static bool
is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || strchr("'\"\\", *text))
			return false;
	return true;
}

static void
check_texts(const char *text)
{
	int64_t		read;
	int64_t		write;

	must(!dyn_kms_key_valid(text) || (text[0] && is_plain(text) && strlen(text) <= DYN_MAX_KMS_KEY_BYTES));
	if (!dyn_warm_throughput_parse(text, &read, &write))
		return;
	must(is_plain(text) && read >= 0 && write >= 0 && read + write > 0);
	must(read < INT64_C(1000000000000) && write < INT64_C(1000000000000));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char	   *text = malloc(len + 1);

	must(text != NULL);
	if (len > 0)
		memcpy(text, data, len);
	text[len] = '\0';
	check_tags((const char *) data, len);
	check_texts(text);
	free(text);
	return 0;
}
