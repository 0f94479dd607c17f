/*
 * ddl_change.h
 *	  Changes settings of remote tables: before a commit, as the notes of
 *	  ddl_setting.c ask.
 *
 * A rollback before that has sent nothing.  If the commit fails after all, a
 * WARNING says what has been changed.
 */
#ifndef DYN_DDL_CHANGE_H
#define DYN_DDL_CHANGE_H

/* Where catalogs can be read; raises errors, and cancel acts. */
extern void dyn_change_before_commit(void);

/* The transaction was rolled back; throws nothing. */
extern void dyn_change_tell_rolled_back(void);

/* The transaction is over; throws nothing. */
extern void dyn_change_forget(void);

#endif							/* DYN_DDL_CHANGE_H */
