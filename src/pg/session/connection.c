/*
 * connection.c
 *	  The cache of clients, keyed by user mapping.
 *
 * When a server or a mapping changes, its connections leave the cache at once; a
 * scan or modification that uses one keeps it to its end.  A connection that is
 * made while they change without a pause is used once, and not cached.
 */
#include "pg/util/export.h"

#include "foreign/foreign.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "net/surroundings.h"
#include "pg/session/connection.h"
#include "pg/session/endpoint_policy.h"
#include "pg/session/stats.h"
#include "pg/session/wait.h"
#include "pg/table/option_check.h"
#include "pg/util/error.h"
#include "pg/util/guc.h"

typedef struct CacheEntry
{
	Oid			umid;			/* hash key */
	uint32		server_hash;	/* syscache hash values, for invalidation */
	uint32		mapping_hash;
	bool		roles_changed;	/* so the connection's rights are to be looked at again */
	DynConnection *connection;	/* NULL: none now */
} CacheEntry;

/* The catalogs are read no more often than this for one connection, however fast they change. */
#define MAX_READINGS 5

static HTAB *cache = NULL;
static uint64 invalidations = 0;	/* that came so far */

/* Throws nothing, as nothing may that an invalidation calls. */
static void
free_connection(DynConnection *connection)
{
	dyn_client_free(connection->client);
	free(connection);
}

/* Takes an entry's connection out of the cache; it is freed now, or by the last that uses it. */
static void
forget_connection(CacheEntry *entry)
{
	DynConnection *connection = entry->connection;

	entry->connection = NULL;
	if (connection == NULL)
		return;
	connection->outdated = true;
	if (connection->users == 0)
		free_connection(connection);
}

/* Callback of the system caches: forgets what a changed row belongs to. hash_value 0: any row may have changed. */
static void
invalidate_connections(Datum arg, int cacheid, uint32 hash_value)
{
	HASH_SEQ_STATUS scan;
	CacheEntry *entry;

	invalidations++;
	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
		if (cacheid == AUTHOID)
			entry->roles_changed = true;
		else if (hash_value == 0 ||
				 (cacheid == FOREIGNSERVEROID && entry->server_hash == hash_value) ||
				 (cacheid == USERMAPPINGOID && entry->mapping_hash == hash_value))
			forget_connection(entry);
}

/* Makes the empty cache and has it told of changes. */
static void
init_cache(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(CacheEntry);
	cache = hash_create("dynamo_fdw connections", 8, &ctl, HASH_ELEM | HASH_BLOBS);
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, invalidate_connections, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, invalidate_connections, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, invalidate_connections, (Datum) 0);
}

DynKeySource *
dyn_connection_keys(List *server_options, const DynIdentity *identity, DynStatus *status)
{
	DynKeyFetchConfig config = {0};
	DynClock	clock = {0};

	dyn_identity_wish(identity, &config.wish);
	config.wish.sts_url = dyn_option_text("sts_endpoint_url", server_options, NIL);
	config.region = dyn_option_signing_region(server_options);
	config.fips = dyn_option_bool("use_fips_endpoint", server_options, NIL);
	config.dualstack = dyn_option_bool("use_dualstack_endpoint", server_options, NIL);
	config.ca_bundle = dyn_option_text("ca_bundle", server_options, NIL);
	config.no_proxy = identity->restricted;
	config.surroundings = &dyn_surroundings;
	config.clock = &clock;
	return dyn_key_source_get(&config, status);
}

DynClient *
dyn_connection_new_client(Oid serverid, List *server_options, const DynIdentity *identity, DynStatus *status)
{
	DynClientConfig config = {0};
	const char *wrong = dyn_options_wrong(server_options, DYN_ON_SERVER);
	DynClient  *client;

	dyn_status_clear(status);
	if (wrong)
	{
		dyn_status_set(status, DYN_CONNECT, "the server's option \"%s\" is not valid", wrong);
		return NULL;
	}
	if (!dyn_wait_prepare(status))
		return NULL;
	if (!dyn_option_endpoint(server_options, &config.endpoint))
	{
		dyn_status_set(status, DYN_CONNECT, "the server has no valid \"region\" or \"endpoint_url\"");
		return NULL;
	}
	if (!dyn_endpoint_permitted(DYN_SERVICE_DYNAMODB, &config.endpoint, identity, status))
		return NULL;
	config.region = dyn_option_signing_region(server_options);
	if (!dyn_region_permitted(config.region, identity, status))
		return NULL;
	config.no_proxy = identity->restricted;
	config.ca_bundle = dyn_option_text("ca_bundle", server_options, NIL);
	config.connect_timeout_s = dyn_option_real("connect_timeout", server_options, NIL);
	config.read_timeout_s = dyn_option_real("read_timeout", server_options, NIL);
	config.adaptive = strcmp(dyn_option_text("retry_mode", server_options, NIL), "adaptive") == 0;
	config.total_max_retry_attempts = dyn_option_int("total_max_retry_attempts", server_options, NIL);
	config.max_pool_connections = dyn_option_int("max_pool_connections", server_options, NIL);
	config.counters = dyn_stats_of_server(serverid);
	config.keepalive_timeout_s = dyn_option_real("keepalive_timeout", server_options, NIL);
	config.warmup_connections = dyn_option_bool("warmup_connections", server_options, NIL);
	config.keys = dyn_connection_keys(server_options, identity, status);
	client = config.keys ? dyn_client_new(&config, status) : NULL;
	dyn_key_source_release(config.keys);
	return client;
}

/* ---- what a connection is made of ---- */

/* A server's options and a user's identity there, as the catalogs had them at one moment. */
typedef struct Definition
{
	List	   *options;
	DynIdentity *identity;
	uint32		server_hash;
	uint32		mapping_hash;
} Definition;

/* Would the two make the same connection? */
static bool
same_definition(const Definition *a, const Definition *b)
{
	return dyn_identity_equal(a->identity, b->identity) && equal(a->options, b->options);
}

/* Reads the catalogs once; false, with `missing_ok`: the user has no credentials. */
static bool
read_once(Oid serverid, Oid userid, bool missing_ok, Definition *definition)
{
	DynIdentityLack lack;

	definition->identity = dyn_identity(serverid, userid, &lack);
	if (definition->identity == NULL && !missing_ok)
		dyn_identity_report(serverid, userid, lack);
	if (definition->identity == NULL)
		return false;
	definition->options = GetForeignServer(serverid)->options;
	definition->server_hash = GetSysCacheHashValue1(FOREIGNSERVEROID, ObjectIdGetDatum(serverid));
	definition->mapping_hash = GetSysCacheHashValue1(USERMAPPINGOID, ObjectIdGetDatum(definition->identity->umid));
	return true;
}

/*
 * Reads until no invalidation came in between, or two readings are the same:
 * new keys must not go to an old endpoint.  *settled false: they change all the
 * time, and this is the last reading.
 */
static bool
read_definition(Oid serverid, Oid userid, bool missing_ok, Definition *definition, bool *settled)
{
	uint64		start = invalidations;

	if (!read_once(serverid, userid, missing_ok, definition))
		return false;
	*settled = invalidations == start;
	for (int n = 1; !*settled && n < MAX_READINGS; n++)
	{
		Definition	before = *definition;

		start = invalidations;
		if (!read_once(serverid, userid, missing_ok, definition))
		{
			dyn_identity_free(before.identity);
			return false;
		}
		*settled = invalidations == start || same_definition(&before, definition);
		dyn_identity_free(before.identity);
	}
	return true;
}

/* ---- the cache ---- */

/* Makes a connection, without a user; NULL on failure, `status` set.  Reads no catalog. */
static DynConnection *
new_connection(Oid serverid, const Definition *definition, DynCounters *counters, DynStatus *status)
{
	DynConnection *connection = calloc(1, sizeof(DynConnection));

	if (connection == NULL)
	{
		dyn_status_clear(status);
		dyn_status_no_memory(status);
		return NULL;
	}
	connection->counters = counters;
	connection->ambient = definition->identity->ambient;
	connection->restricted = definition->identity->restricted;
	connection->endpoints_serial = dyn_guc_endpoints_serial();
	connection->client = dyn_connection_new_client(serverid, definition->options, definition->identity, status);
	if (connection->client == NULL)
	{
		free(connection);
		return NULL;
	}
	return connection;
}

/* The empty entry of a mapping; what was in it is forgotten. */
static CacheEntry *
claim_entry(const Definition *definition)
{
	bool		found;
	CacheEntry *entry = hash_search(cache, &definition->identity->umid, HASH_ENTER, &found);

	if (found)
		forget_connection(entry);
	entry->server_hash = definition->server_hash;
	entry->mapping_hash = definition->mapping_hash;
	entry->roles_changed = false;
	entry->connection = NULL;
	return entry;
}

/*
 * Roles have changed: has the entry's connection still the rights that it was
 * made with?  Reading the catalogs may take it out of the cache, and free it.
 */
static bool
has_same_rights(const CacheEntry *entry, Oid serverid, Oid userid)
{
	DynIdentityLack lack;
	DynIdentity *identity = dyn_identity(serverid, userid, &lack);
	const DynConnection *connection = entry->connection;
	bool		same = identity && connection && identity->ambient == connection->ambient &&
		identity->restricted == connection->restricted;

	dyn_identity_free(identity);
	return same;
}

/* The connection in the cache, if it can be used. */
static DynConnection *
find_connection(Oid serverid, Oid userid)
{
	Oid			umid = dyn_user_mapping(serverid, userid);
	CacheEntry *entry = hash_search(cache, &umid, HASH_FIND, NULL);

	if (entry && entry->connection && entry->roles_changed)
	{
		entry->roles_changed = false;
		if (!has_same_rights(entry, serverid, userid))
			forget_connection(entry);
	}

	if (entry && entry->connection && (!dyn_client_usable(entry->connection->client) ||
									   entry->connection->endpoints_serial != dyn_guc_endpoints_serial()))
		forget_connection(entry);
	return entry ? entry->connection : NULL;
}

/* A new one; NULL on failure, `status` set (with `missing_ok` false, want of credentials raises). */
static DynConnection *
connect_user(Oid serverid, Oid userid, bool missing_ok, DynStatus *status)
{
	DynCounters *counters = dyn_stats_of_server(serverid);	/* first, for it may throw */
	Definition	definition;
	DynConnection *connection;
	CacheEntry *entry = NULL;
	bool		settled;

	if (!read_definition(serverid, userid, missing_ok, &definition, &settled))
	{
		dyn_status_clear(status);
		dyn_status_set(status, DYN_CREDENTIALS, "the user mapping holds no credentials");
		return NULL;
	}
	if (settled)
		entry = claim_entry(&definition);
	/* no error and no catalog from here on */
	connection = new_connection(serverid, &definition, counters, status);
	if (entry)
		entry->connection = connection;
	else if (connection)
		connection->outdated = true;	/* used this once */
	dyn_identity_free(definition.identity);
	return connection;
}

/* For whoever is about to read the catalogs: a transaction that has all its locks would not hear of rights taken away. */
static void
hear_of_changes(void)
{
	if (cache == NULL)
		init_cache();
	AcceptInvalidationMessages();
}

DynIdentity *
dyn_connection_definition(Oid serverid, Oid userid, List **server_options)
{
	Definition	definition;
	bool		settled;

	hear_of_changes();
	read_definition(serverid, userid, false, &definition, &settled);
	*server_options = definition.options;
	return definition.identity;
}

/* With a reference; NULL only with `missing_ok`. */
static DynConnection *
get_connection(Oid serverid, Oid userid, bool missing_ok)
{
	DynConnection *connection;
	DynStatus	status;

	hear_of_changes();
	connection = find_connection(serverid, userid);
	if (connection == NULL)
		connection = connect_user(serverid, userid, missing_ok, &status);
	if (connection)
		connection->users++;
	else if (!missing_ok)
		dyn_report(ERROR, &status, NULL);
	return connection;
}

DynConnection *
dyn_connection_get(Oid serverid, Oid userid)
{
	return get_connection(serverid, userid, false);
}

DynConnection *
dyn_connection_try(Oid serverid, Oid userid)
{
	return get_connection(serverid, userid, true);
}

void
dyn_connection_release(DynConnection *connection)
{
	if (connection == NULL)
		return;
	connection->users--;
	if (connection->outdated && connection->users == 0)
		free_connection(connection);
}
