/*
 * test_feast_time.c
 *	  The text of event_ts, both ways, against Python's datetime.
 */
#include "core/feast_time.h"

#include <stdlib.h>

#include "golden.h"
#include "tap.h"

/* 2024-03-01 10:20:30 UTC */
#define BASE INT64_C(1709288430000000)
#define HOUR INT64_C(3600000000)
#define MINUTE INT64_C(60000000)
#define SECOND INT64_C(1000000)

/* Parses a copy without a NUL, so that ASan sees a read beyond it. */
static DynEventTs
parse(const char *text, size_t len, int64_t *micros)
{
	char	   *copy = golden_copy(text, len);
	DynEventTs	result = dyn_event_ts_parse(copy, len, micros);

	free(copy);
	return result;
}

static void
test_python(void)
{
	json_object *cases = golden_json("event_ts.json");

	for (size_t i = 0; i < golden_count(cases, ""); i++)
	{
		json_object *c = golden_at(cases, "", i);
		const char *text = golden_text(c, "text");
		int64_t		want = golden_int(c, "micros");
		int64_t		micros = 0;
		char	   *out = malloc(DYN_EVENT_TS_LEN);

		is_int(parse(text, strlen(text), &micros), DYN_EVENT_TS_OK, "%s is read", text);
		is_int(micros, want, "%s: as its instant", text);
		if (ok(dyn_event_ts_format(want, out), "%s: is written", text))
			is_string(out, golden_text(c, "utc"), "%s: as Feast writes it", text);
		free(out);
	}
	json_object_put(cases);
}

/* Whole items as Feast stored them: what is in UTC is written back as it was. */
static void
test_golden_items(void)
{
	json_object *entries = golden_json("items.json");
	char		out[DYN_EVENT_TS_LEN];
	int64_t		micros;

	for (size_t i = 0; i < golden_count(entries, ""); i++)
		for (size_t j = 0; j < golden_count(golden_at(entries, "", i), "items"); j++)
		{
			const char *text = golden_text(golden_at(golden_at(entries, "", i), "items", j), "event_ts.S");

			is_int(parse(text, strlen(text), &micros), DYN_EVENT_TS_OK, "stored %s is read", text);
			if (strstr(text, "+00:00") != NULL && dyn_event_ts_format(micros, out))
				is_string(out, text, "stored %s is written back", text);
		}
	json_object_put(entries);
}

static const struct
{
	const char *text;
	int64_t		micros;
}			good[] = {
	{"2024-03-01 10:20:30", BASE},	/* no offset: UTC */
	{"2024-03-01T10:20:30", BASE},
	{"2024-03-01 10:20:30Z", BASE},
	{"2024-03-01T10:20:30Z", BASE},
	{"2024-03-01 10:20:30+00:00", BASE},
	{"2024-03-01 10:20:30-00:00", BASE},
	{"2024-03-01 10:20:30+0000", BASE},
	/* fractions: one to nine digits, truncated after six */
	{"2024-03-01 10:20:30.1", BASE + 100000},
	{"2024-03-01 10:20:30.12", BASE + 120000},
	{"2024-03-01 10:20:30.123", BASE + 123000},
	{"2024-03-01 10:20:30.1234", BASE + 123400},
	{"2024-03-01 10:20:30.12345", BASE + 123450},
	{"2024-03-01 10:20:30.123456", BASE + 123456},
	{"2024-03-01 10:20:30.1234569", BASE + 123456},
	{"2024-03-01 10:20:30.12345699", BASE + 123456},
	{"2024-03-01 10:20:30.123456999", BASE + 123456},
	{"2024-03-01 10:20:30.000000+00:00", BASE},
	{"2024-03-01 10:20:30.000001Z", BASE + 1},
	{"2024-03-01 10:20:30.123456789-04:00", BASE + 123456 + 4 * HOUR},
	{"1969-12-31 23:59:59.9999999+00:00", -1},	/* truncated digits, not a truncated instant */
	/* offsets */
	{"2024-03-01 10:20:30+05:30", BASE - 5 * HOUR - 30 * MINUTE},
	{"2024-03-01 10:20:30+0530", BASE - 5 * HOUR - 30 * MINUTE},
	{"2024-03-01 10:20:30-04:00", BASE + 4 * HOUR},
	{"2024-03-01 10:20:30-0400", BASE + 4 * HOUR},
	{"2024-03-01 10:20:30-00:30", BASE + 30 * MINUTE},
	{"2024-03-01 10:20:30+01:00:30", BASE - HOUR - 30 * SECOND},
	{"2024-03-01 10:20:30-01:00:30", BASE + HOUR + 30 * SECOND},
	{"2024-03-01 10:20:30+00:00:00.000001", BASE - 1},
	{"2024-03-01 10:20:30-00:00:00.5", BASE + 500000},
	{"2024-03-01 10:20:30+23:59:59.999999", BASE - 24 * HOUR + 1},
	/* calendar */
	{"0001-01-01 00:00:00", INT64_C(-62135596800000000)},
	{"9999-12-31 23:59:59.999999", INT64_C(253402300799999999)},
	{"2024-02-29 00:00:00", INT64_C(1709164800000000)},
	{"2000-02-29 00:00:00", INT64_C(951782400000000)},
	{"2024-12-31 23:59:59", INT64_C(1735689599000000)},
};

static void
test_good(void)
{
	for (size_t i = 0; i < LENGTH(good); i++)
	{
		int64_t		micros = 0;

		is_int(parse(good[i].text, strlen(good[i].text), &micros), DYN_EVENT_TS_OK, "%s is read", good[i].text);
		is_int(micros, good[i].micros, "%s: as its instant", good[i].text);
	}
}

static const char *const bad[] = {
	"", " ", "null", "None", "garbage", "2024", "20240301", "1709288430",
	"nat", "NaTx", "Na", " NaT",
	/* no date of Python's */
	"0000-01-01 00:00:00", "-0001-01-01 00:00:00", "-001-01-01 00:00:00", "0044-03-15 12:00:00 BC",
	"10000-01-01 00:00:00", "24-03-01 10:20:30",
	"2024-00-01 10:20:30", "2024-13-01 10:20:30", "2024-03-00 10:20:30", "2024-03-32 10:20:30",
	"2024-04-31 10:20:30", "2024-06-31 10:20:30", "2024-09-31 10:20:30", "2024-11-31 10:20:30",
	"2024-02-30 10:20:30", "2023-02-29 10:20:30", "1900-02-29 10:20:30", "2100-02-29 10:20:30",
	/* no time of day */
	"2024-03-01 24:00:00", "2024-03-01 10:60:00", "2024-03-01 10:20:60", "2024-03-01 10:20:61",
	"2024-03-01 -1:20:30", "2024-03-01 +1:20:30", "2024-03-01  1:20:30", "2024-03-01 1:20:30",
	/* other shapes */
	"2024/03/01 10:20:30", "2024-03-01_10:20:30", "2024-03-01  10:20:30", "2024-03-0110:20:30",
	"2024-03-01 10.20.30", "2024-0a-01 10:20:30", "x024-03-01 10:20:30", " 2024-03-01 10:20:30",
	"2024-03-01 10:20:30 ", "2024-03-01 10:20:30\n", "2024-03-01 10:20:30 UTC", "2024-03-01 10:20:30x",
	"2024-03-01 10:20:3x", "2024-03-01 10:20:30Z ", "2024-03-01 10:20:30Z+00:00", "2024-03-01 10:20:30ZZ",
	/* fractions */
	"2024-03-01 10:20:30.", "2024-03-01 10:20:30.Z", "2024-03-01 10:20:30.+00:00", "2024-03-01 10:20:30.1234567890",
	"2024-03-01 10:20:30,5", "2024-03-01 10:20:30.-5", "2024-03-01 10:20:30.5.5",
	/* offsets */
	"2024-03-01 10:20:30+", "2024-03-01 10:20:30-", "2024-03-01 10:20:30+5", "2024-03-01 10:20:30+5:30",
	"2024-03-01 10:20:30+05:", "2024-03-01 10:20:30+05:3", "2024-03-01 10:20:30+053", "2024-03-01 10:20:30+05:30:",
	"2024-03-01 10:20:30+05:30:1", "2024-03-01 10:20:30+05:30:15.", "2024-03-01 10:20:30+24:00",
	"2024-03-01 10:20:30+05:60", "2024-03-01 10:20:30+05:30:60", "2024-03-01 10:20:30+-5:30",
	"2024-03-01 10:20:30+05:30Z", "2024-03-01 10:20:30 +05:30", "2024-03-01 10:20:30+05:30 ",
	"2024-03-01 10:20:30++05:30", "2024-03-01 10:20:30\342\210\22205:30",
};

static void
test_bad(void)
{
	int64_t		micros;

	for (size_t i = 0; i < LENGTH(bad); i++)
		is_int(parse(bad[i], strlen(bad[i]), &micros), DYN_EVENT_TS_BAD, "refused: '%.*s'",
			   (int) strcspn(bad[i], "\n"), bad[i]);
	is_int(parse("2024-03-01 10:20:30\0", 20, &micros), DYN_EVENT_TS_BAD, "refused: a NUL behind it");
}

static void
test_truncated(void)
{
	size_t		wrong = 0;
	int64_t		micros;

	/* a date alone and a time without seconds are ISO 8601, though Feast never stores them: either is fine */
	for (size_t i = 0; i < LENGTH(good); i++)
		for (size_t n = 0; n < strlen("2024-03-01 10:20:30"); n++)
			if (n != strlen("2024-03-01") && n != strlen("2024-03-01 10:20") &&
				parse(good[i].text, n, &micros) != DYN_EVENT_TS_BAD)
				wrong++;
	is_int(wrong, 0, "what is cut before the seconds is refused");

	/* cut in the fraction or the offset it may be another good text, but is never read beyond */
	for (size_t i = 0; i < LENGTH(good); i++)
		for (size_t n = 0; n <= strlen(good[i].text); n++)
			parse(good[i].text, n, &micros);
	for (size_t i = 0; i < LENGTH(bad); i++)
		for (size_t n = 0; n <= strlen(bad[i]); n++)
			parse(bad[i], n, &micros);
	ok(true, "truncated texts are not read beyond");
}

static void
test_format_bounds(void)
{
	char		out[DYN_EVENT_TS_LEN];

	ok(dyn_event_ts_format(INT64_C(-62135596800000000), out), "the first instant");
	is_string(out, "0001-01-01 00:00:00+00:00", "of year 1");
	ok(!dyn_event_ts_format(INT64_C(-62135596800000001), out), "nothing before it");
	ok(dyn_event_ts_format(INT64_C(253402300799999999), out), "the last instant");
	is_string(out, "9999-12-31 23:59:59.999999+00:00", "of year 9999");
	ok(!dyn_event_ts_format(INT64_C(253402300800000000), out), "nothing after it");
	ok(!dyn_event_ts_format(INT64_MIN, out), "not -infinity");
	ok(!dyn_event_ts_format(INT64_MAX, out), "not infinity");
}

int
main(void)
{
	int64_t		micros;

	test_python();
	test_golden_items();
	test_good();
	is_int(parse("NaT", 3, &micros), DYN_EVENT_TS_NAT, "NaT is a null");
	test_bad();
	test_truncated();
	test_format_bounds();
	return done_testing();
}
