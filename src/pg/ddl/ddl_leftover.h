/*
 * ddl_leftover.h
 *	  What the end of a transaction learned and could not write any more: tables
 *	  that a rollback could not delete, which become records, deletions that
 *	  were accepted, whose records end, and tables that TRUNCATE made again,
 *	  which get their record.  Noted in plain memory until then.
 */
#ifndef DYN_DDL_LEFTOVER_H
#define DYN_DDL_LEFTOVER_H

#include "pg/ddl/ddl_note.h"
#include "pg/ddl/ddl_record.h"

/* Before anything may be left over: may throw, which an abort must not. */
extern void dyn_leftover_init(void);

/* Notes a table that an abort could not delete, and says so (`why`: in a form that can't fail). */
extern void dyn_leftover_add(const DynMade *made, const char *why);

/* Notes that DeleteTable was accepted; throws nothing. */
extern void dyn_leftover_accepted(const DynRecord *record);

/* Notes a table that TRUNCATE made again before its transaction was rolled back: the record shall be its; throws nothing. */
extern void dyn_leftover_made_again(const DynMade *made);

/* Before a commit: writes it, as far as there is a server by which to sign later. */
extern void dyn_leftovers_write(void);

/* That transaction ended; throws nothing. */
extern void dyn_leftovers_end_xact(bool committed);

/* Tries again to delete those that can't become records, with the clients they were made by. */
extern void dyn_leftovers_retry(void);

#endif							/* DYN_DDL_LEFTOVER_H */
