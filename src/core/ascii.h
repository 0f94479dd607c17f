/*
 * ascii.h
 *	  Sets of ASCII characters.  isalnum() depends on the server's locale.
 */
#ifndef DYN_ASCII_H
#define DYN_ASCII_H

#include <stdbool.h>
#include <string.h>

/* A letter, a digit, or one of the others; never NUL. */
static inline bool
dyn_is_alnum_or(char c, const char *others)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c != '\0' && strchr(others, c) != NULL);
}

/* Puts a question mark in the place of each byte that is no printable ASCII: for words of a service, which are foreign. */
static inline void
dyn_ascii_clean(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

#endif							/* DYN_ASCII_H */
