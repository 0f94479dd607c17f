/*
 * endpoint_policy.h
 *	  Where a server may send its requests: what a plain user made must not reach
 *	  addresses that only the database's machine reaches.
 */
#ifndef DYN_ENDPOINT_POLICY_H
#define DYN_ENDPOINT_POLICY_H

#include "core/endpoint.h"
#include "core/status.h"
#include "pg/session/identity.h"

/* False, `status` set: DYN_FORBIDDEN, or DYN_NO_CREDENTIALS for the process's own over plain http. Throws nothing. */
extern bool dyn_endpoint_permitted(DynService service, const DynEndpoint *endpoint, const DynIdentity *identity,
								   DynStatus *status);

/* The same of the region, by which STS's endpoint is named where the identity may need it. */
extern bool dyn_region_permitted(const char *region, const DynIdentity *identity, DynStatus *status);

#endif							/* DYN_ENDPOINT_POLICY_H */
