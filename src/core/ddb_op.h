/*
 * ddb_op.h
 *	  Operations of DynamoDB: names, request bodies (those about tables are
 *	  table_op.h's), and what an error code means.
 */
#ifndef DYN_DDB_OP_H
#define DYN_DDB_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/feast_key.h"
#include "core/item_scan.h"
#include "core/status.h"

typedef enum DynOp
{
	DYN_OP_BATCH_GET_ITEM,
	DYN_OP_BATCH_WRITE_ITEM,
	DYN_OP_PUT_ITEM,
	DYN_OP_UPDATE_ITEM,
	DYN_OP_CREATE_TABLE,
	DYN_OP_DESCRIBE_TABLE,
	DYN_OP_DELETE_TABLE,
	DYN_OP_UPDATE_TIME_TO_LIVE,
	DYN_OP_UPDATE_TABLE,
	DYN_OP_UPDATE_CONTINUOUS_BACKUPS,
	DYN_OP_DESCRIBE_CONTINUOUS_BACKUPS,
	DYN_OP_LIST_TAGS_OF_RESOURCE,
	DYN_OP_TAG_RESOURCE,
	DYN_OP_UNTAG_RESOURCE
} DynOp;

#define DYN_OP_COUNT 14

#define DYN_MAX_WRITE_ITEMS 25	/* of one BatchWriteItem */
#define DYN_MAX_REQUEST_BYTES (16 * 1024 * 1024)
#define DYN_MAX_ITEM_BYTES (400 * 1024)

extern const char *dyn_op_name(DynOp op);	/* "BatchGetItem" */
extern const char *dyn_op_target(DynOp op); /* value of X-Amz-Target */

/* 3-255 of [a-zA-Z0-9_.-] */
extern bool dyn_table_name_valid(const char *name);

/* What an answer other than 200 means, from its HTTP status and aws_code. */
extern DynClass dyn_op_classify(int http_status, const char *aws_code, const char *message);

/* What is asked of a table, beside the keys. */
typedef struct DynGetRequest
{
	const char *table;
	bool		consistent;
	bool		event_ts;		/* ask for it */
	const DynFeatureNames *features;
	bool		capacity;		/* ask what the request consumes */
} DynGetRequest;

/*
 * The body of a BatchGetItem: begin, then for each table its prefix, its keys
 * and its suffix, a comma between the tables, and end.  What a table has beside
 * its keys is the same in every request, so a read makes it once.
 */
extern void dyn_op_get_begin(DynBuf *out);
extern void dyn_op_get_prefix(DynBuf *out, const DynGetRequest *request);	/* up to the keys */
extern void dyn_op_get_key(DynBuf *out, const DynEntityId *id, bool first);
extern void dyn_op_get_suffix(DynBuf *out, const DynGetRequest *request);	/* after the keys */
extern void dyn_op_get_end(DynBuf *out, bool capacity);

/*
 * An item: begin, a call per feature, end.  `event_ts` is text.  A feature's
 * head is the same in all items, so a statement makes it once.
 */
extern void dyn_op_feature_head(DynBuf *out, const char *name);
extern void dyn_op_item_begin(DynBuf *out, const DynEntityId *id, const char *event_ts);
extern void dyn_op_item_feature(DynBuf *out, const DynBuf *head, const void *value, size_t len, bool first);
extern void dyn_op_item_end(DynBuf *out);

/* The end of an item that says by an attribute when it has expired, in seconds since 1970. */
extern void dyn_op_item_end_expiring(DynBuf *out, const char *attribute, int64_t seconds);

/* The body of a BatchWriteItem: prefix, puts and deletes, suffix. */
extern void dyn_op_write_prefix(DynBuf *out, const char *table);
extern void dyn_op_write_put(DynBuf *out, const DynBuf *item, bool first);
extern void dyn_op_write_delete(DynBuf *out, const DynEntityId *id, bool first);
extern void dyn_op_write_suffix(DynBuf *out, bool capacity);

/*
 * The body of a PutItem that replaces no newer item.  DynamoDB compares times
 * as texts, which is right where both are of UTC; of another one its text,
 * `seen`, is what the item must still have.  Refused, it tells the item.
 */
extern void dyn_op_put_newer(DynBuf *out, const char *table, const DynBuf *item, const char *event_ts,
							 const char *seen, bool capacity);

#endif							/* DYN_DDB_OP_H */
