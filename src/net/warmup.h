/*
 * warmup.h
 *	  Opens connections for requests to come.
 */
#ifndef DYN_WARMUP_H
#define DYN_WARMUP_H

#include "net/counters.h"
#include "net/http.h"

/* Connections being opened; zeroed is none. */
typedef struct DynWarmup
{
	DynTransfer **transfers;
	int			count;
} DynWarmup;

/* Begins to open `connections` more; whoever drives the engine moves them on. What fails is left out. */
extern void dyn_warmup_start(DynWarmup *warmup, DynHttp *http, int connections);

/* Leaves those that are open by now, or failed, to the engine. */
extern void dyn_warmup_settle(DynWarmup *warmup, DynCounters *counters);

/* At any time before the engine goes. */
extern void dyn_warmup_free(DynWarmup *warmup);

#endif							/* DYN_WARMUP_H */
