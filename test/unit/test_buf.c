/*
 * test_buf.c
 *	  The growable buffer and its text encodings.
 */
#include "core/buf.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "golden.h"
#include "tap.h"

#define is_buf(buf, want, ...) is_text((buf)->data ? (buf)->data : "", (buf)->len, want, __VA_ARGS__)

static void
test_growth(void)
{
	DynBuf		buf = {0};
	char		piece[300];
	size_t		len = 0;
	bool		same = true;

	for (size_t i = 0; i < sizeof(piece); i++)
		piece[i] = (char) i;
	for (size_t n = 0; n <= sizeof(piece); n++)
	{
		dyn_buf_add(&buf, piece, n);
		dyn_buf_byte(&buf, 'x');
		same = same && buf.len == len + n + 1 && memcmp(buf.data + len, piece, n) == 0 && buf.data[len + n] == 'x';
		len += n + 1;
	}
	ok(same, "pieces of 0 to 300 bytes are appended");
	ok(buf.len <= buf.cap && !buf.failed, "length is within the capacity");

	dyn_buf_clear(&buf);
	ok(buf.len == 0 && buf.cap > 0, "clear keeps the memory");
	dyn_buf_str(&buf, "again");
	is_buf(&buf, "again", "a cleared buffer is usable");
	dyn_buf_free(&buf);
	ok(buf.data == NULL && buf.len == 0 && buf.cap == 0, "free makes it empty");
	dyn_buf_free(&buf);
	dyn_buf_add(&buf, NULL, 0);
	ok(buf.len == 0 && !buf.failed, "nothing is appended from nowhere");
	dyn_buf_free(&buf);
}

static void
test_reserve(void)
{
	DynBuf		buf = {0};
	char	   *data;

	ok(dyn_buf_reserve(&buf, 1000) && buf.cap >= 1000 && buf.len == 0, "reserve makes room");
	data = buf.data;
	for (int i = 0; i < 1000; i++)
		dyn_buf_byte(&buf, 'a');
	ok(buf.data == data, "reserved room is used without moving");
	dyn_buf_free(&buf);
}

static void
test_failure(void)
{
	DynBuf		buf = {0};
	size_t		len;

	dyn_buf_str(&buf, "before");
	ok(!dyn_buf_reserve(&buf, SIZE_MAX - 2), "a size that overflows is refused");
	ok(buf.failed, "and that is remembered");
	len = buf.len;
	dyn_buf_str(&buf, "after");
	dyn_buf_byte(&buf, 'x');
	dyn_buf_int(&buf, 1);
	dyn_buf_hex(&buf, "x", 1);
	dyn_buf_base64(&buf, "x", 1);
	dyn_buf_json_string(&buf, "x", 1);
	ok(buf.failed && buf.len == len, "later appends do nothing");
	ok(dyn_buf_cstr(&buf) == NULL, "there is no text of a failed buffer");
	dyn_buf_free(&buf);
	ok(!buf.failed, "a freed buffer has not failed");
}

static void
test_int(void)
{
	DynBuf		buf = {0};

	dyn_buf_int(&buf, 0);
	dyn_buf_byte(&buf, ' ');
	dyn_buf_int(&buf, -1);
	dyn_buf_byte(&buf, ' ');
	dyn_buf_int(&buf, LLONG_MAX);
	dyn_buf_byte(&buf, ' ');
	dyn_buf_int(&buf, LLONG_MIN);
	is_buf(&buf, "0 -1 9223372036854775807 -9223372036854775808", "integers");
	dyn_buf_free(&buf);
}

static void
test_hex(void)
{
	DynBuf		buf = {0};

	dyn_buf_hex(&buf, "", 0);
	is_buf(&buf, "", "hex of nothing");
	dyn_buf_hex(&buf, "\x00\x01\x7f\x80\xab\xff", 6);
	is_buf(&buf, "00017f80abff", "hex is lower-case");
	dyn_buf_free(&buf);
}

static void
test_base64(void)
{
	/* RFC 4648, section 10, and the two digits it does not show */
	static const char *const vectors[][2] = {
		{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "+/+/"},
	};
	DynBuf		buf = {0};
	uint8_t		all[256];
	bool		same = true;

	for (size_t i = 0; i < LENGTH(vectors); i++)
	{
		dyn_buf_free(&buf);		/* the first append to an empty buffer is a case of its own */
		dyn_buf_base64(&buf, vectors[i][0], strlen(vectors[i][0]));
		is_buf(&buf, vectors[i][1], "base64 vector %zu", i);
	}

	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t) i;
	for (size_t n = 0; n <= sizeof(all); n++)
	{
		uint8_t    *in = golden_copy(all + sizeof(all) - n, n);
		uint8_t    *back;
		size_t		len;

		dyn_buf_clear(&buf);
		dyn_buf_base64(&buf, in, n);
		back = golden_base64(dyn_buf_cstr(&buf), &len);
		same = same && len == n && memcmp(back, in, n) == 0;
		free(back);
		free(in);
	}
	ok(same, "base64 of every byte and length decodes to the same");
	dyn_buf_free(&buf);
}

/* Whatever the escapes look like, a JSON parser reads the same text. */
static void
test_json_reads_back(void)
{
	DynBuf		buf = {0};
	char		text[128];
	json_object *array;
	bool		printable = true;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char) i;
	dyn_buf_byte(&buf, '[');
	dyn_buf_json_string(&buf, text, sizeof(text));
	dyn_buf_byte(&buf, ']');
	for (size_t i = 0; i < buf.len; i++)
		printable = printable && (unsigned char) buf.data[i] >= 0x20;
	ok(printable, "control characters are escaped");
	array = golden_parse(buf.data, buf.len);
	if (ok(array != NULL, "every ASCII character makes a JSON string"))
	{
		json_object *string = json_object_array_get_idx(array, 0);

		is_bytes(json_object_get_string(string), json_object_get_string_len(string), text, sizeof(text),
				 "which reads back the same");
	}
	json_object_put(array);
	dyn_buf_free(&buf);
}

static void
test_json_string(void)
{
	static const char *const vectors[][2] = {
		{"", "\"\""},
		{"plain", "\"plain\""},
		{"say \"hi\"", "\"say \\\"hi\\\"\""},
		{"\"", "\"\\\"\""},
		{"a\\b", "\"a\\\\b\""},
		{"\\\\", "\"\\\\\\\\\""},
		{"na\xc3\xafve \xe6\x9d\xb1\xe4\xba\xac \xf0\x9f\x9a\x80",
		"\"na\xc3\xafve \xe6\x9d\xb1\xe4\xba\xac \xf0\x9f\x9a\x80\""},
	};
	DynBuf		buf = {0};

	for (size_t i = 0; i < LENGTH(vectors); i++)
	{
		const char *text = vectors[i][0];

		dyn_buf_clear(&buf);
		dyn_buf_json_string(&buf, text, strlen(text));
		is_buf(&buf, vectors[i][1], "JSON string %zu", i);
	}
	dyn_buf_free(&buf);
}

static void
test_cstr(void)
{
	DynBuf		buf = {0};
	char	   *text;

	text = dyn_buf_cstr(&buf);
	ok(text != NULL && text[0] == '\0', "text of an empty buffer");
	/* until the NUL needs a byte that was not there */
	for (int i = 0; i < 1000; i++)
	{
		dyn_buf_byte(&buf, 'a');
		text = dyn_buf_cstr(&buf);
		if (text == NULL || strlen(text) != (size_t) i + 1 || buf.len != (size_t) i + 1)
			break;
	}
	is_int(buf.len, 1000, "the NUL is not counted");
	ok(text != NULL && strlen(text) == 1000, "the text ends at the length");
	dyn_buf_free(&buf);
}

int
main(void)
{
	test_growth();
	test_reserve();
	test_failure();
	test_int();
	test_hex();
	test_base64();
	test_json_reads_back();
	test_json_string();
	test_cstr();
	return done_testing();
}
