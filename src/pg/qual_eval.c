/*
 * qual_eval.c
 *	  Key conditions, executor side.
 *
 * A condition is evaluated as a small relational expression: a leaf is a set
 * of values of one key, AND a natural join, OR a union.  Tuples are grouped by
 * which keys they bind, since branches of an OR may bind different ones; the
 * planner made sure that in the end all are bound.
 */
#include "pg/export.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "pg/convert.h"
#include "pg/qual.h"
#include "pg/qual_eval.h"
#include "pg/scratch.h"

/* Tuples that bind the same keys. */
typedef struct KeyGroup
{
	uint64		bound;			/* bit i: rel->keys[i] */
	Datum	   *values;			/* ntuples × rel->nkeys */
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
new_group(uint64 bound)
{
	KeyGroup	   *group = palloc0(sizeof(KeyGroup));

	group->bound = bound;
	return group;
}

/* Room for one more tuple; its values. */
static Datum *
add_tuple(Evaluation *e, KeyGroup *group)
{
	Size		width = e->rel->nkeys;

	if (group->ntuples == group->capacity)
	{
		Size		capacity = group->capacity ? group->capacity * 2 : 16;

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

/* Canonical form of an operand; false: no key has that value. */
static bool
operand_to_key(const DynColumn *column, Oid type, Datum value, Datum *key)
{
	switch (type)
	{
		case INT2OID:
			*key = Int64GetDatum(DatumGetInt16(value));
			break;
		case INT4OID:
			*key = Int64GetDatum(DatumGetInt32(value));
			break;
		case INT8OID:
		case TIMESTAMPTZOID:
			*key = Int64GetDatum(DatumGetInt64(value));
			break;
		default:
			*key = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
			break;
	}
	return dyn_key_storable(column, *key);
}

static void
add_operand(Evaluation *e, KeyGroup *group, int key, Oid type, Datum value)
{
	Datum		canonical;

	if (operand_to_key(e->rel->keys[key], type, value, &canonical))
		add_tuple(e, group)[key] = canonical;
}

static int
compare_values(const void *a, const void *b, void *arg)
{
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
	Oid			type = getBaseType(ARR_ELEMTYPE(array));
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval, &typalign);
	deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval, typalign, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!nulls[i])
			add_operand(e, group, key, type, elements[i]);
	}
	pfree(elements);
	pfree(nulls);
	if (e->rel->nkeys > 1)
		drop_repeats(e, group, key);
}

static List *
evaluate_leaf(Evaluation *e, List *leaf)
{
	DynKeyNode	kind = linitial_int(leaf);
	int			key = lsecond_int(leaf);
	ExprState  *state = list_nth(e->operand_states, lthird_int(leaf));
	KeyGroup	   *group = new_group(UINT64CONST(1) << key);
	bool		isnull;
	Datum		value = ExecEvalExpr(state, e->econtext, &isnull);

	if (isnull)
		return list_make1(group);
	if (kind == DYN_KEY_ANY)
		add_elements(e, group, key, value);
	else
		add_operand(e, group, key, getBaseType(exprType((Node *) state->expr)), value);
	return list_make1(group);
}

/* ---- inner nodes ---- */

static KeyGroup *
group_for(List **groups, uint64 bound)
{
	ListCell   *lc;
	KeyGroup	   *group;

	foreach(lc, *groups)
	{
		group = lfirst(lc);
		if (group->bound == bound)
			return group;
	}
	group = new_group(bound);
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

static bool
agree(const Evaluation *e, const Datum *a, const Datum *b, uint64 keys)
{
	for (int i = 0; i < e->rel->nkeys; i++)
		if ((keys & UINT64CONST(1) << i) && dyn_key_compare(e->rel->keys[i], a[i], b[i]) != 0)
			return false;
	return true;
}

static void
unite(Evaluation *e, List **groups, List *more)
{
	ListCell   *lc;

	foreach(lc, more)
	{
		KeyGroup	   *from = lfirst(lc);
		KeyGroup	   *to = group_for(groups, from->bound);

		for (Size i = 0; i < from->ntuples; i++)
		{
			Datum	   *slot = add_tuple(e, to);

			CHECK_FOR_INTERRUPTS();
			copy_keys(e, slot, tuple(e, from, i), from->bound);
		}
	}
}

static void
join_groups(Evaluation *e, const KeyGroup *a, const KeyGroup *b, KeyGroup *out)
{
	for (Size i = 0; i < a->ntuples; i++)
		for (Size k = 0; k < b->ntuples; k++)
		{
			Datum	   *slot;

			CHECK_FOR_INTERRUPTS();
			if (!agree(e, tuple(e, a, i), tuple(e, b, k), a->bound & b->bound))
				continue;
			slot = add_tuple(e, out);
			copy_keys(e, slot, tuple(e, a, i), a->bound);
			copy_keys(e, slot, tuple(e, b, k), b->bound);
		}
}

static List *
join(Evaluation *e, List *left, List *right)
{
	List	   *groups = NIL;
	ListCell   *a;
	ListCell   *b;

	foreach(a, left)
	{
		foreach(b, right)
		{
			KeyGroup	   *x = lfirst(a);
			KeyGroup	   *y = lfirst(b);

			join_groups(e, x, y, group_for(&groups, x->bound | y->bound));
		}
	}
	return groups;
}

static List *
evaluate(Evaluation *e, Node *tree)
{
	List	   *list = (List *) tree;
	List	   *groups;

	check_stack_depth();
	if (IsA(tree, IntList))
		return evaluate_leaf(e, list);
	groups = evaluate(e, lsecond(list));
	for (int i = 2; i < list_length(list); i++)
	{
		List	   *next = evaluate(e, list_nth(list, i));

		if (intVal(linitial(list)) == DYN_KEY_AND)
			groups = join(e, groups, next);
		else
			unite(e, &groups, next);
	}
	return groups;
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
	KeyGroup		entityless = {0};
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
