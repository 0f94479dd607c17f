/*
 * json_text.h
 *	  JSON by json-c, for the files that test/check-pure names: json-c's names
 *	  clash with the server's.
 */
#ifndef DYN_JSON_TEXT_H
#define DYN_JSON_TEXT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * JSON nested deeper than this is malformed.  An attribute of DynamoDB may have
 * 32 levels, of two objects each, inside of an answer's few.
 */
#define DYN_JSON_TEXT_MAX_DEPTH 80

/* False where the text is not one JSON value; *json is the caller's to put, NULL is JSON's null. */
extern bool dyn_json_parse(const char *text, size_t len, struct json_object **json);

/* NULL where the text is not one JSON object; the caller puts it. */
extern struct json_object *dyn_json_parse_object(const char *text, size_t len);

/* Member of an object with that type, or NULL; borrowed. */
extern struct json_object *dyn_json_member(struct json_object *object, const char *name, enum json_type type);

/* The same of a text, as a C string. */
extern const char *dyn_json_text(struct json_object *object, const char *name);

#endif							/* DYN_JSON_TEXT_H */
