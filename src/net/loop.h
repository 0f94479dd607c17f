/*
 * loop.h
 *	  All that this process has in flight, behind one pollable descriptor: who
 *	  waits, for whatever, moves everybody's transfers on.
 *
 * Waiting is the caller's: poll dyn_loop_fd() for input, for at most
 * dyn_loop_timeout_ms(), then dyn_loop_drive().
 */
#ifndef DYN_LOOP_H
#define DYN_LOOP_H

#include <stdbool.h>

typedef struct DynLoopMember
{
	int			(*timeout_ms) (void *arg);	/* until there is work without any input; 0: now, -1: never */
	void		(*drive) (void *arg);
	void	   *arg;
	/* private */
	bool		joined;
	bool		ready;
	struct DynLoopMember *next;
	struct DynLoopMember *prev;
} DynLoopMember;

/* Opens the loop's descriptor, which stays; false on failure, with errno. */
extern bool dyn_loop_open(void);

/* The member stays where it is until it leaves.  False on failure, with errno: the loop could not be opened. */
extern bool dyn_loop_join(DynLoopMember *member);

/*
 * From now on input on `fd` drives the member, besides its timeout.  What was
 * watched for it before is closed: that ends the watching.  False on failure,
 * with errno.
 */
extern bool dyn_loop_watch(DynLoopMember *member, int fd);

/*
 * One that never joined may leave too.  What is watched for it must be closed
 * before the loop is driven again.  Not from within its own functions.
 */
extern void dyn_loop_leave(DynLoopMember *member);

/* -1 before the loop is open; stays the same from then on. */
extern int	dyn_loop_fd(void);
extern int	dyn_loop_timeout_ms(void);
extern void dyn_loop_drive(void);

#endif							/* DYN_LOOP_H */
