/*
 * ddl_client.c
 *	  Clients for remote DDL.
 */
#include "pg/util/export.h"

#include "access/htup_details.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/inval.h"
#include "utils/syscache.h"

#include "pg/ddl/ddl_client.h"
#include "pg/session/connection.h"
#include "pg/session/credential.h"
#include "pg/util/extension.h"

struct DynDdlClient
{
	DynDdlClient *next;			/* in `clients` */
	DynClient  *client;
	Oid			serverid;
	Oid			userid;			/* of the mapping; InvalidOid: PUBLIC's */
	uint32		server_hash;	/* syscache hash values, for invalidation */
	uint32		mapping_hash;
	bool		stale;			/* server or mapping changed or went since */
	int			users;
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
	if (client)
		client->users++;
	return client;
}

void
dyn_ddl_client_release(DynDdlClient *client)
{
	if (client == NULL || --client->users > 0)
		return;
	dyn_client_free(client->client);
	free(client);
}

static void
on_invalidation(Datum arg, int cacheid, uint32 hash_value)
{
	for (DynDdlClient *client = clients; client; client = client->next)
		if (hash_value == 0 || (cacheid == FOREIGNSERVEROID && client->server_hash == hash_value) ||
			(cacheid == USERMAPPINGOID && client->mapping_hash == hash_value))
			client->stale = true;
}

void
dyn_ddl_client_init(void)
{
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, on_invalidation, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, on_invalidation, (Datum) 0);
}

void
dyn_ddl_client_forget_all(void)
{
	while (clients)
	{
		DynDdlClient *client = clients;

		clients = client->next;
		client->next = NULL;
		dyn_ddl_client_release(client);
	}
}

/* The newest one; a stale one only where there is no mapping any more to make another by. */
static DynDdlClient *
find(Oid serverid, Oid userid, bool mapping_exists)
{
	for (DynDdlClient *client = clients; client; client = client->next)
		if (client->serverid == serverid && client->userid == userid && (!client->stale || !mapping_exists))
			return client;
	return NULL;
}

/* Makes the client of a mapping; NULL where it has no keys. */
static DynDdlClient *
make(Oid serverid, Oid userid, Oid umid, DynStatus *status)
{
	ForeignServer *server = GetForeignServerExtended(serverid, FSV_MISSING_OK);
	DynCredentials *credentials = dyn_credentials_of_mapping(umid);
	DynDdlClient *client;

	if (server == NULL || credentials == NULL)
	{
		dyn_status_set(status, DYN_CREDENTIALS, "the user mapping holds no credentials");
		return NULL;
	}
	client = calloc(1, sizeof(*client));
	if (client)
		client->client = dyn_connection_new_client(serverid, server->options, credentials, status);
	else
		dyn_status_no_memory(status);
	dyn_credentials_free(credentials);
	if (client == NULL || client->client == NULL)
	{
		free(client);
		return NULL;
	}
	client->serverid = serverid;
	client->userid = userid;
	client->server_hash = GetSysCacheHashValue1(FOREIGNSERVEROID, ObjectIdGetDatum(serverid));
	client->mapping_hash = GetSysCacheHashValue1(USERMAPPINGOID, ObjectIdGetDatum(umid));
	client->users = 1;
	client->next = clients;
	clients = client;
	return client;
}

static Oid
mapping_of(Oid serverid, Oid userid)
{
	return GetSysCacheOid2(USERMAPPINGUSERSERVER, Anum_pg_user_mapping_oid, ObjectIdGetDatum(userid),
						   ObjectIdGetDatum(serverid));
}

DynDdlClient *
dyn_ddl_client_get(Oid serverid, Oid userid, DynStatus *status)
{
	const Oid	users[] = {userid, InvalidOid};

	dyn_status_clear(status);
	for (int i = 0; i < 2; i++)
	{
		Oid			umid = mapping_of(serverid, users[i]);
		DynDdlClient *client = find(serverid, users[i], OidIsValid(umid));

		if (client == NULL && OidIsValid(umid))
			client = make(serverid, users[i], umid, status);
		if (client != NULL)
			return dyn_ddl_client_share(client);
		if (OidIsValid(umid))
			return NULL;
	}
	dyn_status_set(status, DYN_CREDENTIALS, "user \"%s\" has no user mapping for the server",
				   GetUserNameFromId(userid, true));
	return NULL;
}

void
dyn_ddl_client_capture(Oid umid)
{
	HeapTuple	tuple = SearchSysCache1(USERMAPPINGOID, ObjectIdGetDatum(umid));
	Form_pg_user_mapping form;
	DynStatus	status;

	if (!HeapTupleIsValid(tuple))
		return;
	form = (Form_pg_user_mapping) GETSTRUCT(tuple);
	if (dyn_extension_has_server(form->umserver) && find(form->umserver, form->umuser, true) == NULL)
		make(form->umserver, form->umuser, umid, &status);
	ReleaseSysCache(tuple);
}
