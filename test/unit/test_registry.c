/*
 * test_registry.c
 *	  Feast's own registries: each view and service is what Feast says of it, as a
 *	  file and as rows of the SQL registry.
 */
#include "core/registry.h"

#include <stdlib.h>

#include "core/feast_type.h"
#include "golden.h"
#include "sql_rows.h"
#include "tap.h"

/* Reads a whole file. */
static DynRegistry *
read_file(const char *file)
{
	DynRegistry *registry = dyn_registry_new();
	DynStatus	status = {0};
	size_t		len;
	char	   *data = golden_read(file, &len);
	void	   *exact = golden_copy(data, len);

	ok(dyn_registry_read(registry, exact, len, &status), "%s is read", file);
	is_string(status.message, "", "%s: without a complaint", file);
	free(data);
	free(exact);				/* nothing points into it */
	return registry;
}

/* Where the tables of a SQL registry have project, version and object. */
static const struct
{
	const char *table;
	DynRegObject object;
	int			project;
	int			version;		/* -1: no column */
	int			data;
}			tables[] = {
	{"projects", DYN_REG_OBJECT_PROJECT, 0, -1, 3},
	{"feature_views", DYN_REG_OBJECT_FEATURE_VIEW, 1, -1, 4},
	{"stream_feature_views", DYN_REG_OBJECT_STREAM_VIEW, 1, -1, 3},
	{"label_views", DYN_REG_OBJECT_LABEL_VIEW, 1, -1, 3},
	{"on_demand_feature_views", DYN_REG_OBJECT_ON_DEMAND_VIEW, 1, -1, 3},
	{"feature_services", DYN_REG_OBJECT_SERVICE, 1, -1, 3},
	{"feature_view_version_history", DYN_REG_OBJECT_FEATURE_VIEW, 1, 2, 4}
};

static DynRegObject
object_of_record(const char *type)
{
	if (strcmp(type, "stream_feature_view") == 0)
		return DYN_REG_OBJECT_STREAM_VIEW;
	if (strcmp(type, "label_view") == 0)
		return DYN_REG_OBJECT_LABEL_VIEW;
	return strcmp(type, "on_demand_feature_view") == 0 ? DYN_REG_OBJECT_ON_DEMAND_VIEW : DYN_REG_OBJECT_FEATURE_VIEW;
}

/* Adds a row, if it is of interest. */
static void
add_row(DynRegistry *registry, const SqlRow *row)
{
	DynStatus	status = {0};

	for (size_t i = 0; i < LENGTH(tables); i++)
	{
		bool		record = tables[i].version >= 0;
		uint8_t    *data;
		size_t		len;

		if (strcmp(row->table, tables[i].table) != 0)
			continue;
		data = golden_hex(row->column[tables[i].data] + strlen("\\x"), &len);
		if (!dyn_registry_add(registry, record ? object_of_record(row->column[3]) : tables[i].object,
							  row->column[tables[i].project],
							  record ? (int) strtol(row->column[tables[i].version], NULL, 10) : -1, data, len, &status))
			ok(false, "a row of %s: %s", row->table, status.message);
		free(data);
	}
}

static DynRegistry *
read_sql(const char *file)
{
	DynRegistry *registry = dyn_registry_new();
	DynStatus	status = {0};
	size_t		len;
	char	   *sql = golden_read(file, &len);
	char	   *rest = sql;
	SqlRow		row;

	while (sql_rows_next(&rest, &row))
		add_row(registry, &row);
	free(sql);
	ok(dyn_registry_finish(registry, &status), "%s is read", file);
	return registry;
}

/* A text of the golden file that may be null. */
static const char *
text_or_empty(json_object *object, const char *path)
{
	const char *text = golden_text(object, path);

	return text ? text : "";
}

static void
check_pairs(const DynRegPairs *got, json_object *want, const char *what)
{
	is_int((int64_t) got->n, want ? json_object_object_length(want) : 0, "%s: their number", what);
	for (size_t i = 0; i < got->n; i++)
	{
		json_object *value = NULL;

		ok(i == 0 || strcmp(got->pair[i - 1].name, got->pair[i].name) < 0, "%s: sorted", what);
		json_object_object_get_ex(want, got->pair[i].name, &value);
		is_string(got->pair[i].value, value ? json_object_get_string(value) : "", "%s: %s", what, got->pair[i].name);
	}
}

/* Fields with types. */
static void
check_fields(const DynRegFields *got, json_object *view, const char *path, const char *what)
{
	is_int((int64_t) got->n, (int64_t) golden_count(view, path), "%s: number of %s", what, path);
	for (size_t i = 0; i < got->n && i < golden_count(view, path); i++)
	{
		json_object *want = golden_at(view, path, i);

		is_string(got->field[i].name, golden_text(want, "name"), "%s: name %zu of %s", what, i, path);
		is_string(dyn_feast_type_name(got->field[i].value_type), golden_text(want, "value_type"), "%s: its type", what);
		is_string(got->field[i].description, text_or_empty(want, "description"), "%s: its description", what);
	}
}

/* Names alone. */
static void
check_names(const DynRegFields *got, json_object *object, const char *path, const char *what)
{
	is_int((int64_t) got->n, (int64_t) golden_count(object, path), "%s: number of %s", what, path);
	for (size_t i = 0; i < got->n && i < golden_count(object, path); i++)
		is_string(got->field[i].name, json_object_get_string(golden_at(object, path, i)), "%s: name %zu", what, i);
}

static DynRegKind
kind_of(const char *kind)
{
	if (strcmp(kind, "stream_feature_view") == 0)
		return DYN_REG_STREAM_VIEW;
	if (strcmp(kind, "label_view") == 0)
		return DYN_REG_LABEL_VIEW;
	return strcmp(kind, "on_demand_feature_view") == 0 ? DYN_REG_ON_DEMAND_VIEW : DYN_REG_FEATURE_VIEW;
}

/* The keys, of which an entityless view has none. */
static void
check_keys(const DynRegView *view, json_object *want, const char *name)
{
	const char *first = golden_text(golden_at(want, "join_keys", 0), "name");

	if (strcmp(first, "__dummy_id") != 0)
	{
		ok(!view->entityless, "%s has entities", name);
		check_fields(&view->keys, want, "join_keys", name);
		return;
	}
	ok(view->entityless, "%s is entityless", name);
	is_int((int64_t) view->keys.n, 0, "%s has no keys", name);
}

static void
check_source(const DynRegSource *source, json_object *want, const char *name)
{
	is_string(source->name, golden_text(want, "name"), "%s: name of the source", name);
	is_int(source->postgres, strcmp(golden_text(want, "class"), "PostgreSQLSource") == 0, "%s: its class", name);
	is_string(source->timestamp_field, golden_text(want, "timestamp_field"), "%s: its timestamp", name);
	is_string(source->created_timestamp_column, golden_text(want, "created_timestamp_column"), "%s: its other", name);
	is_string(source->table, text_or_empty(want, "configuration.table"), "%s: its table", name);
	is_string(source->query, text_or_empty(want, "configuration.query"), "%s: its query", name);
	check_pairs(&source->field_mapping, golden_get(want, "field_mapping"), name);
}

/* Request data, in the order of its source. */
static void
check_request(const DynRegFields *got, json_object *source, const char *name)
{
	is_int((int64_t) got->n, (int64_t) golden_count(source, "request"), "%s: request data", name);
	for (size_t i = 0; i < got->n && i < golden_count(source, "request"); i++)
		is_string(got->field[i].name, golden_text(golden_at(source, "request", i), "name"), "%s: field %zu", name, i);
}

/* Request data and inputs: here, no on-demand view has more than one of each. */
static void
check_transformation(const DynRegTransformation *got, json_object *want, const char *name)
{
	json_object *sources = golden_get(want, "sources");
	size_t		views = 0;

	ok(got->present && !got->substrait, "%s has a function", name);
	is_string(got->name, golden_text(want, "function"), "%s: its function", name);
	is_string(got->mode, golden_text(want, "mode"), "%s: its mode", name);
	is_string(got->text, golden_text(want, "source_text"), "%s: its text", name);
	is_int(got->singleton, json_object_get_boolean(golden_get(want, "singleton")), "%s: singleton", name);
	json_object_object_foreach(sources, key, source)
	{
		if (golden_get(source, "request"))
			check_request(&got->request, source, name);
		else if (views < got->inputs.n)
		{
			is_string(got->inputs.projection[views].view, golden_text(source, "view"), "%s: its input", name);
			check_names(&got->inputs.projection[views].features, source, "features", name);
			views++;
		}
	}
	is_int((int64_t) got->inputs.n, (int64_t) views, "%s: number of inputs", name);
}

static void
check_view(const DynRegistry *registry, json_object *want, const char *where)
{
	const char *name = golden_text(want, "name");
	const char *project = golden_text(want, "project");
	const DynRegView *view = dyn_registry_view(registry, project, name);
	bool		on_demand;

	if (!ok(view != NULL, "%s.%s is found", project, name))
		return;
	on_demand = view->kind == DYN_REG_ON_DEMAND_VIEW;
	is_string(view->name, name, "%s: its name", name);
	is_string(view->project, project, "%s: its project", name);
	is_int(view->kind, kind_of(golden_text(want, "kind")), "%s: its kind", name);
	check_keys(view, want, name);
	check_fields(&view->features, want, "features", name);
	is_string(view->description, golden_text(want, "description"), "%s: its description", name);
	is_string(view->owner, golden_text(want, "owner"), "%s: its owner", name);
	check_pairs(&view->tags, golden_get(want, "tags"), name);
	is_int(view->disabled, !json_object_get_boolean(golden_get(want, "enabled")), "%s: disabled", name);
	ok(view->ttl_seconds == json_object_get_double(golden_get(want, "ttl_seconds")), "%s: its ttl", name);
	is_int(view->online, json_object_get_boolean(golden_get(want, on_demand ? "write_to_online_store" : "online")),
		   "%s: online", name);
	is_int(view->version, golden_int(golden_get(want, where), "current_version_number"), "%s: its version", name);
	is_int(view->has_source, golden_get(want, "source") != NULL, "%s: has a source", name);
	if (view->has_source)
		check_source(&view->source, golden_get(want, "source"), name);
	if (on_demand)
		check_transformation(&view->transformation, want, name);
}

static const DynRegService *
find_service(const DynRegistry *registry, const char *project, const char *name)
{
	for (size_t i = 0; i < registry->nservices; i++)
		if (strcmp(registry->services[i].project, project) == 0 && strcmp(registry->services[i].name, name) == 0)
			return &registry->services[i];
	return NULL;
}

static void
check_projection(const DynRegProjection *got, json_object *want, const char *name)
{
	json_object *version = golden_get(want, "version");

	is_string(got->view, golden_text(want, "view"), "%s: a view", name);
	is_string(got->alias, text_or_empty(want, "alias"), "%s: its alias", name);
	is_int(got->version, version ? json_object_get_int(version) : -1, "%s: its version", name);
	check_names(&got->features, want, "features", name);
	check_pairs(&got->join_key_map, golden_get(want, "join_key_map"), name);
}

static void
check_service(const DynRegistry *registry, json_object *want)
{
	const char *name = golden_text(want, "name");
	const DynRegService *service = find_service(registry, golden_text(want, "project"), name);

	if (!ok(service != NULL, "service %s is there", name))
		return;
	is_string(service->description, golden_text(want, "description"), "%s: its description", name);
	is_string(service->owner, golden_text(want, "owner"), "%s: its owner", name);
	is_int(service->precompute_online, json_object_get_boolean(golden_get(want, "precompute_online")),
		   "%s: precomputed", name);
	check_pairs(&service->tags, golden_get(want, "tags"), name);
	is_int((int64_t) service->projections.n, (int64_t) golden_count(want, "projections"), "%s: its views", name);
	for (size_t i = 0; i < service->projections.n; i++)
		check_projection(&service->projections.projection[i], golden_at(want, "projections", i), name);
}

/* All that the golden files say of the registry with two projects. */
static void
check_registry(const DynRegistry *registry, const char *where)
{
	json_object *views = golden_json("registry2/views.json");
	json_object *services = golden_json("registry2/services.json");

	diag("%s", where);
	is_int((int64_t) registry->nprojects, 2, "projects");
	is_string(registry->projects[0], "parcels", "the first");
	is_string(registry->projects[1], "parcels_lab", "the second");
	is_int((int64_t) registry->nviews, (int64_t) json_object_array_length(views), "number of views");
	for (size_t i = 0; i < json_object_array_length(views); i++)
		check_view(registry, json_object_array_get_idx(views, i), where);
	is_int((int64_t) registry->nservices, (int64_t) json_object_array_length(services), "number of services");
	for (size_t i = 0; i < json_object_array_length(services); i++)
		check_service(registry, json_object_array_get_idx(services, i));
	json_object_put(views);
	json_object_put(services);
}

/* The view that has several versions, and what cannot be found. */
static void
check_lookups(const DynRegistry *registry, int current)
{
	static const int64_t features[] = {2, 3, 4};	/* of parcel_stats, by version */

	for (int version = 0; version <= current; version++)
	{
		const DynRegView *view = dyn_registry_view_version(registry, "parcels", "parcel_stats", version);

		if (ok(view != NULL, "parcel_stats had version %d", version))
		{
			is_int(view->version, version, "and says so");
			is_int((int64_t) view->features.n, features[version], "it had these features");
		}
	}
	ok(dyn_registry_view_version(registry, "parcels", "parcel_stats", 9) == NULL, "it had no version 9");
	ok(dyn_registry_view_version(registry, "parcels", "nothing", 0) == NULL, "no version of what is not there");
	ok(dyn_registry_view(registry, "parcels", "Parcel_stats") == NULL, "names are exact");
	ok(dyn_registry_view(registry, "parcels", "shelf") == NULL, "a view of another project is not found");
	ok(dyn_registry_view(registry, "parcel", "parcel_stats") == NULL, "nor one in a project that is not there");
	ok(dyn_registry_view(registry, "parcels_lab", "parcel_stats") != dyn_registry_view(registry, "parcels", "parcel_stats"),
	   "each project has its own");
}

/* The oldest data: one project, and a service. */
static void
check_small(void)
{
	DynRegistry *registry = read_file("registry/registry.db");

	is_int((int64_t) registry->nprojects, 1, "it has a project");
	is_int((int64_t) registry->nviews, 7, "views");
	is_int((int64_t) registry->nservices, 2, "and services");
	dyn_registry_free(registry);
}

int
main(void)
{
	DynRegistry *registry = read_file("registry2/registry.db");

	check_registry(registry, "in_file_registry");
	check_lookups(registry, 2);
	dyn_registry_free(registry);
	registry = read_sql("registry2/sql_registry.sql");
	check_registry(registry, "in_sql_registry");
	check_lookups(registry, 2);
	dyn_registry_free(registry);
	check_small();
	return done_testing();
}
