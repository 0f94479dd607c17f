/*
 * sql_rows.h
 *	  Rows of a dump in SQL: INSERT statements of one line each, with literals.
 */
#ifndef DYN_SQL_ROWS_H
#define DYN_SQL_ROWS_H

#include <stdbool.h>

#define SQL_ROWS_COLUMNS 8

typedef struct SqlRow
{
	char		table[64];
	int			ncolumns;
	char	   *column[SQL_ROWS_COLUMNS];	/* in the text, which is written over; "NULL" is NULL */
} SqlRow;

/* The next row from `*text` on, which is moved behind it; false: there is none. */
extern bool sql_rows_next(char **text, SqlRow *row);

#endif							/* DYN_SQL_ROWS_H */
