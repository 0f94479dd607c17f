/*
 * emptied.h
 *	  Foreign tables that the running TRUNCATE empties when it commits.
 *
 * A row that a trigger wrote by then would be lost without a word, so it is
 * refused.
 */
#ifndef DYN_EMPTIED_H
#define DYN_EMPTIED_H

#include "postgres_ext.h"

/* The foreign table is emptied at the end of this transaction. */
extern void dyn_emptied_note(Oid relid);

/* Raises that the foreign table can't be written now, if it is one of those. */
extern void dyn_emptied_check(Oid relid, const char *name);

/* The transaction is over. */
extern void dyn_emptied_forget(void);

#endif							/* DYN_EMPTIED_H */
