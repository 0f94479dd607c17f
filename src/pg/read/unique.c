/*
 * unique.c
 *	  What the planner knows of the entity key: no two rows have the same one.
 *
 * The planner takes that from unique indexes only, so each foreign table gets
 * one that does not exist.  It is then known that a LEFT JOIN on the whole key
 * adds no rows, that a row of the other table has one partner at most, and how
 * many different keys there are.  Nothing can scan it: the planner looks for
 * index scans in tables that are not foreign.
 */
#include "pg/util/export.h"

#include "access/table.h"
#include "catalog/pg_am.h"
#include "nodes/pathnodes.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "pg/table/column.h"
#include "pg/table/relation.h"
#include "pg/util/compat.h"
#include "pg/util/fdw.h"

static DynRelationHook previous_hook = NULL;

/*
 * Adds a key column to the index; false if it can't be part of one.  With a
 * nondeterministic collation different keys can be equal.
 */
static bool
add_index_column(IndexOptInfo *index, Form_pg_attribute attr)
{
	TypeCacheEntry *type = lookup_type_cache(attr->atttypid, TYPECACHE_BTREE_OPFAMILY);
	int			n = index->nkeycolumns;

	if (n == DYN_MAX_KEYS || !OidIsValid(type->btree_opf) ||
		(OidIsValid(attr->attcollation) && !get_collation_isdeterministic(attr->attcollation)))
		return false;
	index->indexkeys[n] = attr->attnum;
	index->indexcollations[n] = attr->attcollation;
	index->opfamily[n] = type->btree_opf;
	index->opcintype[n] = type->btree_opintype;
	index->ncolumns = index->nkeycolumns = n + 1;
	return true;
}

/*
 * An index over no column yet.  It has no order and none of the abilities of
 * its access method.  Extensions that let their users name indexes look for
 * the name of each, and crash where there is none: it has the table's OID.
 */
static IndexOptInfo *
make_index(RelOptInfo *rel, Oid table)
{
	IndexOptInfo *index = makeNode(IndexOptInfo);

	index->indexoid = table;
	index->rel = rel;
	index->tree_height = -1;
	index->indexkeys = palloc0(sizeof(int) * DYN_MAX_KEYS);
	index->indexcollations = palloc0(sizeof(Oid) * DYN_MAX_KEYS);
	index->opfamily = palloc0(sizeof(Oid) * DYN_MAX_KEYS);
	index->opcintype = palloc0(sizeof(Oid) * DYN_MAX_KEYS);
	index->canreturn = palloc0(sizeof(bool) * DYN_MAX_KEYS);
	index->relam = BTREE_AM_OID;
	index->unique = true;
	index->immediate = true;
	index->hypothetical = true;
	dyn_index_set_nulls_not_distinct(index);
	return index;
}

/*
 * The index over the whole key, or NULL.  Nothing that is wrong with the table
 * is raised here: the query may turn out not to read it.
 */
static IndexOptInfo *
index_of_key(RelOptInfo *rel, Relation relation)
{
	TupleDesc	desc = RelationGetDescr(relation);
	IndexOptInfo *index = make_index(rel, RelationGetRelid(relation));

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);

		if (dyn_column_is_stored(attr) && dyn_column_is_key(RelationGetRelid(relation), attr->attnum) &&
			!add_index_column(index, attr))
			return NULL;
	}
	return index->nkeycolumns > 0 ? index : NULL;
}

/* Hook: the planner has read the catalogs about a relation.  A parent is skipped, for its children have rows, too. */
static void
on_relation(DYN_RELATION_HOOK_PARAMETERS)
{
	RangeTblEntry *entry = planner_rt_fetch(rel->relid, root);

	if (previous_hook)
		previous_hook(DYN_RELATION_HOOK_ARGUMENTS);
	if (rel->fdwroutine && rel->fdwroutine->GetForeignRelSize == dynamoGetForeignRelSize && !entry->inh)
	{
		Relation	relation = table_open(entry->relid, NoLock);
		IndexOptInfo *index = index_of_key(rel, relation);

		table_close(relation, NoLock);
		if (index)
			rel->indexlist = lappend(rel->indexlist, index);
	}
}

void
dyn_unique_init(void)
{
	previous_hook = dyn_relation_hook;
	dyn_relation_hook = on_relation;
}
