/*
 * ddl_note.h
 *	  What this transaction made and dropped, noted in backend memory until its
 *	  end decides.
 *
 * Everything lives in TopTransactionContext, but for what is malloc'd below
 * clients and jobs, which dyn_notes_forget() gives back.
 */
#ifndef DYN_DDL_NOTE_H
#define DYN_DDL_NOTE_H

#include "access/xact.h"
#include "nodes/pg_list.h"

#include "net/table_job.h"
#include "pg/ddl/ddl_client.h"
#include "pg/ddl/ddl_signer.h"
#include "pg/table/relation.h"

/* A table that this transaction asked DynamoDB to make. */
typedef struct DynMade
{
	struct DynMade *next;
	SubTransactionId subid;
	bool		undone;			/* its subtransaction was rolled back */
	bool		ours;			/* CreateTable was accepted */
	bool		in_use;			/* a foreign table that outlives a rollback is over it */
	bool		left_over;		/* told to ddl_leftover.c */
	int64		replaces;		/* the record of the table that TRUNCATE deleted, whose place it takes: it stays after
								 * a rollback, too; 0: none */
	Oid			serverid;
	Oid			owner;			/* of the foreign table */
	DynRemote	remote;
	DynDdlClient *client;
	DynTableJob create;
	unsigned	settings;		/* bits: those that CreateTable was asked for */
	const DynTags *tags;		/* likewise */
	DynTableJob undo;			/* of an abort */
} DynMade;

/* A foreign table that this transaction dropped, or whose remote table it shall delete by hand. */
typedef struct DynDropped
{
	struct DynDropped *next;
	SubTransactionId subid;
	DynDropPolicy policy;
	Oid			serverid;
	Oid			owner;
	Oid			stays;			/* by hand: the foreign table, which stays; else InvalidOid */
	DynRemote	remote;
	char	   *name;			/* of the foreign table */
} DynDropped;

/* Newest first. */
extern DynMade *dyn_notes_made(void);

/* Sorted by remote name, so that all sessions lock in one order. */
extern DynDropped *dyn_notes_dropped(void);

/* Before CreateTable is sent, so that a rollback finds it; `create` is not started yet. */
extern DynMade *dyn_note_create(Oid serverid, Oid owner, const DynRemote *remote, DynDdlClient *client);

/* The one that a rolled-back part of this transaction made and DescribeTable shows, or NULL. */
extern DynMade *dyn_note_undone(const DynRemote *remote, const DynTableDescription *shown);

/*
 * A foreign table is about to be dropped, or (`stays`) its remote table is to go
 * without it.  Keeps its signer as the running command found it.
 */
extern void dyn_note_drop(const DynRemote *remote, DynDropPolicy policy, Oid serverid, Oid owner, Oid stays,
						  const char *name);

/* The remote table of a foreign table is wanted again: what asked to delete it by hand is forgotten. */
extern void dyn_note_wanted(Oid relid, const DynRemote *remote);

/* A server is about to be dropped: keeps the signers of records made by it. */
extern void dyn_note_server_drop(Oid serverid);

/* The table of records is about to be dropped: keeps what it holds. */
extern void dyn_note_records_drop(void);
extern bool dyn_note_records_are_dropped(void);

/* The records, as they are or as they were kept. */
extern List *dyn_note_records(void);

/*
 * Who signs for a role on a server: by the catalogs as they are, else as they
 * were before this transaction dropped something there. What other sessions have
 * changed counts in both. NULL: nobody, *lack says why.
 */
extern const DynSigner *dyn_note_signer(Oid serverid, Oid owner, DynSignerLack *lack);

/* A subtransaction ends. */
extern void dyn_notes_end_subxact(SubXactEvent event, SubTransactionId mine, SubTransactionId parent);

/* The transaction ends; throws nothing. */
extern void dyn_notes_forget(void);

#endif							/* DYN_DDL_NOTE_H */
