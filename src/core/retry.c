/*
 * retry.c
 *	  AWS's "standard" retry mode: figures of the SDKs' shared specification,
 *	  revision of 2026.
 */
#include "core/retry.h"

#define BASE_MS 25.0
#define BASE_THROTTLED_MS 1000.0
#define MAX_DELAY_MS 20000.0
#define MAX_RETRY_AFTER_MS 5000.0

void
dyn_retry_bucket_init(DynRetryBucket *bucket)
{
	bucket->tokens = DYN_RETRY_BUCKET_SIZE;
}

int
dyn_retry_take(DynRetryBucket *bucket, DynClass cls)
{
	int			cost = cls == DYN_THROTTLED ? DYN_RETRY_COST_THROTTLED : DYN_RETRY_COST;

	if (bucket->tokens < cost)
		return -1;
	bucket->tokens -= cost;
	return cost;
}

void
dyn_retry_give_back(DynRetryBucket *bucket, int tokens)
{
	bucket->tokens += tokens;
	if (bucket->tokens > DYN_RETRY_BUCKET_SIZE)
		bucket->tokens = DYN_RETRY_BUCKET_SIZE;
}

double
dyn_retry_delay_ms(DynClass cls, int attempt, double random, double retry_after_ms)
{
	double		delay = cls == DYN_THROTTLED ? BASE_THROTTLED_MS : BASE_MS;

	for (int i = 1; i < attempt && delay < MAX_DELAY_MS; i++)
		delay *= 2;
	if (delay > MAX_DELAY_MS)
		delay = MAX_DELAY_MS;
	delay *= random;
	if (retry_after_ms > delay + MAX_RETRY_AFTER_MS)
		return delay + MAX_RETRY_AFTER_MS;
	return retry_after_ms > delay ? retry_after_ms : delay;
}

DynStallMark
dyn_stall_mark(const DynStall *stall, double now_ms)
{
	return (DynStallMark) {stall->round, now_ms};
}

bool
dyn_stall_count(DynStall *stall, const DynStallMark *sent, bool progress, int max_attempts, double random,
				double *delay_ms)
{
	*delay_ms = 0;
	if (progress)
	{
		stall->fruitless = 0;
		return true;
	}
	if (sent->round == stall->round)
	{
		if (stall->fruitless++ == 0)
			stall->since_ms = sent->sent_ms;
		stall->round++;
	}
	if (stall->fruitless >= max_attempts)
		return false;
	/* 25 ms base: the answer was no throttling error */
	*delay_ms = dyn_retry_delay_ms(DYN_SERVER_FAULT, stall->fruitless > 0 ? stall->fruitless : 1, random, 0);
	return true;
}
