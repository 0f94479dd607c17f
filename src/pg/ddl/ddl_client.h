/*
 * ddl_client.h
 *	  Clients for remote DDL: outside the connection cache, in plain memory,
 *	  so that the end of a transaction can use them without any catalog.
 */
#ifndef DYN_DDL_CLIENT_H
#define DYN_DDL_CLIENT_H

#include "net/ddb_client.h"
#include "net/table_job.h"
#include "pg/ddl/ddl_signer.h"

typedef struct DynDdlClient DynDdlClient;

/*
 * The client of a signer, until the transaction ends, shared by all who ask for
 * the same; the signer must live as long.  NULL on failure, `status` set.
 */
extern DynDdlClient *dyn_ddl_client_get(const DynSigner *signer, DynStatus *status);
extern DynClient *dyn_ddl_client_of(DynDdlClient *client);

/* For whoever outlives the transaction: a reference, to be given back. */
extern DynDdlClient *dyn_ddl_client_share(DynDdlClient *client);
extern void dyn_ddl_client_release(DynDdlClient *client);

/* At the end of the transaction. */
extern void dyn_ddl_client_forget_all(void);

#endif							/* DYN_DDL_CLIENT_H */
