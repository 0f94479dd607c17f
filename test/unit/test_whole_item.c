/*
 * test_whole_item.c
 *	  Whole items changed as an update would change them.
 */
#include "core/whole_item.h"

#include <stdlib.h>

#include "batch_check.h"
#include "core/update_op.h"
#include "golden.h"
#include "tap.h"

#define TIME "2024-01-01 00:00:00+00:00"

static DynWholeItems *items;

/* Reads an answer, written with ' for ", in which %s is the id of entity 1. */
static bool
answer(const char *text)
{
	DynEntityId ids[] = {entity(1), entity(2)};
	char	   *quoted = golden_quotes(text);
	DynBuf		hex = {0};
	char		body[2000];

	dyn_buf_hex(&hex, ids[0].bytes, sizeof(ids[0].bytes));
	snprintf(body, sizeof(body), quoted, dyn_buf_cstr(&hex), dyn_buf_cstr(&hex));
	dyn_buf_free(&hex);
	free(quoted);
	dyn_whole_items_free(items);
	items = dyn_whole_items_read(body, strlen(body), TABLE, ids, 2);
	return items != NULL;
}

/* Sets feature "a" to 'CAE=' and the time, where "b" is what `seen` says. */
static DynApply
apply(DynValueBytes seen, const char *seen_event_ts, DynBuf *out)
{
	static const char *set[] = {"a"};
	static const char *names[] = {"b"};
	DynValueBytes value = {"\x08\x01", 2};
	DynUpdate	update = {.table = TABLE, .event_ts = true, .nset = 1, .set = set, .nseen = 1, .seen = names,
	.seen_event_ts = true};
	DynUpdateRow row = {.id = entity(1), .event_ts = "now", .set = &value, .seen = &seen, .seen_event_ts = seen_event_ts};
	DynBuf		body = {0};
	DynApply	result;

	dyn_update_body(&body, &update, &row);
	dyn_buf_clear(out);
	result = dyn_whole_items_apply(items, &row.id, &body, out);
	dyn_buf_free(&body);
	return result;
}

#define ITEM "{'Responses':{'" TABLE "':[{'entity_id':{'S':'%s'},'event_ts':{'S':'" TIME "'}," \
	"'other':{'N':'1.50'},'values':{'M':{'b':{'B':'CAI='},'c':{'B':''}}}}]},'UnprocessedKeys':{}}"

static void
test_changes(void)
{
	DynBuf		out = {0};
	json_object *item;

	ok(answer(ITEM), "an item");
	is_int(apply((DynValueBytes) {"\x08\x02", 2}, TIME, &out), DYN_APPLY_DONE, "is changed, if it is what was read");
	item = golden_parse(out.data, out.len);
	is_string(golden_text(item, "values.M.a.B"), "CAE=", "the feature is set");
	is_string(golden_text(item, "event_ts.S"), "now", "so is the time");
	is_string(golden_text(item, "values.M.b.B"), "CAI=", "another feature stays");
	is_string(golden_text(item, "other.N"), "1.50", "and what is no feature");
	json_object_put(item);
	answer(ITEM);
	is_int(apply((DynValueBytes) {"\x08\x03", 2}, TIME, &out), DYN_APPLY_REFUSED, "another value than was read");
	is_int(apply((DynValueBytes) {NULL, 0}, TIME, &out), DYN_APPLY_REFUSED, "one where none was read");
	is_int(apply((DynValueBytes) {"\x08\x02", 2}, "then", &out), DYN_APPLY_REFUSED, "another time");
	is_int(apply((DynValueBytes) {"\x08\x02", 2}, NULL, &out), DYN_APPLY_REFUSED, "a time where none was read");
	ok(answer("{'Responses':{'" TABLE "':[{'entity_id':{'S':'%s'}}]}}"), "an item without anything");
	is_int(apply((DynValueBytes) {NULL, 0}, NULL, &out), DYN_APPLY_DONE, "is changed, too");
	ok(answer("{'Responses':{'" TABLE "':[{'entity_id':{'S':'%s'},'values':{'S':'x'}}]}}"), "one whose values are no map");
	is_int(apply((DynValueBytes) {NULL, 0}, NULL, &out), DYN_APPLY_FAILED, "is not");
	ok(answer("{'Responses':{'" TABLE "':[]}}"), "an item that is gone");
	is_int(apply((DynValueBytes) {NULL, 0}, NULL, &out), DYN_APPLY_REFUSED, "is not made");
	dyn_buf_free(&out);
}

static void
test_answers(void)
{
	DynEntityId id = entity(1);
	DynEntityId other = entity(2);

	ok(answer("{'Responses':{},'UnprocessedKeys':{'" TABLE "':{'Keys':[{'entity_id':{'S':'%s'}}]}}}"), "an unprocessed key");
	is_int(dyn_whole_items_nunprocessed(items), 1, "is counted");
	ok(dyn_whole_items_unprocessed(items, &id) && !dyn_whole_items_unprocessed(items, &other), "and found");
	ok(!answer("{'Responses':{'" TABLE "':[{'entity_id':{'S':'00000000000000000000000000000000'}}]}}"), "another key");
	ok(!answer("{'Responses':{'" TABLE "':[{'entity_id':{'N':'1'}}]}}"), "no key");
	ok(!answer("{'Responses':{'" TABLE "':['x']}}"), "no item");
	ok(!answer("{'Responses':[]}"), "no tables");
	ok(!answer("{}"), "nothing");
	ok(!answer("{'Responses':{'" TABLE "':[{'entity_id':{'S':'%s'},'a\\u0000b':{'S':'x'}}]}}"), "a name with NUL");
	ok(!answer("{'Responses':{"), "half an answer");
	ok(!answer(""), "no answer");
}

int
main(void)
{
	test_changes();
	test_answers();
	dyn_whole_items_free(items);
	return done_testing();
}
