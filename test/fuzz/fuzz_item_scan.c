/*
 * fuzz_item_scan.c
 *	  Bytes as an answer of BatchGetItem over several tables, with json-c as the
 *	  judge.
 */
#include <string.h>

#include "fuzz.h"
#include "scan_check.h"

#define TABLES 3

/* Tables of three features, one that both share a name of, and none. */
static DynScanTable tables[TABLES];

static void
init_tables(void)
{
	static Wanted three;
	static Wanted one;
	static Wanted none;

	if (tables[0].name)
		return;
	want(&three, "conv_rate");
	want(&three, "trips");
	want(&three, "city");
	want(&one, "trips");
	dyn_scan_table_init(&tables[0], TABLE, &three.set);
	dyn_scan_table_init(&tables[1], "p.u", &one.set);
	dyn_scan_table_init(&tables[2], "p.none", &none.set);
}

/* The items of a table from the last to the first: the next one before `i`, or -1. */
static int
item_before(const DynAnswer *answer, int table, int i)
{
	do
		i--;
	while (i >= 0 && answer->items[i].table != table);
	return i;
}

/* Of members with one name json-c keeps the last, item_scan may take all. */
static bool
ends_with_items(const DynAnswer *all, const DynAnswer *last, int table)
{
	int			a = all->nitems;

	for (int i = item_before(last, table, last->nitems); i >= 0; i = item_before(last, table, i))
	{
		a = item_before(all, table, a);
		if (a < 0 || memcmp(&all->items[a].id, &last->items[i].id, sizeof(DynEntityId)) != 0)
			return false;
	}
	return true;
}

/* To json-c a name ends at its first NUL. */
static bool
has_nul(const char *body, size_t len)
{
	for (size_t i = 0; i + 6 <= len; i++)
		if (memcmp(body + i, "\\u0000", 6) == 0)
			return true;
	return false;
}

/* Scans what json-c makes of the body: without repeated names both must see the same in it. */
static void
check_with_json_c(const DynAnswer *answer, const char *body, size_t len)
{
	json_object *json;
	const char *text;
	Scan		s;

	while (len > 0 && strchr(" \t\r\n", body[len - 1]))
		len--;					/* json-c refuses what comes after the value */
	json = golden_parse(body, len);
	must(json != NULL);
	text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
	s = scan_tables(text, strlen(text), tables, TABLES);
	must(s.result == DYN_SCAN_OK);
	must(scan_same_tables(&s, json, tables, TABLES));
	for (int i = 0; i < TABLES; i++)
		must(ends_with_items(answer, &s.answer, i));
	scan_free(&s);
	json_object_put(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	Scan		s;

	init_tables();
	s = scan_tables((const char *) data, len, tables, TABLES);
	if (s.result == DYN_SCAN_OK && !has_nul((const char *) data, len))
		check_with_json_c(&s.answer, (const char *) data, len);
	scan_free(&s);
	return 0;
}
