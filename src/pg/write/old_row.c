/*
 * old_row.c
 *	  The row that UPDATE changes or DELETE deletes, as the plan read it.
 *
 * The server has the plan bring the whole row where it needs it: for UPDATE,
 * and for row triggers.  DELETE needs the keys alone, unless RETURNING shows
 * the row.
 */
#include "pg/util/export.h"

#include "access/htup_details.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "optimizer/appendinfo.h"
#include "utils/rel.h"

#include "pg/convert/convert.h"
#include "pg/util/fdw.h"
#include "pg/write/old_row.h"

/* The server's name of the junk column. */
#define WHOLE_ROW "wholerow"

/*
 * Name of a key's junk column.  Tables of one inheritance tree share a column
 * of one name, so it tells all that their Vars may differ in.
 */
static char *
key_column_name(Form_pg_attribute attr)
{
	return psprintf("dynamo_fdw %d %u %d %u", attr->attnum, attr->atttypid, attr->atttypmod, attr->attcollation);
}

void
dynamoAddForeignUpdateTargets(PlannerInfo *root, Index rtindex, RangeTblEntry *target_rte, Relation target_relation)
{
	DynRelation *rel = dyn_relation_open(target_relation);
	TupleDesc	desc = RelationGetDescr(target_relation);

	if (root->parse->commandType == CMD_DELETE && root->parse->returningList != NIL)
		add_row_identity_var(root, makeVar(rtindex, InvalidAttrNumber, RECORDOID, -1, InvalidOid, 0), rtindex, WHOLE_ROW);
	for (int i = 0; i < rel->nkeys; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, rel->keys[i]->attnum - 1);
		Var		   *key = makeVar(rtindex, attr->attnum, attr->atttypid, attr->atttypmod, attr->attcollation, 0);

		add_row_identity_var(root, key, rtindex, key_column_name(attr));
	}
}

DynOldRow *
dyn_old_row_new(const DynRelation *rel, TupleDesc desc, List *targetlist)
{
	DynOldRow  *old = palloc0(sizeof(DynOldRow));

	old->rel = rel;
	old->desc = desc;
	old->whole_row = ExecFindJunkAttributeInTlist(targetlist, WHOLE_ROW);
	old->key_columns = palloc0(sizeof(AttrNumber) * Max(rel->nkeys, 1));
	for (int i = 0; i < rel->nkeys; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, rel->keys[i]->attnum - 1);

		old->key_columns[i] = ExecFindJunkAttributeInTlist(targetlist, key_column_name(attr));
		if (!AttributeNumberIsValid(old->key_columns[i]))
			elog(ERROR, "the plan has no column for entity key \"%s\"", NameStr(attr->attname));
	}
	old->values = palloc(sizeof(Datum) * Max(desc->natts, 1));
	old->isnull = palloc(sizeof(bool) * Max(desc->natts, 1));
	old->keys = palloc(sizeof(Datum) * Max(rel->nkeys, 1));
	return old;
}

/* A junk column that is never NULL. */
static Datum
junk_value(TupleTableSlot *plan_slot, AttrNumber column)
{
	bool		isnull;
	Datum		value = ExecGetJunkAttribute(plan_slot, column, &isnull);

	if (isnull)
		elog(ERROR, "the plan's row has no row of the target");
	return value;
}

void
dyn_old_row_read(DynOldRow *old, TupleTableSlot *plan_slot)
{
	for (int i = 0; i < old->rel->nkeys; i++)
		old->keys[i] = dyn_key_from_datum(old->rel->keys[i], junk_value(plan_slot, old->key_columns[i]));
	if (AttributeNumberIsValid(old->whole_row))
	{
		HeapTupleHeader header = DatumGetHeapTupleHeader(junk_value(plan_slot, old->whole_row));
		HeapTupleData tuple = {0};

		tuple.t_len = HeapTupleHeaderGetDatumLength(header);
		tuple.t_data = header;
		heap_deform_tuple(&tuple, old->desc, old->values, old->isnull);
	}
}

void
dyn_old_row_store(const DynOldRow *old, TupleTableSlot *slot)
{
	ExecClearTuple(slot);
	if (!AttributeNumberIsValid(old->whole_row))
		return;
	memcpy(slot->tts_values, old->values, sizeof(Datum) * old->desc->natts);
	memcpy(slot->tts_isnull, old->isnull, sizeof(bool) * old->desc->natts);
	ExecStoreVirtualTuple(slot);
	ExecMaterializeSlot(slot);
}
