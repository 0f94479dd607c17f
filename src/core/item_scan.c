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

#include "core/ddb_op.h"

typedef struct Scanner
{
	char	   *pos;
	char	   *end;
	const char *table;
	size_t		table_len;
	const DynFeatureNames *wanted;
	DynAnswer  *answer;
	int			guess;			/* feature expected next: items repeat one order */
	bool		plain_names;	/* wanted names stand in JSON as they are */
	bool		no_memory;
} Scanner;

typedef struct Text
{
	char	   *data;
	size_t		len;
} Text;

static bool skip_value(Scanner *s, int depth);

/* ---- grammar ---- */

static void
skip_space(Scanner *s)
{
	while (s->pos < s->end && (*s->pos == ' ' || *s->pos == '\n' || *s->pos == '\r' || *s->pos == '\t'))
		s->pos++;
}

/* Is `c` next?  White space before it is skipped, it is not taken. */
static bool
at(Scanner *s, char c)
{
	skip_space(s);
	return s->pos < s->end && *s->pos == c;
}

static inline bool
take(Scanner *s, char c)
{
	/* answers hold no white space */
	if (s->pos < s->end && *s->pos == c)
	{
		s->pos++;
		return true;
	}
	if (!at(s, c))
		return false;
	s->pos++;
	return true;
}

static bool
hex4(const char *p, const char *end, unsigned *code)
{
	*code = 0;
	if (end - p < 4)
		return false;
	for (int i = 0; i < 4; i++)
	{
		char		c = p[i];
		unsigned	digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			digit = c - 'A' + 10;
		else
			return false;
		*code = *code << 4 | digit;
	}
	return true;
}

static char *
put_utf8(char *out, unsigned code)
{
	if (code < 0x80)
		*out++ = (char) code;
	else if (code < 0x800)
	{
		*out++ = (char) (0xc0 | code >> 6);
		*out++ = (char) (0x80 | (code & 0x3f));
	}
	else if (code < 0x10000)
	{
		*out++ = (char) (0xe0 | code >> 12);
		*out++ = (char) (0x80 | (code >> 6 & 0x3f));
		*out++ = (char) (0x80 | (code & 0x3f));
	}
	else
	{
		*out++ = (char) (0xf0 | code >> 18);
		*out++ = (char) (0x80 | (code >> 12 & 0x3f));
		*out++ = (char) (0x80 | (code >> 6 & 0x3f));
		*out++ = (char) (0x80 | (code & 0x3f));
	}
	return out;
}

/* \uXXXX, its 'u' at s->pos; a surrogate must be half of a pair. */
static char *
unescape_unicode(Scanner *s, char *out)
{
	unsigned	code;
	unsigned	low;

	if (!hex4(s->pos + 1, s->end, &code))
		return NULL;
	s->pos += 5;
	if (code >= 0xdc00 && code <= 0xdfff)
		return NULL;
	if (code >= 0xd800 && code <= 0xdbff)
	{
		if (s->end - s->pos < 6 || s->pos[0] != '\\' || s->pos[1] != 'u' ||
			!hex4(s->pos + 2, s->end, &low) || low < 0xdc00 || low > 0xdfff)
			return NULL;
		s->pos += 6;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	return put_utf8(out, code);
}

/* One escape, the character after the backslash at s->pos; never longer decoded than written. */
static char *
unescape(Scanner *s, char *out)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *known;

	if (s->pos == s->end)
		return NULL;
	if (*s->pos == 'u')
		return unescape_unicode(s, out);
	known = *s->pos ? strchr(from, *s->pos) : NULL;
	if (known == NULL)
		return NULL;
	s->pos++;
	*out++ = to[known - from];
	return out;
}

/* Passes over what stands for itself in a string, eight bytes a step where that is easy. */
static inline void
skip_plain(Scanner *s)
{
	char	   *p = s->pos;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t highs = ones << 7;

	for (; s->end - p >= 8; p += 8)
	{
		uint64_t	word;
		uint64_t	quote;
		uint64_t	backslash;
		uint64_t	found;

		/* the lowest high bit of `found` is right: at the first byte that is '"', '\\' or below 0x20 */
		memcpy(&word, p, sizeof(word));
		quote = word ^ ones * '"';
		backslash = word ^ ones * '\\';
		found = (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((word - ones * 0x20) & ~word)) & highs;
		if (found)
		{
			s->pos = p + (__builtin_ctzll(found) >> 3);
			return;
		}
	}
#endif
	while (p < s->end && *p != '"' && *p != '\\' && (unsigned char) *p >= 0x20)
		p++;
	s->pos = p;
}

/* A string, decoded over its own bytes. */
static bool
take_string(Scanner *s, Text *text)
{
	char	   *out;

	if (!take(s, '"'))
		return false;
	text->data = s->pos;
	skip_plain(s);
	if (s->pos < s->end && *s->pos == '"')
	{
		text->len = s->pos++ - text->data;
		return true;
	}
	for (out = s->pos; s->pos < s->end && (unsigned char) *s->pos >= 0x20;)
	{
		char		c = *s->pos++;

		if (c == '"')
		{
			text->len = out - text->data;
			return true;
		}
		if (c != '\\')
			*out++ = c;
		else if ((out = unescape(s, out)) == NULL)
			return false;
	}
	return false;
}

static bool
digits(Scanner *s)
{
	char	   *start = s->pos;

	while (s->pos < s->end && *s->pos >= '0' && *s->pos <= '9')
		s->pos++;
	return s->pos > start;
}

static bool
next_is(Scanner *s, const char *set)
{
	return s->pos < s->end && *s->pos != '\0' && strchr(set, *s->pos) != NULL;
}

static bool
skip_number(Scanner *s)
{
	if (next_is(s, "-"))
		s->pos++;
	if (next_is(s, "0"))
		s->pos++;
	else if (!digits(s))
		return false;
	if (next_is(s, "."))
	{
		s->pos++;
		if (!digits(s))
			return false;
	}
	if (next_is(s, "eE"))
	{
		s->pos++;
		if (next_is(s, "+-"))
			s->pos++;
		if (!digits(s))
			return false;
	}
	return true;
}

static bool
skip_word(Scanner *s, const char *word)
{
	size_t		len = strlen(word);

	if ((size_t) (s->end - s->pos) < len || memcmp(s->pos, word, len) != 0)
		return false;
	s->pos += len;
	return true;
}

/* After a member or element: another one follows (true), or the end was taken or is wrong. */
static bool
more(Scanner *s, char close, bool *ok)
{
	if (take(s, ','))
		return true;
	*ok = take(s, close);
	return false;
}

static bool
skip_members(Scanner *s, int depth, char close)
{
	Text		name;
	bool		ok = true;

	if (take(s, close))
		return true;
	do
	{
		if (close == '}' && (!take_string(s, &name) || !take(s, ':')))
			return false;
		if (!skip_value(s, depth))
			return false;
	} while (more(s, close, &ok));
	return ok;
}

static bool
skip_value(Scanner *s, int depth)
{
	Text		text;

	if (depth >= DYN_JSON_MAX_DEPTH)
		return false;
	if (at(s, '"'))
		return take_string(s, &text);
	if (take(s, '{'))
		return skip_members(s, depth + 1, '}');
	if (take(s, '['))
		return skip_members(s, depth + 1, ']');
	if (next_is(s, "tfn"))
		return skip_word(s, "true") || skip_word(s, "false") || skip_word(s, "null");
	return skip_number(s);
}

static bool
text_is(const Text *text, const char *name)
{
	return text->len == strlen(name) && memcmp(text->data, name, text->len) == 0;
}

/* ---- DynamoDB values ---- */

/* The start of an attribute value, `{"S":`; *right: its tag is `tag`. */
static inline bool
take_tag(Scanner *s, char tag, bool *right)
{
	Text		name;

	if (s->end - s->pos >= 5 && s->pos[0] == '{' && s->pos[1] == '"' && s->pos[2] == tag && s->pos[3] == '"' &&
		s->pos[4] == ':')
	{
		s->pos += 5;
		*right = true;
		return true;
	}
	if (!take(s, '{') || !take_string(s, &name) || !take(s, ':'))
		return false;
	*right = name.len == 1 && name.data[0] == tag;
	return true;
}

/* An attribute value: `{"S": "..."}`.  WRONG_TYPE where its tag is not `tag`. */
static bool
take_attr(Scanner *s, char tag, DynAttr *attr)
{
	Text		text = {0};
	bool		right;

	if (!take_tag(s, tag, &right))
		return false;
	if (right)
	{
		if (!take_string(s, &text))
			return false;
		attr->state = DYN_ATTR_OK;
	}
	else
	{
		if (!skip_value(s, 4))
			return false;
		attr->state = DYN_ATTR_WRONG_TYPE;
	}
	attr->data = (uint8_t *) text.data;
	attr->len = text.len;
	return take(s, '}');
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
feature_index(Scanner *s, const Text *name)
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
	size_t		len;

	if (!s->plain_names || wanted->count == 0)
		return false;
	len = wanted->lengths[s->guess];
	if ((size_t) (s->end - s->pos) < len + 3 || s->pos[0] != '"' || s->pos[len + 1] != '"' || s->pos[len + 2] != ':' ||
		memcmp(s->pos + 1, wanted->names[s->guess], len) != 0)
		return false;
	s->pos += len + 3;
	return true;
}

static bool
take_feature(Scanner *s, DynAttr *features)
{
	Text		name;
	DynAttr		ignored;
	int			k;

	if (take_guess(s))
	{
		k = s->guess;
		s->guess = k + 1 < s->wanted->count ? k + 1 : 0;
	}
	else
	{
		if (!take_string(s, &name) || !take(s, ':'))
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
		return skip_value(s, 4) && take(s, '}');
	}
	item->values.state = DYN_ATTR_OK;
	if (!take(s, '{'))
		return false;
	if (!take(s, '}'))
	{
		do
		{
			if (!take_feature(s, features))
				return false;
		} while (more(s, '}', &ok));
	}
	return ok && take(s, '}');
}

static bool
take_entity_id(Scanner *s, DynEntityId *id)
{
	DynAttr		attr = {0};

	return take_attr(s, 'S', &attr) && attr.state == DYN_ATTR_OK &&
		dyn_entity_id_from_hex(id, (const char *) attr.data, attr.len);
}

/* ---- the answer ---- */

/* Room for one more of `count` elements, at most as many as a request has keys. */
static bool
grow(Scanner *s, void **array, size_t *cap, size_t count, size_t size)
{
	size_t		want = *cap ? *cap * 2 : 16;
	void	   *bigger;

	if (count < *cap)
		return true;
	if (count >= DYN_MAX_GET_KEYS)
		return false;
	bigger = realloc(*array, want * size);
	if (bigger == NULL)
	{
		s->no_memory = true;
		return false;
	}
	*array = bigger;
	*cap = want;
	return true;
}

static bool
take_item(Scanner *s)
{
	DynAnswer  *answer = s->answer;
	size_t		nfeatures = s->wanted->count;
	size_t		slices_cap = answer->items_cap;
	DynItem    *item;
	DynAttr    *features;
	Text		name;
	bool		has_id = false;
	bool		ok = true;

	if (!grow(s, (void **) &answer->slices, &slices_cap, answer->nitems, sizeof(DynAttr) * (nfeatures + 1)) ||
		!grow(s, (void **) &answer->items, &answer->items_cap, answer->nitems, sizeof(DynItem)))
		return false;
	item = &answer->items[answer->nitems];
	features = answer->slices + nfeatures * answer->nitems;
	memset(item, 0, sizeof(*item));
	memset(features, 0, sizeof(DynAttr) * nfeatures);
	s->guess = 0;

	if (!take(s, '{') || at(s, '}'))
		return false;
	do
	{
		if (!take_string(s, &name) || !take(s, ':'))
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
			ok = skip_value(s, 3);
	} while (ok && more(s, '}', &ok));
	if (!ok || !has_id)
		return false;
	answer->nitems++;
	return true;
}

static bool
take_unprocessed_key(Scanner *s)
{
	DynAnswer  *answer = s->answer;
	Text		name;

	if (!grow(s, (void **) &answer->unprocessed, &answer->unprocessed_cap, answer->nunprocessed,
			  sizeof(DynEntityId)))
		return false;
	if (!take(s, '{') || !take_string(s, &name) || !text_is(&name, "entity_id") || !take(s, ':') ||
		!take_entity_id(s, &answer->unprocessed[answer->nunprocessed]) || !take(s, '}'))
		return false;
	answer->nunprocessed++;
	return true;
}

static bool
take_array(Scanner *s, bool (*element) (Scanner *))
{
	bool		ok = true;

	if (!take(s, '['))
		return false;
	if (take(s, ']'))
		return true;
	do
	{
		if (!element(s))
			return false;
	} while (more(s, ']', &ok));
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
	Text		name;
	bool		ok = true;
	bool		has_keys = false;

	if (!take(s, '{'))
		return false;
	do
	{
		if (!take_string(s, &name) || !take(s, ':'))
			return false;
		if (text_is(&name, "Keys"))
		{
			ok = take_array(s, take_unprocessed_key);
			has_keys = true;
		}
		else
			ok = skip_value(s, 3);
	} while (ok && more(s, '}', &ok));
	return ok && has_keys;
}

/* `{table: body}`; only our table may be in it. */
static bool
take_tables(Scanner *s, bool (*body) (Scanner *))
{
	Text		name;
	bool		ok = true;

	if (!take(s, '{'))
		return false;
	if (take(s, '}'))
		return true;
	do
	{
		if (!take_string(s, &name) || name.len != s->table_len ||
			memcmp(name.data, s->table, name.len) != 0 || !take(s, ':') || !body(s))
			return false;
	} while (more(s, '}', &ok));
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

	skip_space(s);
	start = s->pos;
	if (!skip_value(s, 3))
		return false;
	len = s->pos - start;
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
	Text		name;
	bool		ok = true;

	if (!take(s, '{'))
		return skip_value(s, 2);
	if (take(s, '}'))
		return true;
	do
	{
		if (!take_string(s, &name) || !take(s, ':'))
			return false;
		ok = text_is(&name, "CapacityUnits") ? take_units(s) : skip_value(s, 3);
	} while (ok && more(s, '}', &ok));
	return ok;
}

static bool
take_answer(Scanner *s)
{
	Text		name;
	bool		ok = true;
	bool		has_responses = false;

	if (!take(s, '{') || at(s, '}'))
		return false;
	do
	{
		if (!take_string(s, &name) || !take(s, ':'))
			return false;
		if (text_is(&name, "Responses"))
		{
			ok = take_tables(s, take_items);
			has_responses = true;
		}
		else if (text_is(&name, "UnprocessedKeys"))
			ok = take_tables(s, take_keys_and_attributes);
		else if (text_is(&name, "ConsumedCapacity") && at(s, '['))
			ok = take_array(s, take_capacity);
		else
			ok = skip_value(s, 1);
	} while (ok && more(s, '}', &ok));
	skip_space(s);
	return ok && has_responses && s->pos == s->end;
}

DynScanResult
dyn_item_scan(char *body, size_t len, const char *table, const DynFeatureNames *wanted, DynAnswer *answer)
{
	Scanner		s = {0};

	memset(answer, 0, sizeof(*answer));
	s.pos = body;
	s.end = body + len;
	s.table = table;
	s.table_len = strlen(table);
	s.wanted = wanted;
	s.plain_names = names_are_plain(wanted);
	s.answer = answer;
	if (!take_answer(&s))
	{
		dyn_answer_free(answer);
		return s.no_memory ? DYN_SCAN_NO_MEMORY : DYN_SCAN_MALFORMED;
	}
	for (int i = 0; i < answer->nitems; i++)
		answer->items[i].features = answer->slices + (size_t) wanted->count * i;
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
