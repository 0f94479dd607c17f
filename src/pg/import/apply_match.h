/*
 * apply_match.h
 *	  Which foreign table goes with which view of the registry.
 */
#ifndef DYN_APPLY_MATCH_H
#define DYN_APPLY_MATCH_H

#include "pg/import/schema_tables.h"

typedef struct DynMatch
{
	DynTableDefinition *definition;
	const DynSchemaTable *table;	/* NULL: none yet */
	bool		ours;			/* the table was made for the project, and follows the registry */
} DynMatch;

/* DynSchemaTables that we made for a project (in the database's encoding) of the server. */
extern List *dyn_match_candidates(const DynSchemaTables *tables, const ForeignServer *server, const char *project);

/* A DynMatch for each DynTableDefinition, in their order.  No table is in two. */
extern List *dyn_match_tables(List *definitions, const DynSchemaTables *tables, List *candidates,
							  const DynImportOptions *options);

/*
 * Why a candidate goes with no definition, as a sentence without its dot.
 * *left: its view is no longer in the registry.
 */
extern const char *dyn_match_reason(const DynSchemaTable *table, const DynRegistry *registry, const char *project,
									const DynImportOptions *options, bool *left);

#endif							/* DYN_APPLY_MATCH_H */
