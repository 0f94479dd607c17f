/*
 * retry.h
 *	  How long to wait before asking again, and whether to: AWS's "standard"
 *	  retry mode.  No clock and no random source in here; both are handed in.
 */
#ifndef DYN_RETRY_H
#define DYN_RETRY_H

#include <stdbool.h>

#include "core/status.h"

/* Tokens that retries of one server draw on, so that an outage is not made worse. */
typedef struct DynRetryBucket
{
	int			tokens;
} DynRetryBucket;

#define DYN_RETRY_BUCKET_SIZE 500
#define DYN_RETRY_COST 14
#define DYN_RETRY_COST_THROTTLED 5

extern void dyn_retry_bucket_init(DynRetryBucket *bucket);

/* Takes what a retry after `cls` costs; the cost, or -1 where the bucket has too little. */
extern int	dyn_retry_take(DynRetryBucket *bucket, DynClass cls);
extern void dyn_retry_give_back(DynRetryBucket *bucket, int tokens);

/*
 * Delay in ms before attempt `attempt + 1`, where `attempt` (from 1) just
 * failed: random × min(base × 2^(attempt-1), 20 s), base 25 ms or 1 s after a
 * throttle. `random` is in [0, 1). `retry_after_ms` is the service's wish (0:
 * none), honoured up to 5 s over the delay.
 */
extern double dyn_retry_delay_ms(DynClass cls, int attempt, double random, double retry_after_ms);

/*
 * Answers that leave all of their keys or items unprocessed.  They are not
 * failures, but only so many rounds of them in a row are put up with; requests
 * that went out side by side are one round.  Zeroed is the start.
 */
typedef struct DynStall
{
	int			round;			/* that requests sent now belong to */
	int			fruitless;		/* rounds without progress, in a row */
	double		since_ms;		/* when the first of them was sent */
} DynStall;

/* What a request remembers of the time it was sent. */
typedef struct DynStallMark
{
	int			round;
	double		sent_ms;
} DynStallMark;

extern DynStallMark dyn_stall_mark(const DynStall *stall, double now_ms);

/*
 * Counts an answer to a request sent at `sent`.  False: `max_attempts` rounds
 * brought nothing.  *delay_ms: pause before its leftovers go out again.
 */
extern bool dyn_stall_count(DynStall *stall, const DynStallMark *sent, bool progress, int max_attempts, double random,
							double *delay_ms);

#endif							/* DYN_RETRY_H */
