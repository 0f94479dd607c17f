/*
 * ddl.h
 *	  CREATE, ALTER and DROP of foreign tables carried over to DynamoDB: the
 *	  doors between the files ddl*.c.
 *
 *	  ddl_triggers.c	event triggers and the drop hook: what happened
 *	  ddl_remote.c		makes remote tables, deletes pending ones
 *	  ddl_xact.c		what this transaction made and dropped, and its end
 *	  ddl_leftover.c	what a rollback could not delete
 *	  ddl_catalog.c		the extension's own tables
 *	  ddl_client.c		clients in plain memory
 */
#ifndef DYN_DDL_H
#define DYN_DDL_H

#include "nodes/pg_list.h"

#include "net/table_admin.h"
#include "pg/ddl_client.h"
#include "pg/relation.h"

/* Remote work after COMMIT, in ROLLBACK and when a DROP is decided takes no longer, in ms. */
#define DYN_DDL_BUDGET_MS 5000

/* Calls that one session has in flight for it. */
#define DYN_DDL_MAX_IN_FLIGHT DYN_TABLE_JOBS_IN_FLIGHT

/* ---- ddl_triggers.c ---- */

extern void dyn_ddl_init(void);

/* Does the server belong to a wrapper of ours? */
extern bool dyn_ddl_server_is_ours(Oid serverid);

/* ---- ddl_remote.c ---- */

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

/* Is the remote table that of any foreign table there is now, beside those of `except` (DynTargets)? */
extern bool dyn_ddl_is_referenced(const char *endpoint, const char *region, const char *table, List *except);

/* ---- ddl_xact.c ---- */

/* A table that this transaction asked DynamoDB to make. */
typedef struct DynMade DynMade;

/*
 * Notes it, before CreateTable is sent, so that a rollback finds it. The job is
 * the CreateTable, not started yet.
 */
extern DynMade *dyn_ddl_note_create(const DynRemote *remote, DynDdlClient *client);
extern DynTableJob *dyn_ddl_made_job(DynMade *made);

/* CreateTable was answered: it is ours, or (with `made` false) it isn't. */
extern void dyn_ddl_note_created(DynMade *made, bool ours);

/* Did a rolled-back part of this transaction make just this table?  It is then taken over. */
extern bool dyn_ddl_readopt(const DynRemote *remote, const DynTableDescription *shown);

/* A foreign table of ours is about to be dropped. */
extern void dyn_ddl_note_drop(const DynRemote *remote, DynDropPolicy policy, Oid serverid, Oid owner,
							  const char *name);

/* The table of owned rows is about to be dropped. */
extern void dyn_ddl_note_catalog_drop(void);

/*
 * Serializes remote DDL on one remote table until the end of the transaction,
 * what it sends after COMMIT included.  False, with `wait` false: another
 * session has the lock.
 */
extern bool dyn_ddl_lock(const char *endpoint, const char *region, const char *table, bool wait);

/* Is a cancel or terminate pending?  Then work after the end of a transaction stops. */
extern bool dyn_ddl_interrupted(void);

/* In a form that cannot fail after COMMIT. */
extern void dyn_ddl_warn_not_deleted(const DynTableJob *job, const char *hint);

extern void dyn_ddl_xact_init(void);

/* ---- ddl_leftover.c ---- */

/* Before anything may be left over. */
extern void dyn_ddl_leftover_init(void);

/* Remembers a table made and rolled back, whose DeleteTable failed; says so. */
extern void dyn_ddl_add_leftover(DynDdlClient *client, const DynTableDescription *made, const DynTableJob *failed);

/* Tries them again. */
extern void dyn_ddl_retry_leftovers(void);

#endif							/* DYN_DDL_H */
