/*
 * scratch.c
 *	  Malloc'd buffers and arenas of core that a memory context owns.
 */
#include "pg/util/export.h"

#include "utils/palloc.h"

#include "pg/util/scratch.h"

/* What a context owns: the thing, and the callback that gives its memory back. */
typedef struct Scratch
{
	MemoryContextCallback callback;
	union
	{
		DynBuf		buf;
		DynArena	arena;
	}			u;
} Scratch;

/* Callback of the memory context, as is the next one. */
static void
free_buf(void *arg)
{
	dyn_buf_free(arg);
}

static void
free_arena(void *arg)
{
	dyn_arena_free(arg);
}

/*
 * An empty, zeroed thing in `context`, which lets `release` free it when it goes.
 * That is arranged before the thing gets any memory, so an error can't leak it.
 */
static Scratch *
make_holder(MemoryContext context, MemoryContextCallbackFunction release)
{
	Scratch    *scratch = MemoryContextAllocZero(context, sizeof(Scratch));

	scratch->callback.func = release;
	scratch->callback.arg = &scratch->u;
	MemoryContextRegisterResetCallback(context, &scratch->callback);
	return scratch;
}

DynBuf *
dyn_scratch_new(MemoryContext context)
{
	return &make_holder(context, free_buf)->u.buf;
}

DynArena *
dyn_scratch_arena(MemoryContext context)
{
	return &make_holder(context, free_arena)->u.arena;
}
