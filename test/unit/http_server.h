/*
 * http_server.h
 *	  A server on loopback, in the test's own process and thread, that does
 *	  nothing by itself: it keeps what its connections bring, and the test says
 *	  what goes back, byte by byte.
 */
#ifndef DYN_HTTP_SERVER_H
#define DYN_HTTP_SERVER_H

#include "core/buf.h"

/* The server's end of a connection. */
typedef struct Peer
{
	int			fd;				/* -1: closed */
	DynBuf		in;				/* came, and is not taken yet */
	bool		deaf;			/* reads nothing */
	bool		hung_up;		/* the other side closed it */
	size_t		flood;			/* still to be sent: so many 'x' */
} Peer;

/* The port it listens on. */
extern int	server_open(void);

/* Forgets all peers. */
extern void server_close(void);

/*
 * Accepts, reads, and sends floods, as far as it goes at once; before that
 * waits for something to do, or for `fd` to be readable, for at most
 * `timeout_ms`.  True: `fd` is.
 */
extern bool server_poll(int fd, int timeout_ms);

extern int	server_npeers(void);	/* accepted so far */
extern Peer *server_peer(int n);

/* Takes the oldest whole request that came from any peer; NULL: there is none. */
extern Peer *server_take_request(DynBuf *request);

extern void peer_send(Peer *peer, const char *text);
extern void peer_close(Peer *peer);
extern void peer_reset(Peer *peer); /* by a RST, as when the server knows nothing of the connection */

#endif							/* DYN_HTTP_SERVER_H */
