/*
 * qual_bind.c
 *	  Which keys a key condition gives values to, and how many values.
 *
 * The executor joins and unites sets of values (qual_eval.c); this does the
 * same with nothing known but which keys they are of.
 */
#include "pg/util/export.h"

#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"

#include "pg/qual/qual_bind.h"
#include "pg/qual/qual_tree.h"

/* Values estimated for an array whose length isn't known. */
#define DEFAULT_ARRAY_LENGTH 10

/* Alternatives that bind different keys; a condition with more is not followed. */
#define MAX_ALTERNATIVES 64

/* ---- one alternative ---- */

/* No key has a value or must be equal to another one. */
static void
nothing_bound(DynKeyBinding *binding)
{
	binding->bound = 0;
	for (int i = 0; i < DYN_MAX_KEYS; i++)
		binding->same[i] = i;
}

/* Two keys must be equal, and with them all that either had to be equal to. */
static void
make_same(DynKeyBinding *binding, int a, int b)
{
	int			first = Min(binding->same[a], binding->same[b]);
	int			other = Max(binding->same[a], binding->same[b]);

	for (int i = 0; i < DYN_MAX_KEYS; i++)
		if (binding->same[i] == other)
			binding->same[i] = first;
}

void
dyn_binding_of(List *leaf, DynKeyBinding *binding)
{
	nothing_bound(binding);
	if (dyn_leaf_kind(leaf) == DYN_KEY_SAME)
		make_same(binding, dyn_leaf_key(leaf), dyn_leaf_other_key(leaf));
	else
		binding->bound = UINT64CONST(1) << dyn_leaf_key(leaf);
}

void
dyn_binding_merge(DynKeyBinding *binding, const DynKeyBinding *other)
{
	binding->bound |= other->bound;
	for (int i = 0; i < DYN_MAX_KEYS; i++)
		if (other->same[i] != i)
			make_same(binding, i, other->same[i]);
}

void
dyn_binding_settle(DynKeyBinding *binding)
{
	for (int first = 0; first < DYN_MAX_KEYS; first++)
	{
		uint64		keys = 0;

		for (int i = first; i < DYN_MAX_KEYS; i++)
			if (binding->same[i] == first)
				keys |= UINT64CONST(1) << i;
		if ((keys & binding->bound) == 0)
			continue;
		binding->bound |= keys;
		for (int i = first; i < DYN_MAX_KEYS; i++)
			if (binding->same[i] == first)
				binding->same[i] = i;
	}
}

bool
dyn_binding_equal(const DynKeyBinding *a, const DynKeyBinding *b)
{
	return a->bound == b->bound && memcmp(a->same, b->same, sizeof(a->same)) == 0;
}

/* ---- all of them ---- */

/* The alternatives of a condition; those that bind the same keys are one. */
typedef struct Alternatives
{
	DynKeyBinding bindings[MAX_ALTERNATIVES];
	double		values[MAX_ALTERNATIVES];	/* estimated combinations */
	int			n;
	bool		too_many;
} Alternatives;

/* Adds an alternative, or its values to those of the one that binds the same keys. */
static void
add_alternative(Alternatives *all, const DynKeyBinding *binding, double values)
{
	for (int i = 0; i < all->n; i++)
		if (dyn_binding_equal(&all->bindings[i], binding))
		{
			all->values[i] += values;
			return;
		}
	if (all->n == MAX_ALTERNATIVES)
	{
		all->too_many = true;
		return;
	}
	all->bindings[all->n] = *binding;
	all->values[all->n++] = values;
}

/* The alternatives of an AND: each of one side together with each of the other. */
static void
join_alternatives(const Alternatives *a, const Alternatives *b, Alternatives *out)
{
	out->n = 0;
	out->too_many = a->too_many || b->too_many;
	for (int i = 0; i < a->n; i++)
		for (int k = 0; k < b->n; k++)
		{
			DynKeyBinding both = a->bindings[i];
			bool		overlap = (both.bound & b->bindings[k].bound) != 0;

			dyn_binding_merge(&both, &b->bindings[k]);
			dyn_binding_settle(&both);
			add_alternative(out, &both,
							overlap ? Min(a->values[i], b->values[k]) : a->values[i] * b->values[k]);
		}
}

/* How many elements an array has, as far as the plan can tell. */
static double
array_length(Node *array)
{
	while (IsA(array, RelabelType))
		array = (Node *) ((RelabelType *) array)->arg;
	if (IsA(array, Const))
	{
		Const	   *value = (Const *) array;
		ArrayType  *elements;

		if (value->constisnull)
			return 0;
		elements = DatumGetArrayTypeP(value->constvalue);
		return ArrayGetNItems(ARR_NDIM(elements), ARR_DIMS(elements));
	}
	if (IsA(array, ArrayExpr))
		return list_length(((ArrayExpr *) array)->elements);
	return DEFAULT_ARRAY_LENGTH;
}

/* How many values a leaf gives its key. */
static double
values_of_leaf(List *leaf, List *operands)
{
	if (dyn_leaf_kind(leaf) == DYN_KEY_ANY)
		return array_length(list_nth(operands, dyn_leaf_operand(leaf)));
	return 1;
}

/* The alternatives of a tree. */
static void
find_alternatives(Node *tree, List *operands, Alternatives *out)
{
	List	   *list = (List *) tree;

	check_stack_depth();
	out->n = 0;
	out->too_many = false;
	if (IsA(tree, IntList))
	{
		DynKeyBinding binding;

		dyn_binding_of(list, &binding);
		add_alternative(out, &binding, values_of_leaf(list, operands));
		return;
	}
	find_alternatives(lsecond(list), operands, out);
	for (int i = 2; i < list_length(list); i++)
	{
		Alternatives child;
		Alternatives so_far;

		find_alternatives(list_nth(list, i), operands, &child);
		if (dyn_inner_kind(list) == DYN_KEY_AND)
		{
			so_far = *out;
			join_alternatives(&so_far, &child, out);
			continue;
		}
		for (int k = 0; k < child.n; k++)
			add_alternative(out, &child.bindings[k], child.values[k]);
		out->too_many = out->too_many || child.too_many;
	}
}

bool
dyn_tree_binds_all(Node *tree, List *operands, int nkeys, double *rows)
{
	Alternatives all;
	bool		complete;

	*rows = 1;
	if (tree == NULL)
		return nkeys == 0;
	find_alternatives(tree, operands, &all);
	complete = !all.too_many;
	*rows = 0;
	for (int i = 0; i < all.n; i++)
	{
		complete = complete && pg_popcount64(all.bindings[i].bound) == nkeys;
		*rows += all.values[i];
	}
	return complete;
}

double
dyn_tree_rows(Node *tree, List *operands, int nkeys, const double *values)
{
	Alternatives all;
	double		rows = 0;

	nothing_bound(&all.bindings[0]);
	all.values[0] = 1;
	all.n = 1;
	if (tree)
		find_alternatives(tree, operands, &all);
	for (int i = 0; i < all.n; i++)
	{
		double		combinations = all.values[i];

		for (int key = 0; key < nkeys; key++)
			if ((all.bindings[i].bound & UINT64CONST(1) << key) == 0)
				combinations *= values[key];
		rows += combinations;
	}
	return rows;
}
