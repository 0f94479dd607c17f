/*
 * crc32.c
 *	  CRC-32 (IEEE 802.3), eight bytes a step.
 *
 * Every answer is checked, so a byte a step would cost more than decoding it;
 * for one function of a few lines we don't depend on zlib.
 */
#include "core/crc32.h"

#include <stdbool.h>

#define POLYNOMIAL UINT32_C(0xedb88320)

/* tables[k][b]: CRC of byte b followed by k zero bytes */
static uint32_t tables[8][256];

static void
make_tables(void)
{
	for (uint32_t b = 0; b < 256; b++)
	{
		uint32_t	crc = b;

		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
		tables[0][b] = crc;
	}
	for (int k = 1; k < 8; k++)
		for (int b = 0; b < 256; b++)
			tables[k][b] = tables[k - 1][b] >> 8 ^ tables[0][tables[k - 1][b] & 0xff];
}

static uint32_t
load32(const uint8_t *p)
{
	return (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}

uint32_t
dyn_crc32(const void *data, size_t len)
{
	static bool ready;
	const uint8_t *p = data;
	uint32_t	crc = ~UINT32_C(0);

	if (!ready)
		make_tables();
	ready = true;
	for (; len >= 8; p += 8, len -= 8)
	{
		uint32_t	low = crc ^ load32(p);
		uint32_t	high = load32(p + 4);

		crc = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^
			tables[5][low >> 16 & 0xff] ^ tables[4][low >> 24] ^
			tables[3][high & 0xff] ^ tables[2][high >> 8 & 0xff] ^
			tables[1][high >> 16 & 0xff] ^ tables[0][high >> 24];
	}
	for (; len > 0; p++, len--)
		crc = crc >> 8 ^ tables[0][(crc ^ *p) & 0xff];
	return ~crc;
}
