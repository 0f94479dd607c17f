/*
 * stats.c
 *	  What this session has asked of each server: the functions behind the
 *	  view dynamo_fdw_stats.
 */
#include "pg/util/export.h"

#include "fmgr.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "pg/session/stats.h"
#include "pg/util/extension.h"

PG_FUNCTION_INFO_V1(dynamo_fdw_stats);
PG_FUNCTION_INFO_V1(dynamo_fdw_stats_reset);
extern PGDLLEXPORT Datum dynamo_fdw_stats(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum dynamo_fdw_stats_reset(PG_FUNCTION_ARGS);

#define STATS_COLUMNS 18

/* Entry of the hash table; one is never removed, since clients point into it. */
typedef struct ServerStats
{
	Oid			serverid;		/* hash key */
	DynCounters counters;
	TimestampTz since;			/* when counting began, or began anew */
} ServerStats;

static HTAB *servers = NULL;

/* All but what is in flight becomes 0, and the most in flight is what is now. */
static void
reset_counters(ServerStats *stats)
{
	int64		in_flight = stats->counters.in_flight;

	memset(&stats->counters, 0, sizeof(stats->counters));
	stats->counters.in_flight = in_flight;
	stats->counters.most_in_flight = in_flight;
	stats->since = GetCurrentTimestamp();
}

DynCounters *
dyn_stats_of_server(Oid serverid)
{
	ServerStats *stats;
	bool		found;

	if (servers == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(ServerStats);
		servers = hash_create("dynamo_fdw statistics", 8, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	stats = hash_search(servers, &serverid, HASH_ENTER, &found);
	if (!found)
	{
		memset(&stats->counters, 0, sizeof(stats->counters));
		reset_counters(stats);
	}
	return &stats->counters;
}

/* Adds a row to the result: columns as in the view. */
static void
put_server(ReturnSetInfo *result, const ServerStats *stats, const char *name)
{
	const DynCounters *c = &stats->counters;
	const int64 numbers[] = {
		c->requests, c->retries, c->throttles, c->unprocessed_keys, c->unprocessed_items, c->items_found,
		c->items_missing, c->items_written, c->items_refused, c->bytes_sent, c->bytes_received, c->in_flight, c->most_in_flight,
		c->connections_opened, c->connections_reused
	};
	Datum		values[STATS_COLUMNS];
	bool		nulls[STATS_COLUMNS] = {false};
	int			n = 0;

	values[n++] = DirectFunctionCall1(namein, CStringGetDatum(name));
	for (int i = 0; i < (int) lengthof(numbers); i++)
		values[n++] = Int64GetDatum(numbers[i]);
	values[n++] = Float8GetDatum(c->consumed_capacity);
	values[n++] = TimestampTzGetDatum(stats->since);
	Assert(n == STATS_COLUMNS);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* SQL function: a row for each server that this session has used and that still exists. */
Datum
dynamo_fdw_stats(PG_FUNCTION_ARGS)
{
	HASH_SEQ_STATUS scan;
	ServerStats *stats;

	InitMaterializedSRF(fcinfo, 0);
	if (servers == NULL)
		PG_RETURN_NULL();
	hash_seq_init(&scan, servers);
	while ((stats = hash_seq_search(&scan)) != NULL)
	{
		ForeignServer *server = GetForeignServerExtended(stats->serverid, FSV_MISSING_OK);

		if (server)
			put_server((ReturnSetInfo *) fcinfo->resultinfo, stats, server->servername);
	}
	PG_RETURN_NULL();
}

/* SQL function: counts anew for one server, or for all where its name is NULL. */
Datum
dynamo_fdw_stats_reset(PG_FUNCTION_ARGS)
{
	HASH_SEQ_STATUS scan;
	ServerStats *stats;
	Oid			serverid = InvalidOid;

	if (!PG_ARGISNULL(0))
	{
		ForeignServer *server = GetForeignServerByName(NameStr(*PG_GETARG_NAME(0)), false);

		serverid = server->serverid;
		if (!dyn_extension_has_server(serverid))
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("server \"%s\" is not one of dynamo_fdw", server->servername)));
	}
	if (servers == NULL)
		PG_RETURN_VOID();
	hash_seq_init(&scan, servers);
	while ((stats = hash_seq_search(&scan)) != NULL)
		if (!OidIsValid(serverid) || stats->serverid == serverid)
			reset_counters(stats);
	PG_RETURN_VOID();
}
