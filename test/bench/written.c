/*
 * written.c
 *	  What requests to the mock write.
 *
 * A benchmark repeats its requests, so a body is looked into once, and known by
 * its hash from then on.
 */
#include "written.h"

#include <string.h>

#include "core/ddb_op.h"
#include "scan.h"

#define SLOTS (1 << 18)			/* of known bodies, a power of two: those of some million items */

typedef struct Known
{
	uint64_t	hash;			/* 0: a free slot */
	int			items;
} Known;

static Known known[SLOTS];
static int	nknown;
static long made;
static long written;

bool
is_write(const char *op)
{
	return strcmp(op, "BatchWriteItem") == 0 || strcmp(op, "PutItem") == 0 || strcmp(op, "UpdateItem") == 0;
}

/* How often the tokens stand there. */
static int
count(const char *p, const char *end, const char *const *tokens)
{
	int			n = 0;

	while ((p = scan_find(p, end, tokens)) != NULL)
		n++;
	return n;
}

/* Looks into a body; returns as written_by(). */
static int
count_items(const char *op, const char *body, size_t len)
{
	static const char *const key[] = {"\"entity_id\"", ":", "{", "\"S\"", ":", "\"", NULL};
	static const char *const put[] = {"\"PutRequest\"", ":", "{", "\"Item\"", ":", "{", NULL};
	static const char *const delete[] = {"\"DeleteRequest\"", ":", "{", "\"Key\"", ":", "{", NULL};
	const char *end = body + len;
	bool		batch = strcmp(op, "BatchWriteItem") == 0;
	int			most = batch ? DYN_MAX_WRITE_ITEMS : 1;
	int			items = count(body, end, key);

	if (len == 0 || body[0] != '{' || scan_object_end(body + 1, end) != end || items > most)
		return 0;
	if (batch && items != count(body, end, put) + count(body, end, delete))
		return 0;
	return items;
}

/* The body's slot, a free one if it did not come before. */
static Known *
find_slot(uint64_t hash)
{
	size_t		i = hash % SLOTS;

	while (known[i].hash != 0 && known[i].hash != hash)
		i = (i + 1) % SLOTS;
	return &known[i];
}

/* Makes a body known; where half of the slots are taken, all others are forgotten. */
static Known *
make_known(uint64_t hash, int items)
{
	Known	   *slot;

	if (++nknown > SLOTS / 2)
	{
		memset(known, 0, sizeof(known));
		nknown = 1;
	}
	slot = find_slot(hash);
	*slot = (Known) {hash, items};
	made++;
	return slot;
}

int
written_by(const char *op, const char *body, size_t len)
{
	uint64_t	hash = scan_hash(body, len) | 1;
	Known	   *slot = find_slot(hash);

	if (slot->hash == 0)
		slot = make_known(hash, count_items(op, body, len));
	written += slot->items;
	return slot->items;
}

long
items_written(void)
{
	return written;
}

long
writes_made(void)
{
	return made;
}
