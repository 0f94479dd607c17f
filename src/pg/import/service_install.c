/*
 * service_install.c
 *	  The functions of a project's feature services.
 */
#include "pg/util/export.h"

#include "catalog/pg_proc.h"
#include "commands/comment.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "pg/import/service_function.h"
#include "pg/import/service_install.h"
#include "pg/import/service_sql.h"

/* Gives the function the service's description as a comment, where it has one. */
static void
comment_service(const DynServiceWorld *world, const DynServiceShape *shape, Oid function, DynActions *actions)
{
	char	   *text;
	char	   *comment;

	if (!world->options->comments || *shape->service->description == '\0')
		return;
	text = dyn_registry_text(shape->service->description);
	comment = GetComment(function, ProcedureRelationId, 0);
	if (comment && strcmp(comment, text) == 0)
		return;
	CreateComments(function, ProcedureRelationId, 0, text);
	dyn_action_add(actions, "comment", shape->name, comment ? "replace" : "create", "on the function");
}

/* The services of a project being made. */
typedef struct Installation
{
	const DynServiceWorld *world;
	const ForeignServer *server;
	List	   *dropped;
	DynActions *actions;
	StringInfoData left_out;	/* names of services */
	StringInfoData reasons;
} Installation;

/* A service that has no function, or keeps one that is not up to date. */
static void
leave_out(Installation *installation, const char *service, const char *function, const char *why)
{
	StringInfo	names = &installation->left_out;
	StringInfo	reasons = &installation->reasons;

	if (installation->actions && OidIsValid(dyn_function_ours(installation->world->schema, function)))
	{
		dyn_action_add(installation->actions, "function", function, "none", why);
		return;
	}
	appendStringInfo(names, "%s\"%s\"", names->len > 0 ? ", " : "", service);
	appendStringInfo(reasons, "%s\"%s\": %s.", reasons->len > 0 ? "\n" : "", service, why);
}

/* The name is taken by a function that was not made for the service. */
static void
tell_taken(Installation *installation, const char *service, const char *name)
{
	if (installation->actions)
		dyn_action_add(installation->actions, "function", name, "none",
					   "Another function has this name, which was not made for its feature service");
	else
		leave_out(installation, service, name,
				  psprintf("Schema \"%s\" has a function \"%s\" that was not made for it",
						   get_namespace_name(installation->world->schema), name));
}

/* Is there a function of ours for a service of another project? */
static bool
is_of_another_project(const Installation *installation, const char *name)
{
	Oid			function = dyn_function_ours(installation->world->schema, name);

	return OidIsValid(function) &&
		!dyn_function_is_of(function, installation->server, dyn_registry_text(installation->world->project));
}

/* Makes or replaces the function of a service. */
static void
install_service(Installation *installation, const DynServiceShape *shape, const char *name)
{
	const DynServiceWorld *world = installation->world;
	DynActions *actions = installation->actions;
	char	   *qualified = quote_qualified_identifier(get_namespace_name(world->schema), name);
	Oid			function;
	char	   *why;

	switch (dyn_function_install(world->schema, name, dyn_service_function_sql(shape, qualified),
								 installation->dropped, &function, &why))
	{
		case DYN_INSTALLED_NOT:
			tell_taken(installation, shape->name, name);
			return;
		case DYN_INSTALLED_FAILED:
			leave_out(installation, shape->name, name, psprintf("It cannot be made: %s", why));
			return;
		case DYN_INSTALLED_NEW:
			dyn_action_add(actions, "function", name, "create", NULL);
			break;
		case DYN_INSTALLED_SAME:
			break;
		case DYN_INSTALLED_REPLACED:
			dyn_action_add(actions, "function", name, "replace", NULL);
			break;
		case DYN_INSTALLED_ANEW:
			dyn_action_add(actions, "function", name, "replace", "Its arguments or columns have changed");
			break;
	}
	comment_service(world, shape, function, actions);
}

/* qsort comparator */
static int
compare_services(const void *a, const void *b)
{
	return strcmp((*(const DynRegService *const *) a)->name, (*(const DynRegService *const *) b)->name);
}

/* Tells which services are left out, all at once. */
static void
notice_left_out(const Installation *installation)
{
	if (installation->left_out.len > 0)
		ereport(NOTICE,
				(errmsg("feature services without a function: %s", installation->left_out.data),
				 errdetail("%s", installation->reasons.data)));
}

/* The services of the project, by name; their number is in *n. */
static const DynRegService **
sorted_services(const DynServiceWorld *world, size_t *n)
{
	const DynRegistry *registry = world->registry;
	const DynRegService **services = palloc(sizeof(DynRegService *) * (registry->nservices + 1));

	*n = 0;
	for (size_t i = 0; i < registry->nservices; i++)
		if (strcmp(registry->services[i].project, world->project) == 0)
			services[(*n)++] = &registry->services[i];
	qsort(services, *n, sizeof(DynRegService *), compare_services);
	return services;
}

void
dyn_services_install(const DynServiceWorld *world, const ForeignServer *server, List *dropped, DynActions *actions,
					 List **names)
{
	Installation installation = {.world = world, .server = server, .dropped = dropped, .actions = actions};
	DynSqlNames *taken = dyn_sql_names_new();
	size_t		n;
	const DynRegService **services = sorted_services(world, &n);

	initStringInfo(&installation.left_out);
	initStringInfo(&installation.reasons);
	for (size_t i = 0; i < n; i++)
	{
		char	   *service = dyn_registry_text(services[i]->name);
		char	   *name = dyn_sql_names_take(taken, service);
		char	   *why;
		DynServiceShape *shape = dyn_service_resolve(world, services[i], &why);

		if (names)
			*names = lappend(*names, makeString(name));
		if (is_of_another_project(&installation, name))
			tell_taken(&installation, service, name);
		else if (shape)
			install_service(&installation, shape, name);
		else
			leave_out(&installation, service, name, why);
	}
	notice_left_out(&installation);
}
