/*
 * feast_value.h
 *	  feast.types.Value to and from its protobuf bytes.
 */
#ifndef DYN_FEAST_VALUE_H
#define DYN_FEAST_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/feast_type.h"

typedef struct DynValue
{
	int			type;			/* DynFeastType, or another member's field number */
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
		}			bytes;		/* BYTES, STRING, and the raw body of any other member */
	}			u;
} DynValue;

/*
 * What Feast's ParseFromString would read: the last member set wins, unknown
 * fields are skipped, null_val counts as nothing set (DYN_FEAST_NONE).
 * False: not a Value.
 */
extern bool dyn_feast_value_decode(const uint8_t *data, size_t len, DynValue *value);

/*
 * Appends the bytes Feast writes for a scalar; DYN_FEAST_NONE appends nothing,
 * which is how Feast stores a null. False: not a scalar type, or no memory.
 */
extern bool dyn_feast_value_encode(DynBuf *out, const DynValue *value);

/* Strict UTF-8: no overlong forms, no surrogates, nothing over U+10FFFF. */
extern bool dyn_utf8_valid(const uint8_t *data, size_t len);

#endif							/* DYN_FEAST_VALUE_H */
