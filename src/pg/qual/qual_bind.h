/*
 * qual_bind.h
 *	  Which keys a key condition (qual.h) gives values to.
 *
 * A condition with OR, such as  (a = 1 AND b = 2) OR (a = b AND b = 3),  has
 * alternatives, one for each branch.  An alternative binds a key if it gives
 * the key a value.
 */
#ifndef DYN_QUAL_BIND_H
#define DYN_QUAL_BIND_H

#include "nodes/pg_list.h"

#include "pg/table/relation.h"

/* What one alternative says of the keys. */
typedef struct DynKeyBinding
{
	uint64		bound;			/* bit i: key i has a value */
	uint8		same[DYN_MAX_KEYS]; /* of the keys that key i must be equal to, itself included, the lowest number */
} DynKeyBinding;

/* What a leaf says. */
extern void dyn_binding_of(List *leaf, DynKeyBinding *binding);

/* Adds what `other` says. It doesn't yet bind keys that must be equal to a bound one. */
extern void dyn_binding_merge(DynKeyBinding *binding, const DynKeyBinding *other);

/*
 * Binds the keys that must be equal to a bound one.  Those equalities are
 * forgotten then: whoever makes the values makes them equal.
 */
extern void dyn_binding_settle(DynKeyBinding *binding);

extern bool dyn_binding_equal(const DynKeyBinding *a, const DynKeyBinding *b);

/*
 * Does every alternative of the tree bind all keys?  NULL as the tree means
 * that there is no condition.  If so, *rows becomes an estimate of how many
 * rows it is true for.
 */
extern bool dyn_tree_binds_all(Node *tree, List *operands, int nkeys, double *rows);

/* The same estimate where a key that is not bound has that many values. */
extern double dyn_tree_rows(Node *tree, List *operands, int nkeys, const double *values);

#endif							/* DYN_QUAL_BIND_H */
