/*
 * registry_bytes.h
 *	  Registries made by hand: messages are built inside out, each from buffers of
 *	  those in it.
 */
#ifndef DYN_REGISTRY_BYTES_H
#define DYN_REGISTRY_BYTES_H

#include "core/buf.h"
#include "core/registry.h"

/* Appends a text, a number, or the message `inner`, which is freed. */
extern void put_text(DynBuf *buf, uint32_t number, const char *text);
extern void put_number(DynBuf *buf, uint32_t number, int64_t value);
extern void put_message(DynBuf *buf, uint32_t number, DynBuf *inner);

/* An entry of map<string, string>, or a FeatureSpecV2. */
extern void put_pair(DynBuf *buf, uint32_t number, const char *name, const char *value);
extern void put_field(DynBuf *buf, uint32_t number, const char *name, int value_type);

/* A spec with name and project "p". */
extern DynBuf new_spec(const char *name);

/* A registry that holds one object with this spec, which is freed, in a field of this number. */
extern DynBuf registry_of(uint32_t number, DynBuf *spec);

/*
 * Reads `bytes`, which are freed, in memory of just their length.  NULL: it is
 * none, `status` says why.
 */
extern DynRegistry *read_registry(DynBuf *bytes, DynStatus *status);

#endif							/* DYN_REGISTRY_BYTES_H */
