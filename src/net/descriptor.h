/*
 * descriptor.h
 *	  The file descriptors of this floor, booked with whoever limits them.
 *
 * The process has only so many descriptors, and others need some: the server,
 * for its own files.  So each one is booked before it is opened, and given back
 * when it is closed.  Of one that is refused `errno` says EMFILE, as if the
 * system had refused it.
 */
#ifndef DYN_DESCRIPTOR_H
#define DYN_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

/*
 * Hands in the two functions: `acquire` books one descriptor, or says false;
 * `release` gives one back.  Both are called on the main thread alone, from
 * libcurl's callbacks too, and must not throw.  To be called before the first
 * client is made; without them every descriptor is granted.
 */
extern void dyn_descriptor_book_with(bool (*acquire) (void), void (*release) (void));

/* Books `n` descriptors, all or none. */
extern bool dyn_descriptor_acquire(int n);
extern void dyn_descriptor_release(int n);

/* The same after a while: for those that a thread left to itself will close. */
extern void dyn_descriptor_release_later(int n);

/* Books and opens: an epoll set, a socket; -1 on failure. */
extern int	dyn_descriptor_epoll(void);
extern int	dyn_descriptor_socket(int family, int type, int protocol);

/* Closes one of these; -1 is fine. */
extern void dyn_descriptor_close(int fd);

/* Could `n` descriptors be booked and opened now?  It opens them for a moment. */
#define DYN_DESCRIPTORS_PROBED 4	/* the most that `n` may be */
extern bool dyn_descriptor_available(int n);

/* Does `errno` mean that no descriptor was left? */
extern bool dyn_descriptor_lacking(int error);

/* Tells that by `what` something could not be opened, by errno; returns false. */
extern bool dyn_descriptor_failed(DynStatus *status, const char *what);

/*
 * A number that changes whenever there may be room where there was none: a
 * descriptor was given back, or dyn_descriptor_made_room() was called.  Whoever
 * was refused one may try again then.
 */
extern uint64_t dyn_descriptor_epoch(void);
extern void dyn_descriptor_made_room(void);

#endif							/* DYN_DESCRIPTOR_H */
