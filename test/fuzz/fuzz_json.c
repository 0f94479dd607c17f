/*
 * fuzz_json.c
 *	  JSON texts as values of each type that has a JSON form: what is taken can
 *	  be stored and read, and then stays the same.
 */
#include "core/feast_json.h"
#include "core/utf8.h"
#include "fuzz.h"
#include "json_round.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!dyn_utf8_valid(data, len))
		return -1;				/* PostgreSQL has checked it */
	for (int type = 0; type <= DYN_FEAST_ZONED_TIMESTAMP; type++)
		if (dyn_feast_type_shape(type) >= DYN_SHAPE_MAP || type == DYN_FEAST_JSON_LIST)
			check_json_rounds((const char *) data, len, type);
	return 0;
}
