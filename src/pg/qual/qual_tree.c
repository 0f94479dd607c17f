/*
 * qual_tree.c
 *	  The tree of a key condition.
 */
#include "pg/util/export.h"

#include "nodes/value.h"

#include "pg/qual/qual_tree.h"

Node *
dyn_leaf_make(DynKeyNode kind, int key, int other)
{
	return (Node *) list_make3_int(kind, key, other);
}

DynKeyNode
dyn_leaf_kind(const List *leaf)
{
	return linitial_int(leaf);
}

int
dyn_leaf_key(const List *leaf)
{
	return lsecond_int(leaf);
}

int
dyn_leaf_operand(const List *leaf)
{
	Assert(dyn_leaf_kind(leaf) != DYN_KEY_SAME);
	return lthird_int(leaf);
}

int
dyn_leaf_other_key(const List *leaf)
{
	Assert(dyn_leaf_kind(leaf) == DYN_KEY_SAME);
	return lthird_int(leaf);
}

Node *
dyn_inner_make(DynKeyNode kind, List *children)
{
	if (children == NIL)
		return NULL;
	if (list_length(children) == 1)
		return linitial(children);
	return (Node *) lcons(makeInteger(kind), children);
}

DynKeyNode
dyn_inner_kind(const List *inner)
{
	return intVal(linitial(inner));
}
