/*
 * test_batch_get_tables.c
 *	  Reading items of several tables: shared requests, what they leave
 *	  unprocessed, refusals that one table is to blame for, items that are kept;
 *	  on a fake engine and a fake clock.
 */
#include "net/batch_get.h"

#include "get_check.h"
#include "golden.h"
#include "tap.h"

static const char *const names[] = {"p.a", "p.b", "p.c", "p.d"};

static const DynFeatureNames no_features;
static DynGetRequest tables[LENGTH(names)];

/* A read of so many keys of each table: key k is the entity with its number within its table. */
static void
begin(const uint32_t * nkeys, int ntables, int batch_size, int max_workers, bool keep)
{
	DynBatchGetConfig config = {
		.tables = tables, .ntables = ntables, .nkeys = nkeys,
		.batch_size = batch_size, .max_workers = max_workers, .keep = keep
	};

	begin_get(NULL, &config);
}

/* What request `n` asks for: "p.a 0 1, p.b 0". */
static const char *
asked(int n)
{
	static char text[2000];
	json_object *body = golden_parse(fake_request(n)->body.data, fake_request(n)->body.len);

	text[0] = '\0';
	json_object_object_foreach(golden_get(body, "RequestItems"), table, entry)
	{
		sprintf(text + strlen(text), "%s%s", text[0] ? ", " : "", table);
		for (size_t i = 0; i < golden_count(entry, "Keys"); i++)
			sprintf(text + strlen(text), " %ld",
					strtol(golden_text(golden_at(entry, "Keys", i), "entity_id.S"), NULL, 16));
	}
	json_object_put(body);
	return text;
}

/* Adds "p.a 0 1, p.b 0" as an object of tables, each entity of which stands between `open` and `close`. */
static void
add_tables(DynBuf *out, const char *what, const char *open, const char *close)
{
	char		copy[500];
	char	   *rest = copy;
	char	   *table;

	snprintf(copy, sizeof(copy), "%s", what);
	dyn_buf_byte(out, '{');
	while ((table = strsep(&rest, ",")) != NULL && what[0])
	{
		char	   *name = table + strspn(table, " ");
		char	   *entities = name + strcspn(name, " ");

		if (table != copy)
			dyn_buf_byte(out, ',');
		dyn_buf_json_string(out, name, entities - name);
		dyn_buf_str(out, open);
		add_entities(out, entities, "{\"entity_id\":{\"S\":\"%s\"}}");
		dyn_buf_str(out, close);
	}
	dyn_buf_byte(out, '}');
}

/* Answers request `n` by items and by what is left unprocessed. */
static void
answer(int n, const char *found, const char *unprocessed)
{
	DynBuf		body = {0};

	dyn_buf_str(&body, "{\"Responses\":");
	add_tables(&body, found, ":[", "]");
	dyn_buf_str(&body, ",\"UnprocessedKeys\":");
	add_tables(&body, unprocessed, ":{\"Keys\":[", "]}");
	dyn_buf_byte(&body, '}');
	fake_answer(n, 200, dyn_buf_cstr(&body));
	dyn_buf_free(&body);
}

static void
refuse(int n, const char *code)
{
	char		body[200];

	snprintf(body, sizeof(body), "{\"__type\":\"com.amazonaws.dynamodb.v20120810#%s\",\"message\":\"no\"}", code);
	fake_answer(n, 400, body);
}

/* Of each table: how many requests asked for its keys. */
static const char *
requests(int ntables)
{
	static char text[100];

	text[0] = '\0';
	for (int i = 0; i < ntables; i++)
		sprintf(text + strlen(text), "%s%ld", i > 0 ? " " : "", (long) dyn_batch_get_requests(get, i));
	return text;
}

static void
test_one_request(void)
{
	begin((uint32_t[]) {2, 1, 3}, 3, 100, 10, false);
	is_int(step(), DYN_STEP_WAIT, "a few keys of three tables");
	is_int(fake_sent(), 1, "are one request");
	is_string(asked(0), "p.a 0 1, p.b 0, p.c 0 1 2", "with an entry for each");
	answer(0, "p.c 2 0, p.a 0 1", "");
	is_int(take_rows(), DYN_STEP_END, "the answer has any order");
	is_string(rows, "5 3 0 1", "and the same entities in several tables");
	is_string(requests(3), "1 1 1", "each table was in a request");
	is_int(counters.items_found, 4, "found are counted together");
	is_int(counters.items_missing, 2, "and missing");
	ok(dyn_batch_get_rewind(get), "it can be read again");
	rows[0] = '\0';
	is_int(take_rows(), DYN_STEP_END, "to its end");
	is_string(rows, "5 3 0 1", "with the same rows");
}

static void
test_requests_straddle(void)
{
	begin((uint32_t[]) {3, 5, 1}, 3, 4, 2, false);
	step();
	is_int(fake_sent(), 2, "a window of two requests");
	is_string(asked(0), "p.a 0 1 2, p.b 0", "full ones");
	is_string(asked(1), "p.b 1 2 3 4", "of whatever table is next");
	answer(1, "p.b 4", "");
	is_int(take_rows(), DYN_STEP_WAIT, "then");
	is_string(asked(2), "p.c 0", "the rest");
	answer(0, "p.a 1, p.b 0", "");
	answer(2, "p.c 0", "");
	is_int(take_rows(), DYN_STEP_END, "the end");
	is_string(rows, "7 8 1 3", "all rows");
	is_string(requests(3), "1 2 1", "a table is in several requests");
	ok(!dyn_batch_get_rewind(get), "which can't be read again");
}

static void
test_no_keys(void)
{
	begin((uint32_t[]) {0, 2, 0, 1}, 4, 100, 10, false);
	step();
	is_string(asked(0), "p.b 0 1, p.d 0", "tables without keys are not asked");
	answer(0, "p.b 1, p.c", "");
	is_int(take_rows_until_sent(1), DYN_STEP_WAIT, "nor may they be answered");
	answer(1, "p.b 1, p.d 0", "");
	is_int(take_rows(), DYN_STEP_END, "the end");
	is_string(requests(4), "0 1 0 1", "they have no request, and a retry is none");

	begin((uint32_t[]) {0, 0}, 2, 100, 10, false);
	is_int(step(), DYN_STEP_END, "no keys at all: the end");
	is_int(fake_sent(), 0, "and nothing is asked");
}

static void
test_consumed_capacity(void)
{
	tables[2].capacity = true;
	begin((uint32_t[]) {1, 1, 1}, 3, 2, 10, false);
	tables[2].capacity = false;
	step();
	ok(strstr(fake_request(0)->body.data, "ReturnConsumedCapacity") == NULL, "nobody in the request wants to know");
	ok(strstr(fake_request(1)->body.data, "ReturnConsumedCapacity") != NULL, "a table does");
}

static void
test_unprocessed(void)
{
	begin((uint32_t[]) {2, 2, 3}, 3, 5, 1, false);
	step();
	is_string(asked(0), "p.a 0 1, p.b 0 1, p.c 0", "a request");
	answer(0, "p.a 0", "p.c 0, p.a 1, p.b 1");
	is_int(take_rows(), DYN_STEP_WAIT, "leaves keys of several tables");
	is_string(asked(1), "p.a 1, p.b 1, p.c 0 1 2", "that go with further ones, an entry for each table");
	answer(1, "", "p.a 1, p.c 2");
	take_rows();
	is_string(asked(2), "p.a 1, p.c 2", "some are left again");
	answer(2, "p.a 1, p.c 2", "");
	is_int(take_rows(), DYN_STEP_END, "until none is");
	is_string(rows, "0 1 6", "no row is missing");
	is_int(counters.unprocessed_keys, 5, "unprocessed keys are counted");
	is_string(requests(3), "3 2 3", "as are the requests of a table");
}

static void
test_all_unprocessed(void)
{
	begin((uint32_t[]) {1, 1}, 2, 100, 1, false);
	step();
	for (int i = 0; i < 3; i++)
	{
		answer(i, "", "p.a 0, p.b 0");
		is_int(take_rows_until_sent(i + 1), DYN_STEP_WAIT, "round %d", i + 1);
	}
	answer(3, "", "p.a 0, p.b 0");
	is_int(step(), DYN_STEP_FAILED, "the fourth round is the last");
	is_int(status.cls, DYN_THROTTLED, "it counts as throttled");
	is_int(dyn_batch_get_failed_table(get), -1, "no single table is to blame");
}

static void
test_wrong_answers(void)
{
	static const struct
	{
		const char *what;
		const char *found;
		const char *unprocessed;
	}			wrong[] = {
		{"an item that another table was asked for", "p.b 1", ""},
		{"an item twice", "p.a 0 1 0", ""},
		{"an item twice, in a table that comes twice", "p.a 0, p.b 0, p.a 0", ""},
		{"an item that is unprocessed too", "p.b 0", "p.b 0"},
		{"an unprocessed key that another table was asked for", "", "p.b 1"},
		{"a table that was not asked", "p.a 0, p.d 0", ""},
		{"a table of the read, but not of the request", "p.a 0, p.c 0", ""},
		{"the same, unprocessed", "", "p.c 0"},
	};

	for (size_t i = 0; i < LENGTH(wrong); i++)
	{
		begin((uint32_t[]) {2, 1, 1}, 3, 3, 1, false);
		step();
		answer(0, wrong[i].found, wrong[i].unprocessed);
		is_int(take_rows_until_sent(1), DYN_STEP_WAIT, "%s: is asked again", wrong[i].what);
		is_string(asked(1), "p.a 0 1, p.b 0", "all of it");
		answer(1, "p.b 0", "");
		take_rows();
		is_string(rows, "2", "with the right row only");
	}
	begin((uint32_t[]) {1, 1}, 2, 100, 1, false);
	step();
	for (int i = 0; i < 4; i++)
	{
		fake_answer(i, 200, "{\"Responses\":{\"p.a\":[]");
		take_rows_until_sent(i + 1);
	}
	is_int(fake_sent(), 4, "an answer that stays malformed is asked for four times");
	is_int(status.cls, DYN_PROTOCOL, "and is an error");
	is_int(dyn_batch_get_failed_table(get), -1, "of no single table");
}

/* Why one of three tables may be refused. */
static const struct
{
	const char *code;
	DynClass	cls;
}			refusals[] = {
	{"ResourceNotFoundException", DYN_TABLE_MISSING},
	{"AccessDeniedException", DYN_ACCESS_DENIED},
	{"ValidationException", DYN_REJECTED},
	{"SomethingNewException", DYN_REJECTED},
};

static void
test_refused(void)
{
	for (size_t i = 0; i < LENGTH(refusals); i++)
	{
		begin((uint32_t[]) {2, 1, 2}, 3, 100, 10, false);
		step();
		refuse(0, refusals[i].code);
		is_int(take_rows(), DYN_STEP_WAIT, "%s: not the end yet", refusals[i].code);
		is_int(fake_sent(), 4, "each table is asked by itself");
		is_string(asked(1), "p.a 0 1", "for all of its keys");
		is_string(asked(2), "p.b 0", "the second");
		is_string(asked(3), "p.c 0 1", "and the third");
		answer(3, "p.c 1", "");
		answer(1, "p.a 0", "");
		is_int(take_rows(), DYN_STEP_WAIT, "those that are fine go on");
		is_string(rows, "4 0", "with their rows");
		refuse(2, refusals[i].code);
		is_int(take_rows(), DYN_STEP_FAILED, "the one that isn't ends the read");
		is_int(status.cls, refusals[i].cls, "for its reason");
		is_int(dyn_batch_get_failed_table(get), 1, "and is known");
		is_string(requests(3), "2 2 2", "each was in two requests");
	}
}

static void
test_refused_with_one_worker(void)
{
	begin((uint32_t[]) {2, 2, 2, 2}, 4, 3, 1, false);
	step();
	is_string(asked(0), "p.a 0 1, p.b 0", "of a request");
	refuse(0, "ValidationException");
	for (int i = 1; i <= 4; i++)
	{
		static const char *const want[] = {"p.a 0 1", "p.b 0 1", "p.c 0 1", "p.d 0 1"};

		is_int(take_rows(), DYN_STEP_WAIT, "that was refused");
		is_int(fake_sent(), i + 1, "the tables are asked one by one");
		is_string(asked(i), want[i - 1], "and later ones share no request");
		answer(i, want[i - 1], "");
	}
	is_int(take_rows(), DYN_STEP_END, "where none of them is refused, all is well");
	is_string(rows, "0 1 2 3 4 5 6 7", "with all rows");
}

static void
test_refused_with_unprocessed(void)
{
	begin((uint32_t[]) {2, 2}, 2, 100, 1, false);
	step();
	answer(0, "", "p.a 0 1, p.b 0 1");
	take_rows_until_sent(1);
	refuse(1, "AccessDeniedException");
	take_rows();
	is_string(asked(2), "p.a 1 0", "unprocessed keys that are refused are split as well");
	answer(2, "p.a 1", "p.a 0");
	take_rows();
	is_string(asked(3), "p.a 0", "what is left of them stays by itself");
	answer(3, "p.a 0", "");
	take_rows();
	is_string(asked(4), "p.b 1 0", "before the next table");
	refuse(4, "AccessDeniedException");
	is_int(take_rows(), DYN_STEP_FAILED, "which fails");
	is_int(dyn_batch_get_failed_table(get), 1, "and is named");
}

/* What says nothing of a table is no reason to ask again. */
static void
test_not_split(void)
{
	begin((uint32_t[]) {1, 1}, 2, 100, 10, false);
	step();
	refuse(0, "UnrecognizedClientException");
	is_int(take_rows(), DYN_STEP_FAILED, "credentials are the same for all tables");
	is_int(status.cls, DYN_CREDENTIALS, "so that is the reason");
	is_int(dyn_batch_get_failed_table(get), -1, "and no table");
	is_int(fake_sent(), 1, "nothing was asked again");

	begin((uint32_t[]) {1, 1}, 2, 100, 10, false);
	step();
	for (int i = 0; i < 4; i++)
	{
		refuse(i, "ThrottlingException");
		take_rows_until_sent(i + 1);
	}
	is_int(status.cls, DYN_THROTTLED, "throttled to the end");
	is_int(fake_sent(), 4, "by the same request");
	is_string(asked(3), "p.a 0, p.b 0", "for both");

	begin((uint32_t[]) {1, 1}, 2, 100, 10, false);
	step();
	fake_answer(0, 302, "");
	is_int(take_rows(), DYN_STEP_FAILED, "a redirect");
	is_int(fake_sent(), 1, "is not about a table");

	begin((uint32_t[]) {1, 1}, 2, 1, 10, false);
	step();
	refuse(1, "ResourceNotFoundException");
	is_int(take_rows(), DYN_STEP_FAILED, "a request of one table");
	is_int(dyn_batch_get_failed_table(get), 1, "has its name");
	is_int(fake_sent(), 2, "at once");
}

static void
test_keep(void)
{
	const DynItem *kept[6];

	for (int keep = 0; keep <= 1; keep++)
	{
		begin((uint32_t[]) {4, 2}, 2, 2, 2, keep);
		step();
		answer(0, "p.a 1 0", "");
		answer(1, "p.a 2 3", "");
		for (int i = 0; i < 4; i++)
		{
			is_int(step(), DYN_STEP_ROW, "row %d", i);
			kept[i] = item;
		}
		answer(2, "p.b 1", "p.b 0");
		is_int(step(), DYN_STEP_ROW, "row 4");
		kept[4] = item;
		is_int(step(), DYN_STEP_WAIT, "one key is left");
		answer(3, "p.b 0", "");
		is_int(step(), DYN_STEP_ROW, "row 5");
		kept[5] = item;
		is_int(step(), DYN_STEP_END, "the end");
		is_string(rows, "2 3 1 0 5 4", "all rows");
	}
	for (int i = 0; i < 6; i++)
	{
		static const int want[] = {2, 3, 1, 0, 1, 0};

		is_int(kept[i]->id.bytes[15], want[i], "item %d is still there at the end", i);
	}
}

/* The texts that kept items point to, too, even where the client is gone. */
static void
test_keep_bytes(void)
{
	static const char *const name = "f";
	static const size_t len = 1;
	static const DynFeatureNames features = {&name, &len, 1};
	DynGetRequest two[] = {{.table = "p.a", .features = &features}, {.table = "p.b", .features = &features}};
	const DynItem *kept[2];

	begin_get(NULL, &(DynBatchGetConfig) {.tables = two, .ntables = 2, .nkeys = (uint32_t[]) {1, 1}, .batch_size = 1,
			  .max_workers = 2, .keep = true});
	step();
	for (int i = 0; i < 2; i++)
	{
		char		body[300];

		snprintf(body, sizeof(body), "{\"Responses\":{\"p.%c\":[{\"entity_id\":{\"S\":\"%032x\"},"
				 "\"values\":{\"M\":{\"f\":{\"B\":\"%s\"}}}}]},\"UnprocessedKeys\":{}}", 'a' + i, 0, i ? "IAw=" : "AQID");
		fake_answer(i, 200, body);
		is_int(step(), DYN_STEP_ROW, "an item");
		kept[i] = item;
	}
	is_int(step(), DYN_STEP_END, "the end");
	dyn_client_free(client);
	client = NULL;
	is_bytes(kept[0]->features[0].data, kept[0]->features[0].len, "\1\2\3", 3, "the first one's feature");
	is_bytes(kept[1]->features[0].data, kept[1]->features[0].len, "\x20\x0c", 2, "the second one's");
}

int
main(void)
{
	for (size_t i = 0; i < LENGTH(names); i++)
		tables[i] = (DynGetRequest) {.table = names[i], .features = &no_features};
	test_one_request();
	test_requests_straddle();
	test_no_keys();
	test_consumed_capacity();
	test_unprocessed();
	test_all_unprocessed();
	test_wrong_answers();
	test_refused();
	test_refused_with_one_worker();
	test_refused_with_unprocessed();
	test_not_split();
	test_keep();
	test_keep_bytes();
	end_get();
	return done_testing();
}
