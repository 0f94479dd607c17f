/*
 * qual_tree.h
 *	  The tree of a key condition.  It is made of PostgreSQL's node types, so
 *	  that plans that hold it can be copied:
 *
 *	  leaf	IntList (DYN_KEY_EQ or DYN_KEY_ANY, key number, index of operand),
 *			or (DYN_KEY_SAME, key number, key number)
 *	  inner	List (Integer DYN_KEY_AND or DYN_KEY_OR, child, child, ...)
 *
 * A key number is an index into DynRelation.keys.
 */
#ifndef DYN_QUAL_TREE_H
#define DYN_QUAL_TREE_H

#include "nodes/pg_list.h"

typedef enum DynKeyNode
{
	DYN_KEY_EQ,					/* key = operand */
	DYN_KEY_ANY,				/* key = ANY (operand) */
	DYN_KEY_SAME,				/* key = other key */
	DYN_KEY_AND,
	DYN_KEY_OR
} DynKeyNode;

/* `other`: index of the operand, or the number of the other key. */
extern Node *dyn_leaf_make(DynKeyNode kind, int key, int other);
extern DynKeyNode dyn_leaf_kind(const List *leaf);
extern int	dyn_leaf_key(const List *leaf);
extern int	dyn_leaf_operand(const List *leaf); /* of EQ and ANY */
extern int	dyn_leaf_other_key(const List *leaf);	/* of SAME */

/* NULL for no child, and just the child for a single one.  In the list, children begin at the second cell. */
extern Node *dyn_inner_make(DynKeyNode kind, List *children);
extern DynKeyNode dyn_inner_kind(const List *inner);

#endif							/* DYN_QUAL_TREE_H */
