/*
 * utf8.c
 *	  UTF-8: is a text well-formed, and code points as bytes.
 */
#include "core/utf8.h"

#include <string.h>

/* Length of the well-formed sequence at p, or 0 (Unicode 15, table 3-7). */
static int
utf8_sequence(const uint8_t *p, const uint8_t *end)
{
	uint8_t		low = 0x80;
	uint8_t		high = 0xbf;
	int			n;

	if (*p < 0x80)
		return 1;
	if (*p >= 0xc2 && *p <= 0xdf)
		n = 2;
	else if (*p >= 0xe0 && *p <= 0xef)
	{
		n = 3;
		if (*p == 0xe0)
			low = 0xa0;
		else if (*p == 0xed)
			high = 0x9f;		/* surrogates */
	}
	else if (*p >= 0xf0 && *p <= 0xf4)
	{
		n = 4;
		if (*p == 0xf0)
			low = 0x90;
		else if (*p == 0xf4)
			high = 0x8f;
	}
	else
		return 0;
	if (end - p < n || p[1] < low || p[1] > high)
		return 0;
	for (int i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

bool
dyn_utf8_valid(const uint8_t *data, size_t len)
{
	const uint8_t *end = data + len;

	while (data < end)
	{
		int			n;
		uint64_t	word;

		/* mostly it is ASCII */
		if (end - data >= (ptrdiff_t) sizeof(word))
		{
			memcpy(&word, data, sizeof(word));
			if ((word & UINT64_C(0x8080808080808080)) == 0)
			{
				data += sizeof(word);
				continue;
			}
		}
		n = utf8_sequence(data, end);

		if (n == 0)
			return false;
		data += n;
	}
	return true;
}

char *
dyn_utf8_put(char *out, unsigned code)
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
