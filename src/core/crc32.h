/*
 * crc32.h
 *	  CRC-32 (IEEE 802.3), which DynamoDB sends of each answer's body.
 */
#ifndef DYN_CRC32_H
#define DYN_CRC32_H

#include <stddef.h>
#include <stdint.h>

extern uint32_t dyn_crc32(const void *data, size_t len);

#endif							/* DYN_CRC32_H */
