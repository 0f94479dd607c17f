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
	DynAttr    *features;		/* B: bytes; in the order of the wanted names */
} DynItem;

typedef struct DynAnswer
{
	DynItem    *items;
	int			nitems;
	DynEntityId *unprocessed;	/* keys DynamoDB wants to be asked again */
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

typedef enum DynScanResult
{
	DYN_SCAN_OK,
	DYN_SCAN_MALFORMED,			/* not the JSON of a BatchGetItem answer */
	DYN_SCAN_NO_MEMORY
} DynScanResult;

/*
 * Decodes `body`, which is changed and must outlive the answer.  Items of
 * other tables than `table` are malformed. `answer` must be zeroed or freed.
 */
extern DynScanResult dyn_item_scan(char *body, size_t len, const char *table, const DynFeatureNames *wanted,
								   DynAnswer *answer);
extern void dyn_answer_free(DynAnswer *answer);

#endif							/* DYN_ITEM_SCAN_H */
