/*
 * write.h
 *	  Writes many items: requests in flight side by side.
 *
 * Puts and deletes go by BatchWriteItem.  What has a condition, a put over
 * older items alone or an update, takes a request for itself.
 *
 * Of two writes of one key the later wins, always: one that waits is replaced,
 * and while one is in flight the next is held back until that request ended.
 */
#ifndef DYN_WRITE_H
#define DYN_WRITE_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/feast_key.h"
#include "core/feast_time.h"
#include "net/ddb_client.h"
#include "net/step.h"

typedef struct DynWrite DynWrite;

typedef struct DynWriteConfig
{
	/*
	 * BATCH_WRITE_ITEM: bodies are items to put (dyn_op_item_begin), none is a delete.  PUT_ITEM: items that replace
	 * no newer ones.  UPDATE_ITEM: bodies of updates (update_op.h).
	 */
	DynOp		op;
	bool		rewrite;		/* updates without UpdateItem: items are read, and put as a whole */
	const char *table;			/* borrowed */
	int			batch_size;		/* items a BatchWriteItem, at most DYN_MAX_WRITE_ITEMS are sent */
	int			max_workers;	/* requests in flight */
	bool		capacity;		/* ask what the requests consume */
	DynCounters *counters;		/* borrowed, may be NULL */
} DynWriteConfig;

/* What is written of a key. */
typedef struct DynWriteItem
{
	DynEntityId id;
	DynBuf		body;			/* moved */
	DynBuf		key;			/* text for messages, moved; may be empty */
	char		event_ts[DYN_EVENT_TS_LEN]; /* of PUT_ITEM */
} DynWriteItem;

/* NULL: out of memory. The client is borrowed. */
extern DynWrite *dyn_write_new(DynClient *client, const DynWriteConfig *config);

/*
 * Adds an item, whose buffers are left empty.  Nothing is sent before
 * dyn_write_step().  False: out of memory, which fails the write.
 */
extern bool dyn_write_add(DynWrite *write, DynWriteItem *item, DynStatus *status);

/*
 * Sends what can be sent and takes answers in.  With `flush` END means that
 * every item is acknowledged; without it, that there is room for another one.
 * WAIT: wait for the client and call again. A write that FAILED, of which an
 * item may be lost, has failed for good.
 */
extern DynStep dyn_write_step(DynWrite *write, bool flush, DynStatus *status);

/* Items acknowledged so far; replaced ones do not count, nor do puts that a newer item refused. */
extern long dyn_write_acknowledged(const DynWrite *write);

/* Items sent and not answered: nobody knows whether they were written. */
extern long dyn_write_in_flight(const DynWrite *write);

/* The operation that failed the write. */
extern DynOp dyn_write_failed_op(const DynWrite *write);

/* Key, as text, of the item whose request failed the write; NULL: it was not that of one item, or has no text. */
extern const char *dyn_write_failed_key(DynWrite *write);

/* At any time. NULL is fine. */
extern void dyn_write_free(DynWrite *write);

#endif							/* DYN_WRITE_H */
