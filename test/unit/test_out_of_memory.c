/*
 * test_out_of_memory.c
 *	  Reads and writes of batches when an allocation fails, be it the first,
 *	  the second, or any other: they fail for want of memory, or not at all.
 */
#include "batch_check.h"
#include "core/update_op.h"
#include "fail_alloc.h"
#include "net/batch_get.h"
#include "net/write.h"
#include "tap.h"

#define KEYS 30

static long left;				/* for fail_alloc_after, which holds in the code under test only */

static DynClient *
new_client(void)
{
	DynClientConfig config = {.total_max_retry_attempts = 10, .warmup_connections = true};
	DynClient  *client = fake_client(&config);

	fake_random = 0;
	return client;
}

/* Answers what is in flight: the last key of each is left unprocessed, unless it is the only one. */
static void
answer_all(int *answered, const char *start, const char *item, const char *middle, const char *again, const char *end)
{
	for (; *answered < fake_sent(); (*answered)++)
	{
		DynBuf		body = {0};
		char		done[2000];
		char	   *last;

		if (fake_request(*answered)->get)
		{
			fake_answer(*answered, 200, "healthy");
			continue;
		}
		strcpy(done, entities_of(*answered));
		last = strrchr(done, ' ');
		if (last)
			*last++ = '\0';
		dyn_buf_str(&body, start);
		if (item)
			add_entities(&body, done, item);
		dyn_buf_str(&body, middle);
		add_entities(&body, last ? last : "", again);
		dyn_buf_str(&body, end);
		fake_answer(*answered, 200, dyn_buf_cstr(&body));
		dyn_buf_free(&body);
	}
}

/* A read whose allocation number `n` fails; its last step, and how many rows came. */
static DynStep
read_all(long n, int *rows, DynStatus *status)
{
	static const DynFeatureNames no_features;
	static DynEntityId keys[KEYS];
	static const DynGetRequest tables[] = {
		{.table = "p.none", .features = &no_features}, {.table = TABLE, .features = &no_features}
	};
	static const uint32_t nkeys[] = {0, KEYS};
	DynBatchGetConfig config = {
		.tables = tables, .ntables = 2, .nkeys = nkeys, .keys = keys, .batch_size = 10, .max_workers = 2
	};
	DynClient  *client = new_client();
	DynBatchGet *get;
	DynStep		step = DYN_STEP_WAIT;
	int			answered = 0;

	for (int i = 0; i < KEYS; i++)
		keys[i] = entity(i);
	*rows = 0;
	fail_alloc_after = n;
	get = dyn_batch_get_new(client, &config);
	if (get == NULL)
	{
		dyn_status_set(status, DYN_NO_MEMORY, "no read");
		step = DYN_STEP_FAILED;
	}
	while (step == DYN_STEP_WAIT || step == DYN_STEP_AGAIN || step == DYN_STEP_ROW)
	{
		const DynItem *item;
		uint32_t	key;

		dyn_client_drive(client);
		step = dyn_batch_get_next(get, &item, &key, status);
		*rows += step == DYN_STEP_ROW ? 1 : 0;
		left = fail_alloc_after;
		fail_alloc_after = -1;
		answer_all(&answered, "{\"Responses\":{\"" TABLE "\":[", "{\"entity_id\":{\"S\":\"%s\"}}",
				   "]},\"UnprocessedKeys\":{\"" TABLE "\":{\"Keys\":[", "{\"entity_id\":{\"S\":\"%s\"}}", "]}}}");
		fake_now_ms += 1;
		fail_alloc_after = left;
	}
	left = fail_alloc_after;
	fail_alloc_after = -1;
	dyn_batch_get_free(get);
	dyn_client_free(client);
	return step;
}

/* Answers batches that write. */
static void
answer_batches(int *answered)
{
	answer_all(answered, "{", NULL, "\"UnprocessedItems\":{\"" TABLE "\":[",
			   "{\"PutRequest\":{\"Item\":{\"entity_id\":{\"S\":\"%s\"}}}}", "]}}");
}

/* Answers puts with a condition: the first time, the stored item has an older time of another zone. */
static void
answer_puts(int *answered)
{
	static const char *const refused =
	"{\"__type\":\"x#ConditionalCheckFailedException\",\"message\":\"no\"," \
	"\"Item\":{\"event_ts\":{\"S\":\"2024-01-01 00:00:00+05:00\"}}}";

	for (; *answered < fake_sent(); (*answered)++)
	{
		const FakeRequest *request = fake_request(*answered);

		if (request->get)
			fake_answer(*answered, 200, "healthy");
		else if (strstr(request->body.data, ":seen"))
			fake_answer(*answered, 200, "{}");
		else
			fake_answer(*answered, 400, refused);
	}
}

/* Answers the reads of items that are rewritten, and the batches that write them. */
static void
answer_rewriting(int *answered)
{
	while (*answered < fake_sent())
	{
		const FakeRequest *request = fake_request(*answered);
		DynBuf		body = {0};

		if (request->get)
			fake_answer(*answered, 200, "healthy");
		else if (strstr(request->body.data, "ConsistentRead"))
		{
			dyn_buf_str(&body, "{\"Responses\":{\"" TABLE "\":[");
			add_entities(&body, entities_of(*answered), "{\"entity_id\":{\"S\":\"%s\"},\"values\":{\"M\":{}}}");
			dyn_buf_str(&body, "]},\"UnprocessedKeys\":{}}");
			fake_answer(*answered, 200, dyn_buf_cstr(&body));
			dyn_buf_free(&body);
		}
		else
			fake_answer(*answered, 200, "{\"UnprocessedItems\":{}}");
		(*answered)++;
	}
}

/* The body of what is written of an item. */
static void
make_body(DynOp op, DynWriteItem *item)
{
	static const char *names[] = {"a"};
	static const DynValueBytes value = {"\x08\x01", 2};
	DynUpdate	update = {.table = TABLE, .nset = 1, .set = names};
	DynUpdateRow row = {.id = item->id, .set = &value};

	snprintf(item->event_ts, sizeof(item->event_ts), "2024-01-02 00:00:00+00:00");
	if (op == DYN_OP_UPDATE_ITEM)
	{
		dyn_update_body(&item->body, &update, &row);
		return;
	}
	dyn_op_item_begin(&item->body, &item->id, item->event_ts);
	dyn_op_item_end(&item->body);
}

static const DynWriteConfig *written_by;
static void (*answer_writes) (int *answered);

/* The same for a write; how many items were acknowledged. */
static DynStep
write_all(long n, int *acknowledged, DynStatus *status)
{
	DynWriteConfig config = *written_by;
	DynClient  *client = new_client();
	DynWrite   *writing;
	DynStep		step = DYN_STEP_WAIT;
	int			answered = 0;

	fail_alloc_after = n;
	writing = dyn_write_new(client, &config);
	for (int i = 0; i < KEYS && writing; i++)
	{
		DynWriteItem item = {.id = entity(i)};

		make_body(config.op, &item);
		if (!dyn_write_add(writing, &item, status))
			step = DYN_STEP_FAILED;
	}
	if (writing == NULL)
	{
		dyn_status_set(status, DYN_NO_MEMORY, "no write");
		step = DYN_STEP_FAILED;
	}
	while (step == DYN_STEP_WAIT)
	{
		dyn_client_drive(client);
		step = dyn_write_step(writing, true, status);
		left = fail_alloc_after;
		fail_alloc_after = -1;
		answer_writes(&answered);
		fake_now_ms += 1;
		fail_alloc_after = left;
	}
	left = fail_alloc_after;
	fail_alloc_after = -1;
	/* an item that got lost is not forgotten */
	if (step == DYN_STEP_FAILED && writing)
		step = dyn_write_step(writing, true, status);
	*acknowledged = writing ? (int) dyn_write_acknowledged(writing) : 0;
	dyn_write_free(writing);
	dyn_client_free(client);
	return step;
}

/* Fails each allocation in turn, until there are no more. */
static void
test_each(const char *what, DynStep (*run) (long n, int *done, DynStatus *status))
{
	DynStatus	status;
	int			done;
	int			wrong = 0;
	int			failed = 0;
	long		n = 0;

	is_int(run(-1, &done, &status), DYN_STEP_END, "%s, with enough memory", what);
	is_int(done, KEYS, "all of them");
	for (left = -1; left < 0 && n < 100000; n++)
	{
		DynStep		step;

		dyn_status_clear(&status);
		step = run(n, &done, &status);
		/* a signature does not tell why it could not be made */
		if (step == DYN_STEP_FAILED && (status.cls == DYN_NO_MEMORY || status.cls == DYN_INTERNAL))
			failed++;
		else if (step != DYN_STEP_END || done != KEYS)
		{
			diag("allocation %ld: step %d, class %d, %d done", n, step, status.cls, done);
			wrong++;
		}
	}
	diag("%d of %ld failed", failed, n);
	is_int(wrong, 0, "%s: each of %ld allocations may fail", what, n);
	ok(failed > 10, "which is mostly told");
}

static void
test_write(const char *what, DynOp op, bool rewrite, void (*answer) (int *answered))
{
	DynWriteConfig config = {.op = op, .rewrite = rewrite, .table = TABLE, .batch_size = 10, .max_workers = 2};

	written_by = &config;
	answer_writes = answer;
	test_each(what, write_all);
}

int
main(void)
{
	test_each("a read", read_all);
	test_write("a write", DYN_OP_BATCH_WRITE_ITEM, false, answer_batches);
	test_write("puts with a condition", DYN_OP_PUT_ITEM, false, answer_puts);
	test_write("rewriting", DYN_OP_UPDATE_ITEM, true, answer_rewriting);
	fake_forget();
	return done_testing();
}
