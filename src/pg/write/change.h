/*
 * change.h
 *	  Rows of UPDATE to updates of items.
 */
#ifndef DYN_CHANGE_H
#define DYN_CHANGE_H

#include "executor/tuptable.h"
#include "utils/relcache.h"

#include "core/update_op.h"
#include "net/write.h"
#include "pg/session/stored.h"
#include "pg/write/old_row.h"

typedef struct DynChangeEncoder
{
	const DynRelation *rel;
	DynUpdate	update;			/* of the row at hand */
	DynUpdateRow row;
	bool	   *assigned;		/* of each column: the statement sets it */
	bool		triggers;		/* may set others */
	int			nseen;			/* without these */
	bool		seen_event_ts;
	const DynStored *stored;	/* bytes that would be made otherwise, or NULL */
	const DynColumn **set;		/* columns of update.set, and of update.seen: */
	const DynColumn **seen;
	DynValueBytes *set_values;
	DynValueBytes *seen_values;
	size_t	   *ends;			/* of values in `bytes` */
	DynBuf	   *bytes;			/* values */
	DynBuf	   *body;
	DynBuf	   *key;			/* text */
} DynChangeEncoder;

/*
 * Of a statement that assigns columns, by attnum - FirstLowInvalidHeapAttributeNumber,
 * some new values of which depend on the values that these columns had.  In the
 * current memory context.  Raises where there are more than a request can name.
 */
extern DynChangeEncoder *dyn_change_encoder_new(const DynRelation *rel, Relation relation, const Bitmapset *assigned,
												bool triggers, List *seen_attnums);

/* The columns whose old values a statement may depend on, with its triggers and the write mode. */
extern List *dyn_change_seen_attnums(const DynChangeEncoder *encoder);

typedef enum DynChange
{
	DYN_CHANGE_MADE,
	DYN_CHANGE_NONE,			/* of nothing that is stored */
	DYN_CHANGE_REFUSED			/* its event time is older, which write_mode 'latest' does not want */
} DynChange;

/*
 * Makes the item of a row with this id, if there is a change.  Raises what can't be stored.
 * Leaves garbage in the current memory context.
 */
extern DynChange dyn_change_encode(DynChangeEncoder *encoder, const DynOldRow *old, const DynEntityId *id,
								   TupleTableSlot *slot, DynWriteItem *item);

#endif							/* DYN_CHANGE_H */
