/*
 * unsent.h
 *	  Rows of a modification that DynamoDB does not have yet.
 *
 * A statement inside of another one, of its triggers or functions, comes
 * after what the outer one has written so far: it reads those rows, and its
 * own replace them.  So the outer one's are sent before it begins, where
 * PostgreSQL's own tables would show them.
 */
#ifndef DYN_UNSENT_H
#define DYN_UNSENT_H

#include "lib/ilist.h"
#include "nodes/execnodes.h"

/* Part of a modification that runs; all zero at first. */
typedef struct DynUnsent
{
	const char *table;			/* the remote one */
	const EState *estate;		/* the statement */
	void		(*flush) (void *arg);	/* may raise */
	void	   *arg;
	dlist_node	node;			/* in the list, where `listed` */
	bool		listed;
} DynUnsent;

/* From now on the modification, by which all but `node` and `listed` was filled, may have unsent rows. */
extern void dyn_unsent_enter(DynUnsent *unsent);

/* It has none any more. Fine where it never entered. */
extern void dyn_unsent_leave(DynUnsent *unsent);

/* Flushes what other statements have for a remote table and `estate`, which is about to read or write it, must see. */
extern void dyn_unsent_flush(const char *table, const EState *estate);

#endif							/* DYN_UNSENT_H */
