/*
 * ddb_private.h
 *	  What ddb_client.c (the client), ddb_call.c (its calls) and ddb_keys.c (the
 *	  keys that sign them) share; for nobody else.
 */
#ifndef DYN_DDB_PRIVATE_H
#define DYN_DDB_PRIVATE_H

#include "core/pace.h"
#include "core/sigv4.h"
#include "net/ddb_client.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/warmup.h"

struct DynClient
{
	DynHttp    *http;
	DynEndpoint endpoint;
	char	   *region;
	DynKeySource *keys;
	uint64_t	key_serial;		/* of those that `signer` has */
	const char *session_token;	/* of them; NULL: none */
	int			max_attempts;
	bool		adaptive;
	int			max_pool_connections;
	DynClock	clock;
	DynSigv4Signer signer;		/* its keys are a loan of the source, taken anew for each request */
	DynRetryBucket bucket;
	DynPace		pace;			/* unlimited unless adaptive */
	int64_t		skew_s;			/* the service's clock minus ours, since it complained */
	DynCounters *counters;
	DynCall    *calls;			/* all that are not freed */
	DynLoopMember member;
	int			in_flight;
	bool		held;			/* a call found no descriptor: none goes out ... */
	uint64_t	held_epoch;		/* ... in this epoch of dyn_descriptor_epoch() */
	bool		warm_up;		/* still to be done */
	DynWarmup	warmup;
};

typedef enum DynCallState
{
	DYN_CALL_WAITING,
	DYN_CALL_IN_FLIGHT,
	DYN_CALL_DONE
} DynCallState;

struct DynCall
{
	DynClient  *client;			/* NULL: freed before the call */
	DynCall    *next;
	DynCall    *prev;
	DynOp		op;
	DynCallState state;
	DynBuf		body;			/* request */
	DynBuf		answer;
	DynTransfer *transfer;		/* while in flight */
	double		started_ms;		/* for elapsed_ms */
	double		due_ms;			/* while waiting */
	double		sent_ms;		/* the last attempt */
	int			attempts;
	bool		maybe_done;		/* an attempt was sent, and got no answer of the service */
	bool		fresh;			/* met a stale connection, wants a new one */
	uint64_t	key_serial;		/* of the keys that signed the last attempt */
	bool		keys_renewed;	/* new ones were asked for, as these were refused */
	char		token_start[DYN_SECRET_START + 1];	/* of their session token, "": none; for dyn_status_redact() */
	int64_t		sent_skew_s;	/* that the signature was made with */
	bool		skew_corrected;
	int			tokens;			/* taken from the bucket, given back when the answer is accepted */
	DynCounters *counters;
	DynStatus	status;
};

/*
 * Opens the client's engine and has the loop watch it, as far as that is not
 * the case.  False on failure, `status` set.
 */
extern bool dyn_client_open(DynClient *client, DynStatus *status);

/* Do the client's calls wait for a descriptor? */
extern bool dyn_client_held(const DynClient *client);

/* ---- ddb_keys.c ---- */

/* Lends the client's signer the keys of now, for this call; status and result as of dyn_key_source_keys(). */
extern DynKeyState dyn_call_take_keys(DynCall *call, DynStatus *status);

/*
 * The call's status is a refusal of its keys.  True: new ones are asked for,
 * and the call waits to be sent with them; but only once.
 */
extern bool dyn_call_renew_keys(DynCall *call);

/* ---- ddb_call.c ---- */

/* Signs and sends a call, again or for the first time.  It is in flight then, done, or waits for a descriptor or for keys. */
extern void dyn_call_send(DynCall *call);

/* Takes over the result of the transfer, which is then gone: the call is done, or waits to be sent again. */
extern void dyn_call_take_answer(DynCall *call);

/* The call has no transfer any more. */
extern void dyn_call_drop_transfer(DynCall *call);

#endif							/* DYN_DDB_PRIVATE_H */
