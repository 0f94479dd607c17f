/*
 * feast_key.h
 *	  Entity key to entity_id, byte for byte as Feast's serialize_entity_key
 *	  and compute_entity_id do it (versions 2 and 3).
 */
#ifndef DYN_FEAST_KEY_H
#define DYN_FEAST_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/buf.h"
#include "core/feast_type.h"

typedef struct DynEntityId
{
	uint8_t		bytes[16];
} DynEntityId;

static inline bool
dyn_entity_id_equal(const DynEntityId *a, const DynEntityId *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

#define DYN_ENTITY_ID_HEX_LEN 32

typedef struct DynKeyPart
{
	const char *name;			/* join key, UTF-8, NUL-terminated */
	DynFeastType type;			/* STRING, BYTES, INT32, INT64, UNIX_TIMESTAMP */
	int64_t		integer;		/* of INT32, INT64, UNIX_TIMESTAMP */
	const void *data;			/* of STRING (UTF-8), BYTES */
	size_t		len;
} DynKeyPart;

/* Join key of a feature view without entities; its value is STRING "". */
#define DYN_DUMMY_JOIN_KEY "__dummy_id"

/* Feast's order of join keys: by code point, which is strcmp of UTF-8. */
extern int	dyn_feast_key_compare_names(const char *a, const char *b);

/*
 * Appends the serialized key. `parts` must be in the order above.  False: a
 * type that cannot be a key, a length over 32 bits, or no memory.
 */
extern bool dyn_feast_key_serialize(DynBuf *out, int version, const DynKeyPart *parts, int nparts);

/* Same, hashed. `scratch` is cleared and reused. */
extern bool dyn_feast_key_id(DynEntityId *id, DynBuf *scratch, int version, const DynKeyPart *parts, int nparts);

extern void dyn_entity_id_to_hex(const DynEntityId *id, char hex[DYN_ENTITY_ID_HEX_LEN]);

/* Decodes hex digits over themselves; false: not an even number of hex digits. */
extern bool dyn_hex_decode(uint8_t *text, size_t *len);

/* False unless exactly 32 lower- or upper-case hex digits. */
extern bool dyn_entity_id_from_hex(DynEntityId *id, const char *hex, size_t len);

#endif							/* DYN_FEAST_KEY_H */
