/*
 * project_tables.c
 *	  Which foreign tables a project of the registry has.
 */
#include "pg/util/export.h"

#include "pg/import/project_tables.h"
#include "pg/import/sql_name.h"

/* As many as DynamoDB lets an account have in a region.  A file of a few megabytes can name a million. */
#define MAX_TABLES 10000

/* What is looked for tables in. */
typedef struct Search
{
	const DynRegistry *registry;
	const char *project;
	const ForeignServer *server;
	const DynImportOptions *options;
	DynTableFilter filter;
	void	   *arg;
	DynSqlNames *names;
	List	   *found;
} Search;

/* qsort comparator: kinds have their names in common, so the name decides. */
static int
compare_view_names(const void *a, const void *b)
{
	return strcmp((*(const DynRegView *const *) a)->name, (*(const DynRegView *const *) b)->name);
}

/* The views of the project, by name; their number is in *n. */
static const DynRegView **
sorted_views(const Search *search, size_t *n)
{
	const DynRegView **views = palloc(sizeof(DynRegView *) * (search->registry->nviews + 1));

	*n = 0;
	for (size_t i = 0; i < search->registry->nviews; i++)
		if (strcmp(search->registry->views[i].project, search->project) == 0)
			views[(*n)++] = &search->registry->views[i];
	qsort(views, *n, sizeof(DynRegView *), compare_view_names);
	return views;
}

static void
add_table(Search *search, const DynRegView *view, int version, const char *sql_name, bool pinned)
{
	DynTableDefinition *table = dyn_definition_new(view, version, sql_name, search->server, search->options);

	if (table == NULL)
		return;
	if (list_length(search->found) >= MAX_TABLES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("project \"%s\" has more than %d feature views", dyn_registry_text(search->project), MAX_TABLES),
				 errhint("IMPORT FOREIGN SCHEMA ... LIMIT TO takes some of them.")));
	table->pinned = pinned;
	search->found = lappend(search->found, table);
}

/* The table of a view as it is now, if Feast would serve it. */
static void
consider_view(Search *search, const DynRegView *view)
{
	char	   *name = dyn_registry_text(view->name);
	char	   *sql_name;

	/* computed when it is asked for: there is no table */
	if (view->kind == DYN_REG_ON_DEMAND_VIEW && !view->online)
		return;
	sql_name = dyn_sql_names_take(search->names, name);
	if (search->filter && !search->filter(sql_name, search->arg))
		return;
	if (!view->online)
		ereport(NOTICE,
				(errmsg("%s \"%s\" is left out", dyn_reg_kind_name(view->kind), name),
				 errdetail("It is not online, and so has no DynamoDB table.")));
	else if (view->disabled && !search->options->disabled)
		ereport(NOTICE,
				(errmsg("%s \"%s\" is left out", dyn_reg_kind_name(view->kind), name),
				 errdetail("It is disabled in Feast."),
				 errhint("The option import_disabled 'true' takes it along.")));
	else
		add_table(search, view, search->options->versioning ? view->version : 0, sql_name, false);
}

int
dyn_projection_version(const DynRegProjection *projection, const DynRegView *view, const DynImportOptions *options)
{
	if (!options->versioning)
		return 0;
	return projection->version >= 0 ? projection->version : view->version;
}

/* The table of a view at the version that a service names, if that is another than its own. */
static void
consider_projection(Search *search, const DynRegProjection *projection)
{
	const DynRegView *view = dyn_registry_view(search->registry, search->project, projection->view);
	const DynRegView *then;
	int			version;
	char	   *sql_name;

	if (view == NULL || !view->online || (view->disabled && !search->options->disabled))
		return;
	version = dyn_projection_version(projection, view, search->options);
	if (version == (search->options->versioning ? view->version : 0))
		return;
	then = dyn_registry_view_version(search->registry, search->project, projection->view, version);
	/* no view's name has an "@", so the name is free, or this table's already */
	sql_name = psprintf("%s@v%d", dyn_registry_text(view->name), version);
	if (then == NULL || dyn_sql_names_has(search->names, dyn_sql_name_clip(sql_name, NAMEDATALEN - 1)))
		return;
	sql_name = dyn_sql_names_take(search->names, sql_name);
	if (search->filter == NULL || search->filter(sql_name, search->arg))
		add_table(search, then, version, sql_name, true);
}

List *
dyn_project_tables(const DynRegistry *registry, const char *project, const ForeignServer *server,
				   const DynImportOptions *options, DynTableFilter filter, void *arg)
{
	Search		search = {registry, project, server, options, filter, arg, dyn_sql_names_new(), NIL};
	size_t		n;
	const DynRegView **views = sorted_views(&search, &n);

	for (size_t i = 0; i < n; i++)
		consider_view(&search, views[i]);
	for (size_t i = 0; i < registry->nservices; i++)
	{
		const DynRegService *service = &registry->services[i];

		for (size_t j = 0; j < service->projections.n && strcmp(service->project, project) == 0; j++)
			consider_projection(&search, &service->projections.projection[j]);
	}
	return search.found;
}
