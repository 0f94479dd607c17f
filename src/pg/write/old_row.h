/*
 * old_row.h
 *	  The row that UPDATE changes or DELETE deletes, as the plan read it.
 */
#ifndef DYN_OLD_ROW_H
#define DYN_OLD_ROW_H

#include "nodes/execnodes.h"

#include "pg/table/relation.h"

/* Where the plan's rows have it; and the one of the row at hand. */
typedef struct DynOldRow
{
	const DynRelation *rel;
	TupleDesc	desc;			/* of the foreign table */
	AttrNumber	whole_row;		/* junk column; InvalidAttrNumber: only the keys are there */
	AttrNumber *key_columns;	/* junk columns, where there is no whole row; in the order of rel->keys */
	Datum	   *values;			/* of all columns, if there is a whole row */
	bool	   *isnull;
	Datum	   *keys;			/* canonical (convert.h) */
} DynOldRow;

/* For a plan with this target list, in the current memory context. */
extern DynOldRow *dyn_old_row_new(const DynRelation *rel, TupleDesc desc, List *targetlist);

/* Takes the row of the plan's row, by reference or into the current memory context. */
extern void dyn_old_row_read(DynOldRow *old, TupleTableSlot *plan_slot);

/* Puts a copy of all of it into a slot, if there is a whole row; else the slot is empty. */
extern void dyn_old_row_store(const DynOldRow *old, TupleTableSlot *slot);

#endif							/* DYN_OLD_ROW_H */
