/*
 * extension.h
 *	  Which objects of the database belong to this extension.  All of this reads
 *	  catalogs, so it needs a transaction.
 */
#ifndef DYN_EXTENSION_H
#define DYN_EXTENSION_H

/* OID and schema of the extension; false: it is not there, and neither is set. */
extern bool dyn_extension_find(Oid *extension, Oid *namespace);

/* A function of the extension as SQL can name it, whatever the search_path; palloc'd. */
extern char *dyn_extension_qualify(const char *function);

/* Is it a wrapper with our handler, perhaps one that a user made? */
extern bool dyn_extension_has_wrapper(Oid fdwid);

/* Is the server one of a wrapper with our handler? False for one that is gone. */
extern bool dyn_extension_has_server(Oid serverid);

/* The server of that name, if it is such a one and the current user may use it; raises. */
extern struct ForeignServer *dyn_extension_usable_server(const char *name);

/* Is the relation a foreign table on such a server? False for one that is gone. */
extern bool dyn_extension_has_table(Oid relid);

#endif							/* DYN_EXTENSION_H */
