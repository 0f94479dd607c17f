/*
 * test_feast_json.c
 *	  Values as JSON and back: what is shown is taken, and shown again.
 */
#include "core/feast_json.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "fail_alloc.h"
#include "golden.h"
#include "tap.h"

static DynArena arena;

/* The JSON form of what a text means; `out` is the caller's to free. False: refused, *why says why. */
static bool
json_round(const char *json, size_t len, int type, DynBuf *out, const char **why)
{
	DynValue	value;

	dyn_arena_clear(&arena);
	return dyn_json_to_value(json, len, type, &value, &arena, why) && dyn_value_to_json(&value, out);
}

/* Texts with ' for "; `shown`: NULL if it is the text itself. */
static const struct
{
	int			type;
	const char *json;
	const char *shown;
}			taken[] = {
	{DYN_FEAST_MAP, "{}", NULL},
	{DYN_FEAST_STRUCT, "{'a': 1, 'b': {'c': [1, 2]}}", NULL},
	{DYN_FEAST_MAP, "{'i': 1, 'd': 1.0, 's': '', 't': true, 'f': false, 'n': null}", NULL},
	{DYN_FEAST_MAP, "{'l': [1, 2.5], 'v': [[1], ['x']], 'mixed': [1, 'a', null], 'none': [], 'm': [{}, {'a': 1}]}",
	"{'l': [1.0, 2.5], 'v': [[1], ['x']], 'mixed': [1, 'a', null], 'none': [], 'm': [{}, {'a': 1}]}"},
	{DYN_FEAST_MAP, "{'a': 1, 'a': 2}", "{'a': 2}"},
	{DYN_FEAST_MAP_LIST, "[{'a': 1}, {}]", NULL},
	{DYN_FEAST_STRUCT_LIST, "[]", NULL},
	{DYN_FEAST_VALUE_LIST, "[1, 'a', [], {}, null]", NULL},
	{DYN_FEAST_VALUE_SET, "[[1, 2], [3]]", NULL},
	{DYN_FEAST_SCALAR_MAP, "[{'key_type': 'null', 'key': null, 'value': 1}]", NULL},
	{DYN_FEAST_SCALAR_MAP, "[{'key_type': 'FLOAT', 'key': 0.1, 'value': 1}]", NULL},
	{DYN_FEAST_SCALAR_MAP, "[{'key_type': 'DOUBLE', 'key': '-Infinity', 'value': 1}]", NULL},
	{DYN_FEAST_SCALAR_MAP, "[{'key_type': 'BYTES', 'key': '00FF', 'value': 1}]",
	"[{'key_type': 'BYTES', 'key': '00ff', 'value': 1}]"},
	{DYN_FEAST_ZONED_TIMESTAMP, "{'unix_timestamp': -1, 'zone': 'UTC'}", NULL},

	/* texts of JSON: digits, names and white space in them stay */
	{DYN_FEAST_JSON_LIST, "[]", NULL},
	{DYN_FEAST_JSON_LIST, " [ ] ", "[]"},
	{DYN_FEAST_JSON_LIST, "[null, true, 1.50, 'a', {}, [], 1e999]", NULL},
	{DYN_FEAST_JSON_LIST, " [1 ,\t{'b':  1, 'a': [1,2], 'b': 0} \t,'x' ]\t", "[1, {'b':  1, 'a': [1,2], 'b': 0}, 'x']"},
	{DYN_FEAST_JSON_LIST, "['], [', '\\'], [\\'', '{', {'a': [']', '}']}, '\\\\']", NULL},
	{DYN_FEAST_JSON_LIST, "['\\u0000', '\\ud800']", NULL},

	/* numbers */
	{DYN_FEAST_VALUE_LIST, "[9223372036854775807, -9223372036854775808]", NULL},
	{DYN_FEAST_VALUE_LIST, "[9223372036854775808]", "[9223372036854775808.0]"},
	{DYN_FEAST_VALUE_LIST, "[-9223372036854775809]", "[-9223372036854775808.0]"},
	{DYN_FEAST_VALUE_LIST, "[18446744073709551616]", "[1.8446744073709552e+19]"},
	{DYN_FEAST_VALUE_LIST, "[1e3, 1E+3, 0.1e1, -0.0, -0]", "[1000.0, 1000.0, 1.0, -0.0, 0]"},
	{DYN_FEAST_VALUE_LIST, "[1e-7, 1.5e+300]", "[1e-07, 1.5e+300]"},
	{DYN_FEAST_VALUE_LIST, "['9223372036854775808']", NULL},

	/* escapes */
	{DYN_FEAST_VALUE_LIST, "['\\ud83d\\ude80']", "['\xf0\x9f\x9a\x80']"},
	{DYN_FEAST_VALUE_LIST, "['\\u0000']", NULL},
	{DYN_FEAST_MAP, "{'a': '\\u0000', '\\\\u0000': '\\\\ud800'}", NULL},
};

static const struct
{
	int			type;
	const char *json;
	const char *why;
}			refused[] = {
	{DYN_FEAST_MAP, "[1]", "an object is expected"},
	{DYN_FEAST_MAP, "{'a': }", "it is not JSON, or nested too deep"},
	{DYN_FEAST_MAP, "{'a': 1e400}", "a number is out of range"},
	{DYN_FEAST_MAP, "{'a\\u0000b': 1}", "a name holds \\u0000"},
	{DYN_FEAST_MAP, "{'a': {'\\u0000' : 1}}", "a name holds \\u0000"},
	{DYN_FEAST_MAP, "{'a': '\\ud800'}", "a text holds half of a surrogate pair"},
	{DYN_FEAST_MAP, "{'a': '\\udc00'}", "a text holds half of a surrogate pair"},
	{DYN_FEAST_MAP, "{'a': '\\uD83Dx\\uDE80'}", "a text holds half of a surrogate pair"},
	{DYN_FEAST_MAP, "{'a': '\\ud83d\\ud83d\\ude80'}", "a text holds half of a surrogate pair"},
	{DYN_FEAST_MAP, "{'\\ude80\\ud83d': 1}", "a text holds half of a surrogate pair"},
	{DYN_FEAST_MAP_LIST, "[{}, 1]", "an object is expected"},
	{DYN_FEAST_MAP_LIST, "{}", "an array of objects is expected"},
	{DYN_FEAST_VALUE_LIST, "{}", "an array is expected"},
	{DYN_FEAST_JSON_LIST, "", "an array is expected"},
	{DYN_FEAST_JSON_LIST, "{'a': [1]}", "an array is expected"},
	{DYN_FEAST_JSON_LIST, "null", "an array is expected"},
	{DYN_FEAST_JSON_LIST, "'[1]'", "an array is expected"},
	{DYN_FEAST_JSON_LIST, "[", "it is not JSON"},
	{DYN_FEAST_JSON_LIST, "[1", "it is not JSON"},
	{DYN_FEAST_JSON_LIST, "[1,", "it is not JSON"},
	{DYN_FEAST_JSON_LIST, "[1, ]", "it is not JSON"},
	{DYN_FEAST_JSON_LIST, "[, 1]", "it is not JSON"},
	{DYN_FEAST_JSON_LIST, "[1}", "it is not JSON"},
	{DYN_FEAST_JSON_LIST, "[[1]", "it is not JSON"},
	{DYN_FEAST_JSON_LIST, "['1]", "it is not JSON"},
	{DYN_FEAST_JSON_LIST, "['1\\", "it is not JSON"},
	{DYN_FEAST_JSON_LIST, "[1] 2", "it is not JSON"},
	{DYN_FEAST_JSON_LIST, "[1], [2]", "it is not JSON"},
	{DYN_FEAST_SCALAR_MAP, "[{'key': 1}]", "an array of {\"key_type\", \"key\", \"value\"} is expected"},
	{DYN_FEAST_SCALAR_MAP, "[{'key_type': 'JSON', 'key': 1, 'value': 1}]", "a \"key_type\" is not a type of keys"},
	{DYN_FEAST_SCALAR_MAP, "[{'key_type': 'INT64', 'key': 1.5, 'value': 1}]", "a key is not of its \"key_type\""},
	{DYN_FEAST_SCALAR_MAP, "[{'key_type': 'null', 'key': 5, 'value': 1}]", "a key is not of its \"key_type\""},
	{DYN_FEAST_SCALAR_MAP, "[{'key_type': 'INT64', 'key': null, 'value': 1}]", "a key is not of its \"key_type\""},
	{DYN_FEAST_SCALAR_MAP, "[{'key_type': 'INT32', 'key': 2147483648, 'value': 1}]", "an INT32 key is out of range"},
	{DYN_FEAST_SCALAR_MAP, "[{'key_type': 'FLOAT', 'key': 1e39, 'value': 1}]", "a key is not of its \"key_type\""},
	{DYN_FEAST_SCALAR_MAP, "[{'key_type': 'BYTES', 'key': '0', 'value': 1}]", "a BYTES key is not hexadecimal"},
	{DYN_FEAST_ZONED_TIMESTAMP, "{'zone': 'UTC'}", "{\"unix_timestamp\": seconds, \"zone\": \"name\"} is expected"},
};

static void
test_taken(void)
{
	for (size_t i = 0; i < LENGTH(taken); i++)
	{
		char	   *json = golden_quotes(taken[i].json);
		char	   *shown = golden_quotes(taken[i].shown ? taken[i].shown : taken[i].json);
		DynBuf		once = {0};
		DynBuf		twice = {0};
		const char *why;

		ok(json_round(json, strlen(json), taken[i].type, &once, &why), "%s is taken", json);
		is_bytes(once.data, once.len, shown, strlen(shown), "and shown as %s", shown);
		ok(json_round(once.data, once.len, taken[i].type, &twice, &why), "which is taken");
		is_bytes(twice.data, twice.len, shown, strlen(shown), "and shown again");
		dyn_buf_free(&once);
		dyn_buf_free(&twice);
		free(json);
		free(shown);
	}
}

static void
test_refused(void)
{
	for (size_t i = 0; i < LENGTH(refused); i++)
	{
		char	   *json = golden_quotes(refused[i].json);
		char	   *exact = golden_copy(json, strlen(json));
		DynBuf		out = {0};
		const char *why = NULL;

		ok(!json_round(exact, strlen(json), refused[i].type, &out, &why), "%s is refused", json);
		is_string(why, refused[i].why, "because of that");
		dyn_buf_free(&out);
		free(exact);
		free(json);
	}
}

/* The bytes that Feast wrote for a map, or a list of messages, show what Feast put in. */
static void
test_golden(void)
{
	json_object *cases = golden_json("values.json");

	for (size_t i = 0; i < golden_count(cases, ""); i++)
	{
		json_object *c = golden_at(cases, "", i);
		DynShape	shape = dyn_feast_type_shape((int) golden_int(c, "field_number"));
		DynBuf		shown = {0};
		json_object *json;
		DynValue	value;
		size_t		len;
		uint8_t    *data;

		if (shape != DYN_SHAPE_MAP && shape != DYN_SHAPE_MAP_LIST && shape != DYN_SHAPE_VALUES)
			continue;
		data = golden_hex(golden_text(c, "proto_hex"), &len);
		dyn_arena_clear(&arena);
		ok(dyn_feast_value_decode(data, len, &value, &arena) == DYN_DECODE_OK && dyn_value_to_json(&value, &shown),
		   "%s is shown", golden_text(c, "name"));
		json = golden_parse(shown.data, shown.len);
		if (!ok(json_object_equal(json, golden_get(c, "value")), "as what it is"))
			diag("%.*s", (int) shown.len, shown.data);
		json_object_put(json);
		dyn_buf_free(&shown);
		free(data);
	}
	json_object_put(cases);
}

/* The bytes of a JSON_LIST show its elements' texts as an array, which makes these bytes again. */
static void
check_golden_list(json_object *c)
{
	size_t		len;
	uint8_t    *data = golden_hex(golden_text(c, "proto_hex"), &len);
	DynBuf		wanted = {0};
	DynBuf		shown = {0};
	DynBuf		bytes = {0};
	DynValue	value;
	const char *why;

	dyn_buf_byte(&wanted, '[');
	for (size_t i = 0; i < golden_count(c, "value"); i++)
	{
		dyn_buf_str(&wanted, i > 0 ? ", " : "");
		dyn_buf_str(&wanted, json_object_get_string(golden_at(c, "value", i)));
	}
	dyn_buf_byte(&wanted, ']');
	dyn_arena_clear(&arena);
	ok(dyn_feast_value_decode(data, len, &value, &arena) == DYN_DECODE_OK && dyn_value_to_json(&value, &shown),
	   "%s is shown", golden_text(c, "name"));
	is_bytes(shown.data, shown.len, wanted.data, wanted.len, "as the array of its texts");
	ok(dyn_json_to_value(shown.data, shown.len, DYN_FEAST_JSON_LIST, &value, &arena, &why) &&
	   dyn_feast_value_encode(&bytes, &value), "which is taken");
	is_bytes(bytes.data, bytes.len, data, len, "and makes the bytes that Feast wrote");
	dyn_buf_free(&wanted);
	dyn_buf_free(&shown);
	dyn_buf_free(&bytes);
	free(data);
}

static void
test_golden_lists(void)
{
	json_object *cases = golden_json("values.json");
	int			found = 0;

	for (size_t i = 0; i < golden_count(cases, ""); i++)
	{
		json_object *c = golden_at(cases, "", i);

		if (golden_int(c, "field_number") != DYN_FEAST_JSON_LIST)
			continue;
		check_golden_list(c);
		found++;
	}
	ok(found >= 2, "there are such cases");
	json_object_put(cases);
}

/* A JSON_LIST of three elements, the one in the middle being this text.  The caller frees `exact`. */
static DynValue
list_around(const char *text, DynValue *items, char **exact)
{
	DynValue	list = {.type = DYN_FEAST_JSON_LIST};

	*exact = golden_copy(text, strlen(text));
	for (int i = 0; i < 3; i++)
		items[i] = (DynValue) {.type = DYN_FEAST_JSON, .u.bytes = {(const uint8_t *) "0", 1}};
	items[1].u.bytes.data = (uint8_t *) *exact;
	items[1].u.bytes.len = strlen(text);
	list.u.list.items = items;
	list.u.list.count = 3;
	return list;
}

/* Stored texts that would be none, or several, of an array's elements; and some that stay one, JSON or not. */
static void
test_stored_elements(void)
{
	static const char *const bad[] = {
		"", " \t", "1, 2", "1], [2", "1]", "]", "}", ",", "1,", "[", "{", "[1", "{'a': 1", "[1]]", "[]],[[]",
		"'", "'a", "'a\\", "'a\\'", "'a'], ['b'", "'a', 'b'", "{}, {}", "[}, {]"
	};
	static const char *const good[] = {
		"1", "' , ] '", "'\\'], ['", "[[], {}]", "{'a': '}', 'b': [1, 2]}", "NaN", "1 2", "[}", "{'a'}"
	};
	DynValue	items[3];
	char	   *exact;

	for (size_t i = 0; i < LENGTH(bad) + LENGTH(good); i++)
	{
		bool		is_bad = i < LENGTH(bad);
		char	   *text = golden_quotes(is_bad ? bad[i] : good[i - LENGTH(bad)]);
		DynValue	list = list_around(text, items, &exact);
		DynValue	again;
		DynBuf		json = {0};
		const char *why;

		ok(dyn_value_to_json(&list, &json) == !is_bad && !json.failed, "%s is %s", text, is_bad ? "refused" : "shown");
		dyn_arena_clear(&arena);
		if (!is_bad && ok(dyn_json_to_value(json.data, json.len, list.type, &again, &arena, &why), "it is taken") &&
			ok(again.u.list.count == 3, "as one of three"))
			is_bytes(again.u.list.items[1].u.bytes.data, again.u.list.items[1].u.bytes.len, text, strlen(text),
					 "as the same text");
		dyn_buf_free(&json);
		free(exact);
		free(text);
	}
}

/* However deep an element is nested, it takes no stack. */
static void
test_deep_elements(void)
{
	enum {DEPTH = 1000000};
	DynBuf		json = {0};
	DynBuf		shown = {0};
	const char *why;

	dyn_buf_byte(&json, '[');
	for (int i = 0; i < 2 * DEPTH; i++)
		dyn_buf_byte(&json, i < DEPTH ? '[' : ']');
	dyn_buf_str(&json, ", 1]");
	ok(json_round(json.data, json.len, DYN_FEAST_JSON_LIST, &shown, &why), "deep nesting is taken, and shown");
	is_bytes(shown.data, shown.len, json.data, json.len, "as it is");
	ok(!json_round(json.data, 2 * DEPTH, DYN_FEAST_JSON_LIST, &shown, &why), "without its end it is refused");
	dyn_buf_free(&json);
	dyn_buf_free(&shown);
}

/* Both ways, with each allocation failing in its turn. */
static void
test_out_of_memory(void)
{
	DynBuf		json = {0};
	bool		done = false;

	dyn_buf_byte(&json, '[');
	for (int i = 0; i < 2000; i++)
		dyn_buf_str(&json, i > 0 ? ", {'a': 1}" : "0");
	dyn_buf_byte(&json, ']');
	for (long n = 0; !done; n++)
	{
		DynBuf		shown = {0};
		DynValue	value;
		const char *why = NULL;
		bool		taken;

		dyn_arena_free(&arena);
		fail_alloc_after = n;
		taken = dyn_json_to_value(json.data, json.len, DYN_FEAST_JSON_LIST, &value, &arena, &why);
		done = taken && dyn_value_to_json(&value, &shown);
		fail_alloc_after = -1;
		ok(done || (why == NULL && (!taken || shown.failed)), "allocation %ld is missing: no memory, or success", n);
		if (done)
			is_bytes(shown.data, shown.len, json.data, json.len, "all is shown");
		dyn_buf_free(&shown);
	}
	dyn_buf_free(&json);
}

/* A real is shown in a form from which it comes back, and that jsonb does not make a whole number of int64's range. */
static void
is_real(DynValue real)
{
	DynValue	list = {.type = DYN_FEAST_VALUE_LIST};
	DynValue	again;
	DynBuf		json = {0};
	const char *why;
	double		wanted = real.type == DYN_FEAST_FLOAT ? real.u.single : real.u.real;

	list.u.list.items = &real;
	list.u.list.count = 1;
	ok(dyn_value_to_json(&list, &json), "%.17g is shown", wanted);
	dyn_buf_cstr(&json);
	ok(strchr(json.data, '.') || fabs(wanted) >= 1e19 || fabs(wanted) < 1, "%s stays no whole number", json.data);
	if (ok(dyn_json_to_value(json.data, json.len, list.type, &again, &arena, &why), "it is taken"))
	{
		double		got = again.u.list.items[0].u.real;

		ok(again.u.list.items[0].type == DYN_FEAST_DOUBLE, "as a DOUBLE");
		ok(real.type == DYN_FEAST_FLOAT ? (float) got == real.u.single : got == wanted, "%s is that number", json.data);
	}
	dyn_buf_free(&json);
}

static void
test_reals(void)
{
	for (int exponent = -20; exponent <= 38; exponent++)
		for (int sign = -1; sign <= 1; sign += 2)
		{
			double		power = sign * pow(10, exponent);
			double		near[] = {power, power * 1.25, power * 9.87654321098765, power / 3};

			for (size_t i = 0; i < LENGTH(near); i++)
			{
				is_real((DynValue) {.type = DYN_FEAST_DOUBLE, .u.real = near[i]});
				if (fabs(near[i]) <= FLT_MAX)
					is_real((DynValue) {.type = DYN_FEAST_FLOAT, .u.single = (float) near[i]});
			}
		}
	is_real((DynValue) {.type = DYN_FEAST_DOUBLE, .u.real = -0x1p63});
	is_real((DynValue) {.type = DYN_FEAST_DOUBLE, .u.real = nextafter(0x1p63, 0)});
	is_real((DynValue) {.type = DYN_FEAST_DOUBLE, .u.real = nextafter(1e19, 0)});
	is_real((DynValue) {.type = DYN_FEAST_DOUBLE, .u.real = DBL_MAX});
}

int
main(void)
{
	test_taken();
	test_refused();
	test_golden();
	test_golden_lists();
	test_stored_elements();
	test_deep_elements();
	test_out_of_memory();
	test_reals();
	dyn_arena_free(&arena);
	return done_testing();
}
