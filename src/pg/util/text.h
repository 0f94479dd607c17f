/*
 * text.h
 *	  Text in UTF-8, which is what Feast and JSON have, and in the database's
 *	  encoding.
 *
 * All raise where a character has no place in the other encoding, unless their
 * comment says otherwise; those from UTF-8 also where the bytes are not valid or
 * hold a NUL.  What is new is in the current memory context.
 */
#ifndef DYN_TEXT_H
#define DYN_TEXT_H

#include <stdint.h>

/* A new text. */
extern text *dyn_text_from_utf8(const uint8_t *data, size_t len);

/* A new C string. */
extern char *dyn_cstring_from_utf8(const uint8_t *data, size_t len);

/* The same of valid UTF-8; NULL: a character has no place in the database's encoding. */
extern char *dyn_cstring_from_utf8_if(const char *utf8);

/* The bytes of a (detoasted) text in UTF-8, not NUL-terminated: the text's own, or new. */
extern const char *dyn_text_to_utf8(const text *value, size_t *len);

/* A C string of the database's encoding in UTF-8: the argument itself, or new. */
extern const char *dyn_cstring_to_utf8(const char *value);

#endif							/* DYN_TEXT_H */
