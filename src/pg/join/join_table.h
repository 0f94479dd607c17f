/*
 * join_table.h
 *	  The remote tables that a lookup join asks: what is asked of each, and which
 *	  share requests.
 */
#ifndef DYN_JOIN_TABLE_H
#define DYN_JOIN_TABLE_H

#include "nodes/execnodes.h"

#include "core/ddb_op.h"
#include "net/counters.h"
#include "pg/read/projection.h"
#include "pg/session/connection.h"

/* Tables of one server, read by one user: keys of several may go in one request. */
typedef struct DynTableGroup
{
	Oid			serverid;
	Oid			userid;
	DynConnection *connection;	/* NULL: not needed so far */
	int			ntables;
	DynGetRequest *requests;	/* of each table */
	DynFeatureNames *features;	/* of each: all that its stages need */
	const DynRelation **rels;	/* of each: the first foreign table over it */
	int64	   *wanted;			/* of each, over all windows: keys of rows, repeated ones and all */
	int64	   *asked;			/* of each: keys asked for */
	int64	   *found;			/* of each: items */
	int64	   *answered;		/* of each: requests that asked for its keys */
	int			batch_size;		/* the least of the tables' */
	int			max_workers;	/* of all stages together; bounded */
	int			nstages;
	DynCounters counters;
} DynTableGroup;

/* The groups of a node; gives their connections back with its memory context. */
typedef struct DynJoinTables
{
	MemoryContextCallback callback;
	int			nstages;
	int			ngroups;
	DynTableGroup *groups;
} DynJoinTables;

/* Where a stage's table is. */
typedef struct DynTableNumber
{
	int			group;
	int			table;			/* of the group */
} DynTableNumber;

/* For so many stages at most. In the current memory context. */
extern DynJoinTables *dyn_join_tables_new(int nstages);

/*
 * Adds what a stage asks for, and tells the projection where its features will be among those of the table's items.
 * Stages over one remote table, by as many keys, share it.
 */
extern DynTableNumber dyn_join_tables_add(DynJoinTables *tables, DynProjection *projection, Oid userid,
										  bool consistent);

/* So many rows at most have keys that can all be asked for at once. */
extern int	dyn_join_tables_rows(const DynJoinTables *tables);

/* The group's connection, once; raises. */
extern DynConnection *dyn_join_tables_connect(DynTableGroup *group);

/* Gives all connections back. */
extern void dyn_join_tables_release(DynJoinTables *tables);

#endif							/* DYN_JOIN_TABLE_H */
