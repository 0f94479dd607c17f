/*
 * ddl_look.h
 *	  Looks at the settings that DescribeTable does not show: tags, and recovery
 *	  to a point in time.
 */
#ifndef DYN_DDL_LOOK_H
#define DYN_DDL_LOOK_H

#include "nodes/pg_list.h"

#include "core/ddb_reply.h"
#include "pg/ddl/ddl_client.h"
#include "pg/table/setting.h"

/* At one table. */
typedef struct DynLook DynLook;

/*
 * In the current memory context, at a table that DescribeTable has shown; what is
 * passed must live as long.  NULL: options say nothing of such settings, so nobody
 * has to be asked.
 */
extern DynLook *dyn_look_new(const DynWantedSettings *wanted, DynDdlClient *client, const char *table,
							 const DynTableDescription *shown);

/* Asks for all of them (DynLooks) at once, and waits.  Cancel raises; failures stay with their looks. */
extern void dyn_looks_wait(List *looks);

/* How the table differs from what is wanted, or what can't be told of that, palloc'd; NULL: it does not. */
extern char *dyn_look_difference(const DynLook *look);

#endif							/* DYN_DDL_LOOK_H */
