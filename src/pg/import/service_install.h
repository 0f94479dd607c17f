/*
 * service_install.h
 *	  Makes and replaces the functions of feature services.
 *
 * A function that we made depends on the extension as by ALTER FUNCTION ...
 * DEPENDS ON EXTENSION, which a dump keeps.  One without that is its user's, and
 * is never touched.
 */
#ifndef DYN_SERVICE_INSTALL_H
#define DYN_SERVICE_INSTALL_H

#include "pg/import/action.h"
#include "pg/import/service.h"

/*
 * Functions of a project's services in a schema, as the foreign tables there are.
 * Tells in NOTICEs which are left out.  Adds what was done to `actions` (may be
 * NULL); *names: String nodes, SQL names of the functions that the registry asks for.
 */
extern void dyn_services_install(const DynServiceWorld *world, DynActions *actions, List **names);

/* OIDs of the functions in a schema that we made. */
extern List *dyn_services_made(Oid schema);

#endif							/* DYN_SERVICE_INSTALL_H */
