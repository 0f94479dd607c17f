/*
 * import_option.h
 *	  What IMPORT FOREIGN SCHEMA and dynamo_fdw_apply are asked to do.
 */
#ifndef DYN_IMPORT_OPTION_H
#define DYN_IMPORT_OPTION_H

#include "foreign/foreign.h"

typedef struct DynImportOptions
{
	bool		disabled;		/* import_disabled: views that Feast does not serve, too */
	bool		comments;		/* import_comments: descriptions become comments */
	bool		services;		/* import_services: a function for each feature service */
	bool		ttl;			/* import_ttl: rows expire as the view says; Feast ignores that when it reads */
	bool		create_remote_table;
	bool		full_feature_names;
	bool		include_event_timestamps;
	bool		versioning;		/* enable_online_feature_view_versioning of the server */
} DynImportOptions;

/* Defaults, as the server's options have them. */
extern DynImportOptions dyn_import_defaults(const ForeignServer *server);

/* Those of IMPORT's OPTIONS; raises what is wrong. */
extern DynImportOptions dyn_import_options(const ForeignServer *server, List *options);

#endif							/* DYN_IMPORT_OPTION_H */
