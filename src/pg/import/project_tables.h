/*
 * project_tables.h
 *	  Which foreign tables a project of the registry has.
 */
#ifndef DYN_PROJECT_TABLES_H
#define DYN_PROJECT_TABLES_H

#include "pg/import/definition.h"

/* Is a foreign table of this SQL name asked for? */
typedef bool (*DynTableFilter) (const char *sql_name, void *arg);

/*
 * DynTableDefinitions of a project (the registry's own text): its views that
 * have a table, then those at the versions that its services name, as "view@v1".
 * Names do not depend on the order of the registry.  Tells in NOTICEs what is
 * left out; `filter` may be NULL.
 */
extern List *dyn_project_tables(const DynRegistry *registry, const char *project, const ForeignServer *server,
								const DynImportOptions *options, DynTableFilter filter, void *arg);

/* The version by which a projection's table is named: that of its tag, else the view's own; 0: none. */
extern int	dyn_projection_version(const DynRegProjection *projection, const DynRegView *view,
								   const DynImportOptions *options);

#endif							/* DYN_PROJECT_TABLES_H */
