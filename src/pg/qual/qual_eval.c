/*
 * qual_eval.c
 *	  Key conditions, executor side.
 *
 * A condition is evaluated as a small relational expression: a leaf is a set
 * of values of one key, AND a natural join, OR a union.  Tuples are grouped by
 * which keys they bind, since branches of an OR may bind different ones; the
 * planner made sure that in the end all are bound.  A key that equals another
 * one binds nothing by itself: the group remembers it until a join does.
 */
#include "pg/util/export.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

#include "pg/convert/convert.h"
#include "pg/qual/qual.h"
#include "pg/qual/qual_bind.h"
#include "pg/qual/qual_eval.h"
#include "pg/qual/qual_join.h"
#include "pg/qual/qual_operand.h"
#include "pg/qual/qual_tree.h"
#include "pg/util/scratch.h"

/* What evaluating needs. */
typedef struct Evaluation
{
	const DynRelation *rel;
	List	   *operand_states;
	ExprContext *econtext;
} Evaluation;

/* ---- leaves ---- */

/* A value of the key, unless no stored key can equal it. */
static void
add_operand(Evaluation *e, DynKeyGroup *group, int key, Oid base_type, Datum value)
{
	Datum		canonical;

	if (dyn_operand_to_key(e->rel->keys[key], base_type, value, &canonical))
		dyn_group_add_tuple(e->rel, group)[key] = canonical;
}

/* The values in an array; repeated ones count once. */
static void
add_elements(Evaluation *e, DynKeyGroup *group, int key, Datum array_datum)
{
	ArrayType  *array = DatumGetArrayTypeP(array_datum);
	Oid			type = ARR_ELEMTYPE(array);
	Oid			base_type = getBaseType(type);
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	deconstruct_array(array, type, typlen, typbyval, typalign, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!nulls[i])
			add_operand(e, group, key, base_type, elements[i]);
	}
	pfree(elements);
	pfree(nulls);
	if (e->rel->nkeys > 1)
		dyn_group_drop_repeats(e->rel, group, key);
}

/* The values of a leaf, as a group of tuples that bind one key (or, for "key = other key", none). */
static DynKeyGroup *
evaluate_leaf(Evaluation *e, List *leaf)
{
	DynKeyNode	kind = dyn_leaf_kind(leaf);
	int			key = dyn_leaf_key(leaf);
	DynKeyBinding binding;
	DynKeyGroup *group;
	ExprState  *state;
	Datum		value;
	bool		isnull;

	dyn_binding_of(leaf, &binding);
	group = dyn_group_new(&binding);
	if (kind == DYN_KEY_SAME)
	{
		dyn_group_add_tuple(e->rel, group);
		return group;
	}
	state = list_nth(e->operand_states, dyn_leaf_operand(leaf));
	value = ExecEvalExpr(state, e->econtext, &isnull);
	if (isnull)
		return group;
	if (kind == DYN_KEY_ANY)
		add_elements(e, group, key, value);
	else
		add_operand(e, group, key, getBaseType(exprType((Node *) state->expr)), value);
	return group;
}

/* ---- inner nodes ---- */

static List *evaluate(Evaluation *e, Node *tree);

/* The natural join of the branches. */
static List *
evaluate_and(Evaluation *e, List *list)
{
	List	   *sets = NIL;

	for (int i = 1; i < list_length(list); i++)
		sets = lappend(sets, evaluate(e, list_nth(list, i)));
	return dyn_groups_join_all(e->rel, sets);
}

/* The union of the branches. */
static List *
evaluate_or(Evaluation *e, List *list)
{
	List	   *groups = evaluate(e, lsecond(list));

	for (int i = 2; i < list_length(list); i++)
		dyn_groups_unite(e->rel, &groups, evaluate(e, list_nth(list, i)));
	return groups;
}

/* The set of tuples that a tree stands for, as a list of groups. */
static List *
evaluate(Evaluation *e, Node *tree)
{
	List	   *list = (List *) tree;

	check_stack_depth();
	if (IsA(tree, IntList))
		return list_make1(evaluate_leaf(e, list));
	return dyn_inner_kind(list) == DYN_KEY_AND ? evaluate_and(e, list) : evaluate_or(e, list);
}

/* ---- the set ---- */

/*
 * Enters the key that would be added next into a hash table of key numbers
 * plus one (0: free), which the ids, hashes themselves, are looked up in by
 * open addressing.  False if a key with this id is there already.
 */
static bool
claim(uint32 *table, uint32 mask, const DynKeySet *keys, const DynEntityId *id)
{
	uint32		slot;

	memcpy(&slot, id, sizeof(slot));
	for (slot &= mask; table[slot] != 0; slot = (slot + 1) & mask)
		if (memcmp(&keys->ids[table[slot] - 1], id, sizeof(*id)) == 0)
			return false;
	table[slot] = keys->nkeys + 1;
	return true;
}

/* Hashes tuples and moves those whose id is new to the front of `values`. */
static void
add_distinct(const DynRelation *rel, Size ntuples, uint32 *table, uint32 mask, DynBuf *scratch, DynKeySet *keys)
{
	Size		width = rel->nkeys;

	for (Size i = 0; i < ntuples; i++)
	{
		const Datum *values = keys->values + i * width;

		CHECK_FOR_INTERRUPTS();
		dyn_key_id(rel, values, scratch, &keys->ids[keys->nkeys]);
		if (!claim(table, mask, keys, &keys->ids[keys->nkeys]))
			continue;
		if (width > 0)
			memmove(keys->values + keys->nkeys * width, values, sizeof(Datum) * width);
		keys->nkeys++;
	}
}

/* The distinct keys of a group that binds all keys. */
static void
make_key_set(const DynRelation *rel, const DynKeyGroup *group, DynKeySet *keys)
{
	uint32		size = pg_nextpower2_32(Max(group->ntuples * 2, 16));
	uint32	   *table = palloc0(sizeof(uint32) * size);

	keys->ids = palloc(sizeof(DynEntityId) * Max(group->ntuples, 1));
	keys->values = group->values;
	add_distinct(rel, group->ntuples, table, size - 1, dyn_scratch_new(CurrentMemoryContext), keys);
	pfree(table);
}

void
dyn_keys_evaluate(const DynRelation *rel, Node *tree, List *operand_states, ExprContext *econtext, DynKeySet *keys)
{
	Evaluation	e = {rel, operand_states, econtext};
	DynKeyGroup entityless = {0};
	List	   *groups;

	memset(keys, 0, sizeof(*keys));
	entityless.ntuples = 1;
	if (rel->nkeys == 0)
	{
		make_key_set(rel, &entityless, keys);
		return;
	}
	groups = evaluate(&e, tree);
	Assert(list_length(groups) <= 1);
	if (groups != NIL)
		make_key_set(rel, linitial(groups), keys);
}
