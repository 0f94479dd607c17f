/*
 * test_ddb_op.c
 *	  Request bodies against those that Feast sends, and the meaning of error
 *	  codes.
 */
#include "core/ddb_op.h"
#include "core/table_op.h"

#include <stdlib.h>

#include "golden.h"
#include "tap.h"

#define MAX_FEATURES 8

static DynEntityId
id_of(json_object *key)
{
	const char *hex = golden_text(key, "entity_id.S");
	DynEntityId id;

	dyn_entity_id_from_hex(&id, hex, strlen(hex));
	return id;
}

/* The one table of RequestItems, and its name. */
static json_object *
only_table(json_object *body, const char **name)
{
	json_object_object_foreach(golden_get(body, "RequestItems"), key, value)
	{
		*name = key;
		return value;
	}
	return NULL;
}

static void
is_json(DynBuf *got, json_object *want, const char *what)
{
	json_object *json = golden_parse(got->data, got->len);

	if (!ok(json != NULL && json_object_equal(json, want), "%s", what))
	{
		diag("got  %.*s", (int) got->len, got->data);
		diag("want %s", json_object_to_json_string_ext(want, JSON_C_TO_STRING_PLAIN));
	}
	json_object_put(json);
	dyn_buf_free(got);
}

/* Of a list that the file cuts the last element is a text about that. */
static void
drop_trim_mark(json_object *list)
{
	size_t		n = json_object_array_length(list);

	if (n > 0 && json_object_is_type(json_object_array_get_idx(list, n - 1), json_type_string))
		json_object_array_del_idx(list, n - 1, 1);
}

static void
test_get(json_object *body, const char *what)
{
	DynGetRequest request = {.event_ts = true};
	json_object *table = only_table(body, &request.table);
	json_object *keys = golden_get(table, "Keys");
	const char *names[MAX_FEATURES];
	size_t		lengths[MAX_FEATURES];
	DynFeatureNames features = {names, lengths, 0};
	DynBuf		out = {0};
	char		placeholder[64];

	if (golden_get(table, "ProjectionExpression") == NULL)
		return;					/* Feast then asks for all there is; we never do */
	drop_trim_mark(keys);
	request.consistent = json_object_get_boolean(golden_get(table, "ConsistentRead"));
	if (!request.consistent)
		json_object_object_del(table, "ConsistentRead");	/* false is the default */
	for (;;)
	{
		snprintf(placeholder, sizeof(placeholder), "ExpressionAttributeNames.#feat%d", features.count);
		if (golden_text(table, placeholder) == NULL)
			break;
		names[features.count] = golden_text(table, placeholder);
		lengths[features.count] = strlen(names[features.count]);
		features.count++;
	}
	request.features = &features;

	dyn_op_get_begin(&out);
	dyn_op_get_prefix(&out, &request);
	for (size_t i = 0; i < json_object_array_length(keys); i++)
	{
		DynEntityId id = id_of(json_object_array_get_idx(keys, i));

		dyn_op_get_key(&out, &id, i == 0);
	}
	dyn_op_get_suffix(&out, &request);
	dyn_op_get_end(&out, false);
	is_json(&out, body, what);
}

static void
add_feature(DynBuf *item, const char *name, const void *value, size_t len, bool first)
{
	DynBuf		head = {0};

	dyn_op_feature_head(&head, name);
	dyn_op_item_feature(item, &head, value, len, first);
	dyn_buf_free(&head);
}

static void
test_write(json_object *body, const char *what)
{
	const char *table;
	json_object *puts = only_table(body, &table);
	DynBuf		out = {0};

	drop_trim_mark(puts);
	dyn_op_write_prefix(&out, table);
	for (size_t i = 0; i < json_object_array_length(puts); i++)
	{
		json_object *item = golden_get(json_object_array_get_idx(puts, i), "PutRequest.Item");
		DynEntityId id = id_of(item);
		bool		first = true;

		DynBuf		text = {0};

		dyn_op_item_begin(&text, &id, golden_text(item, "event_ts.S"));
		json_object_object_foreach(golden_get(item, "values.M"), name, value)
		{
			size_t		len;
			uint8_t    *bytes = golden_base64(golden_text(value, "B"), &len);

			add_feature(&text, name, bytes, len, first);
			first = false;
			free(bytes);
		}
		dyn_op_item_end(&text);
		dyn_op_write_put(&out, &text, i == 0);
		dyn_buf_free(&text);
	}
	dyn_op_write_suffix(&out, false);
	is_json(&out, body, what);
}

static int
compare_tags(const void *a, const void *b)
{
	return strcmp(golden_text(*(json_object **) a, "Key"), golden_text(*(json_object **) b, "Key"));
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(json_object_get_string(*(json_object **) a), json_object_get_string(*(json_object **) b));
}

/* The tags of a request, by "Tags" or, without values, by "TagKeys", which are put in the order that ours have. */
static DynTags
take_tags(json_object *body, DynTag *tag)
{
	json_object *list = golden_get(body, "Tags");
	json_object *keys = golden_get(body, "TagKeys");
	DynTags		tags = {0, tag};

	if (list)
		json_object_array_sort(list, compare_tags);
	if (keys)
		json_object_array_sort(keys, compare_texts);
	for (size_t i = 0; i < golden_count(body, list ? "Tags" : "TagKeys") && i < DYN_MAX_TAGS; i++)
	{
		json_object *element = json_object_array_get_idx(list ? list : keys, i);

		tag[i].key = list ? golden_text(element, "Key") : json_object_get_string(element);
		tag[i].value = list ? golden_text(element, "Value") : "";
		tags.n++;
	}
	return tags;
}

/* CreateTable, and what is about tags. */
static void
test_tagging(DynOp op, json_object *body, const char *what)
{
	DynTag		tag[DYN_MAX_TAGS];
	DynTags		tags = take_tags(body, tag);
	const char *arn = golden_text(body, "ResourceArn");
	DynBuf		out = {0};

	if (op == DYN_OP_CREATE_TABLE)
		dyn_op_create_table(&out, golden_text(body, "TableName"), NULL, &tags);
	else if (op == DYN_OP_TAG_RESOURCE)
		dyn_op_tag(&out, arn, &tags);
	else if (op == DYN_OP_UNTAG_RESOURCE)
		dyn_op_untag(&out, arn, &tags);
	else
		dyn_op_list_tags(&out, arn, golden_text(body, "NextToken"));
	is_json(&out, body, what);
}

/* Feast sends no request that changes a table beside its tags. */
static bool
is_of_feast(DynOp op)
{
	return op != DYN_OP_UPDATE_TIME_TO_LIVE && op != DYN_OP_UPDATE_TABLE && op != DYN_OP_UPDATE_CONTINUOUS_BACKUPS &&
		op != DYN_OP_DESCRIBE_CONTINUOUS_BACKUPS;
}

static void
test_golden(void)
{
	json_object *requests = golden_json("requests.json");
	int			seen[DYN_OP_COUNT] = {0};

	for (size_t i = 0; i < golden_count(requests, "steps"); i++)
		for (size_t j = 0; j < golden_count(golden_at(requests, "steps", i), "requests"); j++)
		{
			json_object *r = golden_at(golden_at(requests, "steps", i), "requests", j);
			json_object *body = golden_get(r, "body");
			char		what[256];
			DynBuf		out = {0};

			for (int op = 0; op < DYN_OP_COUNT; op++)
			{
				if (strcmp(golden_text(r, "x_amz_target"), dyn_op_target(op)) != 0)
					continue;
				snprintf(what, sizeof(what), "%s of %s, request %zu", dyn_op_name(op),
						 golden_text(golden_at(requests, "steps", i), "step"), j);
				seen[op]++;
				switch ((DynOp) op)
				{
					case DYN_OP_BATCH_GET_ITEM:
						test_get(body, what);
						break;
					case DYN_OP_BATCH_WRITE_ITEM:
						test_write(body, what);
						break;
					case DYN_OP_CREATE_TABLE:
					case DYN_OP_LIST_TAGS_OF_RESOURCE:
					case DYN_OP_TAG_RESOURCE:
					case DYN_OP_UNTAG_RESOURCE:
						test_tagging((DynOp) op, body, what);
						break;
					case DYN_OP_DESCRIBE_TABLE:
					case DYN_OP_DELETE_TABLE:
						dyn_op_name_table(&out, golden_text(body, "TableName"));
						is_json(&out, body, what);
						break;
					case DYN_OP_PUT_ITEM:
					case DYN_OP_UPDATE_ITEM:
						break;	/* of Feast's list features; ours have other conditions */
					default:
						break;	/* Feast has none */
				}
			}
		}
	for (int op = 0; op < DYN_OP_COUNT; op++)
	{
		ok(seen[op] > 0 || !is_of_feast((DynOp) op), "Feast's %s was seen", dyn_op_name(op));
		ok(strcmp(strchr(dyn_op_target(op), '.') + 1, dyn_op_name(op)) == 0, "its name is in the target");
	}
	json_object_put(requests);
}

/* Every placeholder is defined, every definition used: DynamoDB refuses anything else. */
static void
test_projection(bool event_ts, int nfeatures)
{
	static const char *const names[] = {"a", "say \"hi\"\\\n", "na\xc3\xafve", "a.b", "#x", "values", "entity_id"};
	size_t		lengths[LENGTH(names)];
	DynFeatureNames features = {names, lengths, nfeatures};
	DynGetRequest request = {.table = "p.t", .event_ts = event_ts, .features = &features};
	DynEntityId id = {{0}};
	DynBuf		out = {0};
	json_object *body;
	json_object *table;
	json_object *defined;
	const char *expression;
	const char *name;
	int			paths = 1;

	for (int i = 0; i < nfeatures; i++)
		lengths[i] = strlen(names[i]);
	dyn_op_get_begin(&out);
	dyn_op_get_prefix(&out, &request);
	dyn_op_get_key(&out, &id, true);
	dyn_op_get_suffix(&out, &request);
	dyn_op_get_end(&out, false);
	body = golden_parse(out.data, out.len);
	table = only_table(body, &name);
	expression = golden_text(table, "ProjectionExpression");
	defined = golden_get(table, "ExpressionAttributeNames");
	if (!ok(expression != NULL && defined != NULL, "a projection of %d features, event_ts %d", nfeatures, event_ts))
		goto done;
	json_object_object_foreach(defined, placeholder, value)
		ok(strstr(expression, placeholder) != NULL, "%s (%s) is used", placeholder, json_object_to_json_string(value));
	for (const char *p = expression; *p; p++)
		paths += *p == ',';
	is_int(paths, 1 + event_ts + nfeatures, "as many paths as attributes");
	is_int(json_object_object_length(defined), 1 + event_ts + nfeatures + (nfeatures > 0), "and names");
	is_string(golden_text(defined, "#entity_id"), "entity_id", "the key is among them");
	ok((golden_text(defined, "#event_ts") != NULL) == event_ts, "event_ts if it is wanted");
	ok((golden_text(defined, "#vals") != NULL) == (nfeatures > 0), "values if a feature is");
	for (int i = 0; i < nfeatures; i++)
	{
		char		path[32];

		snprintf(path, sizeof(path), "#feat%d", i);
		is_string(golden_text(defined, path), names[i], "feature %d", i);
		snprintf(path, sizeof(path), ", #vals.#feat%d", i);
		ok(strstr(expression, path) != NULL, "as a member of values");
	}
done:
	json_object_put(body);
	dyn_buf_free(&out);
}

/* Names and texts that JSON must escape. */
static void
test_escapes(void)
{
	DynBuf		out = {0};
	DynBuf		text = {0};
	DynEntityId id = {{0x01, 0xff}};
	json_object *body;
	json_object *item;
	json_object *feature = NULL;

	dyn_op_item_begin(&text, &id, "2024\n\"");
	add_feature(&text, "q\"\\\x01", "\xfb\xff", 2, true);
	add_feature(&text, "empty", NULL, 0, false);
	dyn_op_item_end(&text);
	dyn_op_write_prefix(&out, "t\"\\");
	dyn_op_write_put(&out, &text, true);
	dyn_buf_free(&text);
	dyn_op_write_suffix(&out, false);
	body = golden_parse(out.data, out.len);
	if (ok(body != NULL, "a put with odd names is JSON"))
	{
		const char *table;

		item = golden_get(json_object_array_get_idx(only_table(body, &table), 0), "PutRequest.Item");
		is_string(table, "t\"\\", "the table");
		is_string(golden_text(item, "entity_id.S"), "01ff0000000000000000000000000000", "the key");
		is_string(golden_text(item, "event_ts.S"), "2024\n\"", "event_ts");
		json_object_object_get_ex(golden_get(item, "values.M"), "q\"\\\x01", &feature);
		is_string(golden_text(feature, "B"), "+/8=", "the feature");
		is_string(golden_text(item, "values.M.empty.B"), "", "the null feature");
	}
	json_object_put(body);
	dyn_buf_clear(&out);

	dyn_op_create_table(&out, "t\"\\", NULL, NULL);
	body = golden_parse(out.data, out.len);
	is_string(golden_text(body, "TableName"), "t\"\\", "the table that is created");
	json_object_put(body);
	dyn_buf_clear(&out);

	dyn_op_name_table(&out, "t\"\\");
	body = golden_parse(out.data, out.len);
	is_string(golden_text(body, "TableName"), "t\"\\", "the table that is named");
	json_object_put(body);
	dyn_buf_free(&out);
}

/* An item that expires, and the table that lets it. */
static void
test_expiry(void)
{
	DynBuf		out = {0};
	DynEntityId id = {{0}};
	json_object *body;
	json_object *expires = NULL;

	dyn_op_item_begin(&out, &id, "x");
	add_feature(&out, "a", NULL, 0, true);
	dyn_op_item_end_expiring(&out, "ex\"pires.at", 1700000000);
	body = golden_parse(out.data, out.len);
	if (ok(body != NULL, "an item that expires is JSON"))
	{
		is_int(json_object_object_length(body), 4, "one attribute more than Feast's");
		is_string(golden_text(body, "values.M.a.B"), "", "beside the values");
		json_object_object_get_ex(body, "ex\"pires.at", &expires);
		is_string(golden_text(expires, "N"), "1700000000", "has the time");
	}
	json_object_put(body);
	dyn_buf_clear(&out);

	dyn_op_item_begin(&out, &id, "x");
	dyn_op_item_end_expiring(&out, "expires", -5);
	body = golden_parse(out.data, out.len);
	is_string(golden_text(body, "expires.N"), "-5", "a time before 1970");
	json_object_put(body);
	dyn_buf_clear(&out);

	dyn_op_update_time_to_live(&out, "p.t", "ex\"pires.at");
	body = golden_parse(out.data, out.len);
	is_string(golden_text(body, "TableName"), "p.t", "the table");
	is_string(golden_text(body, "TimeToLiveSpecification.AttributeName"), "ex\"pires.at", "and its attribute");
	ok(json_object_get_boolean(golden_get(body, "TimeToLiveSpecification.Enabled")), "are turned on");
	json_object_put(body);
	dyn_buf_free(&out);
}

static void
test_no_features(void)
{
	DynBuf		out = {0};
	DynBuf		text = {0};
	DynEntityId id = {{0}};
	json_object *want = golden_parse("{\"M\":{}}", 8);
	json_object *body;
	const char *table;

	dyn_op_item_begin(&text, &id, "x");
	dyn_op_item_end(&text);
	dyn_op_write_prefix(&out, "p.t");
	dyn_op_write_put(&out, &text, true);
	dyn_buf_free(&text);
	dyn_op_write_suffix(&out, false);
	body = golden_parse(out.data, out.len);
	ok(json_object_equal(golden_get(json_object_array_get_idx(only_table(body, &table), 0), "PutRequest.Item.values"),
						 want), "a put without features has empty values");
	json_object_put(body);
	json_object_put(want);
	dyn_buf_free(&out);
}

static void
test_table_names(void)
{
	char		name[258];
	bool		right = true;

	for (size_t len = 0; len <= 257; len++)
	{
		memset(name, 'a', len);
		name[len] = '\0';
		if (dyn_table_name_valid(name) != (len >= 3 && len <= 255))
		{
			right = false;
			diag("wrong for %zu characters", len);
		}
	}
	ok(right, "a table name has 3 to 255 characters");
	for (int c = 1; c < 256; c++)
	{
		bool		allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '_' || c == '.' || c == '-';

		snprintf(name, sizeof(name), "ab%ccd", c);
		if (dyn_table_name_valid(name) != allowed)
		{
			right = false;
			diag("wrong for character %d", c);
		}
	}
	ok(right, "out of letters, digits, '_', '.' and '-'");
}

static const struct
{
	int			http_status;
	const char *code;
	const char *message;
	DynClass	cls;
}			answers[] = {
	{400, "ResourceNotFoundException", "Requested resource not found", DYN_TABLE_MISSING},
	{400, "ResourceInUseException", "Table already exists: t", DYN_TABLE_IN_USE},
	{400, "ContinuousBackupsUnavailableException", "Backups are being enabled for the table: t", DYN_TABLE_IN_USE},
	{400, "AccessDeniedException", "User is not authorized to perform: dynamodb:GetItem", DYN_ACCESS_DENIED},
	/* credentials missing, expired or rejected */
	{400, "UnrecognizedClientException", "The security token included in the request is invalid.", DYN_CREDENTIALS},
	{400, "InvalidSignatureException", "The request signature we calculated does not match", DYN_CREDENTIALS},
	{403, "InvalidSignatureException", "Signature expired", DYN_CREDENTIALS},
	{400, "IncompleteSignatureException", "Authorization header requires", DYN_CREDENTIALS},
	{400, "MissingAuthenticationTokenException", "Missing Authentication Token", DYN_CREDENTIALS},
	{403, "MissingAuthenticationToken", "Missing Authentication Token", DYN_CREDENTIALS},
	{400, "ExpiredTokenException", "The security token included in the request is expired", DYN_CREDENTIALS},
	{403, "ExpiredToken", "The security token included in the request is expired", DYN_CREDENTIALS},
	{403, "InvalidClientTokenId", "The security token included in the request is invalid", DYN_CREDENTIALS},
	/* 5xx */
	{500, "InternalServerError", "The request processing has failed", DYN_SERVER_FAULT},
	{500, "InternalFailure", "", DYN_SERVER_FAULT},
	{500, "", "", DYN_SERVER_FAULT},
	{502, "", "Bad Gateway", DYN_SERVER_FAULT},
	{503, "ServiceUnavailable", "", DYN_SERVER_FAULT},
	{503, "", "", DYN_SERVER_FAULT},
	{504, "", "", DYN_SERVER_FAULT},
	/* other 4xx */
	{400, "ValidationException", "One or more parameter values were invalid", DYN_REJECTED},
	{400, "ValidationException", "", DYN_REJECTED},
	{400, "SerializationException", "", DYN_REJECTED},
	{400, "UnknownOperationException", "", DYN_REJECTED},
	{400, "ConditionalCheckFailedException", "", DYN_CONDITION_FAILED},
	{400, "ValidationException", "The document path provided in the update expression is invalid for update", DYN_PATH_MISSING},
	{400, "SomethingNew", "", DYN_REJECTED},
	{400, "ThrottlingExceptionNot", "", DYN_REJECTED},
	{404, "", "", DYN_REJECTED},
	{413, "", "Request Entity Too Large", DYN_REJECTED},
	/* an item over 400 KB has no code of its own */
	{400, "ValidationException", "Item size has exceeded the maximum allowed size", DYN_ITEM_TOO_LARGE},
	{400, "ValidationException", "Item size to update has exceeded the maximum allowed size", DYN_ITEM_TOO_LARGE},
	/* throttled */
	{400, "ProvisionedThroughputExceededException", "", DYN_THROTTLED},
	{400, "ThrottlingException", "Rate of requests exceeds the allowed throughput.", DYN_THROTTLED},
	{400, "RequestLimitExceeded", "Throughput exceeds the current throughput limit", DYN_THROTTLED},
	{400, "LimitExceededException", "Too many operations", DYN_THROTTLED},
	{400, "TransactionInProgressException", "", DYN_THROTTLED},
};

static void
test_classify(void)
{
	for (size_t i = 0; i < LENGTH(answers); i++)
		is_int(dyn_op_classify(answers[i].http_status, answers[i].code, answers[i].message), answers[i].cls,
			   "%d %s: %s", answers[i].http_status, answers[i].code, answers[i].message);
}

/* DynamoDB takes a projection of 4 KB: of many features, all are asked for. */
static void
test_many_features(void)
{
	enum { MANY = 1600 };
	static const char *names[MANY];
	static size_t lengths[MANY];
	DynFeatureNames features = {names, lengths, 0};
	DynGetRequest request = {.table = "t.t", .event_ts = true, .features = &features};

	for (int i = 0; i < MANY; i++)
	{
		names[i] = "name";
		lengths[i] = 4;
	}
	for (features.count = 200; features.count <= MANY; features.count += 1)
	{
		DynBuf		out = {0};
		const char *text;
		const char *end;

		dyn_op_get_suffix(&out, &request);
		text = strchr(dyn_buf_cstr(&out), '#');
		end = strchr(text, '"');
		if (end - text > 4096 || (features.count > 300 && strstr(text, "#feat")))
		{
			ok(false, "%d features", features.count);
			dyn_buf_free(&out);
			return;
		}
		dyn_buf_free(&out);
	}
	ok(true, "the projection of many features stays within 4 KB");
}

int
main(void)
{
	test_many_features();
	test_golden();
	for (int nfeatures = 0; nfeatures <= 7; nfeatures++)
	{
		test_projection(true, nfeatures);
		test_projection(false, nfeatures);
	}
	test_escapes();
	test_expiry();
	test_no_features();
	test_table_names();
	test_classify();
	return done_testing();
}
