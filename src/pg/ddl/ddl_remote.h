/*
 * ddl_remote.h
 *	  Makes the remote tables of new foreign tables, and deletes those whose
 *	  deletion is pending.
 */
#ifndef DYN_DDL_REMOTE_H
#define DYN_DDL_REMOTE_H

#include "nodes/pg_list.h"

#include "pg/table/relation.h"

/* A foreign table whose remote table shall be there. */
typedef struct DynTarget
{
	DynRelation *rel;
	char	   *name;			/* of the foreign table */
	Oid			owner;
	bool		altered;		/* not new: ALTER may have changed what it means */
} DynTarget;

/* Makes absent tables and waits until all are ACTIVE; raises errors. */
extern void dyn_ddl_ensure(List *targets);

/*
 * Deletes tables whose deletion is pending, as far as `userid` may (InvalidOid:
 * all) and `except` (DynTargets) does not name them. Returns how many are gone.
 * With `warn` what fails is told.
 */
extern int	dyn_ddl_delete_pending(Oid userid, List *except, bool warn);

#endif							/* DYN_DDL_REMOTE_H */
