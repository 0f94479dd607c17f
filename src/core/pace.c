/*
 * pace.c
 *	  The client-side rate limit of AWS's "adaptive" retry mode, in spirit: its
 *	  constants and its curve.  Other than there, throttles of requests that
 *	  went out together count once, idle time is no low rate, and the limit
 *	  ends.
 */
#include "core/pace.h"

#include <math.h>

#define BETA 0.7				/* what a throttle leaves of the rate */
#define SCALE 0.4				/* of the curve: requests a second, per second cubed */
#define SMOOTH 0.8				/* weight of the newest period in the measured rate */
#define PERIOD_MS 500.0
#define IDLE_MS 1000.0			/* a longer pause between requests is not part of a rate */
#define MIN_RATE 0.5

/*
 * Counts a request that goes out.  The first one after a period tells the rate
 * of that period, unless there was a pause, which is no low rate.
 */
static void
count_sent(DynPace *pace, int in_flight, double now_ms)
{
	double		length = now_ms - pace->period_ms;
	bool		idle = now_ms - pace->last_ms > IDLE_MS;

	if (length >= PERIOD_MS && !idle)
	{
		double		rate = pace->sent * 1000 / length;

		pace->measured = pace->measured == 0 ? rate : rate * SMOOTH + pace->measured * (1 - SMOOTH);
	}
	if (length >= PERIOD_MS || idle)
	{
		pace->period_ms = now_ms;
		pace->sent = 0;
		pace->peak = 0;
	}
	pace->last_ms = now_ms;
	pace->sent++;
	if (in_flight > pace->peak)
		pace->peak = in_flight;
}

/* Requests a second; a burst counts at once. */
static double
current_rate(const DynPace *pace, double now_ms)
{
	double		burst = pace->sent * 1000 / fmax(now_ms - pace->period_ms, PERIOD_MS);

	return fmax(burst, pace->measured);
}

/* Tokens by now: up to those of a second. */
static double
tokens_now(const DynPace *pace, double now_ms)
{
	double		most = fmax(pace->rate, 1);

	return fmin(pace->tokens + pace->rate * (now_ms - pace->filled_ms) / 1000, most);
}

/* Tokens that the time since the last call has brought. */
static void
add_tokens(DynPace *pace, double now_ms)
{
	pace->tokens = tokens_now(pace, now_ms);
	pace->filled_ms = now_ms;
}

/*
 * After a throttle: what really went out is cut, which is less than what was
 * allowed where nobody had more to send.
 */
static void
slow_down(DynPace *pace, double now_ms)
{
	double		rate = current_rate(pace, now_ms);
	double		window = pace->peak;

	if (pace->limited)
	{
		rate = fmin(rate, pace->rate);
		window = fmin(window, pace->window);
	}
	else
	{
		pace->tokens = 0;
		pace->filled_ms = now_ms;
	}
	pace->limited = true;
	pace->cut_ms = now_ms;
	pace->top_rate = fmax(rate, MIN_RATE);
	pace->rate = fmax(rate * BETA, MIN_RATE);
	pace->window = fmax(window * BETA, 1);
}

/* CUBIC: at top_rate again after as many seconds as the curve takes to make good for the cut. */
static void
speed_up(DynPace *pace, double now_ms)
{
	double		seconds = (now_ms - pace->cut_ms) / 1000;
	double		plateau = cbrt(pace->top_rate * (1 - BETA) / SCALE);

	pace->rate = fmax(SCALE * pow(seconds - plateau, 3) + pace->top_rate, MIN_RATE);
	pace->window += 1 / pace->window;
	if (pace->rate >= 2 * pace->top_rate)
		pace->limited = false;
}

double
dyn_pace_wait_ms(const DynPace *pace, int in_flight, double now_ms)
{
	double		tokens;

	if (!pace->limited)
		return 0;
	/* the window is never less than one */
	if (in_flight + 1 > pace->window)
		return DYN_PACE_FULL;
	tokens = tokens_now(pace, now_ms);
	return tokens >= 1 ? 0 : (1 - tokens) / pace->rate * 1000;
}

void
dyn_pace_sent(DynPace *pace, int in_flight, double now_ms)
{
	count_sent(pace, in_flight, now_ms);
	if (!pace->limited)
		return;
	add_tokens(pace, now_ms);
	pace->tokens -= 1;
}

void
dyn_pace_answered(DynPace *pace, bool throttled, double sent_ms, double now_ms)
{
	if (pace->limited)
		add_tokens(pace, now_ms);
	/* throttles of requests sent before the last cut say nothing about the rate since */
	if (throttled && (!pace->limited || sent_ms > pace->cut_ms))
		slow_down(pace, now_ms);
	else if (!throttled && pace->limited)
		speed_up(pace, now_ms);
}
