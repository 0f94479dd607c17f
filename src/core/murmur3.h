/*
 * murmur3.h
 *	  MurmurHash3 x64 128, the hash behind Feast's entity_id.
 */
#ifndef DYN_MURMUR3_H
#define DYN_MURMUR3_H

#include <stddef.h>
#include <stdint.h>

/* Writes h1 then h2, little-endian: the layout of Python's mmh3.hash_bytes. */
extern void dyn_murmur3_x64_128(const void *data, size_t len, uint32_t seed, uint8_t out[16]);

#endif							/* DYN_MURMUR3_H */
