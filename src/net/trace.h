/*
 * trace.h
 *	  What each HTTP request did, for who debugs: a queue that whoever can log
 *	  takes from.
 */
#ifndef DYN_TRACE_H
#define DYN_TRACE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/ddb_op.h"
#include "core/status.h"

typedef struct DynTrace
{
	DynOp		op;
	DynStatus	status;			/* attempts: which one this is; elapsed_ms: its own time */
	size_t		bytes_sent;		/* bodies */
	size_t		bytes_received;
	bool		new_connection;
} DynTrace;

/* Whether requests that end from now on are kept; off forgets those that were. */
extern void dyn_trace_switch(bool on);
extern bool dyn_trace_on(void);

/* A copy is kept; one that memory does not suffice for is lost. */
extern void dyn_trace_add(const DynTrace *trace);

/* Takes the oldest; false: there is none. */
extern bool dyn_trace_next(DynTrace *trace);

#endif							/* DYN_TRACE_H */
