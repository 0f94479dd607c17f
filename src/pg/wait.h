/*
 * wait.h
 *	  Waiting for the network on the process latch.
 */
#ifndef DYN_WAIT_H
#define DYN_WAIT_H

#include "net/ddb_client.h"

/*
 * Waits until the client has something to do or `max_ms` (-1: no limit)
 * passed, and lets it do that.  Cancel, timeouts of the session and terminate
 * act at once, by ERROR.
 */
extern void dyn_wait(DynClient *client, int max_ms);

#endif							/* DYN_WAIT_H */
