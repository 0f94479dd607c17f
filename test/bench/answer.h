/*
 * answer.h
 *	  What the mock answers to a request, as HTTP bytes ready to be sent.
 */
#ifndef BENCH_ANSWER_H
#define BENCH_ANSWER_H

#include <stddef.h>

#include "core/buf.h"

typedef struct Answer
{
	int			users;			/* the cache is one */
	DynBuf		request;		/* that it answers */
	DynBuf		http;
} Answer;

/*
 * The answer to operation `op` ("BatchGetItem") with this body.  Answers are
 * kept, since a benchmark repeats its requests: a known one costs a comparison.
 * Never NULL: the mock ends when memory does.  Release it after use.
 */
extern Answer *answer_to(const char *op, const char *body, size_t len);
extern void answer_release(Answer *answer);

/* How many answers were not known yet. */
extern long answers_made(void);

#endif							/* BENCH_ANSWER_H */
