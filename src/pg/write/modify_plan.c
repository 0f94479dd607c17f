/*
 * modify_plan.c
 *	  Planning of modifications: what is supported, and what the new values of
 *	  an UPDATE depend on.
 */
#include "pg/util/export.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_attribute.h"
#include "optimizer/appendinfo.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/rel.h"

#include "pg/table/relation.h"
#include "pg/util/fdw.h"

int
dynamoIsForeignRelUpdatable(Relation rel)
{
	return (1 << CMD_INSERT) | (1 << CMD_UPDATE) | (1 << CMD_DELETE);
}

/* Raises that an UPDATE assigns an entity key. */
static void
check_assigned(const DynRelation *rel, List *attnums)
{
	ListCell   *lc;

	foreach(lc, attnums)
	{
		const DynColumn *column = &rel->columns[lfirst_int(lc) - 1];

		if (column->role == DYN_COLUMN_KEY)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("entity key column \"%s\" of feature view \"%s\" can't be changed", column->sql_name,
							rel->feature_view),
					 errhint("DELETE the row, and INSERT it with the other key.")));
	}
}

/*
 * The columns of the target that an UPDATE's new values are made of.  Columns
 * that the plan's rows bring along for the executor stand by themselves, and
 * count for nothing.
 */
static Bitmapset *
columns_in_values(List *targetlist, Index rti)
{
	Bitmapset  *used = NULL;
	ListCell   *lc;

	foreach(lc, targetlist)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);

		if (!entry->resjunk || !IsA(entry->expr, Var))
			pull_varattnos((Node *) entry->expr, rti, &used);
	}
	return used;
}

/* Attnums of columns that must still be what was read when an update is carried out. */
static List *
columns_seen(const DynRelation *rel, const Bitmapset *used)
{
	bool		whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);
	List	   *attnums = NIL;

	for (int i = 0; i < rel->ncolumns; i++)
	{
		const DynColumn *column = &rel->columns[i];

		if (column->role != DYN_COLUMN_FEATURE && column->role != DYN_COLUMN_EVENT_TIMESTAMP)
			continue;
		if (whole_row || bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber, used))
			attnums = lappend_int(attnums, column->attnum);
	}
	return attnums;
}

/* What the executor has to know of an UPDATE: the attnums of columns_seen(). */
static List *
plan_update(PlannerInfo *root, Index rti)
{
	Relation	relation = table_open(planner_rt_fetch(rti, root)->relid, NoLock);
	DynRelation *rel = dyn_relation_open(relation);
	List	   *targetlist;
	List	   *attnums;

	get_translated_update_targetlist(root, rti, &targetlist, &attnums);
	check_assigned(rel, attnums);
	table_close(relation, NoLock);
	return columns_seen(rel, columns_in_values(targetlist, rti));
}

List *
dynamoPlanForeignModify(PlannerInfo *root, ModifyTable *plan, Index result_relation, int subplan_index)
{
	switch (plan->operation)
	{
		case CMD_INSERT:
			if (plan->onConflictAction != ONCONFLICT_NONE)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("ON CONFLICT is not supported on foreign tables of dynamo_fdw"),
						 errhint("INSERT already replaces the row of an entity key.")));
			return NIL;
		case CMD_UPDATE:
			return plan_update(root, result_relation);
		case CMD_DELETE:
			return NIL;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("MERGE is not supported on foreign tables of dynamo_fdw"),
					 errhint("INSERT replaces the whole row of an entity key; UPDATE and DELETE change those that are there.")));
	}
	return NIL;
}
