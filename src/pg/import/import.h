/*
 * import.h
 *	  IMPORT FOREIGN SCHEMA.
 */
#ifndef DYN_IMPORT_H
#define DYN_IMPORT_H

#include "foreign/foreign.h"
#include "nodes/parsenodes.h"

/*
 * Makes the foreign tables of DynTableDefinitions in one command, so that their
 * remote tables are made at the same time.
 */
extern void dyn_import_tables(List *tables, const ForeignServer *server, const char *schema);

extern List *dynamoImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid);

#endif							/* DYN_IMPORT_H */
