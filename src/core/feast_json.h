/*
 * feast_json.h
 *	  Values as JSON, for the types that SQL has no other form for:
 *	  feast_json_read.c, feast_json_write.c.
 *
 *	  MAP, STRUCT			object
 *	  MAP_LIST, STRUCT_LIST	array of objects
 *	  VALUE_LIST, VALUE_SET	array
 *	  JSON_LIST				array of what each element's text says
 *	  SCALAR_MAP			array of {"key_type": "INT64", "key": 1, "value": ...}
 *	  ZONED_TIMESTAMP		{"unix_timestamp": 1720000000, "zone": "Europe/Zurich"}
 *
 * Inside them: numbers, texts, true, false, null; DOUBLE and FLOAT always have
 * a fraction or an exponent, NaN and infinity are texts; BYTES are hex, whole
 * seconds stand for a UNIX_TIMESTAMP; JSON is a text, lists and sets are arrays.
 */
#ifndef DYN_FEAST_JSON_H
#define DYN_FEAST_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/feast_value.h"

/*
 * Appends the JSON form.  The elements of a JSON_LIST are any texts: they are
 * JSON if the whole is, which is left to who reads it.  False: out of memory
 * (out->failed), or such an element would not stay one among its neighbours, as
 * "1, 2" or an empty one.
 */
extern bool dyn_value_to_json(const DynValue *value, DynBuf *out);

/*
 * The other way, to a value of type `type` (one of those above), as Feast
 * reads JSON: whole numbers INT64 (DOUBLE where they don't fit), others DOUBLE,
 * an array of one scalar kind its list, of objects MAP_LIST, any other array
 * VALUE_LIST, an object MAP, null nothing set.  A name with a NUL, half of
 * a surrogate pair, and what is nested deeper than Feast reads are refused.  A
 * JSON_LIST takes each element's text as it is, of an array that is JSON.  On
 * false *why says what is wrong with the text; NULL: out of memory.  Takes
 * everything from the arena.
 */
extern bool dyn_json_to_value(const char *json, size_t len, int type, DynValue *value, DynArena *arena,
							  const char **why);

#endif							/* DYN_FEAST_JSON_H */
