/*
 * json_scan.c
 *	  JSON's grammar for a single-pass decoder that works in place.
 */
#include "core/json_scan.h"

#include <stdint.h>
#include <string.h>

#include "core/utf8.h"

/* Four hex digits, as in \u00fc.  False: there are fewer. */
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

/* \uXXXX, its 'u' at s->pos; a surrogate must be half of a pair. */
static char *
unescape_unicode(DynJsonScan *s, char *out)
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
	/* never longer than the escape */
	return dyn_utf8_put(out, code);
}

/* One escape, the character after the backslash at s->pos; never longer decoded than written. */
static char *
unescape(DynJsonScan *s, char *out)
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
skip_plain(DynJsonScan *s)
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
		found = (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
				 ((word - ones * 0x20) & ~word)) & highs;
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

bool
dyn_js_string(DynJsonScan *s, DynJsonString *text)
{
	char	   *out;

	if (!dyn_js_take(s, '"'))
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

/* At least one. */
static bool
take_digits(DynJsonScan *s)
{
	char	   *start = s->pos;

	while (s->pos < s->end && *s->pos >= '0' && *s->pos <= '9')
		s->pos++;
	return s->pos > start;
}

/* Is the next character one of the set? It is not taken. */
static bool
next_is(DynJsonScan *s, const char *set)
{
	return s->pos < s->end && *s->pos != '\0' && strchr(set, *s->pos) != NULL;
}

/* RFC 8259, section 6: no zero in front, digits on both sides of the point. */
static bool
skip_number(DynJsonScan *s)
{
	if (next_is(s, "-"))
		s->pos++;
	if (next_is(s, "0"))
		s->pos++;
	else if (!take_digits(s))
		return false;
	if (next_is(s, "."))
	{
		s->pos++;
		if (!take_digits(s))
			return false;
	}
	if (next_is(s, "eE"))
	{
		s->pos++;
		if (next_is(s, "+-"))
			s->pos++;
		if (!take_digits(s))
			return false;
	}
	return true;
}

static bool
skip_word(DynJsonScan *s, const char *word)
{
	size_t		len = strlen(word);

	if ((size_t) (s->end - s->pos) < len || memcmp(s->pos, word, len) != 0)
		return false;
	s->pos += len;
	return true;
}

/* Passes over what stands in an object or array behind its opening bracket; `close` is the other one. */
static bool
skip_members(DynJsonScan *s, int depth, char close)
{
	DynJsonString name;
	bool		ok = true;

	if (dyn_js_take(s, close))
		return true;
	do
	{
		if (close == '}' && (!dyn_js_string(s, &name) || !dyn_js_take(s, ':')))
			return false;
		if (!dyn_js_skip(s, depth))
			return false;
	} while (dyn_js_more(s, close, &ok));
	return ok;
}

bool
dyn_js_skip(DynJsonScan *s, int depth)
{
	DynJsonString text;

	if (depth >= DYN_JSON_MAX_DEPTH)
		return false;
	if (dyn_js_at(s, '"'))
		return dyn_js_string(s, &text);
	if (dyn_js_take(s, '{'))
		return skip_members(s, depth + 1, '}');
	if (dyn_js_take(s, '['))
		return skip_members(s, depth + 1, ']');
	if (next_is(s, "tfn"))
		return skip_word(s, "true") || skip_word(s, "false") || skip_word(s, "null");
	return skip_number(s);
}

/* Passes over the rest of a string.  False: it has no end. */
static bool
skip_to_quote(DynJsonScan *s)
{
	while (s->pos < s->end)
	{
		char		c = *s->pos++;

		if (c == '"')
			return true;
		if (c == '\\' && s->pos < s->end)
			s->pos++;
	}
	return false;
}

bool
dyn_js_raw(DynJsonScan *s, DynJsonString *text)
{
	size_t		depth = 0;
	char	   *behind;			/* the last that is no white space */

	dyn_js_space(s);
	behind = text->data = s->pos;
	while (s->pos < s->end && (depth > 0 || !next_is(s, ",]}")))
	{
		char		c = *s->pos++;

		if (c == '"' && !skip_to_quote(s))
			return false;
		if (c == '[' || c == '{')
			depth++;
		else if (c == ']' || c == '}')
			depth--;
		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			behind = s->pos;
	}
	text->len = behind - text->data;
	return depth == 0 && text->len > 0;
}
