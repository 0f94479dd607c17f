/*
 * tags.h
 *	  Tags of a table: read, merged, compared.
 */
#ifndef DYN_TAGS_H
#define DYN_TAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/buf.h"

#define DYN_MAX_TAGS 50			/* of one table, AWS's own not counted */

/* UTF-8. */
typedef struct DynTag
{
	const char *key;
	const char *value;
} DynTag;

/* Sorted by the bytes of their keys, of which each is there once; in somebody's arena. A zeroed one is empty. */
typedef struct DynTags
{
	int			n;
	DynTag	   *tag;
} DynTags;

/*
 * Reads a JSON object of strings, which AWS takes as tags as far as can be told
 * here.  False: it is not one; *why is a sentence without capital and
 * period, NULL if memory ran out.
 */
extern bool dyn_tags_parse(const char *json, size_t len, DynArena *arena, DynTags *tags, const char **why);

/* Puts them in order, and leaves one of each key. */
extern void dyn_tags_sort(DynTags *tags);

/* The value of a key; NULL: there is no such tag. */
extern const char *dyn_tags_value(const DynTags *tags, const char *key);

/* Those of both, the first ones' by one key winning.  False: no memory; so it is below. */
extern bool dyn_tags_merge(const DynTags *first, const DynTags *second, DynArena *arena, DynTags *out);

/* Those of `wanted` that `there` has not, or with another value. */
extern bool dyn_tags_missing(const DynTags *wanted, const DynTags *there, DynArena *arena, DynTags *out);

/* Those of `old` whose key `wanted` has not any more, and that `there` still has with the same value. */
extern bool dyn_tags_gone(const DynTags *old, const DynTags *wanted, const DynTags *there, DynArena *arena,
						  DynTags *out);

/* As a JSON object, the same text for the same tags. */
extern void dyn_tags_say(DynBuf *out, const DynTags *tags);

#endif							/* DYN_TAGS_H */
