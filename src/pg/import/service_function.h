/*
 * service_function.h
 *	  Functions that we make, told from those of users.
 *
 * A function that we made depends on the extension as by ALTER FUNCTION ...
 * DEPENDS ON EXTENSION, which a dump keeps, and belongs to the current user, the
 * schema's owner or a superuser.  Any other is its user's, and is never touched.
 */
#ifndef DYN_SERVICE_FUNCTION_H
#define DYN_SERVICE_FUNCTION_H

#include "access/htup.h"
#include "foreign/foreign.h"
#include "nodes/pg_list.h"

typedef enum DynInstalled
{
	DYN_INSTALLED_NOT,			/* there is a function of this name that is not ours */
	DYN_INSTALLED_NEW,
	DYN_INSTALLED_SAME,			/* it was there, and is as it was */
	DYN_INSTALLED_REPLACED,
	DYN_INSTALLED_ANEW,			/* dropped and made again, with owner, grants and comment as before */
	DYN_INSTALLED_FAILED		/* the server refuses the definition; nothing has changed */
} DynInstalled;

/*
 * Makes or replaces the function of a name in a schema by a CREATE OR REPLACE
 * statement.  `dropped`: what dyn_functions_drop() returned, whose rights it may
 * inherit.  *why: the server's message, of one that failed.
 */
extern DynInstalled dyn_function_install(Oid schema, const char *name, const char *sql, List *dropped, Oid *function,
										 char **why);

/*
 * Is the function (a tuple of pg_proc) the current user's, or of somebody who has
 * the schema in his hands anyway?  Services call and replace no others: who may
 * create functions there could have anybody run his.
 */
extern bool dyn_function_is_trusted(HeapTuple tuple);

/* Our function of a name; InvalidOid: there is none, or also one of a user's. */
extern Oid	dyn_function_ours(Oid schema, const char *name);

/* Do all foreign tables of ours that it names belong to this server and project? */
extern bool dyn_function_is_of(Oid function, const ForeignServer *server, const char *project);

/* OIDs of our functions in a schema whose bodies name any of the relations. */
extern List *dyn_functions_over(Oid schema, List *relids);

/* Drops functions of ours, and adds what their successors inherit to the list. Raises where something depends on one. */
extern List *dyn_functions_drop(List *functions, List *dropped);

/* Names of those that dyn_functions_drop() returned, after which no function of the name was made. */
extern List *dyn_functions_without_successor(Oid schema, List *dropped);

#endif							/* DYN_SERVICE_FUNCTION_H */
