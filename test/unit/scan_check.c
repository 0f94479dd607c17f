/*
 * scan_check.c
 *	  What the tests of item_scan share.
 */
#include "scan_check.h"

#include <stdlib.h>
#include <string.h>

const char	scan_rich_answer[] =
"{'ConsumedCapacity':[{'TableName':'" TABLE "','CapacityUnits':1.5,"
"'x':[0,-0,-1.25e+10,1E3,2e-7,true,false,null,{},[]]}],"
"'UnprocessedKeys':{'" TABLE "':{'ConsistentRead':false,'ProjectionExpression':'#entity_id, #vals.#feat0',"
"'Keys':[{" ID "},{'entity_id':{'S':'" HEX2 "'}}],'ExpressionAttributeNames':{'#vals':'values'}}},"
"'Responses':{'" TABLE "':["

"{'values':{'M':{'c':{'B':'AAEC/+8='},'other':{'B':'/+8='},'a':{'B':'IAw='}}},"
"'event_ts':{'S':'2024-03-01 10:20:30+00:00'}," ID "},"

"{'extra':{'L':[{'M':{'k':{'N':'1'}}},{'NULL':true},{'SS':['x','y']}]},'entity_id':{'S':'" HEX2 "'},"
"'values':{'M':{'b':{'B':''},'c':{'S':'text'}}},'event_ts':{'N':'1'}},"

"{'entity_id':{'S':'0123456789abcdef0123456789abcdef'},"
"'values':{'L':[{'B':'IAw='},{'S':'\\ud83d\\ude80 \\u00fc\\n\\/'}]},"
"'event_ts':{'S':'\\u0032024 \\'\\\\\\/\\b\\f\\n\\r\\t \\u00fc\\u6771\\ud83d\\ude80'}}]}}";

void
want(Wanted *wanted, const char *name)
{
	int			n = wanted->set.count++;

	wanted->names[n] = name;
	wanted->lengths[n] = strlen(name);
	wanted->set.names = wanted->names;
	wanted->set.lengths = wanted->lengths;
}

Scan
scan_tables(const char *body, size_t len, const DynScanTable *tables, int ntables)
{
	Scan		s = {.body = golden_copy(body, len)};

	s.result = dyn_item_scan(s.body, len, tables, ntables, &s.answer);
	return s;
}

Scan
scan(const char *body, size_t len, const char *table, const Wanted *wanted)
{
	DynScanTable asked;

	dyn_scan_table_init(&asked, table, &wanted->set);
	return scan_tables(body, len, &asked, 1);
}

void
scan_free(Scan *s)
{
	dyn_answer_free(&s->answer);
	free(s->body);
}

Scan
scan_text(const char *text)
{
	Wanted		wanted = {0};
	char	   *body = golden_quotes(text);
	Scan		s;

	want(&wanted, "a");
	want(&wanted, "b");
	want(&wanted, "c");
	s = scan(body, strlen(body), TABLE, &wanted);
	free(body);
	return s;
}

static json_object *
table_of(json_object *tables, const char *table)
{
	json_object *value = NULL;

	json_object_object_get_ex(tables, table, &value);	/* the name may have dots */
	return value;
}

static bool
same_id(const DynEntityId *id, json_object *key)
{
	const char *hex = golden_text(key, "entity_id.S");
	uint8_t    *bytes;
	size_t		len;
	bool		same;

	if (hex == NULL)
		return false;
	bytes = golden_hex(hex, &len);
	same = len == sizeof(id->bytes) && memcmp(id->bytes, bytes, len) == 0;
	free(bytes);
	return same;
}

static bool
same_attr(const DynAttr *attr, json_object *value, const char *tag)
{
	json_object *content = golden_get(value, tag);
	uint8_t    *bytes;
	size_t		len;
	bool		same;

	if (value == NULL)
		return attr->state == DYN_ATTR_ABSENT;
	if (content == NULL)
		return attr->state == DYN_ATTR_WRONG_TYPE;
	if (attr->state != DYN_ATTR_OK || strcmp(tag, "M") == 0)
		return attr->state == DYN_ATTR_OK;
	if (strcmp(tag, "S") == 0)
		return attr->len == (size_t) json_object_get_string_len(content) &&
			memcmp(attr->data, json_object_get_string(content), attr->len) == 0;
	bytes = golden_base64(json_object_get_string(content), &len);
	same = attr->len == len && memcmp(attr->data, bytes, len) == 0;
	free(bytes);
	return same;
}

static bool
same_item(const DynItem *item, json_object *json, const DynFeatureNames *wanted)
{
	json_object *values = golden_get(json, "values");
	json_object *features = golden_get(values, "M");

	if (!same_id(&item->id, json) || !same_attr(&item->event_ts, golden_get(json, "event_ts"), "S") ||
		!same_attr(&item->values, values, "M"))
		return false;
	for (int i = 0; i < wanted->count; i++)
		if (!same_attr(&item->features[i], features ? table_of(features, wanted->names[i]) : NULL, "B"))
			return false;
	return true;
}

/* Are the items of the table in the answer those of the array, in its order? */
static bool
same_items(const DynAnswer *answer, json_object *items, const DynScanTable *table, int index)
{
	size_t		n = 0;

	for (int i = 0; i < answer->nitems; i++)
		if (answer->items[i].table == index &&
			(n == golden_count(items, "") || !same_item(&answer->items[i], golden_at(items, "", n++), table->wanted)))
			return false;
	return n == golden_count(items, "");
}

/* The same of unprocessed keys. */
static bool
same_keys(const DynAnswer *answer, json_object *keys, int index)
{
	size_t		n = 0;

	for (int i = 0; i < answer->nunprocessed; i++)
		if (answer->unprocessed[i].table == index &&
			(n == golden_count(keys, "") || !same_id(&answer->unprocessed[i].id, golden_at(keys, "", n++))))
			return false;
	return n == golden_count(keys, "");
}

bool
scan_same_tables(const Scan *s, json_object *json, const DynScanTable *tables, int ntables)
{
	json_object *unprocessed = golden_get(json, "UnprocessedKeys");

	for (int i = 0; i < s->answer.nitems; i++)
		if (s->answer.items[i].table < 0 || s->answer.items[i].table >= ntables)
			return false;
	for (int i = 0; i < ntables; i++)
	{
		json_object *items = table_of(golden_get(json, "Responses"), tables[i].name);
		json_object *keys = unprocessed ? golden_get(table_of(unprocessed, tables[i].name), "Keys") : NULL;

		if (!same_items(&s->answer, items, &tables[i], i) || !same_keys(&s->answer, keys, i))
			return false;
	}
	return true;
}

bool
scan_same(const Scan *s, json_object *json, const char *table, const Wanted *wanted)
{
	DynScanTable asked;

	dyn_scan_table_init(&asked, table, &wanted->set);
	return scan_same_tables(s, json, &asked, 1);
}

bool
scan_agrees(const Scan *s, const char *body, size_t len, const char *table, const Wanted *wanted)
{
	json_object *json = golden_parse(body, len);
	bool		same = json != NULL && scan_same(s, json, table, wanted);

	json_object_put(json);
	return same;
}

json_object *
scan_golden_answer(json_object *entry)
{
	json_object *answer = json_object_new_object();
	json_object *tables = json_object_new_object();

	json_object_object_add(tables, golden_text(entry, "table_name"), json_object_get(golden_get(entry, "items")));
	json_object_object_add(answer, "Responses", tables);
	json_object_object_add(answer, "UnprocessedKeys", json_object_new_object());
	return answer;
}
