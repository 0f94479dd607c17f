/*
 * row.h
 *	  Rows of INSERT and COPY to items.
 */
#ifndef DYN_ROW_H
#define DYN_ROW_H

#include "datatype/timestamp.h"
#include "executor/tuptable.h"

#include "net/write.h"
#include "pg/table/relation.h"

typedef struct DynRowEncoder
{
	const DynRelation *rel;
	DynBuf	   *scratch;		/* serialized key, value bytes */
	DynBuf	  **heads;			/* of each column that is a feature: what stands before its value */
	DynBuf	   *item;
	DynBuf	   *key;			/* text, where it is wanted for messages */
	bool		wants_key;
	TimestampTz time;			/* the statement's, for tables without an event timestamp column, */
	char		event_ts[DYN_EVENT_TS_LEN]; /* and its text */
} DynRowEncoder;

/* In the current memory context. `wants_key`: items tell their key. */
extern DynRowEncoder *dyn_row_encoder_new(const DynRelation *rel, bool wants_key);

/* The entity id of a row. Raises where its key can't be stored. */
extern void dyn_row_id(DynRowEncoder *encoder, TupleTableSlot *slot, DynEntityId *id);

/*
 * Makes the item of a row.  Raises what can't be stored.  Leaves garbage in
 * the current memory context.
 */
extern void dyn_row_encode(DynRowEncoder *encoder, TupleTableSlot *slot, DynWriteItem *item);

#endif							/* DYN_ROW_H */
