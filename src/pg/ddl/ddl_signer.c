/*
 * ddl_signer.c
 *	  Who signs remote DDL.
 */
#include "pg/util/export.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "pg/ddl/ddl_signer.h"
#include "pg/ddl/ddl_snapshot.h"
#include "pg/util/extension.h"

/* ---- rows ---- */

/* What signing needs to know of a server. */
typedef struct ServerRow
{
	Oid			fdwid;
	Oid			owner;
	Acl		   *acl;			/* NULL: the default */
	List	   *options;
} ServerRow;

/* False: no such server. */
static bool
read_server(Oid serverid, Snapshot snapshot, ServerRow *row)
{
	Relation	rel = table_open(ForeignServerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_foreign_server_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(serverid));
	scan = systable_beginscan(rel, ForeignServerOidIndexId, true, snapshot, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		acl = heap_getattr(tuple, Anum_pg_foreign_server_srvacl, RelationGetDescr(rel), &isnull);

		row->fdwid = ((Form_pg_foreign_server) GETSTRUCT(tuple))->srvfdw;
		row->owner = ((Form_pg_foreign_server) GETSTRUCT(tuple))->srvowner;
		row->acl = isnull ? NULL : DatumGetAclPCopy(acl);
		row->options = dyn_snapshot_options(tuple, RelationGetDescr(rel), Anum_pg_foreign_server_srvoptions);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

/* The mapping of just this user (InvalidOid: PUBLIC's); InvalidOid: there is none. */
static Oid
read_mapping(Oid serverid, Oid userid, Snapshot snapshot, List **options)
{
	Relation	rel = table_open(UserMappingRelationId, AccessShareLock);
	Oid			umid = InvalidOid;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_user_mapping_umuser, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(userid));
	ScanKeyInit(&keys[1], Anum_pg_user_mapping_umserver, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(serverid));
	scan = systable_beginscan(rel, UserMappingUserServerIndexId, true, snapshot, 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		umid = ((Form_pg_user_mapping) GETSTRUCT(tuple))->oid;
		*options = dyn_snapshot_options(tuple, RelationGetDescr(rel), Anum_pg_user_mapping_umoptions);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return umid;
}

static bool
has_usage(const ServerRow *server, Oid userid)
{
	const Acl  *acl = server->acl ? server->acl : acldefault(OBJECT_FOREIGN_SERVER, server->owner);

	return superuser_arg(userid) || aclmask(acl, userid, server->owner, ACL_USAGE, ACLMASK_ANY) != 0;
}

/* ---- the whole ---- */

static DynSignerLack
find_signer(Oid serverid, Oid userid, Snapshot snapshot, DynSigner *signer)
{
	ServerRow	server;
	DynMappingFacts mapping = {0};
	DynIdentityLack lack;

	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(userid)))
		return DYN_SIGNER_NO_ROLE;
	if (!read_server(serverid, snapshot, &server) || !dyn_extension_has_wrapper(server.fdwid))
		return DYN_SIGNER_NO_SERVER;
	if (!has_usage(&server, userid))
		return DYN_SIGNER_NO_USAGE;
	mapping.umid = read_mapping(serverid, userid, snapshot, &mapping.options);
	mapping.own = OidIsValid(mapping.umid);
	if (!mapping.own)
		mapping.umid = read_mapping(serverid, InvalidOid, snapshot, &mapping.options);
	if (!OidIsValid(mapping.umid))
		return DYN_SIGNER_NO_MAPPING;
	mapping.server_owner = server.owner;
	mapping.server_options = server.options;
	signer->serverid = serverid;
	signer->server_options = server.options;
	signer->identity = dyn_identity_decide(userid, &mapping, &lack);
	if (signer->identity)
		return DYN_SIGNER_FOUND;
	return lack == DYN_IDENTITY_NOT_LENT ? DYN_SIGNER_NOT_LENT : DYN_SIGNER_NO_KEYS;
}

DynSigner *
dyn_signer_find(Oid serverid, Oid userid, CommandId command, DynSignerLack *lack)
{
	DynSigner  *signer = palloc0(sizeof(DynSigner));
	Snapshot	snapshot;

	AcceptInvalidationMessages();	/* of roles, which the snapshot doesn't show */
	snapshot = dyn_snapshot_before(command);
	*lack = find_signer(serverid, userid, snapshot, signer);
	UnregisterSnapshot(snapshot);
	return *lack == DYN_SIGNER_FOUND ? signer : NULL;
}

void
dyn_signer_status(DynSignerLack lack, Oid serverid, Oid userid, DynStatus *status)
{
	char	   *user = GetUserNameFromId(userid, true);
	DynClass	cls = lack == DYN_SIGNER_NO_USAGE ? DYN_ACCESS_DENIED : DYN_NO_CREDENTIALS;
	const char *what = "";

	switch (lack)
	{
		case DYN_SIGNER_FOUND:
			break;
		case DYN_SIGNER_NO_ROLE:
			what = "the role that owned its foreign table is gone";
			break;
		case DYN_SIGNER_NO_SERVER:
			what = "the server that it was made by is gone";
			break;
		case DYN_SIGNER_NO_USAGE:
			what = "has no USAGE privilege on the server";
			break;
		case DYN_SIGNER_NO_MAPPING:
			what = "has no user mapping for the server";
			break;
		case DYN_SIGNER_NO_KEYS:
			what = "has a user mapping without credentials";
			break;
		case DYN_SIGNER_NOT_LENT:
			what = "may not use the credentials of the server process";
			break;
	}
	dyn_status_clear(status);
	if (user && lack != DYN_SIGNER_NO_ROLE && lack != DYN_SIGNER_NO_SERVER)
		dyn_status_set(status, cls, "user \"%s\" %s", user, what);
	else
		dyn_status_set(status, cls, "%s", what);
}

void
dyn_signer_free(DynSigner *signer)
{
	if (signer)
		dyn_identity_free(signer->identity);
}
