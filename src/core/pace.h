/*
 * pace.h
 *	  retry_mode "adaptive": how fast requests may go out, and how many at a
 *	  time, while DynamoDB throttles.
 *
 * A throttle cuts the rate at which requests went out, and the number in flight, to
 * 0.7 of what they were.  Successes let both grow again, the rate by CUBIC's
 * curve: back to where it throttled, a while there, then faster and faster. At
 * twice that there is no limit any more.  Nothing is limited before the first
 * throttle.  The clock is handed in.
 */
#ifndef DYN_PACE_H
#define DYN_PACE_H

#include <stdbool.h>

/* Zeroed is the start. */
typedef struct DynPace
{
	bool		limited;
	double		cut_ms;			/* the last throttle that counted */
	double		top_rate;		/* requests a second when it came */
	double		rate;			/* requests a second allowed now */
	double		tokens;			/* requests that may go out at once */
	double		filled_ms;		/* when tokens were last added */
	double		window;			/* requests allowed in flight */
	/* how fast requests go out */
	double		measured;		/* a second, smoothed; 0: not yet known */
	double		period_ms;		/* begin of the period being counted */
	double		last_ms;		/* the last one */
	int			sent;			/* in this period */
	int			peak;			/* most in flight in this period */
} DynPace;

/* A wait that only an answer ends. */
#define DYN_PACE_FULL (-1.0)

/* May a request go out now?  0: yes; else the ms until it may, or DYN_PACE_FULL. */
extern double dyn_pace_wait_ms(const DynPace *pace, int in_flight, double now_ms);

/* A request goes out, and makes it `in_flight`. */
extern void dyn_pace_sent(DynPace *pace, int in_flight, double now_ms);

/* An answer came to a request that went out at `sent_ms`. */
extern void dyn_pace_answered(DynPace *pace, bool throttled, double sent_ms, double now_ms);

#endif							/* DYN_PACE_H */
