/*
 * utf8.h
 *	  UTF-8: is a text well-formed, and code points as bytes.
 */
#ifndef DYN_UTF8_H
#define DYN_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Strict: no overlong forms, no surrogates, nothing over U+10FFFF. */
extern bool dyn_utf8_valid(const uint8_t *data, size_t len);

/* Writes a code point, 1 to 4 bytes; returns what is behind them. */
extern char *dyn_utf8_put(char *out, unsigned code);

#endif							/* DYN_UTF8_H */
