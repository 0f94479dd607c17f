/*
 * qual_bind.h
 *	  Which keys a key condition (qual.h) gives values to.
 */
#ifndef DYN_QUAL_BIND_H
#define DYN_QUAL_BIND_H

#include "nodes/pg_list.h"

#include "pg/table/relation.h"

/* What one alternative of a condition says of the keys. */
typedef struct DynKeyBinding
{
	uint64		bound;			/* bit i: key i has a value */
	uint8		same[DYN_MAX_KEYS]; /* the first key that key i must be equal to; its own number: none */
} DynKeyBinding;

/* Of a leaf. */
extern void dyn_binding_of(List *leaf, DynKeyBinding *binding);

/* Both at once; what is equal to a key with a value is not yet bound. */
extern void dyn_binding_merge(DynKeyBinding *binding, const DynKeyBinding *other);

/* Binds what equals bound keys, and forgets those equalities, which its values fulfil. */
extern void dyn_binding_settle(DynKeyBinding *binding);

extern bool dyn_binding_equal(const DynKeyBinding *a, const DynKeyBinding *b);

/*
 * Does each alternative of the tree (NULL: there is no condition) bind all
 * keys? *rows becomes an estimate of how many rows have such keys.
 */
extern bool dyn_tree_binds_all(Node *tree, List *operands, int nkeys, double *rows);

#endif							/* DYN_QUAL_BIND_H */
