/*
 * apply_table.h
 *	  A managed foreign table that is there, changed to what the registry says.
 */
#ifndef DYN_APPLY_TABLE_H
#define DYN_APPLY_TABLE_H

#include "pg/import/action.h"
#include "pg/import/schema_tables.h"

/* What of a table is to be changed. */
typedef struct DynTableChange
{
	const DynSchemaTable *table;
	char	   *alter;			/* the statement; NULL: nothing */
	bool		breaks_functions;	/* it changes or drops columns that functions name */
} DynTableChange;

/*
 * Compares, and adds what differs to `actions`.  Columns that left the registry
 * go only with `prune`.  Own columns of users, and SQL types that they chose for a
 * Feast type, stay.
 */
extern DynTableChange *dyn_apply_compare(const DynTableDefinition *definition, const DynSchemaTable *table,
										 const DynImportOptions *options, bool prune, DynActions *actions);

/* Brings the comments up to date; what was done goes to `actions`. */
extern void dyn_apply_comments(const DynTableDefinition *definition, const DynSchemaTable *table, DynActions *actions);

#endif							/* DYN_APPLY_TABLE_H */
