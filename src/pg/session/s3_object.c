/*
 * s3_object.c
 *	  Objects of Amazon S3, got with the credentials that sign a user's requests
 *	  to DynamoDB on a server.
 */
#include "pg/util/export.h"

#include "miscadmin.h"

#include "net/s3_get.h"
#include "pg/session/connection.h"
#include "pg/session/endpoint_policy.h"
#include "pg/session/s3_object.h"
#include "pg/session/wait.h"
#include "pg/table/option_check.h"
#include "pg/util/compat.h"
#include "pg/util/error.h"
#include "pg/util/text.h"

/* The config of a fetch, and what it points to. */
typedef struct ObjectRequest
{
	DynS3GetConfig config;
	DynEndpoint own;			/* "registry_endpoint_url" */
} ObjectRequest;

/* Takes the URI apart; raises where that is not possible. */
static void
parse_uri(const char *uri, DynS3Object *object)
{
	const char *why;

	if (!dyn_s3_parse(dyn_cstring_to_utf8(uri), object, &why))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%.*s\" is not the URI of an object of S3", (int) strcspn(uri, "?#"), uri),
				 errhint("It %s.", why)));
}

/* Which service is asked, in which region; false, `status` set. */
static bool
choose_service(List *options, ObjectRequest *request, DynStatus *status)
{
	DynS3GetConfig *config = &request->config;
	const char *region = dyn_option_text("registry_region", options, NIL);
	const char *url = dyn_option_text("registry_endpoint_url", options, NIL);
	const char *why;

	if (region == NULL)
		region = dyn_option_text("region", options, NIL);
	if (region == NULL || (url && !dyn_endpoint_parse(url, &request->own, &why)))
		return dyn_status_set(status, DYN_CONNECT, "the server has no valid \"region\" or \"registry_endpoint_url\"");
	config->region = dyn_signing_region(region);
	config->service.own = url ? &request->own : NULL;
	config->service.fips = dyn_option_bool("use_fips_endpoint", options, NIL);
	config->service.dualstack = dyn_option_bool("use_dualstack_endpoint", options, NIL);
	return true;
}

/* May this identity's requests go there?  False, `status` set. */
static bool
is_permitted(List *options, const DynIdentity *identity, const DynS3GetConfig *config, DynStatus *status)
{
	DynEndpoint endpoint;

	if (!dyn_s3_endpoint(&config->service, &config->object, config->region, &endpoint))
		return dyn_status_set(status, DYN_CONNECT, "\"%s\" is not a region", config->region);
	return dyn_endpoint_permitted(DYN_SERVICE_S3, &endpoint, identity, status) &&
		dyn_region_permitted(dyn_option_signing_region(options), identity, status);
}

/* Completes the request, but for its keys; false, `status` set.  Raises only what dyn_wait_prepare() does. */
static bool
prepare_request(List *options, const DynIdentity *identity, ObjectRequest *request, DynStatus *status)
{
	DynS3GetConfig *config = &request->config;
	const char *wrong = dyn_options_wrong(options, DYN_ON_SERVER);

	if (wrong)
		return dyn_status_set(status, DYN_CONNECT, "the server's option \"%s\" is not valid", wrong);
	if (!dyn_wait_prepare(status) || !choose_service(options, request, status) ||
		!is_permitted(options, identity, config, status))
		return false;
	config->ca_bundle = dyn_option_text("ca_bundle", options, NIL);
	config->no_proxy = identity->restricted;
	config->connect_timeout_s = dyn_option_real("connect_timeout", options, NIL);
	config->read_timeout_s = dyn_option_real("read_timeout", options, NIL);
	config->total_max_retry_attempts = dyn_option_int("total_max_retry_attempts", options, NIL);
	config->max_bytes = DYN_OBJECT_MAX_BYTES;
	return true;
}

/*
 * The credentials of the server process are lent for DynamoDB, and may read any
 * object that the process may, its backups perhaps. Of objects they get whom they
 * are lent to only the registry that a superuser's server names.  Raises.
 */
static void
check_lent(const DynIdentity *identity, Oid userid, List *options, const char *uri)
{
	const char *registry = dyn_option_text("registry", options, NIL);

	if (!identity->ambient || superuser_arg(userid) ||
		(!identity->restricted && registry && strcmp(registry, uri) == 0))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("the credentials of the server process may not be used for this object"),
			 errdetail("To users they are lent for the registry that a superuser's server names in its option \"registry\"."),
			 errhint("Use keys of the user mapping, or have a superuser set the option.")));
}

/* What owns a fetch: the memory context that it was made in frees it, if nothing did before. */
typedef struct FetchHolder
{
	MemoryContextCallback callback;
	DynS3Get   *get;			/* NULL: none */
} FetchHolder;

/* Callback of the memory context. */
static void
free_fetch(void *arg)
{
	FetchHolder *holder = arg;

	dyn_s3_get_free(holder->get);
	holder->get = NULL;
}

static FetchHolder *
make_fetch_holder(void)
{
	FetchHolder *holder = palloc0(sizeof(FetchHolder));

	holder->callback.func = free_fetch;
	holder->callback.arg = holder;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &holder->callback);
	return holder;
}

/* Starts the fetch; NULL on failure, `status` set. */
static DynS3Get *
start_fetch(List *options, const DynIdentity *identity, ObjectRequest *request, DynStatus *status)
{
	DynS3Get   *get;

	dyn_status_clear(status);
	if (!prepare_request(options, identity, request, status))
		return NULL;
	request->config.keys = dyn_connection_keys(options, identity, status);
	if (request->config.keys == NULL)
		return NULL;
	get = dyn_s3_get_start(&request->config, status);
	dyn_key_source_release(request->config.keys);
	return get;
}

/* Waits until the fetch is done, and frees it; NULL on failure, `status` set. */
static bytea *
await_object(FetchHolder *holder, DynStatus *status)
{
	DynBuf	   *object;
	const char *etag;
	bytea	   *bytes = NULL;

	while (!dyn_s3_get_done(holder->get))
		dyn_wait(DYN_WAIT_READ, -1);
	if (dyn_s3_get_result(holder->get, &object, &etag, status) == DYN_S3_GOT)
	{
		bytes = palloc(VARHDRSZ + object->len);
		SET_VARSIZE(bytes, VARHDRSZ + object->len);
		if (object->len > 0)
			memcpy(VARDATA(bytes), object->data, object->len);
	}
	free_fetch(holder);
	return bytes;
}

bytea *
dyn_session_get_object(Oid serverid, Oid userid, const char *uri)
{
	/* what is passed over in a URI may be a signature */
	const char *name = psprintf("GetObject of \"%.*s\"", (int) strcspn(uri, "?#"), uri);
	ObjectRequest *request = palloc0(sizeof(ObjectRequest));
	FetchHolder *holder = make_fetch_holder();
	List	   *options;
	DynIdentity *identity;
	DynStatus	status;
	bytea	   *bytes = NULL;

	parse_uri(uri, &request->config.object);
	identity = dyn_connection_definition(serverid, userid, &options);
	check_lent(identity, userid, options, uri);
	holder->get = start_fetch(options, identity, request, &status);
	dyn_identity_free(identity);
	if (holder->get)
		bytes = await_object(holder, &status);
	else
		dyn_s3_advise(&status);
	if (bytes == NULL)
		dyn_report_request(ERROR, &status, name);
	return bytes;
}
