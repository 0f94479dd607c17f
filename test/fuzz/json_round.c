/*
 * json_round.c
 *	  The JSON form of values, there and back.
 */
#include "json_round.h"

#include <string.h>

#include "core/feast_json.h"
#include "core/feast_value.h"
#include "fuzz.h"

bool
json_round(const char *json, size_t len, int type, DynBuf *out)
{
	DynArena	arena = {0};
	DynBuf		bytes = {0};
	DynValue	value;
	const char *why;
	bool		ok = dyn_json_to_value(json, len, type, &value, &arena, &why);

	if (ok)
	{
		must(value.type == type);
		must(dyn_feast_value_encode(&bytes, &value));
		must(dyn_feast_value_decode((uint8_t *) bytes.data, bytes.len, &value, &arena) == DYN_DECODE_OK);
		must(value.type == type);
		must(dyn_value_to_json(&value, out));
	}
	else
		must(why != NULL);
	dyn_buf_free(&bytes);
	dyn_arena_free(&arena);
	return ok;
}

void
check_json_rounds(const char *json, size_t len, int type)
{
	DynBuf		once = {0};
	DynBuf		twice = {0};

	if (json_round(json, len, type, &once))
	{
		must(json_round(once.data, once.len, type, &twice));
		must(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	}
	dyn_buf_free(&once);
	dyn_buf_free(&twice);
}
