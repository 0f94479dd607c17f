/*
 * whole_item.c
 *	  Whole items, changed as an UpdateItem would change them.
 *
 * The update is the request's own body, of which its values are looked up by
 * their placeholders: so there is one place that says what an update is.
 */
#include "core/whole_item.h"

#include <stdlib.h>
#include <string.h>

#include "core/json_text.h"

struct DynWholeItems
{
	struct json_object *answer;
	struct json_object *items;	/* borrowed; an array, or NULL: none */
	struct json_object *keys;	/* the same of unprocessed ones */
};

void
dyn_whole_items_body(DynBuf *out, const char *table, const DynEntityId *ids, int n, bool capacity)
{
	dyn_buf_str(out, "{\"RequestItems\":{");
	dyn_buf_json_string(out, table, strlen(table));
	dyn_buf_str(out, ":{\"ConsistentRead\":true,\"Keys\":[");
	for (int i = 0; i < n; i++)
	{
		dyn_buf_str(out, i > 0 ? ",{\"entity_id\":{\"S\":\"" : "{\"entity_id\":{\"S\":\"");
		dyn_buf_hex(out, ids[i].bytes, sizeof(ids[i].bytes));
		dyn_buf_str(out, "\"}}");
	}
	dyn_buf_str(out, capacity ? "]}},\"ReturnConsumedCapacity\":\"TOTAL\"}" : "]}}}");
}

/* ---- answers ---- */

/* The id of an item or a key; false: it has none. */
static bool
id_of(struct json_object *item, DynEntityId *id)
{
	const char *hex = dyn_json_text(dyn_json_member(item, "entity_id", json_type_object), "S");

	return hex != NULL && dyn_entity_id_from_hex(id, hex, strlen(hex));
}

/* The element of an array that has this id, or NULL. */
static struct json_object *
find_in(struct json_object *array, const DynEntityId *id)
{
	for (size_t i = 0; array && i < json_object_array_length(array); i++)
	{
		struct json_object *item = json_object_array_get_idx(array, i);
		DynEntityId other;

		if (id_of(item, &other) && dyn_entity_id_equal(id, &other))
			return item;
	}
	return NULL;
}

/* Are all elements about ids that were asked for? */
static bool
were_asked(struct json_object *array, const DynEntityId *ids, int n)
{
	for (size_t i = 0; array && i < json_object_array_length(array); i++)
	{
		DynEntityId id;
		int			k = 0;

		if (!id_of(json_object_array_get_idx(array, i), &id))
			return false;
		while (k < n && !dyn_entity_id_equal(&id, &ids[k]))
			k++;
		if (k == n)
			return false;
	}
	return true;
}

/* May a name hold U+0000, where json-c would end it?  Written back, it would be another name. */
static bool
may_hold_nul(const char *body, size_t len)
{
	static const char nul[] = "\\u0000";

	for (size_t i = 0; i + sizeof(nul) - 1 <= len; i++)
		if (memcmp(body + i, nul, sizeof(nul) - 1) == 0)
			return true;
	return false;
}

DynWholeItems *
dyn_whole_items_read(const char *body, size_t len, const char *table, const DynEntityId *ids, int n)
{
	DynWholeItems *items = calloc(1, sizeof(*items));
	struct json_object *responses;

	if (items == NULL)
		return NULL;
	items->answer = dyn_json_parse_object(body, len);
	responses = dyn_json_member(items->answer, "Responses", json_type_object);
	items->items = dyn_json_member(responses, table, json_type_array);
	items->keys = dyn_json_member(dyn_json_member(dyn_json_member(items->answer, "UnprocessedKeys", json_type_object),
												  table, json_type_object), "Keys", json_type_array);
	if (responses == NULL || may_hold_nul(body, len) || !were_asked(items->items, ids, n) || !were_asked(items->keys, ids, n))
	{
		dyn_whole_items_free(items);
		return NULL;
	}
	return items;
}

void
dyn_whole_items_free(DynWholeItems *items)
{
	if (items == NULL)
		return;
	json_object_put(items->answer);
	free(items);
}

int
dyn_whole_items_nunprocessed(const DynWholeItems *items)
{
	return items->keys ? (int) json_object_array_length(items->keys) : 0;
}

bool
dyn_whole_items_unprocessed(const DynWholeItems *items, const DynEntityId *id)
{
	return find_in(items->keys, id) != NULL;
}

/* ---- updates ---- */

/* An update that was parsed; all but the first borrowed. */
typedef struct Update
{
	struct json_object *body;
	struct json_object *names;
	struct json_object *values;
	const char *condition;
} Update;

static bool
parse_update(Update *update, const DynBuf *body)
{
	update->body = dyn_json_parse_object(body->data, body->len);
	update->names = dyn_json_member(update->body, "ExpressionAttributeNames", json_type_object);
	update->values = dyn_json_member(update->body, "ExpressionAttributeValues", json_type_object);
	update->condition = dyn_json_text(update->body, "ConditionExpression");
	return update->names && update->values && update->condition;
}

/* The feature or attribute that a placeholder of a value, `:f3`, `:s3` or `:e`, is for. */
static const char *
name_of(const Update *update, const char *placeholder)
{
	char		name[32] = "#";

	strncat(name, placeholder + 1, sizeof(name) - 2);
	return dyn_json_text(update->names, name);
}

/* Is a feature still what was read?  NULL may be an empty Value, or no feature at all. */
static bool
is_still(struct json_object *features, const char *name, struct json_object *seen)
{
	const char *want = dyn_json_text(seen, "B");
	struct json_object *feature = name ? dyn_json_member(features, name, json_type_object) : NULL;
	const char *have = dyn_json_text(feature, "B");

	if (want == NULL || (feature && have == NULL))
		return false;
	return have ? strcmp(have, want) == 0 : want[0] == '\0';
}

/* Are the values that must be what was read? */
static bool
values_hold(const Update *update, const char *event_ts, struct json_object *features)
{
	bool		ok = true;

	json_object_object_foreach(update->values, placeholder, value)
	{
		const char *seen = strcmp(placeholder, ":u") == 0 ? dyn_json_text(value, "S") : NULL;

		if (seen)
			ok = ok && event_ts && strcmp(event_ts, seen) == 0;
		else if (placeholder[1] == 's')
			ok = ok && is_still(features, name_of(update, placeholder), value);
	}
	return ok;
}

/* Does the update's condition hold for the item? */
static bool
condition_holds(const Update *update, struct json_object *item, struct json_object *features)
{
	const char *event_ts = dyn_json_text(dyn_json_member(item, "event_ts", json_type_object), "S");

	if (event_ts && strstr(update->condition, "attribute_not_exists(#t)") != NULL)
		return false;
	return values_hold(update, event_ts, features);
}

/* Sets a member; false: no memory. */
static bool
set_member(struct json_object *object, const char *name, struct json_object *value)
{
	if (name != NULL && json_object_object_add(object, name, json_object_get(value)) == 0)
		return true;
	if (name != NULL)
		json_object_put(value);
	return false;
}

/* Sets what the update sets. */
static bool
set_values(const Update *update, struct json_object *item, struct json_object *features)
{
	bool		ok = true;

	json_object_object_foreach(update->values, placeholder, value)
	{
		if (strcmp(placeholder, ":t") == 0)
			ok = ok && set_member(item, "event_ts", value);
		else if (strcmp(placeholder, ":e") == 0)
			ok = ok && set_member(item, name_of(update, placeholder), value);
		else if (placeholder[1] == 'f')
			ok = ok && set_member(features, name_of(update, placeholder), value);
	}
	return ok;
}

/* Adds an empty object, which *added (if not NULL) is then; false: no memory. */
static bool
add_object(struct json_object *object, const char *name, struct json_object **added)
{
	struct json_object *empty = json_object_new_object();

	if (empty == NULL || json_object_object_add(object, name, empty) != 0)
	{
		json_object_put(empty);
		return false;
	}
	if (added)
		*added = empty;
	return true;
}

/* The map of features of an item, which is made if it has none; NULL: it can't be. */
static struct json_object *
features_of(struct json_object *item)
{
	struct json_object *values = NULL;

	if (!json_object_object_get_ex(item, "values", &values) &&
		(!add_object(item, "values", &values) || !add_object(values, "M", NULL)))
		return NULL;
	return dyn_json_member(values, "M", json_type_object);
}

/* Appends the changed item. */
static DynApply
apply_update(const Update *update, struct json_object *item, DynBuf *out)
{
	struct json_object *features = features_of(item);
	const char *text;
	size_t		len;

	if (features == NULL)
		return DYN_APPLY_FAILED;
	if (!condition_holds(update, item, features))
		return DYN_APPLY_REFUSED;
	if (!set_values(update, item, features))
		return DYN_APPLY_FAILED;
	text = json_object_to_json_string_length(item, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	if (text == NULL)
		return DYN_APPLY_FAILED;
	dyn_buf_add(out, text, len);
	return DYN_APPLY_DONE;
}

DynApply
dyn_whole_items_apply(DynWholeItems *items, const DynEntityId *id, const DynBuf *body, DynBuf *out)
{
	struct json_object *item = find_in(items->items, id);
	Update		update;
	DynApply	result;

	if (item == NULL)
		return DYN_APPLY_REFUSED;
	result = parse_update(&update, body) ? apply_update(&update, item, out) : DYN_APPLY_FAILED;
	json_object_put(update.body);
	return result;
}
