/*
 * ddl_client.h
 *	  Clients for remote DDL: outside the connection cache, in plain memory,
 *	  so that the end of a transaction can use them without any catalog.
 */
#ifndef DYN_DDL_CLIENT_H
#define DYN_DDL_CLIENT_H

#include "net/ddb_client.h"
#include "net/table_job.h"

typedef struct DynDdlClient DynDdlClient;

/*
 * The client of a role's user mapping on a server (PUBLIC's next), shared
 * within the transaction; with a reference.  A mapping dropped earlier in this
 * transaction still counts.  NULL where there is none, `status` set.
 */
extern DynDdlClient *dyn_ddl_client_get(Oid serverid, Oid userid, DynStatus *status);
extern DynDdlClient *dyn_ddl_client_share(DynDdlClient *client);
extern void dyn_ddl_client_release(DynDdlClient *client);
extern DynClient *dyn_ddl_client_of(DynDdlClient *client);

/* A user mapping is about to be dropped: keeps what its server's tables may still need. */
extern void dyn_ddl_client_capture(Oid umid);

/* At the end of the transaction. */
extern void dyn_ddl_client_forget_all(void);

extern void dyn_ddl_client_init(void);

#endif							/* DYN_DDL_CLIENT_H */
