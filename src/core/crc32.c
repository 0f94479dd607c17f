/*
 * crc32.c
 *	  CRC-32 (IEEE 802.3): sixteen bytes a step where the processor multiplies
 *	  without carry, else eight.
 *
 * Every answer is checked, so a byte a step would cost more than decoding it;
 * for one function of a few lines we don't depend on a library.
 */
#include "core/crc32.h"

#include <stdbool.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define CARRY_LESS __attribute__((target("pclmul,sse4.1")))
#endif

#define POLYNOMIAL UINT32_C(0xedb88320)

/* tables[k][b]: CRC of byte b followed by k zero bytes */
static uint32_t tables[8][256];

/* The first table bit by bit; each further one adds a zero byte behind what the one before stands for. */
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

/* Little-endian on any machine; `p` need not be aligned. */
static uint32_t
load32(const uint8_t *p)
{
	return (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}

#ifdef CARRY_LESS
/* x^n modulo the polynomial, reflected, for folding by 64 and 16 bytes and reducing: Intel's paper on PCLMULQDQ. */
#define FOLD_64 _mm_set_epi64x(0x1c6e41596, 0x154442bd4)
#define FOLD_16 _mm_set_epi64x(0x0ccaa009e, 0x1751997d0)
#define FOLD_8 _mm_set_epi64x(0, 0x163cd6124)
#define BARRETT _mm_set_epi64x(0x1f7011641, 0x1db710641)	/* quotient, polynomial */

CARRY_LESS static inline __m128i
load(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *) p);
}

/* Moves `x` forward by the distance that `by` stands for, and adds what is there. */
CARRY_LESS static inline __m128i
fold(__m128i x, __m128i by, __m128i there)
{
	return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(x, by, 0x00), _mm_clmulepi64_si128(x, by, 0x11)), there);
}

/* 128 bits that are left to the 32 of the CRC. */
CARRY_LESS static uint32_t
reduce(__m128i x)
{
	const __m128i low = _mm_setr_epi32(-1, 0, -1, 0);
	__m128i		q;

	x = _mm_xor_si128(_mm_srli_si128(x, 8), _mm_clmulepi64_si128(x, FOLD_16, 0x10));
	x = _mm_xor_si128(_mm_srli_si128(x, 4), _mm_clmulepi64_si128(_mm_and_si128(x, low), FOLD_8, 0x00));
	q = _mm_clmulepi64_si128(_mm_and_si128(x, low), BARRETT, 0x10);
	x = _mm_xor_si128(x, _mm_clmulepi64_si128(_mm_and_si128(q, low), BARRETT, 0x00));
	return (uint32_t) _mm_extract_epi32(x, 1);
}

/* Of `len` bytes, at least 64 and a multiple of 16. */
CARRY_LESS static uint32_t
crc_folded(uint32_t crc, const uint8_t *p, size_t len)
{
	__m128i		a = _mm_xor_si128(load(p), _mm_cvtsi32_si128((int) crc));
	__m128i		b = load(p + 16);
	__m128i		c = load(p + 32);
	__m128i		d = load(p + 48);

	for (p += 64, len -= 64; len >= 64; p += 64, len -= 64)
	{
		a = fold(a, FOLD_64, load(p));
		b = fold(b, FOLD_64, load(p + 16));
		c = fold(c, FOLD_64, load(p + 32));
		d = fold(d, FOLD_64, load(p + 48));
	}
	a = fold(fold(fold(a, FOLD_16, b), FOLD_16, c), FOLD_16, d);
	for (; len > 0; p += 16, len -= 16)
		a = fold(a, FOLD_16, load(p));
	return reduce(a);
}
#endif

uint32_t
dyn_crc32(const void *data, size_t len)
{
	static bool ready;
	const uint8_t *p = data;
	uint32_t	crc = ~UINT32_C(0);

	if (!ready)
		make_tables();
	ready = true;
#ifdef CARRY_LESS
	if (len >= 64 && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1"))
	{
		size_t		folded = len / 16 * 16;

		crc = crc_folded(crc, p, folded);
		p += folded;
		len -= folded;
	}
#endif
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
