/*
 * ddl_reference.h
 *	  Who means a remote table.
 */
#ifndef DYN_DDL_REFERENCE_H
#define DYN_DDL_REFERENCE_H

#include "nodes/pg_list.h"

/* Is the remote table that of any foreign table there is now, beside `except` (OidList)? */
extern bool dyn_ddl_is_referenced(const char *endpoint, const char *region, const char *table, List *except);

#endif							/* DYN_DDL_REFERENCE_H */
