/*
 * ddl_privilege.h
 *	  Who may name which option in a statement.
 */
#ifndef DYN_DDL_PRIVILEGE_H
#define DYN_DDL_PRIVILEGE_H

#include "nodes/nodes.h"

/* At ddl_command_end: raises that the statement sets or drops an option of ours that only a superuser may. */
extern void dyn_ddl_check_privilege(Node *parsetree);

#endif							/* DYN_DDL_PRIVILEGE_H */
