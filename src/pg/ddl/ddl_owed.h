/*
 * ddl_owed.h
 *	  Deletions that are still owed: tried again by their owners.
 */
#ifndef DYN_DDL_OWED_H
#define DYN_DDL_OWED_H

#include "nodes/pg_list.h"

/*
 * Deletes what the records of `owner` owe, in one short budget, on the way of a
 * CREATE by him: silently, and not where it failed a moment ago.  `except`
 * (list of DynRemote): names that are about to be used again.
 */
extern void dyn_owed_retry(Oid owner, List *except);

/* Deletes what all records owe that `userid` has the owner's role for; tells what fails.  The number of those gone. */
extern int	dyn_owed_delete(Oid userid);

#endif							/* DYN_DDL_OWED_H */
