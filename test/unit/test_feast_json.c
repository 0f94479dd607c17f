/*
 * test_feast_json.c
 *	  Values as JSON and back: what is shown is taken, and shown again.
 */
#include "core/feast_json.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

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
	test_reals();
	dyn_arena_free(&arena);
	return done_testing();
}
