/*
 * text.c
 *	  Text in UTF-8, and in the database's encoding.
 */
#include "pg/util/export.h"

#include "catalog/namespace.h"
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

char *
dyn_cstring_from_utf8_if(const char *utf8)
{
	int			encoding = GetDatabaseEncoding();
	int			len = strlen(utf8);
	Size		size = (Size) len * MAX_CONVERSION_GROWTH + 1;
	Oid			conversion;
	char	   *converted;

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
		return pstrdup(utf8);
	conversion = FindDefaultConversionProc(PG_UTF8, encoding);
	if (!OidIsValid(conversion))
		return NULL;
	converted = palloc(size);
	if (pg_do_encoding_conversion_buf(conversion, PG_UTF8, encoding, (unsigned char *) unconstify(char *, utf8), len,
									  (unsigned char *) converted, size, true) < len)
		return NULL;
	return converted;
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
