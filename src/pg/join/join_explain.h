/*
 * join_explain.h
 *	  What EXPLAIN shows of a lookup join.
 */
#ifndef DYN_JOIN_EXPLAIN_H
#define DYN_JOIN_EXPLAIN_H

#include "nodes/execnodes.h"

struct ExplainState;

/* Callback of the executor. */
extern void dyn_join_explain(CustomScanState *node, List *ancestors, struct ExplainState *es);

#endif							/* DYN_JOIN_EXPLAIN_H */
