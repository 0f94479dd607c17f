/*
 * test_pace.c
 *	  The rate limit of retry_mode "adaptive", on a clock of its own.
 */
#include "core/pace.h"

#include <math.h>

#include "tap.h"

static bool
near(double got, double want)
{
	if (fabs(got - want) < 1e-6)
		return true;
	diag("got %g, want %g", got, want);
	return false;
}

/* A pace after 20 requests sent together at 10 s, the first of which was throttled: 40 a second. */
static DynPace
throttled(void)
{
	DynPace		pace = {0};

	for (int i = 0; i < 20; i++)
		dyn_pace_sent(&pace, i + 1, 10000);
	dyn_pace_answered(&pace, true, 10000, 10010);
	return pace;
}

static void
test_no_limit_at_first(void)
{
	DynPace		pace = {0};
	bool		free = true;

	for (int i = 0; i < 1000; i++)
	{
		free = free && dyn_pace_wait_ms(&pace, i, 5000) == 0;
		dyn_pace_sent(&pace, i, 5000);
		dyn_pace_answered(&pace, false, 5000, 5001);
	}
	ok(free, "nothing is limited without a throttle");
}

static void
test_a_throttle_cuts(void)
{
	DynPace		pace = throttled();

	ok(near(pace.rate, 28) && near(pace.window, 14), "a throttle leaves 0.7 of rate and window");
	dyn_pace_answered(&pace, true, 10000, 10020);
	ok(near(pace.rate, 28) && near(pace.window, 14), "others of the same burst cut nothing more");
	dyn_pace_sent(&pace, 14, 10100);
	dyn_pace_answered(&pace, true, 10100, 10110);
	ok(near(pace.rate, 0.7 * 28) && near(pace.window, 0.7 * 14), "one sent since does");
}

static void
test_waiting(void)
{
	DynPace		pace = throttled();

	ok(near(dyn_pace_wait_ms(&pace, 5, 10010), 1000 / 28.0), "the next request waits for a token");
	ok(near(dyn_pace_wait_ms(&pace, 5, 10020), 1000 / 28.0 - 10), "which comes with time");
	ok(near(dyn_pace_wait_ms(&pace, 5, 10046), 0), "and is there");
	dyn_pace_sent(&pace, 6, 10046);
	ok(dyn_pace_wait_ms(&pace, 5, 10046) > 30, "but only once");
	ok(near(dyn_pace_wait_ms(&pace, 13, 12000), 0), "the 14th may be in flight");
	ok(dyn_pace_wait_ms(&pace, 14, 12000) == DYN_PACE_FULL, "the 15th waits for an answer");
	pace.window = 1;
	ok(near(dyn_pace_wait_ms(&pace, 0, 12000), 0), "one may always be under way");
}

static void
test_a_pause_saves_no_more_than_a_second(void)
{
	DynPace		pace = throttled();
	int			burst = 0;

	while (dyn_pace_wait_ms(&pace, 0, 1000000) == 0)
	{
		dyn_pace_sent(&pace, 1, 1000000);
		burst++;
	}
	is_int(burst, 28, "after a long pause a second's worth may go out at once");
}

static void
test_growth(void)
{
	DynPace		pace = throttled();
	double		plateau_ms = cbrt(40 * 0.3 / 0.4) * 1000;

	dyn_pace_answered(&pace, false, 10000, 10010);
	ok(near(pace.rate, 28) && pace.window > 14, "the curve starts at the cut");
	dyn_pace_answered(&pace, false, 10000, 10010 + plateau_ms / 2);
	ok(pace.rate > 28 && pace.rate < 40, "rises");
	dyn_pace_answered(&pace, false, 10000, 10010 + plateau_ms);
	ok(near(pace.rate, 40), "is back where it throttled after a while");
	dyn_pace_answered(&pace, false, 10000, 10010 + plateau_ms + 2000);
	ok(near(pace.rate, 40 + 0.4 * 8), "goes on slowly, then fast");
	ok(pace.limited, "and limits still");
	dyn_pace_answered(&pace, false, 10000, 10010 + plateau_ms + 5000);
	ok(!pace.limited && dyn_pace_wait_ms(&pace, 1000, 20000) == 0, "until it is twice what throttled");
}

static void
test_the_window_grows_by_one_a_round(void)
{
	DynPace		pace = throttled();
	double		before = pace.window;

	for (int i = 0; i < 14; i++)
		dyn_pace_answered(&pace, false, 10020, 10030);
	ok(pace.window > before + 0.9 && pace.window < before + 1.1, "14 answers let one more be in flight");
}

static void
test_endless_throttling(void)
{
	DynPace		pace = throttled();
	double		now = 10100;

	for (int i = 0; i < 1000; i++, now += 10)
	{
		dyn_pace_sent(&pace, 1, now);
		dyn_pace_answered(&pace, true, now, now + 1);
	}
	ok(near(pace.rate, 0.5) && near(pace.window, 1), "a request in two seconds is the least");
	ok(dyn_pace_wait_ms(&pace, 0, now) <= 2000 * 1001, "no wait is endless");
}

static void
test_the_measured_rate(void)
{
	DynPace		pace = {0};
	double		now = 10000;

	/* a request every 10 ms for 5 s, then none for a minute, then one that is throttled */
	for (int i = 0; i < 500; i++, now += 10)
		dyn_pace_sent(&pace, 1, now);
	now += 60000;
	dyn_pace_sent(&pace, 1, now);
	dyn_pace_answered(&pace, true, now, now + 1);
	ok(pace.rate > 65 && pace.rate < 75, "a pause is no low rate");
}

int
main(void)
{
	test_no_limit_at_first();
	test_a_throttle_cuts();
	test_waiting();
	test_a_pause_saves_no_more_than_a_second();
	test_growth();
	test_the_window_grows_by_one_a_round();
	test_endless_throttling();
	test_the_measured_rate();
	return done_testing();
}
