/*
 * qual_column.h
 *	  Which expressions stand for a key column, and which operators find two
 *	  values equal just where the keys made of them are the same.
 */
#ifndef DYN_QUAL_COLUMN_H
#define DYN_QUAL_COLUMN_H

#include "nodes/nodes.h"

#include "pg/table/relation.h"

/* The expression without casts that change nothing about what it is equal to. */
extern Node *dyn_qual_strip_casts(Node *expr);

/* Does the expression stand for a key column? Its number, or -1. */
extern int	dyn_qual_key_number(const DynRelation *dyn, Index relid, Node *expr);

/* Is the operator, with this collation, an equality that can be answered by looking for keys of this column? */
extern bool dyn_qual_operator_fits(const DynColumn *column, Oid opno, Oid collation);

#endif							/* DYN_QUAL_COLUMN_H */
