/*
 * test_crc32.c
 *	  CRC-32 against its published check value, and against a bit-by-bit one.
 */
#include <string.h>

#include "core/crc32.h"
#include "tap.h"

static uint32_t
slow_crc32(const uint8_t *p, size_t len)
{
	uint32_t	crc = ~UINT32_C(0);

	for (; len > 0; p++, len--)
	{
		crc ^= *p;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ UINT32_C(0xedb88320) : crc >> 1;
	}
	return ~crc;
}

int
main(void)
{
	uint8_t		data[300];
	bool		same = true;

	ok(dyn_crc32("123456789", 9) == UINT32_C(0xcbf43926), "check value of the standard");
	ok(dyn_crc32("", 0) == 0, "nothing");
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t) (i * 37 + 11);
	for (size_t start = 0; start < 8; start++)
		for (size_t len = 0; len + start <= sizeof(data); len++)
			same = same && dyn_crc32(data + start, len) == slow_crc32(data + start, len);
	ok(same, "every length and alignment");
	return done_testing();
}
