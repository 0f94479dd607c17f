/*
 * registry_bytes.c
 *	  Registries made by hand.
 */
#include "registry_bytes.h"

#include <stdlib.h>
#include <string.h>

#include "core/pbwire.h"
#include "golden.h"

void
put_text(DynBuf *buf, uint32_t number, const char *text)
{
	dyn_pb_put_bytes(buf, number, text, strlen(text));
}

void
put_number(DynBuf *buf, uint32_t number, int64_t value)
{
	dyn_pb_put_tag(buf, number, DYN_PB_VARINT);
	dyn_pb_put_varint(buf, (uint64_t) value);
}

void
put_message(DynBuf *buf, uint32_t number, DynBuf *inner)
{
	dyn_pb_put_bytes(buf, number, inner->data, inner->len);
	dyn_buf_free(inner);
}

void
put_pair(DynBuf *buf, uint32_t number, const char *name, const char *value)
{
	DynBuf		pair = {0};

	put_text(&pair, 1, name);
	put_text(&pair, 2, value);
	put_message(buf, number, &pair);
}

void
put_field(DynBuf *buf, uint32_t number, const char *name, int value_type)
{
	DynBuf		field = {0};

	put_text(&field, 1, name);
	put_number(&field, 2, value_type);
	put_message(buf, number, &field);
}

DynBuf
new_spec(const char *name)
{
	DynBuf		spec = {0};

	put_text(&spec, 1, name);
	put_text(&spec, 2, "p");
	return spec;
}

DynBuf
registry_of(uint32_t number, DynBuf *spec)
{
	DynBuf		object = {0};
	DynBuf		registry = {0};

	put_message(&object, 1, spec);
	put_text(&registry, 3, "1");
	put_message(&registry, number, &object);
	return registry;
}

DynRegistry *
read_registry(DynBuf *bytes, DynStatus *status)
{
	DynRegistry *registry = dyn_registry_new();
	void	   *exact = golden_copy(bytes->data, bytes->len);
	bool		done;

	dyn_status_clear(status);
	done = dyn_registry_read(registry, exact, bytes->len, status);
	free(exact);
	dyn_buf_free(bytes);
	if (done)
		return registry;
	dyn_registry_free(registry);
	return NULL;
}
