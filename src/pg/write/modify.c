/*
 * modify.c
 *	  Execution of INSERT, COPY, UPDATE and DELETE: the callbacks of the executor.
 */
#include "pg/util/export.h"

#include "commands/trigger.h"
#include "executor/executor.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "pg/convert/convert.h"
#include "pg/util/fdw.h"
#include "pg/util/scratch.h"
#include "pg/write/change.h"
#include "pg/write/modify.h"
#include "pg/write/row.h"
#include "pg/write/writer.h"

/* A modification of one result relation that runs; in the query's memory. */
typedef struct ModifyState
{
	DynWriter  *writer;
	MemoryContext row_context;	/* reset for each row */
	DynRowEncoder *encoder;		/* of INSERT and COPY */
	bool		ack_each;		/* see fires_before_end() */
	DynOldRow  *old;			/* of UPDATE and DELETE */
	DynChangeEncoder *change;	/* of UPDATE */
	DynBuf	   *scratch;		/* of UPDATE and DELETE: the serialized key */
	HTAB	   *done;			/* entity ids that were changed; NULL: the plan has every row once */
	struct ModifyState *moved;	/* of UPDATE: rows that it moves here, from other partitions */
} ModifyState;

/* ---- begin ---- */

/* In the query's memory. */
static ModifyState *
new_state(ResultRelInfo *rinfo, EState *estate, CmdType operation)
{
	ModifyState *state = MemoryContextAllocZero(estate->es_query_cxt, sizeof(ModifyState));

	state->writer = dyn_writer_new(rinfo, estate, operation);
	state->row_context = AllocSetContextCreate(estate->es_query_cxt, "dynamo_fdw row", ALLOCSET_DEFAULT_SIZES);
	return state;
}

/* Begins INSERT, COPY, or the rows that UPDATE moves here. */
static ModifyState *
begin_insert(ResultRelInfo *rinfo, EState *estate)
{
	ModifyState *state = new_state(rinfo, estate, CMD_INSERT);
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);

	state->encoder = dyn_row_encoder_new(state->writer->rel, state->writer->op != DYN_OP_BATCH_WRITE_ITEM);
	MemoryContextSwitchTo(old);
	return state;
}

/* A set of entity ids. */
static HTAB *
make_id_set(MemoryContext context)
{
	HASHCTL		control = {0};

	control.keysize = control.entrysize = sizeof(DynEntityId);
	control.hcxt = context;
	return hash_create("dynamo_fdw changed rows", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * What UPDATE needs besides.  Generated columns count as assigned if the
 * statement assigns a part of them.  Where there are triggers the server
 * computes all of them; there they are changed if their value is another one,
 * as if by a trigger.
 */
static void
begin_update(ModifyState *state, ResultRelInfo *rinfo, EState *estate, List *seen_attnums)
{
	const DynRelation *rel = state->writer->rel;
	bool		triggers = rinfo->ri_TrigDesc && rinfo->ri_TrigDesc->trig_update_before_row;
	List	   *attnums;

	state->change = dyn_change_encoder_new(rel, rinfo->ri_RelationDesc, ExecGetUpdatedCols(rinfo, estate), triggers,
										   seen_attnums);
	attnums = dyn_change_seen_attnums(state->change);
	if (attnums != NIL)
		state->change->stored = dyn_stored_new(estate, rel->relid, attnums);
}

/* Begins UPDATE or DELETE; a join may have a row of the target several times. */
static void
begin_change(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *seen_attnums)
{
	EState	   *estate = mtstate->ps.state;
	ModifyState *state = new_state(rinfo, estate, mtstate->operation);
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	const DynRelation *rel = state->writer->rel;
	Plan	   *subplan = outerPlan(mtstate->ps.plan);

	state->old = dyn_old_row_new(rel, RelationGetDescr(rinfo->ri_RelationDesc), subplan->targetlist);
	state->scratch = dyn_scratch_new(estate->es_query_cxt);
	if (mtstate->operation == CMD_UPDATE)
		begin_update(state, rinfo, estate, seen_attnums);
	if (!IsA(subplan, ForeignScan))
		state->done = make_id_set(estate->es_query_cxt);
	rinfo->ri_FdwState = state;
	MemoryContextSwitchTo(old);
}

void
dynamoBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rinfo, List *fdw_private, int subplan_index,
						 int eflags)
{
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	if (mtstate->operation == CMD_INSERT)
		rinfo->ri_FdwState = begin_insert(rinfo, mtstate->ps.state);
	else
		begin_change(mtstate, rinfo, fdw_private);
}

/*
 * COPY fires AFTER triggers before it ends the foreign insert, and tells nobody
 * which row is the last: where there are such triggers, each row is
 * acknowledged before the next one, and before its trigger is queued.
 */
static bool
fires_before_end(const ResultRelInfo *rinfo)
{
	const TriggerDesc *triggers = rinfo->ri_TrigDesc;

	return triggers && (triggers->trig_insert_after_row || triggers->trig_insert_after_statement);
}

/*
 * COPY, or a row that INSERT into a partitioned table, or UPDATE of one, brings
 * here.  That UPDATE may change rows that are here, too.
 */
void
dynamoBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rinfo)
{
	ModifyTable *plan = (ModifyTable *) mtstate->ps.plan;
	ModifyState *changes = rinfo->ri_FdwState;
	ModifyState *state;

	if (plan && plan->onConflictAction != ONCONFLICT_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("ON CONFLICT is not supported on foreign tables of dynamo_fdw"),
				 errhint("INSERT already replaces the row of an entity key.")));
	state = begin_insert(rinfo, mtstate->ps.state);
	state->ack_each = plan == NULL &&
		(fires_before_end(rinfo) || (rinfo->ri_RootResultRelInfo && fires_before_end(rinfo->ri_RootResultRelInfo)));
	if (changes)
	{
		changes->moved = state;
		state->writer->counters.parent = &changes->writer->counters;
	}
	else
		rinfo->ri_FdwState = state;
}

const DynCounters *
dyn_modify_counters(ResultRelInfo *rinfo)
{
	ModifyState *state = rinfo->ri_FdwState;

	return state ? &state->writer->counters : NULL;
}

/* ---- rows ---- */

/* Notes that a row is changed or deleted; false: it is so already. */
static bool
is_first_time(ModifyState *state, const DynEntityId *id)
{
	bool		found = false;

	if (state->done)
		hash_search(state->done, id, HASH_ENTER, &found);
	return !found;
}

/* Adds a new row. */
static void
insert_row(ModifyState *state, TupleTableSlot *slot)
{
	DynWriteItem item;

	/* room first: the new row must not leave before the server has checked it (WITH CHECK OPTION) */
	dyn_writer_make_room(state->writer);
	dyn_row_encode(state->encoder, slot, &item);
	dyn_writer_add(state->writer, &item);
	if (state->ack_each)
		dyn_writer_flush(state->writer);
}

/*
 * Adds a row that an UPDATE moves to where it changes other rows, too.  The plan
 * may still find it there, and it comes after an earlier change of its key.
 */
static void
move_row(ModifyState *state, TupleTableSlot *slot)
{
	ErrorContextCallback context;
	DynEntityId id;

	dyn_writer_push_context(state->moved->writer, &context);
	dyn_row_id(state->moved->encoder, slot, &id);
	if (!is_first_time(state, &id))
		dyn_writer_flush(state->writer);
	insert_row(state->moved, slot);
	dyn_writer_pop_context(&context);
}

TupleTableSlot *
dynamoExecForeignInsert(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	ModifyState *state = rinfo->ri_FdwState;
	MemoryContext old = MemoryContextSwitchTo(state->row_context);
	ErrorContextCallback context;

	dyn_writer_push_context(state->writer, &context);
	if (state->moved)
		move_row(state, slot);
	else
		insert_row(state, slot);
	dyn_writer_pop_context(&context);
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->row_context);
	return slot;
}

/* Adds what an UPDATE makes of a row; false: nothing, as an earlier row of the plan has changed it, or it is refused. */
static bool
update_row(ModifyState *state, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	DynWriteItem item;
	DynEntityId id;

	dyn_writer_make_room(state->writer);
	dyn_old_row_read(state->old, plan_slot);
	dyn_key_id(state->old->rel, state->old->keys, state->scratch, &id);
	if (!is_first_time(state, &id))
		return false;
	switch (dyn_change_encode(state->change, state->old, &id, slot, &item))
	{
		case DYN_CHANGE_MADE:
			dyn_writer_add(state->writer, &item);
			return true;
		case DYN_CHANGE_NONE:
			return true;
		case DYN_CHANGE_REFUSED:
			DYN_COUNT(&state->writer->counters, items_refused, 1);
			return false;
	}
	pg_unreachable();
}

TupleTableSlot *
dynamoExecForeignUpdate(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	ModifyState *state = rinfo->ri_FdwState;
	MemoryContext old = MemoryContextSwitchTo(state->row_context);
	ErrorContextCallback context;
	bool		changed;

	dyn_writer_push_context(state->writer, &context);
	changed = update_row(state, slot, plan_slot);
	dyn_writer_pop_context(&context);
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->row_context);
	return changed ? slot : NULL;
}

/* Adds the deletion of a row, which is put into the slot where RETURNING shows it; false: it is deleted already. */
static bool
delete_row(ModifyState *state, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	DynWriteItem item = {0};

	dyn_writer_make_room(state->writer);
	dyn_old_row_read(state->old, plan_slot);
	dyn_key_id(state->old->rel, state->old->keys, state->scratch, &item.id);
	if (!is_first_time(state, &item.id))
		return false;
	dyn_writer_add(state->writer, &item);
	dyn_old_row_store(state->old, slot);
	return true;
}

TupleTableSlot *
dynamoExecForeignDelete(EState *estate, ResultRelInfo *rinfo, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	ModifyState *state = rinfo->ri_FdwState;
	MemoryContext old = MemoryContextSwitchTo(state->row_context);
	ErrorContextCallback context;
	bool		deleted;

	dyn_writer_push_context(state->writer, &context);
	deleted = delete_row(state, slot, plan_slot);
	dyn_writer_pop_context(&context);
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->row_context);
	return deleted ? slot : NULL;
}

/* ---- end ---- */

/* The backstop: all is acknowledged when this returns. Nothing to do where it was only explained. */
static void
end_modify(ModifyState *state)
{
	if (state != NULL)
		dyn_writer_end(state->writer);
}

void
dynamoEndForeignModify(EState *estate, ResultRelInfo *rinfo)
{
	end_modify(rinfo->ri_FdwState);
}

/* Also of an UPDATE that moved rows here; of rows that it changed the end is told by itself. */
void
dynamoEndForeignInsert(EState *estate, ResultRelInfo *rinfo)
{
	ModifyState *state = rinfo->ri_FdwState;

	end_modify(state && state->moved ? state->moved : state);
}
