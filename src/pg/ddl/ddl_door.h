/*
 * ddl_door.h
 *	  The one door: no remote table is deleted but through it, the immediate undo
 *	  of a rollback aside (ddl_xact.c).
 *
 * In two halves.  May it go?  Where catalogs can be read and errors are allowed:
 *	  1. the caller holds the lock on the remote name, and read the record under it
 *	  2. no foreign table of this database is over that name; within a statement
 *		 none that a ROLLBACK brings back, either; a foreign table that was dropped
 *		 was the record's owner's, and is sure to have meant the record's table
 *	  3. the record's owner has USAGE on the record's own server, and a user
 *		 mapping there that signs; the server is still one of that region, and
 *		 not one where nothing is to be deleted
 *	  4. DescribeTable shows the record's table, with Feast's key, and not protected
 *		 against deletion
 *	  5. the record says that the deletion is pending
 * Send: DeleteTable, and nothing else.
 *
 * TRUNCATE comes this way, too, but its foreign table stays and so does the
 * record as it is (5.): if it is broken off, nothing is to be deleted later.
 *
 * In doubt a table is kept, and it is said.
 */
#ifndef DYN_DDL_DOOR_H
#define DYN_DDL_DOOR_H

#include "nodes/pg_list.h"

#include "net/table_job.h"
#include "pg/ddl/ddl_client.h"
#include "pg/ddl/ddl_record.h"
#include "pg/ddl/ddl_reference.h"

typedef enum DynVerdict
{
	DYN_VERDICT_NONE,			/* not judged yet */
	DYN_VERDICT_KEEP,
	DYN_VERDICT_GONE,			/* there is no such table any more; for TRUNCATE: or it is on its way out */
	DYN_VERDICT_WAIT,			/* may go, but not now: the record stays */
	DYN_VERDICT_SEND
} DynVerdict;

/* One deletion that is asked for. */
typedef struct DynDeletion
{
	DynRecord  *record;			/* of the table that is to go; perhaps not written yet */
	List	   *records;		/* of the same remote name */
	bool		truncates;		/* TRUNCATE: what is in the way is an error, and nothing is written */
	bool		by_hand;		/* its foreign table stays */
	bool		any_table;		/* drop_remote_table 'always': whatever table is there */
	bool		unwritten;		/* the record can't be written: nobody could ever sign by it */
	Oid			dropped_server; /* of a foreign table by another server or endpoint than the record's: it must mean
								 * the same table */
	const char *foreign_table;	/* that went last; NULL: an old record */
	DynDdlClient *client;		/* that signs; NULL: to be found */
	int			elevel;			/* of what is said: WARNING, or DEBUG1 where nobody asked */
	bool		moved;			/* the record's server now has another endpoint: what isn't there proves nothing */
	DynVerdict	verdict;
	DynTableJob job;			/* DescribeTable, then DeleteTable */
} DynDeletion;

/* In the current memory context, for a record and the foreign table that asks for it, if any. */
extern DynDeletion *dyn_deletion_new(DynRecord *record, const char *foreign_table);

/*
 * May they go?  Looks at all remote tables together, for `budget_ms`, sets the
 * verdicts and writes the records.  Cancel raises.
 */
extern void dyn_door_judge(List *deletions, DynReferences *references, int budget_ms);

/* The DeleteTable jobs of those that may go, into `jobs`; their number. */
extern int	dyn_door_jobs(List *deletions, DynTableJob **jobs);

/*
 * Both halves within a statement.  Returns how many tables are gone.  Cancel
 * raises.
 */
extern int	dyn_door_pass(List *deletions, DynReferences *references, int budget_ms);

#endif							/* DYN_DDL_DOOR_H */
