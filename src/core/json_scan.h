/*
 * json_scan.h
 *	  JSON's grammar for a single-pass decoder that works in place: strings are
 *	  unescaped over their own bytes, what is not wanted is passed over, checked
 *	  all the same.
 *
 * Every function returns false where the text is not what it takes; the scan
 * is over then.
 */
#ifndef DYN_JSON_SCAN_H
#define DYN_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

typedef struct DynJsonScan
{
	char	   *pos;
	char	   *end;
} DynJsonScan;

typedef struct DynJsonString
{
	char	   *data;			/* points into the text */
	size_t		len;
} DynJsonString;

/* JSON nested deeper than this is malformed. */
#define DYN_JSON_MAX_DEPTH 64

/* A string, decoded over its own bytes. */
extern bool dyn_js_string(DynJsonScan *s, DynJsonString *text);

/* Passes over a value that stands `depth` levels deep. */
extern bool dyn_js_skip(DynJsonScan *s, int depth);

/*
 * An element of an array as the text that it is: all up to the comma or the
 * closing bracket behind it, or up to the end, without white space around.
 * Only strings and brackets are told apart in it: it is JSON if the array is,
 * and may be nested as deep as it likes.  False: there is none, or a string or
 * a bracket in it stays open.  Changes nothing in the text.
 */
extern bool dyn_js_raw(DynJsonScan *s, DynJsonString *text);

static inline void
dyn_js_space(DynJsonScan *s)
{
	while (s->pos < s->end && (*s->pos == ' ' || *s->pos == '\n' || *s->pos == '\r' || *s->pos == '\t'))
		s->pos++;
}

/* Is `c` next?  White space before it is skipped, it is not taken. */
static inline bool
dyn_js_at(DynJsonScan *s, char c)
{
	dyn_js_space(s);
	return s->pos < s->end && *s->pos == c;
}

static inline bool
dyn_js_take(DynJsonScan *s, char c)
{
	/* answers hold no white space */
	if ((s->pos < s->end && *s->pos == c) || dyn_js_at(s, c))
	{
		s->pos++;
		return true;
	}
	return false;
}

/* After a member or element: another one follows (true), or the end was taken or is wrong. */
static inline bool
dyn_js_more(DynJsonScan *s, char close, bool *ok)
{
	if (dyn_js_take(s, ','))
		return true;
	*ok = dyn_js_take(s, close);
	return false;
}

#endif							/* DYN_JSON_SCAN_H */
