/*
 * ddl_leftover.h
 *	  Tables that a rollback could not delete.
 */
#ifndef DYN_DDL_LEFTOVER_H
#define DYN_DDL_LEFTOVER_H

#include "net/table_job.h"
#include "pg/ddl/ddl_client.h"

/* Before anything may be left over. */
extern void dyn_ddl_leftover_init(void);

/* Remembers a table made and rolled back, whose DeleteTable failed; says so. */
extern void dyn_ddl_add_leftover(DynDdlClient *client, const DynTableDescription *made, const DynTableJob *failed);

/* Tries them again. */
extern void dyn_ddl_retry_leftovers(void);

#endif							/* DYN_DDL_LEFTOVER_H */
