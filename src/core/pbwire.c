/*
 * pbwire.c
 *	  The protobuf wire format.
 */
#include "core/pbwire.h"

void
dyn_pb_init(DynPbReader *reader, const void *data, size_t len, int max_groups)
{
	static const uint8_t empty;

	reader->pos = len > 0 ? data : &empty;
	reader->end = reader->pos + len;
	reader->max_groups = max_groups;
}

bool
dyn_pb_at_end(const DynPbReader *reader)
{
	return reader->pos == reader->end;
}

/* At most ten bytes; bits over 64 are dropped, as protobuf's own parsers do. */
bool
dyn_pb_varint(DynPbReader *reader, uint64_t *value)
{
	uint64_t	result = 0;

	for (int shift = 0; shift < 70; shift += 7)
	{
		uint8_t		byte;

		if (reader->pos == reader->end)
			return false;
		byte = *reader->pos++;
		if (shift < 64)
			result |= (uint64_t) (byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
		{
			*value = result;
			return true;
		}
	}
	return false;
}

bool
dyn_pb_fixed(DynPbReader *reader, size_t size, uint64_t *value)
{
	if ((size_t) (reader->end - reader->pos) < size)
		return false;
	*value = 0;
	for (size_t i = 0; i < size; i++)
		*value |= (uint64_t) reader->pos[i] << (8 * i);
	reader->pos += size;
	return true;
}

/* False also for field number 0, which protobuf does not have. */
static bool
read_tag(DynPbReader *reader, uint32_t *number, DynPbWire *wire)
{
	uint64_t	tag;

	/* a tag is a uint32: five bytes at most */
	const uint8_t *start = reader->pos;

	if (!dyn_pb_varint(reader, &tag) || reader->pos - start > 5 || tag > UINT32_MAX || tag >> 3 == 0)
		return false;
	*number = (uint32_t) (tag >> 3);
	*wire = (DynPbWire) (tag & 7);
	return true;
}

static bool read_body(DynPbReader *reader, DynPbField *field, int max_groups);

/* Skips to the end tag that closes the group; the data is of no use to us. */
static bool
skip_group(DynPbReader *reader, uint32_t number, int max_groups)
{
	DynPbField	inner;

	if (max_groups <= 0)
		return false;
	for (;;)
	{
		if (!read_tag(reader, &inner.number, &inner.wire))
			return false;
		if (inner.wire == DYN_PB_END_GROUP)
			return inner.number == number;
		if (!read_body(reader, &inner, max_groups - 1))
			return false;
	}
}

/* What stands behind a tag.  False: cut, a group that is nested too deep, or a wire type that there is not. */
static bool
read_body(DynPbReader *reader, DynPbField *field, int max_groups)
{
	switch (field->wire)
	{
		case DYN_PB_VARINT:
			return dyn_pb_varint(reader, &field->value);
		case DYN_PB_FIXED64:
			return dyn_pb_fixed(reader, 8, &field->value);
		case DYN_PB_FIXED32:
			return dyn_pb_fixed(reader, 4, &field->value);
		case DYN_PB_LEN:
			field->data = reader->pos;
			/* a length is a 32-bit varint: five bytes at most */
			if (!dyn_pb_varint(reader, &field->value) || reader->pos - field->data > 5 ||
				field->value > (uint64_t) (reader->end - reader->pos))
				return false;
			field->data = reader->pos;
			field->len = (size_t) field->value;
			reader->pos += field->len;
			return true;
		case DYN_PB_GROUP:
			return skip_group(reader, field->number, max_groups);
		default:
			return false;
	}
}

bool
dyn_pb_next(DynPbReader *reader, DynPbField *field)
{
	const uint8_t *start = reader->pos;

	if (dyn_pb_at_end(reader))
		return false;
	if (read_tag(reader, &field->number, &field->wire) && read_body(reader, field, reader->max_groups))
		return true;
	reader->pos = start;		/* so that the caller sees it is not the end */
	return false;
}

void
dyn_pb_put_varint(DynBuf *buf, uint64_t value)
{
	char		bytes[10];
	int			n = 0;

	while (value >= 0x80)
	{
		bytes[n++] = (char) (value | 0x80);
		value >>= 7;
	}
	bytes[n++] = (char) value;
	dyn_buf_add(buf, bytes, n);
}

void
dyn_pb_put_tag(DynBuf *buf, uint32_t number, DynPbWire wire)
{
	dyn_pb_put_varint(buf, (uint64_t) number << 3 | wire);
}

/* Little-endian on any machine. */
static void
put_fixed(DynBuf *buf, uint64_t value, int size)
{
	char		bytes[8];

	for (int i = 0; i < size; i++)
		bytes[i] = (char) (value >> (8 * i));
	dyn_buf_add(buf, bytes, size);
}

void
dyn_pb_put_fixed32(DynBuf *buf, uint32_t value)
{
	put_fixed(buf, value, 4);
}

void
dyn_pb_put_fixed64(DynBuf *buf, uint64_t value)
{
	put_fixed(buf, value, 8);
}

void
dyn_pb_put_bytes(DynBuf *buf, uint32_t number, const void *data, size_t len)
{
	dyn_pb_put_tag(buf, number, DYN_PB_LEN);
	dyn_pb_put_varint(buf, len);
	dyn_buf_add(buf, data, len);
}
