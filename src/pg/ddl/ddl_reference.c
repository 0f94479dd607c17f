/*
 * ddl_reference.c
 *	  Who means a remote table: a look at all foreign tables of the database.
 */
#include "pg/util/export.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_foreign_table.h"
#include "foreign/foreign.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "pg/ddl/ddl_reference.h"
#include "pg/table/relation.h"
#include "pg/util/extension.h"

/* Do the options of this foreign table, if it is still one of ours, name the remote table? */
static bool
table_means(Oid relid, const char *endpoint, const char *region, const char *table)
{
	char	   *name = get_rel_name(relid);
	ForeignTable *ft;
	ForeignServer *server;
	DynRemote  *remote;

	/* another session may be dropping it: nothing of it is sure to be there */
	if (name == NULL || !SearchSysCacheExists1(FOREIGNTABLEREL, ObjectIdGetDatum(relid)))
		return false;
	ft = GetForeignTable(relid);
	server = GetForeignServerExtended(ft->serverid, FSV_MISSING_OK);
	if (server == NULL || !dyn_extension_has_server(ft->serverid))
		return false;
	remote = dyn_remote_resolve(ft->options, server->options, name, NULL);
	return remote && strcmp(remote->table, table) == 0 && strcmp(remote->region, region) == 0 &&
		strcmp(remote->endpoint.url, endpoint) == 0;
}

bool
dyn_ddl_is_referenced(const char *endpoint, const char *region, const char *table, List *except)
{
	Relation	rel = table_open(ForeignTableRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	bool		found = false;

	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			relid = ((Form_pg_foreign_table) GETSTRUCT(tuple))->ftrelid;

		found = !list_member_oid(except, relid) && table_means(relid, endpoint, region, table);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}
