/*
 * ddb_op.c
 *	  Operations of DynamoDB: names, request bodies, and what an error code
 *	  means.
 */
#include "core/ddb_op.h"

#include <string.h>

static const struct
{
	const char *name;
	const char *target;
}			ops[DYN_OP_COUNT] = {
	[DYN_OP_BATCH_GET_ITEM] = {"BatchGetItem", "DynamoDB_20120810.BatchGetItem"},
	[DYN_OP_BATCH_WRITE_ITEM] = {"BatchWriteItem", "DynamoDB_20120810.BatchWriteItem"},
	[DYN_OP_PUT_ITEM] = {"PutItem", "DynamoDB_20120810.PutItem"},
	[DYN_OP_UPDATE_ITEM] = {"UpdateItem", "DynamoDB_20120810.UpdateItem"},
	[DYN_OP_CREATE_TABLE] = {"CreateTable", "DynamoDB_20120810.CreateTable"},
	[DYN_OP_DESCRIBE_TABLE] = {"DescribeTable", "DynamoDB_20120810.DescribeTable"},
	[DYN_OP_DELETE_TABLE] = {"DeleteTable", "DynamoDB_20120810.DeleteTable"},
	[DYN_OP_UPDATE_TIME_TO_LIVE] = {"UpdateTimeToLive", "DynamoDB_20120810.UpdateTimeToLive"},
	[DYN_OP_UPDATE_TABLE] = {"UpdateTable", "DynamoDB_20120810.UpdateTable"},
	[DYN_OP_UPDATE_CONTINUOUS_BACKUPS] = {"UpdateContinuousBackups", "DynamoDB_20120810.UpdateContinuousBackups"},
	[DYN_OP_DESCRIBE_CONTINUOUS_BACKUPS] = {"DescribeContinuousBackups", "DynamoDB_20120810.DescribeContinuousBackups"},
	[DYN_OP_LIST_TAGS_OF_RESOURCE] = {"ListTagsOfResource", "DynamoDB_20120810.ListTagsOfResource"},
	[DYN_OP_TAG_RESOURCE] = {"TagResource", "DynamoDB_20120810.TagResource"},
	[DYN_OP_UNTAG_RESOURCE] = {"UntagResource", "DynamoDB_20120810.UntagResource"},
};

const char *
dyn_op_name(DynOp op)
{
	return ops[op].name;
}

const char *
dyn_op_target(DynOp op)
{
	return ops[op].target;
}

bool
dyn_table_name_valid(const char *name)
{
	size_t		len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	return name[len] == '\0' && len >= 3 && len <= 255;
}

static const struct
{
	const char *code;
	DynClass	cls;
}			codes[] = {
	{"ResourceNotFoundException", DYN_TABLE_MISSING},
	{"TableNotFoundException", DYN_TABLE_MISSING},
	{"ResourceInUseException", DYN_TABLE_IN_USE},
	{"ContinuousBackupsUnavailableException", DYN_TABLE_IN_USE},	/* those of a table that was made a moment ago */
	{"AccessDeniedException", DYN_ACCESS_DENIED},
	{"ProvisionedThroughputExceededException", DYN_THROTTLED},
	{"ThrottlingException", DYN_THROTTLED},
	{"Throttling", DYN_THROTTLED},
	{"ThrottledException", DYN_THROTTLED},
	{"RequestLimitExceeded", DYN_THROTTLED},
	{"LimitExceededException", DYN_THROTTLED},
	{"TransactionInProgressException", DYN_THROTTLED},
	{"UnrecognizedClientException", DYN_CREDENTIALS},
	{"InvalidSignatureException", DYN_CREDENTIALS},
	{"SignatureDoesNotMatch", DYN_CREDENTIALS},
	{"ExpiredTokenException", DYN_CREDENTIALS},
	{"ExpiredToken", DYN_CREDENTIALS},
	{"MissingAuthenticationTokenException", DYN_CREDENTIALS},
	{"MissingAuthenticationToken", DYN_CREDENTIALS},
	{"IncompleteSignatureException", DYN_CREDENTIALS},
	{"IncompleteSignature", DYN_CREDENTIALS},
	{"InvalidClientTokenId", DYN_CREDENTIALS},
	{"InvalidAccessKeyId", DYN_CREDENTIALS},
	{"RequestExpired", DYN_CREDENTIALS},
	{"OptInRequired", DYN_CREDENTIALS},
	{"NotAuthorized", DYN_ACCESS_DENIED},
	{"ConditionalCheckFailedException", DYN_CONDITION_FAILED},
};

DynClass
dyn_op_classify(int http_status, const char *aws_code, const char *message)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(aws_code, codes[i].code) == 0)
			return codes[i].cls;
	/* DynamoDB has no codes of their own for an item over 400 KB, and for a map that isn't there */
	if (strcmp(aws_code, "ValidationException") == 0 && strstr(message, "Item size") != NULL)
		return DYN_ITEM_TOO_LARGE;
	if (strcmp(aws_code, "ValidationException") == 0 && strstr(message, "document path") != NULL)
		return DYN_PATH_MISSING;
	if (http_status >= 500)
		return DYN_SERVER_FAULT;
	if (http_status == 429)
		return DYN_THROTTLED;
	return DYN_REJECTED;
}

/* A C string as a JSON string. */
static void
add_text(DynBuf *out, const char *name)
{
	dyn_buf_json_string(out, name, strlen(name));
}

/* Closes the request; `capacity`: it asks what it consumes. */
static void
end_request(DynBuf *out, bool capacity)
{
	if (capacity)
		dyn_buf_str(out, ",\"ReturnConsumedCapacity\":\"TOTAL\"");
	dyn_buf_byte(out, '}');
}

void
dyn_op_get_begin(DynBuf *out)
{
	dyn_buf_str(out, "{\"RequestItems\":{");
}

void
dyn_op_get_prefix(DynBuf *out, const DynGetRequest *request)
{
	add_text(out, request->table);
	dyn_buf_str(out, ":{\"Keys\":[");
}

void
dyn_op_get_key(DynBuf *out, const DynEntityId *id, bool first)
{
	if (!first)
		dyn_buf_byte(out, ',');
	dyn_buf_str(out, "{\"entity_id\":{\"S\":\"");
	dyn_buf_hex(out, id->bytes, sizeof(id->bytes));
	dyn_buf_str(out, "\"}}");
}

/* DynamoDB takes an expression of 4 KB; each feature has this many bytes of it at most. */
#define MAX_NAMED_FEATURES (4096 / (int) sizeof(", #vals.#feat999") - 3)

/*
 * Attribute names go through placeholders, as Feast sends them: `values` is a
 * reserved word, and a feature's name may hold anything.  Of more features
 * than an expression can name, all are asked for.
 */
void
dyn_op_get_suffix(DynBuf *out, const DynGetRequest *request)
{
	const DynFeatureNames *features = request->features;
	int			named = features->count <= MAX_NAMED_FEATURES ? features->count : 0;

	dyn_buf_str(out, "],\"ProjectionExpression\":\"#entity_id");
	if (request->event_ts)
		dyn_buf_str(out, ", #event_ts");
	if (features->count > named)
		dyn_buf_str(out, ", #vals");
	for (int i = 0; i < named; i++)
	{
		dyn_buf_str(out, ", #vals.#feat");
		dyn_buf_int(out, i);
	}
	dyn_buf_str(out, "\",\"ExpressionAttributeNames\":{\"#entity_id\":\"entity_id\"");
	if (request->event_ts)
		dyn_buf_str(out, ",\"#event_ts\":\"event_ts\"");
	if (features->count > 0)
		dyn_buf_str(out, ",\"#vals\":\"values\"");
	for (int i = 0; i < named; i++)
	{
		dyn_buf_str(out, ",\"#feat");
		dyn_buf_int(out, i);
		dyn_buf_str(out, "\":");
		dyn_buf_json_string(out, features->names[i], features->lengths[i]);
	}
	dyn_buf_byte(out, '}');
	if (request->consistent)
		dyn_buf_str(out, ",\"ConsistentRead\":true");
	dyn_buf_byte(out, '}');
}

void
dyn_op_get_end(DynBuf *out, bool capacity)
{
	dyn_buf_byte(out, '}');
	end_request(out, capacity);
}

void
dyn_op_write_prefix(DynBuf *out, const char *table)
{
	dyn_buf_str(out, "{\"RequestItems\":{");
	add_text(out, table);
	dyn_buf_str(out, ":[");
}

void
dyn_op_write_suffix(DynBuf *out, bool capacity)
{
	dyn_buf_str(out, "]}");
	end_request(out, capacity);
}

void
dyn_op_item_begin(DynBuf *out, const DynEntityId *id, const char *event_ts)
{
	dyn_buf_str(out, "{\"entity_id\":{\"S\":\"");
	dyn_buf_hex(out, id->bytes, sizeof(id->bytes));
	dyn_buf_str(out, "\"},\"event_ts\":{\"S\":");
	add_text(out, event_ts);
	dyn_buf_str(out, "},\"values\":{\"M\":{");
}

void
dyn_op_feature_head(DynBuf *out, const char *name)
{
	add_text(out, name);
	dyn_buf_str(out, ":{\"B\":\"");
}

void
dyn_op_item_feature(DynBuf *out, const DynBuf *head, const void *value, size_t len, bool first)
{
	if (!first)
		dyn_buf_byte(out, ',');
	dyn_buf_add(out, head->data, head->len);
	out->failed = out->failed || head->failed;
	dyn_buf_base64(out, value, len);
	dyn_buf_add(out, "\"}", 2);
}

void
dyn_op_item_end(DynBuf *out)
{
	dyn_buf_str(out, "}}}");
}

void
dyn_op_item_end_expiring(DynBuf *out, const char *attribute, int64_t seconds)
{
	dyn_buf_str(out, "}},");
	add_text(out, attribute);
	dyn_buf_str(out, ":{\"N\":\"");
	dyn_buf_int(out, seconds);
	dyn_buf_str(out, "\"}}");
}

void
dyn_op_write_put(DynBuf *out, const DynBuf *item, bool first)
{
	if (!first)
		dyn_buf_byte(out, ',');
	dyn_buf_str(out, "{\"PutRequest\":{\"Item\":");
	dyn_buf_add(out, item->data, item->len);
	dyn_buf_str(out, "}}");
}

void
dyn_op_write_delete(DynBuf *out, const DynEntityId *id, bool first)
{
	if (!first)
		dyn_buf_byte(out, ',');
	dyn_buf_str(out, "{\"DeleteRequest\":{\"Key\":{\"entity_id\":{\"S\":\"");
	dyn_buf_hex(out, id->bytes, sizeof(id->bytes));
	dyn_buf_str(out, "\"}}}}");
}

void
dyn_op_put_newer(DynBuf *out, const char *table, const DynBuf *item, const char *event_ts, const char *seen,
				 bool capacity)
{
	dyn_buf_str(out, "{\"TableName\":");
	add_text(out, table);
	dyn_buf_str(out, ",\"Item\":");
	dyn_buf_add(out, item->data, item->len);
	if (seen)
	{
		dyn_buf_str(out, ",\"ConditionExpression\":\"#event_ts = :seen\""
					",\"ExpressionAttributeNames\":{\"#event_ts\":\"event_ts\"}"
					",\"ExpressionAttributeValues\":{\":seen\":{\"S\":");
		add_text(out, seen);
	}
	else
	{
		dyn_buf_str(out, ",\"ConditionExpression\":\"attribute_not_exists(#event_ts)"
					" OR NOT attribute_type(#event_ts, :text)"
					" OR (contains(#event_ts, :utc) AND #event_ts <= :event_ts)\""
					",\"ExpressionAttributeNames\":{\"#event_ts\":\"event_ts\"}"
					",\"ExpressionAttributeValues\":{\":text\":{\"S\":\"S\"},\":utc\":{\"S\":\"+00:00\"},\":event_ts\":{\"S\":");
		add_text(out, event_ts);
	}
	dyn_buf_str(out, "}},\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"");
	end_request(out, capacity);
}
