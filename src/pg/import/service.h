/*
 * service.h
 *	  A feature service, resolved: which arguments it takes, which foreign tables
 *	  it joins, and what it returns.
 */
#ifndef DYN_SERVICE_H
#define DYN_SERVICE_H

#include "pg/import/import_option.h"
#include "pg/import/schema_tables.h"
#include "pg/import/sql_name.h"

/* A join key of the request, or a field of its request data. */
typedef struct DynServiceParameter
{
	char	   *name;			/* Feast's */
	char	   *sql_name;
	Oid			type;			/* of one row's value */
} DynServiceParameter;

/* A foreign table that is joined, for one projection or more. */
typedef struct DynServiceJoin
{
	const DynSchemaTable *table;
	List	   *key_parameters; /* IntList: for each of relation->keys, which parameter */
} DynServiceJoin;

/* Where the value of a result column comes from. */
typedef enum DynServiceSource
{
	DYN_SERVICE_PARAMETER,		/* number `source` */
	DYN_SERVICE_COLUMN,			/* `column` of join number `source` */
	DYN_SERVICE_CALL			/* `column` of on-demand call number `source` */
} DynServiceSource;

typedef struct DynServiceOutput
{
	char	   *name;			/* feature, or parameter */
	char	   *owner;			/* its projection: alias or view, with "@v1"; of a parameter NULL */
	char	   *sql_name;
	DynServiceSource from;
	int			source;
	char	   *column;			/* SQL name; of a parameter NULL */
	char	   *type;			/* as SQL writes it */
} DynServiceOutput;

/* A call of the SQL function that stands for an on-demand view. */
typedef struct DynServiceCall
{
	char	   *qualified;		/* the function's name, quoted */
	bool		composite;		/* returns a row; else one value */
	bool		is_volatile;
	List	   *arguments;		/* DynServiceArguments */
} DynServiceCall;

typedef struct DynServiceArgument
{
	char	   *name;			/* of the function's argument */
	DynServiceSource from;		/* a parameter or a column */
	int			source;
	char	   *column;
} DynServiceArgument;

typedef struct DynServiceShape
{
	const DynRegService *service;
	char	   *name;			/* Feast's, in the database's encoding */
	List	   *parameters;
	List	   *joins;
	List	   *calls;
	List	   *outputs;		/* parameters first */
	bool		is_volatile;	/* it calls a function that is */
} DynServiceShape;

/* What services are resolved against. */
typedef struct DynServiceWorld
{
	const DynRegistry *registry;
	const char *project;		/* the registry's own text */
	Oid			schema;
	const DynSchemaTables *tables;
	const DynImportOptions *options;
	List	  **told;			/* on-demand views that a NOTICE said are left out */
} DynServiceWorld;

/*
 * NULL: it can't be one here, *why says so (a sentence).  What of it is left out
 * is told in NOTICEs.
 */
extern DynServiceShape *dyn_service_resolve(const DynServiceWorld *world, const DynRegService *service, char **why);

#endif							/* DYN_SERVICE_H */
