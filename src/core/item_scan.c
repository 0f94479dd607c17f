/*
 * item_scan.c
 *	  Single-pass decoder of BatchGetItem answers.
 *
 * A recursive-descent parser for one JSON shape, working in place.  What it
 * does not know it skips, checking the grammar all the same, so that a body
 * that was cut or damaged is never taken for one with fewer rows.
 */
#include "core/item_scan.h"

#include <stdlib.h>
#include <string.h>

#include "core/json_scan.h"

typedef struct Scanner
{
	DynJsonScan json;
	const DynScanTable *tables;
	int			ntables;
	int			table;			/* that is being read, or was last */
	const DynFeatureNames *wanted;	/* of that table, as the next one */
	bool		plain_names;
	int			most_features;	/* of any table */
	DynAnswer  *answer;
	size_t		nslices;		/* taken from answer->slices */
	int			guess;			/* feature expected next: items repeat one order */
	bool		no_memory;
} Scanner;

static bool
text_is(const DynJsonString *text, const char *name)
{
	return text->len == strlen(name) && memcmp(text->data, name, text->len) == 0;
}

/* ---- DynamoDB values ---- */

/* The start of an attribute value, `{"S":`; *right: its tag is `tag`. */
static inline bool
take_tag(Scanner *s, char tag, bool *right)
{
	DynJsonString name;
	const char *p = s->json.pos;

	if (s->json.end - p >= 5 && p[0] == '{' && p[1] == '"' && p[2] == tag && p[3] == '"' && p[4] == ':')
	{
		s->json.pos += 5;
		*right = true;
		return true;
	}
	if (!dyn_js_take(&s->json, '{') || !dyn_js_string(&s->json, &name) || !dyn_js_take(&s->json, ':'))
		return false;
	*right = name.len == 1 && name.data[0] == tag;
	return true;
}

/* An attribute value: `{"S": "..."}`.  WRONG_TYPE where its tag is not `tag`. */
static bool
take_attr(Scanner *s, char tag, DynAttr *attr)
{
	DynJsonString text = {0};
	bool		right;

	if (!take_tag(s, tag, &right))
		return false;
	if (right)
	{
		if (!dyn_js_string(&s->json, &text))
			return false;
		attr->state = DYN_ATTR_OK;
	}
	else
	{
		if (!dyn_js_skip(&s->json, 4))
			return false;
		attr->state = DYN_ATTR_WRONG_TYPE;
	}
	attr->data = (uint8_t *) text.data;
	attr->len = text.len;
	return dyn_js_take(&s->json, '}');
}

/* One more than the digit that a character stands for; 0: it is none. */
static const uint8_t base64_digits[256] = {
	['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,
	['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
	['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
	['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
	['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64
};

/* -1: not a digit */
static inline int
base64_digit(uint8_t c)
{
	return base64_digits[c] - 1;
}

/* Decodes over the text; padding is required, as RFC 4648 has it. */
static bool
decode_base64(DynAttr *attr)
{
	uint8_t    *in = (uint8_t *) attr->data;
	uint8_t    *out = in;
	uint8_t    *end = in + attr->len;

	if (attr->len % 4 != 0)
		return false;
	for (; in < end; in += 4)
	{
		int			a = base64_digit(in[0]);
		int			b = base64_digit(in[1]);
		int			c = base64_digit(in[2]);
		int			d = base64_digit(in[3]);
		bool		last = in + 4 == end;

		if (last && in[3] == '=')
		{
			if (in[2] == '=')
				c = 0;
			d = 0;
			if ((a | b | c) < 0)
				return false;
			*out++ = (uint8_t) (a << 2 | b >> 4);
			if (in[2] != '=')
				*out++ = (uint8_t) (b << 4 | c >> 2);
			break;
		}
		if ((a | b | c | d) < 0)
			return false;
		*out++ = (uint8_t) (a << 2 | b >> 4);
		*out++ = (uint8_t) (b << 4 | c >> 2);
		*out++ = (uint8_t) (c << 6 | d);
	}
	attr->len = out - attr->data;
	return true;
}

/* Index of a wanted feature, or -1. */
static int
feature_index(Scanner *s, const DynJsonString *name)
{
	const DynFeatureNames *wanted = s->wanted;

	for (int i = 0; i < wanted->count; i++)
	{
		int			k = s->guess + i;

		if (k >= wanted->count)
			k -= wanted->count;
		if (wanted->lengths[k] == name->len && memcmp(wanted->names[k], name->data, name->len) == 0)
		{
			s->guess = k + 1 < wanted->count ? k + 1 : 0;
			return k;
		}
	}
	return -1;
}

/* Does JSON write the names as they are? Then they can be compared with the text (take_guess). */
static bool
names_are_plain(const DynFeatureNames *wanted)
{
	for (int i = 0; i < wanted->count; i++)
		for (size_t k = 0; k < wanted->lengths[i]; k++)
			if (wanted->names[i][k] == '"' || wanted->names[i][k] == '\\' || (uint8_t) wanted->names[i][k] < 0x20)
				return false;
	return true;
}

/* Takes `"name":` if it names the feature expected next. */
static inline bool
take_guess(Scanner *s)
{
	const DynFeatureNames *wanted = s->wanted;
	const char *p = s->json.pos;
	size_t		len;

	if (!s->plain_names || wanted->count == 0)
		return false;
	len = wanted->lengths[s->guess];
	if ((size_t) (s->json.end - p) < len + 3 || p[0] != '"' || p[len + 1] != '"' || p[len + 2] != ':' ||
		memcmp(p + 1, wanted->names[s->guess], len) != 0)
		return false;
	s->json.pos += len + 3;
	return true;
}

/* A member of `values`: kept if it is wanted, else only checked. */
static bool
take_feature(Scanner *s, DynAttr *features)
{
	DynJsonString name;
	DynAttr		ignored;
	int			k;

	if (take_guess(s))
	{
		k = s->guess;
		s->guess = k + 1 < s->wanted->count ? k + 1 : 0;
	}
	else
	{
		if (!dyn_js_string(&s->json, &name) || !dyn_js_take(&s->json, ':'))
			return false;
		k = feature_index(s, &name);
	}
	if (k < 0)
		return take_attr(s, 'B', &ignored);
	return take_attr(s, 'B', &features[k]) &&
		(features[k].state != DYN_ATTR_OK || decode_base64(&features[k]));
}

/* The attribute `values`: `{"M": {feature: {"B": ...}, ...}}`. */
static bool
take_values(Scanner *s, DynItem *item, DynAttr *features)
{
	bool		is_map;
	bool		ok = true;

	if (!take_tag(s, 'M', &is_map))
		return false;
	if (!is_map)
	{
		item->values.state = DYN_ATTR_WRONG_TYPE;
		return dyn_js_skip(&s->json, 4) && dyn_js_take(&s->json, '}');
	}
	item->values.state = DYN_ATTR_OK;
	if (!dyn_js_take(&s->json, '{'))
		return false;
	if (!dyn_js_take(&s->json, '}'))
	{
		do
		{
			if (!take_feature(s, features))
				return false;
		} while (dyn_js_more(&s->json, '}', &ok));
	}
	return ok && dyn_js_take(&s->json, '}');
}

/* False also where it is not 32 hex digits, as all ids of Feast are. */
static bool
take_entity_id(Scanner *s, DynEntityId *id)
{
	DynAttr		attr = {0};

	return take_attr(s, 'S', &attr) && attr.state == DYN_ATTR_OK &&
		dyn_entity_id_from_hex(id, (const char *) attr.data, attr.len);
}

/* ---- the answer ---- */

/*
 * Room for one more element after `count`: the array is made for as many as a
 * request can have keys, and what is not used of it is never touched.
 */
static bool
make_room(Scanner *s, void **array, int count, size_t size)
{
	if (*array == NULL)
	{
		*array = malloc(DYN_MAX_GET_KEYS * size);
		s->no_memory = *array == NULL;
	}
	return *array != NULL && count < DYN_MAX_GET_KEYS;
}

/* An item, which must have an id: every request asks for it.  Attributes that were not asked for are passed over. */
static bool
take_item(Scanner *s)
{
	DynAnswer  *answer = s->answer;
	size_t		nfeatures = s->wanted->count;
	DynItem    *item;
	DynAttr    *features;
	DynJsonString name;
	bool		has_id = false;
	bool		ok = true;

	if (!make_room(s, (void **) &answer->slices, answer->nitems, sizeof(DynAttr) * (s->most_features + 1)) ||
		!make_room(s, (void **) &answer->items, answer->nitems, sizeof(DynItem)))
		return false;
	item = &answer->items[answer->nitems];
	features = answer->slices + s->nslices;
	memset(item, 0, sizeof(*item));
	item->features = features;
	item->table = s->table;
	memset(features, 0, sizeof(DynAttr) * nfeatures);
	s->guess = 0;

	if (!dyn_js_take(&s->json, '{') || dyn_js_at(&s->json, '}'))
		return false;
	do
	{
		if (!dyn_js_string(&s->json, &name) || !dyn_js_take(&s->json, ':'))
			return false;
		if (text_is(&name, "entity_id"))
		{
			if (!take_entity_id(s, &item->id))
				return false;
			has_id = true;
		}
		else if (text_is(&name, "values"))
			ok = take_values(s, item, features);
		else if (text_is(&name, "event_ts"))
			ok = take_attr(s, 'S', &item->event_ts);
		else
			ok = dyn_js_skip(&s->json, 3);
	} while (ok && dyn_js_more(&s->json, '}', &ok));
	if (!ok || !has_id)
		return false;
	answer->nitems++;
	s->nslices += nfeatures;
	return true;
}

/* `{"entity_id": {"S": "..."}}`, as it was sent. */
static bool
take_unprocessed_key(Scanner *s)
{
	DynAnswer  *answer = s->answer;
	DynUnprocessedKey *key;
	DynJsonString name;

	if (!make_room(s, (void **) &answer->unprocessed, answer->nunprocessed, sizeof(DynUnprocessedKey)))
		return false;
	key = &answer->unprocessed[answer->nunprocessed];
	key->table = s->table;
	if (!dyn_js_take(&s->json, '{') || !dyn_js_string(&s->json, &name) || !text_is(&name, "entity_id") ||
		!dyn_js_take(&s->json, ':') || !take_entity_id(s, &key->id) || !dyn_js_take(&s->json, '}'))
		return false;
	answer->nunprocessed++;
	return true;
}

/* An array, each element of which `element` takes. */
static bool
take_array(Scanner *s, bool (*element) (Scanner *))
{
	bool		ok = true;

	if (!dyn_js_take(&s->json, '['))
		return false;
	if (dyn_js_take(&s->json, ']'))
		return true;
	do
	{
		if (!element(s))
			return false;
	} while (dyn_js_more(&s->json, ']', &ok));
	return ok;
}

static bool
take_items(Scanner *s)
{
	return take_array(s, take_item);
}

/* `{"Keys": [...], "ProjectionExpression": ..., ...}` */
static bool
take_keys_and_attributes(Scanner *s)
{
	DynJsonString name;
	bool		ok = true;
	bool		has_keys = false;

	if (!dyn_js_take(&s->json, '{'))
		return false;
	do
	{
		if (!dyn_js_string(&s->json, &name) || !dyn_js_take(&s->json, ':'))
			return false;
		if (text_is(&name, "Keys"))
		{
			ok = take_array(s, take_unprocessed_key);
			has_keys = true;
		}
		else
			ok = dyn_js_skip(&s->json, 3);
	} while (ok && dyn_js_more(&s->json, '}', &ok));
	return ok && has_keys;
}

/* The name of a table that was asked, which is then the one that is read. */
static bool
take_table_name(Scanner *s)
{
	DynJsonString name;
	int			i = s->table;

	if (!dyn_js_string(&s->json, &name))
		return false;
	for (int n = 0; n < s->ntables; n++)
	{
		const DynScanTable *table = &s->tables[i];

		if (table->name_len == name.len && memcmp(table->name, name.data, name.len) == 0)
		{
			s->table = i;
			s->wanted = table->wanted;
			s->plain_names = table->plain_names;
			return true;
		}
		i = i + 1 < s->ntables ? i + 1 : 0;
	}
	return false;
}

/* `{table: body, ...}` */
static bool
take_tables(Scanner *s, bool (*body) (Scanner *))
{
	bool		ok = true;

	if (!dyn_js_take(&s->json, '{'))
		return false;
	if (dyn_js_take(&s->json, '}'))
		return true;
	do
	{
		if (!take_table_name(s) || !dyn_js_take(&s->json, ':') || !body(s))
			return false;
	} while (dyn_js_more(&s->json, '}', &ok));
	return ok;
}

/* A number that is no capacity counts as 0. */
static bool
take_units(Scanner *s)
{
	char		digits[32] = "";
	char	   *start;
	size_t		len;
	double		units;

	dyn_js_space(&s->json);
	start = s->json.pos;
	if (!dyn_js_skip(&s->json, 3))
		return false;
	len = s->json.pos - start;
	if (len < sizeof(digits))
		memcpy(digits, start, len);
	units = strtod(digits, NULL);
	if (units > 0 && units < 1e15)
		s->answer->consumed_capacity += units;
	return true;
}

/* `{"TableName": ..., "CapacityUnits": 50.0}`; anything else is passed over. */
static bool
take_capacity(Scanner *s)
{
	DynJsonString name;
	bool		ok = true;

	if (!dyn_js_take(&s->json, '{'))
		return dyn_js_skip(&s->json, 2);
	if (dyn_js_take(&s->json, '}'))
		return true;
	do
	{
		if (!dyn_js_string(&s->json, &name) || !dyn_js_take(&s->json, ':'))
			return false;
		ok = text_is(&name, "CapacityUnits") ? take_units(s) : dyn_js_skip(&s->json, 3);
	} while (ok && dyn_js_more(&s->json, '}', &ok));
	return ok;
}

/* The whole body.  `Responses` is there even where no key was found. */
static bool
take_answer(Scanner *s)
{
	DynJsonString name;
	bool		ok = true;
	bool		has_responses = false;

	if (!dyn_js_take(&s->json, '{') || dyn_js_at(&s->json, '}'))
		return false;
	do
	{
		if (!dyn_js_string(&s->json, &name) || !dyn_js_take(&s->json, ':'))
			return false;
		if (text_is(&name, "Responses"))
		{
			ok = take_tables(s, take_items);
			has_responses = true;
		}
		else if (text_is(&name, "UnprocessedKeys"))
			ok = take_tables(s, take_keys_and_attributes);
		else if (text_is(&name, "ConsumedCapacity") && dyn_js_at(&s->json, '['))
			ok = take_array(s, take_capacity);
		else
			ok = dyn_js_skip(&s->json, 1);
	} while (ok && dyn_js_more(&s->json, '}', &ok));
	dyn_js_space(&s->json);
	return ok && has_responses && s->json.pos == s->json.end;
}

void
dyn_scan_table_init(DynScanTable *table, const char *name, const DynFeatureNames *wanted)
{
	table->name = name;
	table->name_len = strlen(name);
	table->wanted = wanted;
	table->plain_names = names_are_plain(wanted);
}

DynScanResult
dyn_item_scan(char *body, size_t len, const DynScanTable *tables, int ntables, DynAnswer *answer)
{
	Scanner		s = {0};

	memset(answer, 0, sizeof(*answer));
	s.json.pos = body;
	s.json.end = body + len;
	s.tables = tables;
	s.ntables = ntables;
	for (int i = 0; i < ntables; i++)
		if (tables[i].wanted->count > s.most_features)
			s.most_features = tables[i].wanted->count;
	s.answer = answer;
	if (!take_answer(&s))
	{
		dyn_answer_free(answer);
		return s.no_memory ? DYN_SCAN_NO_MEMORY : DYN_SCAN_MALFORMED;
	}
	return DYN_SCAN_OK;
}

void
dyn_answer_free(DynAnswer *answer)
{
	free(answer->items);
	free(answer->slices);
	free(answer->unprocessed);
	memset(answer, 0, sizeof(*answer));
}
