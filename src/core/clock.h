/*
 * clock.h
 *	  Time and chance: the only place that asks the system for them.
 */
#ifndef DYN_CLOCK_H
#define DYN_CLOCK_H

#include <stdint.h>

/* For tests to hand in their own; a NULL member is the real one. */
typedef struct DynClock
{
	double		(*now_ms) (void);	/* monotonic */
	int64_t		(*wall_s) (void);	/* epoch seconds */
	double		(*random) (void);	/* in [0, 1) */
	uint64_t	random_state;	/* private */
} DynClock;

/* Seeds the chance of a clock whose functions are set. */
extern void dyn_clock_init(DynClock *clock);

extern double dyn_clock_now_ms(const DynClock *clock);
extern int64_t dyn_clock_wall_s(const DynClock *clock);

/* In [0, 1): spreads delays; no secret depends on it. */
extern double dyn_clock_chance(DynClock *clock);

/* The system's monotonic clock, for those who need no other. */
extern int64_t dyn_clock_monotonic_us(void);

#endif							/* DYN_CLOCK_H */
