/*
 * stays.c
 *	  Items that stay written, or deleted, in DynamoDB though their transaction
 *	  ends in vain.
 *
 * Kept in malloc'd memory, one record a foreign table and level of
 * subtransactions, since they are needed when a transaction aborts.  An error
 * that was told to the client is not told again by a WARNING; one that a block
 * with EXCEPTION has swallowed is.
 */
#include "pg/util/export.h"

#include "nodes/pg_list.h"
#include "tcop/pquery.h"
#include "utils/memutils.h"

#include "pg/session/stays.h"
#include "pg/util/error.h"

/* Longer names of feature views are cut in a WARNING. */
#define NAME_BYTES 256

/* What modifications that are over have written or deleted. */
typedef struct Written
{
	Oid			relid;
	SubTransactionId subid;		/* InvalidSubTransactionId: it was in vain, and nobody was told */
	SubTransactionId created;	/* see DynStays */
	bool		told;
	bool		wrote;
	bool		deleted;
	int64		items;
	int64		unknown;		/* were in flight */
	char		feature_view[NAME_BYTES];	/* in ASCII */
	struct Written *next;
} Written;

static dlist_head running = DLIST_STATIC_INIT(running);
static Written *written = NULL;
static List *made = NIL;		/* foreign tables; in the memory of the top transaction */

/* A copy in ASCII: nothing can go wrong with it when a transaction aborts. */
static void
copy_name(char *out, const char *name)
{
	strlcpy(out, name, NAME_BYTES);
	for (char *p = out; *p; p++)
		if (IS_HIGHBIT_SET(*p))
			*p = '?';
}

/* Are these of one table and level, and can be added up? */
static bool
same_kind(const Written *a, const Written *b)
{
	return a->relid == b->relid && a->subid == b->subid && a->created == b->created && a->told == b->told;
}

/* Adds to the records, by a copy.  Without memory it is forgotten. */
static void
add_written(const Written *added)
{
	Written    *one = written;

	if (added->items + added->unknown == 0)
		return;
	while (one && !same_kind(one, added))
		one = one->next;
	if (one)
	{
		one->wrote = one->wrote || added->wrote;
		one->deleted = one->deleted || added->deleted;
		one->items += added->items;
		one->unknown += added->unknown;
		return;
	}
	one = malloc(sizeof(*one));
	if (one == NULL)
		return;
	*one = *added;
	one->next = written;
	written = one;
}

void
dyn_stays_enter(DynStays *stays)
{
	stays->subid = GetCurrentSubTransactionId();
	dlist_push_tail(&running, &stays->node);
	stays->listed = true;
}

void
dyn_stays_leave(DynStays *stays)
{
	Written		over = {0};

	if (!stays->listed)
		return;
	dlist_delete(&stays->node);
	stays->listed = false;
	over.relid = stays->relid;
	over.subid = stays->subid;
	over.created = stays->created;
	over.told = stays->told;
	over.wrote = !stays->deletes;
	over.deleted = stays->deletes;
	over.items = stays->counters->items_written;
	over.unknown = stays->in_flight(stays->arg);
	copy_name(over.feature_view, stays->feature_view);
	add_written(&over);
}

/* ---- ends ---- */

/* Takes what runs at a level, or at any, to the records: it is about to end, by an error. */
static void
end_running(SubTransactionId subid)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &running)
	{
		DynStays   *stays = dlist_container(DynStays, node, iter.cur);

		if (subid == InvalidSubTransactionId || stays->subid == subid)
			dyn_stays_leave(stays);
	}
}

/* Forgets all records. */
static void
forget_written(void)
{
	while (written)
	{
		Written    *one = written;

		written = one->next;
		free(one);
	}
}

/* Takes a record out of the list; of the same table, those that are in vain become one. */
static void
move_written(Written **link, SubTransactionId subid)
{
	Written    *one = *link;

	*link = one->next;
	one->subid = subid;
	if (subid == InvalidSubTransactionId)
		one->told = false;
	add_written(one);
	free(one);
}

/* Moves the records of a level to another one. */
static void
move_level(SubTransactionId from, SubTransactionId to)
{
	Written   **link = &written;
	Written    *moved = NULL;

	/* first out of the list, as moving adds to it */
	while (*link)
	{
		Written    *one = *link;

		if (one->subid != from)
		{
			link = &one->next;
			continue;
		}
		*link = one->next;
		one->next = moved;
		moved = one;
	}
	while (moved)
		move_written(&moved, to);
}

/* Tells a record. */
static void
warn_of(const Written *one)
{
	const char *items = one->items == 1 ? "item stays" : "items stay";
	const char *how = !one->deleted ? "written" : !one->wrote ? "deleted" : "written or deleted";
	char		message[NAME_BYTES + 150];
	int			n = snprintf(message, sizeof(message), "feature view \"%s\": %lld %s %s", one->feature_view,
							 (long long) one->items, items, how);

	if (one->unknown > 0)
		snprintf(message + n, sizeof(message) - n, ", of %lld in flight it is not known", (long long) one->unknown);
	dyn_warn_at_end(message, "DynamoDB has no transactions: an error or ROLLBACK undoes nothing.", NULL);
}

/* Tells what was in vain, and forgets it. */
static void
warn_of_written(void)
{
	Written   **link = &written;

	while (*link)
	{
		Written    *one = *link;

		if (one->subid != InvalidSubTransactionId)
		{
			link = &one->next;
			continue;
		}
		*link = one->next;
		warn_of(one);
		free(one);
	}
}

/*
 * A level was in vain.  At the top of a session, the client has the error that
 * says so.  What the level has created goes with it.
 */
static void
end_in_vain(SubTransactionId subid)
{
	Written   **link = &written;

	while (*link)
	{
		Written    *one = *link;

		if (one->subid == subid && ((one->told && ActivePortal == NULL) || one->created >= subid))
		{
			*link = one->next;
			free(one);
		}
		else
			link = &one->next;
	}
	move_level(subid, InvalidSubTransactionId);
	if (ActivePortal == NULL)
		warn_of_written();
}

void
dyn_stays_made(Oid relid)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	made = lappend_oid(made, relid);
	MemoryContextSwitchTo(old);
}

bool
dyn_stays_is_made(Oid relid)
{
	return list_member_oid(made, relid);
}

/* Callback of the server. */
static void
on_xact(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			warn_of_written();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
			made = NIL;
			forget_written();
			break;
		case XACT_EVENT_ABORT:
			made = NIL;
			end_running(InvalidSubTransactionId);
			end_in_vain(TopSubTransactionId);
			warn_of_written();
			forget_written();
			break;
		default:
			break;
	}
}

/* Callback of the server. */
static void
on_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	dlist_iter	iter;

	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		end_running(mine);
		end_in_vain(mine);
	}
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		dlist_foreach(iter, &running)
		{
			DynStays   *stays = dlist_container(DynStays, node, iter.cur);

			if (stays->subid == mine)
				stays->subid = parent;
		}
		move_level(mine, parent);
	}
}

void
dyn_stays_init(void)
{
	RegisterXactCallback(on_xact, NULL);
	RegisterSubXactCallback(on_subxact, NULL);
}
