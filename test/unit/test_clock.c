/*
 * test_clock.c
 *	  Time and chance, the system's own and those that are handed in.
 */
#include <time.h>

#include "core/clock.h"
#include "tap.h"

#define DRAWS 10000

static double
three(void)
{
	return 3;
}

static int64_t
four(void)
{
	return 4;
}

static double
half(void)
{
	return 0.5;
}

static void
test_handed_in(void)
{
	DynClock	clock = {.now_ms = three, .wall_s = four, .random = half};

	dyn_clock_init(&clock);
	ok(dyn_clock_now_ms(&clock) == 3, "a clock's own time");
	is_int(dyn_clock_wall_s(&clock), 4, "its own date");
	ok(dyn_clock_chance(&clock) == 0.5, "its own chance");
}

static void
test_time(void)
{
	DynClock	clock = {0};
	int64_t		us = dyn_clock_monotonic_us();
	int64_t		wall = (int64_t) time(NULL);
	double		ms;
	int64_t		date;

	dyn_clock_init(&clock);
	ms = dyn_clock_now_ms(&clock);
	date = dyn_clock_wall_s(&clock);
	ok(ms >= us / 1e3 && ms <= dyn_clock_monotonic_us() / 1e3, "the time in milliseconds is the monotonic clock's");
	ok(date >= wall && date <= (int64_t) time(NULL), "the date is the system's");
}

/* Not a test of randomness: only of what delays need. */
static void
test_chance(void)
{
	DynClock	clock = {0};
	DynClock	other = {0};
	int			tenths[10] = {0};
	int			inside = 0;
	int			differ = 0;

	dyn_clock_init(&clock);
	dyn_clock_init(&other);
	for (int i = 0; i < DRAWS; i++)
	{
		double		x = dyn_clock_chance(&clock);

		differ += x != dyn_clock_chance(&other);
		if (x >= 0 && x < 1)
		{
			inside++;
			tenths[(int) (x * 10)]++;
		}
	}
	is_int(inside, DRAWS, "chance is in [0, 1)");
	for (int i = 0; i < 10; i++)
		ok(tenths[i] > DRAWS / 20 && tenths[i] < DRAWS / 5, "%d of %d are in tenth %d", tenths[i], DRAWS, i);
	ok(differ > DRAWS / 2, "two clocks of the same moment differ");
}

int
main(void)
{
	test_handed_in();
	test_time();
	test_chance();
	return done_testing();
}
