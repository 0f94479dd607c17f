/*
 * arena.c
 *	  Memory for decoded values.
 */
#include "core/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16
#define BLOCK_BYTES 8192

typedef struct DynArenaBlock
{
	struct DynArenaBlock *next;
	size_t		size;			/* of data */
	_Alignas(ALIGNMENT) char data[];
} DynArenaBlock;

/* A block with room for `size` bytes at least, so that small pieces share one. NULL: no memory. */
static DynArenaBlock *
new_block(size_t size)
{
	DynArenaBlock *block;

	if (size < BLOCK_BYTES)
		size = BLOCK_BYTES;
	block = malloc(sizeof(DynArenaBlock) + size);
	if (block)
		block->size = size;
	return block;
}

void *
dyn_arena_alloc(DynArena *arena, size_t size)
{
	void	   *result;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (arena->blocks == NULL || arena->blocks->size - arena->used < size)
	{
		DynArenaBlock *block = new_block(size);

		if (block == NULL)
			return NULL;
		block->next = arena->blocks;
		arena->blocks = block;
		arena->used = 0;
	}
	result = arena->blocks->data + arena->used;
	arena->used += size;
	return memset(result, 0, size);
}

char *
dyn_arena_text(DynArena *arena, const char *text)
{
	size_t		len = strlen(text);
	char	   *copy = dyn_arena_alloc(arena, len + 1);

	return copy ? memcpy(copy, text, len) : NULL;
}

void *
dyn_arena_grow(DynArena *arena, const void *array, size_t *cap, size_t want, size_t size)
{
	size_t		more = *cap ? *cap : 8;
	void	   *bigger;

	while (more < want)
	{
		if (more > SIZE_MAX / 2 / size)
			return NULL;
		more *= 2;
	}
	bigger = dyn_arena_alloc(arena, more * size);
	if (bigger == NULL)
		return NULL;
	if (*cap > 0)
		memcpy(bigger, array, *cap * size);
	*cap = more;
	return bigger;
}

void
dyn_arena_clear(DynArena *arena)
{
	DynArenaBlock *block = arena->blocks;

	arena->used = 0;
	if (block == NULL)
		return;
	while (block->next)
	{
		DynArenaBlock *next = block->next;

		block->next = next->next;
		free(next);
	}
}

void
dyn_arena_free(DynArena *arena)
{
	dyn_arena_clear(arena);
	free(arena->blocks);
	arena->blocks = NULL;
}
