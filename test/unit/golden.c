/*
 * golden.c
 *	  Reads the files of ../data, or of $DYN_TEST_DATA.
 */
#include "golden.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
__attribute__((noreturn, format(printf, 1, 2)))
bail_out(const char *fmt, ...)
{
	va_list		args;

	va_start(args, fmt);
	printf("Bail out! ");
	vprintf(fmt, args);
	putchar('\n');
	va_end(args);
	exit(255);
}

static void *
allocate(size_t len)
{
	void	   *data = malloc(len);

	if (data == NULL && len > 0)
		bail_out("no memory");
	return data;
}

char *
golden_read(const char *file, size_t *len)
{
	const char *dir = getenv("DYN_TEST_DATA");
	char		path[1024];
	FILE	   *f;
	char	   *data;
	long		size;

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "../data", file);
	f = fopen(path, "rb");
	if (f == NULL)
		bail_out("cannot open %s", path);
	if (fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0)
		bail_out("cannot read %s", path);
	rewind(f);
	data = allocate(size + 1);
	if (fread(data, 1, size, f) != (size_t) size)
		bail_out("cannot read %s", path);
	fclose(f);
	data[size] = '\0';
	*len = size;
	return data;
}

static json_object *
parse(const char *text, size_t len, int flags)
{
	/* deeper than any body that the code under test accepts */
	json_tokener *tokener = json_tokener_new_ex(256);
	json_object *object;

	json_tokener_set_flags(tokener, flags);
	object = json_tokener_parse_ex(tokener, text, (int) len);
	if (json_tokener_get_error(tokener) != json_tokener_success)
	{
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

/* json-c 0.18 in its strict mode refuses what isn't ASCII: there the text is judged with letters in its place. */
json_object *
golden_parse(const char *text, size_t len)
{
	char	   *ascii = golden_copy(text, len);
	json_object *judged;

	for (size_t i = 0; i < len; i++)
		if ((unsigned char) ascii[i] >= 0x80)
			ascii[i] = 'x';
	judged = parse(ascii, len, JSON_TOKENER_STRICT);
	free(ascii);
	if (judged == NULL)
		return NULL;
	json_object_put(judged);
	return parse(text, len, 0);
}

json_object *
golden_json(const char *file)
{
	size_t		len;
	char	   *text = golden_read(file, &len);
	json_object *object;

	while (len > 0 && text[len - 1] == '\n')
		len--;
	object = golden_parse(text, len);
	free(text);
	if (object == NULL)
		bail_out("%s is not JSON", file);
	return object;
}

json_object *
golden_get(json_object *object, const char *path)
{
	char		name[128];
	size_t		len;
	json_object *value;

	for (; *path != '\0'; path += len + (path[len] == '.'))
	{
		len = strcspn(path, ".");
		snprintf(name, sizeof(name), "%.*s", (int) len, path);
		if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, name, &value))
			return NULL;
		object = value;
	}
	return object;
}

const char *
golden_text(json_object *object, const char *path)
{
	json_object *value = golden_get(object, path);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

int64_t
golden_int(json_object *object, const char *path)
{
	return json_object_get_int64(golden_get(object, path));
}

json_object *
golden_at(json_object *object, const char *path, size_t i)
{
	json_object *array = golden_get(object, path);

	return json_object_is_type(array, json_type_array) ? json_object_array_get_idx(array, i) : NULL;
}

size_t
golden_count(json_object *object, const char *path)
{
	json_object *array = golden_get(object, path);

	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

void *
golden_copy(const void *data, size_t len)
{
	void	   *copy = allocate(len);

	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

uint8_t *
golden_hex(const char *hex, size_t *len)
{
	uint8_t    *bytes;

	*len = strlen(hex) / 2;
	bytes = allocate(*len);
	for (size_t i = 0; i < *len; i++)
	{
		unsigned	byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			bail_out("not hex: %s", hex);
		bytes[i] = (uint8_t) byte;
	}
	return bytes;
}

uint8_t *
golden_base64(const char *text, size_t *len)
{
	size_t		text_len = strlen(text);
	uint8_t    *padded = allocate(text_len + 1);	/* OpenSSL decodes the padding to zeros */
	uint8_t    *bytes;
	int			n = EVP_DecodeBlock(padded, (const uint8_t *) text, (int) text_len);

	if (n < 0)
		bail_out("not base64: %s", text);
	for (size_t i = text_len; i > 0 && text[i - 1] == '='; i--)
		n--;
	*len = n;
	bytes = golden_copy(padded, *len);
	free(padded);
	return bytes;
}

char *
golden_quotes(const char *text)
{
	char	   *copy = golden_copy(text, strlen(text) + 1);

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	return copy;
}
