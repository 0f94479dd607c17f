/*
 * qual_derive.h
 *	  Conditions on keys that no one wrote: those that join clauses make, and
 *	  those that follow from conditions on other tables.
 *
 * In  f1 JOIN f2 ON f2.id = f1.id WHERE f1.id = ANY (...)  a row of f2 is of
 * use only if its key is in that array, too.  PostgreSQL derives such
 * conditions for constants, not for arrays and ORs.
 */
#ifndef DYN_QUAL_DERIVE_H
#define DYN_QUAL_DERIVE_H

#include "nodes/pathnodes.h"

#include "pg/table/relation.h"

/*
 * Join clauses (RestrictInfos) that may be checked when the table is scanned,
 * for a row of each other table in them: all that are written so, and those
 * of the key columns that follow from equalities.
 */
extern List *dyn_qual_join_clauses(PlannerInfo *root, RelOptInfo *rel, const DynRelation *dyn);

/*
 * Conditions (bare clauses) on key columns that every row fulfils which can
 * take part in the query's result.  They follow from the query's own
 * conditions, so nothing has to check them.
 */
extern List *dyn_qual_derive(PlannerInfo *root, RelOptInfo *rel, const DynRelation *dyn);

#endif							/* DYN_QUAL_DERIVE_H */
