/*
 * projection.h
 *	  What is asked for of a foreign table's items, and a row of each item that
 *	  comes.
 */
#ifndef DYN_PROJECTION_H
#define DYN_PROJECTION_H

#include "datatype/timestamp.h"
#include "executor/tuptable.h"

#include "core/item_scan.h"
#include "pg/session/stored.h"
#include "pg/table/relation.h"

typedef struct DynProjection
{
	DynRelation *rel;
	bool		event_ts;		/* is it asked for? */
	DynColumn  *time_column;	/* that shows it, or NULL */
	TimestampTz oldest;			/* event time that is not too old; only where rel->ttl is set */
	DynFeatureNames features;
	DynColumn **columns;		/* of the features */
	int		   *positions;		/* of the features among those that the items hold: their own, at first */
	DynStored  *stored;			/* of an UPDATE that depends on what it reads, else NULL */
	DynBuf	   *scratch;		/* where that is so */
} DynProjection;

/*
 * `attnums`: columns to fetch beside the keys.  In the current memory context; raises what is wrong with a column.
 * What has expired by the start of the transaction counts as that for as long as the projection is used.
 */
extern DynProjection *dyn_projection_new(DynRelation *rel, List *attnums);

/*
 * Has the item, asked by these keys, expired?  So has one without an event time: nobody knows how old it is.  Raises
 * where the event time can't be read.
 */
extern bool dyn_projection_expired(const DynProjection *projection, const DynItem *item, const Datum *keys);

/*
 * Stores the row of an item, and of the keys (convert.h) that it was asked by, in a virtual slot of the table's row type.
 * The values live in the current memory context, or point into the keys.  Raises what the stored bytes have against
 * the columns.
 */
extern void dyn_projection_row(const DynProjection *projection, const DynItem *item, const Datum *keys,
							   TupleTableSlot *slot);

/* If this is the target of an UPDATE that depends on what it reads: rows are prepared for it from now on. */
extern void dyn_projection_for_update(DynProjection *projection, const EState *estate);

#endif							/* DYN_PROJECTION_H */
