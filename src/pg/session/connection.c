/*
 * connection.c
 *	  The cache of clients, keyed by user mapping.
 *
 * A changed server or mapping takes its entry out of the cache at once; who
 * still uses the connection keeps it to the end of the scan or modification.
 */
#include "pg/util/export.h"

#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "pg/session/connection.h"
#include "pg/session/stats.h"
#include "pg/table/option.h"
#include "pg/util/error.h"

typedef struct CacheEntry
{
	Oid			umid;			/* hash key */
	uint32		server_hash;	/* syscache hash values, for invalidation */
	uint32		mapping_hash;
	DynConnection *connection;	/* NULL: none now */
} CacheEntry;

static HTAB *cache = NULL;
static uint64 invalidations = 0;	/* that came so far */

static void
free_connection(DynConnection *connection)
{
	dyn_client_free(connection->client);
	free(connection);
}

/* Takes an entry's connection out of the cache. */
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

/* hash_value 0: everything */
static void
invalidate_connections(Datum arg, int cacheid, uint32 hash_value)
{
	HASH_SEQ_STATUS scan;
	CacheEntry *entry;

	invalidations++;
	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
		if (hash_value == 0 ||
			(cacheid == FOREIGNSERVEROID && entry->server_hash == hash_value) ||
			(cacheid == USERMAPPINGOID && entry->mapping_hash == hash_value))
			forget_connection(entry);
}

static void
init_cache(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(CacheEntry);
	cache = hash_create("dynamo_fdw connections", 8, &ctl, HASH_ELEM | HASH_BLOBS);
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, invalidate_connections, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, invalidate_connections, (Datum) 0);
}

DynClient *
dyn_connection_new_client(Oid serverid, List *server_options, const DynCredentials *credentials, DynStatus *status)
{
	DynClientConfig config = {0};

	if (!dyn_option_endpoint(server_options, &config.endpoint))
	{
		dyn_status_clear(status);
		dyn_status_set(status, DYN_CONNECT, "the server has no valid \"region\" or \"endpoint_url\"");
		return NULL;
	}
	config.region = dyn_option_text("region", server_options, NIL);
	config.access_key_id = credentials->access_key_id;
	config.secret_access_key = credentials->secret_access_key;
	config.session_token = credentials->session_token;
	config.ca_bundle = dyn_option_text("ca_bundle", server_options, NIL);
	config.connect_timeout_s = dyn_option_real("connect_timeout", server_options, NIL);
	config.read_timeout_s = dyn_option_real("read_timeout", server_options, NIL);
	config.adaptive = strcmp(dyn_option_text("retry_mode", server_options, NIL), "adaptive") == 0;
	config.total_max_retry_attempts = dyn_option_int("total_max_retry_attempts", server_options, NIL);
	config.max_pool_connections = dyn_option_int("max_pool_connections", server_options, NIL);
	config.counters = dyn_stats_of_server(serverid);
	config.keepalive_timeout_s = dyn_option_real("keepalive_timeout", server_options, NIL);
	config.warmup_connections = dyn_option_bool("warmup_connections", server_options, NIL);
	return dyn_client_new(&config, status);
}

/*
 * Fills an entry that has no connection.  False: it still has none, and
 * `status` says why; DYN_OK: an invalidation came while the catalogs were
 * read, so what was read may be mixed of old and new.
 */
static bool
connect_entry(CacheEntry *entry, Oid serverid, Oid userid, bool missing_ok, DynStatus *status)
{
	uint64		start = invalidations;
	DynCounters *counters = dyn_stats_of_server(serverid);	/* first, for it may throw */
	DynCredentials *credentials;
	List	   *options;
	DynConnection *connection;

	dyn_status_clear(status);
	entry->server_hash = GetSysCacheHashValue1(FOREIGNSERVEROID, ObjectIdGetDatum(serverid));
	entry->mapping_hash = GetSysCacheHashValue1(USERMAPPINGOID, ObjectIdGetDatum(entry->umid));
	credentials = dyn_credentials(serverid, userid, missing_ok);
	if (credentials == NULL)
		return dyn_status_set(status, DYN_CREDENTIALS, "the user mapping holds no credentials");
	options = GetForeignServer(serverid)->options;
	if (invalidations != start || credentials->umid != entry->umid)
	{
		dyn_credentials_free(credentials);
		return false;
	}
	/* no catalog is read from here on */
	connection = calloc(1, sizeof(DynConnection));
	if (connection == NULL)
		dyn_status_set(status, DYN_NO_MEMORY, "out of memory");
	else
		connection->client = dyn_connection_new_client(serverid, options, credentials, status);
	dyn_credentials_free(credentials);
	if (connection == NULL || connection->client == NULL)
	{
		free(connection);
		return false;
	}
	connection->counters = counters;
	entry->connection = connection;
	return true;
}

static DynConnection *
get_connection(Oid serverid, Oid userid, bool missing_ok)
{
	if (cache == NULL)
		init_cache();
	for (;;)
	{
		Oid			umid = dyn_user_mapping(serverid, userid);
		CacheEntry *entry;
		DynStatus	status;
		bool		found;

		CHECK_FOR_INTERRUPTS();
		if (!OidIsValid(umid))
		{
			dyn_credentials(serverid, userid, missing_ok);	/* raises */
			return NULL;
		}
		entry = hash_search(cache, &umid, HASH_ENTER, &found);
		if (!found)
			entry->connection = NULL;
		if (entry->connection && !dyn_client_usable(entry->connection->client))
			forget_connection(entry);
		if (entry->connection || connect_entry(entry, serverid, userid, missing_ok, &status))
		{
			entry->connection->users++;
			return entry->connection;
		}
		if (status.cls == DYN_OK)
			continue;
		if (missing_ok)
			return NULL;
		dyn_report(ERROR, &status, NULL);
	}
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
