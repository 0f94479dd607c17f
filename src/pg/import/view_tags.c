/*
 * view_tags.c
 *	  Tags of a feature view, as the option of its foreign table.
 */
#include "pg/util/export.h"

#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "nodes/value.h"

#include "core/tags.h"
#include "pg/import/view_tags.h"
#include "pg/table/option.h"
#include "pg/table/setting.h"
#include "pg/util/error.h"
#include "pg/util/scratch.h"
#include "pg/util/text.h"

/* More bytes than a tag's key and value can have together, in UTF-8. */
#define MAX_TAG_BYTES 2000

/* What of a registry is too much for tags, whatever it is: no JSON is made of it.  NULL: nothing. */
static const char *
size_fault(const DynRegPairs *pairs)
{
	if (pairs->n > DYN_MAX_TAGS)
		return psprintf("A table has at most %d tags", DYN_MAX_TAGS);
	for (size_t i = 0; i < pairs->n; i++)
		if (strlen(pairs->pair[i].name) + strlen(pairs->pair[i].value) > MAX_TAG_BYTES)
			return "A tag's key has at most 128 characters, and its value at most 256 characters";
	return NULL;
}

/* The tags as a JSON object, in UTF-8 and in the registry's order, which is that of their keys. */
static char *
tags_as_json(const DynRegPairs *pairs)
{
	DynTags		tags = {(int) pairs->n, palloc(pairs->n * sizeof(DynTag))};
	DynBuf	   *json = dyn_scratch_new(CurrentMemoryContext);
	char	   *copy;

	for (size_t i = 0; i < pairs->n; i++)
		tags.tag[i] = (DynTag) {pairs->pair[i].name, pairs->pair[i].value};
	dyn_tags_say(json, &tags);
	if (dyn_buf_cstr(json) == NULL)
		dyn_report_no_memory();
	copy = pstrdup(json->data);
	dyn_buf_free(json);
	return copy;
}

/* Options that are nothing but `tags`. */
static List *
tags_alone(const char *value)
{
	return value ? list_make1(makeDefElem("tags", (Node *) makeString(pstrdup(value)), -1)) : NIL;
}

/* What keeps a table from having these tags, together with the server's; NULL: nothing. */
static const char *
tags_fault(const char *value, const ForeignServer *server)
{
	const char *why = NULL;

	if (dyn_settings_wanted(tags_alone(value), tags_alone(dyn_option_given("tags", server->options)), &why))
		return NULL;
	return psprintf("%c%s", pg_toupper((unsigned char) why[0]), why + 1);
}

char *
dyn_view_tags(const DynRegView *view, const ForeignServer *server)
{
	const char *why;
	char	   *value;

	if (view->tags.n == 0)
		return NULL;
	why = size_fault(&view->tags);
	value = why ? NULL : dyn_cstring_from_utf8_if(tags_as_json(&view->tags));
	if (why == NULL)
		why = value ? tags_fault(value, server) :
			psprintf("They have a character that encoding %s does not have", GetDatabaseEncodingName());
	if (why == NULL)
		return value;
	ereport(WARNING,
			(errmsg("the tags of %s \"%s\" are left out", dyn_reg_kind_name(view->kind),
					dyn_cstring_from_utf8((const uint8_t *) view->name, strlen(view->name))),
			 errdetail("%s.", why)));
	return NULL;
}
