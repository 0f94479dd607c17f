/*
 * tags.c
 *	  Tags of a table.
 */
#include "core/tags.h"

#include <stdlib.h>
#include <string.h>

#include "core/ascii.h"
#include "core/json_text.h"

/* In characters, of UTF-8. */
#define MAX_KEY_CHARS 128
#define MAX_VALUE_CHARS 256

#define BAD_CHARS "a tag's key and value have letters, digits, spaces and characters of \"_.:/=+-@\" only"

static size_t
count_chars(const char *text)
{
	size_t		n = 0;

	for (; *text; text++)
		if ((*text & 0xC0) != 0x80)
			n++;
	return n;
}

/* All of ASCII that AWS takes; which other characters are letters, digits and spaces is left to it. */
static bool
has_valid_chars(const char *text)
{
	while ((unsigned char) *text >= 128 || dyn_is_alnum_or(*text, " _.:/=+-@"))
		text++;
	return *text == '\0';
}

/*
 * Is there a character 0, which ends json-c's names of members, written as the
 * escape?  Where the escape is none, it has a backslash, which no tag has either.
 */
static bool
has_escaped_nul(const char *json, size_t len)
{
	static const char nul[] = "\\u0000";
	const size_t nul_len = sizeof(nul) - 1;

	for (size_t i = 0; i + nul_len <= len; i++)
		if (memcmp(json + i, nul, nul_len) == 0)
			return true;
	return false;
}

/* What is wrong with a tag; NULL: nothing. */
static const char *
tag_fault(const char *key, struct json_object *value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return "a tag's value is a string";
	text = json_object_get_string(value);
	if (count_chars(key) < 1 || count_chars(key) > MAX_KEY_CHARS)
		return "a tag's key has 1 to 128 characters";
	if (count_chars(text) > MAX_VALUE_CHARS)
		return "a tag's value has at most 256 characters";
	if (dyn_ascii_begins(key, "aws:"))
		return "a tag's key does not begin with \"aws:\", which is AWS's own";
	if (!has_valid_chars(key) || !has_valid_chars(text))
		return BAD_CHARS;
	return NULL;
}

static int
compare_tags(const void *a, const void *b)
{
	return strcmp(((const DynTag *) a)->key, ((const DynTag *) b)->key);
}

void
dyn_tags_sort(DynTags *tags)
{
	int			n = 0;

	if (tags->n == 0)
		return;
	qsort(tags->tag, tags->n, sizeof(DynTag), compare_tags);
	for (int i = 0; i < tags->n; i++)
	{
		if (n == 0 || strcmp(tags->tag[n - 1].key, tags->tag[i].key) != 0)
			n++;
		tags->tag[n - 1] = tags->tag[i];
	}
	tags->n = n;
}

/* Room for n tags. */
static bool
reserve_tags(DynTags *tags, int n, DynArena *arena)
{
	tags->n = 0;
	tags->tag = dyn_arena_alloc(arena, sizeof(DynTag) * (n > 0 ? n : 1));
	return tags->tag != NULL;
}

/* Takes the members of an object in. */
static bool
take_members(struct json_object *object, DynArena *arena, DynTags *tags, const char **why)
{
	struct json_object_iterator end = json_object_iter_end(object);
	struct json_object_iterator at = json_object_iter_begin(object);

	*why = NULL;
	if (!reserve_tags(tags, json_object_object_length(object), arena))
		return false;
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
	{
		const char *key = json_object_iter_peek_name(&at);
		struct json_object *value = json_object_iter_peek_value(&at);
		DynTag	   *tag = &tags->tag[tags->n++];

		*why = tag_fault(key, value);
		if (*why)
			return false;
		tag->key = dyn_arena_text(arena, key);
		tag->value = dyn_arena_text(arena, json_object_get_string(value));
		if (tag->key == NULL || tag->value == NULL)
			return false;
	}
	dyn_tags_sort(tags);
	return true;
}

bool
dyn_tags_parse(const char *json, size_t len, DynArena *arena, DynTags *tags, const char **why)
{
	struct json_object *object = dyn_json_parse_object(json, len);
	bool		ok = false;

	*why = "tags are a JSON object of strings, such as {\"team\": \"search\"}";
	if (object == NULL)
		return false;
	if (has_escaped_nul(json, len))
		*why = BAD_CHARS;
	else if (json_object_object_length(object) > DYN_MAX_TAGS)
		*why = "a table has at most 50 tags";
	else
		ok = take_members(object, arena, tags, why);
	json_object_put(object);
	return ok;
}

static const DynTag *
find_tag(const DynTags *tags, const char *key)
{
	DynTag		wanted = {key, NULL};

	return tags->n > 0 ? bsearch(&wanted, tags->tag, tags->n, sizeof(DynTag), compare_tags) : NULL;
}

const char *
dyn_tags_value(const DynTags *tags, const char *key)
{
	const DynTag *tag = find_tag(tags, key);

	return tag ? tag->value : NULL;
}

bool
dyn_tags_merge(const DynTags *first, const DynTags *second, DynArena *arena, DynTags *out)
{
	if (!reserve_tags(out, first->n + second->n, arena))
		return false;
	for (int i = 0; i < first->n; i++)
		out->tag[out->n++] = first->tag[i];
	for (int i = 0; i < second->n; i++)
		if (find_tag(first, second->tag[i].key) == NULL)
			out->tag[out->n++] = second->tag[i];
	dyn_tags_sort(out);
	return true;
}

/* Has the set this tag, with this value? */
static bool
has_tag(const DynTags *tags, const DynTag *tag)
{
	const char *value = dyn_tags_value(tags, tag->key);

	return value && strcmp(value, tag->value) == 0;
}

bool
dyn_tags_missing(const DynTags *wanted, const DynTags *there, DynArena *arena, DynTags *out)
{
	if (!reserve_tags(out, wanted->n, arena))
		return false;
	for (int i = 0; i < wanted->n; i++)
		if (!has_tag(there, &wanted->tag[i]))
			out->tag[out->n++] = wanted->tag[i];
	return true;
}

bool
dyn_tags_gone(const DynTags *old, const DynTags *wanted, const DynTags *there, DynArena *arena, DynTags *out)
{
	if (!reserve_tags(out, old->n, arena))
		return false;
	for (int i = 0; i < old->n; i++)
		if (find_tag(wanted, old->tag[i].key) == NULL && has_tag(there, &old->tag[i]))
			out->tag[out->n++] = old->tag[i];
	return true;
}

void
dyn_tags_say(DynBuf *out, const DynTags *tags)
{
	dyn_buf_byte(out, '{');
	for (int i = 0; i < tags->n; i++)
	{
		dyn_buf_str(out, i > 0 ? ", " : "");
		dyn_buf_json_string(out, tags->tag[i].key, strlen(tags->tag[i].key));
		dyn_buf_str(out, ": ");
		dyn_buf_json_string(out, tags->tag[i].value, strlen(tags->tag[i].value));
	}
	dyn_buf_byte(out, '}');
}
