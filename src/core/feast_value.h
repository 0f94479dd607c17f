/*
 * feast_value.h
 *	  feast.types.Value to and from its protobuf bytes.
 */
#ifndef DYN_FEAST_VALUE_H
#define DYN_FEAST_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/feast_type.h"

struct DynMapEntry;

typedef struct DynValue
{
	int			type;			/* DynFeastType; DYN_FEAST_NONE: nothing set */
	union
	{
		int64_t		integer;	/* INT32, INT64, UNIX_TIMESTAMP */
		double		real;		/* DOUBLE */
		float		single;		/* FLOAT */
		bool		boolean;	/* BOOL */
		struct
		{
			const uint8_t *data;	/* points into the input */
			size_t		len;
		}			bytes;		/* BYTES and all that is text */
		struct
		{
			struct DynValue *items; /* of a list's element type, MAPs, or any Values */
			size_t		count;
			size_t		cap;
		}			list;
		struct
		{
			struct DynMapEntry *entries;	/* distinct and sorted keys; of a SCALAR_MAP as on the wire */
			size_t		count;
			size_t		cap;
		}			map;
		struct
		{
			int64_t		seconds;
			const uint8_t *zone;
			size_t		zone_len;
		}			zoned;
	}			u;
} DynValue;

typedef struct DynMapEntry
{
	DynValue	key;			/* STRING; of a SCALAR_MAP any scalar, NONE where none is set */
	DynValue	value;
	size_t		order;			/* private to the decoder */
} DynMapEntry;

/* Messages and unknown groups in each other, below the Value itself; more is refused, as by protobuf's own parser. */
#define DYN_VALUE_MAX_DEPTH 100

typedef enum DynDecode
{
	DYN_DECODE_OK,
	DYN_DECODE_BAD,				/* not a Value */
	DYN_DECODE_NO_MEMORY
} DynDecode;

/*
 * What Feast's ParseFromString would read: the last member set wins, repeats
 * of one message member merge, packed and unpacked lists are both legal,
 * unknown fields are skipped, null_val counts as nothing set.  Lists and maps
 * are taken from the arena; texts point into `data`.
 */
extern DynDecode dyn_feast_value_decode(const uint8_t *data, size_t len, DynValue *value, DynArena *arena);

/*
 * Appends the bytes Feast writes; DYN_FEAST_NONE appends nothing, which is how
 * Feast stores a null. False: not a type of Value, or no memory.
 */
extern bool dyn_feast_value_encode(DynBuf *out, const DynValue *value);

#endif							/* DYN_FEAST_VALUE_H */
