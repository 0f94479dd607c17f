/*
 * ddl_truncate.h
 *	  TRUNCATE: remote tables are deleted, and made again.
 *
 * It stands alone: not in a transaction block, function, trigger or pipeline.
 * So its commit follows at once, and that is where the work is done, of all its
 * tables together: everything else of the statement has succeeded by then, and
 * errors and a cancel are still possible.
 *
 * No record says that it runs.  The record of the table that was deleted stays
 * until the new table has its own, so whatever breaks it off leaves a record
 * whose table is gone: whoever is asked to make it (TRUNCATE again,
 * dynamo_fdw_create_table()) does so.  Nothing is ever deleted later.
 */
#ifndef DYN_DDL_TRUNCATE_H
#define DYN_DDL_TRUNCATE_H

/* Before a commit: deletes the remote tables of the foreign tables that TRUNCATE named, and makes them again.  Raises. */
extern void dyn_truncate_before_commit(void);

/* The transaction is over; throws nothing. */
extern void dyn_truncate_forget(void);

#endif							/* DYN_DDL_TRUNCATE_H */
