/*
 * source.h
 *	  What a feature view is loaded from: a text that stands in FROM, checked to
 *	  be one item and nothing else.
 */
#ifndef DYN_LOAD_SOURCE_H
#define DYN_LOAD_SOURCE_H

#include "access/tupdesc.h"
#include "nodes/primnodes.h"

/* The name of the source in the statements of this room. */
#define DYN_SOURCE_ALIAS "s"

typedef struct DynSource
{
	const char *text;
	const char *what;			/* where the text was given, for messages: an option of a table, or an argument */
	const RangeVar *relation;	/* of one that was checked: the relation that it names; NULL: it is a query */
} DynSource;

/*
 * Raises unless the text is a relation's name, or a query in parentheses that
 * changes and locks nothing.  Nothing of it is looked up, so that no code of
 * anybody runs.  The text can then stand between FROM and DYN_SOURCE_END.
 */
extern void dyn_source_check(DynSource *source);

/* What follows the text in a statement: the end of a comment that it may end with, and its name. */
#define DYN_SOURCE_END "\nAS " DYN_SOURCE_ALIAS

/* The columns of a source that was checked; within SPI, and in its memory. */
extern TupleDesc dyn_source_describe(const DynSource *source);

#endif							/* DYN_LOAD_SOURCE_H */
