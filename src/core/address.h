/*
 * address.h
 *	  Network addresses that are never connected to.
 */
#ifndef DYN_ADDRESS_H
#define DYN_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * Is it a link-local address or one of AWS's metadata services (169.254.0.0/16,
 * fe80::/10, fd00:ec2::/32), where a machine gets its credentials; or one of
 * IPv6 that a router, a tunnel or the kernel turns into 169.254.0.0/16?
 * Other than IPv4 and IPv6 has none.
 */
extern bool dyn_address_is_link_local(const struct sockaddr *address, socklen_t len);

#endif							/* DYN_ADDRESS_H */
