/*
 * action.h
 *	  What dynamo_fdw_apply did, or would do: the rows that it returns.
 */
#ifndef DYN_ACTION_H
#define DYN_ACTION_H

#include "nodes/pg_list.h"

typedef struct DynAction
{
	const char *kind;			/* "foreign table", "column", "function", "comment", "remote table" */
	char	   *name;
	const char *action;			/* "create", "add", "alter", "replace", "drop"; "none": only told */
	char	   *detail;			/* a sentence without its dot, or NULL */
} DynAction;

typedef struct DynActions
{
	MemoryContext context;		/* of the list */
	List	   *list;			/* of DynAction */
} DynActions;

/* Texts are copied. `actions` may be NULL: nobody asks. */
extern void dyn_action_add(DynActions *actions, const char *kind, const char *name, const char *action,
						   const char *detail);

#endif							/* DYN_ACTION_H */
