/*
 * sts.h
 *	  AWS's Security Token Service: bodies of its requests, and its answers.
 */
#ifndef DYN_STS_H
#define DYN_STS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/aws_keys.h"
#include "core/buf.h"
#include "core/status.h"

/* Seconds that a role may be asked for. */
#define DYN_ROLE_SECONDS_MIN 900
#define DYN_ROLE_SECONDS_MAX 43200

/* Characters of a web identity's token. */
#define DYN_WEB_IDENTITY_TOKEN_MAX 20000

typedef struct DynAssumeRole
{
	const char *role_arn;
	const char *session_name;
	const char *external_id;	/* NULL: none */
	int			duration_seconds;	/* 0: as the service likes, an hour */
} DynAssumeRole;

/*
 * Append the body of a POST, application/x-www-form-urlencoded.  AssumeRole is
 * signed.  AssumeRoleWithWebIdentity is not: whoever has the body has the token
 * in it, so the caller wipes it.
 */
extern void dyn_sts_assume_role(DynBuf *body, const DynAssumeRole *role);
extern void dyn_sts_web_identity(DynBuf *body, const char *role_arn, const char *session_name, const char *token);

/*
 * Keys of the answer 200 to either.  False, `keys` none and `status` set without
 * a value of the answer: malformed (DYN_PROTOCOL), or no memory.
 */
extern bool dyn_sts_keys(const char *xml, size_t len, DynKeys *keys, DynStatus *status);

/*
 * Code and message of another answer into `status`, whose class stays.  False:
 * it is no error body, or no memory; `status` is as before.
 */
extern bool dyn_sts_error(const char *xml, size_t len, DynStatus *status);

/* May the same request succeed later?  "" for an answer without code. */
extern bool dyn_sts_retryable(int http_status, const char *aws_code);

/* What STS takes: 2 to 64 of [A-Za-z0-9_+=,.@-] */
extern bool dyn_role_session_name_valid(const char *name);

/* 2 to 1224 of [A-Za-z0-9_+=,.@:/-] */
extern bool dyn_external_id_valid(const char *id);

/* 20 to 2048 printable characters without blanks, "arn:" first */
extern bool dyn_role_arn_valid(const char *arn);

#endif							/* DYN_STS_H */
