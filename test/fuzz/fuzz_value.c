/*
 * fuzz_value.c
 *	  Bytes as a feast.types.Value: what decodes also encodes, to bytes that
 *	  mean the same, and has a JSON form, but for a JSON_LIST with texts that are no JSON.
 */
#include <string.h>

#include "core/feast_json.h"
#include "core/feast_value.h"
#include "fuzz.h"
#include "json_round.h"

static void
must_be_same(const DynBuf *a, const DynBuf *b)
{
	must(a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0));
}

/* Its bytes need not be the input's, which may be unusual ones. */
static void
check_encoding(const DynValue *value, const DynBuf *json)
{
	DynArena	arena = {0};
	DynBuf		bytes = {0};
	DynBuf		bytes_again = {0};
	DynBuf		json_again = {0};
	DynValue	again;

	must(dyn_feast_value_encode(&bytes, value));
	must(dyn_feast_value_decode((uint8_t *) bytes.data, bytes.len, &again, &arena) == DYN_DECODE_OK);
	must(again.type == value->type);
	must(dyn_feast_value_encode(&bytes_again, &again));
	must_be_same(&bytes, &bytes_again);
	must(dyn_value_to_json(&again, &json_again));
	must_be_same(json, &json_again);
	dyn_buf_free(&bytes);
	dyn_buf_free(&bytes_again);
	dyn_buf_free(&json_again);
	dyn_arena_free(&arena);
}

static void
check_value(const DynValue *value)
{
	DynBuf		json = {0};
	bool		shown = dyn_value_to_json(value, &json);

	must(shown || (value->type == DYN_FEAST_JSON_LIST && !json.failed));
	if (shown)
		check_encoding(value, &json);
	if (shown && (dyn_feast_type_shape(value->type) >= DYN_SHAPE_MAP || value->type == DYN_FEAST_JSON_LIST))
		check_json_rounds(json.data, json.len, value->type);
	dyn_buf_free(&json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	DynArena	arena = {0};
	DynValue	value;

	if (dyn_feast_value_decode(data, len, &value, &arena) == DYN_DECODE_OK)
		check_value(&value);
	dyn_arena_free(&arena);
	return 0;
}
