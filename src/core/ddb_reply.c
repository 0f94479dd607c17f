/*
 * ddb_reply.c
 *	  Answers of control calls and writes, and error bodies.  The answers of
 *	  BatchGetItem go through item_scan instead.
 */
#include "core/ddb_reply.h"

#include <stdio.h>
#include <string.h>

#include "core/ascii.h"
#include "core/json_text.h"

/* A word of the service, made ASCII, cut where it does not fit; NULL is "". */
static void
copy_word(char *out, size_t size, const char *word)
{
	snprintf(out, size, "%s", word ? word : "");
	dyn_ascii_clean(out);
}

bool
dyn_json_error(const char *body, size_t len, DynStatus *status)
{
	struct json_object *object = dyn_json_parse_object(body, len);
	const char *type = dyn_json_text(object, "__type");
	const char *message = dyn_json_text(object, "message");
	const char *hash;

	if (type == NULL)
		type = dyn_json_text(object, "code");
	if (type == NULL)
	{
		json_object_put(object);
		return false;
	}
	if (message == NULL)
		message = dyn_json_text(object, "Message");
	if (message == NULL)
		message = "";
	/* "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"; "Code:http://..." happens too */
	hash = strrchr(type, '#');
	if (hash)
		type = hash + 1;
	dyn_status_words(status, type, strlen(type), message, strlen(message));
	json_object_put(object);
	return true;
}

/* Type of a key attribute, from AttributeDefinitions; "?" where it is not told. */
static const char *
attribute_type(struct json_object *table, const char *name)
{
	struct json_object *definitions = dyn_json_member(table, "AttributeDefinitions", json_type_array);

	for (size_t i = 0; definitions && i < json_object_array_length(definitions); i++)
	{
		struct json_object *definition = json_object_array_get_idx(definitions, i);
		const char *attribute = dyn_json_text(definition, "AttributeName");
		const char *type = dyn_json_text(definition, "AttributeType");

		if (attribute && type && strcmp(attribute, name) == 0)
			return type;
	}
	return "?";
}

/*
 * The key as a text for messages, "HASH entity_id (S), RANGE ts (N)", and
 * whether it is the one that Feast's tables have.
 */
static void
read_key_schema(struct json_object *json, DynTableDescription *table)
{
	struct json_object *schema = dyn_json_member(json, "KeySchema", json_type_array);
	size_t		nkeys = schema ? json_object_array_length(schema) : 0;
	size_t		used = 0;

	for (size_t i = 0; i < nkeys && used < sizeof(table->key_schema); i++)
	{
		struct json_object *key = json_object_array_get_idx(schema, i);
		const char *name = dyn_json_text(key, "AttributeName");
		const char *kind = dyn_json_text(key, "KeyType");

		if (name == NULL || kind == NULL)
			break;
		used += snprintf(table->key_schema + used, sizeof(table->key_schema) - used, "%s%s %s (%s)",
						 i > 0 ? ", " : "", kind, name, attribute_type(json, name));
	}
	dyn_ascii_clean(table->key_schema);
	table->feast_key = nkeys == 1 && strcmp(table->key_schema, "HASH entity_id (S)") == 0;
}

/* ---- settings of a table ---- */

/* A number of units; 0 where there is none, or it makes no sense. */
static int64_t
read_units(struct json_object *object, const char *name)
{
	struct json_object *units = dyn_json_member(object, name, json_type_int);

	return units ? json_object_get_int64(units) : 0;
}

/* Which of the words it is; where it is none of them, its setting is not known. */
static int
read_word(const char *const *words, const char *word, DynTableSettings *settings, DynSetting setting)
{
	for (int i = 0; word && words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	settings->known &= ~setting;
	return 0;
}

/* What a member says is on. */
static bool
read_bool(struct json_object *object, const char *name)
{
	struct json_object *value = dyn_json_member(object, name, json_type_boolean);

	return value && json_object_get_boolean(value);
}

/* A table whose billing mode is not told has always been provisioned. */
static void
read_capacity(struct json_object *json, DynTableSettings *settings)
{
	struct json_object *summary = dyn_json_member(json, "BillingModeSummary", json_type_object);
	struct json_object *provisioned = dyn_json_member(json, "ProvisionedThroughput", json_type_object);
	struct json_object *ceilings = dyn_json_member(json, "OnDemandThroughput", json_type_object);

	settings->provisioned = summary == NULL ||
		read_word(dyn_billing_modes, dyn_json_text(summary, "BillingMode"), settings, DYN_SETTING_CAPACITY) == 1;
	settings->read_capacity = read_units(provisioned, "ReadCapacityUnits");
	settings->write_capacity = read_units(provisioned, "WriteCapacityUnits");
	settings->max_read_units = read_units(ceilings, "MaxReadRequestUnits");
	settings->max_write_units = read_units(ceilings, "MaxWriteRequestUnits");
}

/* A key of AWS's, or an own one; what is being switched off is off. */
static void
read_encryption(struct json_object *json, DynTableSettings *settings)
{
	struct json_object *sse = dyn_json_member(json, "SSEDescription", json_type_object);
	const char *status = dyn_json_text(sse, "Status");
	const char *key = dyn_json_text(sse, "KMSMasterKeyArn");

	if (status == NULL || strncmp(status, "DISABL", 6) == 0)
		return;
	copy_word(settings->kms_key, sizeof(settings->kms_key), key && *key ? key : DYN_KMS_AWS_MANAGED);
}

/* What is absent has DynamoDB's default, and of what we have no word for nothing is known. */
static void
read_settings(struct json_object *json, DynTableSettings *settings)
{
	struct json_object *class = dyn_json_member(json, "TableClassSummary", json_type_object);
	struct json_object *stream = dyn_json_member(json, "StreamSpecification", json_type_object);
	struct json_object *warmth = dyn_json_member(json, "WarmThroughput", json_type_object);

	settings->known = DYN_SETTINGS_OF_TABLE & ~(warmth ? 0 : DYN_SETTING_WARMTH);
	settings->deletion_protection = read_bool(json, "DeletionProtectionEnabled");
	settings->infrequent_access = class &&
		read_word(dyn_table_classes, dyn_json_text(class, "TableClass"), settings, DYN_SETTING_CLASS) == 1;
	read_capacity(json, settings);
	if (read_bool(stream, "StreamEnabled"))
		settings->stream = (DynStreamView) read_word(dyn_stream_views, dyn_json_text(stream, "StreamViewType"), settings,
													 DYN_SETTING_STREAM);
	read_encryption(json, settings);
	settings->warm_read = read_units(warmth, "ReadUnitsPerSecond");
	settings->warm_write = read_units(warmth, "WriteUnitsPerSecond");
}

bool
dyn_json_table(const char *body, size_t len, DynTableDescription *table)
{
	struct json_object *object = dyn_json_parse_object(body, len);
	struct json_object *json = dyn_json_member(object, "Table", json_type_object);
	struct json_object *created;
	bool		ok;

	memset(table, 0, sizeof(*table));
	if (json == NULL)
		json = dyn_json_member(object, "TableDescription", json_type_object);
	copy_word(table->status, sizeof(table->status), dyn_json_text(json, "TableStatus"));
	ok = json != NULL && table->status[0] != '\0';
	if (ok)
	{
		copy_word(table->table_id, sizeof(table->table_id), dyn_json_text(json, "TableId"));
		/* the number's own text: a double printed again could differ */
		if (json_object_object_get_ex(json, "CreationDateTime", &created) &&
			(json_object_is_type(created, json_type_double) || json_object_is_type(created, json_type_int)))
			copy_word(table->created, sizeof(table->created), json_object_get_string(created));
		copy_word(table->arn, sizeof(table->arn), dyn_json_text(json, "TableArn"));
		read_key_schema(json, table);
		read_settings(json, &table->settings);
	}
	json_object_put(object);
	return ok;
}

bool
dyn_json_time_to_live(const char *body, size_t len)
{
	struct json_object *object = dyn_json_parse_object(body, len);
	bool		ok = dyn_json_member(object, "TimeToLiveSpecification", json_type_object) != NULL;

	json_object_put(object);
	return ok;
}

bool
dyn_json_continuous_backups(const char *body, size_t len, bool *recovery)
{
	struct json_object *object = dyn_json_parse_object(body, len);
	struct json_object *json = dyn_json_member(object, "ContinuousBackupsDescription", json_type_object);
	const char *status = dyn_json_text(dyn_json_member(json, "PointInTimeRecoveryDescription", json_type_object),
									   "PointInTimeRecoveryStatus");

	*recovery = status && strcmp(status, "ENABLED") == 0;
	json_object_put(object);
	return json != NULL;
}

/* ---- tags ---- */

/* Tags of a table that are taken in: it has at most 50, and some of AWS's own. */
#define MAX_TAGS_SHOWN 500

/* The page's tags, sorted; no more than there is room for. */
static bool
read_tags(struct json_object *list, int room, DynArena *arena, DynTags *page)
{
	size_t		n = json_object_array_length(list);

	page->n = 0;
	page->tag = n <= (size_t) room ? dyn_arena_alloc(arena, sizeof(DynTag) * (n + 1)) : NULL;
	if (page->tag == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		struct json_object *object = json_object_array_get_idx(list, i);
		const char *key = dyn_json_text(object, "Key");
		const char *value = dyn_json_text(object, "Value");
		DynTag	   *tag = &page->tag[page->n++];

		if (key == NULL || value == NULL)
			return false;
		tag->key = dyn_arena_text(arena, key);
		tag->value = dyn_arena_text(arena, value);
		if (tag->key == NULL || tag->value == NULL)
			return false;
	}
	dyn_tags_sort(page);
	return true;
}

bool
dyn_json_tags(const char *body, size_t len, DynArena *arena, DynTags *tags, const char **next_token)
{
	struct json_object *object = dyn_json_parse_object(body, len);
	struct json_object *list = dyn_json_member(object, "Tags", json_type_array);
	const char *token = dyn_json_text(object, "NextToken");
	bool		more = token && *token;
	const char *next = more ? dyn_arena_text(arena, token) : NULL;
	DynTags		page;
	DynTags		all;
	bool		ok;

	ok = list != NULL && (next != NULL || !more) && read_tags(list, MAX_TAGS_SHOWN - tags->n, arena, &page) &&
		dyn_tags_merge(&page, tags, arena, &all);
	if (ok)
		*tags = all;
	*next_token = ok ? next : NULL;
	json_object_put(object);
	return ok;
}

int
dyn_json_unprocessed_items(const char *body, size_t len, const char *table, DynEntityId *ids, int max)
{
	struct json_object *object = dyn_json_parse_object(body, len);
	struct json_object *tables = dyn_json_member(object, "UnprocessedItems", json_type_object);
	struct json_object *requests;
	int			n = 0;

	if (tables == NULL)
	{
		json_object_put(object);
		return -1;
	}
	requests = dyn_json_member(tables, table, json_type_array);
	if (json_object_object_length(tables) != (requests ? 1 : 0) ||
		(requests && json_object_array_length(requests) > (size_t) max))
		n = -1;
	for (size_t i = 0; n >= 0 && requests && i < json_object_array_length(requests); i++)
	{
		struct json_object *request = json_object_array_get_idx(requests, i);
		struct json_object *put = dyn_json_member(request, "PutRequest", json_type_object);
		struct json_object *delete = dyn_json_member(request, "DeleteRequest", json_type_object);
		struct json_object *item = put ? dyn_json_member(put, "Item", json_type_object) :
			dyn_json_member(delete, "Key", json_type_object);
		const char *hex = dyn_json_text(dyn_json_member(item, "entity_id", json_type_object), "S");

		if (hex != NULL && dyn_entity_id_from_hex(&ids[n], hex, strlen(hex)))
			n++;
		else
			n = -1;
	}
	json_object_put(object);
	return n;
}

bool
dyn_json_refused_event_ts(const char *body, size_t len, DynBuf *event_ts)
{
	struct json_object *object = dyn_json_parse_object(body, len);
	struct json_object *item = dyn_json_member(object, "Item", json_type_object);
	const char *text = dyn_json_text(dyn_json_member(item, "event_ts", json_type_object), "S");

	if (text)
		dyn_buf_str(event_ts, text);
	json_object_put(object);
	return text != NULL;
}

bool
dyn_json_is_object(const char *body, size_t len)
{
	struct json_object *object = dyn_json_parse_object(body, len);

	json_object_put(object);
	return object != NULL;
}

/* Units of one table; what can't be is 0. */
static double
capacity_units(struct json_object *table)
{
	struct json_object *units = NULL;
	double		n = 0;

	if (json_object_object_get_ex(table, "CapacityUnits", &units))
		n = json_object_get_double(units);
	return n > 0 && n < 1e15 ? n : 0;
}

double
dyn_json_consumed_capacity(const char *body, size_t len)
{
	struct json_object *object = dyn_json_parse_object(body, len);
	struct json_object *tables = dyn_json_member(object, "ConsumedCapacity", json_type_array);
	double		sum = capacity_units(dyn_json_member(object, "ConsumedCapacity", json_type_object));

	for (size_t i = 0; tables && i < json_object_array_length(tables); i++)
		sum += capacity_units(json_object_array_get_idx(tables, i));
	json_object_put(object);
	return sum;
}

const char *
dyn_json_c_version(void)
{
	return json_c_version();
}
