/*
 * sigv4.h
 *	  AWS Signature Version 4, the only user of OpenSSL.
 *
 * Signs requests whose query is empty: DynamoDB's and STS's have the path "/",
 * those for an object of S3 a path of their own.
 */
#ifndef DYN_SIGV4_H
#define DYN_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

typedef struct DynSigv4Header
{
	const char *name;
	const char *value;
} DynSigv4Header;

/*
 * Key material of one (secret, region, service), with the signing key of the
 * day cached. Zeroed is valid; owned by the caller, who wipes it.
 */
typedef struct DynSigv4Signer
{
	const char *access_key_id;
	const char *secret_access_key;
	const char *region;
	const char *service;
	char		date[9];		/* of `key`, "" while there is none */
	uint8_t		key[32];
} DynSigv4Signer;

/* "20150830T123600Z" and a NUL, of epoch seconds. */
#define DYN_AMZ_DATE_LEN 17
extern bool dyn_sigv4_date(int64_t epoch_seconds, char out[DYN_AMZ_DATE_LEN]);

/* At most this many headers are signed. */
#define DYN_SIGV4_MAX_HEADERS 16

typedef struct DynSigv4Request
{
	const char *method;
	const char *path;			/* as it is sent; NULL: "/".  S3 alone signs it so, others want it encoded again */
	const DynSigv4Header *headers;	/* all of them are signed, any order and case; Host and X-Amz-Date must be among
									 * them */
	int			nheaders;
	const void *payload;
	size_t		payload_len;
	const char *amz_date;		/* value of X-Amz-Date */
} DynSigv4Request;

/*
 * Appends the value of the Authorization header. False: OpenSSL failed, too
 * many headers, or no memory.  `canonical` and `to_sign`, where not NULL,
 * receive the intermediate texts (for tests).
 */
extern bool dyn_sigv4_sign(DynSigv4Signer *signer, const DynSigv4Request *request, DynBuf *authorization,
						   DynBuf *canonical, DynBuf *to_sign);

/* Of OpenSSL: "OpenSSL 3.0.17 1 Jul 2025". */
extern const char *dyn_openssl_version(void);

#endif							/* DYN_SIGV4_H */
