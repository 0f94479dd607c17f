/*
 * trace.c
 *	  What each HTTP request did: a queue of records.
 */
#include "net/trace.h"

#include <stdlib.h>

typedef struct Entry
{
	DynTrace	trace;
	struct Entry *next;
} Entry;

static bool tracing = false;
static Entry *oldest = NULL;
static Entry **end = &oldest;

void
dyn_trace_switch(bool on)
{
	DynTrace	forgotten;

	tracing = on;
	while (!on && dyn_trace_next(&forgotten))
		;
}

bool
dyn_trace_on(void)
{
	return tracing;
}

void
dyn_trace_add(const DynTrace *trace)
{
	Entry	   *entry = malloc(sizeof(*entry));

	if (entry == NULL)
		return;
	entry->trace = *trace;
	entry->next = NULL;
	*end = entry;
	end = &entry->next;
}

bool
dyn_trace_next(DynTrace *trace)
{
	Entry	   *entry = oldest;

	if (entry == NULL)
		return false;
	*trace = entry->trace;
	oldest = entry->next;
	if (oldest == NULL)
		end = &oldest;
	free(entry);
	return true;
}
