/*
 * extension.h
 *	  Which objects of the database belong to this extension.  All of this reads
 *	  catalogs, so it needs a transaction.
 */
#ifndef DYN_EXTENSION_H
#define DYN_EXTENSION_H

#include "storage/lockdefs.h"
#include "utils/relcache.h"

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

/* The owner of a relation; InvalidOid for one that is gone. */
extern Oid	dyn_relation_owner(Oid relid);

/* Raises unless the relation is such a foreign table, and the caller has its owner's rights; its owner. */
extern Oid	dyn_extension_require_own_table(Oid relid);

/* OID of a table or sequence of the extension's own, or InvalidOid. */
extern Oid	dyn_extension_relation(const char *name);

/*
 * Opens a table of the extension's own.  NULL where it is not there, or has
 * other columns than these: before ALTER EXTENSION UPDATE it is another version's.
 */
extern Relation dyn_extension_open_table(const char *name, const char *const *columns, int ncolumns, LOCKMODE mode);

/* Raises that library and SQL objects are not of the same version. */
extern void dyn_extension_report_version(void) __attribute__((noreturn));

#endif							/* DYN_EXTENSION_H */
