/*
 * key_plan.h
 *	  Where AWS access keys come from, as data: what a user mapping, the
 *	  environment of the process and AWS's shared files configure.
 *
 * The order is that of AWS's SDKs (botocore 1.43).  What is configured and
 * broken ends the search: nothing falls back to a wider identity.
 */
#ifndef DYN_KEY_PLAN_H
#define DYN_KEY_PLAN_H

#include <stdbool.h>

#include "core/arena.h"
#include "core/aws_keys.h"
#include "core/buf.h"
#include "core/status.h"
#include "core/sts.h"

typedef enum DynFileResult
{
	DYN_FILE_READ,
	DYN_FILE_MISSING,
	DYN_FILE_CLOSED,			/* whether it is there can't be seen: a folder on the way is closed to this process */
	DYN_FILE_FAILED				/* it is there, but can't be read */
} DynFileResult;

/*
 * What there is to look at: handed in, so that tests need neither files nor an
 * environment.  Reading a file appends to `text`, or says why it can't be read.
 */
typedef struct DynSurroundings
{
	const char *(*variable) (void *arg, const char *name);	/* of the environment; NULL: not set */
	DynFileResult (*read_file) (void *arg, const char *path, DynBuf *text, const char **why);
	const char *(*home) (void *arg);	/* the home directory; NULL: there is none */
	void	   *arg;
} DynSurroundings;

/* What is asked for, by a user mapping and its server.  The texts are the caller's. */
typedef struct DynKeyWish
{
	const char *access_key_id;	/* NULL: no keys of its own, the process's are looked for */
	const char *secret_access_key;
	const char *session_token;	/* NULL: none */
	const char *profile;		/* NULL: what the environment says */
	DynAssumeRole role;			/* over these keys; without a role_arn: none */
	const char *session_name;	/* of roles that have none */
	const char *sts_url;		/* NULL: the environment's, else the region's */
} DynKeyWish;

typedef enum DynKeyBase
{
	DYN_BASE_KEYS,				/* there they are */
	DYN_BASE_WEB_IDENTITY,		/* STS gives them for a token */
	DYN_BASE_CONTAINER,
	DYN_BASE_METADATA			/* of the EC2 instance */
} DynKeyBase;

/* A role over a role, and so on; AWS knows no limit, but each is a request. */
#define DYN_PLAN_MAX_ROLES 5

/* Zeroed is empty. */
typedef struct DynKeyPlan
{
	DynKeyBase	base;
	const char *source;			/* static: "environment", "credentials file", ... */
	const char *profile;		/* that was looked at; NULL: none */
	bool		of_profile;		/* it is what says where the keys come from */
	DynKeys		keys;			/* of DYN_BASE_KEYS */
	DynAssumeRole web_identity; /* of DYN_BASE_WEB_IDENTITY */
	const char *token_file;		/* the same, and of DYN_BASE_CONTAINER, where it may be NULL */
	char	   *token;			/* of DYN_BASE_CONTAINER, where there is no file; NULL: none */
	const char *url;			/* scheme, host and port of DYN_BASE_CONTAINER and DYN_BASE_METADATA */
	const char *path;			/* of DYN_BASE_CONTAINER */
	double		timeout_s;		/* of the metadata service */
	int			attempts;
	DynAssumeRole roles[DYN_PLAN_MAX_ROLES];	/* to be assumed one over the other, on the base */
	int			nroles;
	const char *sts_url;		/* NULL: the region's */
	DynBuf		looked;			/* where nothing was found: "environment: no AWS_ACCESS_KEY_ID; ..." */
	DynArena	texts;			/* private: memory of all that */
} DynKeyPlan;

/*
 * False: `status` says what is configured wrongly, or that nothing is, and its
 * hint where was looked; or no memory.  The plan is to be freed in any case.
 */
extern bool dyn_key_plan_make(DynKeyPlan *plan, const DynKeyWish *wish, const DynSurroundings *surroundings,
							  DynStatus *status);

/* Adds a place without keys to `looked` (printf style). */
extern void dyn_key_plan_looked(DynKeyPlan *plan, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Wipes what is secret. */
extern void dyn_key_plan_free(DynKeyPlan *plan);

#endif							/* DYN_KEY_PLAN_H */
