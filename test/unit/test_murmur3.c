/*
 * test_murmur3.c
 *	  The hash against Python's mmh3, which Feast uses.
 */
#include "core/murmur3.h"

#include <stdlib.h>

#include "golden.h"
#include "tap.h"

int
main(void)
{
	json_object *cases = golden_json("murmur3.json");

	for (size_t i = 0; i < golden_count(cases, ""); i++)
	{
		json_object *c = golden_at(cases, "", i);
		uint32_t	seed = (uint32_t) golden_int(c, "seed");
		size_t		len;
		size_t		want_len;
		uint8_t    *data = golden_hex(golden_text(c, "data_hex"), &len);
		uint8_t    *want = golden_hex(golden_text(c, "hash_hex"), &want_len);
		uint8_t    *odd = malloc(len + 1);
		uint8_t		got[16];

		dyn_murmur3_x64_128(data, len, seed, got);
		is_bytes(got, sizeof(got), want, want_len, "%zu bytes, seed %u", len, seed);

		/* keys start anywhere in a buffer: no load may need alignment */
		memcpy(odd + 1, data, len);
		dyn_murmur3_x64_128(odd + 1, len, seed, got);
		is_bytes(got, sizeof(got), want, want_len, "%zu bytes at an odd address, seed %u", len, seed);
		free(odd);
		free(data);
		free(want);
	}
	json_object_put(cases);
	return done_testing();
}
