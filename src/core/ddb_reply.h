/*
 * ddb_reply.h
 *	  Answers of control calls and writes, and error bodies.
 */
#ifndef DYN_DDB_REPLY_H
#define DYN_DDB_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/feast_key.h"
#include "core/status.h"
#include "core/table_settings.h"
#include "core/tags.h"

/*
 * Reads code and message of an error body into `status` (aws_code without its
 * namespace; message cut before anything that could hold a secret).  False:
 * not a JSON error body.
 */
extern bool dyn_json_error(const char *body, size_t len, DynStatus *status);

typedef struct DynTableDescription
{
	char		status[32];		/* CREATING, ACTIVE, DELETING, ... */
	char		table_id[64];	/* "" where the service has none (DynamoDB Local) */
	char		created[32];	/* CreationDateTime, as the number's text */
	bool		feast_key;		/* the key schema is HASH entity_id (S) alone */
	char		key_schema[256];	/* for messages, e.g. "HASH id (N)" */
	char		arn[1025];		/* "" where none is told */
	DynTableSettings settings;
} DynTableDescription;

/* Of DescribeTable ("Table"), CreateTable, UpdateTable and DeleteTable ("TableDescription"). */
extern bool dyn_json_table(const char *body, size_t len, DynTableDescription *table);

/* Is this the answer of UpdateTimeToLive? */
extern bool dyn_json_time_to_live(const char *body, size_t len);

/* Of DescribeContinuousBackups and UpdateContinuousBackups: can the table be recovered to a point in time? */
extern bool dyn_json_continuous_backups(const char *body, size_t len, bool *recovery);

/*
 * Of ListTagsOfResource: adds a page's tags to `tags`; *next_token is NULL where
 * it was the last one.  False: malformed, far too many, or no memory, and `tags` is
 * as it was.  All in the arena.
 */
extern bool dyn_json_tags(const char *body, size_t len, DynArena *arena, DynTags *tags, const char **next_token);

/*
 * Ids of UnprocessedItems of a BatchWriteItem answer, at most `max`.  Returns
 * their number, or -1: malformed.
 */
extern int	dyn_json_unprocessed_items(const char *body, size_t len, const char *table, DynEntityId *ids, int max);

/* Appends event_ts of the item that a conditional write was refused for, from its error body.  False: it tells none. */
extern bool dyn_json_refused_event_ts(const char *body, size_t len, DynBuf *event_ts);

/* Is it a JSON object?  That is all that can be asked of the answer to a write of one item. */
extern bool dyn_json_is_object(const char *body, size_t len);

/* Units of all tables that the answer to a write tells of; 0 where it tells nothing. */
extern double dyn_json_consumed_capacity(const char *body, size_t len);

/* Of json-c. */
extern const char *dyn_json_c_version(void);

#endif							/* DYN_DDB_REPLY_H */
