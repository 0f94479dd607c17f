/*
 * fuzz_value.c
 *	  Bytes as a feast.types.Value: what decodes also encodes, to bytes that
 *	  mean the same, and has a JSON form.
 */
#include <string.h>

#include "core/feast_json.h"
#include "core/feast_value.h"
#include "fuzz.h"
#include "json_round.h"

/* Not the input's bytes, which may be unusual ones, but those that Feast would write. */
static void
check_encoding(const DynValue *value)
{
	DynArena	arena = {0};
	DynBuf		once = {0};
	DynBuf		twice = {0};
	DynValue	again;

	must(dyn_feast_value_encode(&once, value));
	must(dyn_feast_value_decode((uint8_t *) once.data, once.len, &again, &arena) == DYN_DECODE_OK);
	must(again.type == value->type);
	must(dyn_feast_value_encode(&twice, &again));
	must(once.len == twice.len && (once.len == 0 || memcmp(once.data, twice.data, once.len) == 0));
	dyn_buf_free(&once);
	dyn_buf_free(&twice);
	dyn_arena_free(&arena);
}

static void
check_json(const DynValue *value)
{
	DynBuf		json = {0};

	must(dyn_value_to_json(value, &json));
	if (dyn_feast_type_shape(value->type) >= DYN_SHAPE_MAP)
		check_json_rounds(json.data, json.len, value->type);
	dyn_buf_free(&json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	DynArena	arena = {0};
	DynValue	value;

	if (dyn_feast_value_decode(data, len, &value, &arena) == DYN_DECODE_OK)
	{
		check_encoding(&value);
		check_json(&value);
	}
	dyn_arena_free(&arena);
	return 0;
}
