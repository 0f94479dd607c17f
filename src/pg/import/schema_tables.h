/*
 * schema_tables.h
 *	  The foreign tables of a server in a schema, found by what they mean.
 */
#ifndef DYN_SCHEMA_TABLES_H
#define DYN_SCHEMA_TABLES_H

#include "foreign/foreign.h"

#include "pg/import/definition.h"
#include "pg/table/relation.h"

typedef struct DynSchemaTable
{
	Oid			relid;
	char	   *qualified;		/* its name, quoted, with the schema's */
	bool		managed;
	DynRelation *relation;		/* unchecked: a column may be bad */
} DynSchemaTable;

typedef struct DynSchemaTables DynSchemaTables;

/* All of them, as the catalogs are now. In the current memory context. */
extern DynSchemaTables *dyn_schema_tables_new(const ForeignServer *server, Oid schema);

/*
 * The table of a view at a version, whatever its SQL name: the managed one, if
 * there are several. NULL: none.
 */
extern const DynSchemaTable *dyn_schema_tables_find(const DynSchemaTables *tables, const DynRegView *view, int version);

/* The one of a SQL name; NULL: none. */
extern const DynSchemaTable *dyn_schema_tables_named(const DynSchemaTables *tables, const char *sql_name);

/* All DynSchemaTables, by name. */
extern List *dyn_schema_tables_list(const DynSchemaTables *tables);

/* The column of a key or feature (UTF-8); NULL: none, or a bad one. */
extern const DynColumn *dyn_schema_table_column(const DynSchemaTable *table, DynColumnRole role, const char *name);

#endif							/* DYN_SCHEMA_TABLES_H */
