/*
 * service_install.h
 *	  The functions of a project's feature services.
 */
#ifndef DYN_SERVICE_INSTALL_H
#define DYN_SERVICE_INSTALL_H

#include "pg/import/action.h"
#include "pg/import/service.h"

/*
 * Makes and replaces them in a schema, as the foreign tables there are; `dropped`
 * as for dyn_function_install().  Tells in NOTICEs which are left out.  Adds what
 * was done to `actions`; *names: String nodes, SQL names of the functions that there
 * are to be.  Both may be NULL.
 */
extern void dyn_services_install(const DynServiceWorld *world, List *dropped, DynActions *actions, List **names);

#endif							/* DYN_SERVICE_INSTALL_H */
