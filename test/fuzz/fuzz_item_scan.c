/*
 * fuzz_item_scan.c
 *	  Bytes as an answer of BatchGetItem, with json-c as the judge.
 */
#include <string.h>

#include "fuzz.h"
#include "scan_check.h"

static Scan
scan_with(const char *body, size_t len, Wanted *wanted)
{
	memset(wanted, 0, sizeof(*wanted));
	want(wanted, "conv_rate");
	want(wanted, "trips");
	want(wanted, "city");
	return scan(body, len, TABLE, wanted);
}

/* Of members with one name json-c keeps the last, item_scan may take all. */
static bool
ends_with_items(const DynAnswer *all, const DynAnswer *last)
{
	int			skipped = all->nitems - last->nitems;

	if (skipped < 0)
		return false;
	for (int i = 0; i < last->nitems; i++)
		if (memcmp(&all->items[skipped + i].id, &last->items[i].id, sizeof(DynEntityId)) != 0)
			return false;
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
	Wanted		wanted;
	Scan		s;

	while (len > 0 && strchr(" \t\r\n", body[len - 1]))
		len--;					/* json-c refuses what comes after the value */
	json = golden_parse(body, len);
	must(json != NULL);
	text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
	s = scan_with(text, strlen(text), &wanted);
	must(s.result == DYN_SCAN_OK);
	must(scan_same(&s, json, TABLE, &wanted));
	must(ends_with_items(answer, &s.answer));
	scan_free(&s);
	json_object_put(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	Wanted		wanted;
	Scan		s = scan_with((const char *) data, len, &wanted);

	if (s.result == DYN_SCAN_OK && !has_nul((const char *) data, len))
		check_with_json_c(&s.answer, (const char *) data, len);
	scan_free(&s);
	return 0;
}
