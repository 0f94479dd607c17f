/*
 * key_source.h
 *	  The AWS access keys of an identity, kept fresh: fetched when they are
 *	  first needed, again ahead of their end, and when the service refuses them.
 *
 * All clients of the process with the same wish share a source, so an identity
 * is asked for once; no other process knows of it.
 */
#ifndef DYN_KEY_SOURCE_H
#define DYN_KEY_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "net/key_fetch.h"

typedef struct DynKeySource DynKeySource;

/* With a reference.  `clock` and what `config` points to are copied; surroundings are not.  NULL, `status` set: no memory. */
extern DynKeySource *dyn_key_source_get(const DynKeyFetchConfig *config, DynStatus *status);

/* One more reference. */
extern DynKeySource *dyn_key_source_share(DynKeySource *source);

/* Gives a reference back; NULL is fine.  Some that nobody uses are kept for the next who asks. */
extern void dyn_key_source_release(DynKeySource *source);

typedef enum DynKeyState
{
	DYN_KEYS_READY,
	DYN_KEYS_WAIT,				/* they are being fetched: ask again after the loop was driven */
	DYN_KEYS_NONE				/* they can't be had now */
} DynKeyState;

/*
 * The keys to sign with.  READY: *keys is a loan until the loop is driven, and
 * *serial changes whenever they do, or were refused and fetched anew.  NONE:
 * `status` is set.  Starts what has to be fetched.
 */
extern DynKeyState dyn_key_source_keys(DynKeySource *source, const DynKeys **keys, uint64_t *serial,
									   DynStatus *status);

/* Is there nothing to be done but wait? */
extern bool dyn_key_source_waiting(const DynKeySource *source);

/* The service refused the keys of that serial as expired or unknown.  True: it is worth asking for keys again. */
extern bool dyn_key_source_refused(DynKeySource *source, uint64_t serial);

/* For users, without a secret; as long as the source has these keys. */
typedef struct DynKeyDescription
{
	const char *source;			/* "user mapping", "environment", "instance metadata", ...; "" before any */
	const char *profile;		/* that they are of; NULL: none */
	const char *role_arn;		/* the last that was assumed; NULL: none */
	const char *access_key_id;	/* NULL: there are none now */
	int64_t		expires;		/* epoch seconds, DYN_KEYS_FOREVER */
} DynKeyDescription;

extern void dyn_key_source_describe(const DynKeySource *source, DynKeyDescription *description);

/* Has the status of a request whose keys were refused for good say, in its hint, where they come from. */
extern void dyn_key_source_name(const DynKeySource *source, DynStatus *status);

/* Once for each run of failures to refresh keys that can still be used: what failed.  False: nothing. */
extern bool dyn_key_source_take_warning(DynStatus *status);

#endif							/* DYN_KEY_SOURCE_H */
