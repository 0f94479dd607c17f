/*
 * wait.h
 *	  Waiting for the network on the process latch.
 */
#ifndef DYN_WAIT_H
#define DYN_WAIT_H

#include "core/status.h"

/* What is waited for, as pg_stat_activity shows it from PostgreSQL 17 on. */
typedef enum DynWaitFor
{
	DYN_WAIT_READ,				/* DynamoFdwRead */
	DYN_WAIT_WRITE,				/* DynamoFdwWrite */
	DYN_WAIT_DDL				/* DynamoFdwRemoteDDL */
} DynWaitFor;

/*
 * Makes what dyn_wait() waits on, once a session: to be called before anything
 * is sent, which may take the last descriptors.  False on failure, `status` set.
 */
extern bool dyn_wait_prepare(DynStatus *status);

/*
 * Waits until any client of the process has something to do or `max_ms` (-1: no
 * limit) have passed, then lets all clients do what they have to.  A cancel, a
 * timeout of the session or a terminate ends the wait at once, by raising.
 */
extern void dyn_wait(DynWaitFor what, int max_ms);

/* Lets all clients do what they have to, without waiting. Raises as the above. */
extern void dyn_drive(void);

#endif							/* DYN_WAIT_H */
