/*
 * json_text.c
 *	  JSON by json-c.
 */
#include "core/json_text.h"

#include <limits.h>
#include <string.h>

static bool
only_space(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || strchr(" \t\r\n", text[i]) == NULL)
			return false;
	return true;
}

/*
 * Not in json-c's strict mode, which in 0.18 refuses texts that aren't ASCII;
 * what it would refuse does no harm here.
 */
bool
dyn_json_parse(const char *text, size_t len, struct json_object **json)
{
	struct json_tokener *tokener;
	enum json_tokener_error error;
	size_t		used;

	*json = NULL;
	if (len > INT_MAX - 1)
		return false;
	tokener = json_tokener_new_ex(DYN_JSON_TEXT_MAX_DEPTH);
	if (tokener == NULL)
		return false;
	*json = json_tokener_parse_ex(tokener, text, (int) len);
	error = json_tokener_get_error(tokener);
	used = json_tokener_get_parse_end(tokener);
	/* a number alone may go on: a line break ends it */
	if (error == json_tokener_continue)
	{
		used = len;
		*json = json_tokener_parse_ex(tokener, "\n", 1);
		error = json_tokener_get_error(tokener);
	}
	json_tokener_free(tokener);
	if (error == json_tokener_success && only_space(text + used, len - used))
		return true;
	json_object_put(*json);
	*json = NULL;
	return false;
}

struct json_object *
dyn_json_parse_object(const char *text, size_t len)
{
	struct json_object *json;

	if (!dyn_json_parse(text, len, &json))
		return NULL;
	if (json_object_is_type(json, json_type_object))
		return json;
	json_object_put(json);
	return NULL;
}

struct json_object *
dyn_json_member(struct json_object *object, const char *name, enum json_type type)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, name, &value) ||
		!json_object_is_type(value, type))
		return NULL;
	return value;
}

const char *
dyn_json_text(struct json_object *object, const char *name)
{
	struct json_object *value = dyn_json_member(object, name, json_type_string);

	return value ? json_object_get_string(value) : NULL;
}
