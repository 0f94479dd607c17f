/*
 * arena.h
 *	  Memory for decoded values: taken piece by piece, given back all at once.
 */
#ifndef DYN_ARENA_H
#define DYN_ARENA_H

#include <stddef.h>

struct DynArenaBlock;

/* A zeroed DynArena is valid and empty. */
typedef struct DynArena
{
	struct DynArenaBlock *blocks;	/* the newest first */
	size_t		used;			/* of the newest */
} DynArena;

/* Zeroed and aligned; NULL: out of memory. Lives until the arena is cleared. */
extern void *dyn_arena_alloc(DynArena *arena, size_t size);

/* A copy of a text; NULL: out of memory. */
extern char *dyn_arena_text(DynArena *arena, const char *text);

/*
 * A bigger copy of an array: room for `want` elements at least, `*cap` becomes
 * how many. NULL: out of memory, the array is as it was.
 */
extern void *dyn_arena_grow(DynArena *arena, const void *array, size_t *cap, size_t want, size_t size);

/* Keeps one block for reuse. */
extern void dyn_arena_clear(DynArena *arena);
extern void dyn_arena_free(DynArena *arena);

#endif							/* DYN_ARENA_H */
