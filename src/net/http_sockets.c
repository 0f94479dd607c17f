/*
 * http_sockets.c
 *	  The descriptors that libcurl opens: booked, given back, and taken from
 *	  who is idle when somebody else needs them.
 *
 * A connection outlives the transfer it was made for, so its socket belongs to
 * the engine.  libcurl 7.88 closes a socket that is not connected yet without
 * calling back, so the engine has a list of its sockets and looks which of
 * them are still there.  A lookup of a host's name runs in a thread, which
 * holds descriptors that no callback tells of: a fixed number is booked for it.
 */
#include "net/http_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/address.h"
#include "net/descriptor.h"

/* Of a lookup: libcurl's pair of sockets to its thread, and the C library's socket to the name server. */
#define LOOKUP_DESCRIPTORS 3

/* Those of them that the thread closes by itself when it is left alone. */
#define LEFT_DESCRIPTORS 2

static DynHttp *engines = NULL;

void
dyn_http_enter(DynHttp *http)
{
	http->next = engines;
	if (engines)
		engines->prev = http;
	engines = http;
}

void
dyn_http_leave(DynHttp *http)
{
	if (http->prev)
		http->prev->next = http->next;
	else
		engines = http->next;
	if (http->next)
		http->next->prev = http->prev;
}

/* ---- the list of sockets ---- */

/* Makes room for one more in the list. */
static bool
reserve_socket(DynHttp *http)
{
	int			cap = http->sockets_cap ? http->sockets_cap * 2 : 16;
	DynHttpSocket *open;

	if (http->sockets < http->sockets_cap)
		return true;
	open = realloc(http->open, cap * sizeof(DynHttpSocket));
	if (open == NULL)
		return false;
	http->open = open;
	http->sockets_cap = cap;
	return true;
}

/* The inode of a socket, which no other one has; 0: the descriptor is none. */
static ino_t
inode_of(int fd)
{
	struct stat file;

	return fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode) ? file.st_ino : 0;
}

/* Takes one out of the list. */
static void
forget_socket(DynHttp *http, int i)
{
	http->open[i] = http->open[--http->sockets];
}

void
dyn_http_settle_sockets(DynHttp *http)
{
	for (int i = http->sockets - 1; i >= 0; i--)
		if (inode_of(http->open[i].fd) != http->open[i].inode)
		{
			forget_socket(http, i);
			dyn_descriptor_release(1);
		}
}

/* ---- callbacks ---- */

/* Notes an address that is not to be connected to, for the error. */
static void
note_forbidden(DynTransfer *transfer, const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	const void *ip;

	if (address->sa_family == AF_INET)
		ip = &((struct sockaddr_in *) memcpy(&v4, address, sizeof(v4)))->sin_addr;
	else
		ip = &((struct sockaddr_in6 *) memcpy(&v6, address, sizeof(v6)))->sin6_addr;
	if (inet_ntop(address->sa_family, ip, transfer->forbidden, sizeof(transfer->forbidden)) == NULL)
		snprintf(transfer->forbidden, sizeof(transfer->forbidden), "an address");
}

/*
 * CURLOPT_OPENSOCKETFUNCTION: the name is known now, a connection is tried.  The
 * address is the binary one that the kernel gets, whatever way the URL spells
 * it.  Where a proxy is used it is the proxy's, which may be no link-local one
 * either; what the proxy connects to is not seen here.
 */
curl_socket_t
dyn_http_on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	DynTransfer *transfer = arg;
	DynHttp    *http;
	int			fd;

	if (transfer == NULL)
		return CURL_SOCKET_BAD;
	http = transfer->http;
	dyn_http_end_lookup(transfer, false);
	if (http->config.refuse_link_local && dyn_address_is_link_local(&address->addr, address->addrlen))
	{
		note_forbidden(transfer, &address->addr);
		return CURL_SOCKET_BAD;
	}
	if (!reserve_socket(http))
	{
		transfer->refused = ENOMEM;
		return CURL_SOCKET_BAD;
	}
	fd = dyn_descriptor_socket(address->family, address->socktype, address->protocol);
	if (fd >= 0)
	{
		http->open[http->sockets++] = (DynHttpSocket) {fd, inode_of(fd)};
		transfer->opened++;
	}
	else if (dyn_descriptor_lacking(errno))
		transfer->refused = errno;
	return fd;
}

/* CURLOPT_CLOSESOCKETFUNCTION */
int
dyn_http_on_close(void *arg, curl_socket_t fd)
{
	DynHttp    *http = arg;
	int			i = 0;

	while (i < http->sockets && http->open[i].fd != fd)
		i++;
	if (i < http->sockets)
		forget_socket(http, i);
	dyn_descriptor_close(fd);
	return 0;
}

/* CURLOPT_RESOLVER_START_FUNCTION: other than 0 makes the lookup fail. */
int
dyn_http_on_lookup(void *resolver, void *reserved, void *arg)
{
	DynTransfer *transfer = arg;

	if (transfer == NULL)
		return 1;
	if (transfer->looking_up)
		return 0;
	/* libcurl doesn't say why it could not begin one: found out beforehand */
	if (!dyn_descriptor_available(LOOKUP_DESCRIPTORS) || !dyn_descriptor_acquire(LOOKUP_DESCRIPTORS))
	{
		transfer->refused = errno;
		return 1;
	}
	transfer->looking_up = true;
	return 0;
}

void
dyn_http_end_lookup(DynTransfer *transfer, bool left)
{
	if (!transfer->looking_up)
		return;
	transfer->looking_up = false;
	if (left)
		dyn_descriptor_release_later(LEFT_DESCRIPTORS);
	dyn_descriptor_release(left ? LOOKUP_DESCRIPTORS - LEFT_DESCRIPTORS : LOOKUP_DESCRIPTORS);
}

/* ---- making room ---- */

static int
transfers_in_flight(const DynHttp *http)
{
	int			n = 0;

	for (const DynTransfer *transfer = http->transfers; transfer; transfer = transfer->next)
		n += transfer->done ? 0 : 1;
	return n;
}

/* Sets the most connections that libcurl may have open; 0: any number. */
static bool
limit_connections(DynHttp *http, long n)
{
	return curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, n) == CURLM_OK;
}

/* Adds a request that must not connect, at a limit of connections that is reached already, and takes it out again. */
static void
ask_beyond_limit(DynHttp *http, CURL *easy)
{
	if (limit_connections(http, http->sockets) && curl_multi_add_handle(http->multi, easy) == CURLM_OK)
	{
		dyn_http_begin(http);
		dyn_http_require(http, curl_multi_remove_handle(http->multi, easy) == CURLM_OK);
	}
	dyn_http_require(http, limit_connections(http, 0));
}

/*
 * libcurl has no call that closes an idle connection.  But it closes the oldest
 * one itself when a new one would be one too many: so a new one is asked for,
 * which then gets no socket.  False: there was none.
 */
static bool
close_oldest_idle(DynHttp *http)
{
	int			before = http->sockets;
	DynStatus	ignored;
	sigset_t	saved;
	CURL	   *easy;

	dyn_http_block_signals(&saved);
	easy = dyn_http_take_easy(http, &ignored);
	if (easy != NULL)
	{
		if (curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL) == CURLE_OK &&
			curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK &&
			curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL) == CURLE_OK &&
			curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
			curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL) == CURLE_OK &&
			curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, NULL) == CURLE_OK &&
			curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, NULL) == CURLE_OK)
			ask_beyond_limit(http, easy);
		dyn_http_give_easy(http, easy);
	}
	dyn_http_restore_signals(&saved);
	return http->sockets < before;
}

bool
dyn_http_make_room(const DynHttp *wanting)
{
	for (DynHttp *http = engines; http; http = http->next)
		if (http->sockets > transfers_in_flight(http) && close_oldest_idle(http))
			return true;
	for (DynHttp *http = engines; http; http = http->next)
		if (http->multi != NULL && http->transfers == NULL && (http != wanting || http->sockets > 0))
		{
			dyn_http_close(http);
			return true;
		}
	return false;
}

bool
dyn_http_busy(void)
{
	for (const DynHttp *http = engines; http; http = http->next)
		if (http->transfers != NULL)
			return true;
	return false;
}
