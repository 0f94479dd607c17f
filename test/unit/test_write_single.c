/*
 * test_write_single.c
 *	  Writes with a condition, a request each: puts over older items alone, and
 *	  updates; on a fake engine and a fake clock.
 */
#include "net/write.h"

#include "batch_check.h"
#include "core/update_op.h"
#include "golden.h"
#include "tap.h"

#define OLD "2024-01-01 00:00:00+00:00"
#define NEW "2024-01-02 00:00:00+00:00"
#define REFUSED(event_ts) "{\"__type\":\"x#ConditionalCheckFailedException\",\"message\":\"The conditional request failed\"," \
	"\"Item\":{\"entity_id\":{\"S\":\"x\"},\"event_ts\":{\"S\":\"" event_ts "\"}}}"
#define GONE "{\"__type\":\"x#ConditionalCheckFailedException\",\"message\":\"The conditional request failed\"}"
#define NO_MAP "{\"__type\":\"x#ValidationException\",\"message\":\"The document path provided in the update expression is invalid for update\"}"

static DynClient *client;
static DynCounters counters;
static DynWrite *writing;
static DynStatus status;

static void
end(void)
{
	dyn_write_free(writing);
	dyn_client_free(client);
	fake_forget();
	writing = NULL;
	client = NULL;
}

static void
begin(DynOp op)
{
	DynWriteConfig config = {.op = op, .table = TABLE, .batch_size = 25, .max_workers = 2, .counters = &counters};

	end();
	memset(&counters, 0, sizeof(counters));
	client = fake_client(NULL);
	fake_random = 0.5;
	writing = dyn_write_new(client, &config);
}

static void
put(int n, const char *event_ts)
{
	DynWriteItem item = {.id = entity(n)};

	dyn_op_item_begin(&item.body, &item.id, event_ts);
	dyn_op_item_end(&item.body);
	snprintf(item.event_ts, sizeof(item.event_ts), "%s", event_ts);
	dyn_write_add(writing, &item, &status);
}

static void
update(int n)
{
	DynWriteItem item = {.id = entity(n)};

	dyn_buf_str(&item.body, "the update");
	dyn_buf_str(&item.key, "id = 1");
	dyn_write_add(writing, &item, &status);
}

static DynStep
step(bool flush)
{
	dyn_client_drive(client);
	return dyn_write_step(writing, flush, &status);
}

static bool
asks(int n, const char *text)
{
	return strstr(fake_request(n)->body.data, text) != NULL;
}

static void
test_puts(void)
{
	begin(DYN_OP_PUT_ITEM);
	for (int i = 0; i < 3; i++)
		put(i, NEW);
	is_int(step(true), DYN_STEP_WAIT, "puts with a condition");
	is_int(fake_sent(), 2, "go out one by one, as many as there are workers");
	ok(asks(0, "#event_ts <= :event_ts") && asks(0, "\":event_ts\":{\"S\":\"" NEW "\"}"), "and name the time");
	fake_answer(0, 200, "{}");
	fake_answer(1, 400, REFUSED("2024-01-03 00:00:00+00:00"));
	is_int(step(true), DYN_STEP_WAIT, "a newer item is no failure");
	fake_answer(2, 400, REFUSED("2024-01-02 00:00:00.5+00:00"));
	is_int(step(true), DYN_STEP_END, "nor one that is a little newer");
	is_int(dyn_write_acknowledged(writing), 1, "the one that was written is counted");
	is_int(counters.items_refused, 2, "and those that were not");
}

static void
test_other_zones(void)
{
	begin(DYN_OP_PUT_ITEM);
	put(0, NEW);
	step(true);
	fake_answer(0, 400, REFUSED("2024-01-02 01:00:00+02:00"));
	is_int(step(true), DYN_STEP_WAIT, "an older time of another zone");
	ok(fake_sent() == 2 && asks(1, "#event_ts = :seen") && asks(1, "2024-01-02 01:00:00+02:00"),
	   "may go, if it is still there");
	fake_answer(1, 400, REFUSED("2024-01-02 01:30:00+02:00"));
	is_int(step(true), DYN_STEP_WAIT, "if it is another one");
	ok(fake_sent() == 3 && asks(2, "2024-01-02 01:30:00+02:00"), "that one may");
	fake_answer(2, 400, REFUSED("2024-01-02 03:00:00+01:00"));
	is_int(step(true), DYN_STEP_END, "until one is newer");
	is_int(counters.items_refused, 1, "which refuses it");

	begin(DYN_OP_PUT_ITEM);
	put(0, NEW);
	step(true);
	fake_answer(0, 400, REFUSED("sometime"));
	step(true);
	ok(asks(1, "\":seen\":{\"S\":\"sometime\"}"), "what is no time is older");
	fake_answer(1, 200, "{}");
	is_int(step(true), DYN_STEP_END, "and replaced");

	begin(DYN_OP_PUT_ITEM);
	put(0, NEW);
	step(true);
	fake_answer(0, 400, GONE);
	is_int(step(true), DYN_STEP_FAILED, "a service that doesn't tell the item");
	is_int(status.cls, DYN_CONDITION_FAILED, "is an error");
}

static void
test_the_newer_wins(void)
{
	begin(DYN_OP_PUT_ITEM);
	put(0, NEW);
	put(0, OLD);
	put(1, OLD);
	put(1, NEW);
	step(true);
	ok(fake_sent() == 2 && asks(0, NEW) && asks(1, NEW), "of two that wait, be it the first or the second");
	is_int(counters.items_refused, 2, "the other ones are counted as refused");

	begin(DYN_OP_PUT_ITEM);
	put(0, NEW);
	step(true);
	put(0, OLD);
	fake_answer(0, 400, REFUSED("2024-01-02 01:00:00+02:00"));
	step(true);
	ok(fake_sent() == 2 && asks(1, NEW), "one that comes back wins over an older one that waits");
	fake_answer(1, 200, "{}");
	is_int(step(true), DYN_STEP_END, "which is not sent");
	is_int(counters.items_refused, 1, "but counted");
}

static void
test_a_map_is_made(void)
{
	begin(DYN_OP_UPDATE_ITEM);
	update(0);
	step(true);
	is_string(fake_request(0)->body.data, "the update", "an update goes out as it is");
	fake_answer(0, 400, NO_MAP);
	is_int(step(true), DYN_STEP_WAIT, "if the item has no map");
	ok(asks(1, "SET #v = :m") && asks(1, "attribute_not_exists(#v)"), "it gets one");
	fake_answer(1, 200, "{}");
	is_int(step(true), DYN_STEP_WAIT, "and then");
	is_string(fake_request(2)->body.data, "the update", "the update goes out again");
	fake_answer(2, 400, NO_MAP);
	step(true);
	fake_answer(3, 400, GONE);
	step(true);
	is_string(fake_request(4)->body.data, "the update", "also if somebody else made it");
	fake_answer(4, 200, "{}");
	is_int(step(true), DYN_STEP_END, "that is all");
	is_int(dyn_write_acknowledged(writing), 1, "one item was written");
}

static void
test_refused_updates(void)
{
	begin(DYN_OP_UPDATE_ITEM);
	update(0);
	step(true);
	fake_answer(0, 400, GONE);
	is_int(step(true), DYN_STEP_FAILED, "a condition that fails");
	is_int(status.cls, DYN_CONDITION_FAILED, "ends it");
	is_string(dyn_write_failed_key(writing), "id = 1", "and the key is told");

	begin(DYN_OP_UPDATE_ITEM);
	update(0);
	step(true);
	fake_fail(0, DYN_CONNECTION_LOST);
	for (int i = 0; i < 100000 && fake_sent() < 2; i++)
	{
		fake_pass(client, 0.5);
		step(true);
	}
	fake_answer(1, 400, GONE);
	is_int(step(true), DYN_STEP_FAILED, "after an attempt without an answer");
	is_int(status.cls, DYN_MAYBE_DONE, "nobody knows who changed the item");

	begin(DYN_OP_UPDATE_ITEM);
	update(0);
	step(true);
	for (int i = 0; i < 100 && step(true) == DYN_STEP_WAIT; i++)
		fake_answer(i, i % 2 ? 200 : 400, i % 2 ? "{}" : NO_MAP);
	is_int(status.cls, DYN_PATH_MISSING, "a map that goes again and again is an error");
}

static void
test_bodies(void)
{
	const char *set[] = {"a\"b", "c"};
	const char *seen[] = {"c", "d"};
	DynValueBytes set_values[] = {{"\x08\x01", 2}, {NULL, 0}};
	DynValueBytes seen_values[] = {{"\x08\x02", 2}, {NULL, 0}};
	DynUpdate	what = {.table = "p.t", .event_ts = true, .nset = 2, .set = set, .nseen = 2, .seen = seen,
	.seen_event_ts = true};
	DynUpdateRow row = {.id = entity(0), .event_ts = NEW, .set = set_values, .seen = seen_values,
	.seen_event_ts = OLD};
	DynBuf		out = {0};
	json_object *body;

	dyn_update_body(&out, &what, &row);
	body = golden_parse(out.data, out.len);
	is_string(golden_text(body, "UpdateExpression"), "SET #t = :t, #v.#f0 = :f0, #v.#f1 = :f1", "what is set");
	is_string(golden_text(body, "ConditionExpression"),
			  "attribute_exists(#id) AND #t = :u AND #v.#s0 = :s0 AND (attribute_not_exists(#v.#s1) OR #v.#s1 = :s1)",
			  "what must be there");
	is_string(golden_text(body, "ExpressionAttributeNames.#f0"), "a\"b", "names");
	is_string(golden_text(body, "ExpressionAttributeValues.:f0.B"), "CAE=", "values");
	is_string(golden_text(body, "ExpressionAttributeValues.:f1.B"), "", "and NULL");
	is_string(golden_text(body, "ExpressionAttributeValues.:u.S"), OLD, "the time that was read");
	json_object_put(body);
	dyn_buf_free(&out);
}

/* An item's expiry is set with its event time, and only with that. */
static void
test_expiry(bool event_ts)
{
	const char *set[] = {"a"};
	DynValueBytes values[] = {{"\x08\x01", 2}};
	DynUpdate	what = {.table = "p.t", .event_ts = event_ts, .expiry = "ex\"pires", .nset = 1, .set = set};
	DynUpdateRow row = {.id = entity(0), .event_ts = NEW, .expires = 1700000000, .set = values};
	DynBuf		out = {0};
	json_object *body;

	dyn_update_body(&out, &what, &row);
	body = golden_parse(out.data, out.len);
	is_string(golden_text(body, "UpdateExpression"),
			  event_ts ? "SET #t = :t, #e = :e, #v.#f0 = :f0" : "SET #v.#f0 = :f0", "what is set, event_ts %d", event_ts);
	ok((golden_get(body, "ExpressionAttributeNames.#e") != NULL) == event_ts, "the attribute is named if it is set");
	ok((golden_get(body, "ExpressionAttributeValues.:e") != NULL) == event_ts, "and has a value");
	if (event_ts)
	{
		is_string(golden_text(body, "ExpressionAttributeNames.#e"), "ex\"pires", "its name");
		is_string(golden_text(body, "ExpressionAttributeValues.:e.N"), "1700000000", "its value");
	}
	json_object_put(body);
	dyn_buf_free(&out);
}

int
main(void)
{
	test_puts();
	test_other_zones();
	test_the_newer_wins();
	test_a_map_is_made();
	test_refused_updates();
	test_bodies();
	test_expiry(true);
	test_expiry(false);
	end();
	return done_testing();
}
