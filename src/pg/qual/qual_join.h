/*
 * qual_join.h
 *	  Sets of entity keys as small relations: unions for OR, natural joins for
 *	  AND.
 *
 * A set is a List of groups; the tuples of a group bind the same keys.  All is
 * palloc'd in the current memory context.
 */
#ifndef DYN_QUAL_JOIN_H
#define DYN_QUAL_JOIN_H

#include "nodes/pg_list.h"

#include "pg/qual/qual_bind.h"
#include "pg/table/relation.h"

typedef struct DynKeyGroup
{
	DynKeyBinding binding;
	Datum	   *values;			/* ntuples × rel->nkeys; those not bound are undefined */
	Size		ntuples;
	Size		capacity;
} DynKeyGroup;

/* An empty group. */
extern DynKeyGroup *dyn_group_new(const DynKeyBinding *binding);

/* Room for one more tuple; its values. */
extern Datum *dyn_group_add_tuple(const DynRelation *rel, DynKeyGroup *group);

/* Of a group that binds only `key`: before its values meet those of other keys, so that repeats don't multiply. */
extern void dyn_group_drop_repeats(const DynRelation *rel, DynKeyGroup *group, int key);

/* Moves the tuples of `more` to the groups they belong to; frees it. */
extern void dyn_groups_unite(const DynRelation *rel, List **groups, List *more);

/* The join of all sets (a List of Lists of groups, at least one), the cheapest order first; frees them. */
extern List *dyn_groups_join_all(const DynRelation *rel, List *sets);

#endif							/* DYN_QUAL_JOIN_H */
