/*
 * attempt.h
 *	  Something that may fail without harm to whoever tries it.
 */
#ifndef DYN_ATTEMPT_H
#define DYN_ATTEMPT_H

/*
 * Runs action(arg) in a subtransaction, which cleans up if it raises.  NULL: it
 * did not; else the error, in the current memory context.  A cancel, a
 * deadlock, a lock that is not to be had and want of memory are no failures of the
 * action, and are raised.
 */
extern ErrorData *dyn_attempt(void (*action) (void *arg), void *arg);

/* The same; what the action did is kept only if it returns true. */
extern ErrorData *dyn_attempt_if(bool (*action) (void *arg), void *arg);

#endif							/* DYN_ATTEMPT_H */
