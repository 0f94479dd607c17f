/*
 * service_sql.h
 *	  The text of a feature service: as a function, or as a query over a table of
 *	  entities.
 */
#ifndef DYN_SERVICE_SQL_H
#define DYN_SERVICE_SQL_H

#include "pg/import/service.h"

/* "CREATE OR REPLACE FUNCTION ..." of this qualified and quoted name. */
extern char *dyn_service_function_sql(const DynServiceShape *shape, const char *qualified);

/* A SELECT of all columns of the table, and the features; raises where it lacks a column that is asked for. */
extern char *dyn_service_query_sql(const DynServiceShape *shape, Oid entity_table);

#endif							/* DYN_SERVICE_SQL_H */
