/*
 * ddl_record.c
 *	  The extension's records.
 */
#include "pg/util/export.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/indexing.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "pg/ddl/ddl_record.h"
#include "pg/util/extension.h"

extern PGDLLEXPORT Datum dynamo_fdw_refuse_write(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(dynamo_fdw_refuse_write);

#define RECORD_TABLE "dynamo_fdw_record"
#define RECORD_SEQUENCE "dynamo_fdw_record_id"

/* Columns of the table; the names are checked before it is used. */
enum
{
	COL_ID,
	COL_SYSTEM_IDENTIFIER,
	COL_DATABASE,
	COL_STATE,
	COL_OWNER,
	COL_SERVER,
	COL_REGION,
	COL_TABLE,
	COL_ENDPOINT,
	COL_TABLE_ID,
	COL_CREATED,
	COL_NOTE,
	NCOLS
};

static const char *const column_names[NCOLS] = {
	"id", "system_identifier", "database", "state", "owner", "server", "region", "table_name", "endpoint", "table_id",
	"created", "note"
};

static const char *const state_names[] = {
	[DYN_RECORD_MADE] = "made",
	[DYN_RECORD_PENDING] = "pending",
	[DYN_RECORD_LEFTOVER] = "leftover",
	[DYN_RECORD_FINAL] = "final"
};

/* ---- one record ---- */

bool
dyn_record_matches(const DynRecord *record, const DynTableDescription *shown)
{
	if (record->table_id[0] != '\0' || shown->table_id[0] != '\0')
		return strcmp(record->table_id, shown->table_id) == 0;
	return record->created[0] != '\0' && strcmp(record->created, shown->created) == 0;
}

bool
dyn_record_is_owed(const DynRecord *record)
{
	return record->state != DYN_RECORD_MADE;
}

const char *
dyn_record_state_name(DynRecordState state)
{
	return state_names[state];
}

DynRecord *
dyn_record_new(DynRecordState state, Oid server, Oid owner, const DynRemote *remote, const DynTableDescription *shown)
{
	DynRecord  *record = palloc0(sizeof(DynRecord));

	record->state = state;
	record->owner = owner;
	record->server = server;
	record->region = pstrdup(remote->region);
	record->table = pstrdup(remote->table);
	record->endpoint = pstrdup(remote->endpoint.url);
	record->table_id = pstrdup(shown->table_id);
	record->created = pstrdup(shown->created);
	record->note = "";
	record->database = MyDatabaseId;
	record->system_identifier = (int64) GetSystemIdentifier();
	return record;
}

/* An unknown name, which only a newer module can have written, is never a reason to delete. */
static DynRecordState
state_from_name(const char *name)
{
	for (int i = 0; i < (int) lengthof(state_names); i++)
		if (strcmp(state_names[i], name) == 0)
			return i;
	return DYN_RECORD_MADE;
}

static DynRecord *
read_record(TupleDesc desc, HeapTuple tuple)
{
	DynRecord  *record = palloc0(sizeof(DynRecord));
	Datum		values[NCOLS];
	bool		nulls[NCOLS];

	heap_deform_tuple(tuple, desc, values, nulls);
	record->id = DatumGetInt64(values[COL_ID]);
	record->state = state_from_name(TextDatumGetCString(values[COL_STATE]));
	record->owner = DatumGetObjectId(values[COL_OWNER]);
	record->server = DatumGetObjectId(values[COL_SERVER]);
	record->region = TextDatumGetCString(values[COL_REGION]);
	record->table = TextDatumGetCString(values[COL_TABLE]);
	record->endpoint = TextDatumGetCString(values[COL_ENDPOINT]);
	record->table_id = TextDatumGetCString(values[COL_TABLE_ID]);
	record->created = TextDatumGetCString(values[COL_CREATED]);
	record->note = TextDatumGetCString(values[COL_NOTE]);
	record->database = DatumGetObjectId(values[COL_DATABASE]);
	record->system_identifier = DatumGetInt64(values[COL_SYSTEM_IDENTIFIER]);
	record->tid = tuple->t_self;
	return record;
}

static HeapTuple
form_record(TupleDesc desc, const DynRecord *record)
{
	Datum		values[NCOLS];
	bool		nulls[NCOLS] = {false};

	values[COL_ID] = Int64GetDatum(record->id);
	values[COL_STATE] = CStringGetTextDatum(state_names[record->state]);
	values[COL_OWNER] = ObjectIdGetDatum(record->owner);
	values[COL_SERVER] = ObjectIdGetDatum(record->server);
	values[COL_REGION] = CStringGetTextDatum(record->region);
	values[COL_TABLE] = CStringGetTextDatum(record->table);
	values[COL_ENDPOINT] = CStringGetTextDatum(record->endpoint);
	values[COL_TABLE_ID] = CStringGetTextDatum(record->table_id);
	values[COL_CREATED] = CStringGetTextDatum(record->created);
	values[COL_NOTE] = CStringGetTextDatum(record->note);
	values[COL_DATABASE] = ObjectIdGetDatum(record->database);
	values[COL_SYSTEM_IDENTIFIER] = Int64GetDatum(record->system_identifier);
	return heap_form_tuple(desc, values, nulls);
}

/* ---- the table ---- */

/* Opens the table; NULL where it is not there, or another version's. */
static Relation
open_records(LOCKMODE mode)
{
	return dyn_extension_open_table(RECORD_TABLE, column_names, NCOLS, mode);
}

bool
dyn_records_exist(void)
{
	Relation	rel = open_records(AccessShareLock);

	if (rel)
		table_close(rel, AccessShareLock);
	return rel != NULL && OidIsValid(dyn_extension_relation(RECORD_SEQUENCE));
}

void
dyn_records_require(void)
{
	if (!dyn_records_exist())
		dyn_extension_report_version();
}

bool
dyn_records_try_lock(void)
{
	Oid			relid = dyn_extension_relation(RECORD_TABLE);

	return OidIsValid(relid) && ConditionalLockRelationOid(relid, RowExclusiveLock) && dyn_records_exist();
}

bool
dyn_records_are_in(Oid relid)
{
	return relid == dyn_extension_relation(RECORD_TABLE);
}

static bool
is_of_this_database(const DynRecord *record)
{
	return record->database == MyDatabaseId && record->system_identifier == (int64) GetSystemIdentifier();
}

static int
compare_names(const DynRecord *record, const char *region, const char *table)
{
	int			c = strcmp(record->region, region);

	return c != 0 ? c : strcmp(record->table, table);
}

static int
compare_records(const ListCell *a, const ListCell *b)
{
	const DynRecord *first = lfirst(a);
	const DynRecord *second = lfirst(b);
	int			c = compare_names(first, second->region, second->table);

	return c != 0 ? c : (first->id > second->id) - (first->id < second->id);
}

/* Reads by a fresh snapshot: what other sessions committed while we waited for a lock counts. */
static List *
read_records(bool all)
{
	Relation	rel = open_records(AccessShareLock);
	List	   *records = NIL;
	SysScanDesc scan;
	HeapTuple	tuple;
	Snapshot	snapshot;

	if (rel == NULL)
		return NIL;
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		DynRecord  *record = read_record(RelationGetDescr(rel), tuple);

		if (all || is_of_this_database(record))
			records = lappend(records, record);
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	list_sort(records, compare_records);
	return records;
}

List *
dyn_records(void)
{
	return read_records(false);
}

List *
dyn_records_of_all(void)
{
	return read_records(true);
}

List *
dyn_records_at(List *records, const char *region, const char *table)
{
	List	   *found = NIL;
	int			low = 0;
	int			high = list_length(records);

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (compare_names(list_nth(records, middle), region, table) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < list_length(records) && compare_names(list_nth(records, low), region, table) == 0; low++)
		found = lappend(found, list_nth(records, low));
	return found;
}

void
dyn_record_write(DynRecord *record)
{
	Relation	rel = record->orphan || record->ended ? NULL : open_records(RowExclusiveLock);
	HeapTuple	tuple;

	if (rel == NULL)
		return;
	if (record->id == 0)
	{
		record->id = nextval_internal(dyn_extension_relation(RECORD_SEQUENCE), false);
		tuple = form_record(RelationGetDescr(rel), record);
		CatalogTupleInsert(rel, tuple);
	}
	else
	{
		tuple = form_record(RelationGetDescr(rel), record);
		CatalogTupleUpdate(rel, &record->tid, tuple);
	}
	record->tid = tuple->t_self;
	heap_freetuple(tuple);
	table_close(rel, RowExclusiveLock);
	CommandCounterIncrement();
}

void
dyn_record_end(DynRecord *record)
{
	Relation	rel = record->orphan || record->ended ? NULL : open_records(RowExclusiveLock);

	if (rel == NULL)
		return;
	CatalogTupleDelete(rel, &record->tid);
	record->ended = true;
	table_close(rel, RowExclusiveLock);
	CommandCounterIncrement();
}

/*
 * Trigger: the module writes beside triggers, so whoever comes here does it by
 * SQL.  The trigger's argument is a hint.
 */
Datum
dynamo_fdw_refuse_write(PG_FUNCTION_ARGS)
{
	TriggerData *data;

	if (!CALLED_AS_TRIGGER(fcinfo))
		elog(ERROR, "not called by trigger manager");
	data = (TriggerData *) fcinfo->context;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("table \"%s\" is written by dynamo_fdw alone", RelationGetRelationName(data->tg_relation)),
			 data->tg_trigger->tgnargs > 0 ? errhint("%s", data->tg_trigger->tgargs[0]) : 0));
	PG_RETURN_NULL();
}
