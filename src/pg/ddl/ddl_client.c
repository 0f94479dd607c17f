/*
 * ddl_client.c
 *	  Clients for remote DDL.
 */
#include "pg/util/export.h"

#include "nodes/nodes.h"
#include "utils/memutils.h"

#include "pg/ddl/ddl_client.h"
#include "pg/session/connection.h"
#include "pg/util/guc.h"

struct DynDdlClient
{
	DynDdlClient *next;			/* in `clients` */
	DynClient  *client;
	const DynSigner *signer;	/* not after the transaction */
	unsigned	endpoints_serial;	/* of the setting that allowed its endpoint */
	int			users;			/* the transaction is one */
};

/* Of this transaction; each entry is one reference. */
static DynDdlClient *clients = NULL;

DynClient *
dyn_ddl_client_of(DynDdlClient *client)
{
	return client->client;
}

DynDdlClient *
dyn_ddl_client_share(DynDdlClient *client)
{
	client->users++;
	return client;
}

void
dyn_ddl_client_release(DynDdlClient *client)
{
	if (--client->users > 0)
		return;
	dyn_client_free(client->client);
	free(client);
}

void
dyn_ddl_client_forget_all(void)
{
	while (clients)
	{
		DynDdlClient *client = clients;

		clients = client->next;
		client->next = NULL;
		client->signer = NULL;
		dyn_ddl_client_release(client);
	}
}

/* One with the same options and keys, whose endpoint is allowed still, or NULL. */
static DynDdlClient *
find_client(const DynSigner *signer)
{
	for (DynDdlClient *client = clients; client; client = client->next)
		if (client->signer->serverid == signer->serverid && client->endpoints_serial == dyn_guc_endpoints_serial() &&
			dyn_identity_equal(client->signer->identity, signer->identity) &&
			equal(client->signer->server_options, signer->server_options))
			return client;
	return NULL;
}

DynDdlClient *
dyn_ddl_client_get(const DynSigner *signer, DynStatus *status)
{
	DynDdlClient *client = find_client(signer);

	dyn_status_clear(status);
	if (client)
		return client;
	client = calloc(1, sizeof(*client));
	if (client == NULL)
	{
		dyn_status_no_memory(status);
		return NULL;
	}
	client->client = dyn_connection_new_client(signer->serverid, signer->server_options, signer->identity, status);
	if (client->client == NULL)
	{
		free(client);
		return NULL;
	}
	client->signer = signer;
	client->endpoints_serial = dyn_guc_endpoints_serial();
	client->users = 1;
	client->next = clients;
	clients = client;
	return client;
}
