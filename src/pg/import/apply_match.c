/*
 * apply_match.c
 *	  Which foreign table goes with which view of the registry.
 *
 * A table goes with the view whose items it has, whatever its SQL name.  Where
 * the view has another version now, it is the table that had the one before.
 */
#include "pg/util/export.h"

#include "pg/import/apply_match.h"
#include "pg/table/option.h"

List *
dyn_match_candidates(const DynSchemaTables *tables, const ForeignServer *server, const char *project)
{
	List	   *candidates = NIL;
	ListCell   *lc;

	foreach(lc, dyn_schema_tables_list(tables))
	{
		const DynSchemaTable *table = lfirst(lc);
		const char *of = dyn_option_text("project", GetForeignTable(table->relid)->options, server->options);

		if (table->managed && of && strcmp(of, project) == 0)
			candidates = lappend(candidates, (void *) table);
	}
	return candidates;
}

/* Those at a version that a service names are called "view@v1"; no view is. */
static bool
is_pinned(const DynSchemaTable *table)
{
	return strchr(table->relation->name, '@') != NULL;
}

/* The number in "view_v12", 0 for "view" itself, -1: no name of the view. */
static int
version_in_name(const char *feature_view, const char *view)
{
	size_t		len = strlen(view);

	if (strncmp(feature_view, view, len) != 0)
		return -1;
	feature_view += len;
	if (*feature_view == '\0')
		return 0;
	if (strncmp(feature_view, "_v", 2) != 0 || feature_view[2] < '1' || feature_view[2] > '9' ||
		strlen(feature_view) > 2 + 9 || feature_view[2 + strspn(feature_view + 2, "0123456789")] != '\0')
		return -1;
	return atoi(feature_view + 2);
}

/* ---- matching ---- */

/* Does a table go with a definition? */
typedef bool (*Rule) (const DynTableDefinition *definition, const DynSchemaTable *table);

static bool
is_same(const DynTableDefinition *definition, const DynSchemaTable *table)
{
	return definition->pinned == is_pinned(table) && strcmp(table->relation->feature_view, definition->feature_view) == 0;
}

/* The same view at another version, by the same SQL name. */
static bool
is_other_version(const DynTableDefinition *definition, const DynSchemaTable *table)
{
	return !definition->pinned && strcmp(table->relation->name, definition->sql_name) == 0 &&
		version_in_name(table->relation->feature_view, dyn_registry_text(definition->view->name)) >= 0;
}

/* The same, of a table that was renamed. */
static bool
is_renamed_version(const DynTableDefinition *definition, const DynSchemaTable *table)
{
	return !definition->pinned && !is_pinned(table) &&
		version_in_name(table->relation->feature_view, dyn_registry_text(definition->view->name)) >= 0;
}

/* A pinned one that was renamed. */
static bool
has_same_items(const DynTableDefinition *definition, const DynSchemaTable *table)
{
	return strcmp(table->relation->feature_view, definition->feature_view) == 0;
}

/* Gives each match that has no table yet the first candidate that the rule allows; *matched: those that are given. */
static void
match_by(Rule rule, List *matches, List *candidates, List **matched)
{
	ListCell   *lc;
	ListCell   *of;

	foreach(lc, matches)
	{
		DynMatch   *match = lfirst(lc);

		foreach(of, candidates)
		{
			if (match->table != NULL)
				break;
			if (!rule(match->definition, lfirst(of)) || list_member_ptr(*matched, lfirst(of)))
				continue;
			match->table = lfirst(of);
			match->ours = true;
			*matched = lappend(*matched, lfirst(of));
		}
	}
}

/* Tables of users, over the same items, do as well as ours. */
static void
match_others(List *matches, const DynSchemaTables *tables, List **matched)
{
	ListCell   *lc;

	foreach(lc, matches)
	{
		DynMatch   *match = lfirst(lc);
		const DynSchemaTable *table = match->table ? NULL :
			dyn_schema_tables_find(tables, match->definition->view, match->definition->version);

		if (table == NULL || list_member_ptr(*matched, table))
			continue;
		match->table = table;
		*matched = lappend(*matched, (void *) table);
	}
}

List *
dyn_match_tables(List *definitions, const DynSchemaTables *tables, List *candidates, const DynImportOptions *options)
{
	List	   *matches = NIL;
	List	   *matched = NIL;
	ListCell   *lc;

	foreach(lc, definitions)
	{
		DynMatch   *match = palloc0(sizeof(DynMatch));

		match->definition = lfirst(lc);
		matches = lappend(matches, match);
	}
	match_by(is_same, matches, candidates, &matched);
	match_by(is_other_version, matches, candidates, &matched);
	if (options->versioning)
		match_by(is_renamed_version, matches, candidates, &matched);
	match_by(has_same_items, matches, candidates, &matched);
	match_others(matches, tables, &matched);
	return matches;
}

/* ---- tables without a view ---- */

/* The view of the registry that the table was made for; NULL: it left. */
static const DynRegView *
view_of(const DynSchemaTable *table, const DynRegistry *registry, const char *project, const DynImportOptions *options)
{
	const char *feature_view = table->relation->feature_view;

	for (size_t i = 0; i < registry->nviews; i++)
	{
		const DynRegView *view = &registry->views[i];
		int			version;

		if (strcmp(view->project, project) != 0)
			continue;
		version = version_in_name(feature_view, dyn_registry_text(view->name));
		if (version == 0 || (version > 0 && (options->versioning || is_pinned(table)) &&
							 (version == view->version ||
							  dyn_registry_view_version(registry, project, view->name, version) != NULL)))
			return view;
	}
	return NULL;
}

const char *
dyn_match_reason(const DynSchemaTable *table, const DynRegistry *registry, const char *project,
				 const DynImportOptions *options, bool *left)
{
	const DynRegView *view = view_of(table, registry, project, options);

	*left = view == NULL;
	if (view == NULL)
		return "It left the registry";
	if (!view->online)
		return "Its feature view is not online";
	if (view->disabled && !options->disabled)
		return "Its feature view is disabled";
	if (is_pinned(table))
		return "No feature service names this version any more";
	return "Its feature view has no use for it";
}
