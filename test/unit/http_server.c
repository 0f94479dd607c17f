/*
 * http_server.c
 *	  A server on loopback that does what a test says.
 */
#define _GNU_SOURCE
#include "http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PEERS 128

static int	listener = -1;
static Peer peers[MAX_PEERS];
static int	npeers;

/* A test without its server is over. */
static void
require(bool condition)
{
	if (!condition)
		abort();
}

int
server_open(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t	len = sizeof(address);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	require(listener >= 0);
	require(bind(listener, (struct sockaddr *) &address, sizeof(address)) == 0);
	require(listen(listener, MAX_PEERS) == 0);
	require(getsockname(listener, (struct sockaddr *) &address, &len) == 0);
	return ntohs(address.sin_port);
}

void
server_close(void)
{
	for (int i = 0; i < npeers; i++)
	{
		peer_close(&peers[i]);
		dyn_buf_free(&peers[i].in);
	}
	memset(peers, 0, sizeof(peers));
	npeers = 0;
	close(listener);
	listener = -1;
}

int
server_npeers(void)
{
	return npeers;
}

Peer *
server_peer(int n)
{
	require(n < npeers);
	return &peers[n];
}

/* ---- moving bytes ---- */

static void
accept_peers(void)
{
	int			fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
	{
		require(npeers < MAX_PEERS);
		peers[npeers++].fd = fd;
	}
}

static void
receive(Peer *peer)
{
	char		bytes[65536];
	ssize_t		n;

	while ((n = recv(peer->fd, bytes, sizeof(bytes), 0)) > 0)
		dyn_buf_add(&peer->in, bytes, n);
	if (n == 0 || errno != EAGAIN)
		peer->hung_up = true;
}

static void
send_flood(Peer *peer)
{
	static char bytes[1024 * 1024];

	memset(bytes, 'x', sizeof(bytes));
	while (peer->flood > 0)
	{
		size_t		len = peer->flood < sizeof(bytes) ? peer->flood : sizeof(bytes);
		ssize_t		n = send(peer->fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0)
		{
			if (errno != EAGAIN)
				peer->flood = 0;
			return;
		}
		peer->flood -= n;
	}
}

static short
wanted_events(const Peer *peer)
{
	return (peer->deaf || peer->hung_up ? 0 : POLLIN) | (peer->flood > 0 ? POLLOUT : 0);
}

bool
server_poll(int fd, int timeout_ms)
{
	struct pollfd polled[MAX_PEERS + 2];
	int			n = npeers;

	polled[n] = (struct pollfd) {.fd = listener, .events = POLLIN};
	polled[n + 1] = (struct pollfd) {.fd = fd, .events = POLLIN};
	for (int i = 0; i < n; i++)
	{
		short		events = wanted_events(&peers[i]);

		polled[i] = (struct pollfd) {.fd = events ? peers[i].fd : -1, .events = events};
	}
	require(poll(polled, n + 2, timeout_ms) >= 0);
	accept_peers();
	for (int i = 0; i < n; i++)
	{
		if (polled[i].revents & (POLLIN | POLLHUP | POLLERR))
			receive(&peers[i]);
		if (polled[i].revents & POLLOUT)
			send_flood(&peers[i]);
	}
	return polled[n + 1].revents != 0;
}

/* ---- what tests say ---- */

/* Bytes of the request at the start of what came, 0: it is not whole. */
static size_t
request_len(Peer *peer)
{
	const char *text = dyn_buf_cstr(&peer->in);
	const char *end = text ? strstr(text, "\r\n\r\n") : NULL;
	const char *length = text ? strcasestr(text, "\r\nContent-Length:") : NULL;
	size_t		len;

	if (end == NULL)
		return 0;
	len = end + 4 - text;
	if (length && length < end)
		len += strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
	return len <= peer->in.len ? len : 0;
}

Peer *
server_take_request(DynBuf *request)
{
	for (int i = 0; i < npeers; i++)
	{
		Peer	   *peer = &peers[i];
		size_t		len = request_len(peer);

		if (len == 0)
			continue;
		dyn_buf_clear(request);
		dyn_buf_add(request, peer->in.data, len);
		memmove(peer->in.data, peer->in.data + len, peer->in.len - len);
		peer->in.len -= len;
		return peer;
	}
	return NULL;
}

void
peer_send(Peer *peer, const char *text)
{
	size_t		len = strlen(text);

	require(send(peer->fd, text, len, MSG_NOSIGNAL) == (ssize_t) len);
}

void
peer_close(Peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
}

void
peer_reset(Peer *peer)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	peer_close(peer);
}
