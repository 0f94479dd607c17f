/*
 * test_item_scan.c
 *	  The decoder of BatchGetItem answers: what it reads from good ones,
 *	  against Feast's items and json-c.
 */
#include "core/item_scan.h"

#include <stdlib.h>

#include "core/buf.h"
#include "scan_check.h"
#include "tap.h"

#define MAX_TABLES 5

static void
test_golden_answer(json_object *entry, json_object *answer, const Wanted *wanted)
{
	/* with '/' as is and as '\/', with white space and without */
	static const int styles[] = {
		JSON_C_TO_STRING_PLAIN, JSON_C_TO_STRING_NOSLASHESCAPE, JSON_C_TO_STRING_SPACED, JSON_C_TO_STRING_PRETTY
	};
	const char *table = golden_text(entry, "table_name");

	for (size_t i = 0; i < LENGTH(styles); i++)
	{
		const char *body = json_object_to_json_string_ext(answer, styles[i]);
		Scan		s = scan(body, strlen(body), table, wanted);

		if (is_int(s.result, DYN_SCAN_OK, "%s, %d features: decoded", golden_text(entry, "name"), wanted->set.count))
			ok(s.answer.nitems > 0 && scan_same(&s, answer, table, wanted), "and to its items");
		scan_free(&s);
	}
}

static void
test_golden(void)
{
	json_object *entries = golden_json("items.json");

	for (size_t i = 0; i < golden_count(entries, ""); i++)
	{
		json_object *entry = golden_at(entries, "", i);
		json_object *answer = scan_golden_answer(entry);
		Wanted		wanted = {0};

		test_golden_answer(entry, answer, &wanted);
		for (size_t f = 0; f < golden_count(entry, "feature_view.schema"); f++)
		{
			want(&wanted, golden_text(golden_at(entry, "feature_view.schema", f), "name"));
			test_golden_answer(entry, answer, &wanted);
		}
		json_object_put(answer);
	}
	json_object_put(entries);
}

/* Answers as they came; lists that were cut in the file are no answers. */
static void
test_captured(void)
{
	json_object *requests = golden_json("requests.json");
	Wanted		wanted = {0};
	int			seen = 0;

	want(&wanted, "trips");
	want(&wanted, "city");
	for (size_t i = 0; i < golden_count(requests, "steps"); i++)
		for (size_t j = 0; j < golden_count(golden_at(requests, "steps", i), "requests"); j++)
		{
			json_object *r = golden_at(golden_at(requests, "steps", i), "requests", j);
			json_object *answer = golden_get(r, "response_body");
			const char *body = json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN);
			Scan		s;

			if (strstr(golden_text(r, "x_amz_target"), "BatchGetItem") == NULL ||
				golden_int(r, "response_status") != 200)
				continue;
			s = scan(body, strlen(body), "golden.driver_stats", &wanted);
			if (strstr(body, "trimmed") != NULL)
				is_int(s.result, DYN_SCAN_MALFORMED, "a text is no item");
			else
				ok(s.result == DYN_SCAN_OK && scan_same(&s, answer, "golden.driver_stats", &wanted),
				   "answer of step %zu", i);
			seen++;
			scan_free(&s);
		}
	ok(seen >= 9, "%d captured answers", seen);
	json_object_put(requests);
}

static void
test_rich(void)
{
	char	   *body = golden_quotes(scan_rich_answer);
	Wanted		wanted = {0};
	Scan		s = scan_text(scan_rich_answer);
	DynItem    *item = s.answer.items;

	want(&wanted, "a");
	want(&wanted, "b");
	want(&wanted, "c");
	if (is_int(s.result, DYN_SCAN_OK, "an answer in an unusual order") && is_int(s.answer.nitems, 3, "three items"))
	{
		ok(scan_agrees(&s, body, strlen(body), TABLE, &wanted), "json-c sees the same");

		is_text((char *) item[0].event_ts.data, item[0].event_ts.len, "2024-03-01 10:20:30+00:00", "event_ts");
		is_bytes(item[0].features[0].data, item[0].features[0].len, "\x20\x0c", 2, "feature a");
		is_int(item[0].features[1].state, DYN_ATTR_ABSENT, "feature b is absent");
		is_bytes(item[0].features[2].data, item[0].features[2].len, "\x00\x01\x02\xff\xef", 5, "feature c");

		is_int(item[1].event_ts.state, DYN_ATTR_WRONG_TYPE, "event_ts as a number");
		is_int(item[1].values.state, DYN_ATTR_OK, "values");
		is_int(item[1].features[0].state, DYN_ATTR_ABSENT, "feature a is absent");
		ok(item[1].features[1].state == DYN_ATTR_OK && item[1].features[1].len == 0, "feature b is empty");
		is_int(item[1].features[2].state, DYN_ATTR_WRONG_TYPE, "feature c as a text");

		is_int(item[2].values.state, DYN_ATTR_WRONG_TYPE, "values as a list");
		is_int(item[2].features[0].state, DYN_ATTR_ABSENT, "has no features");
		is_text((char *) item[2].event_ts.data, item[2].event_ts.len,
				"2024 \"\\/\b\f\n\r\t \xc3\xbc\xe6\x9d\xb1\xf0\x9f\x9a\x80", "escapes are decoded");
	}
	is_int(s.answer.nunprocessed, 2, "two unprocessed keys");
	scan_free(&s);
	free(body);
}

/* White space is allowed around every token. */
static void
test_space(void)
{
	char	   *body = golden_quotes(scan_rich_answer);
	DynBuf		spread = {0};
	bool		in_string = false;
	Wanted		wanted = {0};
	Scan		s;

	want(&wanted, "c");
	for (const char *p = body; *p; p++)
	{
		bool		token = !in_string && strchr("{}[],:", *p) != NULL;

		if (*p == '"' && p[-1] != '\\')
			in_string = !in_string;
		if (token)
			dyn_buf_str(&spread, "\r\n\t ");
		dyn_buf_byte(&spread, *p);
		if (token)
			dyn_buf_str(&spread, "\t \r\n");
	}
	s = scan(spread.data, spread.len, TABLE, &wanted);
	ok(s.result == DYN_SCAN_OK && scan_agrees(&s, body, strlen(body), TABLE, &wanted),
	   "white space between all tokens");
	scan_free(&s);
	dyn_buf_free(&spread);
	free(body);
}

/* Escapes in names: \u0041 is A. */
static void
test_escaped_names(void)
{
	Scan		s = scan_text("{'R\\u0065sponses':{'p\\u002et':[{'entity\\u005fid':"
							  "{'\\u0053':'\\u00300112233445566778899aabbccddeeff'},"
							  "'v\\u0061lues':{'\\u004d':{'\\u0062':{'\\u0042':'\\u0049Aw='}}}}]},"
							  "'Unprocessed\\u004beys':{'\\u0070.t':"
							  "{'K\\u0065ys':[{'\\u0065ntity_id':{'S':'" HEX2 "'}}]}}}");

	if (ok(s.result == DYN_SCAN_OK && s.answer.nitems == 1, "names with escapes"))
	{
		is_int(s.answer.items[0].id.bytes[1], 0x11, "the key");
		is_bytes(s.answer.items[0].features[1].data, s.answer.items[0].features[1].len, "\x20\x0c", 2, "the feature");
	}
	is_int(s.answer.nunprocessed, 1, "the unprocessed key");
	scan_free(&s);
}

/* Names that hold anything, and that start like others. */
static void
test_feature_names(void)
{
	Wanted		wanted = {0};
	char	   *body = golden_quotes(ITEM(ID ",'values':{'M':{'':{'B':'AA=='},'a':{'B':'AQ=='},"
										  "'ab':{'B':'Ag=='},'a\\'b':{'B':'Aw=='},'na\\u00efve':{'B':'BA=='},"
										  "'a.b':{'B':'BQ=='},'A':{'B':'Bg=='}}}"));
	Scan		s;
	bool		right = true;

	want(&wanted, "a.b");
	want(&wanted, "na\xc3\xafve");
	want(&wanted, "a\"b");
	want(&wanted, "ab");
	want(&wanted, "a");
	want(&wanted, "");
	want(&wanted, "abc");
	s = scan(body, strlen(body), TABLE, &wanted);
	if (ok(s.result == DYN_SCAN_OK && s.answer.nitems == 1, "features of odd names"))
	{
		for (int i = 0; i < 6; i++)
			right = right && s.answer.items[0].features[i].len == 1 && s.answer.items[0].features[i].data[0] == 5 - i;
		ok(right, "each is found");
		is_int(s.answer.items[0].features[6].state, DYN_ATTR_ABSENT, "and none that is not there");
	}
	scan_free(&s);
	free(body);
}

/* Answers of any size; features of each item stay its own. */
static void
test_many(void)
{
	static const int counts[] = {0, 1, 16, 17, 99, 100};
	Wanted		wanted = {0};

	want(&wanted, "x");
	want(&wanted, "n");
	for (size_t c = 0; c < LENGTH(counts); c++)
	{
		char		body[32768];
		int			len = sprintf(body, "{\"Responses\":{\"" TABLE "\":[");
		bool		right = true;
		Scan		s;

		for (int i = 0; i < counts[c]; i++)
			len += sprintf(body + len, "%s{\"entity_id\":{\"S\":\"%032x\"},"
						   "\"values\":{\"M\":{\"n\":{\"B\":\"%cA==\"}}}}", i > 0 ? "," : "", i, 'A' + i % 26);
		len += sprintf(body + len, "]},\"UnprocessedKeys\":{\"" TABLE "\":{\"Keys\":[");
		for (int i = 0; i < counts[c]; i++)
			len += sprintf(body + len, "%s{\"entity_id\":{\"S\":\"%032x\"}}", i > 0 ? "," : "", i);
		len += sprintf(body + len, "]}}}");
		s = scan(body, len, TABLE, &wanted);
		ok(s.result == DYN_SCAN_OK && s.answer.nitems == counts[c] && s.answer.nunprocessed == counts[c],
		   "%d items and unprocessed keys", counts[c]);
		for (int i = 0; i < s.answer.nitems; i++)
		{
			DynItem    *item = &s.answer.items[i];

			right = right && item->id.bytes[15] == i && s.answer.unprocessed[i].id.bytes[15] == i &&
				item->features[0].state == DYN_ATTR_ABSENT && item->features[1].len == 1 &&
				item->features[1].data[0] == (i % 26) << 2;
		}
		ok(right, "in their order, each with its own features");
		scan_free(&s);
	}
}

/* Good answers to an unusual or an empty question, and their number of items. */
static const struct
{
	const char *what;
	const char *body;
	int			nitems;
}			good[] = {
	{"nothing found", ITEMS(""), 0},
	{"no table answered", "{'Responses':{},'UnprocessedKeys':{}}", 0},
	{"white space around", " \n{'Responses':{},'UnprocessedKeys':{}}\r\n\t ", 0},
	{"the key alone", ITEM(ID), 1},
	{"empty values", ITEM(ID ",'values':{'M':{}}"), 1},
	{"unknown members", ITEM("'x':{'BOOL':true}," ID ",'y':{'NS':['1','2']},'z':{'M':{'entity_id':{'S':'x'}}}"), 1},
	{"padding of two", ITEM(ID ",'values':{'M':{'a':{'B':'AA=='}}}"), 1},
	{"padding of one", ITEM(ID ",'values':{'M':{'a':{'B':'AAA='}}}"), 1},
	{"no padding", ITEM(ID ",'values':{'M':{'a':{'B':'AAAA'}}}"), 1},
	{"an escape in base64", ITEM(ID ",'values':{'M':{'a':{'B':'\\/\\u002b8='}}}"), 1},
	{"a surrogate pair", ITEM(ID ",'event_ts':{'S':'\\uD83D\\uDE80'}"), 1},
	{"an escaped NUL", ITEM(ID ",'event_ts':{'S':'\\u0000'}"), 1},
	{"DEL is no control character", ITEM(ID ",'event_ts':{'S':'\x7f'}"), 1},
};

static void
test_good(void)
{
	for (size_t i = 0; i < LENGTH(good); i++)
	{
		char	   *body = golden_quotes(good[i].body);
		Wanted		wanted = {0};
		Scan		s;

		want(&wanted, "a");
		s = scan(body, strlen(body), TABLE, &wanted);
		ok(s.result == DYN_SCAN_OK && s.answer.nitems == good[i].nitems &&
		   scan_agrees(&s, body, strlen(body), TABLE, &wanted), "good: %s", good[i].what);
		scan_free(&s);
		free(body);
	}
}

/* Stored, but by somebody else than Feast. */
static void
test_wrong_types(void)
{
	static const char *const values[] = {
		"{'S':'x'}", "{'N':'12.5'}", "{'BOOL':true}", "{'NULL':true}", "{'L':[{'B':'AA=='}]}", "{'L':[]}",
		"{'SS':['a','b']}", "{'BS':['AA==']}", "{'M':{'k':{'B':'AA=='}}}", "{'b':'AA=='}", "{'':''}"
	};
	char		body[512];
	Scan		s;

	for (size_t i = 0; i < LENGTH(values); i++)
	{
		snprintf(body, sizeof(body), ITEM(ID ",'values':{'M':{'a':%s,'b':{'B':'IAw='}}}"), values[i]);
		s = scan_text(body);
		ok(s.result == DYN_SCAN_OK && s.answer.items[0].features[0].state == DYN_ATTR_WRONG_TYPE,
		   "%s is no feature", values[i]);
		ok(s.result == DYN_SCAN_OK && s.answer.items[0].features[1].state == DYN_ATTR_OK, "but the next one is");
		scan_free(&s);

		if (strncmp(values[i], "{'S'", 4) != 0)
		{
			snprintf(body, sizeof(body), ITEM("'event_ts':%s," ID), values[i]);
			s = scan_text(body);
			ok(s.result == DYN_SCAN_OK && s.answer.items[0].event_ts.state == DYN_ATTR_WRONG_TYPE,
			   "%s is no event_ts", values[i]);
			scan_free(&s);
		}
		if (strncmp(values[i], "{'M'", 4) != 0)
		{
			snprintf(body, sizeof(body), ITEM("'values':%s," ID), values[i]);
			s = scan_text(body);
			ok(s.result == DYN_SCAN_OK && s.answer.items[0].values.state == DYN_ATTR_WRONG_TYPE &&
			   s.answer.items[0].features[0].state == DYN_ATTR_ABSENT, "%s are no values", values[i]);
			scan_free(&s);
		}
	}

	s = scan_text(ITEM(ID));
	ok(s.result == DYN_SCAN_OK && s.answer.items[0].event_ts.state == DYN_ATTR_ABSENT &&
	   s.answer.items[0].values.state == DYN_ATTR_ABSENT && s.answer.items[0].features[2].state == DYN_ATTR_ABSENT,
	   "an item of its key alone");
	scan_free(&s);
}

/* Tables of other features, or of none, in an order that is not that of the request, json-c being the judge. */
static void
test_several_tables(void)
{
	json_object *entries = golden_json("items.json");
	DynScanTable tables[MAX_TABLES];
	Wanted		wanted[MAX_TABLES] = {0};
	json_object *json = json_object_new_object();
	json_object *responses = json_object_new_object();
	const char *body;
	int			n = 0;
	int			nitems = 0;
	Scan		s;

	for (size_t i = 0; i < golden_count(entries, "") && n < MAX_TABLES; i++, n++)
	{
		json_object *entry = golden_at(entries, "", i);
		static char names[MAX_TABLES][20];

		for (size_t f = 0; f < golden_count(entry, "feature_view.schema") && f < i; f++)
			want(&wanted[n], golden_text(golden_at(entry, "feature_view.schema", f), "name"));
		snprintf(names[n], sizeof(names[n]), "p.view%d", n);
		dyn_scan_table_init(&tables[n], names[n], &wanted[n].set);
		nitems += golden_count(entry, "items");
	}
	for (int i = n - 1; i >= 0; i--)
		json_object_object_add(responses, tables[i].name,
							   json_object_get(golden_get(golden_at(entries, "", i), "items")));
	json_object_object_add(json, "Responses", responses);
	body = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
	s = scan_tables(body, strlen(body), tables, n);
	if (is_int(s.result, DYN_SCAN_OK, "an answer of %d tables", n) && is_int(s.answer.nitems, nitems, "%d items", nitems))
		ok(scan_same_tables(&s, json, tables, n), "each of its own table, with its features");
	scan_free(&s);
	s = scan_tables(body, strlen(body), tables, n - 1);
	is_int(s.result, DYN_SCAN_MALFORMED, "a table less was asked");
	scan_free(&s);
	json_object_put(json);
	json_object_put(entries);
}

int
main(void)
{
	DynAnswer	empty = {0};

	test_golden();
	test_captured();
	test_rich();
	test_space();
	test_escaped_names();
	test_feature_names();
	test_many();
	test_good();
	test_wrong_types();
	test_several_tables();
	dyn_answer_free(&empty);
	ok(true, "an answer of nothing is freed");
	return done_testing();
}
