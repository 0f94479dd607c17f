/*
 * scratch.h
 *	  Malloc'd buffers and arenas of core that a memory context owns.
 */
#ifndef DYN_SCRATCH_H
#define DYN_SCRATCH_H

#include "core/arena.h"
#include "core/buf.h"

/*
 * Empty, and freed when `context` is reset or deleted.  To free one earlier is
 * allowed; the buffer or arena itself stays, empty.
 */
extern DynBuf *dyn_scratch_new(MemoryContext context);
extern DynArena *dyn_scratch_arena(MemoryContext context);

/* Moves a buffer's content to an owner outside of any context; the buffer is empty then. */
static inline void
dyn_scratch_take(DynBuf *scratch, DynBuf *out)
{
	*out = *scratch;
	memset(scratch, 0, sizeof(*scratch));
}

#endif							/* DYN_SCRATCH_H */
