/*
 * whole_item.h
 *	  Whole items as DynamoDB tells them, changed as an UpdateItem would change
 *	  them, to be put back.
 */
#ifndef DYN_WHOLE_ITEM_H
#define DYN_WHOLE_ITEM_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/feast_key.h"

/* The body of a BatchGetItem for whole items of one table, consistently. */
extern void dyn_whole_items_body(DynBuf *out, const char *table, const DynEntityId *ids, int n, bool capacity);

/* Its answer, read. */
typedef struct DynWholeItems DynWholeItems;

/* NULL: malformed, or it holds U+0000, or it tells of keys that are not among the ids. */
extern DynWholeItems *dyn_whole_items_read(const char *body, size_t len, const char *table, const DynEntityId *ids,
										   int n);
extern void dyn_whole_items_free(DynWholeItems *items);

/* So many keys were not processed; was this one not? */
extern int	dyn_whole_items_nunprocessed(const DynWholeItems *items);
extern bool dyn_whole_items_unprocessed(const DynWholeItems *items, const DynEntityId *id);

typedef enum DynApply
{
	DYN_APPLY_DONE,
	DYN_APPLY_REFUSED,			/* there is no such item, or the update's condition does not hold */
	DYN_APPLY_FAILED			/* no memory, or an item that is none of Feast's */
} DynApply;

/* Appends the item as the update (update_op.h) makes it. */
extern DynApply dyn_whole_items_apply(DynWholeItems *items, const DynEntityId *id, const DynBuf *update, DynBuf *out);

#endif							/* DYN_WHOLE_ITEM_H */
