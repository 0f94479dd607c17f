/*
 * batch_check.h
 *	  What tests of batches share: entities by number, and answers made of them.
 */
#ifndef DYN_BATCH_CHECK_H
#define DYN_BATCH_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_http.h"

#define TABLE "p.t"

/* The id of entity `n` is its number in hex. */
static inline DynEntityId
entity(int n)
{
	DynEntityId id = {{0}};

	for (int i = 0; i < 4; i++)
		id.bytes[15 - i] = n >> 8 * i;
	return id;
}

/* The entities that request `n` names, as "0 1 2" in the order of the body. */
static inline const char *
entities_of(int n)
{
	static char text[2000];
	const char *at = fake_request(n)->body.data;

	text[0] = '\0';
	while ((at = strstr(at, "\"entity_id\":{\"S\":\"")) != NULL)
	{
		char		hex[33];

		memcpy(hex, at + 18, 32);
		hex[32] = '\0';
		sprintf(text + strlen(text), "%s%ld", text[0] ? " " : "", strtol(hex, NULL, 16));
		at += 18;
	}
	return text;
}

/* Adds each entity of "0 1 2" in the given form, whose %s is its id; commas in between. */
static inline void
add_entities(DynBuf *out, const char *entities, const char *form)
{
	bool		first = true;
	char	   *end;

	for (long n = strtol(entities, &end, 10); end != entities; n = strtol(entities, &end, 10))
	{
		char		hex[40];
		char		text[300];

		snprintf(hex, sizeof(hex), "%032lx", n);
		snprintf(text, sizeof(text), form, hex);
		dyn_buf_str(out, first ? "" : ",");
		dyn_buf_str(out, text);
		first = false;
		entities = end;
	}
}

#endif							/* DYN_BATCH_CHECK_H */
