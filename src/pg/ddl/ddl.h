/*
 * ddl.h
 *	  CREATE, ALTER and DROP of foreign tables carried over to DynamoDB.
 */
#ifndef DYN_DDL_H
#define DYN_DDL_H

/* Installs the hooks; once, when the module is loaded. */
extern void dyn_ddl_init(void);

#endif							/* DYN_DDL_H */
