/*
 * batch_get.h
 *	  Reads many items by key, of one table or several: BatchGetItem requests
 *	  in flight side by side, items handed out as answers arrive.
 *
 * Memory is bounded by what is in flight, unless items are kept: a new request
 * starts only when an answered one is being read.
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
	const DynGetRequest *tables;	/* borrowed; of distinct names */
	int			ntables;
	const uint32_t *nkeys;		/* borrowed; of each table, may be 0 */
	const DynEntityId *keys;	/* borrowed; those of the first table, then those of the second, ...; distinct within
								 * a table */
	int			batch_size;		/* keys a request, of all tables together; at most DYN_MAX_GET_KEYS */
	int			max_workers;	/* requests in flight */
	bool		keep;			/* items stay valid until the read is freed, not only until the next call */
	DynCounters *counters;		/* borrowed, may be NULL */
} DynBatchGetConfig;

/* NULL: out of memory. The client is borrowed. */
extern DynBatchGet *dyn_batch_get_new(DynClient *client, const DynBatchGetConfig *config);

/* Starts the first window ahead of the first step, which tells if that failed. */
extern void dyn_batch_get_begin(DynBatchGet *get);

/*
 * The next item and the index of its key among all keys; the item is valid until
 * the next call, or longer (`keep`).  Its own `table` counts the tables of a
 * request, and is of no use here.  Keys that DynamoDB does not have give no item.
 * On FAILED, `status` says why; the read is over.
 */
extern DynStep dyn_batch_get_next(DynBatchGet *get, const DynItem **item, uint32_t *key, DynStatus *status);

/* After FAILED: the table that the failed request was for, or -1 where it was for several, or for none in particular. */
extern int	dyn_batch_get_failed_table(const DynBatchGet *get);

/* How many requests have asked for keys of the table so far, retries not counted. */
extern int64_t dyn_batch_get_requests(const DynBatchGet *get, int table);

/*
 * Begins again with the items that are here; false: they are not all in one
 * answer, and the keys have to be asked again.
 */
extern bool dyn_batch_get_rewind(DynBatchGet *get);

/* At any time. NULL is fine. */
extern void dyn_batch_get_free(DynBatchGet *get);

#endif							/* DYN_BATCH_GET_H */
