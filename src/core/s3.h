/*
 * s3.h
 *	  Objects of Amazon S3: where they are, how they are asked for, and what S3
 *	  says where it gives none.
 */
#ifndef DYN_S3_H
#define DYN_S3_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/endpoint.h"
#include "core/status.h"

/* As S3 has it, in bytes. */
#define DYN_BUCKET_MIN 3
#define DYN_BUCKET_MAX 63
#define DYN_OBJECT_KEY_MAX 1024

/* x-amz-content-sha256 of a request without body: SHA-256 of nothing. */
#define DYN_S3_NO_PAYLOAD "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

typedef struct DynS3Object
{
	char		bucket[DYN_BUCKET_MAX + 1];
	char		key[DYN_OBJECT_KEY_MAX + 1];	/* as it is, not encoded */
} DynS3Object;

/* Does the text begin with s3://, in any case? */
extern bool dyn_s3_is_uri(const char *text);

/*
 * Takes `s3://bucket/key` apart as Feast does, by Python's urlparse: the bucket
 * in lower case, the key without slashes at its start, and nothing from the
 * first '?' or '#' on.  On false *why is a static text that says what is wrong
 * ("must name a key: s3://bucket/key").
 */
extern bool dyn_s3_parse(const char *uri, DynS3Object *object, const char **why);

/* Where requests for objects go; texts are borrowed. */
typedef struct DynS3Service
{
	const DynEndpoint *own;		/* another service with S3's protocol; NULL: AWS's of the region */
	bool		fips;			/* of AWS's endpoints */
	bool		dualstack;
} DynS3Service;

/*
 * Endpoint of an object's bucket in a region.  The bucket is part of the host's
 * name, unless it has dots, which no certificate is for, or the service is no AWS
 * one.  False: not a region's name.
 */
extern bool dyn_s3_endpoint(const DynS3Service *service, const DynS3Object *object, const char *region,
							DynEndpoint *endpoint);

/* Appends the path that belongs to that endpoint, encoded as it is sent and signed. */
extern void dyn_s3_path(const DynS3Service *service, const DynS3Object *object, DynBuf *path);

/*
 * Code and message of an answer that is neither 200 nor 304 into `status`, and
 * its class.  `region` gets the one that the body names, "" if none; NULL: nobody
 * asks.
 */
extern void dyn_s3_error(int http_status, const char *body, size_t len, char region[DYN_REGION_MAX + 1],
						 DynStatus *status);

/*
 * May a request for this bucket, told that it is in region `to`, be sent there?
 * Not twice to the same one, and of AWS's regions only within the partition.
 */
extern bool dyn_s3_may_move(const DynS3Service *service, const char *from, const char *to);

/* Sets the hint for a failure of GetObject, unless it has one. */
extern void dyn_s3_advise(DynStatus *status);

#endif							/* DYN_S3_H */
