/*
 * key_fetch_private.h
 *	  What key_fetch.c (requests, attempts, time) and key_steps.c (what is asked
 *	  of whom, and what the answers mean) share; for nobody else.
 */
#ifndef DYN_KEY_FETCH_PRIVATE_H
#define DYN_KEY_FETCH_PRIVATE_H

#include "core/endpoint.h"
#include "core/keys_reply.h"
#include "net/http.h"
#include "net/key_fetch.h"
#include "net/loop.h"

/* A request of a fetch, to one service. */
typedef enum DynKeyStep
{
	DYN_STEP_METADATA_TOKEN,
	DYN_STEP_METADATA_ROLE,
	DYN_STEP_METADATA_KEYS,
	DYN_STEP_CONTAINER,
	DYN_STEP_WEB_IDENTITY,
	DYN_STEP_ROLE,				/* number fetch->role of the plan */
	DYN_STEP_END
} DynKeyStep;

/* What an answer, or the lack of one, means. */
typedef enum DynKeyVerdict
{
	DYN_STEP_TAKEN,				/* fetch->step is the next one */
	DYN_STEP_AGAIN,				/* the same request may succeed later; fetch->status says what failed */
	DYN_STEP_FAILED				/* fetch->status is set */
} DynKeyVerdict;

#define DYN_KEY_HEADERS 6

/* A request as it is about to be sent.  Texts: of the fetch, or static. */
typedef struct DynKeyRequest
{
	DynEndpoint endpoint;
	DynHttpRequest http;
	DynHttpHeader headers[DYN_KEY_HEADERS];
	double		timeout_s;		/* of connecting, and of the answer */
	int			attempts;		/* the first included */
	double		pause_ms;		/* between them; 0: as to DynamoDB */
	bool		sts;			/* by the proxy and with the trusted roots of DynamoDB's own requests */
} DynKeyRequest;

struct DynKeyFetch
{
	DynKeyFetchConfig config;
	DynKeyPlan	plan;
	DynStatus	status;
	bool		done;
	double		ended_ms;		/* when it was */
	DynKeys		keys;			/* of the base, then of each role */
	DynKeyStep	step;
	int			role;
	char		metadata_role[DYN_ROLE_NAME_MAX + 1];
	int			metadata_tokens;	/* that were asked for */
	DynBuf		metadata_token;
	/* the request in flight, or to be sent */
	DynBuf		text;			/* its path, date or token */
	DynBuf		authorization;
	DynBuf		body;
	DynHttp    *http;
	DynEndpoint endpoint;		/* that `http` is for */
	double		timeout_s;		/* the same */
	DynTransfer *transfer;
	int			attempts;
	int			max_attempts;
	double		pause_ms;
	double		due_ms;			/* while none is in flight */
	double		deadline_ms;	/* of the whole */
	double		driven_ms;		/* the last time */
	double		wake_ms;		/* when it then asked to be driven again, at the latest */
	DynLoopMember member;
};

/* Fills in the request of the current step.  False, `status` set: it can't be made. */
extern bool dyn_key_step_request(DynKeyFetch *fetch, DynKeyRequest *request);

/* Takes in the answer to it; NULL: none came, and fetch->status says why. */
extern DynKeyVerdict dyn_key_step_answer(DynKeyFetch *fetch, const DynHttpAnswer *answer);

/* "STS at sts.us-west-2.amazonaws.com": who is asked by the current step. */
extern const char *dyn_key_step_service(const DynKeyFetch *fetch);

/* The step after the base's keys, or after those of a role. */
extern void dyn_key_step_next_role(DynKeyFetch *fetch, int role);

/* Where to begin. */
extern DynKeyStep dyn_key_step_first(const DynKeyPlan *plan);

#endif							/* DYN_KEY_FETCH_PRIVATE_H */
