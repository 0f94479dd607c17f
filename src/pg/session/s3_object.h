/*
 * s3_object.h
 *	  Objects of Amazon S3, got with the credentials that sign a user's requests
 *	  to DynamoDB on a server.
 */
#ifndef DYN_S3_OBJECT_H
#define DYN_S3_OBJECT_H

/* What is longer is refused. */
#define DYN_OBJECT_MAX_BYTES (64 * 1024 * 1024)

/*
 * The bytes of s3://bucket/key, in the current memory context.  Region, endpoint
 * and timeouts are the server's; the options "registry_region" and
 * "registry_endpoint_url" come first.  Waits, and can be cancelled.  Raises what
 * is wrong, with the URI, and leaves nothing behind then.
 */
extern bytea *dyn_session_get_object(Oid serverid, Oid userid, const char *uri);

#endif							/* DYN_S3_OBJECT_H */
