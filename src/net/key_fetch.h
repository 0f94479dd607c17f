/*
 * key_fetch.h
 *	  Gets AWS access keys once: makes the plan, and asks the services that it
 *	  names (STS, a container's, the instance's metadata), one after the other.
 *
 * A member of the loop, like a client: it never waits.  It keeps no connection
 * and no descriptor when it is done.
 */
#ifndef DYN_KEY_FETCH_H
#define DYN_KEY_FETCH_H

#include <stdbool.h>

#include "core/clock.h"
#include "core/key_plan.h"
#include "core/status.h"

typedef struct DynKeyFetchConfig
{
	DynKeyWish	wish;
	const char *region;			/* whose STS is asked, unless the plan says another */
	bool		fips;
	bool		dualstack;
	const char *ca_bundle;		/* of STS; NULL: libcurl's default */
	bool		no_proxy;		/* to STS; the other services are never asked by one */
	const DynSurroundings *surroundings;
	DynClock   *clock;			/* the owner's, and borrowed like all else */
} DynKeyFetchConfig;

typedef struct DynKeyFetch DynKeyFetch;

/* What is asked for goes as far as it can without an answer; it may be done already.  NULL: no memory. */
extern DynKeyFetch *dyn_key_fetch_start(const DynKeyFetchConfig *config);
extern bool dyn_key_fetch_done(const DynKeyFetch *fetch);

/*
 * Of one that is done: its keys, which can be moved out of it; NULL on failure,
 * `status` set: as a rule DYN_NO_CREDENTIALS.
 */
extern DynKeys *dyn_key_fetch_keys(DynKeyFetch *fetch, DynStatus *status);

/* When it was done, by its clock. */
extern double dyn_key_fetch_ended_ms(const DynKeyFetch *fetch);

/* What it followed; as long as the fetch. */
extern const DynKeyPlan *dyn_key_fetch_plan(const DynKeyFetch *fetch);

/* At any time, but not from within its own functions of the loop; NULL is fine. */
extern void dyn_key_fetch_free(DynKeyFetch *fetch);

#endif							/* DYN_KEY_FETCH_H */
