/*
 * ddl_snapshot.h
 *	  The catalogs as they are, or as the running command found them: a command
 *	  that drops a foreign table may have dropped already what belongs to it.
 */
#ifndef DYN_DDL_SNAPSHOT_H
#define DYN_DDL_SNAPSHOT_H

#include "nodes/pg_list.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

#include "access/htup.h"
#include "access/tupdesc.h"

typedef enum DynMoment
{
	DYN_NOW,
	DYN_BEFORE_COMMAND,
	DYN_BEFORE_TRANSACTION		/* what a ROLLBACK brings back */
} DynMoment;

/* A foreign table as it was. */
typedef struct DynTableRow
{
	char	   *name;
	Oid			owner;
	Oid			serverid;
	Oid			wrapper;
	List	   *options;
	List	   *server_options;
} DynTableRow;

/* A command begins (ddl_command_start), perhaps one that another one's event trigger runs; true: no other one runs. */
extern bool dyn_snapshot_begin_command(void);

/* It ends; or the current subtransaction is rolled back, and with it the commands that run in it. */
extern void dyn_snapshot_end_command(void);
extern void dyn_snapshot_abort_subxact(void);

/* Registered; the caller gives it to UnregisterSnapshot(). What other sessions committed counts at all moments. */
extern Snapshot dyn_snapshot_of(DynMoment moment);

/* The same before a command of this transaction that began earlier. */
extern Snapshot dyn_snapshot_before(CommandId command);

/* Which command runs: the one of DYN_BEFORE_COMMAND. */
extern CommandId dyn_snapshot_command(void);

/* The options in a column of a catalog's row, copied. */
extern List *dyn_snapshot_options(HeapTuple tuple, TupleDesc desc, AttrNumber column);

/* Options of a server or a foreign table before the running command; NIL where it wasn't there. */
extern List *dyn_snapshot_server_options_before(Oid serverid);
extern List *dyn_snapshot_table_options_before(Oid relid);

/* False: there was no such foreign table. */
extern bool dyn_snapshot_table(Oid relid, DynMoment moment, DynTableRow *row);

/* Name of a relation before the running command; NULL: it was not there. */
extern char *dyn_snapshot_relation_name_before(Oid relid);

#endif							/* DYN_DDL_SNAPSHOT_H */
