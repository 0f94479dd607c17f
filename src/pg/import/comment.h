/*
 * comment.h
 *	  Descriptions of the registry as comments.
 */
#ifndef DYN_COMMENT_H
#define DYN_COMMENT_H

#include "nodes/pg_list.h"

#include "pg/import/definition.h"

/* Comments on the foreign tables of definitions, and on their columns. */
extern void dyn_comment_tables(Oid schema, List *definitions);

/* On one table, which is there. Gives what has a description a comment, and takes none away. */
extern void dyn_comment_table(Oid relid, const DynTableDefinition *definition);

#endif							/* DYN_COMMENT_H */
