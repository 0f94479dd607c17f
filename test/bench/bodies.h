/*
 * bodies.h
 *	  The requests that dynamo_fdw sends for driver_id 1 to N, made by the same code.
 */
#ifndef BENCH_BODIES_H
#define BENCH_BODIES_H

#include "core/buf.h"
#include "core/ddb_op.h"

typedef struct BodyKind BodyKind;

struct BodyKind
{
	const char *name;
	DynOp		op;
	int			items;			/* of a request */
	void		(*make) (DynBuf *body, const char *table, int first, int last); /* for these entities */
};

/* "read", "put" (whole items), "update" (the first feature to its own value), "delete"; NULL: another name. */
extern const BodyKind *body_kind(const char *name);

/* The bodies for entities 1 to `entities`, *n; NULL: out of memory. */
extern DynBuf *make_bodies(const BodyKind *kind, const char *table, int entities, int *n);

#endif							/* BENCH_BODIES_H */
