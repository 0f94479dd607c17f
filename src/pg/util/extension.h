/*
 * extension.h
 *	  Which objects of the database belong to this extension.
 */
#ifndef DYN_EXTENSION_H
#define DYN_EXTENSION_H

/* OID and schema of the extension; false: it is not there. */
extern bool dyn_extension_find(Oid *extension, Oid *namespace);

/* Is the server one of a wrapper with our handler? */
extern bool dyn_extension_has_server(Oid serverid);

/* Is the relation a foreign table on such a server? */
extern bool dyn_extension_has_table(Oid relid);

#endif							/* DYN_EXTENSION_H */
