/*
 * ddl_catalog.c
 *	  The extension's own tables.
 */
#include "pg/util/export.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "pg/ddl/ddl_catalog.h"
#include "pg/util/extension.h"

#define OWNED_TABLE "dynamo_fdw_remote_table"
#define PENDING_TABLE "dynamo_fdw_pending_delete"

/* Columns of both tables. */
enum
{
	COL_ENDPOINT,
	COL_REGION,
	COL_TABLE,
	COL_TABLE_ID,
	COL_CREATED,
	COL_DATABASE,
	COL_SYSTEM_IDENTIFIER,
	COL_OWNER,
	NCOLS
};

bool
dyn_owned_is_at(const DynOwned *owned, const DynRemote *remote)
{
	return strcmp(owned->table, remote->table) == 0 && strcmp(owned->region, remote->region) == 0 &&
		strcmp(owned->endpoint, remote->endpoint.url) == 0;
}

bool
dyn_owned_matches(const DynOwned *owned, const DynTableDescription *shown)
{
	if (owned->table_id[0] != '\0' || shown->table_id[0] != '\0')
		return strcmp(owned->table_id, shown->table_id) == 0;
	return owned->created[0] != '\0' && strcmp(owned->created, shown->created) == 0;
}

bool
dyn_owned_is_ours(const DynOwned *owned)
{
	return owned->database == MyDatabaseId && owned->system_identifier == (int64) GetSystemIdentifier();
}

/* A table that belongs to the extension, or InvalidOid. */
static Oid
extension_table(const char *name)
{
	Oid			extension;
	Oid			namespace;
	Oid			relid;

	if (!dyn_extension_find(&extension, &namespace))
		return InvalidOid;
	relid = get_relname_relid(name, namespace);
	return OidIsValid(relid) && getExtensionOfObject(RelationRelationId, relid) == extension ? relid : InvalidOid;
}

bool
dyn_catalog_exists(void)
{
	return OidIsValid(extension_table(OWNED_TABLE)) && OidIsValid(extension_table(PENDING_TABLE));
}

bool
dyn_catalog_is_owned_table(Oid relid)
{
	return relid == extension_table(OWNED_TABLE);
}

static DynOwned *
read_row(TupleDesc desc, HeapTuple tuple)
{
	DynOwned   *owned = palloc0(sizeof(DynOwned));
	Datum		values[NCOLS];
	bool		nulls[NCOLS];

	heap_deform_tuple(tuple, desc, values, nulls);
	owned->endpoint = TextDatumGetCString(values[COL_ENDPOINT]);
	owned->region = TextDatumGetCString(values[COL_REGION]);
	owned->table = TextDatumGetCString(values[COL_TABLE]);
	owned->table_id = TextDatumGetCString(values[COL_TABLE_ID]);
	owned->created = TextDatumGetCString(values[COL_CREATED]);
	owned->database = DatumGetObjectId(values[COL_DATABASE]);
	owned->system_identifier = DatumGetInt64(values[COL_SYSTEM_IDENTIFIER]);
	owned->owner = DatumGetObjectId(values[COL_OWNER]);
	owned->tid = tuple->t_self;
	return owned;
}

static List *
read_rows(const char *table)
{
	Oid			relid = extension_table(table);
	List	   *rows = NIL;
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;
	Snapshot	snapshot;

	if (!OidIsValid(relid))
		return NIL;
	rel = table_open(relid, AccessShareLock);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		rows = lappend(rows, read_row(RelationGetDescr(rel), tuple));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return rows;
}

List *
dyn_catalog_owned(void)
{
	return read_rows(OWNED_TABLE);
}

List *
dyn_catalog_pending(void)
{
	return read_rows(PENDING_TABLE);
}

static void
add_row(const char *table, const DynOwned *owned)
{
	Relation	rel = table_open(extension_table(table), RowExclusiveLock);
	Datum		values[NCOLS];
	bool		nulls[NCOLS] = {false};
	HeapTuple	tuple;

	values[COL_ENDPOINT] = CStringGetTextDatum(owned->endpoint);
	values[COL_REGION] = CStringGetTextDatum(owned->region);
	values[COL_TABLE] = CStringGetTextDatum(owned->table);
	values[COL_TABLE_ID] = CStringGetTextDatum(owned->table_id);
	values[COL_CREATED] = CStringGetTextDatum(owned->created);
	values[COL_DATABASE] = ObjectIdGetDatum(owned->database);
	values[COL_SYSTEM_IDENTIFIER] = Int64GetDatum(owned->system_identifier);
	values[COL_OWNER] = ObjectIdGetDatum(owned->owner);
	tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	simple_heap_insert(rel, tuple);
	heap_freetuple(tuple);
	table_close(rel, RowExclusiveLock);
	CommandCounterIncrement();
}

static void
remove_row(const char *table, const DynOwned *owned)
{
	Relation	rel = table_open(extension_table(table), RowExclusiveLock);
	ItemPointerData tid = owned->tid;

	simple_heap_delete(rel, &tid);
	table_close(rel, RowExclusiveLock);
	CommandCounterIncrement();
}

void
dyn_catalog_add_owned(const DynOwned *owned)
{
	add_row(OWNED_TABLE, owned);
}

void
dyn_catalog_add_pending(const DynOwned *pending)
{
	add_row(PENDING_TABLE, pending);
}

void
dyn_catalog_remove_owned(const DynOwned *owned)
{
	remove_row(OWNED_TABLE, owned);
}

void
dyn_catalog_remove_pending(const DynOwned *pending)
{
	remove_row(PENDING_TABLE, pending);
}

bool
dyn_catalog_lock_pending(void)
{
	Oid			relid = extension_table(PENDING_TABLE);

	return OidIsValid(relid) && ConditionalLockRelationOid(relid, ShareUpdateExclusiveLock);
}
