/*
 * test_get_request.c
 *	  Requests for several tables: bodies against those that boto3 sends, and
 *	  which keys an answer is about.
 */
#include "core/get_request.h"

#include <stdlib.h>

#include "batch_check.h"
#include "scan_check.h"
#include "tap.h"

/* ---- bodies ---- */

/* The tables of a case of get_requests.json, as a read has them. */
typedef struct Case
{
	DynGetRequest requests[DYN_MAX_GET_KEYS];
	Wanted		wanted[DYN_MAX_GET_KEYS];
	uint32_t	nkeys[DYN_MAX_GET_KEYS];
	DynEntityId keys[DYN_MAX_GET_KEYS];
	int			ntables;
	DynGetTables tables;
} Case;

static void
read_case(Case *c, json_object *entry)
{
	uint32_t	n = 0;

	memset(c, 0, sizeof(*c));
	c->ntables = golden_count(entry, "tables");
	for (int t = 0; t < c->ntables; t++)
	{
		json_object *table = golden_at(entry, "tables", t);

		for (size_t f = 0; f < golden_count(table, "features"); f++)
			want(&c->wanted[t], json_object_get_string(golden_at(table, "features", f)));
		c->requests[t] = (DynGetRequest) {
			.table = golden_text(table, "table"),
			.consistent = json_object_get_boolean(golden_get(table, "consistent")),
			.event_ts = json_object_get_boolean(golden_get(table, "event_ts")),
			.features = &c->wanted[t].set,
			.capacity = json_object_get_boolean(golden_get(table, "capacity"))
		};
		c->nkeys[t] = golden_count(table, "keys");
		for (uint32_t k = 0; k < c->nkeys[t]; k++)
			dyn_entity_id_from_hex(&c->keys[n++], json_object_get_string(golden_at(table, "keys", k)), 32);
	}
	ok(dyn_get_tables_init(&c->tables, c->requests, c->ntables, c->nkeys, c->keys), "%d tables", c->ntables);
	is_int(c->tables.nkeys, n, "with %u keys", n);
}

static int
compare_numbers(const void *a, const void *b)
{
	return (int) *(const uint32_t *) a - (int) *(const uint32_t *) b;
}

/* In the order of the keys, and in one in which those of a table are far apart: the body names the same. */
static void
test_body(json_object *entry)
{
	static Case c;

	read_case(&c, entry);
	for (int step = 1; step <= 7; step += 6)
	{
		DynGetKeys	request = {.nkeys = c.tables.nkeys};
		DynBuf		body = {0};
		json_object *json;

		for (int i = 0; i < request.nkeys; i++)
			request.keys[i] = step == 1 || request.nkeys % 7 == 0 ? i : i * 7 % request.nkeys;
		dyn_get_group(&c.tables, &request);
		for (int i = 0; i < request.nparts && step > 1; i++)
			qsort(request.keys + request.parts[i].first, request.parts[i].end - request.parts[i].first,
				  sizeof(uint32_t), compare_numbers);
		dyn_get_body(&c.tables, &request, &body);
		json = golden_parse(body.data, body.len);
		if (!ok(json != NULL && json_object_equal(json, golden_get(entry, "body")), "the body that boto3 sends"))
			diag("%.*s", (int) body.len, body.data);
		json_object_put(json);
		dyn_buf_free(&body);
	}
	dyn_get_tables_free(&c.tables);
}

static void
test_bodies(void)
{
	json_object *cases = golden_json("get_requests.json");

	for (size_t i = 0; i < golden_count(cases, ""); i++)
		test_body(golden_at(cases, "", i));
	ok(golden_count(cases, "") >= 8, "%zu bodies of boto3", golden_count(cases, ""));
	json_object_put(cases);
}

/* ---- three tables: keys 0 to 2 are entities 0 to 2 of p.a, 3 to 4 are 0 and 1 of p.b, none of p.c, 5 is 0 of p.d ---- */

static DynGetTables tables;
static Wanted features[4];

static void
make_tables(void)
{
	static const char *const names[] = {"p.a", "p.b", "p.c", "p.d"};
	static const uint32_t nkeys[] = {3, 2, 0, 1};
	static DynEntityId keys[6];
	DynGetRequest requests[4];

	for (int i = 0; i < 6; i++)
		keys[i] = entity(i < 3 ? i : i < 5 ? i - 3 : 0);
	want(&features[0], "x");
	want(&features[1], "x");
	want(&features[1], "y");
	want(&features[3], "y");
	for (int i = 0; i < 4; i++)
		requests[i] = (DynGetRequest) {.table = names[i], .features = &features[i].set, .capacity = i == 2};
	dyn_get_tables_init(&tables, requests, 4, nkeys, keys);
}

static void
test_table_of(void)
{
	static const int want_tables[] = {0, 0, 0, 1, 1, 3};
	bool		right = true;

	for (int guess = 0; guess < 4; guess++)
		for (uint32_t key = 0; key < 6; key++)
			right = right && dyn_get_table_of(&tables, key, guess) == want_tables[key];
	ok(right, "the table of a key, wherever the search starts");
}

/* A request for keys in this order, "3 0 1". */
static DynGetKeys
ask(const char *keys)
{
	DynGetKeys	request = {.nkeys = 0};
	char	   *end;

	for (long n = strtol(keys, &end, 10); end != keys; n = strtol(keys, &end, 10))
	{
		request.keys[request.nkeys++] = n;
		keys = end;
	}
	dyn_get_group(&tables, &request);
	return request;
}

static void
test_group(const char *keys, const char *want_keys, int nparts)
{
	DynGetKeys	request = ask(keys);
	char		text[100] = "";

	for (int p = 0; p < request.nparts; p++)
	{
		int			last = p > 0 ? request.parts[p - 1].end : 0;

		ok(request.parts[p].first == last && request.parts[p].end > last, "part %d of %s has keys", p, keys);
		for (int i = request.parts[p].first; i < request.parts[p].end; i++)
		{
			sprintf(text + strlen(text), "%s%u", i > 0 ? " " : "", request.keys[i]);
			is_int(dyn_get_table_of(&tables, request.keys[i], 0), request.parts[p].table, "of its table");
		}
	}
	is_string(text, want_keys, "%s, by table", keys);
	is_int(request.nparts, nparts, "and as many parts");
}

/* The bytes of a body: keys of two tables; and of one alone, whose body is what it was before there were several. */
static void
test_bytes(void)
{
#define KEY(n) "{'entity_id':{'S':'0000000000000000000000000000000" n "'}}"
	static const struct
	{
		const char *keys;
		const char *body;
	}			bodies[] = {
		{"1 0", "{'RequestItems':{'p.a':{'Keys':[" KEY("1") "," KEY("0") "],'ProjectionExpression':"
			"'#entity_id, #vals.#feat0','ExpressionAttributeNames':{'#entity_id':'entity_id','#vals':'values',"
		"'#feat0':'x'}}}}"},
		{"5 2", "{'RequestItems':{'p.a':{'Keys':[" KEY("2") "],'ProjectionExpression':"
			"'#entity_id, #vals.#feat0','ExpressionAttributeNames':{'#entity_id':'entity_id','#vals':'values',"
			"'#feat0':'x'}},'p.d':{'Keys':[" KEY("0") "],'ProjectionExpression':'#entity_id, #vals.#feat0',"
		"'ExpressionAttributeNames':{'#entity_id':'entity_id','#vals':'values','#feat0':'y'}}}}"}
	};

	for (size_t i = 0; i < LENGTH(bodies); i++)
	{
		DynGetKeys	request = ask(bodies[i].keys);
		char	   *want_body = golden_quotes(bodies[i].body);
		DynBuf		body = {0};

		dyn_get_body(&tables, &request, &body);
		is_string(dyn_buf_cstr(&body), want_body, "the bytes of a body");
		dyn_buf_free(&body);
		free(want_body);
	}
}

/* ---- answers to a request for keys 1 0 3 4 5, that is entities 1 and 0 of p.a, 0 and 1 of p.b, 0 of p.d ---- */

#define E0 "{'entity_id':{'S':'00000000000000000000000000000000'}}"
#define E1 "{'entity_id':{'S':'00000000000000000000000000000001'}}"
#define E2 "{'entity_id':{'S':'00000000000000000000000000000002'}}"
#define ANSWER(items, unprocessed) "{'Responses':{" items "},'UnprocessedKeys':{" unprocessed "}}"

/* `matches`: keys of items, and of what is unprocessed; NULL: the answer does not fit the request; "": malformed */
static const struct
{
	const char *what;
	const char *body;
	const char *matches;
}			answers[] = {
	{"nothing", ANSWER("", ""), "-"},
	{"all", ANSWER("'p.a':[" E0 "," E1 "],'p.b':[" E0 "," E1 "],'p.d':[" E0 "]", ""), "0 1 3 4 5 -"},
	{"in another order", ANSWER("'p.d':[" E0 "],'p.b':[" E1 "," E0 "],'p.a':[" E1 "," E0 "]", ""), "5 4 3 1 0 -"},
	{"an id of one table only", ANSWER("'p.b':[" E0 "]", ""), "3 -"},
	{"a table twice", ANSWER("'p.b':[" E0 "],'p.a':[" E1 "],'p.b':[" E1 "]", ""), "3 1 4 -"},
	{"unprocessed keys", ANSWER("'p.b':[" E0 "]", "'p.d':{'Keys':[" E0 "]},'p.a':{'Keys':[" E0 "," E1 "]}"),
	"3 - 5 0 1"},
	{"an id as an item here, unprocessed there", ANSWER("'p.a':[" E0 "]", "'p.b':{'Keys':[" E0 "]}"), "0 - 3"},
	{"an item twice", ANSWER("'p.a':[" E0 "," E1 "," E0 "]", ""), NULL},
	{"an item twice, its table too", ANSWER("'p.a':[" E0 "],'p.b':[],'p.a':[" E0 "]", ""), NULL},
	{"an item that only another table was asked for", ANSWER("'p.d':[" E1 "]", ""), NULL},
	{"a key of a table that was not asked", ANSWER("'p.a':[" E2 "]", ""), NULL},
	{"more items than keys", ANSWER("'p.d':[" E0 "," E0 "]", ""), NULL},
	{"an item that is unprocessed too", ANSWER("'p.b':[" E1 "]", "'p.b':{'Keys':[" E1 "]}"), NULL},
	{"an unprocessed key twice", ANSWER("", "'p.b':{'Keys':[" E1 "," E1 "]}"), NULL},
	{"an unprocessed key that only another table was asked for", ANSWER("", "'p.d':{'Keys':[" E1 "]}"), NULL},
	{"a table without keys", ANSWER("'p.c':[]", ""), ""},
	{"a table without keys, unprocessed", ANSWER("", "'p.c':{'Keys':[]}"), ""},
	{"another table", ANSWER("'p.a':[],'p.e':[]", ""), ""},
	{"another table, unprocessed", ANSWER("", "'p.b':{'Keys':[]},'p.e':{'Keys':[]}"), ""},
	{"a table inside another", ANSWER("'p.a':{'p.b':[]}", ""), ""},
	{"tables in an array", "{'Responses':[{'p.a':[]}],'UnprocessedKeys':{}}", ""},
};

static void
test_answers(void)
{
	DynGetKeys	request = ask("1 0 3 4 5");

	for (size_t i = 0; i < LENGTH(answers); i++)
	{
		char	   *body = golden_quotes(answers[i].body);
		DynAnswer	answer = {0};
		DynGetMatch match;
		DynScanResult result = dyn_get_scan(&tables, &request, body, strlen(body), &answer);
		const char *matches = answers[i].matches;
		char		text[200] = "";

		is_int(result, matches && !matches[0] ? DYN_SCAN_MALFORMED : DYN_SCAN_OK, "%s", answers[i].what);
		if (result == DYN_SCAN_OK && is_int(dyn_get_match(&tables, &request, &answer, &match), matches != NULL,
											"does it fit?") && matches)
		{
			for (int k = 0; k < answer.nitems; k++)
				sprintf(text + strlen(text), "%u ", match.items[k]);
			strcat(text, "-");
			for (int k = 0; k < answer.nunprocessed; k++)
				sprintf(text + strlen(text), " %u", match.unprocessed[k]);
			is_string(text, matches, "the keys");
		}
		dyn_answer_free(&answer);
		free(body);
	}
}

int
main(void)
{
	test_bodies();
	make_tables();
	test_table_of();
	test_group("0 1 2 3 4 5", "0 1 2 3 4 5", 3);
	test_group("5 4 3 2 1 0", "2 1 0 4 3 5", 3);
	test_group("4 0 5 3 2", "0 2 4 3 5", 3);
	test_group("5 0", "0 5", 2);
	test_group("4", "4", 1);
	test_group("", "", 0);
	test_bytes();
	test_answers();
	dyn_get_tables_free(&tables);
	return done_testing();
}
