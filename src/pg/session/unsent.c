/*
 * unsent.c
 *	  Rows of a modification that DynamoDB does not have yet.
 *
 * A remote table is known by its name alone: one of the same name elsewhere
 * costs a request too early, and two servers that mean one table are seen.
 */
#include "pg/util/export.h"

#include "utils/snapshot.h"

#include "pg/session/unsent.h"

/* Over all nested statements of the session. */
static dlist_head modifications = DLIST_STATIC_INIT(modifications);

void
dyn_unsent_enter(DynUnsent *unsent)
{
	dlist_push_tail(&modifications, &unsent->node);
	unsent->listed = true;
}

void
dyn_unsent_leave(DynUnsent *unsent)
{
	if (unsent->listed)
		dlist_delete(&unsent->node);
	unsent->listed = false;
}

/*
 * Would a statement see what another one wrote to a table of PostgreSQL so
 * far?  Not if it is the same, or of a function that is STABLE.
 */
static bool
sees(const EState *reader, const EState *writer)
{
	return reader->es_snapshot == NULL || reader->es_snapshot->curcid > writer->es_output_cid;
}

void
dyn_unsent_flush(const char *table, const EState *estate)
{
	dlist_iter	iter;

	dlist_foreach(iter, &modifications)
	{
		DynUnsent  *unsent = dlist_container(DynUnsent, node, iter.cur);

		if (sees(estate, unsent->estate) && strcmp(unsent->table, table) == 0)
			unsent->flush(unsent->arg);
	}
}
