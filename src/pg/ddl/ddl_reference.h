/*
 * ddl_reference.h
 *	  Which foreign tables of this database mean which remote tables.
 */
#ifndef DYN_DDL_REFERENCE_H
#define DYN_DDL_REFERENCE_H

#include "nodes/pg_list.h"

/* A foreign table over a remote name. */
typedef struct DynReference
{
	struct DynReference *next;	/* over the same name */
	Oid			relid;
	Oid			owner;
	Oid			serverid;
	char	   *endpoint;
} DynReference;

typedef struct DynReferences DynReferences;

/* All that are there now; one pass over the catalog, in the current memory context. */
extern DynReferences *dyn_references_collect(void);

/* Those that were there before this transaction, which a ROLLBACK brings back. */
extern DynReferences *dyn_references_collect_before(void);

/* Both: for what is deleted before the transaction's end. */
extern DynReferences *dyn_references_collect_both(void);

/* A foreign table no longer counts as one over a remote name. */
extern void dyn_references_remove(DynReferences *references, Oid relid, const char *region, const char *table);

/* Those over a remote name, by whatever server or spelling of the endpoint; NULL: none. */
extern const DynReference *dyn_references_find(DynReferences *references, const char *region, const char *table);

/* The foreign tables of a server: OidList. */
extern List *dyn_tables_of_server(Oid serverid);

#endif							/* DYN_DDL_REFERENCE_H */
