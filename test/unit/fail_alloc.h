/*
 * fail_alloc.h
 *	  Memory that runs out, and memory that is given back with a secret in it: the
 *	  test programs are linked with --wrap, so that every malloc, calloc, realloc,
 *	  strdup and free of ours passes here.
 */
#ifndef DYN_FAIL_ALLOC_H
#define DYN_FAIL_ALLOC_H

/* Allocations of this thread that still succeed; then one fails, and others succeed again. -1: all do. */
extern __thread long fail_alloc_after;

/* Texts that no block may hold when this thread frees it; the last is NULL.  NULL: nobody looks. */
extern __thread const char *const *fail_alloc_secrets;

/* The first of them that a block did hold; NULL: none did. */
extern __thread const char *fail_alloc_left;

#endif							/* DYN_FAIL_ALLOC_H */
