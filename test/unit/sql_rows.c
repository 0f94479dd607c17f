/*
 * sql_rows.c
 *	  Rows of a dump in SQL.
 */
#include "sql_rows.h"

#include <stdio.h>
#include <string.h>

/* A text in quotes at *text; without them, and with single quotes in it, it stays where it was. */
static char *
read_quoted(char **text)
{
	char	   *start = *text;
	char	   *out = start;
	char	   *in;

	for (in = start + 1; *in != '\0' && (in[0] != '\'' || in[1] == '\''); in++)
	{
		if (*in == '\'')
			in++;
		*out++ = *in;
	}
	*out = '\0';
	*text = *in ? in + 1 : in;
	return start;
}

/* A number, or NULL. */
static char *
read_word(char **text)
{
	char	   *start = *text;

	*text += strcspn(start, ",)");
	return start;
}

bool
sql_rows_next(char **text, SqlRow *row)
{
	char	   *insert = strstr(*text, "INSERT INTO ");
	char	   *values = insert ? strstr(insert, " VALUES (") : NULL;
	char	   *p;
	char		end = ',';

	if (values == NULL)
		return false;
	sscanf(insert, "INSERT INTO %63s", row->table);
	p = values + strlen(" VALUES (");
	for (row->ncolumns = 0; end == ',' && row->ncolumns < SQL_ROWS_COLUMNS; row->ncolumns++)
	{
		bool		quoted = *p == '\'';

		row->column[row->ncolumns] = quoted ? read_quoted(&p) : read_word(&p);
		end = *p;
		*p++ = '\0';
		p += strspn(p, " ");
	}
	*text = p;
	return true;
}
