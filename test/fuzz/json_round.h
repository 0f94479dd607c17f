/*
 * json_round.h
 *	  The JSON form of values, there and back.
 */
#ifndef DYN_JSON_ROUND_H
#define DYN_JSON_ROUND_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

/*
 * JSON to a value of `type`, to bytes, to a value, and to JSON again, appended
 * to `out`: an INSERT and a SELECT.  False: the text is refused.
 */
extern bool json_round(const char *json, size_t len, int type, DynBuf *out);

/* The same; once more must then give the same text. */
extern void check_json_rounds(const char *json, size_t len, int type);

#endif							/* DYN_JSON_ROUND_H */
