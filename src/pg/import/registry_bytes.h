/*
 * registry_bytes.h
 *	  Feast's registry as it is stored: a file of the server, or an object of S3.
 */
#ifndef DYN_REGISTRY_BYTES_H
#define DYN_REGISTRY_BYTES_H

/*
 * The bytes of a registry, in the current memory context: `registry` is
 * s3://bucket/key or an absolute path; NULL: what the server's option says.  S3 is
 * asked with the current user's credentials on the server, and a file is read if
 * the current user may read files of the server, checked at each call.  Raises
 * what is wrong; that a SQL registry has no bytes is ERRCODE_FEATURE_NOT_SUPPORTED.
 * Whether the user may use the server has been checked by the caller.
 */
extern bytea *dyn_registry_bytes(Oid serverid, const char *registry);

#endif							/* DYN_REGISTRY_BYTES_H */
