/*
 * s3_get.h
 *	  Gets one object of Amazon S3, by the keys of an identity.
 *
 * A member of the loop, like a client: it never waits.  It keeps no connection
 * and no descriptor when it is done.
 */
#ifndef DYN_S3_GET_H
#define DYN_S3_GET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/s3.h"
#include "core/status.h"
#include "net/key_source.h"

typedef struct DynS3GetConfig
{
	DynS3Object object;
	DynS3Service service;
	const char *region;			/* where the bucket is asked for first */
	DynKeySource *keys;			/* what signs */
	const char *ca_bundle;		/* NULL: libcurl's default */
	bool		no_proxy;		/* whatever the environment says */
	double		connect_timeout_s;
	double		read_timeout_s;
	int			total_max_retry_attempts;	/* the first included */
	size_t		max_bytes;		/* a longer object is an error */
	const char *etag;			/* the object is wanted only if it has another one; NULL: in any case */
	DynClock	clock;
} DynS3GetConfig;

typedef struct DynS3Get DynS3Get;

/*
 * What the config points to is borrowed until the fetch is freed, but for the keys,
 * of which it takes a reference.  NULL, `status` set: no memory, no loop, or no
 * valid region.
 */
extern DynS3Get *dyn_s3_get_start(const DynS3GetConfig *config, DynStatus *status);
extern bool dyn_s3_get_done(const DynS3Get *get);

typedef enum DynS3Outcome
{
	DYN_S3_GOT,
	DYN_S3_NOT_MODIFIED,		/* it still has config.etag */
	DYN_S3_FAILED
} DynS3Outcome;

/*
 * Of a fetch that is done.  GOT: *object is the fetch's, and can be moved out of
 * it; *etag lives as long as the fetch, and is "" where S3 told none.
 */
extern DynS3Outcome dyn_s3_get_result(DynS3Get *get, DynBuf **object, const char **etag, DynStatus *status);

/* At any time, but not from within its own functions of the loop; breaks off what is in flight.  NULL is fine. */
extern void dyn_s3_get_free(DynS3Get *get);

#endif							/* DYN_S3_GET_H */
