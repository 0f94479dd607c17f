/*
 * import_option.c
 *	  Options of IMPORT FOREIGN SCHEMA.
 */
#include "pg/util/export.h"

#include "commands/defrem.h"
#include "nodes/parsenodes.h"

#include "pg/import/import_option.h"
#include "pg/table/option.h"

/* Where each option goes; all are Booleans. */
typedef struct ImportOption
{
	const char *name;
	size_t		offset;
} ImportOption;

static const ImportOption import_option_defs[] = {
	{"import_disabled", offsetof(DynImportOptions, disabled)},
	{"import_comments", offsetof(DynImportOptions, comments)},
	{"import_services", offsetof(DynImportOptions, services)},
	{"import_ttl", offsetof(DynImportOptions, ttl)},
	{"create_remote_table", offsetof(DynImportOptions, create_remote_table)},
	{"full_feature_names", offsetof(DynImportOptions, full_feature_names)},
	{"include_event_timestamps", offsetof(DynImportOptions, include_event_timestamps)},
};

DynImportOptions
dyn_import_defaults(const ForeignServer *server)
{
	DynImportOptions options = {.comments = true, .services = true};

	options.full_feature_names = dyn_option_bool("full_feature_names", server->options, NIL);
	options.include_event_timestamps = dyn_option_bool("include_event_timestamps", server->options, NIL);
	options.versioning = dyn_option_bool("enable_online_feature_view_versioning", server->options, NIL);
	return options;
}

/* Raises that there is no such option. */
static void
refuse_import_option(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("invalid option \"%s\"", name),
			 errhint("Valid options of IMPORT FOREIGN SCHEMA are: import_disabled, import_comments, import_services, import_ttl, create_remote_table, full_feature_names, include_event_timestamps.")));
}

DynImportOptions
dyn_import_options(const ForeignServer *server, List *options)
{
	DynImportOptions result = dyn_import_defaults(server);
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *elem = lfirst_node(DefElem, lc);
		const ImportOption *def = NULL;

		for (size_t i = 0; i < lengthof(import_option_defs); i++)
			if (strcmp(import_option_defs[i].name, elem->defname) == 0)
				def = &import_option_defs[i];
		if (def == NULL)
			refuse_import_option(elem->defname);
		*(bool *) ((char *) &result + def->offset) = defGetBoolean(elem);
	}
	return result;
}
