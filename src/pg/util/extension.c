/*
 * extension.c
 *	  Which objects of the database belong to this extension.
 */
#include "pg/util/export.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "pg/util/compat.h"
#include "pg/util/extension.h"

bool
dyn_extension_find(Oid *extension, Oid *namespace)
{
	Relation	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum("dynamo_fdw"));
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		*extension = ((Form_pg_extension) GETSTRUCT(tuple))->oid;
		*namespace = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

bool
dyn_extension_has_wrapper(Oid fdwid)
{
	ForeignDataWrapper *fdw = GetForeignDataWrapperExtended(fdwid, FDW_MISSING_OK);
	Oid			extension = get_extension_oid("dynamo_fdw", true);

	return fdw != NULL && OidIsValid(extension) && OidIsValid(fdw->fdwhandler) &&
		getExtensionOfObject(ProcedureRelationId, fdw->fdwhandler) == extension;
}

bool
dyn_extension_has_server(Oid serverid)
{
	ForeignServer *server = GetForeignServerExtended(serverid, FSV_MISSING_OK);

	return server != NULL && dyn_extension_has_wrapper(server->fdwid);
}

ForeignServer *
dyn_extension_usable_server(const char *name)
{
	ForeignServer *server = GetForeignServerByName(name, false);
	AclResult	acl = object_aclcheck(ForeignServerRelationId, server->serverid, GetUserId(), ACL_USAGE);

	if (!dyn_extension_has_server(server->serverid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("server \"%s\" is not one of dynamo_fdw", server->servername)));
	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_FOREIGN_SERVER, server->servername);
	return server;
}

bool
dyn_extension_has_table(Oid relid)
{
	return get_rel_relkind(relid) == RELKIND_FOREIGN_TABLE &&
		SearchSysCacheExists1(FOREIGNTABLEREL, ObjectIdGetDatum(relid)) &&
		dyn_extension_has_server(GetForeignTable(relid)->serverid);
}

char *
dyn_extension_qualify(const char *function)
{
	Oid			extension;
	Oid			namespace;

	if (!dyn_extension_find(&extension, &namespace))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"dynamo_fdw\" is not installed in this database")));
	return quote_qualified_identifier(get_namespace_name(namespace), function);
}
