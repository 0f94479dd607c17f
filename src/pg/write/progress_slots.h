/*
 * progress_slots.h
 *	  Loads that run, in shared memory: a slot for each, which its backend
 *	  writes and all others read.
 */
#ifndef DYN_PROGRESS_SLOTS_H
#define DYN_PROGRESS_SLOTS_H

#include "utils/timestamp.h"

/* Longer names of feature views are cut off. */
#define DYN_PROGRESS_NAME_LEN 256

/* So many loads are shown at a time. */
#define DYN_PROGRESS_SLOTS 128

/* What changes while a load runs. */
typedef struct DynProgressNumbers
{
	int64		rows;			/* taken from the statement */
	int64		items_written;	/* acknowledged */
	int64		items_refused;
	int64		unprocessed_items;
	int64		requests;
	int64		retries;
	int64		throttles;
	int64		bytes_sent;
	int64		in_flight;
} DynProgressNumbers;

/* A load as others see it: one foreign table that a statement writes. */
typedef struct DynProgressLoad
{
	int			pid;			/* 0: none */
	Oid			database;
	Oid			userid;			/* who writes */
	Oid			relid;
	TimestampTz started;
	char		command[8];
	char		feature_view[DYN_PROGRESS_NAME_LEN];	/* in the encoding of `database` */
	char		remote_table[DYN_PROGRESS_NAME_LEN];
	DynProgressNumbers numbers;
} DynProgressLoad;

typedef struct DynProgressSlot DynProgressSlot;

/* Reserves the memory where that has to be done when the server starts; called when the module is loaded. */
extern void dyn_progress_slots_init(void);

/*
 * Attaches to the memory, if that has not been done.  False: there is none,
 * since this server has to preload the module and does not.  Raises where
 * PostgreSQL has no dynamic shared memory left.
 */
extern bool dyn_progress_slots_open(void);

/* Does this session have it? */
extern bool dyn_progress_slots_attached(void);

/* The following need the memory, and take no lock. */

/* A slot that shows the load; NULL where all are taken. Throws nothing. */
extern DynProgressSlot *dyn_progress_slot_claim(const DynProgressLoad *load);

/* Only by the backend that claimed it. Throw nothing. */
extern void dyn_progress_slot_update(DynProgressSlot *slot, const DynProgressNumbers *numbers);
extern void dyn_progress_slot_free(DynProgressSlot *slot);

/* A consistent copy of a slot, from 0 to DYN_PROGRESS_SLOTS - 1. False: it is free. Raises cancels. */
extern bool dyn_progress_slot_read(int i, DynProgressLoad *load);

#endif							/* DYN_PROGRESS_SLOTS_H */
