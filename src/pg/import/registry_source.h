/*
 * registry_source.h
 *	  Reads Feast's registry from where a server says it is.
 */
#ifndef DYN_REGISTRY_SOURCE_H
#define DYN_REGISTRY_SOURCE_H

#include "foreign/foreign.h"

#include "core/registry.h"

/*
 * The registry of `given` (bytes, or NULL: those that the server's options name),
 * by the current user's rights. Of a SQL registry it has the objects of `project`
 * alone. As long as the current memory context. Raises.
 */
extern const DynRegistry *dyn_registry_open(const ForeignServer *server, const bytea *given, const char *project);

/* The project that is asked for: `given`, or if that is NULL the server's; raises where it has none. */
extern const char *dyn_registry_project_wanted(const ForeignServer *server, const char *given);

/* The project's name in UTF-8, as the registry has it; raises where it is none of the registry's. */
extern const char *dyn_registry_project(const DynRegistry *registry, const char *project);

#endif							/* DYN_REGISTRY_SOURCE_H */
