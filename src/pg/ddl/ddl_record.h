/*
 * ddl_record.h
 *	  The extension's records: one for each remote table that CREATE here made,
 *	  or whose deletion is owed.
 *
 * Read and written by table API, free of privileges and search_path.  Whoever
 * writes a record, or decides by one, holds the lock on its remote name
 * (ddl_lock.h) and read it under that lock.
 */
#ifndef DYN_DDL_RECORD_H
#define DYN_DDL_RECORD_H

#include "nodes/pg_list.h"
#include "storage/itemptr.h"

#include "core/ddb_reply.h"
#include "pg/table/relation.h"

typedef enum DynRecordState
{
	DYN_RECORD_MADE,			/* CREATE made it */
	DYN_RECORD_PENDING,			/* to be deleted: its last foreign table is gone */
	DYN_RECORD_LEFTOVER,		/* to be deleted: its CREATE was rolled back */
	DYN_RECORD_FINAL			/* to be deleted, but nobody can: `note` says why */
} DynRecordState;

typedef struct DynRecord
{
	int64		id;				/* 0: not written yet */
	DynRecordState state;
	Oid			owner;			/* role whose user mapping signs */
	Oid			server;			/* by which the table was made */
	char	   *region;
	char	   *table;
	char	   *endpoint;		/* as it was; its spelling identifies nothing */
	char	   *table_id;		/* "" where the service has none: then `created` counts */
	char	   *created;
	char	   *note;
	bool		ended;			/* nothing is written any more, here */
	bool		orphan;			/* kept in memory, its table of records is dropped: nothing is written any more */
	Oid			database;
	int64		system_identifier;
	ItemPointerData tid;
} DynRecord;

/* Has the record's table been seen, and is it the very one that DescribeTable shows? */
extern bool dyn_record_matches(const DynRecord *record, const DynTableDescription *shown);

/* Is its table to be deleted? */
extern bool dyn_record_is_owed(const DynRecord *record);

/* "made", "pending", ... */
extern const char *dyn_record_state_name(DynRecordState state);

/* A new record of this database, not written yet, in the current memory context. */
extern DynRecord *dyn_record_new(DynRecordState state, Oid server, Oid owner, const DynRemote *remote,
								 const DynTableDescription *shown);

/*
 * Is the table of records there, with the columns that this module writes?
 * Not while DROP EXTENSION runs, nor before ALTER EXTENSION UPDATE.
 */
extern bool dyn_records_exist(void);

/* Raises where it is not: without records nothing remote may be made or deleted. */
extern void dyn_records_require(void);

/* The same; then it can be written without waiting for another session's DROP EXTENSION. */
extern bool dyn_records_try_lock(void);

/* Is it the table of records? */
extern bool dyn_records_are_in(Oid relid);

/*
 * The records of this database of this cluster, palloc'd, sorted by remote name
 * and age, as they are committed or changed by this transaction.  NIL where the
 * table is not there.
 */
extern List *dyn_records(void);

/* Those of one remote name, out of such a list. */
extern List *dyn_records_at(List *records, const char *region, const char *table);

/* Those that another cluster or database wrote too: for dynamo_fdw_claim(). */
extern List *dyn_records_of_all(void);

/* Writes a record, an old one in its place. Does nothing where the table of records isn't there. */
extern void dyn_record_write(DynRecord *record);

/* Ends a record that was written; once more, it does nothing. */
extern void dyn_record_end(DynRecord *record);

#endif							/* DYN_DDL_RECORD_H */
