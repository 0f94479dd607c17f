/*
 * trace.h
 *	  What each HTTP request did, for debugging.  Nobody on this floor can write
 *	  to the server's log, so the records wait in a queue for the floor above.
 */
#ifndef DYN_TRACE_H
#define DYN_TRACE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

typedef struct DynTrace
{
	const char *name;			/* of the operation; static */
	DynStatus	status;			/* attempts: which one this is; elapsed_ms: its own time */
	size_t		bytes_sent;		/* bodies */
	size_t		bytes_received;
	bool		new_connection;
} DynTrace;

/* On: requests that end from now on leave a record.  Off: none does, and the records in the queue are dropped. */
extern void dyn_trace_switch(bool on);
extern bool dyn_trace_on(void);

/* Queues a copy of the record, or drops it if there is no memory. */
extern void dyn_trace_add(const DynTrace *trace);

/* Takes the oldest record out of the queue; false: it is empty. */
extern bool dyn_trace_next(DynTrace *trace);

#endif							/* DYN_TRACE_H */
