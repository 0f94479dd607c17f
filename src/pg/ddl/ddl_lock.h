/*
 * ddl_lock.h
 *	  Locks on remote names: remote DDL on one of them is done by one session
 *	  of the cluster at a time, until the end of its transaction, with what that
 *	  sends after COMMIT.  Whoever lets a foreign table mean a remote name holds
 *	  the lock on it, too, so that no reference appears while a deletion is
 *	  decided.
 *
 * By region and name, in all databases: how an endpoint is spelled identifies
 * nothing.
 */
#ifndef DYN_DDL_LOCK_H
#define DYN_DDL_LOCK_H

/* Waits. Of a transaction that needs very many the first ones are names, then it takes them all. */
extern void dyn_ddl_lock(const char *region, const char *table);

/* Without waiting; false: another session has it. */
extern bool dyn_ddl_try_lock(const char *region, const char *table);

/* Room for `names` further locks in the shared lock table, or the lock on all names at once. */
extern void dyn_ddl_lock_reserve(int names);

/* The transaction is over, and its locks are gone. */
extern void dyn_ddl_lock_forget(void);

#endif							/* DYN_DDL_LOCK_H */
