/*
 * ddl_snapshot.c
 *	  The catalogs as they are, or as the running command found them.
 *
 * Rows are read by a snapshot and not from the syscache: DROP OWNED revokes
 * before it drops, and DROP SERVER takes mappings along.  A snapshot that
 * doesn't see the running command's own changes shows it all as it was.
 */
#include "pg/util/export.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "pg/ddl/ddl_snapshot.h"
#include "pg/util/compat.h"

/* A command that runs.  It sees changes of its transaction with lower command ids. */
typedef struct Command
{
	struct Command *outer;		/* whose event trigger or function runs it */
	CommandId	start;
	int			level;			/* of subtransactions */
} Command;

/* The innermost one, in TopTransactionContext. */
static Command *running = NULL;
static LocalTransactionId running_xact = InvalidLocalTransactionId;

static Command *
running_command(void)
{
	if (running_xact != dyn_local_transaction_id())
		running = NULL;
	return running;
}

bool
dyn_snapshot_begin_command(void)
{
	Command    *command = MemoryContextAlloc(TopTransactionContext, sizeof(Command));

	command->outer = running_command();
	command->start = GetCurrentCommandId(false);
	command->level = GetCurrentTransactionNestLevel();
	running = command;
	running_xact = dyn_local_transaction_id();
	return command->outer == NULL;
}

void
dyn_snapshot_end_command(void)
{
	if (running_command())
		running = running->outer;
}

void
dyn_snapshot_abort_subxact(void)
{
	while (running_command() && running->level >= GetCurrentTransactionNestLevel())
		running = running->outer;
}

CommandId
dyn_snapshot_command(void)
{
	return running_command() ? running->start : GetCurrentCommandId(false);
}

Snapshot
dyn_snapshot_before(CommandId command)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());

	snapshot->curcid = command;
	return snapshot;
}

Snapshot
dyn_snapshot_of(DynMoment moment)
{
	if (moment == DYN_NOW)
		return dyn_snapshot_before(GetCurrentCommandId(false));
	return dyn_snapshot_before(moment == DYN_BEFORE_COMMAND ? dyn_snapshot_command() : FirstCommandId);
}

List *
dyn_snapshot_options(HeapTuple tuple, TupleDesc desc, AttrNumber column)
{
	bool		isnull;
	Datum		datum = heap_getattr(tuple, column, desc, &isnull);

	return isnull ? NIL : untransformRelOptions(PointerGetDatum(PG_DETOAST_DATUM_COPY(datum)));
}

/* A row that is in the cache and not of this transaction's making, copied: it was the same before.  Else NULL. */
static HeapTuple
unchanged_row(int cache, Oid oid)
{
	HeapTuple	tuple = SearchSysCacheCopy1(cache, ObjectIdGetDatum(oid));

	if (HeapTupleIsValid(tuple) && TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data)))
	{
		heap_freetuple(tuple);
		return NULL;
	}
	return tuple;
}

/* A row at a moment, found by OID, copied; NULL: there was none. */
static HeapTuple
scan_for_row(DynMoment moment, Oid catalog, Oid index, AttrNumber key_column, Oid oid)
{
	Relation	rel = table_open(catalog, AccessShareLock);
	Snapshot	snapshot = dyn_snapshot_of(moment);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, key_column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
	scan = systable_beginscan(rel, index, true, snapshot, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return tuple;
}

static HeapTuple
server_row(DynMoment moment, Oid serverid)
{
	HeapTuple	unchanged = unchanged_row(FOREIGNSERVEROID, serverid);

	return unchanged ? unchanged : scan_for_row(moment, ForeignServerRelationId, ForeignServerOidIndexId,
												Anum_pg_foreign_server_oid, serverid);
}

static HeapTuple
table_row(DynMoment moment, Oid relid)
{
	HeapTuple	unchanged = unchanged_row(FOREIGNTABLEREL, relid);

	return unchanged ? unchanged : scan_for_row(moment, ForeignTableRelationId, ForeignTableRelidIndexId,
												Anum_pg_foreign_table_ftrelid, relid);
}

static HeapTuple
relation_row(DynMoment moment, Oid relid)
{
	HeapTuple	unchanged = unchanged_row(RELOID, relid);

	return unchanged ? unchanged : scan_for_row(moment, RelationRelationId, ClassOidIndexId, Anum_pg_class_oid, relid);
}

/* The options in such a row; NIL where there is no row. */
static List *
options_of_row(HeapTuple tuple, Oid catalog, AttrNumber options_column)
{
	Relation	rel;
	List	   *options;

	if (!HeapTupleIsValid(tuple))
		return NIL;
	rel = table_open(catalog, AccessShareLock);
	options = dyn_snapshot_options(tuple, RelationGetDescr(rel), options_column);
	table_close(rel, AccessShareLock);
	return options;
}

static List *
server_options(HeapTuple server)
{
	return options_of_row(server, ForeignServerRelationId, Anum_pg_foreign_server_srvoptions);
}

static List *
table_options(HeapTuple table)
{
	return options_of_row(table, ForeignTableRelationId, Anum_pg_foreign_table_ftoptions);
}

List *
dyn_snapshot_server_options_before(Oid serverid)
{
	return server_options(server_row(DYN_BEFORE_COMMAND, serverid));
}

List *
dyn_snapshot_table_options_before(Oid relid)
{
	return table_options(table_row(DYN_BEFORE_COMMAND, relid));
}

char *
dyn_snapshot_relation_name_before(Oid relid)
{
	HeapTuple	tuple = relation_row(DYN_BEFORE_COMMAND, relid);

	return HeapTupleIsValid(tuple) ? pstrdup(NameStr(((Form_pg_class) GETSTRUCT(tuple))->relname)) : NULL;
}

bool
dyn_snapshot_table(Oid relid, DynMoment moment, DynTableRow *row)
{
	HeapTuple	relation = relation_row(moment, relid);
	HeapTuple	table = table_row(moment, relid);
	HeapTuple	server;

	if (!HeapTupleIsValid(relation) || !HeapTupleIsValid(table))
		return false;
	row->serverid = ((Form_pg_foreign_table) GETSTRUCT(table))->ftserver;
	server = server_row(moment, row->serverid);
	if (!HeapTupleIsValid(server))
		return false;
	row->name = pstrdup(NameStr(((Form_pg_class) GETSTRUCT(relation))->relname));
	row->owner = ((Form_pg_class) GETSTRUCT(relation))->relowner;
	row->wrapper = ((Form_pg_foreign_server) GETSTRUCT(server))->srvfdw;
	row->options = table_options(table);
	row->server_options = server_options(server);
	return true;
}
