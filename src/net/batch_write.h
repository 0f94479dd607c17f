/*
 * batch_write.h
 *	  Writes many items: BatchWriteItem requests in flight side by side.
 *
 * Of two puts of one key the later wins, always: one that waits is replaced,
 * and while one is in flight the next is held back until that request ended.
 */
#ifndef DYN_BATCH_WRITE_H
#define DYN_BATCH_WRITE_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/feast_key.h"
#include "net/ddb_client.h"
#include "net/step.h"

typedef struct DynBatchWrite DynBatchWrite;

typedef struct DynBatchWriteConfig
{
	const char *table;			/* borrowed */
	int			batch_size;		/* items a request, at most DYN_MAX_WRITE_ITEMS are sent */
	int			max_workers;	/* requests in flight */
	bool		capacity;		/* ask what the requests consume */
	DynCounters *counters;		/* borrowed, may be NULL */
} DynBatchWriteConfig;

/* NULL: out of memory. The client is borrowed. */
extern DynBatchWrite *dyn_batch_write_new(DynClient *client, const DynBatchWriteConfig *config);

/*
 * Adds a put, made by dyn_op_put_begin/feature/end. `put` is moved and left
 * empty. Nothing is sent before dyn_batch_write_step(). False: out of memory,
 * which fails the write.
 */
extern bool dyn_batch_write_add(DynBatchWrite *write, const DynEntityId *id, DynBuf *put, DynStatus *status);

/*
 * Sends what can be sent and takes answers in.  With `flush` END means that
 * every item is acknowledged; without it, that there is room for another one.
 * WAIT: wait for the client and call again. A write that FAILED, of which an
 * item may be lost, has failed for good.
 */
extern DynStep dyn_batch_write_step(DynBatchWrite *write, bool flush, DynStatus *status);

/* Items acknowledged so far; replaced ones do not count. */
extern long dyn_batch_write_acknowledged(const DynBatchWrite *write);

/* Items sent and not answered: nobody knows whether they were written. */
extern long dyn_batch_write_in_flight(const DynBatchWrite *write);

/* At any time. NULL is fine. */
extern void dyn_batch_write_free(DynBatchWrite *write);

#endif							/* DYN_BATCH_WRITE_H */
