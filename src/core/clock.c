/*
 * clock.c
 *	  Time and chance.
 */
#include "core/clock.h"

#include <time.h>

int64_t
dyn_clock_monotonic_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Two clocks made in the same moment still differ, by their address; the state must not be 0. */
void
dyn_clock_init(DynClock *clock)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	clock->random_state = ((uint64_t) ts.tv_nsec << 32 ^ (uint64_t) ts.tv_sec ^ (uintptr_t) clock) | 1;
}

double
dyn_clock_now_ms(const DynClock *clock)
{
	return clock->now_ms ? clock->now_ms() : dyn_clock_monotonic_us() / 1e3;
}

int64_t
dyn_clock_wall_s(const DynClock *clock)
{
	return clock->wall_s ? clock->wall_s() : (int64_t) time(NULL);
}

/* xorshift64* */
double
dyn_clock_chance(DynClock *clock)
{
	uint64_t	x = clock->random_state;

	if (clock->random)
		return clock->random();
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	clock->random_state = x;
	return (double) ((x * UINT64_C(0x2545f4914f6cdd1d)) >> 11) / (double) (UINT64_C(1) << 53);
}
