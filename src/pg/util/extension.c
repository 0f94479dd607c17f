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
#include "utils/rel.h"
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

Oid
dyn_relation_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}
	return owner;
}

Oid
dyn_extension_require_own_table(Oid relid)
{
	char	   *name = get_rel_name(relid);
	Oid			owner = dyn_relation_owner(relid);

	if (name == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", relid)));
	if (!dyn_extension_has_table(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a foreign table of dynamo_fdw", name)));
	if (!has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of foreign table %s", name)));
	return owner;
}

Oid
dyn_extension_relation(const char *name)
{
	Oid			extension;
	Oid			namespace;
	Oid			relid;

	if (!dyn_extension_find(&extension, &namespace))
		return InvalidOid;
	relid = get_relname_relid(name, namespace);
	return OidIsValid(relid) && getExtensionOfObject(RelationRelationId, relid) == extension ? relid : InvalidOid;
}

/* Are the columns those that this module reads and writes? */
static bool
has_columns(Relation rel, const char *const *columns, int ncolumns)
{
	TupleDesc	desc = RelationGetDescr(rel);

	if (desc->natts != ncolumns)
		return false;
	for (int i = 0; i < ncolumns; i++)
		if (TupleDescAttr(desc, i)->attisdropped || strcmp(NameStr(TupleDescAttr(desc, i)->attname), columns[i]) != 0)
			return false;
	return true;
}

Relation
dyn_extension_open_table(const char *name, const char *const *columns, int ncolumns, LOCKMODE mode)
{
	Oid			relid = dyn_extension_relation(name);
	Relation	rel = OidIsValid(relid) ? try_table_open(relid, mode) : NULL;

	if (rel && !has_columns(rel, columns, ncolumns))
	{
		table_close(rel, mode);
		return NULL;
	}
	return rel;
}

void
dyn_extension_report_version(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("extension dynamo_fdw in this database is not of the version of its library"),
			 errhint("Use ALTER EXTENSION dynamo_fdw UPDATE.")));
	pg_unreachable();
}
