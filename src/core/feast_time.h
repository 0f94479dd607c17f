/*
 * feast_time.h
 *	  The text of event_ts, which is Python's str(datetime).
 */
#ifndef DYN_FEAST_TIME_H
#define DYN_FEAST_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "9999-12-31 23:59:59.999999+00:00" and a NUL */
#define DYN_EVENT_TS_LEN 33

/*
 * Writes micros since 1970 as `YYYY-MM-DD HH:MM:SS[.ffffff]+00:00`.  False
 * outside the years 1 to 9999, which Python's datetime does not have.
 */
extern bool dyn_event_ts_format(int64_t micros, char out[DYN_EVENT_TS_LEN]);

typedef enum DynEventTs
{
	DYN_EVENT_TS_OK,
	DYN_EVENT_TS_NAT,			/* pandas' NaT: a null */
	DYN_EVENT_TS_BAD
} DynEventTs;

/*
 * Reads that and any ISO 8601 form Feast may have stored: 'T' or a space,
 * one to nine fraction digits (beyond six truncated, as Feast does), `Z`,
 * `±HH:MM[:SS[.ffffff]]`, `±HHMM`, or no offset (UTC).
 */
extern DynEventTs dyn_event_ts_parse(const char *text, size_t len, int64_t *micros);

#endif							/* DYN_FEAST_TIME_H */
