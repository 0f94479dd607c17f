/*
 * ddl_xact.h
 *	  The end of a transaction that made or dropped foreign tables.
 */
#ifndef DYN_DDL_XACT_H
#define DYN_DDL_XACT_H

/* Registers the callbacks; once, when the module is loaded. */
extern void dyn_ddl_xact_init(void);

#endif							/* DYN_DDL_XACT_H */
