/*
 * endpoint_policy.c
 *	  Where a server may send its requests.
 *
 * Link-local addresses are refused beneath, when the name is resolved
 * (net/http_sockets.c).
 */
#include "pg/util/export.h"

#include "core/endpoint_rule.h"
#include "pg/session/endpoint_policy.h"
#include "pg/util/guc.h"

bool
dyn_endpoint_permitted(DynService service, const DynEndpoint *endpoint, const DynIdentity *identity, DynStatus *status)
{
	if (identity->restricted && !dyn_endpoint_is_aws(service, endpoint) &&
		!dyn_endpoint_matches(endpoint, dyn_guc_allowed_endpoints()))
	{
		dyn_status_set(status, DYN_FORBIDDEN, "the server's owner is no superuser, and \"%s\" is none of AWS's endpoints",
					   endpoint->url);
		dyn_status_hint(status, "A superuser can add the host to the setting dynamo_fdw.allowed_endpoints, or own the server.");
		return false;
	}
	if (identity->ambient && !endpoint->tls && !endpoint->loopback)
	{
		dyn_status_set(status, DYN_NO_CREDENTIALS, "the credentials of the server process are not sent over plain http to another machine (\"%s\")",
					   endpoint->url);
		dyn_status_hint(status, "Use an endpoint with https, or keys in the user mapping.");
		return false;
	}
	return true;
}

bool
dyn_region_permitted(const char *region, const DynIdentity *identity, DynStatus *status)
{
	bool		asks_sts = identity->ambient || identity->role_arn;

	if (!identity->restricted || !asks_sts || dyn_region_is_aws(dyn_signing_region(region)))
		return true;
	dyn_status_set(status, DYN_FORBIDDEN, "the server's owner is no superuser, and \"%s\" is no region of AWS whose STS could be asked",
				   region);
	dyn_status_hint(status, "Set the server's option \"region\" to one like \"us-west-2\".");
	return false;
}
