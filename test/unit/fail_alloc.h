/*
 * fail_alloc.h
 *	  Memory that runs out: the test programs are linked with --wrap, so that
 *	  every malloc, calloc, realloc and strdup of ours passes here.
 */
#ifndef DYN_FAIL_ALLOC_H
#define DYN_FAIL_ALLOC_H

/* Allocations of this thread that still succeed; then one fails, and others succeed again. -1: all do. */
extern __thread long fail_alloc_after;

#endif							/* DYN_FAIL_ALLOC_H */
