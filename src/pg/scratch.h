/*
 * scratch.h
 *	  A malloc'd buffer (core/buf.h) that a memory context owns.
 */
#ifndef DYN_SCRATCH_H
#define DYN_SCRATCH_H

#include "core/buf.h"

/* Empty; freed when `context` is reset or deleted. */
extern DynBuf *dyn_scratch_new(MemoryContext context);

#endif							/* DYN_SCRATCH_H */
