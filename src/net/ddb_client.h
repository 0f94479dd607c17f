/*
 * ddb_client.h
 *	  DynamoDB client: signs, sends, checks and retries single operations,
 *	  many at once.
 *
 * Like the engine below it, it never waits.  Every client is a member of the
 * loop (loop.h), which drives all.
 */
#ifndef DYN_DDB_CLIENT_H
#define DYN_DDB_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/ddb_op.h"
#include "core/endpoint.h"
#include "core/retry.h"
#include "core/status.h"
#include "net/counters.h"
#include "net/key_source.h"

typedef struct DynClientConfig
{
	DynEndpoint endpoint;
	const char *region;			/* that requests are signed for */
	DynKeySource *keys;			/* what signs; the client takes a reference of its own */
	const char *ca_bundle;		/* NULL: libcurl's default */
	bool		no_proxy;		/* whatever the environment says: behind a proxy nobody sees which address is reached */
	double		connect_timeout_s;
	double		read_timeout_s;
	int			total_max_retry_attempts;	/* the first included */
	bool		adaptive;		/* retry_mode */
	int			max_pool_connections;
	double		keepalive_timeout_s;	/* rounded up to whole seconds */
	bool		warmup_connections;
	DynCounters *counters;		/* borrowed; of calls that have none of their own; may be NULL */
	DynClock	clock;
} DynClientConfig;

typedef struct DynClient DynClient;

/* One operation, with its retries. */
typedef struct DynCall DynCall;

/* NULL on failure. The config's texts are copied. */
extern DynClient *dyn_client_new(const DynClientConfig *config, DynStatus *status);

/* Calls left are broken off and can only be freed. NULL is fine. */
extern void dyn_client_free(DynClient *client);

/* Whose keys sign; as long as the client. */
extern DynKeySource *dyn_client_keys(const DynClient *client);

extern int	dyn_client_timeout_ms(const DynClient *client);
extern void dyn_client_drive(DynClient *client);

/*
 * The first time, and if the option asks for it: opens as many connections as
 * are still missing for `workers` requests at a time.  Never fails.
 */
extern void dyn_client_warm_up(DynClient *client, int workers);

/* False once its engine failed: calls only fail from then on. */
extern bool dyn_client_usable(const DynClient *client);

/*
 * Starts an operation after `delay_ms`. `body` is moved into the call and left
 * empty, on failure too. `counters` outlive the call; NULL: the client's own.
 * NULL on failure, `status` set.
 */
extern DynCall *dyn_call_start(DynClient *client, DynOp op, DynBuf *body, double delay_ms, DynCounters *counters,
							   DynStatus *status);
extern bool dyn_call_done(const DynCall *call);

/* Of a call that is done: its class is DYN_OK when DynamoDB answered 200. */
extern const DynStatus *dyn_call_status(const DynCall *call);

/* May an attempt be carried out, or have been, though it got no answer? */
extern bool dyn_call_maybe_done(const DynCall *call);

/* Body of a 200 answer, or of another one; belongs to the call, may be changed in place. */
extern DynBuf *dyn_call_answer(DynCall *call);

/*
 * Whether a 200 answer makes sense only the caller can tell, who says one of
 * these.  Accepted, the call is a success, and what its retries took from the
 * bucket is given back; it stays as it is.  Rejected, it is asked again as after
 * any other failure, or left done with class DYN_PROTOCOL.
 */
extern void dyn_call_accept(DynCall *call);
extern void dyn_call_reject(DynCall *call, const char *why);

/* At any time; breaks off what is in flight. NULL is fine. */
extern void dyn_call_free(DynCall *call);

/* For a request that goes out after `delay_ms`; see dyn_call_count_stall(). */
extern DynStallMark dyn_client_stall_mark(const DynClient *client, const DynStall *stall, double delay_ms);

/*
 * Counts the answer of a batch call, sent at `sent`: did it make progress?
 * *delay_ms: pause before what it left goes out again.  False, `status` set:
 * too many in a row made none.
 */
extern bool dyn_call_count_stall(DynCall *call, DynStall *stall, const DynStallMark *sent, bool progress,
								 double *delay_ms, DynStatus *status);

#endif							/* DYN_DDB_CLIENT_H */
