/*
 * test_item_scan_bad.c
 *	  The decoder of BatchGetItem answers: what it must not take for an answer.
 *	  An answer that is cut or damaged must never look like one with fewer rows.
 */
#include "core/item_scan.h"
#include "core/json_scan.h"

#include <stdlib.h>

#include "core/buf.h"
#include "scan_check.h"
#include "tap.h"

static const struct
{
	const char *what;
	const char *body;
}			malformed[] = {
	/* not an answer */
	{"nothing", ""},
	{"white space", " \n"},
	{"null", "null"},
	{"a number", "12"},
	{"a text", "'x'"},
	{"an array", "[]"},
	{"HTML", "<html></html>"},
	{"an empty object", "{}"},
	{"no Responses", "{'UnprocessedKeys':{}}"},
	{"an error", "{'__type':'x#ValidationException','message':'m'}"},
	{"Responses null", "{'Responses':null,'UnprocessedKeys':{}}"},
	{"Responses an array", "{'Responses':[],'UnprocessedKeys':{}}"},
	{"Responses inside another member", "{'x':{'Responses':{}},'UnprocessedKeys':{}}"},
	{"items null", "{'Responses':{'" TABLE "':null},'UnprocessedKeys':{}}"},
	{"items an object", "{'Responses':{'" TABLE "':{}},'UnprocessedKeys':{}}"},
	{"another table", "{'Responses':{'p.u':[{" ID "}]},'UnprocessedKeys':{}}"},
	{"another table besides ours", "{'Responses':{'" TABLE "':[],'p.u':[]},'UnprocessedKeys':{}}"},
	{"a table whose name ours starts with", "{'Responses':{'p.':[]},'UnprocessedKeys':{}}"},
	{"a table whose name starts with ours", "{'Responses':{'p.tt':[]},'UnprocessedKeys':{}}"},
	{"UnprocessedKeys null", "{'Responses':{},'UnprocessedKeys':null}"},
	{"UnprocessedKeys an array", "{'Responses':{},'UnprocessedKeys':[]}"},
	{"UnprocessedKeys of another table", UNPROCESSED("'p.u':{'Keys':[{" ID "}]}")},
	{"unprocessed without Keys", UNPROCESSED("'" TABLE "':{'ConsistentRead':true}")},
	{"unprocessed an array", UNPROCESSED("'" TABLE "':[]")},
	{"Keys an object", UNPROCESSED("'" TABLE "':{'Keys':{" ID "}}")},
	{"a key of another name", UNPROCESSED("'" TABLE "':{'Keys':[{'id':{'S':'" HEX "'}}]}")},
	{"an empty key", UNPROCESSED("'" TABLE "':{'Keys':[{}]}")},
	{"a key that is no hex", UNPROCESSED("'" TABLE "':{'Keys':[{'entity_id':{'S':'x'}}]}")},

	/* items without a good key */
	{"an item null", ITEMS("null")},
	{"an item of text", ITEMS("'x'")},
	{"an item in an array", ITEMS("[{" ID "}]")},
	{"an empty item", ITEMS("{}")},
	{"no entity_id", ITEM("'event_ts':{'S':'2024-03-01 10:20:30+00:00'}")},
	{"the second item without entity_id", ITEMS("{" ID "},{'values':{'M':{}}}")},
	{"entity_id null", ITEM("'entity_id':null")},
	{"entity_id a text", ITEM("'entity_id':'" HEX "'")},
	{"entity_id a number", ITEM("'entity_id':{'N':'1'}")},
	{"entity_id binary", ITEM("'entity_id':{'B':'" HEX "'}")},
	{"entity_id empty", ITEM("'entity_id':{'S':''}")},
	{"entity_id too short", ITEM("'entity_id':{'S':'0011'}")},
	{"entity_id too long", ITEM("'entity_id':{'S':'" HEX "00'}")},
	{"entity_id no hex", ITEM("'entity_id':{'S':'g0112233445566778899aabbccddeeff'}")},

	/* attribute values that are none */
	{"event_ts null", ITEM(ID ",'event_ts':null")},
	{"event_ts a text", ITEM(ID ",'event_ts':'2024-03-01 10:20:30'")},
	{"event_ts an array", ITEM(ID ",'event_ts':['x']")},
	{"S with a number", ITEM(ID ",'event_ts':{'S':1}")},
	{"S with null", ITEM(ID ",'event_ts':{'S':null}")},
	{"B with a number", ITEM(ID ",'values':{'M':{'a':{'B':1}}}")},
	{"B with an array", ITEM(ID ",'values':{'M':{'a':{'B':[]}}}")},
	{"M with an array", ITEM(ID ",'values':{'M':[]}")},
	{"M with null", ITEM(ID ",'values':{'M':null}")},
	{"a feature null", ITEM(ID ",'values':{'M':{'a':null}}")},
	{"a feature of text", ITEM(ID ",'values':{'M':{'a':'AA=='}}")},

	/* base64 */
	{"base64 of one digit", ITEM(ID ",'values':{'M':{'a':{'B':'A'}}}")},
	{"base64 of two digits", ITEM(ID ",'values':{'M':{'a':{'B':'AA'}}}")},
	{"base64 of three digits", ITEM(ID ",'values':{'M':{'a':{'B':'AAA'}}}")},
	{"base64 of five digits", ITEM(ID ",'values':{'M':{'a':{'B':'AAAAA'}}}")},
	{"base64 of padding", ITEM(ID ",'values':{'M':{'a':{'B':'===='}}}")},
	{"base64 with three of padding", ITEM(ID ",'values':{'M':{'a':{'B':'A==='}}}")},
	{"base64 with padding inside", ITEM(ID ",'values':{'M':{'a':{'B':'AA==AAAA'}}}")},
	{"base64 with padding before a digit", ITEM(ID ",'values':{'M':{'a':{'B':'AA=A'}}}")},
	{"base64 with a space", ITEM(ID ",'values':{'M':{'a':{'B':'AA A'}}}")},
	{"base64 with a line feed", ITEM(ID ",'values':{'M':{'a':{'B':'AAA\\n'}}}")},
	{"base64 for URLs, 62", ITEM(ID ",'values':{'M':{'a':{'B':'AAA-'}}}")},
	{"base64 for URLs, 63", ITEM(ID ",'values':{'M':{'a':{'B':'AAA_'}}}")},
	{"base64 with a byte over 127", ITEM(ID ",'values':{'M':{'a':{'B':'AAA\xc1'}}}")},
	{"base64 with NUL", ITEM(ID ",'values':{'M':{'a':{'B':'AAA\\u0000'}}}")},

	/* strings */
	{"an unknown escape", ITEM(ID ",'event_ts':{'S':'\\x'}")},
	{"an unknown escape in a name", ITEM(ID ",'\\x':{'S':'x'}")},
	{"an unknown escape in a skipped text", ITEM(ID ",'x':{'S':'\\x'}")},
	{"upper-case \\U", ITEM(ID ",'event_ts':{'S':'\\U0041'}")},
	{"\\u with three digits", ITEM(ID ",'event_ts':{'S':'\\u041'}")},
	{"\\u with a letter", ITEM(ID ",'event_ts':{'S':'\\u00g1'}")},
	{"\\u with a sign", ITEM(ID ",'event_ts':{'S':'\\u+041'}")},
	{"a high surrogate alone", ITEM(ID ",'event_ts':{'S':'\\ud83d'}")},
	{"a high surrogate and a letter", ITEM(ID ",'event_ts':{'S':'\\ud83dx\\ude80'}")},
	{"two high surrogates", ITEM(ID ",'event_ts':{'S':'\\ud83d\\ud83d'}")},
	{"a low surrogate alone", ITEM(ID ",'event_ts':{'S':'\\ude80'}")},
	{"surrogates in the wrong order", ITEM(ID ",'event_ts':{'S':'\\ude80\\ud83d'}")},
	{"a high surrogate and another escape", ITEM(ID ",'event_ts':{'S':'\\ud83d\\n'}")},
	{"a high surrogate and \\u0041", ITEM(ID ",'event_ts':{'S':'\\ud83d\\u0041'}")},
	{"a high surrogate and \\ue000", ITEM(ID ",'event_ts':{'S':'\\ud83d\\ue000'}")},
	{"a line feed in a text", ITEM(ID ",'event_ts':{'S':'a\nb'}")},
	{"a tab in a text", ITEM(ID ",'event_ts':{'S':'\t'}")},
	{"a control character after an escape", ITEM(ID ",'event_ts':{'S':'\\n\x01'}")},
	{"a control character in a name", ITEM(ID ",'\x1f':{'S':'x'}")},
	{"a control character in a skipped text", ITEM(ID ",'x':{'S':'a\x02'}")},

	/* grammar */
	{"a comma at the end of an object", ITEM(ID ",")},
	{"a comma at the end of an array", ITEMS("{" ID "},")},
	{"a comma at the start", ITEM("," ID)},
	{"two commas", ITEM(ID ",,'x':{'S':'x'}")},
	{"no comma", ITEM(ID "'x':{'S':'x'}")},
	{"no comma between items", ITEMS("{" ID "}{" ID "}")},
	{"no colon", ITEM("'entity_id'{'S':'" HEX "'}")},
	{"two colons", ITEM("'entity_id'::{'S':'" HEX "'}")},
	{"a name without quotes", ITEM(ID ",x:{'S':'x'}")},
	{"a number as a name", ITEM(ID ",1:{'S':'x'}")},
	{"a name without a value", ITEM(ID ",'x'")},
	{"a brace for a bracket", "{'Responses':{'" TABLE "':[{" ID "}},'UnprocessedKeys':{}}"},
	{"a brace too many", ITEM(ID "}")},
	{"a comment", ITEM(ID "/* */")},
	{"a comma at the end of a skipped array", ITEM(ID ",'x':{'L':[1,]}")},
	{"a comma at the end of a skipped object", ITEM(ID ",'x':{'M':{'k':1,}}")},
	{"no comma in a skipped array", ITEM(ID ",'x':{'L':[1 2]}")},
	{"a skipped word", ITEM(ID ",'x':{'BOOL':tru}")},
	{"a skipped word in upper case", ITEM(ID ",'x':{'NULL':True}")},
	{"a skipped word that goes on", ITEM(ID ",'x':{'NULL':trueish}")},
	{"NaN", ITEM(ID ",'x':{'N':NaN}")},
	{"Infinity", ITEM(ID ",'x':{'N':Infinity}")},
	{"a number with a plus", ITEM(ID ",'x':{'N':+1}")},
	{"a number with a leading zero", ITEM(ID ",'x':{'N':01}")},
	{"a number without digits", ITEM(ID ",'x':{'N':-}")},
	{"a number that starts with a point", ITEM(ID ",'x':{'N':.5}")},
	{"a number that ends with a point", ITEM(ID ",'x':{'N':1.}")},
	{"an exponent without digits", ITEM(ID ",'x':{'N':1e}")},
	{"an exponent with a point", ITEM(ID ",'x':{'N':1e.5}")},
	{"a signed exponent without digits", ITEM(ID ",'x':{'N':1e+}")},
	{"a number in hex", ITEM(ID ",'x':{'N':0x1}")},
	{"a skipped member without a value", ITEM(ID ",'x':{'N':}")},

	/* what follows */
	{"a second object", ITEM(ID) "{}"},
	{"a comma behind", ITEM(ID) ","},
	{"garbage behind", ITEM(ID) " x"},
	{"a form feed behind", ITEM(ID) "\f"},
};

static void
is_malformed(const char *body, size_t len, const char *what)
{
	Wanted		wanted = {0};
	Scan		s;

	want(&wanted, "a");
	want(&wanted, "b");
	s = scan(body, len, TABLE, &wanted);
	ok(s.result == DYN_SCAN_MALFORMED && s.answer.nitems == 0 && s.answer.nunprocessed == 0, "malformed: %s", what);
	scan_free(&s);
}

static void
test_malformed(void)
{
	static const char nul_behind[] = "{\"Responses\":{},\"UnprocessedKeys\":{}}";
	static const char nul_inside[] = "{\"Responses\":{},\"x\":\"\0\"}";
	static const char nul_escaped[] = "{\"Responses\":{},\"x\":\"\\\0\"}";
	static const char marked[] = "\xef\xbb\xbf{\"Responses\":{}}";

	for (size_t i = 0; i < LENGTH(malformed); i++)
	{
		char	   *body = golden_quotes(malformed[i].body);

		is_malformed(body, strlen(body), malformed[i].what);
		free(body);
	}
	is_malformed(nul_behind, sizeof(nul_behind), "a NUL behind");
	is_malformed(nul_inside, sizeof(nul_inside) - 1, "a NUL in a text");
	is_malformed(nul_escaped, sizeof(nul_escaped) - 1, "a NUL after a backslash");
	is_malformed(marked, sizeof(marked) - 1, "a byte order mark");
}

/* A request has a hundred keys, be they of one table or of two; a table may come again and again. */
static void
test_too_many(void)
{
	static const int counts[][3] = {{100, 0, 0}, {50, 50, 0}, {1, 98, 1}, {100, 1, 0}, {50, 50, 1}, {0, 101, 0}};
	static const char *const names[] = {"p.a", "p.b", "p.a"};
	Wanted		wanted[2] = {0};
	DynScanTable tables[2];

	want(&wanted[1], "x");
	want(&wanted[1], "y");
	want(&wanted[1], "z");
	for (int t = 0; t < 2; t++)
		dyn_scan_table_init(&tables[t], names[t], &wanted[t].set);
	for (size_t i = 0; i < LENGTH(counts); i++)
	{
		DynBuf		body = {0};
		int			total = 0;
		Scan		s;

		dyn_buf_str(&body, "{\"Responses\":{");
		for (int t = 0; t < 3; t++)
		{
			dyn_buf_str(&body, t > 0 ? "],\"" : "\"");
			dyn_buf_str(&body, names[t]);
			dyn_buf_str(&body, "\":[");
			for (int k = 0; k < counts[i][t]; k++)
			{
				dyn_buf_str(&body, k > 0 ? "," : "");
				dyn_buf_str(&body, "{\"entity_id\":{\"S\":\"" HEX "\"},\"values\":{\"M\":{\"x\":{\"B\":\"AA==\"}}}}");
			}
			total += counts[i][t];
		}
		dyn_buf_str(&body, "]}}");
		s = scan_tables(body.data, body.len, tables, 2);
		is_int(s.result, total <= 100 ? DYN_SCAN_OK : DYN_SCAN_MALFORMED, "%d items in several tables", total);
		is_int(s.answer.nitems, total <= 100 ? total : 0, "are all there, or none");
		scan_free(&s);
		dyn_buf_free(&body);
	}
}

/* A body that was cut anywhere must never be taken for one with fewer rows. */
static void
is_malformed_when_cut(const char *body, const char *table, const Wanted *wanted, const char *what)
{
	size_t		wrong = 0;

	for (size_t n = 0; n < strlen(body); n++)
	{
		Scan		s = scan(body, n, table, wanted);

		if (s.result != DYN_SCAN_MALFORMED)
			wrong++;
		scan_free(&s);
	}
	is_int(wrong, 0, "malformed wherever it is cut: %s, %zu bytes", what, strlen(body));
}

static void
test_truncated(void)
{
	json_object *entries = golden_json("items.json");
	char	   *body = golden_quotes(scan_rich_answer);
	Wanted		wanted = {0};

	want(&wanted, "a");
	want(&wanted, "c");
	is_malformed_when_cut(body, TABLE, &wanted, "the rich answer");
	free(body);
	for (size_t i = 0; i < golden_count(entries, ""); i++)
	{
		json_object *entry = golden_at(entries, "", i);
		json_object *answer = scan_golden_answer(entry);
		Wanted		first = {0};

		want(&first, golden_text(golden_at(entry, "feature_view.schema", 0), "name"));
		is_malformed_when_cut(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN),
							  golden_text(entry, "table_name"), &first, golden_text(entry, "name"));
		json_object_put(answer);
	}
	json_object_put(entries);
}

/* `%s` of the pattern becomes that many nested arrays. */
static DynScanResult
scan_nested(const char *pattern, size_t depth, const char *open, const char *close)
{
	const char *at = strstr(pattern, "%s");
	DynBuf		text = {0};
	Scan		s;
	DynScanResult result;

	dyn_buf_add(&text, pattern, at - pattern);
	for (size_t i = 0; i < depth; i++)
		dyn_buf_str(&text, open);
	for (size_t i = 0; i < depth; i++)
		dyn_buf_str(&text, close);
	dyn_buf_str(&text, at + 2);
	s = scan_text(dyn_buf_cstr(&text));
	result = s.result;
	scan_free(&s);
	dyn_buf_free(&text);
	return result;
}

static void
test_depth(void)
{
	static const char *const patterns[] = {
		"{'Responses':{},'x':%s}",
		ITEM(ID ",'x':%s"),
		ITEM(ID ",'values':{'L':%s}"),
		ITEM(ID ",'values':{'M':{'a':{'L':%s}}}"),
		ITEM(ID ",'values':{'M':{'other':{'L':%s}}}"),
		ITEM(ID ",'event_ts':{'L':%s}"),
		UNPROCESSED("'" TABLE "':{'Keys':[],'x':%s}"),
	};

	is_int(scan_nested(patterns[0], DYN_JSON_MAX_DEPTH - 1, "[", "]"), DYN_SCAN_OK, "as deep as is allowed");
	is_int(scan_nested(patterns[0], DYN_JSON_MAX_DEPTH, "[", "]"), DYN_SCAN_MALFORMED, "one deeper");
	for (size_t i = 0; i < LENGTH(patterns); i++)
	{
		is_int(scan_nested(patterns[i], 40, "[", "]"), DYN_SCAN_OK, "40 arrays in place %zu", i);
		is_int(scan_nested(patterns[i], DYN_JSON_MAX_DEPTH, "[", "]"), DYN_SCAN_MALFORMED, "too many arrays");
		is_int(scan_nested(patterns[i], 200000, "[", "]"), DYN_SCAN_MALFORMED, "far too many arrays");
		is_int(scan_nested(patterns[i], 200000, "{'x':", "}"), DYN_SCAN_MALFORMED, "far too many objects");
	}
}

/* ---- damaged answers, json-c being the judge ---- */

static uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Replaces, inserts or removes something; the new length. `body` has room for two more bytes. */
static size_t
damage(char *body, size_t len, uint32_t *random)
{
	static const char alphabet[] = "{}[]:,\"\"\\\\/ \n\t0129-+.eEtrufalsnABMSNb=\x01\x1f\x7f\xc3\xff";
	size_t		at = next_random(random) % len;
	char		c = alphabet[next_random(random) % sizeof(alphabet)];	/* its NUL too */
	size_t		n;

	switch (next_random(random) % 4)
	{
		case 0:
			body[at] ^= (char) (1 << next_random(random) % 8);
			return len;
		case 1:
			body[at] = c;
			return len;
		case 2:
			memmove(body + at + 1, body + at, len - at);
			body[at] = c;
			return len + 1;
		default:
			n = next_random(random) % 12;
			if (n > len - at)
				n = len - at;
			memmove(body + at, body + at + n, len - at - n);
			return len - n;
	}
}

static void
test_damaged(const char *what, const char *good_body, const char *table, const Wanted *wanted)
{
	uint32_t	random = 20240301;
	int			accepted = 0;
	int			refused = 0;
	int			wrong = 0;

	for (int i = 0; i < 2000; i++)
	{
		size_t		len = strlen(good_body);
		char	   *body = malloc(len + 2);
		Scan		s;

		memcpy(body, good_body, len);
		for (uint32_t edits = 1 + next_random(&random) % 2; edits > 0; edits--)
			len = damage(body, len, &random);
		s = scan(body, len, table, wanted);
		if (s.result != DYN_SCAN_OK)
			refused++;
		else if (scan_agrees(&s, body, len, table, wanted))
			accepted++;
		else if (wrong++ == 0)
			diag("json-c disagrees on %.*s", (int) len, body);
		scan_free(&s);
		free(body);
	}
	is_int(wrong, 0, "%s: json-c agrees on every damaged answer that is accepted", what);
	ok(accepted > 50 && refused > 500, "%s: %d accepted, %d refused", what, accepted, refused);
}

static void
test_differential(void)
{
	json_object *entries = golden_json("items.json");
	char	   *body = golden_quotes(scan_rich_answer);
	Wanted		wanted = {0};

	want(&wanted, "a");
	want(&wanted, "b");
	want(&wanted, "c");
	test_damaged("rich", body, TABLE, &wanted);
	free(body);
	for (size_t i = 0; i < golden_count(entries, ""); i++)
	{
		json_object *entry = golden_at(entries, "", i);
		const char *name = golden_text(entry, "name");
		json_object *answer;
		Wanted		names = {0};

		if (strcmp(name, "collections") != 0 && strcmp(name, "dataframe_non_utc_and_nulls") != 0)
			continue;
		answer = scan_golden_answer(entry);
		for (size_t f = 0; f < golden_count(entry, "feature_view.schema"); f++)
			want(&names, golden_text(golden_at(entry, "feature_view.schema", f), "name"));
		test_damaged(name, json_object_to_json_string_ext(answer, JSON_C_TO_STRING_SPACED),
					 golden_text(entry, "table_name"), &names);
		json_object_put(answer);
	}
	json_object_put(entries);
}

int
main(void)
{
	test_malformed();
	test_too_many();
	test_truncated();
	test_depth();
	test_differential();
	return done_testing();
}
