/*
 * key_fetch_private.h
 *	  What key_fetch.c (requests, attempts, time), key_steps.c (the steps) and a
 *	  file for each service (what it is asked, and what its answers mean) share;
 *	  for nobody else.
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

/* ---- key_steps.c ---- */

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

/* The fetch has failed for good, by these words (printf style), which may quote the status that it has. */
extern DynKeyVerdict dyn_key_step_fail(DynKeyFetch *fetch, const char *fmt, ...)
			__attribute__((format(printf, 2, 3)));

/* Is it a failure that no attempt more can change?  Its class is to be told as it is then. */
extern bool dyn_key_step_is_final(const DynStatus *status);

/* A service that failed, or answered with what is no answer of its own; NULL: no answer came. */
extern DynKeyVerdict dyn_key_step_judge_failure(DynKeyFetch *fetch, const DynHttpAnswer *answer);

/* The answer was 200, and its body could not be read: the status says why. */
extern DynKeyVerdict dyn_key_step_judge_body(DynKeyFetch *fetch);

/*
 * The first line of a file, for the request that is about to be made; what a
 * line break at its end would do to a header it must not.  False, status set.
 */
extern bool dyn_key_step_read_token(DynKeyFetch *fetch, const char *path, size_t max, DynBuf *token);

/* ---- key_metadata.c ---- */

extern bool dyn_key_metadata_ask_token(DynKeyFetch *fetch, DynKeyRequest *request);
extern bool dyn_key_metadata_ask(DynKeyFetch *fetch, DynKeyRequest *request);
extern DynKeyVerdict dyn_key_metadata_take_token(DynKeyFetch *fetch, const DynHttpAnswer *answer);
extern DynKeyVerdict dyn_key_metadata_take_role(DynKeyFetch *fetch, const DynHttpAnswer *answer);
extern DynKeyVerdict dyn_key_metadata_take_keys(DynKeyFetch *fetch, const DynHttpAnswer *answer);

/* ---- key_container.c ---- */

extern bool dyn_key_container_ask(DynKeyFetch *fetch, DynKeyRequest *request);
extern DynKeyVerdict dyn_key_container_take(DynKeyFetch *fetch, const DynHttpAnswer *answer);

/* ---- key_sts.c ---- */

extern bool dyn_key_sts_ask_web_identity(DynKeyFetch *fetch, DynKeyRequest *request);
extern bool dyn_key_sts_ask_role(DynKeyFetch *fetch, DynKeyRequest *request);
extern DynKeyVerdict dyn_key_sts_take(DynKeyFetch *fetch, const DynHttpAnswer *answer);

#endif							/* DYN_KEY_FETCH_PRIVATE_H */
