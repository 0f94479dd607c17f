/*
 * ddl_make.h
 *	  Makes the remote tables of foreign tables.
 */
#ifndef DYN_DDL_MAKE_H
#define DYN_DDL_MAKE_H

#include "nodes/pg_list.h"

#include "pg/ddl/ddl_target.h"

/*
 * Makes absent tables, adopts those that are there, and waits until all are
 * ACTIVE, or for `budget_ms` (-1: no limit), and then a WARNING says which are
 * not; raises errors.
 */
extern void dyn_ddl_make(List *targets, int budget_ms);

#endif							/* DYN_DDL_MAKE_H */
