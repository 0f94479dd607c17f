/*
 * identity_view.c
 *	  What users see of the credentials that their requests are signed with.
 */
#include "pg/util/export.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/session/connection.h"
#include "pg/session/wait.h"
#include "pg/table/option.h"
#include "pg/util/compat.h"
#include "pg/util/error.h"
#include "pg/util/extension.h"

extern PGDLLEXPORT Datum dynamo_fdw_identity(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(dynamo_fdw_identity);

#define IDENTITY_COLUMNS 7

/* How much of an access key id is shown. */
#define SHOWN_CHARACTERS 4

/* Waits until the source has keys; raises where it can't have any. */
static void
wait_for_keys(DynKeySource *keys)
{
	const DynKeys *ignored;
	uint64_t	serial;
	DynStatus	status;
	DynKeyState state;

	dyn_status_clear(&status);
	while ((state = dyn_key_source_keys(keys, &ignored, &serial, &status)) == DYN_KEYS_WAIT)
		dyn_wait(DYN_WAIT_READ, -1);
	if (state == DYN_KEYS_NONE)
		dyn_report(ERROR, &status, NULL);
}

static void
set_text(Datum *values, bool *nulls, int i, const char *text)
{
	nulls[i] = text == NULL;
	if (text)
		values[i] = CStringGetTextDatum(dyn_service_text(text));
}

/* The row: no secret is in it. */
static HeapTuple
identity_row(TupleDesc desc, const ForeignServer *server, const DynKeySource *keys)
{
	Datum		values[IDENTITY_COLUMNS] = {0};
	bool		nulls[IDENTITY_COLUMNS] = {false};
	DynKeyDescription description;
	DynEndpoint endpoint;
	size_t		len;

	dyn_key_source_describe(keys, &description);
	len = strlen(description.access_key_id);
	set_text(values, nulls, 0, description.source);
	set_text(values, nulls, 1, description.profile);
	set_text(values, nulls, 2, description.access_key_id + (len > SHOWN_CHARACTERS ? len - SHOWN_CHARACTERS : len));
	set_text(values, nulls, 3, description.role_arn);
	nulls[4] = description.expires == DYN_KEYS_FOREVER;
	values[4] = TimestampTzGetDatum(time_t_to_timestamptz((pg_time_t) (nulls[4] ? 0 : description.expires)));
	set_text(values, nulls, 5, dyn_option_endpoint(server->options, &endpoint) ? endpoint.url : NULL);
	set_text(values, nulls, 6, dyn_option_text("region", server->options, NIL));
	return heap_form_tuple(desc, values, nulls);
}

/* SQL function: whose credentials the current user's requests on a server are signed with; gets them if need be. */
Datum
dynamo_fdw_identity(PG_FUNCTION_ARGS)
{
	ForeignServer *server = dyn_extension_usable_server(NameStr(*PG_GETARG_NAME(0)));
	DynConnection *connection;
	HeapTuple	row = NULL;
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	connection = dyn_connection_get(server->serverid, GetUserId());
	PG_TRY();
	{
		DynKeySource *keys = dyn_client_keys(connection->client);

		wait_for_keys(keys);
		row = identity_row(desc, server, keys);
	}
	PG_FINALLY();
	{
		dyn_connection_release(connection);
	}
	PG_END_TRY();
	PG_RETURN_DATUM(HeapTupleGetDatum(row));
}
