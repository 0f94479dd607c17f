/*
 * registry_view.c
 *	  Views of the registry: four messages that have nearly the same members, by
 *	  other numbers.
 */
#include <stdlib.h>
#include <string.h>

#include "core/registry_private.h"

#define MAX_TTL_SECONDS 315576000000.0

/* What Feast gives a view without entities: an entity of this name, with this join key. */
static const char dummy_entity[] = "__dummy";
static const char dummy_key[] = "__dummy_id";

/* A view's messages as they are read, before a DynRegView is made of them. */
typedef struct ViewParts
{
	DynRegView	view;			/* `keys` with __dummy_id, `features` with the keys */
	DynRegList	entities;		/* their names */
	int64_t		ttl_seconds;
	int			ttl_nanos;
	bool		has_batch_source;
	DynRegSourceParts batch_source;
	bool		has_stream_source;
	DynRegSourceParts stream_source;
	DynRegOnDemandParts on_demand;
} ViewParts;

static const ViewParts parts_start = {
	.view = {
		.name = "", .project = "", .description = "", .owner = "",
		.source = DYN_REG_EMPTY_SOURCE, .transformation = DYN_REG_EMPTY_TRANSFORMATION
	},
	.batch_source = DYN_REG_SOURCE_START, .stream_source = DYN_REG_SOURCE_START, .on_demand = DYN_REG_ON_DEMAND_START
};

/* google.protobuf.Duration */
static const DynRegMember duration_members[] = {
	VALUE_AT(1, DYN_REG_INT64, ViewParts, ttl_seconds),
	VALUE_AT(2, DYN_REG_INT, ViewParts, ttl_nanos)
};
static const DynRegMessage duration_message = {DYN_REG_MEMBERS(duration_members)};

#define NAME_MEMBERS \
	TEXT_AT(1, ViewParts, view.name, "its name"), \
	TEXT_AT(2, ViewParts, view.project, "its project")
#define DESCRIPTION_AT(number) TEXT_AT(number, ViewParts, view.description, "its description")
#define OWNER_AT(number) TEXT_AT(number, ViewParts, view.owner, "its owner")
#define TAGS_AT(number) LIST_AT(number, ViewParts, view.tags, &dyn_reg_pair_message)
#define ENTITIES_AT(number) TEXTS_AT(number, ViewParts, entities, "the name of an entity")
#define KEYS_AT(number) LIST_AT(number, ViewParts, view.keys, &dyn_reg_field_message)
#define FEATURES_AT(number) LIST_AT(number, ViewParts, view.features, &dyn_reg_field_message)
#define ONLINE_AT(number) VALUE_AT(number, DYN_REG_BOOL, ViewParts, view.online)
#define DISABLED_AT(number) VALUE_AT(number, DYN_REG_BOOL, ViewParts, view.disabled)
#define TTL_AT(number) MESSAGE_HERE(number, &duration_message)
#define BATCH_SOURCE_AT(number) \
	VALUE_AT(number, DYN_REG_PRESENT, ViewParts, has_batch_source), \
	MESSAGE_AT(number, ViewParts, batch_source, &dyn_reg_source_message)
#define STREAM_SOURCE_AT(number) \
	VALUE_AT(number, DYN_REG_PRESENT, ViewParts, has_stream_source), \
	MESSAGE_AT(number, ViewParts, stream_source, &dyn_reg_source_message)

static const DynRegMember feature_view_members[] = {
	NAME_MEMBERS, ENTITIES_AT(3), FEATURES_AT(4), TAGS_AT(5), TTL_AT(6), BATCH_SOURCE_AT(7), ONLINE_AT(8),
	STREAM_SOURCE_AT(9), DESCRIPTION_AT(10), OWNER_AT(11), KEYS_AT(12), DISABLED_AT(20)
};

static const DynRegMember stream_view_members[] = {
	NAME_MEMBERS, ENTITIES_AT(3), FEATURES_AT(4), KEYS_AT(5), DESCRIPTION_AT(6), TAGS_AT(7), OWNER_AT(8), TTL_AT(9),
	BATCH_SOURCE_AT(10), STREAM_SOURCE_AT(11), ONLINE_AT(12), DISABLED_AT(23)
};

static const DynRegMember label_view_members[] = {
	NAME_MEMBERS, ENTITIES_AT(3), FEATURES_AT(4), TAGS_AT(5), TTL_AT(6), BATCH_SOURCE_AT(7), ONLINE_AT(8),
	DESCRIPTION_AT(9), OWNER_AT(10), KEYS_AT(11)
};

static const DynRegMember on_demand_view_members[] = {
	NAME_MEMBERS, FEATURES_AT(3),
	LIST_AT(4, ViewParts, on_demand.inputs, &dyn_reg_input_message),
	VALUE_AT(5, DYN_REG_PRESENT, ViewParts, on_demand.has_function),
	MESSAGE_AT(5, ViewParts, on_demand, &dyn_reg_function_message),
	DESCRIPTION_AT(6), TAGS_AT(7), OWNER_AT(8),
	MESSAGE_AT(10, ViewParts, on_demand, &dyn_reg_feature_transformation_message),
	TEXT_AT(11, ViewParts, on_demand.mode, "its mode"),
	ONLINE_AT(12), ENTITIES_AT(13), KEYS_AT(14),
	VALUE_AT(15, DYN_REG_BOOL, ViewParts, on_demand.singleton),
	DISABLED_AT(19)
};

#define VERSION_AT(number) VALUE_AT(number, DYN_REG_INT, ViewParts, view.version)
#define STATE_AT(number) VALUE_AT(number, DYN_REG_INT, ViewParts, view.state)

static const DynRegMember meta_members[] = {VERSION_AT(4), STATE_AT(6)};
static const DynRegMember on_demand_meta_members[] = {VERSION_AT(3), STATE_AT(5)};

static const DynRegMessage meta_message = {DYN_REG_MEMBERS(meta_members)};
static const DynRegMessage on_demand_meta_message = {DYN_REG_MEMBERS(on_demand_meta_members)};
static const DynRegMessage feature_view_spec = {DYN_REG_MEMBERS(feature_view_members)};
static const DynRegMessage stream_view_spec = {DYN_REG_MEMBERS(stream_view_members)};
static const DynRegMessage label_view_spec = {DYN_REG_MEMBERS(label_view_members)};
static const DynRegMessage on_demand_view_spec = {DYN_REG_MEMBERS(on_demand_view_members)};

/* Every view is a spec and what Feast notes of it; label views have only times there. */
static const DynRegMember view_members[][2] = {
	[DYN_REG_FEATURE_VIEW] = {MESSAGE_HERE(1, &feature_view_spec), MESSAGE_HERE(2, &meta_message)},
	[DYN_REG_STREAM_VIEW] = {MESSAGE_HERE(1, &stream_view_spec), MESSAGE_HERE(2, &meta_message)},
	[DYN_REG_LABEL_VIEW] = {MESSAGE_HERE(1, &label_view_spec), MESSAGE_HERE(2, &meta_message)},
	[DYN_REG_ON_DEMAND_VIEW] = {MESSAGE_HERE(1, &on_demand_view_spec), MESSAGE_HERE(2, &on_demand_meta_message)}
};

/* For bsearch() */
static int
compare_field_name(const void *name, const void *field)
{
	return strcmp(name, ((const DynRegField *) field)->name);
}

/*
 * Takes the keys out of the features, where stream views and some on-demand views
 * list them, too.  The keys are sorted for it: both can be many.
 */
static bool
remove_keys(DynRegReader *reader, DynRegView *view)
{
	DynRegField *features = (DynRegField *) view->features.field;
	DynRegFields keys = view->keys;
	size_t		kept = 0;

	if (!dyn_reg_sort(reader, &keys, sizeof(DynRegField)))
		return false;
	if (keys.n < view->keys.n)
		return dyn_reg_fail(reader, "two of its keys have the same name");
	for (size_t i = 0; i < view->features.n; i++)
	{
		if (keys.n == 0 ||
			bsearch(features[i].name, keys.field, keys.n, sizeof(DynRegField), compare_field_name) == NULL)
			features[kept++] = features[i];
	}
	view->features.n = kept;
	return true;
}

/* The stand-in of views without entities is no key; very old registries have the entity alone. */
static void
remove_dummy_key(DynRegView *view, const DynRegList *entities)
{
	if (view->keys.n == 1)
		view->entityless = strcmp(view->keys.field[0].name, dummy_key) == 0;
	else if (view->keys.n == 0 && entities->n == 1)
		view->entityless = strcmp(*(const char *const *) entities->items, dummy_entity) == 0;
	if (view->entityless)
		view->keys.n = 0;
}

/* Batch source, or the stream source where there is none. */
static bool
take_source(DynRegReader *reader, ViewParts *parts)
{
	DynRegSourceParts *source = parts->has_batch_source ? &parts->batch_source : &parts->stream_source;

	parts->view.has_source = parts->has_batch_source || parts->has_stream_source;
	return !parts->view.has_source || dyn_reg_make_source(reader, source, &parts->view.source);
}

/* Makes the view of what was read.  What Feast never writes, negative numbers, are none. */
static bool
finish_view(DynRegReader *reader, ViewParts *parts)
{
	DynRegView *view = &parts->view;

	view->ttl_seconds = (double) parts->ttl_seconds + parts->ttl_nanos / 1e9;
	/* no Duration of protobuf is longer than 10,000 years */
	if (view->ttl_seconds < 0 || view->ttl_seconds > MAX_TTL_SECONDS)
		view->ttl_seconds = 0;
	if (view->version < 0)
		view->version = 0;
	if (!dyn_reg_sort(reader, &view->tags, sizeof(DynRegPair)) || !remove_keys(reader, view))
		return false;
	remove_dummy_key(view, &parts->entities);
	if (view->kind == DYN_REG_STREAM_VIEW && !dyn_reg_sort(reader, &view->features, sizeof(DynRegField)))
		return false;
	if (view->kind == DYN_REG_ON_DEMAND_VIEW)
		return dyn_reg_make_transformation(reader, &parts->on_demand, &view->transformation);
	return take_source(reader, parts);
}

bool
dyn_reg_read_view(DynRegReader *reader, DynRegKind kind, const void *data, size_t len, DynRegView *view)
{
	DynRegMessage message = {DYN_REG_MEMBERS(view_members[kind])};
	ViewParts	parts = parts_start;

	parts.view.kind = kind;
	if (!dyn_reg_read(reader, data, len, &message, &parts) || !finish_view(reader, &parts))
		return false;
	*view = parts.view;
	return true;
}
