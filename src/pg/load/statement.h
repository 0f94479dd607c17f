/*
 * statement.h
 *	  The statement that loads a feature view from its source.
 */
#ifndef DYN_LOAD_STATEMENT_H
#define DYN_LOAD_STATEMENT_H

#include "pg/load/source.h"
#include "pg/table/relation.h"

/*
 * INSERT … SELECT of the newest row of each entity key.  Its parameters, both
 * timestamptz, are the start and the end of the interval of event times, which
 * belong to it.  A time without zone is meant in the session's time zone.
 * Raises what the source lacks; `columns` is what it has.
 */
extern char *dyn_load_statement(const DynRelation *rel, const DynSource *source, TupleDesc columns);

#endif							/* DYN_LOAD_STATEMENT_H */
