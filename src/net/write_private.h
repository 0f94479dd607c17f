/*
 * write_private.h
 *	  What write.c (items and requests) and write_answer.c (what comes of them)
 *	  share; for nobody else.
 */
#ifndef DYN_WRITE_PRIVATE_H
#define DYN_WRITE_PRIVATE_H

#include <stdint.h>

#include "net/write.h"

/* An item that waits or is in flight. */
typedef struct DynWriting
{
	DynWriteItem write;
	double		delay_ms;		/* before it may go out again */
	int			rounds;			/* times that its condition failed */
	bool		makes_map;		/* first of all, the stored item gets `values` */
	DynBuf		rewritten;		/* the item to put, where items are rewritten */
	bool		has_seen;		/* the stored item must have this event_ts, else any that isn't newer: */
	DynBuf		seen;
	struct DynWriting *next;	/* while it waits */
} DynWriting;

typedef struct DynWriteRequest
{
	DynCall    *call;
	DynWriting *items[DYN_MAX_WRITE_ITEMS];
	int			nitems;
	bool		reads;			/* items that are rewritten then */
	DynStallMark sent;
	struct DynWriteRequest *next;
} DynWriteRequest;

/* Items in flight are counted by so many bits of their ids, which are hashes. */
#define DYN_WRITE_FLYING_BITS 14

struct DynWrite
{
	DynClient  *client;
	DynWriteConfig config;
	DynWriting *waiting;
	DynWriting **waiting_end;
	int			nwaiting;
	DynWriteRequest *in_flight;
	int			nrequests;
	uint16_t	flying[1 << DYN_WRITE_FLYING_BITS]; /* how many items in flight, see is_in_flight() */
	DynStall	stall;
	DynStall	read_stall;		/* of items that are rewritten: reading alone is no progress */
	long		acknowledged;	/* items */
	DynStatus	failure;		/* DYN_OK: none so far */
	DynOp		failed_op;
	DynBuf		failed_key;
};

/*
 * Takes in the answer to a request whose call is done; its items are written,
 * or wait again, and left it.  False: the write failed.  *settled: the request
 * is over; else it was asked again.
 */
extern bool dyn_write_read_answer(DynWrite *write, DynWriteRequest *request, bool *settled, DynStatus *status);

/* The operation of a request. */
extern DynOp dyn_write_op_of(const DynWrite *write, const DynWriteRequest *request);

/* Starts the call of a request with items, after a delay.  False: the write failed. */
extern bool dyn_write_start_call(DynWrite *write, DynWriteRequest *request, double delay_ms, DynStatus *status);

/* An item waits again, before all others, unless one of its key does that was added later; of puts the newer one waits. */
extern void dyn_write_put_back(DynWrite *write, DynWriting *item);

/* Are the times of two puts, as texts, in this order?  A text that can't be read is older than any. */
extern bool dyn_write_is_newer(const char *event_ts, const char *than);

/* NULL is fine. */
extern void dyn_write_free_item(DynWriting *item);

#endif							/* DYN_WRITE_PRIVATE_H */
