/*
 * service_function.h
 *	  Functions that we make, told from those of users.
 *
 * A function that we made depends on the extension as by ALTER FUNCTION ...
 * DEPENDS ON EXTENSION, which a dump keeps.  One without that is its user's, and
 * is never touched.
 */
#ifndef DYN_SERVICE_FUNCTION_H
#define DYN_SERVICE_FUNCTION_H

#include "nodes/pg_list.h"

typedef enum DynInstalled
{
	DYN_INSTALLED_NOT,			/* there is a function of this name that is not ours */
	DYN_INSTALLED_NEW,
	DYN_INSTALLED_SAME,			/* it was there, and is as it was */
	DYN_INSTALLED_REPLACED,
	DYN_INSTALLED_ANEW			/* dropped and made again, with owner, grants and comment as before */
} DynInstalled;

/*
 * Makes or replaces the function of a name in a schema by a CREATE OR REPLACE
 * statement.  `dropped`: what dyn_functions_drop() returned, whose rights it may
 * inherit.
 */
extern DynInstalled dyn_function_install(Oid schema, const char *name, const char *sql, List *dropped, Oid *function);

/* OIDs of our functions in a schema, and of those of them whose bodies name any of the relations. */
extern List *dyn_functions_ours(Oid schema);
extern List *dyn_functions_over(Oid schema, List *relids);

/* Drops functions of ours, and adds what their successors inherit to the list. Raises where something depends on one. */
extern List *dyn_functions_drop(List *functions, List *dropped);

#endif							/* DYN_SERVICE_FUNCTION_H */
