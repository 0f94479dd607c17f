/*
 * wipe.c
 *	  Memory that held a secret.
 */
#include "core/wipe.h"

#include <stdlib.h>
#include <string.h>

void
dyn_wipe(void *data, size_t len)
{
	if (data != NULL)
		explicit_bzero(data, len);
}

void
dyn_wipe_and_free(char *secret)
{
	if (secret)
		dyn_wipe(secret, strlen(secret));
	free(secret);
}
