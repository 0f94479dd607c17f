/*
 * interval.c
 *	  The record of what has been materialized.
 *
 * By OID, and never dumped: what is restored means another remote table, or one
 * that others have written since.  To forget costs a load from further back; to
 * remember what isn't so any more would lose rows.
 */
#include "pg/util/export.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "pg/load/interval.h"
#include "pg/util/extension.h"

/* Columns of the table. */
enum
{
	COL_RELID,
	COL_REGION,
	COL_ENDPOINT,
	COL_TABLE,
	COL_START,
	COL_END,
	COL_ROWS,
	COL_AT,
	NCOLS
};

static const char *const interval_columns[NCOLS] = {
	"relid", "region", "endpoint", "table_name", "start_date", "end_date", "rows", "at"
};

/* ---- the table ---- */

/* Opens the table; NULL where it is not there, or another version's. */
static Relation
open_intervals(LOCKMODE mode)
{
	return dyn_extension_open_table("dynamo_fdw_interval", interval_columns, NCOLS, mode);
}

static DynInterval *
interval_of_tuple(TupleDesc desc, HeapTuple tuple)
{
	DynInterval *interval = palloc0(sizeof(DynInterval));
	Datum		values[NCOLS];
	bool		nulls[NCOLS];

	heap_deform_tuple(tuple, desc, values, nulls);
	interval->relid = DatumGetObjectId(values[COL_RELID]);
	interval->region = TextDatumGetCString(values[COL_REGION]);
	interval->endpoint = TextDatumGetCString(values[COL_ENDPOINT]);
	interval->table = TextDatumGetCString(values[COL_TABLE]);
	interval->start = DatumGetTimestampTz(values[COL_START]);
	interval->end = DatumGetTimestampTz(values[COL_END]);
	interval->rows = DatumGetInt64(values[COL_ROWS]);
	interval->at = DatumGetTimestampTz(values[COL_AT]);
	interval->tid = tuple->t_self;
	return interval;
}

static void
insert_interval(Relation table, const DynInterval *interval)
{
	Datum		values[NCOLS];
	bool		nulls[NCOLS] = {false};
	HeapTuple	tuple;

	values[COL_RELID] = ObjectIdGetDatum(interval->relid);
	values[COL_REGION] = CStringGetTextDatum(interval->region);
	values[COL_ENDPOINT] = CStringGetTextDatum(interval->endpoint);
	values[COL_TABLE] = CStringGetTextDatum(interval->table);
	values[COL_START] = TimestampTzGetDatum(interval->start);
	values[COL_END] = TimestampTzGetDatum(interval->end);
	values[COL_ROWS] = Int64GetDatum(interval->rows);
	values[COL_AT] = TimestampTzGetDatum(interval->at);
	tuple = heap_form_tuple(RelationGetDescr(table), values, nulls);
	CatalogTupleInsert(table, tuple);
	heap_freetuple(tuple);
}

/* list_sort comparator */
static int
compare_intervals(const ListCell *a, const ListCell *b)
{
	const DynInterval *first = lfirst(a);
	const DynInterval *second = lfirst(b);

	if (first->relid != second->relid)
		return first->relid < second->relid ? -1 : 1;
	return (first->start > second->start) - (first->start < second->start);
}

/* Reads by a fresh snapshot: what others committed while we waited for a lock counts. */
static List *
read_intervals(Relation table)
{
	List	   *intervals = NIL;
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = systable_beginscan(table, InvalidOid, false, snapshot, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		intervals = lappend(intervals, interval_of_tuple(RelationGetDescr(table), tuple));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	list_sort(intervals, compare_intervals);
	return intervals;
}

List *
dyn_intervals(void)
{
	Relation	table = open_intervals(AccessShareLock);
	List	   *intervals;

	if (table == NULL)
		dyn_extension_report_version();
	intervals = read_intervals(table);
	table_close(table, AccessShareLock);
	return intervals;
}

/* ---- intervals ---- */

bool
dyn_interval_counts(const DynInterval *interval, const DynRelation *rel)
{
	return interval->relid == rel->relid && strcmp(interval->table, rel->remote.table) == 0 &&
		strcmp(interval->region, rel->remote.region) == 0 &&
		strcmp(interval->endpoint, rel->remote.endpoint.url) == 0;
}

bool
dyn_interval_latest_end(const DynRelation *rel, TimestampTz *end)
{
	bool		found = false;
	ListCell   *lc;

	foreach(lc, dyn_intervals())
	{
		const DynInterval *interval = lfirst(lc);

		if (dyn_interval_counts(interval, rel) && (!found || interval->end > *end))
		{
			*end = interval->end;
			found = true;
		}
	}
	return found;
}

/* Does one of the intervals hold all of what was loaded? */
static bool
is_known(List *intervals, const DynRelation *rel, const DynInterval *loaded)
{
	ListCell   *lc;

	foreach(lc, intervals)
	{
		const DynInterval *interval = lfirst(lc);

		if (dyn_interval_counts(interval, rel) && interval->start <= loaded->start && interval->end >= loaded->end)
			return true;
	}
	return false;
}

/* Takes into `loaded` the interval that it touches, if it does. */
static bool
unite(DynInterval *loaded, const DynInterval *interval)
{
	if (interval->end < loaded->start || interval->start > loaded->end)
		return false;
	loaded->start = Min(loaded->start, interval->start);
	loaded->end = Max(loaded->end, interval->end);
	loaded->rows += interval->rows;
	return true;
}

void
dyn_interval_add(const DynRelation *rel, TimestampTz start, TimestampTz end, int64 rows)
{
	Relation	table = open_intervals(RowExclusiveLock);
	DynInterval loaded = {
		.relid = rel->relid, .region = rel->remote.region, .endpoint = (char *) rel->remote.endpoint.url,
		.table = rel->remote.table, .start = start, .end = end, .rows = rows, .at = GetCurrentTimestamp()
	};
	List	   *intervals;
	ListCell   *lc;

	if (table == NULL)
		dyn_extension_report_version();
	intervals = read_intervals(table);
	if (!is_known(intervals, rel, &loaded))
	{
		foreach(lc, intervals)
		{
			DynInterval *interval = lfirst(lc);

			/* those that don't count are of a remote table that was meant before */
			if (interval->relid == rel->relid && (!dyn_interval_counts(interval, rel) || unite(&loaded, interval)))
				CatalogTupleDelete(table, &interval->tid);
		}
		insert_interval(table, &loaded);
		CommandCounterIncrement();
	}
	table_close(table, RowExclusiveLock);
}

/* ---- forgetting ---- */

/* Deletes the intervals of a foreign table, or, where `remote` is given, of a remote table. */
static void
forget_intervals(Oid relid, const DynRemote *remote)
{
	Relation	table = open_intervals(RowExclusiveLock);
	bool		deleted = false;
	ListCell   *lc;

	if (table == NULL)
		return;
	foreach(lc, read_intervals(table))
	{
		DynInterval *interval = lfirst(lc);

		if (remote ? strcmp(interval->table, remote->table) != 0 || strcmp(interval->region, remote->region) != 0 :
			interval->relid != relid)
			continue;
		CatalogTupleDelete(table, &interval->tid);
		deleted = true;
	}
	table_close(table, RowExclusiveLock);
	if (deleted)
		CommandCounterIncrement();
}

void
dyn_intervals_forget(Oid relid)
{
	forget_intervals(relid, NULL);
}

void
dyn_intervals_forget_remote(const DynRemote *remote)
{
	forget_intervals(InvalidOid, remote);
}
