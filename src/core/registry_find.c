/*
 * registry_find.c
 *	  Finding views of the registry by name.
 */
#include <stdlib.h>
#include <string.h>

#include "core/registry_private.h"

/* By project, then name. */
static int
compare_view_to(const DynRegView *view, const char *project, const char *name)
{
	int			c = strcmp(view->project, project);

	return c != 0 ? c : strcmp(view->name, name);
}

/* For qsort(), of pointers into one array: by name, and of one name by version and place. */
static int
compare_records(const void *a, const void *b)
{
	const DynRegView *x = *(const DynRegView *const *) a;
	const DynRegView *y = *(const DynRegView *const *) b;
	int			c = compare_view_to(x, y->project, y->name);

	if (c == 0)
		c = (x->version > y->version) - (x->version < y->version);
	return c != 0 ? c : (x > y) - (x < y);
}

/* The same without the version. */
static int
compare_views(const void *a, const void *b)
{
	const DynRegView *x = *(const DynRegView *const *) a;
	const DynRegView *y = *(const DynRegView *const *) b;
	int			c = compare_view_to(x, y->project, y->name);

	return c != 0 ? c : (x > y) - (x < y);
}

/* Pointers to an array's views, in order; NULL: status set. */
static const DynRegView **
order_views(DynRegReader *reader, const DynRegView *views, size_t n, int (*compare) (const void *, const void *))
{
	const DynRegView **order = dyn_reg_alloc(reader, n * sizeof(*order));

	if (order == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
		order[i] = &views[i];
	if (n > 1)
		qsort(order, n, sizeof(*order), compare);
	return order;
}

/* For qsort() */
static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Sorts the projects; each stays once. */
static void
finish_projects(DynRegistry *registry)
{
	size_t		kept = 0;

	if (registry->nprojects > 1)
		qsort(registry->projects, registry->nprojects, sizeof(*registry->projects), compare_texts);
	for (size_t i = 0; i < registry->nprojects; i++)
		if (kept == 0 || strcmp(registry->projects[kept - 1], registry->projects[i]) != 0)
			registry->projects[kept++] = registry->projects[i];
	registry->nprojects = kept;
}

bool
dyn_registry_finish(DynRegistry *registry, DynStatus *status)
{
	DynRegReader reader = {.arena = registry->arena, .status = status};

	finish_projects(registry);
	registry->views_by_name = order_views(&reader, registry->views, registry->nviews, compare_views);
	if (registry->views_by_name == NULL)
		return false;
	registry->history_by_name = order_views(&reader, registry->history, registry->nhistory, compare_records);
	return registry->history_by_name != NULL;
}

/* The first of sorted views that has this name, and `version` at least; NULL: none. */
static const DynRegView *
find_view(const DynRegView *const *order, size_t n, const char *project, const char *name, int version)
{
	size_t		low = 0;
	size_t		high = order ? n : 0;

	n = high;
	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;
		int			c = compare_view_to(order[middle], project, name);

		if (c < 0 || (c == 0 && order[middle]->version < version))
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && compare_view_to(order[low], project, name) == 0 ? order[low] : NULL;
}

const DynRegView *
dyn_registry_view(const DynRegistry *registry, const char *project, const char *name)
{
	return find_view(registry->views_by_name, registry->nviews, project, name, 0);
}

const DynRegView *
dyn_registry_view_version(const DynRegistry *registry, const char *project, const char *name, int version)
{
	const DynRegView *view = find_view(registry->history_by_name, registry->nhistory, project, name, version);

	if (view == NULL || view->version != version)
		view = dyn_registry_view(registry, project, name);
	return view && view->version == version ? view : NULL;
}
