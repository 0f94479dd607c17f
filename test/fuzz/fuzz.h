/*
 * fuzz.h
 *	  What the targets share.  A target takes any bytes at all; libFuzzer gives
 *	  them in memory of exactly their length.
 */
#ifndef DYN_FUZZ_H
#define DYN_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What holds of every input. */
#define must(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

#endif							/* DYN_FUZZ_H */
