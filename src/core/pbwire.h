/*
 * pbwire.h
 *	  The protobuf wire format: varints, fixed-width and length-delimited
 *	  fields.  Every read checks its bounds; the input is hostile.
 */
#ifndef DYN_PBWIRE_H
#define DYN_PBWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

typedef enum DynPbWire
{
	DYN_PB_VARINT = 0,
	DYN_PB_FIXED64 = 1,
	DYN_PB_LEN = 2,
	DYN_PB_GROUP = 3,
	DYN_PB_END_GROUP = 4,
	DYN_PB_FIXED32 = 5
} DynPbWire;

typedef struct DynPbReader
{
	const uint8_t *pos;
	const uint8_t *end;
	int			max_groups;
} DynPbReader;

typedef struct DynPbField
{
	uint32_t	number;
	DynPbWire	wire;
	uint64_t	value;			/* VARINT, FIXED64, FIXED32 */
	const uint8_t *data;		/* LEN: points into the input */
	size_t		len;
} DynPbField;

/* Groups that are nested deeper than `max_groups` are malformed. */
extern void dyn_pb_init(DynPbReader *reader, const void *data, size_t len, int max_groups);
extern bool dyn_pb_varint(DynPbReader *reader, uint64_t *value);

/* `size` bytes, 4 or 8. */
extern bool dyn_pb_fixed(DynPbReader *reader, size_t size, uint64_t *value);

/*
 * Reads the next field; groups are skipped whole. False at the end and on
 * malformed input: at the end, and only there, reader->pos == reader->end.
 */
extern bool dyn_pb_next(DynPbReader *reader, DynPbField *field);
extern bool dyn_pb_at_end(const DynPbReader *reader);

extern void dyn_pb_put_varint(DynBuf *buf, uint64_t value);
extern void dyn_pb_put_tag(DynBuf *buf, uint32_t number, DynPbWire wire);
extern void dyn_pb_put_fixed32(DynBuf *buf, uint32_t value);
extern void dyn_pb_put_fixed64(DynBuf *buf, uint64_t value);
extern void dyn_pb_put_bytes(DynBuf *buf, uint32_t number, const void *data, size_t len);

#endif							/* DYN_PBWIRE_H */
