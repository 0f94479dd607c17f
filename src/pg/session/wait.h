/*
 * wait.h
 *	  Waiting for the network on the process latch.
 */
#ifndef DYN_WAIT_H
#define DYN_WAIT_H

/* What is waited for, as pg_stat_activity shows it from PostgreSQL 17 on. */
typedef enum DynWaitFor
{
	DYN_WAIT_READ,				/* DynamoFdwRead */
	DYN_WAIT_WRITE,				/* DynamoFdwWrite */
	DYN_WAIT_DDL				/* DynamoFdwRemoteDDL */
} DynWaitFor;

/*
 * Waits until any client of the process has something to do or `max_ms` (-1:
 * no limit) passed, and lets all do that.  Cancel, timeouts of the session and
 * terminate act at once, by ERROR.
 */
extern void dyn_wait(DynWaitFor what, int max_ms);

/* Moves all clients on without waiting. */
extern void dyn_drive(void);

#endif							/* DYN_WAIT_H */
