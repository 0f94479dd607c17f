/*
 * fail_alloc.c
 *	  Memory that runs out, and what is left in memory that is given back.
 */
#include "fail_alloc.h"

#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

extern void *__real_malloc(size_t size);
extern void *__real_calloc(size_t count, size_t size);
extern void *__real_realloc(void *block, size_t size);
extern char *__real_strdup(const char *text);
extern void __real_free(void *block);
extern void *__wrap_malloc(size_t size);
extern void *__wrap_calloc(size_t count, size_t size);
extern void *__wrap_realloc(void *block, size_t size);
extern char *__wrap_strdup(const char *text);
extern void __wrap_free(void *block);

__thread long fail_alloc_after = -1;
__thread const char *const *fail_alloc_secrets;
__thread const char *fail_alloc_left;

static bool
fails(void)
{
	if (fail_alloc_after < 0)
		return false;
	return fail_alloc_after-- == 0;
}

/* A block that was made before anybody looked may have parts that were never written (valgrind.supp). */
static __attribute__((noinline))
bool
block_holds(const char *block, size_t size, const char *secret)
{
	size_t		len = strlen(secret);

	for (size_t at = 0; at + len <= size; at++)
	{
		size_t		same = 0;

		while (same < len && block[at + same] == secret[same])
			same++;
		if (same == len)
			return true;
	}
	return false;
}

static void
look_at_block(void *block)
{
	size_t		size = fail_alloc_secrets && block ? malloc_usable_size(block) : 0;

	for (const char *const *secret = fail_alloc_secrets; size > 0 && *secret && fail_alloc_left == NULL; secret++)
		if (block_holds(block, size, *secret))
			fail_alloc_left = *secret;
}

/* Where freed blocks are searched, a new one has nothing in it of whose it was before. */
static void *
cleaned(void *block)
{
	if (fail_alloc_secrets && block)
		memset(block, 0x5a, malloc_usable_size(block));
	return block;
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : cleaned(__real_malloc(size));
}

/* One that always moves. */
static void *
moved(void *block, size_t size)
{
	size_t		before = block ? malloc_usable_size(block) : 0;
	void	   *other = cleaned(__real_malloc(size));

	if (other == NULL)
		return NULL;
	if (block)
		memcpy(other, block, before < size ? before : size);
	__wrap_free(block);
	return other;
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *block, size_t size)
{
	if (fails())
		return NULL;
	return fail_alloc_secrets ? moved(block, size) : __real_realloc(block, size);
}

char *
__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

void
__wrap_free(void *block)
{
	look_at_block(block);
	__real_free(block);
}
