/*
 * registry.c
 *	  Feast's registry: its objects, one by one.
 */
#include "core/registry.h"

#include <stdlib.h>
#include <string.h>

#include "core/registry_private.h"

typedef struct ProjectName
{
	const char *name;
} ProjectName;

static const DynRegMember project_spec_members[] = {TEXT_AT(1, ProjectName, name, "its name")};
static const DynRegMessage project_spec_message = {DYN_REG_MEMBERS(project_spec_members)};
static const DynRegMember project_members[] = {MESSAGE_HERE(1, &project_spec_message)};
static const DynRegMessage project_message = {DYN_REG_MEMBERS(project_members)};

DynRegistry *
dyn_registry_new(void)
{
	DynRegistry *registry = calloc(1, sizeof(*registry));

	if (registry == NULL)
		return NULL;
	registry->arena = calloc(1, sizeof(*registry->arena));
	if (registry->arena)
		return registry;
	free(registry);
	return NULL;
}

void
dyn_registry_free(DynRegistry *registry)
{
	if (registry == NULL)
		return;
	dyn_arena_free(registry->arena);
	free(registry->arena);
	free(registry);
}

const char *
dyn_reg_kind_name(DynRegKind kind)
{
	static const char *const names[] = {
		[DYN_REG_FEATURE_VIEW] = "feature view", [DYN_REG_STREAM_VIEW] = "stream feature view",
		[DYN_REG_LABEL_VIEW] = "label view", [DYN_REG_ON_DEMAND_VIEW] = "on-demand feature view"
	};

	return names[kind];
}

/* ---- adding objects ---- */

/* An array with room for one more element; NULL: status set. */
static void *
more_room(DynRegReader *reader, void *array, size_t n, size_t *cap, size_t size)
{
	void	   *bigger;

	if (n < *cap)
		return array;
	bigger = dyn_arena_grow(reader->arena, array, cap, n + 1, size);
	if (bigger == NULL)
		dyn_status_no_memory(reader->status);
	return bigger;
}

/* Notes a project; dyn_registry_finish() makes them distinct, here only neighbours are. */
static bool
add_project(DynRegistry *registry, DynRegReader *reader, const char *project)
{
	const char **projects;

	if (registry->nprojects > 0 && strcmp(registry->projects[registry->nprojects - 1], project) == 0)
		return true;
	projects = more_room(reader, registry->projects, registry->nprojects, &registry->cap_projects, sizeof(*projects));
	if (projects == NULL)
		return false;
	registry->projects = projects;
	projects[registry->nprojects++] = project;
	return true;
}

/* Name and project of an object that was read, where others than its bytes say them; none may be empty. */
static bool
settle_names(DynRegistry *registry, DynRegReader *reader, const DynRegBlob *object, const char **name,
			 const char **project)
{
	if (object->name)
		*name = object->name;
	if (object->project)
		*project = object->project;
	if ((*name)[0] == '\0')
		return dyn_reg_fail(reader, "its name is empty");
	if ((*project)[0] == '\0')
		return dyn_reg_fail(reader, "its project is empty");
	return add_project(registry, reader, *project);
}

DynRegKind
dyn_reg_object_kind(DynRegObject type)
{
	switch (type)
	{
		case DYN_REG_OBJECT_STREAM_VIEW:
			return DYN_REG_STREAM_VIEW;
		case DYN_REG_OBJECT_LABEL_VIEW:
			return DYN_REG_LABEL_VIEW;
		case DYN_REG_OBJECT_ON_DEMAND_VIEW:
			return DYN_REG_ON_DEMAND_VIEW;
		default:
			return DYN_REG_FEATURE_VIEW;
	}
}

bool
dyn_registry_history_object(const char *type, DynRegObject *object)
{
	static const struct
	{
		const char *type;
		DynRegObject object;
	}			types[] = {
		{"feature_view", DYN_REG_OBJECT_FEATURE_VIEW}, {"stream_feature_view", DYN_REG_OBJECT_STREAM_VIEW},
		{"label_view", DYN_REG_OBJECT_LABEL_VIEW}, {"on_demand_feature_view", DYN_REG_OBJECT_ON_DEMAND_VIEW}
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
	{
		*object = types[i].object;
		if (strcmp(types[i].type, type) == 0)
			return true;
	}
	return false;
}

static bool
add_view(DynRegistry *registry, DynRegReader *reader, const DynRegBlob *object)
{
	bool		old = object->version >= 0;
	DynRegView **views = old ? &registry->history : &registry->views;
	size_t	   *n = old ? &registry->nhistory : &registry->nviews;
	DynRegView	view;
	DynRegView *array;

	if (!dyn_reg_read_view(reader, dyn_reg_object_kind(object->type), object->data, object->len, &view) ||
		!settle_names(registry, reader, object, &view.name, &view.project))
		return false;
	if (old)
		view.version = object->version;
	array = more_room(reader, *views, *n, old ? &registry->cap_history : &registry->cap_views, sizeof(view));
	if (array == NULL)
		return false;
	*views = array;
	array[(*n)++] = view;
	return true;
}

static bool
add_service(DynRegistry *registry, DynRegReader *reader, const DynRegBlob *object)
{
	DynRegService service;
	DynRegService *array;

	if (!dyn_reg_read_service(reader, object->data, object->len, &service) ||
		!settle_names(registry, reader, object, &service.name, &service.project))
		return false;
	array = more_room(reader, registry->services, registry->nservices, &registry->cap_services, sizeof(service));
	if (array == NULL)
		return false;
	registry->services = array;
	array[registry->nservices++] = service;
	return true;
}

/* A project's own bytes are of interest only where they alone say its name. */
static bool
add_listed_project(DynRegistry *registry, DynRegReader *reader, const DynRegBlob *object)
{
	ProjectName project = {.name = object->project ? object->project : ""};

	if (object->project == NULL && !dyn_reg_read(reader, object->data, object->len, &project_message, &project))
		return false;
	if (project.name[0] == '\0')
		return dyn_reg_fail(reader, "its name is empty");
	return add_project(registry, reader, project.name);
}

bool
dyn_reg_add_object(DynRegistry *registry, DynRegReader *reader, const DynRegBlob *object)
{
	switch (object->type)
	{
		case DYN_REG_OBJECT_PROJECT:
			return add_listed_project(registry, reader, object);
		case DYN_REG_OBJECT_SERVICE:
			return add_service(registry, reader, object);
		default:
			return add_view(registry, reader, object);
	}
}

bool
dyn_registry_add(DynRegistry *registry, DynRegObject object, const char *project, int version, const void *data,
				 size_t len, DynStatus *status)
{
	DynRegReader reader = {.arena = registry->arena, .status = status};
	DynRegBlob	added = {.type = object, .data = data, .len = len, .version = version};

	registry->views_by_name = registry->history_by_name = NULL;
	/* rows of one project mostly follow each other */
	if (registry->nprojects > 0 && strcmp(registry->projects[registry->nprojects - 1], project) == 0)
		added.project = registry->projects[registry->nprojects - 1];
	else if (!dyn_reg_text(&reader, project, strlen(project), "its project", &added.project))
		return false;
	return dyn_reg_add_object(registry, &reader, &added);
}
