/*
 * stays.h
 *	  Items that stay written, or deleted, in DynamoDB though their transaction
 *	  ends in vain.
 *
 * DynamoDB has no transactions: what is written before an error or a ROLLBACK
 * stays.  An error of ours says so itself.  Of all others, and of ROLLBACK, a
 * WARNING does: one a foreign table, when the transaction ends.
 */
#ifndef DYN_STAYS_H
#define DYN_STAYS_H

#include "access/xact.h"
#include "lib/ilist.h"

#include "net/counters.h"

/* A modification that runs; all zero at first. */
typedef struct DynStays
{
	Oid			relid;
	const char *feature_view;
	const DynCounters *counters;	/* items_written */
	long		(*in_flight) (void *arg);	/* items sent and not answered: nobody knows */
	void	   *arg;
	SubTransactionId created;	/* where the foreign table was, if dyn_stays_is_made(); else InvalidSubTransactionId */
	bool		deletes;		/* items are deleted, not written */
	bool		told;			/* the error that is raised says how many */
	SubTransactionId subid;
	dlist_node	node;			/* in the list, where `listed` */
	bool		listed;
} DynStays;

/* From now on its items count, for the current subtransaction. */
extern void dyn_stays_enter(DynStays *stays);

/* The modification is over; what it has written still counts.  Fine where it never entered. */
extern void dyn_stays_leave(DynStays *stays);

/* This transaction has created a foreign table and made its remote table, which goes with it at ROLLBACK. */
extern void dyn_stays_made(Oid relid);
extern bool dyn_stays_is_made(Oid relid);

/* Registers callbacks for the ends of transactions; once. */
extern void dyn_stays_init(void);

#endif							/* DYN_STAYS_H */
