/*
 * qual.h
 *	  Key predicates: which conditions of a query name the entity keys to ask
 *	  for, and in what shape.
 *
 * A key condition is a tree (qual_tree.h) over operands: expressions without
 * columns of the table.
 */
#ifndef DYN_QUAL_H
#define DYN_QUAL_H

#include "nodes/pathnodes.h"

#include "pg/table/relation.h"

typedef struct DynKeyCondition
{
	bool		complete;		/* names every key of every possible row */
	Node	   *tree;			/* NULL: no condition, as for an entityless view */
	List	   *operands;
	List	   *clauses;		/* bare clauses that went into the tree */
	List	   *rest;			/* bare clauses that must still be checked for each row */
	List	   *filters;		/* those of them that name no keys */
	double		keys;			/* if complete: estimated number of rows with such keys */
} DynKeyCondition;

/*
 * Splits RestrictInfos (pseudoconstant ones are left out).  If they alone are
 * not complete, clauses of `derived` (qual_derive.h) that name keys are added.
 */
extern DynKeyCondition *dyn_qual_split(PlannerInfo *root, RelOptInfo *rel, const DynRelation *dyn,
									   List *restrictinfos, List *derived);

/*
 * Says the RestrictInfo just that a key equals an expression without columns of the table?  Then *key is the key's number
 * and *value the expression, whose type dyn_operand_to_key() converts.
 */
extern bool dyn_qual_equates_key(PlannerInfo *root, RelOptInfo *rel, const DynRelation *dyn, RestrictInfo *rinfo,
								 int *key, Node **value);

/* Can evaluating the expressions fail? Columns, values, and leakproof functions of them can't. */
extern bool dyn_qual_can_fail(Node *exprs);

/*
 * Are the values of the sub-select, in  expression = ANY (SELECT ...),  the
 * same for all rows of the query that has it? They can be keys then.
 */
extern bool dyn_qual_has_values(const SubPlan *sub_select);

#endif							/* DYN_QUAL_H */
