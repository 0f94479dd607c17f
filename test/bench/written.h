/*
 * written.h
 *	  What requests to the mock write.
 */
#ifndef BENCH_WRITTEN_H
#define BENCH_WRITTEN_H

#include <stdbool.h>
#include <stddef.h>

/* Is this an operation that writes: "BatchWriteItem", "PutItem", "UpdateItem"? */
extern bool is_write(const char *op);

/*
 * How many items a request writes, each of which names its key; 0: it is not
 * whole, or has more items than DynamoDB takes.  A body that came before costs
 * no more than its hash.
 */
extern int	written_by(const char *op, const char *body, size_t len);

/* Items that all requests so far wrote. */
extern long items_written(void);

/* How many requests so far were not like an earlier one. */
extern long writes_made(void);

#endif							/* BENCH_WRITTEN_H */
