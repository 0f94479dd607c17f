/*
 * scan.c
 *	  Looks into requests of known clients.
 */
#include "scan.h"

#include <string.h>

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

const char *
scan_expect(const char *p, const char *end, const char *const *tokens)
{
	for (; *tokens; tokens++)
	{
		size_t		len = strlen(*tokens);

		p = skip_blanks(p, end);
		if ((size_t) (end - p) < len || memcmp(p, *tokens, len) != 0)
			return NULL;
		p += len;
	}
	return p;
}

const char *
scan_find(const char *p, const char *end, const char *const *tokens)
{
	while ((p = memmem(p, end - p, tokens[0], strlen(tokens[0]))) != NULL)
	{
		const char *behind = scan_expect(p, end, tokens);

		if (behind)
			return behind;
		p++;
	}
	return NULL;
}

bool
scan_text(const char *p, const char *end, const char **text, size_t *len)
{
	const char *quote = p ? memchr(p, '"', end - p) : NULL;

	if (quote == NULL)
		return false;
	*text = p;
	*len = quote - p;
	return true;
}

const char *
scan_object_end(const char *p, const char *end)
{
	int			depth = 1;

	for (; depth > 0 && p < end; p++)
	{
		if (*p == '"')
		{
			p = memchr(p + 1, '"', end - p - 1);
			if (p == NULL)
				return NULL;
		}
		depth += (*p == '{') - (*p == '}');
	}
	return depth == 0 ? p : NULL;
}

uint64_t
scan_hash(const char *data, size_t len)
{
	uint64_t	h = len;

	for (; len >= 8; data += 8, len -= 8)
	{
		uint64_t	word;

		memcpy(&word, data, 8);
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}
