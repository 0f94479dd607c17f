/*
 * item_scan.h
 *	  Single-pass decoder of BatchGetItem answers, the hot path of every read.
 *
 * Decodes in place: strings and base64 are unescaped over the answer's own
 * bytes, so a decoded answer costs one array of slices beside the body.
 * The whole body is checked before the first item can be used.
 */
#ifndef DYN_ITEM_SCAN_H
#define DYN_ITEM_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/feast_key.h"

#define DYN_MAX_GET_KEYS 100	/* of one BatchGetItem */

typedef enum DynAttrState
{
	DYN_ATTR_ABSENT = 0,
	DYN_ATTR_OK,
	DYN_ATTR_WRONG_TYPE			/* stored, but not as the DynamoDB type Feast uses */
} DynAttrState;

typedef struct DynAttr
{
	DynAttrState state;
	const uint8_t *data;		/* points into the body */
	size_t		len;
} DynAttr;

typedef struct DynItem
{
	DynEntityId id;
	DynAttr		event_ts;		/* S: text */
	DynAttr		values;			/* M; only its state counts */
	DynAttr    *features;		/* B: bytes; in the order of the wanted names of its table */
	int			table;			/* index into the tables that were asked */
} DynItem;

/* A key that DynamoDB wants to be asked again. */
typedef struct DynUnprocessedKey
{
	DynEntityId id;
	int			table;
} DynUnprocessedKey;

typedef struct DynAnswer
{
	DynItem    *items;
	int			nitems;
	DynUnprocessedKey *unprocessed;
	int			nunprocessed;
	double		consumed_capacity;	/* units, of all tables; 0 where the answer does not tell */
	/* private */
	DynAttr    *slices;
} DynAnswer;

typedef struct DynFeatureNames
{
	const char *const *names;	/* UTF-8, NUL-terminated */
	const size_t *lengths;
	int			count;
} DynFeatureNames;

/* A table that was asked, as the decoder wants it; see dyn_scan_table_init(). */
typedef struct DynScanTable
{
	const char *name;
	size_t		name_len;
	const DynFeatureNames *wanted;
	bool		plain_names;	/* wanted names stand in JSON as they are */
} DynScanTable;

typedef enum DynScanResult
{
	DYN_SCAN_OK,
	DYN_SCAN_MALFORMED,			/* not the JSON of a BatchGetItem answer */
	DYN_SCAN_NO_MEMORY
} DynScanResult;

/* Name and features are borrowed. */
extern void dyn_scan_table_init(DynScanTable *table, const char *name, const DynFeatureNames *wanted);

/*
 * Decodes `body`, which is changed and must outlive the answer.  `tables`, at
 * least one, are those of the request: an answer that names another one is
 * malformed.  They may hold items of the same id.  `answer` must be zeroed or
 * freed.
 */
extern DynScanResult dyn_item_scan(char *body, size_t len, const DynScanTable *tables, int ntables,
								   DynAnswer *answer);
extern void dyn_answer_free(DynAnswer *answer);

#endif							/* DYN_ITEM_SCAN_H */
