/*
 * batch_get.h
 *	  Reads many items by key: BatchGetItem requests in flight side by side,
 *	  items handed out as answers arrive.
 *
 * Memory is bounded by what is in flight: a new request starts only when an
 * answered one is being read.
 */
#ifndef DYN_BATCH_GET_H
#define DYN_BATCH_GET_H

#include <stdint.h>

#include "core/ddb_op.h"
#include "core/item_scan.h"
#include "net/ddb_client.h"
#include "net/step.h"

typedef struct DynBatchGet DynBatchGet;

typedef struct DynBatchGetConfig
{
	DynGetRequest request;		/* borrowed */
	const DynEntityId *keys;	/* borrowed, distinct */
	uint32_t	nkeys;
	int			batch_size;		/* keys a request */
	int			max_workers;	/* requests in flight */
	DynCounters *counters;		/* borrowed, may be NULL */
} DynBatchGetConfig;

/* NULL: out of memory. The client is borrowed. */
extern DynBatchGet *dyn_batch_get_new(DynClient *client, const DynBatchGetConfig *config);

/* Starts the first window ahead of the first step, which tells if that failed. */
extern void dyn_batch_get_begin(DynBatchGet *get);

/*
 * The next item and the index of its key; the item is valid until the next
 * call.  Keys that DynamoDB does not have give no item.  On FAILED, `status`
 * says why; the read is over.
 */
extern DynStep dyn_batch_get_next(DynBatchGet *get, const DynItem **item, uint32_t *key, DynStatus *status);

/*
 * Begins again with the items that are here; false: they are not all in one
 * answer, and the keys have to be asked again.
 */
extern bool dyn_batch_get_rewind(DynBatchGet *get);

/* At any time. NULL is fine. */
extern void dyn_batch_get_free(DynBatchGet *get);

#endif							/* DYN_BATCH_GET_H */
