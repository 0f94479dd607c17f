/*
 * get_check.h
 *	  What tests of reads by key share: a read on a fake engine and a fake
 *	  clock, and its rows.
 */
#ifndef DYN_GET_CHECK_H
#define DYN_GET_CHECK_H

#include "batch_check.h"
#include "net/batch_get.h"

/* The read that is tested, there is one at a time. */
extern DynClient *client;
extern DynCounters counters;
extern DynBatchGet *get;
extern DynEntityId *keys;		/* of all tables */
extern DynStatus status;
extern const DynItem *item;		/* of the last row */
extern char rows[2000];			/* keys of the rows so far, "0 1 2"; where the item is of another key: "3?" */

/*
 * Begins a read, by a client of its own; `config` tells neither keys nor
 * counters.  Each table is asked for entities 0 .. nkeys-1.
 */
extern void begin_get(const DynClientConfig *client_config, const DynBatchGetConfig *config);
extern void end_get(void);

extern DynStep step(void);
extern DynStep take_rows(void); /* takes rows while there are any */
extern DynStep take_rows_until_sent(int n); /* the next step after a request has gone out, be it at once or later */

#endif							/* DYN_GET_CHECK_H */
