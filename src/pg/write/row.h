/*
 * row.h
 *	  Rows to items: the put that stores a row.
 */
#ifndef DYN_ROW_H
#define DYN_ROW_H

#include "executor/tuptable.h"

#include "core/buf.h"
#include "core/feast_key.h"
#include "core/feast_time.h"
#include "pg/table/relation.h"

typedef struct DynRowEncoder
{
	const DynRelation *rel;
	DynBuf	   *scratch;		/* serialized key, value bytes */
	DynBuf	   *put;			/* the item that dyn_row_encode() made */
	char		event_ts[DYN_EVENT_TS_LEN]; /* the statement's, for tables without the column */
} DynRowEncoder;

/* In the current memory context. */
extern DynRowEncoder *dyn_row_encoder_new(const DynRelation *rel);

/*
 * Makes encoder->put of a row and tells its id.  Raises what can't be stored.
 * Leaves garbage in the current memory context.
 */
extern void dyn_row_encode(DynRowEncoder *encoder, TupleTableSlot *slot, DynEntityId *id);

#endif							/* DYN_ROW_H */
