/*
 * text.c
 *	  Text in UTF-8, and in the database's encoding.
 */
#include "pg/util/export.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "pg/util/compat.h"
#include "pg/util/text.h"

text *
dyn_text_from_utf8(const uint8_t *data, size_t len)
{
	char	   *converted = pg_any_to_server((const char *) data, (int) len, PG_UTF8);

	if (converted == (const char *) data)
		return cstring_to_text_with_len((const char *) data, (int) len);
	return cstring_to_text(converted);
}

char *
dyn_cstring_from_utf8(const uint8_t *data, size_t len)
{
	char	   *converted = pg_any_to_server((const char *) data, (int) len, PG_UTF8);

	return converted == (const char *) data ? pnstrdup((const char *) data, len) : converted;
}

const char *
dyn_text_to_utf8(const text *value, size_t *len)
{
	const char *data = VARDATA_ANY(value);
	char	   *converted = pg_server_to_any(data, VARSIZE_ANY_EXHDR(value), PG_UTF8);

	*len = converted == data ? VARSIZE_ANY_EXHDR(value) : strlen(converted);
	return converted;
}

const char *
dyn_cstring_to_utf8(const char *value)
{
	return pg_server_to_any(value, strlen(value), PG_UTF8);
}
