/*
 * definition.h
 *	  The foreign table that a feature view of the registry is imported as.
 */
#ifndef DYN_DEFINITION_H
#define DYN_DEFINITION_H

#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "core/registry.h"
#include "pg/import/import_option.h"
#include "pg/table/column.h"

/* All texts are in the database's encoding, but for descriptions, which it may not have all letters of. */
typedef struct DynColumnDefinition
{
	char	   *sql_name;
	char	   *name;			/* join key or feature */
	char	   *type;			/* as SQL writes it */
	DynColumnRole role;
	DynFeastType feast_type;
	List	   *options;		/* DefElems */
	const char *description;	/* the registry's own text; "": none */
} DynColumnDefinition;

typedef struct DynTableDefinition
{
	const DynRegView *view;
	int			version;		/* whose table it is; 0: none */
	bool		pinned;			/* a service names the version */
	char	   *sql_name;
	char	   *feature_view;	/* Feast's name, with "_v2" where a version has a table of its own */
	List	   *columns;		/* of DynColumnDefinition: keys, event time, features */
	List	   *options;		/* DefElems */
	const char *description;	/* the registry's own text; "": none */
} DynTableDefinition;

/*
 * Definition of the table of a view at a version (0: none).  Tells in a WARNING
 * which columns are left out.  NULL, and a WARNING: the view can't be a table here.
 */
extern DynTableDefinition *dyn_definition_new(const DynRegView *view, int version, const char *sql_name,
											  const ForeignServer *server, const DynImportOptions *options);

/* "parcel_stats_v2": what stands for {table_name}, of a view at a version. */
extern char *dyn_versioned_name(const DynRegView *view, int version);

/* The statement that makes it; `schema` NULL: IMPORT knows where. */
extern char *dyn_definition_create_sql(const DynTableDefinition *table, const char *schema, const char *server);

/* "name text OPTIONS (...) NOT NULL": for CREATE and ADD COLUMN. */
extern void dyn_definition_append_column(StringInfo sql, const DynColumnDefinition *column);

/* A type as statements of ours write it: with its schema. */
extern char *dyn_type_text(Oid type, int32 typmod);

/* A text of the registry in the database's encoding; raises where it has no place there. */
extern char *dyn_registry_text(const char *utf8);

#endif							/* DYN_DEFINITION_H */
