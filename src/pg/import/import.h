/*
 * import.h
 *	  The door of IMPORT FOREIGN SCHEMA's callback.
 */
#ifndef DYN_IMPORT_H
#define DYN_IMPORT_H

#include "nodes/parsenodes.h"

extern List *dynamoImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid);

#endif							/* DYN_IMPORT_H */
