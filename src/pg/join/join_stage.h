/*
 * join_stage.h
 *	  A feature view as a stage of a lookup join, planner side: what it is
 *	  looked up by, and which of its items match.
 *
 * A lookup join takes rows of an outer plan through its stages, in order.  A
 * stage has one item at most for a row, since it is asked for by its whole
 * entity key.
 */
#ifndef DYN_JOIN_STAGE_H
#define DYN_JOIN_STAGE_H

#include "nodes/pathnodes.h"

#include "pg/table/relation.h"

typedef struct DynJoinStage
{
	RelOptInfo *rel;			/* the foreign table */
	DynRelation *dyn;
	JoinType	jointype;		/* INNER, LEFT or ANTI */
	List	   *keys;			/* expressions, in the order of dyn->keys */
	List	   *quals;			/* bare clauses that an item has to meet to match, in the order to check them */
	List	   *filters;		/* bare clauses that the joined row has to meet after that, as with LEFT */
	List	   *gates;			/* bare clauses that say nothing of any row: unless they hold, there is none at all */
	bool		joins;			/* a key comes from a join clause */
	QualCost	cost;			/* of all these expressions, for an outer row */
	double		distinct;		/* estimated number of different entity keys of all outer rows */
} DynJoinStage;

/* The join that a stage is planned for. */
typedef struct DynJoinInput
{
	PlannerInfo *root;
	RelOptInfo *joinrel;
	RelOptInfo *outerrel;
	RelOptInfo *innerrel;
	JoinType	jointype;		/* INNER, LEFT, SEMI or ANTI */
	JoinPathExtraData *extra;
} DynJoinInput;

/*
 * The stage for a join whose clauses (RestrictInfos, all that are checked at the join) these are.  NULL: they don't
 * equate the whole entity key with what is known of an outer row.
 */
extern DynJoinStage *dyn_join_stage_new(const DynJoinInput *input, List *clauses);

/*
 * The same stage, with keys that are known before any of `stages`, which come before it; NULL where its keys depend on
 * what one of them finds, or may fail for a row that one of them drops.
 */
extern DynJoinStage *dyn_join_stage_beside(PlannerInfo *root, const DynJoinStage *stage, List *stages);

#endif							/* DYN_JOIN_STAGE_H */
