/*
 * murmur3.c
 *	  MurmurHash3 x64 128, after the public-domain description by Austin
 *	  Appleby: two 64-bit lanes, blocks of 16 bytes, a tail, a final mix.
 */
#include "core/murmur3.h"

#define C1 UINT64_C(0x87c37b91114253d5)
#define C2 UINT64_C(0x4cf5ad432745937f)

static uint64_t
rotl(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

/* The first `n` bytes, up to 8, as a little-endian number on any machine. */
static uint64_t
load_le(const uint8_t *p, size_t n)
{
	uint64_t	x = 0;

	for (size_t i = 0; i < n; i++)
		x |= (uint64_t) p[i] << (8 * i);
	return x;
}

static void
store_le(uint8_t *p, uint64_t x)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t) (x >> (8 * i));
}

static uint64_t
mix_lane1(uint64_t k)
{
	return rotl(k * C1, 31) * C2;
}

static uint64_t
mix_lane2(uint64_t k)
{
	return rotl(k * C2, 33) * C1;
}

/* Lets every bit act on every other one. */
static uint64_t
final_mix(uint64_t h)
{
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	h ^= h >> 33;
	return h;
}

void
dyn_murmur3_x64_128(const void *data, size_t len, uint32_t seed, uint8_t out[16])
{
	const uint8_t *p = data;
	size_t		left = len;
	uint64_t	h1 = seed;
	uint64_t	h2 = seed;

	for (; left >= 16; p += 16, left -= 16)
	{
		h1 ^= mix_lane1(load_le(p, 8));
		h1 = (rotl(h1, 27) + h2) * 5 + 0x52dce729;
		h2 ^= mix_lane2(load_le(p + 8, 8));
		h2 = (rotl(h2, 31) + h1) * 5 + 0x38495ab5;
	}
	if (left > 8)
		h2 ^= mix_lane2(load_le(p + 8, left - 8));
	if (left > 0)
		h1 ^= mix_lane1(load_le(p, left < 8 ? left : 8));

	h1 ^= len;
	h2 ^= len;
	h1 += h2;
	h2 += h1;
	h1 = final_mix(h1);
	h2 = final_mix(h2);
	h1 += h2;
	h2 += h1;
	store_le(out, h1);
	store_le(out + 8, h2);
}
