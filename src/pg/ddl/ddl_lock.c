/*
 * ddl_lock.c
 *	  Locks on remote names.
 *
 * Heavyweight locks with a tag of their own: no database, and a fourth field
 * that users' advisory locks can't have.  The shared lock table has room for
 * some 64 a transaction, so one with more names takes one lock on all names
 * instead, of which everybody else who locks a name holds a share.
 */
#include "pg/util/export.h"

#include "common/hashfn.h"
#include "storage/lock.h"
#include "utils/inval.h"
#include "utils/resowner.h"

#include "pg/ddl/ddl_lock.h"

/* Users' advisory locks have 1 and 2 in the fourth field. */
#define NAME_FIELD4 0xdf
#define ALL_NAMES_FIELD4 0xde

#define MAX_NAMES 64

static int	names_locked = 0;	/* by this transaction */
static bool all_locked = false;

/*
 * Takes a lock for the rest of the transaction, also where only a
 * subtransaction wants it: what it made is deleted at the end of the whole.
 */
static LockAcquireResult
take_lock(LOCKTAG *tag, LOCKMODE mode, bool wait)
{
	ResourceOwner owner = CurrentResourceOwner;
	LockAcquireResult result;

	CurrentResourceOwner = TopTransactionResourceOwner;
	PG_TRY();
	{
		result = LockAcquire(tag, mode, false, !wait);
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = owner;
	}
	PG_END_TRY();
	AcceptInvalidationMessages();	/* catalogs must be seen as they are under the lock, as after LockRelationOid() */
	return result;
}

static bool
lock_all_names(LOCKMODE mode, bool wait)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, InvalidOid, 0, 0, ALL_NAMES_FIELD4);
	return take_lock(&tag, mode, wait) != LOCKACQUIRE_NOT_AVAIL;
}

/* False: another session has it. */
static bool
lock_name(const char *region, const char *table, bool wait)
{
	char	   *identity;
	uint64		hash;
	LOCKTAG		tag;
	LockAcquireResult result;

	if (all_locked)
		return true;
	if (names_locked == 0 && !lock_all_names(ShareLock, wait))
		return false;
	identity = psprintf("%s %s", region, table);
	hash = hash_bytes_extended((unsigned char *) identity, strlen(identity), 0);
	pfree(identity);
	SET_LOCKTAG_ADVISORY(tag, InvalidOid, (uint32) (hash >> 32), (uint32) hash, NAME_FIELD4);
	result = take_lock(&tag, ExclusiveLock, wait);
	names_locked += result == LOCKACQUIRE_OK ? 1 : 0;
	return result != LOCKACQUIRE_NOT_AVAIL;
}

void
dyn_ddl_lock_reserve(int names)
{
	if (all_locked || names_locked + names <= MAX_NAMES)
		return;
	lock_all_names(ExclusiveLock, true);
	all_locked = true;
}

void
dyn_ddl_lock(const char *region, const char *table)
{
	dyn_ddl_lock_reserve(1);
	lock_name(region, table, true);
}

bool
dyn_ddl_try_lock(const char *region, const char *table)
{
	return lock_name(region, table, false);
}

void
dyn_ddl_lock_forget(void)
{
	names_locked = 0;
	all_locked = false;
}
