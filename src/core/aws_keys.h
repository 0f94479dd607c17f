/*
 * aws_keys.h
 *	  AWS access keys: what requests are signed with, wherever they come from.
 */
#ifndef DYN_AWS_KEYS_H
#define DYN_AWS_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* `expires` of keys that have no end. */
#define DYN_KEYS_FOREVER INT64_MAX

/* Zeroed are no keys. */
typedef struct DynKeys
{
	char	   *access_key_id;	/* malloc'd, like the others; NULL: no keys */
	char	   *secret_access_key;
	char	   *session_token;	/* NULL: none */
	int64_t		expires;		/* epoch seconds, or DYN_KEYS_FOREVER */
} DynKeys;

/* Of each part: printable ASCII without blanks goes into a header as it is, and so many bytes are enough for AWS's. */
#define DYN_ACCESS_KEY_ID_MAX 128
#define DYN_SECRET_ACCESS_KEY_MAX 1024
#define DYN_SESSION_TOKEN_MAX 16384

/*
 * Copies into `keys`, which must be none.  NULL and "" for a token: none.  False,
 * `status` set without a value in it: a part is missing or has bytes that no key
 * has (DYN_NO_CREDENTIALS), or no memory; `keys` are none then.
 */
extern bool dyn_keys_make(DynKeys *keys, const char *access_key_id, const char *secret_access_key,
						  const char *session_token, int64_t expires, DynStatus *status);

/*
 * The same of an answer's texts, NULL where it has none: it must tell a session
 * token, and no `expiration` means forever.  What is wrong is DYN_PROTOCOL.
 */
extern bool dyn_keys_of_answer(DynKeys *keys, const char *access_key_id, const char *secret_access_key,
							   const char *session_token, const char *expiration, DynStatus *status);

/* Overwrites the secrets and frees them: `keys` are none afterwards. */
extern void dyn_keys_free(DynKeys *keys);

/* The same keys, whenever they expire? */
extern bool dyn_keys_equal(const DynKeys *a, const DynKeys *b);

/* Does the code of an error say that the keys are old, or not known (any more)? */
extern bool dyn_keys_are_stale(const char *aws_code);

/*
 * Epoch seconds of an expiry: "2026-03-01T13:00:00Z", with a fraction too.
 * False: it is no time.
 */
extern bool dyn_keys_parse_time(const char *text, size_t len, int64_t *epoch_seconds);

#endif							/* DYN_AWS_KEYS_H */
