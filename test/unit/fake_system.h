/*
 * fake_system.h
 *	  Stands in for parts of libc, for our code and for libcurl alike: the
 *	  monotonic clock, which stands still unless a test moves it, the name
 *	  service, connect() and epoll_ctl().
 */
#ifndef DYN_FAKE_SYSTEM_H
#define DYN_FAKE_SYSTEM_H

#include <stdbool.h>

/* Lets time pass. */
extern void fake_pass_ms(double ms);

/* Time that passes at each look at the clock, 0 at first. */
extern long fake_tick_us;

/*
 * Names: "known.test" is the loopback address, "slow.test" too, but a lookup of
 * it that begins while names are held ends only with the next release.  They
 * are held at first.  "metadata.test" is 169.254.169.254, "both.test" that and
 * then the loopback address.  There are no other names.
 */
extern void fake_hold_names(void);
extern void fake_release_names(void);
extern int	fake_names_asked(void);

/* Had the last thread that asked for a name any signal unblocked? */
extern bool fake_signals_open(void);

/* Calls of connect() so far; those that would leave this machine find no network. */
extern int	fake_connects;

/* Calls of epoll_ctl() that still succeed, then all fail; -1: none does. */
extern int	fake_epoll_left;

#endif							/* DYN_FAKE_SYSTEM_H */
