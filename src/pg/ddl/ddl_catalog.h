/*
 * ddl_catalog.h
 *	  The extension's own tables: which remote tables CREATE here made, and
 *	  which are still to be deleted.
 *
 * Read and written by table API, free of privileges and search_path.
 */
#ifndef DYN_DDL_CATALOG_H
#define DYN_DDL_CATALOG_H

#include "nodes/pg_list.h"
#include "storage/itemptr.h"

#include "core/ddb_reply.h"
#include "pg/table/relation.h"

/* A remote table as it was when CREATE here made it. */
typedef struct DynOwned
{
	char	   *endpoint;
	char	   *region;
	char	   *table;
	char	   *table_id;		/* "" where the service has none: then `created` counts */
	char	   *created;
	Oid			database;
	int64		system_identifier;
	Oid			owner;			/* of the foreign table: a pending deletion uses its user mapping */
	ItemPointerData tid;
} DynOwned;

/* Is the row of the remote table that has this place and name? */
extern bool dyn_owned_is_at(const DynOwned *owned, const DynRemote *remote);

/* Is it the very table that DescribeTable shows? */
extern bool dyn_owned_matches(const DynOwned *owned, const DynTableDescription *shown);

/* Made by this database of this cluster, not by the one it was cloned from? */
extern bool dyn_owned_is_ours(const DynOwned *owned);

/* Are the tables there?  Not while DROP EXTENSION runs. */
extern bool dyn_catalog_exists(void);

/* Is it the table of owned rows? */
extern bool dyn_catalog_is_owned_table(Oid relid);

/* Lists of DynOwned, palloc'd; NIL where the table is not there. */
extern List *dyn_catalog_owned(void);
extern List *dyn_catalog_pending(void);

extern void dyn_catalog_add_owned(const DynOwned *owned);
extern void dyn_catalog_add_pending(const DynOwned *pending);
extern void dyn_catalog_remove_owned(const DynOwned *owned);	/* by its tid */
extern void dyn_catalog_remove_pending(const DynOwned *pending);

/* Only one session at a time works on pending rows; false: another one does. */
extern bool dyn_catalog_lock_pending(void);

#endif							/* DYN_DDL_CATALOG_H */
