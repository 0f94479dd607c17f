/*
 * test_registry_odd.c
 *	  Registries that Feast's own files don't show: old ones, those of other
 *	  protobuf writers, and what is there twice.
 */
#include <stdlib.h>

#include "core/pbwire.h"
#include "registry_bytes.h"
#include "tap.h"

#define FEATURE_VIEW 6
#define ON_DEMAND_VIEW 8
#define STREAM_VIEW 14

static DynRegistry *registry;	/* of the case that runs */

/* The only view of a registry whose field `number` has this spec; freed by the next. */
static const DynRegView *
view_of(uint32_t number, DynBuf *spec)
{
	DynBuf		bytes = registry_of(number, spec);
	DynStatus	status;

	dyn_registry_free(registry);
	registry = read_registry(&bytes, &status);
	ok(registry != NULL && registry->nviews == 1, "a view is read: %s", status.message);
	return registry->views;
}

static void
test_empty_view(void)
{
	DynBuf		spec = new_spec("v");
	const DynRegView *view = view_of(FEATURE_VIEW, &spec);

	is_string(view->name, "v", "a view has a name");
	is_string(view->project, "p", "and a project");
	is_string(view->description, "", "no description");
	is_string(view->source.table, "", "no table");
	is_string(view->transformation.text, "", "no text");
	ok(!view->has_source && !view->entityless && !view->online && !view->disabled && !view->transformation.present,
	   "and nothing else");
	is_int(view->version, 0, "no version");
}

/* Key and value of an entry may be missing or repeated; of two entries the later counts. */
static void
test_tags(void)
{
	DynBuf		spec = new_spec("v");
	DynBuf		entry = {0};
	const DynRegView *view;

	put_pair(&spec, 5, "b", "1");
	put_pair(&spec, 5, "a", "2");
	put_pair(&spec, 5, "b", "3");
	put_message(&spec, 5, &entry);
	put_text(&entry, 2, "x");
	put_text(&entry, 2, "y");
	put_text(&entry, 1, "c");
	put_message(&spec, 5, &entry);
	view = view_of(FEATURE_VIEW, &spec);
	is_int((int64_t) view->tags.n, 4, "tags, each once");
	is_string(view->tags.pair[0].name, "", "one without a name");
	is_string(view->tags.pair[1].value, "2", "sorted");
	is_string(view->tags.pair[2].value, "3", "the later of two");
	is_string(view->tags.pair[3].value, "y", "the later value of one");
}

/* A message in two parts is one; of a number, or a text, the last counts. */
static void
test_merging(void)
{
	DynBuf		bytes = {0};
	DynBuf		view = {0};
	DynBuf		spec = new_spec("old");
	DynStatus	status;

	put_field(&spec, 4, "f1", 3);
	put_number(&spec, 8, 1);
	put_message(&view, 1, &spec);
	put_text(&spec, 1, "new");
	put_field(&spec, 4, "f2", 4);
	put_field(&spec, 4, "f3", 5);
	put_message(&view, 1, &spec);
	put_text(&bytes, 3, "1");
	put_message(&bytes, FEATURE_VIEW, &view);
	dyn_registry_free(registry);
	registry = read_registry(&bytes, &status);
	is_string(registry->views->name, "new", "the last name counts");
	is_int((int64_t) registry->views->features.n, 3, "features of both parts");
	is_string(registry->views->features.field[2].name, "f3", "in their order");
	ok(registry->views->online, "what the later part does not say, the earlier one does");
}

/* Groups, numbers that are not known, and members of another wire type. */
static void
test_unknown(void)
{
	DynBuf		spec = {0};
	const DynRegView *view;

	put_number(&spec, 1, 7);
	dyn_pb_put_tag(&spec, 99, DYN_PB_GROUP);
	put_text(&spec, 1, "inside");
	dyn_pb_put_tag(&spec, 99, DYN_PB_END_GROUP);
	put_text(&spec, 1, "v");
	put_text(&spec, 2, "p");
	put_text(&spec, 8, "online is no text");
	dyn_pb_put_tag(&spec, 77, DYN_PB_FIXED64);
	dyn_pb_put_fixed64(&spec, 1);
	put_field(&spec, 4, "f", 1000);
	view = view_of(FEATURE_VIEW, &spec);
	is_string(view->name, "v", "unknown members are skipped");
	ok(!view->online, "so is a member of another wire type");
	is_int(view->features.field[0].value_type, 1000, "a type that is not known stays a number");
}

/* Keys among the features, which a stream view has in any order. */
static void
test_stream_features(void)
{
	DynBuf		spec = new_spec("v");
	const DynRegView *view;

	put_field(&spec, 4, "z", 3);
	put_field(&spec, 4, "k1", 3);
	put_field(&spec, 4, "a", 3);
	put_field(&spec, 4, "k2", 3);
	put_field(&spec, 5, "k2", 3);
	put_field(&spec, 5, "k1", 4);
	view = view_of(STREAM_VIEW, &spec);
	is_int((int64_t) view->features.n, 2, "keys are no features");
	is_string(view->features.field[0].name, "a", "features by name");
	is_string(view->features.field[1].name, "z", "the second");
	is_string(view->keys.field[0].name, "k2", "keys in their order");
}

static void
test_entityless(void)
{
	DynBuf		spec = new_spec("v");
	const DynRegView *view;

	put_text(&spec, 3, "__dummy");
	ok(view_of(FEATURE_VIEW, &spec)->entityless, "without key columns, the entity says it");
	spec = new_spec("v");
	put_field(&spec, 12, "__dummy_id", 2);
	view = view_of(FEATURE_VIEW, &spec);
	ok(view->entityless && view->keys.n == 0, "without the entity, the key column says it");
	spec = new_spec("v");
	put_text(&spec, 3, "__dummy");
	put_field(&spec, 12, "k", 2);
	view = view_of(FEATURE_VIEW, &spec);
	ok(!view->entityless && view->keys.n == 1, "a real key column is a key");
	spec = new_spec("v");
	put_text(&spec, 3, "e");
	ok(!view_of(FEATURE_VIEW, &spec)->entityless, "an entity alone is no stand-in");
}

static void
test_ttl(void)
{
	static const struct
	{
		int64_t		seconds;
		int64_t		nanos;
		double		want;
	}			cases[] = {{0, 0, 0}, {1, 500000000, 1.5}, {-3, 0, 0}, {5, -1000000000, 4},
	{315576000000, 0, 315576000000.0}, {315576000001, 0, 0}, {INT64_MAX, 0, 0}};

	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		DynBuf		spec = new_spec("v");
		DynBuf		ttl = {0};

		put_number(&ttl, 1, cases[i].seconds);
		put_number(&ttl, 2, cases[i].nanos);
		put_message(&spec, 6, &ttl);
		ok(view_of(FEATURE_VIEW, &spec)->ttl_seconds == cases[i].want, "a ttl of %g seconds", cases[i].want);
	}
}

/* A source of PostgreSQL: its class, its JSON, both as they are given. */
static DynBuf
postgres_source(const char *class_name, int type, const char *options)
{
	DynBuf		source = {0};
	DynBuf		custom = {0};

	put_text(&source, 20, "s");
	put_number(&source, 1, type);
	if (class_name)
		put_text(&source, 17, class_name);
	put_text(&source, 3, "ts");
	put_text(&custom, 1, options);
	put_message(&source, 16, &custom);
	return source;
}

static void
test_postgres_sources(void)
{
	static const struct
	{
		const char *class_name;
		int			type;
		const char *options;
		bool		postgres;
		const char *table;
	}			cases[] = {
		{"a.b.PostgreSQLSource", 6, "{\"table\":\"s.t\",\"query\":\"\"}", true, "s.t"},
		{"PostgreSQLSource", 0, "{\"table\":\"\\u00fc\"}", true, "ü"},
		{"PostgreSQLSource", 6, "{\"table\":null}", true, ""},
		{NULL, 6, "{\"name\":\"n\",\"table\":\"t\",\"query\":\"\"}", true, "t"},
		{NULL, 6, "{\"table\":\"t\"}", false, ""},
		{NULL, 6, "no JSON", false, ""},
		{NULL, 1, "{\"table\":\"t\",\"query\":\"\"}", false, ""},
		{"a.NotPostgreSQLSource", 6, "{\"table\":\"t\",\"query\":\"\"}", false, ""},
		{"a.ClickhouseSource", 6, "{\"table\":\"t\",\"query\":\"\"}", false, ""}
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		DynBuf		spec = new_spec("v");
		DynBuf		source = postgres_source(cases[i].class_name, cases[i].type, cases[i].options);
		const DynRegView *view;

		put_message(&spec, 7, &source);
		view = view_of(FEATURE_VIEW, &spec);
		is_int(view->source.postgres, cases[i].postgres, "%s is one of PostgreSQL, or not", cases[i].options);
		is_string(view->source.table, cases[i].table, "its table");
	}
}

/* Name of the push source, all else of its batch source; that one's own batch source is not read. */
static void
test_push_source(void)
{
	DynBuf		spec = new_spec("v");
	DynBuf		push = {0};
	DynBuf		batch = postgres_source("x.PostgreSQLSource", 6, "{\"table\":\"t\",\"query\":\"\"}");
	DynBuf		deeper = postgres_source("x.PostgreSQLSource", 6, "{\"table\":\"deeper\"}");
	const DynRegView *view;

	put_message(&batch, 26, &deeper);
	put_pair(&batch, 2, "w", "weight");
	put_text(&push, 20, "push");
	put_text(&push, 3, "other_ts");
	put_message(&push, 26, &batch);
	put_message(&spec, 9, &push);
	view = view_of(FEATURE_VIEW, &spec);
	ok(view->has_source && view->source.postgres, "a stream source stands in for the batch source");
	is_string(view->source.name, "push", "its name");
	is_string(view->source.table, "t", "the table of its batch source");
	is_string(view->source.timestamp_field, "ts", "the timestamp of its batch source");
	is_string(view->source.field_mapping.pair[0].value, "weight", "the mapping, too");
}

/* An input of an on-demand view: a source's message in member `number` of the oneof. */
static void
put_input(DynBuf *spec, const char *name, uint32_t number, DynBuf *content)
{
	DynBuf		entry = {0};
	DynBuf		source = {0};

	put_message(&source, number, content);
	put_text(&entry, 1, name);
	put_message(&entry, 2, &source);
	put_message(spec, 4, &entry);
}

static DynBuf
request_source(const char *first, const char *second)
{
	DynBuf		source = {0};
	DynBuf		options = {0};

	put_field(&options, 3, first, 5);
	put_field(&options, 3, second, 2);
	put_message(&source, 18, &options);
	return source;
}

/* As Feast wrote them before projections, modes and feature_transformation. */
static void
test_old_on_demand_view(void)
{
	DynBuf		spec = new_spec("v");
	DynBuf		function = {0};
	DynBuf		view = {0};
	DynBuf		inner = new_spec("input");
	DynBuf		request = request_source("b", "a");
	const DynRegTransformation *t;

	put_field(&inner, 4, "f", 4);
	put_message(&view, 1, &inner);
	put_input(&spec, "y", 1, &view);
	put_input(&spec, "x", 2, &request);
	request = request_source("c", "a");
	put_input(&spec, "z", 2, &request);
	put_text(&function, 1, "fn");
	put_text(&function, 3, "def fn(df): pass\n");
	put_message(&spec, 5, &function);
	t = &view_of(ON_DEMAND_VIEW, &spec)->transformation;
	ok(t->present && !t->substrait, "an old function is one");
	is_string(t->name, "fn", "its name");
	is_string(t->text, "def fn(df): pass\n", "its text");
	is_string(t->mode, "", "it has no mode");
	is_int((int64_t) t->inputs.n, 1, "a whole view is an input");
	is_string(t->inputs.projection[0].view, "input", "by its name");
	is_string(t->inputs.projection[0].features.field[0].name, "f", "with its features");
	is_int(t->inputs.projection[0].version, -1, "and no version");
	is_int((int64_t) t->request.n, 3, "request data of two sources, each once");
	is_string(t->request.field[0].name, "b", "in the order of the source");
	is_string(t->request.field[1].name, "c", "sources by name");
	is_string(t->request.field[2].name, "a", "of two the later, in its place");
	is_int(t->request.field[2].value_type, 2, "with its type");
}

static void
test_transformations(void)
{
	DynBuf		spec = new_spec("v");
	DynBuf		transformation = {0};
	DynBuf		inner = {0};
	const DynRegTransformation *t;

	put_message(&spec, 10, &transformation);
	t = &view_of(ON_DEMAND_VIEW, &spec)->transformation;
	ok(!t->present && t->inputs.n == 0 && t->request.n == 0, "aggregations alone have no function");
	spec = new_spec("v");
	put_text(&inner, 1, "plan");
	put_message(&transformation, 2, &inner);
	put_message(&spec, 10, &transformation);
	t = &view_of(ON_DEMAND_VIEW, &spec)->transformation;
	ok(t->present && t->substrait, "a plan of Substrait");
	is_string(t->mode, "substrait", "has its mode");
	spec = new_spec("v");
	put_text(&inner, 4, "python");
	put_message(&transformation, 1, &inner);
	put_message(&spec, 10, &transformation);
	put_number(&spec, 15, 1);
	t = &view_of(ON_DEMAND_VIEW, &spec)->transformation;
	is_string(t->mode, "python", "the function's mode, where the view has none");
	is_string(t->text, "", "compiled code has no text");
	ok(t->present && t->singleton, "a singleton");
}

/* Two views of one name stay; the first is found.  Projects that no list names are there. */
static void
test_same_names(void)
{
	DynBuf		bytes = {0};
	DynStatus	status;

	put_text(&bytes, 3, "1");
	for (int i = 0; i < 3; i++)
	{
		DynBuf		spec = {0};
		DynBuf		view = {0};

		put_text(&spec, 1, "v");
		put_text(&spec, 2, i == 0 ? "q" : "p");
		put_text(&spec, 10, i == 1 ? "first" : "second");
		put_message(&view, 1, &spec);
		put_message(&bytes, FEATURE_VIEW, &view);
	}
	dyn_registry_free(registry);
	registry = read_registry(&bytes, &status);
	is_int((int64_t) registry->nviews, 3, "views of one name stay");
	is_string(dyn_registry_view(registry, "p", "v")->description, "first", "the first is found");
	is_int((int64_t) registry->nprojects, 2, "projects are those of the views");
	is_string(registry->projects[0], "p", "sorted");
	ok(dyn_registry_view_version(registry, "p", "v", 0) == dyn_registry_view(registry, "p", "v"),
	   "without a history, the present version is the view itself");
	ok(dyn_registry_view_version(registry, "p", "v", 1) == NULL, "and there is no other");
}

/* A row's project is the column's, whatever its bytes say; nothing is found until all is there. */
static void
test_rows(void)
{
	DynBuf		spec = {0};
	DynBuf		view = {0};
	DynStatus	status = {0};

	put_text(&spec, 1, "v");
	put_message(&view, 1, &spec);
	dyn_registry_free(registry);
	registry = dyn_registry_new();
	ok(dyn_registry_add(registry, DYN_REG_OBJECT_PROJECT, "r", -1, "rubbish", 7, &status), "a project's bytes don't count");
	ok(dyn_registry_add(registry, DYN_REG_OBJECT_LABEL_VIEW, "p", -1, view.data, view.len, &status), "a view");
	ok(dyn_registry_view(registry, "p", "v") == NULL, "is not found yet");
	ok(dyn_registry_finish(registry, &status), "all is there");
	ok(dyn_registry_view(registry, "p", "v") == registry->views, "it is found in the column's project");
	ok(dyn_registry_add(registry, DYN_REG_OBJECT_LABEL_VIEW, "p", 0, view.data, view.len, &status), "version 0");
	ok(dyn_registry_view(registry, "p", "v") == NULL, "an index that is old is not used");
	ok(dyn_registry_finish(registry, &status), "all is there again");
	ok(dyn_registry_view_version(registry, "p", "v", 0) == registry->history, "its version is found");
	is_int((int64_t) registry->nprojects, 2, "both projects, once each");
	dyn_buf_free(&view);
}

static void
test_kind_names(void)
{
	is_string(dyn_reg_kind_name(DYN_REG_FEATURE_VIEW), "feature view", "a kind");
	is_string(dyn_reg_kind_name(DYN_REG_ON_DEMAND_VIEW), "on-demand feature view", "another");
}

int
main(void)
{
	test_empty_view();
	test_tags();
	test_merging();
	test_unknown();
	test_stream_features();
	test_entityless();
	test_ttl();
	test_postgres_sources();
	test_push_source();
	test_old_on_demand_view();
	test_transformations();
	test_same_names();
	test_rows();
	test_kind_names();
	dyn_registry_free(registry);
	return done_testing();
}
