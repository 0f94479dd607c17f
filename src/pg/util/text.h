/*
 * text.h
 *	  Text in UTF-8, which is what Feast and JSON have, and in the database's
 *	  encoding.
 */
#ifndef DYN_TEXT_H
#define DYN_TEXT_H

#include <stdint.h>

/* Raises where the bytes are not valid in the database's encoding. */
extern text *dyn_text_from_utf8(const uint8_t *data, size_t len);

/* The same as a C string; a NUL inside raises. */
extern char *dyn_cstring_from_utf8(const uint8_t *data, size_t len);

/* The bytes of a (detoasted) text; owned by the current context or the text. */
extern const char *dyn_text_to_utf8(const text *value, size_t *len);

/* Of a C string in the database's encoding. */
extern const char *dyn_cstring_to_utf8(const char *value);

#endif							/* DYN_TEXT_H */
