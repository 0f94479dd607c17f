/*
 * ascii.h
 *	  Characters of ASCII.  isalnum(), tolower() and strcasecmp() depend on the
 *	  locale, which is the database's: in Turkish, 'I' is no capital 'i'.
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

static inline char
dyn_ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* As strcasecmp(). */
static inline int
dyn_ascii_compare(const char *a, const char *b)
{
	for (; *a && dyn_ascii_lower(*a) == dyn_ascii_lower(*b); a++)
		b++;
	return (unsigned char) dyn_ascii_lower(*a) - (unsigned char) dyn_ascii_lower(*b);
}

/* Does the text begin with these characters, in any case? */
static inline bool
dyn_ascii_begins(const char *text, const char *start)
{
	for (; *start && dyn_ascii_lower(*text) == dyn_ascii_lower(*start); text++)
		start++;
	return *start == '\0';
}

/* Would a header with it be one line of ASCII? */
static inline bool
dyn_ascii_printable(const char *text)
{
	while (*text >= ' ' && *text <= '~')
		text++;
	return *text == '\0';
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
