/*
 * counters.h
 *	  What was asked of DynamoDB and what came of it, counted where it happens.
 */
#ifndef DYN_COUNTERS_H
#define DYN_COUNTERS_H

#include <stdint.h>

/* All zero to begin with. */
typedef struct DynCounters
{
	struct DynCounters *parent; /* counts the same, and more; outlives this one; may be NULL */
	int64_t		requests;		/* HTTP requests sent, retries included */
	int64_t		retries;
	int64_t		throttles;		/* answers that said "slow down" */
	int64_t		unprocessed_keys;	/* that DynamoDB gave back, to be asked again */
	int64_t		unprocessed_items;	/* that DynamoDB gave back, to be sent again */
	int64_t		items_found;
	int64_t		items_missing;	/* keys without an item */
	int64_t		items_written;
	int64_t		items_refused;	/* puts that a newer item, stored or of the same statement, refused */
	int64_t		bytes_sent;		/* of bodies */
	int64_t		bytes_received; /* of bodies */
	int64_t		connections_opened;
	int64_t		connections_reused; /* requests that needed no new one */
	int64_t		in_flight;		/* requests, now */
	int64_t		most_in_flight;
	double		consumed_capacity;	/* units, where the answers tell */
} DynCounters;

/* Adds to one member, up the chain; `counters` may be NULL. Evaluates `n` once. */
#define DYN_COUNT(counters, member, n) \
	do { \
		DynCounters *counter_ = (counters); \
		__typeof__(counter_->member) n_ = (n); \
		for (; counter_; counter_ = counter_->parent) \
			counter_->member += n_; \
	} while (0)

static inline void
dyn_count_request(DynCounters *counters)
{
	for (; counters; counters = counters->parent)
	{
		counters->requests++;
		counters->in_flight++;
		if (counters->in_flight > counters->most_in_flight)
			counters->most_in_flight = counters->in_flight;
	}
}

/* Adds what two readers counted that ran side by side: they may have had their most in flight at the same time. */
static inline void
dyn_counters_add(DynCounters *sum, const DynCounters *counters)
{
	sum->requests += counters->requests;
	sum->retries += counters->retries;
	sum->throttles += counters->throttles;
	sum->unprocessed_keys += counters->unprocessed_keys;
	sum->unprocessed_items += counters->unprocessed_items;
	sum->items_found += counters->items_found;
	sum->items_missing += counters->items_missing;
	sum->items_written += counters->items_written;
	sum->items_refused += counters->items_refused;
	sum->bytes_sent += counters->bytes_sent;
	sum->bytes_received += counters->bytes_received;
	sum->connections_opened += counters->connections_opened;
	sum->connections_reused += counters->connections_reused;
	sum->in_flight += counters->in_flight;
	sum->most_in_flight += counters->most_in_flight;
	sum->consumed_capacity += counters->consumed_capacity;
}

#endif							/* DYN_COUNTERS_H */
