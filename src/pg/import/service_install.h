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
 * as for dyn_function_install().  Tells in a NOTICE which are left out.  Adds what
 * was done, and which functions are not as they should be, to `actions`; *names:
 * String nodes, SQL names of the services' functions, left out or not.  Both may be
 * NULL.
 */
extern void dyn_services_install(const DynServiceWorld *world, const ForeignServer *server, List *dropped,
								 DynActions *actions, List **names);

#endif							/* DYN_SERVICE_INSTALL_H */
