/*
 * qual_eval.h
 *	  Key conditions, executor side: the entity keys that a scan asks for.
 */
#ifndef DYN_QUAL_EVAL_H
#define DYN_QUAL_EVAL_H

#include "nodes/execnodes.h"

#include "core/feast_key.h"
#include "pg/table/relation.h"

typedef struct DynKeySet
{
	uint32		nkeys;
	DynEntityId *ids;			/* distinct */
	Datum	   *values;			/* canonical, rel->nkeys of them per key */
} DynKeySet;

/*
 * Evaluates the operands and the condition (qual.h) over them. The set lives
 * in the current memory context; NULLs and values that no key can have are
 * left out.
 */
extern void dyn_keys_evaluate(const DynRelation *rel, Node *tree, List *operand_states, ExprContext *econtext,
							  DynKeySet *keys);

#endif							/* DYN_QUAL_EVAL_H */
