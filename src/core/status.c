/*
 * status.c
 *	  What went wrong, as data.
 */
#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
dyn_status_clear(DynStatus *status)
{
	memset(status, 0, sizeof(*status));
}

bool
dyn_status_set(DynStatus *status, DynClass cls, const char *fmt, ...)
{
	va_list		args;

	status->cls = cls;
	va_start(args, fmt);
	vsnprintf(status->message, sizeof(status->message), fmt, args);
	va_end(args);
	return false;
}

void
dyn_status_hint(DynStatus *status, const char *fmt, ...)
{
	va_list		args;

	va_start(args, fmt);
	vsnprintf(status->hint, sizeof(status->hint), fmt, args);
	va_end(args);
}

bool
dyn_status_no_memory(DynStatus *status)
{
	return dyn_status_set(status, DYN_NO_MEMORY, "out of memory");
}

bool
dyn_status_retryable(const DynStatus *status)
{
	switch (status->cls)
	{
		case DYN_CONNECT:
		case DYN_CONNECTION_LOST:
		case DYN_TIMEOUT:
		case DYN_THROTTLED:
		case DYN_PROTOCOL:
			return true;
		case DYN_SERVER_FAULT:
			/* of the answers 5xx these are passing */
			return status->http_status < 500 || (status->http_status <= 504 && status->http_status != 501);
		default:
			return false;
	}
}
