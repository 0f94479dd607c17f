/*
 * answer.c
 *	  What the mock answers to a request, as HTTP bytes ready to be sent.
 *
 * BatchGetItem finds every key in every table, with the same features, whatever
 * the table's projection is.  What is written is counted, and not kept.
 */
#include "answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32.h"
#include "core/feast_key.h"
#include "core/item_scan.h"
#include "item.h"
#include "scan.h"
#include "written.h"

#define SLOTS 4096				/* of the cache, a power of two */

static Answer *slots[SLOTS];
static long made;

/* ---- bodies ---- */

/* An item behind its entity_id; the same for all. */
static const DynBuf *
item_rest(void)
{
	static DynBuf rest;

	if (rest.len > 0)
		return &rest;
	dyn_buf_str(&rest, "\"},\"event_ts\":{\"S\":\"" BENCH_EVENT_TS "\"},\"values\":{\"M\":{");
	for (int i = 0; i < BENCH_NFEATURES; i++)
	{
		dyn_buf_str(&rest, i > 0 ? ",\"" : "\"");
		dyn_buf_str(&rest, bench_features[i].name);
		dyn_buf_str(&rest, "\":{\"B\":\"");
		dyn_buf_str(&rest, bench_features[i].value);
		dyn_buf_str(&rest, "\"}");
	}
	dyn_buf_str(&rest, "}}}");
	return &rest;
}

/* An item for each key that stands in [p, end); how many, -1: one is not Feast's. */
static int
add_items(DynBuf *out, const char *p, const char *end)
{
	static const char *const key_tokens[] = {"\"entity_id\"", ":", "{", "\"S\"", ":", "\"", NULL};
	const DynBuf *rest = item_rest();
	int			items = 0;

	while ((p = scan_find(p, end, key_tokens)) != NULL)
	{
		const char *text;
		size_t		len;

		if (!scan_text(p, end, &text, &len) || len != DYN_ENTITY_ID_HEX_LEN)
			return -1;
		dyn_buf_str(out, items++ > 0 ? ",{\"entity_id\":{\"S\":\"" : "{\"entity_id\":{\"S\":\"");
		dyn_buf_add(out, text, len);
		dyn_buf_add(out, rest->data, rest->len);
	}
	return items;
}

/* Adds the items of the table whose name begins at `p`; *behind: what is asked of it ends there.  Returns as add_items(). */
static int
add_table(DynBuf *out, const char *p, const char *end, const char **behind)
{
	static const char *const begin[] = {"\"", ":", "{", NULL};
	const char *name;
	size_t		len;
	int			items;

	if (!scan_text(p, end, &name, &len))
		return -1;
	p = scan_expect(name + len, end, begin);
	*behind = p ? scan_object_end(p, end) : NULL;
	if (*behind == NULL)
		return -1;
	dyn_buf_str(out, "\"");
	dyn_buf_add(out, name, len);
	dyn_buf_str(out, "\":[");
	items = add_items(out, p, *behind);
	dyn_buf_str(out, "]");
	return items;
}

/* Answers all tables of the request.  Like DynamoDB it refuses a table without keys, and more keys than one may ask for. */
static bool
batch_get_item(DynBuf *out, const char *p, const char *end)
{
	static const char *const first_table[] = {"\"RequestItems\"", ":", "{", "\"", NULL};
	static const char *const next_table[] = {",", "\"", NULL};
	int			total = 0;

	dyn_buf_str(out, "{\"Responses\":{");
	for (p = scan_find(p, end, first_table); p; p = scan_expect(p, end, next_table))
	{
		int			items;

		if (total > 0)
			dyn_buf_str(out, ",");
		items = add_table(out, p, end, &p);
		if (items < 1)
			return false;
		total += items;
	}
	dyn_buf_str(out, "},\"UnprocessedKeys\":{}}");
	return total > 0 && total <= DYN_MAX_GET_KEYS;
}

static bool
describe_table(DynBuf *out, const char *p, const char *end)
{
	static const char *const name_tokens[] = {"\"TableName\"", ":", "\"", NULL};
	const char *name;
	size_t		len;

	if (!scan_text(scan_find(p, end, name_tokens), end, &name, &len))
		return false;
	dyn_buf_str(out, "{\"Table\":{\"TableName\":\"");
	dyn_buf_add(out, name, len);
	dyn_buf_str(out, "\",\"TableArn\":\"arn:aws:dynamodb:us-west-2:000000000000:table/");
	dyn_buf_add(out, name, len);
	dyn_buf_str(out, "\",\"TableId\":\"00000000-0000-0000-0000-000000000000\",\"TableStatus\":\"ACTIVE\","
				"\"CreationDateTime\":1767225600,\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\"},"
				"\"KeySchema\":[{\"AttributeName\":\"entity_id\",\"KeyType\":\"HASH\"}],"
				"\"AttributeDefinitions\":[{\"AttributeName\":\"entity_id\",\"AttributeType\":\"S\"}]}}");
	return true;
}

/* The answer's body; false: an error. */
static bool
make_body(DynBuf *out, const char *op, const char *body, size_t len)
{
	if (strcmp(op, "BatchGetItem") == 0)
		return batch_get_item(out, body, body + len);
	if (strcmp(op, "DescribeTable") == 0)
		return describe_table(out, body, body + len);
	if (strcmp(op, "ListTagsOfResource") == 0)
		dyn_buf_str(out, "{\"Tags\":[]}");
	else if (strcmp(op, "BatchWriteItem") == 0)
		dyn_buf_str(out, "{\"UnprocessedItems\":{}}");
	else if (is_write(op))
		dyn_buf_str(out, "{}");
	return out->len > 0;
}

static void
make_http(DynBuf *out, const char *op, const char *request, size_t len)
{
	DynBuf		body = {0};
	char		head[300];
	bool		ok = make_body(&body, op, request, len);

	if (!ok)
	{
		dyn_buf_clear(&body);
		dyn_buf_str(&body, "{\"__type\":\"com.amazon.coral.service#UnknownOperationException\","
					"\"message\":\"the mock has no answer to this\"}");
	}
	snprintf(head, sizeof(head),
			 "HTTP/1.1 %s\r\nServer: Server\r\nContent-Type: application/x-amz-json-1.0\r\n"
			 "Content-Length: %zu\r\nConnection: keep-alive\r\n"
			 "x-amzn-RequestId: MOCKMOCKMOCKMOCKMOCKMOCKMOCKMOCKMOCKMOCKMOCKMOCKMOCK\r\nx-amz-crc32: %u\r\n\r\n",
			 ok ? "200 OK" : "400 Bad Request", body.len, (unsigned) dyn_crc32(body.data, body.len));
	dyn_buf_str(out, head);
	dyn_buf_add(out, body.data, body.len);
	out->failed |= body.failed;
	dyn_buf_free(&body);
}

/* ---- the cache ---- */

static Answer *
make_answer(const char *op, const char *body, size_t len)
{
	Answer	   *answer = calloc(1, sizeof(*answer));

	if (answer)
	{
		dyn_buf_add(&answer->request, body, len);
		make_http(&answer->http, op, body, len);
	}
	if (answer == NULL || answer->request.failed || answer->http.failed)
	{
		fprintf(stderr, "mock: out of memory\n");
		exit(1);
	}
	return answer;
}

/* The answer as it is kept. Bodies of two operations are never the same. */
static Answer *
kept_answer(const char *op, const char *body, size_t len)
{
	Answer	  **slot = &slots[scan_hash(body, len) % SLOTS];

	if (*slot == NULL || (*slot)->request.len != len || memcmp((*slot)->request.data, body, len) != 0)
	{
		answer_release(*slot);
		*slot = make_answer(op, body, len);
		(*slot)->users = 1;
		made++;
	}
	(*slot)->users++;
	return *slot;
}

/* Writes have one answer for all, kept as that of a request whose body is the operation's name. */
static Answer *
answer_to_write(const char *op, const char *body, size_t len)
{
	if (written_by(op, body, len) == 0)
		op = "a write that is not whole";
	return kept_answer(op, op, strlen(op));
}

Answer *
answer_to(const char *op, const char *body, size_t len)
{
	return is_write(op) ? answer_to_write(op, body, len) : kept_answer(op, body, len);
}

void
answer_release(Answer *answer)
{
	if (answer == NULL || --answer->users > 0)
		return;
	dyn_buf_free(&answer->request);
	dyn_buf_free(&answer->http);
	free(answer);
}

long
answers_made(void)
{
	return made;
}
