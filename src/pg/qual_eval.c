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
#include "pg/export.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "pg/convert.h"
#include "pg/qual.h"
#include "pg/qual_bind.h"
#include "pg/qual_eval.h"
#include "pg/qual_operand.h"
#include "pg/scratch.h"

/* Tuples that bind the same keys. */
typedef struct KeyGroup
{
	DynKeyBinding binding;
	Datum	   *values;			/* ntuples × rel->nkeys; those not bound are undefined */
	Size		ntuples;
	Size		capacity;
} KeyGroup;

typedef struct Evaluation
{
	const DynRelation *rel;
	List	   *operand_states;
	ExprContext *econtext;
} Evaluation;

static KeyGroup *
new_group(const DynKeyBinding *binding)
{
	KeyGroup   *group = palloc0(sizeof(KeyGroup));

	group->binding = *binding;
	return group;
}

static void
free_group(KeyGroup *group)
{
	if (group->values)
		pfree(group->values);
	pfree(group);
}

/* Room for one more tuple; its values. */
static Datum *
add_tuple(Evaluation *e, KeyGroup *group)
{
	Size		width = e->rel->nkeys;

	if (group->ntuples == group->capacity)
	{
		Size		capacity = group->capacity ? group->capacity * 2 : 1;

		if (capacity * Max(width * sizeof(Datum), sizeof(DynEntityId)) > MaxAllocSize)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many entity keys in the condition on foreign table of feature view \"%s\"",
							e->rel->feature_view)));
		group->values = group->values ?
			repalloc(group->values, capacity * width * sizeof(Datum)) :
			palloc(capacity * width * sizeof(Datum));
		group->capacity = capacity;
	}
	return group->values + group->ntuples++ * width;
}

static Datum *
tuple(const Evaluation *e, const KeyGroup *group, Size i)
{
	return group->values + i * e->rel->nkeys;
}

/* ---- leaves ---- */

static void
add_operand(Evaluation *e, KeyGroup *group, int key, Oid base_type, Datum value)
{
	Datum		canonical;

	if (dyn_operand_to_key(e->rel->keys[key], base_type, value, &canonical))
		add_tuple(e, group)[key] = canonical;
}

/* Callback: sorting millions takes seconds, so it looks for a cancel. */
static int
compare_values(const void *a, const void *b, void *arg)
{
	CHECK_FOR_INTERRUPTS();
	return dyn_key_compare(arg, *(const Datum *) a, *(const Datum *) b);
}

/* Before values of one key meet those of another, so that repeats don't multiply. */
static void
drop_repeats(Evaluation *e, KeyGroup *group, int key)
{
	DynColumn  *column = e->rel->keys[key];
	Datum	   *values = palloc(sizeof(Datum) * Max(group->ntuples, 1));
	Size		kept = 0;

	for (Size i = 0; i < group->ntuples; i++)
		values[i] = tuple(e, group, i)[key];
	qsort_arg(values, group->ntuples, sizeof(Datum), compare_values, column);
	for (Size i = 0; i < group->ntuples; i++)
		if (i == 0 || compare_values(&values[i - 1], &values[i], column) != 0)
			tuple(e, group, kept++)[key] = values[i];
	group->ntuples = kept;
	pfree(values);
}

static void
add_elements(Evaluation *e, KeyGroup *group, int key, Datum array_datum)
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
		drop_repeats(e, group, key);
}

static KeyGroup *
evaluate_leaf(Evaluation *e, List *leaf)
{
	DynKeyNode	kind = linitial_int(leaf);
	int			key = lsecond_int(leaf);
	DynKeyBinding binding;
	KeyGroup   *group;
	ExprState  *state;
	Datum		value;
	bool		isnull;

	dyn_binding_of(leaf, &binding);
	group = new_group(&binding);
	if (kind == DYN_KEY_SAME)
	{
		add_tuple(e, group);
		return group;
	}
	state = list_nth(e->operand_states, lthird_int(leaf));
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

static KeyGroup *
group_for(List **groups, const DynKeyBinding *binding)
{
	ListCell   *lc;
	KeyGroup   *group;

	foreach(lc, *groups)
	{
		group = lfirst(lc);
		if (dyn_binding_equal(&group->binding, binding))
			return group;
	}
	group = new_group(binding);
	*groups = lappend(*groups, group);
	return group;
}

/* Copies the keys in `bound` from one tuple to another. */
static void
copy_keys(const Evaluation *e, Datum *to, const Datum *from, uint64 bound)
{
	for (int i = 0; i < e->rel->nkeys; i++)
		if (bound & UINT64CONST(1) << i)
			to[i] = from[i];
}

/* Moves the tuples of `more` to the groups they belong to. */
static void
unite(Evaluation *e, List **groups, List *more)
{
	ListCell   *lc;

	foreach(lc, more)
	{
		KeyGroup   *from = lfirst(lc);
		KeyGroup   *to = group_for(groups, &from->binding);

		for (Size i = 0; i < from->ntuples; i++)
		{
			Datum	   *slot = add_tuple(e, to);

			CHECK_FOR_INTERRUPTS();
			copy_keys(e, slot, tuple(e, from, i), from->binding.bound);
		}
		free_group(from);
	}
}

/* Gives keys that must be equal to one in `have` its value; false: they can't be. */
static bool
make_same(const Evaluation *e, Datum *values, uint64 have, const DynKeyBinding *binding)
{
	for (int i = 0; i < e->rel->nkeys; i++)
		for (int k = 0; k < e->rel->nkeys && (have & UINT64CONST(1) << i); k++)
		{
			if (k == i || binding->same[k] != binding->same[i])
				continue;
			if (have & UINT64CONST(1) << k)
			{
				if (dyn_key_compare(e->rel->keys[k], values[k], values[i]) != 0)
					return false;
				continue;
			}
			values[k] = values[i];
			if (!dyn_key_storable(e->rel->keys[k], values[k]))
				return false;
		}
	return true;
}

/* Two groups to be joined. */
typedef struct GroupJoin
{
	Evaluation *e;
	const KeyGroup *left;
	const KeyGroup *right;
	uint64		common;			/* keys that both bind */
	DynKeyBinding binding;		/* of both, not settled */
	KeyGroup   *out;
} GroupJoin;

/* Order by the common keys. */
static int
compare_common(const GroupJoin *join, const Datum *a, const Datum *b)
{
	const DynRelation *rel = join->e->rel;
	int			c = 0;

	for (int i = 0; i < rel->nkeys && c == 0; i++)
		if (join->common & UINT64CONST(1) << i)
			c = dyn_key_compare(rel->keys[i], a[i], b[i]);
	return c;
}

static int
compare_right(const void *a, const void *b, void *arg)
{
	const GroupJoin *join = arg;

	CHECK_FOR_INTERRUPTS();
	return compare_common(join, tuple(join->e, join->right, *(const Size *) a),
						  tuple(join->e, join->right, *(const Size *) b));
}

/* Numbers of the right tuples, in order of the common keys. */
static Size *
sort_right(GroupJoin *join)
{
	Size		n = join->right->ntuples;
	Size	   *order = palloc_extended(sizeof(Size) * Max(n, 1), MCXT_ALLOC_HUGE);

	for (Size i = 0; i < n; i++)
		order[i] = i;
	if (join->common != 0)
		qsort_arg(order, n, sizeof(Size), compare_right, join);
	return order;
}

/* The first right tuple, in that order, whose common keys aren't below the left one's. */
static Size
first_match(const GroupJoin *join, const Size *order, const Datum *left)
{
	Size		low = 0;
	Size		high = join->right->ntuples;

	while (low < high)
	{
		Size		middle = low + (high - low) / 2;

		if (compare_common(join, tuple(join->e, join->right, order[middle]), left) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
join_tuples(GroupJoin *join, const Datum *left, const Datum *right)
{
	Datum	   *slot = add_tuple(join->e, join->out);
	uint64		have = join->left->binding.bound | join->right->binding.bound;

	copy_keys(join->e, slot, left, join->left->binding.bound);
	copy_keys(join->e, slot, right, join->right->binding.bound);
	if (!make_same(join->e, slot, have, &join->binding))
		join->out->ntuples--;
}

static void
join_groups(Evaluation *e, const KeyGroup *left, const KeyGroup *right, List **groups)
{
	GroupJoin	join = {e, left, right, left->binding.bound & right->binding.bound, left->binding, NULL};
	DynKeyBinding settled;
	Size	   *order;

	dyn_binding_merge(&join.binding, &right->binding);
	settled = join.binding;
	dyn_binding_settle(&settled);
	join.out = group_for(groups, &settled);
	order = sort_right(&join);
	for (Size i = 0; i < left->ntuples; i++)
	{
		const Datum *a = tuple(e, left, i);

		for (Size k = first_match(&join, order, a); k < right->ntuples; k++)
		{
			const Datum *b = tuple(e, right, order[k]);

			CHECK_FOR_INTERRUPTS();
			if (compare_common(&join, a, b) != 0)
				break;
			join_tuples(&join, a, b);
		}
	}
	pfree(order);
}

/* Every group of one with every one of the other; frees these. */
static List *
join(Evaluation *e, List *left, List *right)
{
	List	   *groups = NIL;
	ListCell   *a;
	ListCell   *b;

	foreach(a, left)
		foreach(b, right)
			join_groups(e, lfirst(a), lfirst(b), &groups);
	foreach(a, left)
		free_group(lfirst(a));
	foreach(b, right)
		free_group(lfirst(b));
	return groups;
}

static Size
count_tuples(List *groups)
{
	Size		n = 0;
	ListCell   *lc;

	foreach(lc, groups)
		n += ((KeyGroup *) lfirst(lc))->ntuples;
	return n;
}

static uint64
keys_bound(List *groups)
{
	uint64		bound = 0;
	ListCell   *lc;

	foreach(lc, groups)
		bound |= ((KeyGroup *) lfirst(lc))->binding.bound;
	return bound;
}

/*
 * Takes from `sets` (a list of lists of groups) the one to be joined next:
 * sets without a common key multiply, so one that has a key in `bound` comes
 * before one that has not, and small ones come first.
 */
static List *
take_next(List **sets, uint64 bound)
{
	int			best = 0;
	bool		best_common = false;
	Size		best_size = 0;
	List	   *taken;

	for (int i = 0; i < list_length(*sets); i++)
	{
		List	   *groups = list_nth(*sets, i);
		bool		common = (keys_bound(groups) & bound) != 0;
		Size		size = count_tuples(groups);

		if (i == 0 || (common && !best_common) || (common == best_common && size < best_size))
		{
			best = i;
			best_common = common;
			best_size = size;
		}
	}
	taken = list_nth(*sets, best);
	*sets = list_delete_nth_cell(*sets, best);
	return taken;
}

static List *evaluate(Evaluation *e, Node *tree);

static List *
evaluate_and(Evaluation *e, List *list)
{
	List	   *sets = NIL;
	List	   *groups;

	for (int i = 1; i < list_length(list); i++)
		sets = lappend(sets, evaluate(e, list_nth(list, i)));
	groups = take_next(&sets, 0);
	while (sets != NIL)
		groups = join(e, groups, take_next(&sets, keys_bound(groups)));
	return groups;
}

static List *
evaluate_or(Evaluation *e, List *list)
{
	List	   *groups = evaluate(e, lsecond(list));

	for (int i = 2; i < list_length(list); i++)
		unite(e, &groups, evaluate(e, list_nth(list, i)));
	return groups;
}

static List *
evaluate(Evaluation *e, Node *tree)
{
	List	   *list = (List *) tree;

	check_stack_depth();
	if (IsA(tree, IntList))
		return list_make1(evaluate_leaf(e, list));
	return intVal(linitial(list)) == DYN_KEY_AND ? evaluate_and(e, list) : evaluate_or(e, list);
}

/* ---- the set ---- */

/* Open addressing over the ids, which are hashes already; false: it is in the set. */
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

static void
make_distinct(const DynRelation *rel, const KeyGroup *group, DynKeySet *keys)
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
	KeyGroup	entityless = {0};
	List	   *groups;

	memset(keys, 0, sizeof(*keys));
	entityless.ntuples = 1;
	if (rel->nkeys == 0)
	{
		make_distinct(rel, &entityless, keys);
		return;
	}
	groups = evaluate(&e, tree);
	Assert(list_length(groups) <= 1);
	if (groups != NIL)
		make_distinct(rel, linitial(groups), keys);
}
