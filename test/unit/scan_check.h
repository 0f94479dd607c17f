/*
 * scan_check.h
 *	  What the tests of item_scan share: answers, and json-c as the judge of
 *	  what was read from them.
 *
 * Bodies in these tests are written with ' for ".
 */
#ifndef DYN_SCAN_CHECK_H
#define DYN_SCAN_CHECK_H

#include "core/item_scan.h"
#include "golden.h"

#define MAX_WANTED 16

#define TABLE "p.t"
#define HEX "00112233445566778899aabbccddeeff"
#define HEX2 "f3cfd4a822f245b63975464763babaec"
#define ID "'entity_id':{'S':'" HEX "'}"

/* Answers with these items, with one item of these attributes, with these tables left unprocessed. */
#define ITEMS(items) "{'Responses':{'" TABLE "':[" items "]},'UnprocessedKeys':{}}"
#define ITEM(attributes) ITEMS("{" attributes "}")
#define UNPROCESSED(tables) "{'Responses':{'" TABLE "':[]},'UnprocessedKeys':{" tables "}}"

/* An answer of TABLE with every kind of member in every place, in an unusual order; features a, b and c. */
extern const char scan_rich_answer[];

/* The features to ask for; starts zeroed. */
typedef struct Wanted
{
	const char *names[MAX_WANTED];
	size_t		lengths[MAX_WANTED];
	DynFeatureNames set;
} Wanted;

extern void want(Wanted *wanted, const char *name);

/* A decoded answer and the body it points into, which ends where its memory ends. */
typedef struct Scan
{
	DynScanResult result;
	DynAnswer	answer;
	char	   *body;
} Scan;

extern Scan scan(const char *body, size_t len, const char *table, const Wanted *wanted);
extern Scan scan_tables(const char *body, size_t len, const DynScanTable *tables, int ntables);
extern Scan scan_text(const char *text);	/* with ' for ", of TABLE, for a, b and c */
extern void scan_free(Scan *s);

/* Did the scan see what json-c sees in the same body, or in its JSON? */
extern bool scan_agrees(const Scan *s, const char *body, size_t len, const char *table, const Wanted *wanted);
extern bool scan_same(const Scan *s, json_object *json, const char *table, const Wanted *wanted);
extern bool scan_same_tables(const Scan *s, json_object *json, const DynScanTable *tables, int ntables);

/* The items of an entry of items.json, as DynamoDB would answer; the caller puts. */
extern json_object *scan_golden_answer(json_object *entry);

#endif							/* DYN_SCAN_CHECK_H */
