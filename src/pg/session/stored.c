/*
 * stored.c
 *	  Stored bytes that are not those we would write for the same value.
 */
#include "pg/util/export.h"

#include "utils/memutils.h"

#include "pg/session/stored.h"

/* Over all nested statements of the session. */
static dlist_head updates = DLIST_STATIC_INIT(updates);

typedef struct Key
{
	DynEntityId id;
	int32		attnum;			/* no hole of bytes that nobody sets */
} Key;

typedef struct Entry
{
	Key			key;
	void	   *data;
	size_t		len;
} Entry;

/* Callback of the memory context. */
static void
release_stored(void *arg)
{
	dlist_delete(&((DynStored *) arg)->node);
}

DynStored *
dyn_stored_new(EState *estate, Oid relid, List *attnums)
{
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	DynStored  *stored = dyn_stored_find(estate, relid);

	if (stored)
	{
		stored->attnums = list_concat_unique_int(stored->attnums, attnums);
		MemoryContextSwitchTo(old);
		return stored;
	}
	stored = palloc0(sizeof(DynStored));
	stored->estate = estate;
	stored->relid = relid;
	stored->attnums = attnums;
	stored->context = estate->es_query_cxt;
	dlist_push_head(&updates, &stored->node);
	stored->callback.func = release_stored;
	stored->callback.arg = stored;
	MemoryContextRegisterResetCallback(stored->context, &stored->callback);
	MemoryContextSwitchTo(old);
	return stored;
}

DynStored *
dyn_stored_find(const EState *estate, Oid relid)
{
	dlist_iter	iter;

	dlist_foreach(iter, &updates)
	{
		DynStored  *stored = dlist_container(DynStored, node, iter.cur);

		if (stored->estate == estate && stored->relid == relid)
			return stored;
	}
	return NULL;
}

void
dyn_stored_note(DynStored *stored, const DynEntityId *id, AttrNumber attnum, const void *data, size_t len)
{
	Key			key = {*id, attnum};
	Entry	   *entry;

	if (stored->bytes == NULL)
	{
		HASHCTL		control = {0};

		control.keysize = sizeof(Key);
		control.entrysize = sizeof(Entry);
		control.hcxt = stored->context;
		stored->bytes = hash_create("dynamo_fdw stored bytes", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(stored->bytes, &key, HASH_ENTER, NULL);
	entry->data = MemoryContextAlloc(stored->context, Max(len, 1));
	memcpy(entry->data, data, len);
	entry->len = len;
}

const void *
dyn_stored_bytes(const DynStored *stored, const DynEntityId *id, AttrNumber attnum, size_t *len)
{
	Key			key = {*id, attnum};
	Entry	   *entry = stored->bytes ? hash_search(stored->bytes, &key, HASH_FIND, NULL) : NULL;

	if (entry == NULL)
		return NULL;
	*len = entry->len;
	return entry->data;
}
