/*
 * wipe.h
 *	  Memory that held a secret.
 */
#ifndef DYN_WIPE_H
#define DYN_WIPE_H

#include <stddef.h>

/* Overwrites memory in a way the compiler keeps; NULL is fine. */
extern void dyn_wipe(void *data, size_t len);

/* Overwrites a C string and frees it; NULL is fine. */
extern void dyn_wipe_and_free(char *secret);

#endif							/* DYN_WIPE_H */
