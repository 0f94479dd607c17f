/*
 * ddl_moved.h
 *	  Foreign tables that mean another remote table than before the running
 *	  command.
 */
#ifndef DYN_DDL_MOVED_H
#define DYN_DDL_MOVED_H

#include "pg/table/relation.h"

/* The remote table that a foreign table meant before the command; NULL: none, or the foreign table is new. */
extern DynRemote *dyn_moved_from(Oid relid, Oid serverid);

/* A foreign table means another remote table now: says so of the one before, if that is left with a record alone. */
extern void dyn_moved_tell_left(const DynRemote *before);

/* ALTER SERVER makes and deletes nothing: says which foreign tables mean another remote table now. */
extern void dyn_moved_tell_tables(Oid serverid);

#endif							/* DYN_DDL_MOVED_H */
