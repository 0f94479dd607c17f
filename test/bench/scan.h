/*
 * scan.h
 *	  Looks into requests of known clients, which are trusted to be JSON: finds
 *	  what is needed, and looks no further.
 */
#ifndef BENCH_SCAN_H
#define BENCH_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Behind the tokens, which blanks may separate; NULL: not these. `tokens` are single characters or names. */
extern const char *scan_expect(const char *p, const char *end, const char *const *tokens);

/* Behind the first place from `p` on where the tokens stand, the first of which is a name; NULL: nowhere. */
extern const char *scan_find(const char *p, const char *end, const char *const *tokens);

/* The text up to the next quote, as *text and its length; false: there is none. */
extern bool scan_text(const char *p, const char *end, const char **text, size_t *len);

/* Behind the object whose first brace stands before `p`; NULL: it has no end. */
extern const char *scan_object_end(const char *p, const char *end);

/* Of a body. */
extern uint64_t scan_hash(const char *data, size_t len);

#endif							/* BENCH_SCAN_H */
