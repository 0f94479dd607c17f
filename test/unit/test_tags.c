/*
 * test_tags.c
 *	  Tags read from an option, merged, compared, and said.
 *
 * JSON in this file is written with ' for ".
 */
#include "core/tags.h"

#include "fail_alloc.h"
#include "settings_check.h"
#include "tap.h"

static DynArena arena;

/* Parses a text that ends with its memory. */
static bool
parse_bytes(const char *text, size_t len, DynTags *tags, const char **why)
{
	char	   *copy = golden_copy(text, len);
	bool		parsed = dyn_tags_parse(copy, len, &arena, tags, why);

	free(copy);
	return parsed;
}

static bool
parse(const char *text, DynTags *tags, const char **why)
{
	char	   *quoted = golden_quotes(text);
	bool		parsed = parse_bytes(quoted, strlen(quoted), tags, why);

	free(quoted);
	return parsed;
}

static DynTags
tags_from(const char *text)
{
	DynTags		tags = {0};
	const char *why = NULL;

	ok(parse(text, &tags, &why), "tags: %s (%s)", text, why ? why : "");
	return tags;
}

/* Are they these, as said with ' for "? */
static void
say_is(const DynTags *tags, const char *want, const char *what)
{
	char	   *quoted = golden_quotes(want);
	DynBuf		said = {0};

	dyn_tags_say(&said, tags);
	is_text(said.data, said.len, quoted, "%s", what);
	dyn_buf_free(&said);
	free(quoted);
}

static void
test_parse(void)
{
	DynTags		tags = tags_from("{'team':'search','Team':'x','env':'','caf\xc3\xa9':'\xe6\xa4\x9c'}");

	is_int(tags.n, 4, "four tags");
	is_string(dyn_tags_value(&tags, "team"), "search", "one of them");
	is_string(dyn_tags_value(&tags, "Team"), "x", "case counts");
	is_string(dyn_tags_value(&tags, "env"), "", "a value may be empty");
	is_string(dyn_tags_value(&tags, "caf\xc3\xa9"), "\xe6\xa4\x9c", "and not ASCII");
	ok(dyn_tags_value(&tags, "x") == NULL && dyn_tags_value(&tags, "") == NULL, "there are no others");
	say_is(&tags, "{'Team': 'x', 'caf\xc3\xa9': '\xe6\xa4\x9c', 'env': '', 'team': 'search'}", "all, sorted");
	tags = tags_from("{}");
	is_int(tags.n, 0, "no tags");
	ok(dyn_tags_value(&tags, "x") == NULL, "none is found");
	say_is(&tags, "{}", "none is said");
	tags = tags_from("{'a':'1','b':'2','a':'3'}");
	say_is(&tags, "{'a': '3', 'b': '2'}", "of one key the last is taken, as JSON goes");
	tags = tags_from(" {'a b_c.d:e/f=g+h-i@j9':'A b_c.d:e/f=g+h-i@j0'} ");
	say_is(&tags, "{'a b_c.d:e/f=g+h-i@j9': 'A b_c.d:e/f=g+h-i@j0'}", "all characters of ASCII that may be");
	tags = tags_from("{'a\\u0062':'\\u00e9\\ud83d\\ude00','xaws:y':'aws:z','aws':'aws:'}");
	say_is(&tags, "{'ab': '\xc3\xa9\xf0\x9f\x98\x80', 'aws': 'aws:', 'xaws:y': 'aws:z'}", "escapes");
}

static void
test_bad_tags(void)
{
	static const struct
	{
		const char *text;
		const char *why;		/* a part of it */
	}			bad[] = {
		{"", "JSON object"}, {"x", "JSON object"}, {"null", "JSON object"}, {"[]", "JSON object"}, {"'a'", "JSON object"},
		{"{", "JSON object"}, {"{'a':'b'", "JSON object"}, {"{'a':'b'}}", "JSON object"}, {"{'a'}", "JSON object"},
		{"[{'Key':'a','Value':'b'}]", "JSON object"}, {"{'a':'b'} {'c':'d'}", "JSON object"},
		{"{'a':1}", "a string"}, {"{'a':null}", "a string"}, {"{'a':true}", "a string"}, {"{'a':['b']}", "a string"},
		{"{'a':{'b':'c'}}", "a string"}, {"{'z':'b','a':1.5}", "a string"},
		{"{'':'b'}", "1 to 128"}, {"{'a':'b\\u0000'}", "only"}, {"{'a\\u0000b':'c'}", "only"}, {"{'\\u0000':'c'}", "only"},
		{"{'a':'\\u0000b'}", "only"},
		{"{'aws:a':'b'}", "aws:"}, {"{'AWS:a':'b'}", "aws:"}, {"{'aWs:':'b'}", "aws:"},
		{"{'a!':'b'}", "only"}, {"{'a':'b!'}", "only"}, {"{'a':'b\\n'}", "only"}, {"{'a\\t':'b'}", "only"},
		{"{'a':'b\\\\'}", "only"}, {"{'a':'\\\\u0000'}", "only"}, {"{'a':'b\\'}'}", "only"}, {"{'a':'\x7f'}", "only"},
		{"{'a':'*'}", "only"}, {"{'a,b':'c'}", "only"}, {"{'a;b':'c'}", "only"}, {"{'a':'<b>'}", "only"},
	};
	DynTags		tags;
	const char *why;

	for (size_t i = 0; i < LENGTH(bad); i++)
	{
		why = NULL;
		ok(!parse(bad[i].text, &tags, &why), "no tags: %s", bad[i].text);
		ok(why && strstr(why, bad[i].why), "for the %s", why ? why : "NULL");
	}
	ok(!parse_bytes("{\"a\":\"b\0\"}", 10, &tags, &why), "a byte 0 in a value");
	ok(!parse_bytes("{\"a\0\":\"b\"}", 10, &tags, &why), "in a key");
	ok(!parse_bytes("{\"a\":\"b\"}\0", 10, &tags, &why), "and at the end");
}

/* An object of one tag, with so many times these characters. */
static void
add_long_tag(DynBuf *out, const char *character, int key_chars, int value_chars)
{
	dyn_buf_str(out, "{\"");
	for (int i = 0; i < key_chars; i++)
		dyn_buf_str(out, character);
	dyn_buf_str(out, "\":\"");
	for (int i = 0; i < value_chars; i++)
		dyn_buf_str(out, character);
	dyn_buf_str(out, "\"}");
}

/* Lengths are those in characters. */
static void
test_long_tags(void)
{
	static const char *const characters[] = {"x", "\xc3\xa9", "\xe6\xa4\x9c", "\xf0\x9f\x98\x80"};

	for (size_t i = 0; i < LENGTH(characters); i++)
		for (int over = 0; over < 3; over++)
		{
			DynBuf		text = {0};
			DynTags		tags;
			const char *why;

			add_long_tag(&text, characters[i], 128 + (over == 1), 256 + (over == 2));
			ok(parse_bytes(text.data, text.len, &tags, &why) == (over == 0), "%s of %s",
			   over == 0 ? "128 and 256" : over == 1 ? "129 and 256" : "128 and 257", characters[i]);
			if (over > 0)
				ok(strstr(why, over == 1 ? "tag's key" : "tag's value") != NULL, "too long is the %s", why);
			dyn_buf_free(&text);
		}
}

static void
test_many_tags(void)
{
	for (int n = DYN_MAX_TAGS; n <= DYN_MAX_TAGS + 1; n++)
	{
		DynBuf		text = {0};
		DynTags		tags;
		const char *why;

		for (int i = 0; i < n; i++)
		{
			dyn_buf_str(&text, i > 0 ? ",\"k" : "{\"k");
			dyn_buf_int(&text, n - i);
			dyn_buf_str(&text, "\":\"v\"");
		}
		dyn_buf_byte(&text, '}');
		ok(parse_bytes(text.data, text.len, &tags, &why) == (n <= DYN_MAX_TAGS), "%d tags", n);
		if (n > DYN_MAX_TAGS)
			ok(strstr(why, "50") != NULL, "are too many");
		else
			is_string(dyn_tags_value(&tags, "k10"), "v", "are taken");
		dyn_buf_free(&text);
	}
}

static void
test_sort(void)
{
	DynTag		tag[] = {{"b", "1"}, {"a", "1"}, {"\xc3\xa9", "1"}, {"B", "1"}, {"b", "1"}, {"a", "1"}, {"ab", "1"}};
	DynTags		tags = {LENGTH(tag), tag};

	dyn_tags_sort(&tags);
	say_is(&tags, "{'B': '1', 'a': '1', 'ab': '1', 'b': '1', '\xc3\xa9': '1'}", "sorted by bytes, each key once");
	tags = (DynTags) {0};
	dyn_tags_sort(&tags);
	is_int(tags.n, 0, "nothing stays nothing");
}

static void
test_sets(void)
{
	DynTags		ab = tags_from("{'a':'1','b':'2'}");
	DynTags		bc = tags_from("{'b':'3','c':'4'}");
	DynTags		none = {0};
	DynTags		out;

	ok(dyn_tags_merge(&ab, &bc, &arena, &out), "merging");
	say_is(&out, "{'a': '1', 'b': '2', 'c': '4'}", "the first wins");
	ok(dyn_tags_merge(&bc, &ab, &arena, &out), "the other way round");
	say_is(&out, "{'a': '1', 'b': '3', 'c': '4'}", "it is the other");
	ok(dyn_tags_merge(&none, &ab, &arena, &out), "with nothing");
	say_is(&out, "{'a': '1', 'b': '2'}", "it is the same");
	ok(dyn_tags_merge(&ab, &none, &arena, &out), "and nothing with it");
	say_is(&out, "{'a': '1', 'b': '2'}", "too");
	ok(dyn_tags_merge(&none, &none, &arena, &out) && out.n == 0, "nothing with nothing");

	ok(dyn_tags_missing(&ab, &bc, &arena, &out), "what is missing");
	say_is(&out, "{'a': '1', 'b': '2'}", "of keys, and of values");
	ok(dyn_tags_missing(&ab, &ab, &arena, &out) && out.n == 0, "nothing is missing of the same");
	ok(dyn_tags_missing(&ab, &none, &arena, &out), "missing in nothing");
	say_is(&out, "{'a': '1', 'b': '2'}", "is all");
	ok(dyn_tags_missing(&none, &ab, &arena, &out) && out.n == 0, "of nothing, nothing");

	ok(dyn_tags_gone(&ab, &bc, &ab, &arena, &out), "what is gone");
	say_is(&out, "{'a': '1'}", "is what is not wanted any more");
	ok(dyn_tags_gone(&ab, &none, &bc, &arena, &out) && out.n == 0, "but not what another hand changed, or took away");
	ok(dyn_tags_gone(&ab, &none, &ab, &arena, &out), "gone for nothing");
	say_is(&out, "{'a': '1', 'b': '2'}", "is all");
	ok(dyn_tags_gone(&none, &none, &ab, &arena, &out) && out.n == 0, "tags of others stay");
}

/* What is said reads as the same, and is said the same. */
static void
test_round_trip(void)
{
	static const char *const texts[] = {
		"{}", "{'a':'1'}", "{'b':'2','a':'1'}", "{'\xf0\x9f\x98\x80':'\xc3\xa9 x','caf\xc3\xa9':''}",
	};

	for (size_t i = 0; i < LENGTH(texts); i++)
	{
		DynTags		tags = tags_from(texts[i]);
		DynTags		again = {0};
		DynBuf		said = {0};
		DynBuf		said_again = {0};
		const char *why;

		dyn_tags_say(&said, &tags);
		ok(parse_bytes(said.data, said.len, &again, &why), "what was said is read");
		dyn_tags_say(&said_again, &again);
		is_bytes(said_again.data, said_again.len, said.data, said.len, "and the same");
		dyn_buf_free(&said);
		dyn_buf_free(&said_again);
	}
}

/* ---- without memory; blocks of an arena are 8 KB, so big sets need many ---- */

/* Parses 40 tags of 300 bytes, and puts them together with others; false: for want of memory. */
static bool
work(DynArena *where, const char *json, size_t len, DynTags *out, const char **why)
{
	DynTags		tags;
	DynTags		merged;
	DynTags		missing;
	DynTags		others = {0};

	return dyn_tags_parse(json, len, where, &tags, why) && dyn_tags_merge(&others, &tags, where, &merged) &&
		dyn_tags_missing(&merged, &others, where, &missing) && dyn_tags_gone(&missing, &others, &tags, where, out);
}

static void
test_no_memory(void)
{
	DynBuf		text = {0};
	int			failed = 0;
	int			wrong = 0;
	bool		ended = false;

	for (int i = 0; i < 40; i++)
	{
		dyn_buf_str(&text, i > 0 ? ",\"k" : "{\"k");
		dyn_buf_int(&text, i);
		dyn_buf_str(&text, "\":\"");
		for (int j = 0; j < 250; j++)
			dyn_buf_byte(&text, 'v');
		dyn_buf_byte(&text, '"');
	}
	dyn_buf_byte(&text, '}');
	for (long n = 0; !ended && n < 1000; n++)
	{
		DynArena	small = {0};
		DynTags		out = {0};
		const char *why = "no reason";
		bool		done;

		fail_alloc_after = n;
		done = work(&small, text.data, text.len, &out, &why);
		ended = fail_alloc_after >= 0;
		fail_alloc_after = -1;
		failed += done ? 0 : 1;
		if (done != ended || (done && out.n != 40) || (!done && why != NULL))
		{
			diag("allocation %ld: %d, %d tags, %s", n, done, out.n, why ? why : "no reason");
			wrong++;
		}
		dyn_arena_free(&small);
	}
	is_int(wrong, 0, "each allocation may fail, and that is no fault of a tag");
	ok(ended && failed >= 2, "%d did", failed);
	dyn_buf_free(&text);
}

int
main(void)
{
	test_parse();
	test_bad_tags();
	test_long_tags();
	test_many_tags();
	test_sort();
	test_sets();
	test_round_trip();
	test_no_memory();
	dyn_arena_free(&arena);
	return done_testing();
}
