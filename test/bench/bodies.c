/*
 * bodies.c
 *	  The requests that dynamo_fdw sends for driver_id 1 to N, made by the same code.
 */
#include "bodies.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "core/feast_key.h"
#include "core/get_request.h"
#include "core/update_op.h"
#include "item.h"

/* False: out of memory. */
static bool
entity_id(int driver, DynEntityId *id)
{
	static DynBuf scratch;
	DynKeyPart	part = {.name = BENCH_JOIN_KEY, .type = DYN_FEAST_INT64, .integer = driver};

	return dyn_feast_key_id(id, &scratch, 3, &part, 1);
}

/* The bytes of a feature's value, which `space` has room for. */
static DynValueBytes
value_bytes(const BenchFeature *feature, unsigned char *space)
{
	int			len = (int) strlen(feature->value);
	DynValueBytes bytes = {space, EVP_DecodeBlock(space, (const unsigned char *) feature->value, len)};

	for (; len > 0 && feature->value[len - 1] == '='; len--)
		bytes.len--;
	return bytes;
}

static void
make_read(DynBuf *body, const char *table, int first, int last)
{
	const char *names[BENCH_NFEATURES];
	size_t		lengths[BENCH_NFEATURES];
	DynFeatureNames features = {names, lengths, BENCH_NFEATURES};
	DynGetRequest request = {.table = table, .event_ts = true, .features = &features};
	DynEntityId id;

	for (int i = 0; i < BENCH_NFEATURES; i++)
	{
		names[i] = bench_features[i].name;
		lengths[i] = strlen(names[i]);
	}
	dyn_op_get_begin(body);
	dyn_op_get_prefix(body, &request);
	for (int driver = first; driver <= last && entity_id(driver, &id); driver++)
		dyn_op_get_key(body, &id, driver == first);
	dyn_op_get_suffix(body, &request);
	dyn_op_get_end(body, false);
}

static void
add_item(DynBuf *item, const DynEntityId *id)
{
	static DynBuf heads[BENCH_NFEATURES];
	unsigned char space[100];

	dyn_op_item_begin(item, id, BENCH_EVENT_TS);
	for (int i = 0; i < BENCH_NFEATURES; i++)
	{
		DynValueBytes value = value_bytes(&bench_features[i], space);

		if (heads[i].len == 0)
			dyn_op_feature_head(&heads[i], bench_features[i].name);
		dyn_op_item_feature(item, &heads[i], value.data, value.len, i == 0);
	}
	dyn_op_item_end(item);
}

static void
make_put(DynBuf *body, const char *table, int first, int last)
{
	static DynBuf item;
	DynEntityId id;

	dyn_op_write_prefix(body, table);
	for (int driver = first; driver <= last && entity_id(driver, &id); driver++)
	{
		dyn_buf_clear(&item);
		add_item(&item, &id);
		dyn_op_write_put(body, &item, driver == first);
	}
	dyn_op_write_suffix(body, false);
}

static void
make_delete(DynBuf *body, const char *table, int first, int last)
{
	DynEntityId id;

	dyn_op_write_prefix(body, table);
	for (int driver = first; driver <= last && entity_id(driver, &id); driver++)
		dyn_op_write_delete(body, &id, driver == first);
	dyn_op_write_suffix(body, false);
}

static void
make_update(DynBuf *body, const char *table, int first, int last)
{
	unsigned char space[100];
	const char *names[] = {bench_features[0].name};
	DynValueBytes value = value_bytes(&bench_features[0], space);
	DynUpdate	update = {.table = table, .nset = 1, .set = names};
	DynUpdateRow row = {.set = &value};

	if (entity_id(first, &row.id))
		dyn_update_body(body, &update, &row);
}

const BodyKind *
body_kind(const char *name)
{
	static const BodyKind kinds[] = {
		{"read", DYN_OP_BATCH_GET_ITEM, DYN_MAX_GET_KEYS, make_read},
		{"put", DYN_OP_BATCH_WRITE_ITEM, DYN_MAX_WRITE_ITEMS, make_put},
		{"update", DYN_OP_UPDATE_ITEM, 1, make_update},
		{"delete", DYN_OP_BATCH_WRITE_ITEM, DYN_MAX_WRITE_ITEMS, make_delete},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

DynBuf *
make_bodies(const BodyKind *kind, const char *table, int entities, int *n)
{
	DynBuf	   *bodies;

	*n = (entities + kind->items - 1) / kind->items;
	bodies = calloc(*n, sizeof(DynBuf));
	for (int i = 0; bodies && i < *n; i++)
	{
		int			first = i * kind->items + 1;
		int			last = first + kind->items - 1;

		kind->make(&bodies[i], table, first, last < entities ? last : entities);
		if (bodies[i].failed)
			return NULL;
	}
	return bodies;
}
