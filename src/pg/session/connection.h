/*
 * connection.h
 *	  The cache of clients: one per user mapping, kept for the session, so that
 *	  connections outlive the statement.
 */
#ifndef DYN_CONNECTION_H
#define DYN_CONNECTION_H

#include "nodes/pg_list.h"

#include "net/ddb_client.h"
#include "pg/session/identity.h"

typedef struct DynConnection
{
	DynClient  *client;
	DynCounters *counters;		/* the server's */
	bool		ambient;		/* of its identity (identity.h) */
	bool		restricted;
	unsigned	endpoints_serial;	/* of the setting by which its endpoint was permitted */
	int			users;			/* references; the last one frees an outdated connection */
	bool		outdated;		/* not in the cache, or no longer */
} DynConnection;

/*
 * The connection of a user on a server, by its current options and keys, with a
 * reference that the caller gives back. Raises where there can be none.
 */
extern DynConnection *dyn_connection_get(Oid serverid, Oid userid);

/* The same; NULL where there is no mapping, no credentials in it, or no client can be made. */
extern DynConnection *dyn_connection_try(Oid serverid, Oid userid);

/* Gives a reference back. Throws nothing; NULL is fine. */
extern void dyn_connection_release(DynConnection *connection);

/* A client outside the cache, owned by the caller; NULL on failure, `status` set. */
extern DynClient *dyn_connection_new_client(Oid serverid, List *server_options, const DynIdentity *identity,
											DynStatus *status);

/*
 * The server's options and the user's identity there, as the catalogs had them
 * at one moment; the caller frees the identity. Raises where there are no
 * credentials.
 */
extern DynIdentity *dyn_connection_definition(Oid serverid, Oid userid, List **server_options);

/* The keys of an identity, the same for all that it signs, with a reference; NULL on failure, `status` set. */
extern DynKeySource *dyn_connection_keys(List *server_options, const DynIdentity *identity, DynStatus *status);

#endif							/* DYN_CONNECTION_H */
