/*
 * test_table_op.c
 *	  Bodies of requests about tables against those that boto3 sends for the
 *	  same settings.
 */
#include "core/ddb_op.h"
#include "core/table_op.h"

#include "fail_alloc.h"
#include "settings_check.h"
#include "tap.h"

/* The setting that goes by an option. */
static DynSetting
setting_named(const char *name)
{
	for (unsigned setting = 1; setting <= DYN_SETTING_TAGS; setting <<= 1)
		if (strcmp(dyn_setting_name((DynSetting) setting), name) == 0)
			return (DynSetting) setting;
	abort();
}

static DynOp
op_named(const char *name)
{
	for (int op = 0; op < DYN_OP_COUNT; op++)
		if (strcmp(dyn_op_name((DynOp) op), name) == 0)
			return (DynOp) op;
	abort();
}

/* Our body for a case of the file. */
static void
make_body(DynBuf *out, DynOp op, json_object *fields, DynArena *arena)
{
	DynTableSettings wanted = settings_of(golden_get(fields, "wanted"));
	DynTableSettings shown = settings_of(golden_get(fields, "shown"));
	DynTags		tags = tags_of(golden_get(fields, "tags"), arena);
	const char *table = golden_text(fields, "body.TableName");
	const char *arn = golden_text(fields, "body.ResourceArn");

	switch (op)
	{
		case DYN_OP_CREATE_TABLE:
			dyn_op_create_table(out, table, &wanted, &tags);
			break;
		case DYN_OP_UPDATE_TABLE:
			dyn_op_update_table(out, table, setting_named(golden_text(fields, "setting")), &wanted, &shown);
			break;
		case DYN_OP_UPDATE_CONTINUOUS_BACKUPS:
			dyn_op_update_continuous_backups(out, table, wanted.recovery);
			break;
		case DYN_OP_UPDATE_TIME_TO_LIVE:
			dyn_op_update_time_to_live(out, table, golden_text(fields, "attribute"));
			break;
		case DYN_OP_LIST_TAGS_OF_RESOURCE:
			dyn_op_list_tags(out, arn, golden_text(fields, "next_token"));
			break;
		case DYN_OP_TAG_RESOURCE:
			dyn_op_tag(out, arn, &tags);
			break;
		case DYN_OP_UNTAG_RESOURCE:
			dyn_op_untag(out, arn, &tags);
			break;
		default:
			dyn_op_name_table(out, table);
	}
}

static void
test_golden(void)
{
	json_object *cases = golden_json("table_settings.json");
	int			seen[DYN_OP_COUNT] = {0};

	for (size_t i = 0; i < json_object_array_length(cases); i++)
	{
		json_object *fields = json_object_array_get_idx(cases, i);
		DynOp		op = op_named(golden_text(fields, "op"));
		DynArena	arena = {0};
		DynBuf		out = {0};
		json_object *body;

		make_body(&out, op, fields, &arena);
		body = golden_parse(out.data, out.len);
		if (!ok(json_object_equal(body, golden_get(fields, "body")), "case %zu, %s", i, dyn_op_name(op)))
		{
			diag("got  %.*s", (int) out.len, out.data);
			diag("want %s", json_object_to_json_string_ext(golden_get(fields, "body"), JSON_C_TO_STRING_PLAIN));
		}
		seen[op]++;
		json_object_put(body);
		dyn_buf_free(&out);
		dyn_arena_free(&arena);
	}
	for (int op = DYN_OP_CREATE_TABLE; op < DYN_OP_COUNT; op++)
		ok(seen[op] > 0, "%s was seen %d times", dyn_op_name((DynOp) op), seen[op]);
	json_object_put(cases);
}

/* A table without settings is made as Feast makes it; no settings are those of zeros. */
static void
test_no_settings(void)
{
	static const DynTableSettings none;
	static const DynTags no_tags;
	DynBuf		without = {0};
	DynBuf		with = {0};

	dyn_op_create_table(&without, "p.t", NULL, NULL);
	dyn_op_create_table(&with, "p.t", &none, &no_tags);
	is_bytes(with.data, with.len, without.data, without.len, "no settings and no tags");
	dyn_buf_free(&without);
	dyn_buf_free(&with);
}

/* Each allocation may fail: then so has the body. */
static void
test_no_memory(void)
{
	json_object *cases = golden_json("table_settings.json");
	int			wrong = 0;
	int			failed = 0;

	for (size_t i = 0; i < json_object_array_length(cases); i++)
	{
		json_object *fields = json_object_array_get_idx(cases, i);
		DynTableSettings wanted = settings_of(golden_get(fields, "wanted"));
		bool		ended = false;

		for (long n = 0; !ended && n < 1000; n++)
		{
			DynBuf		out = {0};

			fail_alloc_after = n;
			dyn_op_create_table(&out, "p.t", &wanted, NULL);
			ended = fail_alloc_after >= 0;
			fail_alloc_after = -1;
			failed += out.failed ? 1 : 0;
			wrong += out.failed == ended ? 1 : 0;
			dyn_buf_free(&out);
		}
	}
	is_int(wrong, 0, "a body without memory has failed");
	ok(failed > 50, "which happened %d times", failed);
	json_object_put(cases);
}

int
main(void)
{
	test_golden();
	test_no_settings();
	test_no_memory();
	return done_testing();
}
