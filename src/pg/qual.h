/*
 * qual.h
 *	  Key predicates: which conditions of a query name the entity keys to ask
 *	  for, and in what shape.
 *
 * A key condition is a tree of nodes that the plan can copy:
 *	  leaf	IntList (DYN_KEY_EQ or DYN_KEY_ANY, key number, index of operand),
 *			or (DYN_KEY_SAME, key number, key number)
 *	  inner	List (Integer DYN_KEY_AND or DYN_KEY_OR, child, child, ...)
 * Operands are expressions without columns of the table; a key number is an
 * index into DynRelation.keys.
 */
#ifndef DYN_QUAL_H
#define DYN_QUAL_H

#include "nodes/pathnodes.h"

#include "pg/relation.h"

typedef enum DynKeyNode
{
	DYN_KEY_EQ,					/* key = operand */
	DYN_KEY_ANY,				/* key = ANY (operand) */
	DYN_KEY_SAME,				/* key = other key */
	DYN_KEY_AND,
	DYN_KEY_OR
} DynKeyNode;

typedef struct DynKeyCondition
{
	bool		complete;		/* names every key of every possible row */
	Node	   *tree;			/* NULL: no condition, as for an entityless view */
	List	   *operands;
	List	   *clauses;		/* bare clauses that went into the tree */
	List	   *rest;			/* bare clauses that must still be checked for each row */
	List	   *filters;		/* those of them that name no keys */
	double		keys;			/* estimated number of rows with such keys */
} DynKeyCondition;

/* Splits RestrictInfos (pseudoconstant ones are left out). */
extern DynKeyCondition *dyn_qual_split(PlannerInfo *root, RelOptInfo *rel, const DynRelation *dyn,
									   List *restrictinfos);

/* Does the expression stand for a key column? Its number, or -1. */
extern int	dyn_qual_key_number(const DynRelation *dyn, Index relid, Node *expr);

#endif							/* DYN_QUAL_H */
