/*
 * ddl_target.c
 *	  A foreign table whose remote table is to be made or looked at.
 */
#include "pg/util/export.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "pg/ddl/ddl_target.h"

DynTarget *
dyn_target_new(Oid relid)
{
	DynTarget  *target = palloc0(sizeof(DynTarget));
	Relation	rel = table_open(relid, AccessShareLock);

	target->rel = dyn_relation_open(rel);
	target->name = pstrdup(RelationGetRelationName(rel));
	target->owner = rel->rd_rel->relowner;
	table_close(rel, AccessShareLock);
	return target;
}

Oid
dyn_target_owner(Oid relid)
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
