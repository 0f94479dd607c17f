/*
 * ddl_target.c
 *	  A foreign table whose remote table is to be made or looked at.
 */
#include "pg/util/export.h"

#include "access/table.h"
#include "utils/rel.h"

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

void
dyn_target_refuse_option(const DynTarget *target, const char *option, const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("foreign table \"%s\" or its server has the option %s '%s'", target->name, option, value),
			 errhint("Whoever may alter the server, and the foreign table, can change the option.")));
	pg_unreachable();
}
