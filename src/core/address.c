/*
 * address.c
 *	  Network addresses that are never connected to.
 */
#include "core/address.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

/* Of 169.254.0.0/16. */
#define FIRST_BYTE 169
#define SECOND_BYTE 254

/* IPv6 addresses that hold an IPv4 address. */
typedef struct Embedding
{
	uint8_t		prefix[13];		/* and a NUL */
	size_t		prefix_len;		/* bytes */
	int			first;			/* where the first two bytes of the IPv4 address are */
	int			second;
	uint8_t		mask;			/* they are XORed with */
} Embedding;

/*
 * A network's own NAT64 may have a prefix of 48, 56, 64 or 96 bits in
 * 64:ff9b:1::/48, and byte 8 is never one of the IPv4 address (RFC 6052, 2.2).
 * Teredo has the address of a server, then that of the client.
 */
static const Embedding embeddings[] = {
	{"\0\0\0\0\0\0\0\0\0\0\xff\xff", 12, 12, 13, 0},	/* IPv4-mapped */
	{"", 12, 12, 13, 0},		/* IPv4-compatible */
	{"\0\0\0\0\0\0\0\0\xff\xff", 12, 12, 13, 0},	/* IPv4-translated */
	{"\x00\x64\xff\x9b", 12, 12, 13, 0},	/* NAT64 */
	{"\x00\x64\xff\x9b\x00\x01", 6, 6, 7, 0},	/* NAT64 of a network's own */
	{"\x00\x64\xff\x9b\x00\x01", 6, 7, 9, 0},
	{"\x00\x64\xff\x9b\x00\x01", 6, 9, 10, 0},
	{"\x00\x64\xff\x9b\x00\x01", 6, 12, 13, 0},
	{"\x20\x02", 2, 2, 3, 0},	/* 6to4 */
	{"\x20\x01", 4, 4, 5, 0},	/* Teredo */
	{"\x20\x01", 4, 12, 13, 0xff},
};

static bool
embeds_link_local(const uint8_t ip[16])
{
	for (size_t i = 0; i < sizeof(embeddings) / sizeof(embeddings[0]); i++)
	{
		const Embedding *embedding = &embeddings[i];

		if (memcmp(ip, embedding->prefix, embedding->prefix_len) == 0 &&
			(ip[embedding->first] ^ embedding->mask) == FIRST_BYTE &&
			(ip[embedding->second] ^ embedding->mask) == SECOND_BYTE)
			return true;
	}
	return false;
}

static bool
is_link_local_v6(const uint8_t ip[16])
{
	static const uint8_t metadata[] = {0xfd, 0x00, 0x0e, 0xc2};

	return (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) || memcmp(ip, metadata, sizeof(metadata)) == 0 ||
		embeds_link_local(ip);
}

bool
dyn_address_is_link_local(const struct sockaddr *address, socklen_t len)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	/* copied: the address may lie anywhere in a longer structure */
	if (address->sa_family == AF_INET && len >= sizeof(v4))
	{
		memcpy(&v4, address, sizeof(v4));
		return ntohl(v4.sin_addr.s_addr) >> 16 == (FIRST_BYTE << 8 | SECOND_BYTE);
	}
	if (address->sa_family == AF_INET6 && len >= sizeof(v6))
	{
		memcpy(&v6, address, sizeof(v6));
		return is_link_local_v6(v6.sin6_addr.s6_addr);
	}
	return false;
}
