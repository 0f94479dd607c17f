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
	char	   *text = dyn_registry_text(shape->service->description);
	char	   *comment = GetComment(function, ProcedureRelationId, 0);

	if (!world->options->comments || *text == '\0' || (comment && strcmp(comment, text) == 0))
		return;
	CreateComments(function, ProcedureRelationId, 0, text);
	dyn_action_add(actions, "comment", shape->name, comment ? "replace" : "create", "on the function");
}

/* Makes or replaces the function of a service. */
static void
install_service(const DynServiceWorld *world, const DynServiceShape *shape, const char *name, List *dropped,
				DynActions *actions)
{
	char	   *schema = get_namespace_name(world->schema);
	Oid			function;

	switch (dyn_function_install(world->schema, name,
								 dyn_service_function_sql(shape, quote_qualified_identifier(schema, name)), dropped,
								 &function))
	{
		case DYN_INSTALLED_NOT:
			ereport(NOTICE,
					(errmsg("feature service \"%s\" has no function", shape->name),
					 errdetail("Schema \"%s\" has a function \"%s\" that was not made for it.", schema, name)));
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
notice_left_out(const StringInfo names, const StringInfo reasons)
{
	if (names->len > 0)
		ereport(NOTICE,
				(errmsg("feature services without a function: %s", names->data),
				 errdetail("%s", reasons->data)));
}

void
dyn_services_install(const DynServiceWorld *world, List *dropped, DynActions *actions, List **names)
{
	const DynRegistry *registry = world->registry;
	const DynRegService **services = palloc(sizeof(DynRegService *) * (registry->nservices + 1));
	DynSqlNames *taken = dyn_sql_names_new();
	StringInfoData left_out;
	StringInfoData reasons;
	size_t		n = 0;

	initStringInfo(&left_out);
	initStringInfo(&reasons);

	for (size_t i = 0; i < registry->nservices; i++)
		if (strcmp(registry->services[i].project, world->project) == 0)
			services[n++] = &registry->services[i];
	qsort(services, n, sizeof(DynRegService *), compare_services);
	for (size_t i = 0; i < n; i++)
	{
		char	   *name = dyn_sql_names_take(taken, dyn_registry_text(services[i]->name));
		char	   *why;
		DynServiceShape *shape = dyn_service_resolve(world, services[i], &why);

		if (shape && names)
			*names = lappend(*names, makeString(name));
		if (shape)
			install_service(world, shape, name, dropped, actions);
		else
		{
			appendStringInfo(&left_out, "%s\"%s\"", left_out.len > 0 ? ", " : "", dyn_registry_text(services[i]->name));
			appendStringInfo(&reasons, "%s\"%s\": %s.", reasons.len > 0 ? "\n" : "", dyn_registry_text(services[i]->name),
							 why);
		}
	}
	notice_left_out(&left_out, &reasons);
}
