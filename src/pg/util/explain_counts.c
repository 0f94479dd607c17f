/*
 * explain_counts.c
 *	  Numbers that EXPLAIN shows of every node of ours.
 */
#include "pg/util/export.h"

#include "pg/util/compat.h"
#include "pg/util/explain_counts.h"

void
dyn_explain_number(const char *name, int64 value, ExplainState *es)
{
	ExplainPropertyInteger(name, NULL, value, es);
}

void
dyn_explain_requests(const DynCounters *counters, bool capacity, ExplainState *es)
{
	dyn_explain_number("Requests", counters->requests, es);
	dyn_explain_number("Retries", counters->retries, es);
	dyn_explain_number("Throttles", counters->throttles, es);
	dyn_explain_number("Most In Flight", counters->most_in_flight, es);
	dyn_explain_number("Bytes Sent", counters->bytes_sent, es);
	dyn_explain_number("Bytes Received", counters->bytes_received, es);
	dyn_explain_number("Connections Opened", counters->connections_opened, es);
	dyn_explain_number("Connections Reused", counters->connections_reused, es);
	if (capacity)
		ExplainPropertyFloat("Consumed Capacity", NULL, counters->consumed_capacity, 1, es);
}
