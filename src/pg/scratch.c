/*
 * scratch.c
 *	  A malloc'd buffer that a memory context owns.
 */
#include "pg/export.h"

#include "utils/palloc.h"

#include "pg/scratch.h"

typedef struct Scratch
{
	MemoryContextCallback callback;
	DynBuf		buf;
} Scratch;

static void
free_buf(void *arg)
{
	dyn_buf_free(arg);
}

DynBuf *
dyn_scratch_new(MemoryContext context)
{
	Scratch    *scratch = MemoryContextAllocZero(context, sizeof(Scratch));

	scratch->callback.func = free_buf;
	scratch->callback.arg = &scratch->buf;
	MemoryContextRegisterResetCallback(context, &scratch->callback);
	return &scratch->buf;
}
