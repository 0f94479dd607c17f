/*
 * ddl_reference.c
 *	  Which foreign tables of this database mean which remote tables.
 */
#include "pg/util/export.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_foreign_table.h"
#include "foreign/foreign.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "pg/ddl/ddl_reference.h"
#include "pg/ddl/ddl_snapshot.h"
#include "pg/ddl/ddl_target.h"
#include "pg/table/relation.h"
#include "pg/util/extension.h"

/* "region table": 32 characters and 255 at most, else it is no name */
#define NAME_KEY_BYTES 320

typedef struct NameEntry
{
	char		name[NAME_KEY_BYTES];	/* hash key */
	DynReference *first;
} NameEntry;

struct DynReferences
{
	HTAB	   *names;
};

static NameEntry *
find_name(DynReferences *references, const char *region, const char *table, HASHACTION action)
{
	char		key[NAME_KEY_BYTES];
	NameEntry  *entry;
	bool		found;

	snprintf(key, sizeof(key), "%s %s", region, table);
	entry = hash_search(references->names, key, action, &found);
	if (entry && !found)
		entry->first = NULL;
	return entry;
}

/* Notes what a foreign table with these options means, if it means something. */
static void
add_reference(DynReferences *references, const DynTableRow *row, Oid relid)
{
	DynRemote  *remote = dyn_remote_resolve(row->options, row->server_options, row->name, NULL);
	DynReference *reference;
	NameEntry  *entry;

	if (remote == NULL)
		return;
	reference = palloc(sizeof(DynReference));
	reference->relid = relid;
	reference->owner = row->owner;
	reference->serverid = row->serverid;
	reference->endpoint = remote->endpoint.url;
	entry = find_name(references, remote->region, remote->table, HASH_ENTER);
	reference->next = entry->first;
	entry->first = reference;
}

/* As it is now, by the caches. */
static void
add_table(DynReferences *references, Oid relid)
{
	char	   *name = get_rel_name(relid);
	ForeignTable *ft;
	ForeignServer *server;
	DynTableRow row = {0};

	/* another session may be dropping it: nothing of it is sure to be there */
	if (name == NULL || !SearchSysCacheExists1(FOREIGNTABLEREL, ObjectIdGetDatum(relid)))
		return;
	ft = GetForeignTable(relid);
	server = GetForeignServerExtended(ft->serverid, FSV_MISSING_OK);
	if (server == NULL || !dyn_extension_has_server(ft->serverid))
		return;
	row.name = name;
	row.owner = dyn_relation_owner(relid);
	row.serverid = ft->serverid;
	row.options = ft->options;
	row.server_options = server->options;
	add_reference(references, &row, relid);
}

/* As it was before this transaction, which may have dropped the wrapper, too: then it counts. */
static void
add_table_before(DynReferences *references, Oid relid)
{
	DynTableRow row;

	if (dyn_snapshot_table(relid, DYN_BEFORE_TRANSACTION, &row) &&
		(dyn_extension_has_wrapper(row.wrapper) ||
		 !SearchSysCacheExists1(FOREIGNDATAWRAPPEROID, ObjectIdGetDatum(row.wrapper))))
		add_reference(references, &row, relid);
}

/* All foreign tables of the database, or (a valid OID) of one server, by a snapshot (NULL: now): OidList. */
static List *
foreign_tables(Oid serverid, Snapshot snapshot)
{
	Relation	rel = table_open(ForeignTableRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	List	   *relids = NIL;
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_foreign_table form = (Form_pg_foreign_table) GETSTRUCT(tuple);

		if (!OidIsValid(serverid) || form->ftserver == serverid)
			relids = lappend_oid(relids, form->ftrelid);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return relids;
}

static DynReferences *
new_references(void)
{
	DynReferences *references = palloc(sizeof(DynReferences));
	HASHCTL		ctl = {0};

	ctl.keysize = NAME_KEY_BYTES;
	ctl.entrysize = sizeof(NameEntry);
	ctl.hcxt = CurrentMemoryContext;
	references->names = hash_create("dynamo_fdw references", 64, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	return references;
}

static void
add_tables(DynReferences *references)
{
	ListCell   *lc;

	foreach(lc, foreign_tables(InvalidOid, NULL))
		add_table(references, lfirst_oid(lc));
}

static void
add_tables_before(DynReferences *references)
{
	Snapshot	snapshot = dyn_snapshot_of(DYN_BEFORE_TRANSACTION);
	ListCell   *lc;

	foreach(lc, foreign_tables(InvalidOid, snapshot))
		add_table_before(references, lfirst_oid(lc));
	UnregisterSnapshot(snapshot);
}

DynReferences *
dyn_references_collect(void)
{
	DynReferences *references = new_references();

	add_tables(references);
	return references;
}

DynReferences *
dyn_references_collect_before(void)
{
	DynReferences *references = new_references();

	add_tables_before(references);
	return references;
}

DynReferences *
dyn_references_collect_both(void)
{
	DynReferences *references = dyn_references_collect();

	if (TransactionIdIsValid(GetTopTransactionIdIfAny()))	/* else it changed nothing */
		add_tables_before(references);
	return references;
}

void
dyn_references_remove(DynReferences *references, Oid relid, const char *region, const char *table)
{
	NameEntry  *entry = find_name(references, region, table, HASH_FIND);
	DynReference **link = entry ? &entry->first : NULL;

	while (link && *link)
	{
		if ((*link)->relid == relid)
			*link = (*link)->next;
		else
			link = &(*link)->next;
	}
}

const DynReference *
dyn_references_find(DynReferences *references, const char *region, const char *table)
{
	NameEntry  *entry = find_name(references, region, table, HASH_FIND);

	return entry ? entry->first : NULL;
}

List *
dyn_tables_of_server(Oid serverid)
{
	return foreign_tables(serverid, NULL);
}
