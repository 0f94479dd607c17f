/*
 * qual_join.c
 *	  Sets of entity keys as small relations.
 */
#include "pg/util/export.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/feast_key.h"
#include "pg/convert/convert.h"
#include "pg/qual/qual_join.h"

/* ---- groups ---- */

DynKeyGroup *
dyn_group_new(const DynKeyBinding *binding)
{
	DynKeyGroup *group = palloc0(sizeof(DynKeyGroup));

	group->binding = *binding;
	return group;
}

/* Frees a group and its tuples, but not what values by reference point to. */
static void
free_group(DynKeyGroup *group)
{
	if (group->values)
		pfree(group->values);
	pfree(group);
}

Datum *
dyn_group_add_tuple(const DynRelation *rel, DynKeyGroup *group)
{
	Size		width = rel->nkeys;

	if (group->ntuples == group->capacity)
	{
		Size		capacity = group->capacity ? group->capacity * 2 : 1;

		if (capacity * Max(width * sizeof(Datum), sizeof(DynEntityId)) > MaxAllocSize)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many entity keys in the condition on foreign table of feature view \"%s\"",
							rel->feature_view)));
		group->values = group->values ?
			repalloc(group->values, capacity * width * sizeof(Datum)) :
			palloc(capacity * width * sizeof(Datum));
		group->capacity = capacity;
	}
	return group->values + group->ntuples++ * width;
}

/* The values of a tuple, by key number. */
static Datum *
group_tuple(const DynRelation *rel, const DynKeyGroup *group, Size i)
{
	return group->values + i * rel->nkeys;
}

/* Callback of the sort, which looks for a cancel as well: sorting millions of values takes seconds. */
static int
compare_values(const void *a, const void *b, void *arg)
{
	CHECK_FOR_INTERRUPTS();
	return dyn_key_compare(arg, *(const Datum *) a, *(const Datum *) b);
}

void
dyn_group_drop_repeats(const DynRelation *rel, DynKeyGroup *group, int key)
{
	DynColumn  *column = rel->keys[key];
	Datum	   *values = palloc(sizeof(Datum) * Max(group->ntuples, 1));
	Size		kept = 0;

	for (Size i = 0; i < group->ntuples; i++)
		values[i] = group_tuple(rel, group, i)[key];
	qsort_arg(values, group->ntuples, sizeof(Datum), compare_values, column);
	for (Size i = 0; i < group->ntuples; i++)
		if (i == 0 || compare_values(&values[i - 1], &values[i], column) != 0)
			group_tuple(rel, group, kept++)[key] = values[i];
	group->ntuples = kept;
	pfree(values);
}

/* ---- OR: union ---- */

/* The group with these bindings; an empty one is added to the list if there is none. */
static DynKeyGroup *
group_for(List **groups, const DynKeyBinding *binding)
{
	ListCell   *lc;
	DynKeyGroup *group;

	foreach(lc, *groups)
	{
		group = lfirst(lc);
		if (dyn_binding_equal(&group->binding, binding))
			return group;
	}
	group = dyn_group_new(binding);
	*groups = lappend(*groups, group);
	return group;
}

/* Copies the keys in `bound` from one tuple to another. */
static void
copy_keys(const DynRelation *rel, Datum *to, const Datum *from, uint64 bound)
{
	for (int i = 0; i < rel->nkeys; i++)
		if (bound & UINT64CONST(1) << i)
			to[i] = from[i];
}

void
dyn_groups_unite(const DynRelation *rel, List **groups, List *more)
{
	ListCell   *lc;

	foreach(lc, more)
	{
		DynKeyGroup *from = lfirst(lc);
		DynKeyGroup *to = group_for(groups, &from->binding);

		for (Size i = 0; i < from->ntuples; i++)
		{
			Datum	   *slot = dyn_group_add_tuple(rel, to);

			CHECK_FOR_INTERRUPTS();
			copy_keys(rel, slot, group_tuple(rel, from, i), from->binding.bound);
		}
		free_group(from);
	}
}

/* ---- AND: natural join ---- */

/*
 * Gives each key that must be equal to a key in `have` the value of that one.
 * False if two keys that must be equal differ, or if the value is none that
 * the other key can have.
 */
static bool
equalize_keys(const DynRelation *rel, Datum *values, uint64 have, const DynKeyBinding *binding)
{
	for (int i = 0; i < rel->nkeys; i++)
		for (int k = 0; k < rel->nkeys && (have & UINT64CONST(1) << i); k++)
		{
			if (k == i || binding->same[k] != binding->same[i])
				continue;
			if (have & UINT64CONST(1) << k)
			{
				if (dyn_key_compare(rel->keys[k], values[k], values[i]) != 0)
					return false;
				continue;
			}
			values[k] = values[i];
			if (!dyn_key_storable(rel->keys[k], values[k]))
				return false;
		}
	return true;
}

/* Two groups to be joined. */
typedef struct GroupJoin
{
	const DynRelation *rel;
	const DynKeyGroup *left;
	const DynKeyGroup *right;
	uint64		common;			/* keys that both bind */
	DynKeyBinding binding;		/* of both, not settled */
	DynKeyGroup *out;
} GroupJoin;

/* Order by the common keys. */
static int
compare_common(const GroupJoin *join, const Datum *a, const Datum *b)
{
	const DynRelation *rel = join->rel;
	int			c = 0;

	for (int i = 0; i < rel->nkeys && c == 0; i++)
		if (join->common & UINT64CONST(1) << i)
			c = dyn_key_compare(rel->keys[i], a[i], b[i]);
	return c;
}

/* Callback of the sort: order of two right tuples by the common keys. */
static int
compare_right(const void *a, const void *b, void *arg)
{
	const GroupJoin *join = arg;

	CHECK_FOR_INTERRUPTS();
	return compare_common(join, group_tuple(join->rel, join->right, *(const Size *) a),
						  group_tuple(join->rel, join->right, *(const Size *) b));
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

		if (compare_common(join, group_tuple(join->rel, join->right, order[middle]), left) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Adds what two tuples make together, unless keys that must be equal differ. */
static void
join_tuples(GroupJoin *join, const Datum *left, const Datum *right)
{
	Datum	   *slot = dyn_group_add_tuple(join->rel, join->out);
	uint64		have = join->left->binding.bound | join->right->binding.bound;

	copy_keys(join->rel, slot, left, join->left->binding.bound);
	copy_keys(join->rel, slot, right, join->right->binding.bound);
	if (!equalize_keys(join->rel, slot, have, &join->binding))
		join->out->ntuples--;
}

/* Adds the join of two groups to `groups`. */
static void
join_groups(const DynRelation *rel, const DynKeyGroup *left, const DynKeyGroup *right, List **groups)
{
	GroupJoin	join = {rel, left, right, left->binding.bound & right->binding.bound, left->binding, NULL};
	DynKeyBinding settled;
	Size	   *order;

	dyn_binding_merge(&join.binding, &right->binding);
	settled = join.binding;
	dyn_binding_settle(&settled);
	join.out = group_for(groups, &settled);
	order = sort_right(&join);
	for (Size i = 0; i < left->ntuples; i++)
	{
		const Datum *a = group_tuple(rel, left, i);

		for (Size k = first_match(&join, order, a); k < right->ntuples; k++)
		{
			const Datum *b = group_tuple(rel, right, order[k]);

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
join_sets(const DynRelation *rel, List *left, List *right)
{
	List	   *groups = NIL;
	ListCell   *a;
	ListCell   *b;

	foreach(a, left)
		foreach(b, right)
			join_groups(rel, lfirst(a), lfirst(b), &groups);
	foreach(a, left)
		free_group(lfirst(a));
	foreach(b, right)
		free_group(lfirst(b));
	return groups;
}

/* The number of tuples in all groups. */
static Size
count_tuples(List *groups)
{
	Size		n = 0;
	ListCell   *lc;

	foreach(lc, groups)
		n += ((DynKeyGroup *) lfirst(lc))->ntuples;
	return n;
}

/* The keys that at least one of the groups binds. */
static uint64
keys_bound(List *groups)
{
	uint64		bound = 0;
	ListCell   *lc;

	foreach(lc, groups)
		bound |= ((DynKeyGroup *) lfirst(lc))->binding.bound;
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

List *
dyn_groups_join_all(const DynRelation *rel, List *sets)
{
	List	   *groups = take_next(&sets, 0);

	while (sets != NIL)
		groups = join_sets(rel, groups, take_next(&sets, keys_bound(groups)));
	return groups;
}
