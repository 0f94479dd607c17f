/*
 * buf.c
 *	  Growable byte buffer on malloc, and the text encodings that requests are
 *	  built from: decimal, hex, base64, JSON strings.
 */
#include "core/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ascii.h"
#include "core/wipe.h"

#define DYN_BUF_MIN 256

void
dyn_buf_free(DynBuf *buf)
{
	free(buf->data);
	memset(buf, 0, sizeof(*buf));
}

void
dyn_buf_wipe(DynBuf *buf)
{
	if (buf->data)
		dyn_wipe(buf->data, buf->cap);
	dyn_buf_free(buf);
}

void
dyn_buf_clear(DynBuf *buf)
{
	buf->len = 0;
	buf->failed = false;
}

/* Makes room for `extra` more bytes. */
bool
dyn_buf_reserve(DynBuf *buf, size_t extra)
{
	size_t		need = buf->len + extra;
	size_t		cap = buf->cap ? buf->cap : DYN_BUF_MIN;
	char	   *data;

	if (buf->failed)
		return false;
	if (need < buf->len || need > SIZE_MAX / 2)
	{
		buf->failed = true;
		return false;
	}
	if (need <= buf->cap)
		return true;
	while (cap < need)
		cap *= 2;
	data = realloc(buf->data, cap);
	if (data == NULL)
	{
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

void
dyn_buf_add(DynBuf *buf, const void *data, size_t len)
{
	if (len == 0 || !dyn_buf_reserve(buf, len))
		return;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
}

void
dyn_buf_byte(DynBuf *buf, char c)
{
	dyn_buf_add(buf, &c, 1);
}

void
dyn_buf_str(DynBuf *buf, const char *str)
{
	dyn_buf_add(buf, str, strlen(str));
}

void
dyn_buf_int(DynBuf *buf, long long value)
{
	char		text[32];

	snprintf(text, sizeof(text), "%lld", value);
	dyn_buf_str(buf, text);
}

void
dyn_buf_hex(DynBuf *buf, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;
	char	   *out;

	if (!dyn_buf_reserve(buf, len * 2))
		return;
	out = buf->data + buf->len;
	for (size_t i = 0; i < len; i++)
	{
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	buf->len = out - buf->data;
}

void
dyn_buf_percent(DynBuf *buf, const char *str, const char *kept)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *str; str++)
	{
		unsigned char c = *str;

		if (dyn_is_alnum_or(*str, kept))
		{
			dyn_buf_byte(buf, *str);
			continue;
		}
		dyn_buf_byte(buf, '%');
		dyn_buf_byte(buf, digits[c >> 4]);
		dyn_buf_byte(buf, digits[c & 15]);
	}
}

void
dyn_buf_base64(DynBuf *buf, const void *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *in = data;
	char	   *out;

	if (len == 0 || !dyn_buf_reserve(buf, (len + 2) / 3 * 4))
		return;
	out = buf->data + buf->len;
	for (; len >= 3; in += 3, len -= 3)
	{
		*out++ = digits[in[0] >> 2];
		*out++ = digits[(in[0] & 3) << 4 | in[1] >> 4];
		*out++ = digits[(in[1] & 15) << 2 | in[2] >> 6];
		*out++ = digits[in[2] & 63];
	}
	if (len > 0)
	{
		uint8_t		second = len == 2 ? in[1] : 0;

		*out++ = digits[in[0] >> 2];
		*out++ = digits[(in[0] & 3) << 4 | second >> 4];
		*out++ = len == 2 ? digits[(second & 15) << 2] : '=';
		*out++ = '=';
	}
	buf->len = out - buf->data;
}

void
dyn_buf_json_string(DynBuf *buf, const char *str, size_t len)
{
	size_t		done = 0;

	dyn_buf_byte(buf, '"');
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = str[i];
		char		escape[8];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		dyn_buf_add(buf, str + done, i - done);
		if (c < 0x20)
			snprintf(escape, sizeof(escape), "\\u%04x", c);
		else
			snprintf(escape, sizeof(escape), "\\%c", c);
		dyn_buf_str(buf, escape);
		done = i + 1;
	}
	if (done < len)
		dyn_buf_add(buf, str + done, len - done);
	dyn_buf_byte(buf, '"');
}

char *
dyn_buf_cstr(DynBuf *buf)
{
	if (!dyn_buf_reserve(buf, 1))
		return NULL;
	buf->data[buf->len] = '\0';
	return buf->data;
}

void *
dyn_copy_bytes(const void *data, size_t len)
{
	void	   *copy = malloc(len > 0 ? len : 1);

	if (copy && len > 0)
		memcpy(copy, data, len);
	return copy;
}
