/*
 * utf8.h
 *	  Is a text well-formed UTF-8?
 */
#ifndef DYN_UTF8_H
#define DYN_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Strict: no overlong forms, no surrogates, nothing over U+10FFFF. */
extern bool dyn_utf8_valid(const uint8_t *data, size_t len);

#endif							/* DYN_UTF8_H */
