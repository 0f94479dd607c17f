/*
 * fuzz_ddb_reply.c
 *	  Bytes as an error body, as a description of a table, as a page of tags, and
 *	  as what was left of a write: texts end within their arrays, ids are not made
 *	  up.
 */
#include <string.h>

#include "core/ascii.h"
#include "core/ddb_reply.h"
#include "core/ddb_op.h"
#include "fuzz.h"

static void
check_error(const char *body, size_t len)
{
	DynStatus	status = {0};

	if (!dyn_json_error(body, len, &status))
		return;
	must(memchr(status.aws_code, '\0', sizeof(status.aws_code)) != NULL);
	must(memchr(status.message, '\0', sizeof(status.message)) != NULL);
	/* what could quote a signed request */
	must(strchr(status.message, '\n') == NULL && strstr(status.message, "AWS4-HMAC") == NULL);
	dyn_op_classify(400, status.aws_code, status.message);
}

static void
check_settings(const DynTableSettings *settings)
{
	static const DynTableSettings defaults = {.known = ~0u};
	DynBuf		words = {0};

	must((settings->known & ~DYN_SETTINGS_OF_TABLE) == 0);
	must((unsigned) settings->stream <= DYN_STREAM_NEW_AND_OLD_IMAGES);
	must(memchr(settings->kms_key, '\0', sizeof(settings->kms_key)) != NULL && dyn_ascii_printable(settings->kms_key));
	must(dyn_settings_differ(settings, settings) == 0);
	must((dyn_settings_differ(settings, &defaults) & ~settings->known) == 0);
	for (unsigned setting = 1; setting <= DYN_SETTING_TAGS; setting <<= 1)
		dyn_settings_say_difference(&words, settings, &defaults, (DynSetting) setting);
	for (size_t i = 0; i < words.len; i++)
		must(words.data[i] >= ' ' && words.data[i] <= '~');
	dyn_buf_free(&words);
}

static void
check_table(const char *body, size_t len)
{
	DynTableDescription table;

	if (!dyn_json_table(body, len, &table))
		return;
	must(memchr(table.status, '\0', sizeof(table.status)) != NULL && table.status[0] != '\0');
	must(memchr(table.table_id, '\0', sizeof(table.table_id)) != NULL);
	must(memchr(table.created, '\0', sizeof(table.created)) != NULL);
	must(memchr(table.key_schema, '\0', sizeof(table.key_schema)) != NULL);
	must(table.feast_key == (strcmp(table.key_schema, "HASH entity_id (S)") == 0));
	must(memchr(table.arn, '\0', sizeof(table.arn)) != NULL);
	check_settings(&table.settings);
}

/* Are they in order, each key once? */
static void
check_order(const DynTags *tags)
{
	for (int i = 0; i < tags->n; i++)
	{
		must(dyn_tags_value(tags, tags->tag[i].key) == tags->tag[i].value);
		must(i == 0 || strcmp(tags->tag[i - 1].key, tags->tag[i].key) < 0);
	}
}

static void
check_tags(const char *body, size_t len)
{
	DynTag		one[] = {{"a", "1"}};
	DynTags		tags = {1, one};
	DynArena	arena = {0};
	const char *next;

	if (dyn_json_tags(body, len, &arena, &tags, &next))
	{
		must(tags.n >= 1 && tags.n <= 500 && dyn_tags_value(&tags, "a") != NULL);
		must(next == NULL || *next);
		check_order(&tags);
	}
	else
		must(tags.n == 1 && tags.tag == one && next == NULL);
	dyn_arena_free(&arena);
}

/* An array of exactly `max` ids, so that one too many is seen. */
static void
check_unprocessed(const char *body, size_t len, int max)
{
	DynEntityId *ids = malloc(sizeof(DynEntityId) * max);
	int			n;

	must(ids != NULL);
	n = dyn_json_unprocessed_items(body, len, "p.t", ids, max);
	must(n >= -1 && n <= max);
	/* an id is 32 digits of the body */
	must(n <= 0 || len >= (size_t) n * DYN_ENTITY_ID_HEX_LEN);
	free(ids);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *body = (const char *) data;
	bool		recovery;

	check_error(body, len);
	check_table(body, len);
	check_unprocessed(body, len, 1);
	check_unprocessed(body, len, DYN_MAX_WRITE_ITEMS);
	check_tags(body, len);
	dyn_json_time_to_live(body, len);
	dyn_json_continuous_backups(body, len, &recovery);
	return 0;
}
