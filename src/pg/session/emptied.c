/*
 * emptied.c
 *	  Foreign tables that the running TRUNCATE empties when it commits.
 */
#include "pg/util/export.h"

#include "nodes/pg_list.h"
#include "utils/memutils.h"

#include "pg/session/emptied.h"

/* In TopTransactionContext. */
static List *emptied = NIL;

void
dyn_emptied_note(Oid relid)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	emptied = lappend_oid(emptied, relid);
	MemoryContextSwitchTo(old);
}

void
dyn_emptied_check(Oid relid, const char *name)
{
	if (list_member_oid(emptied, relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("foreign table \"%s\" cannot be written: TRUNCATE empties it when it commits", name)));
}

void
dyn_emptied_forget(void)
{
	emptied = NIL;
}
