/*
 * http_check.h
 *	  Tests of the HTTP engine: one engine, one server, one loop that moves
 *	  both.  The engine is driven as its owner does it: when its descriptor is
 *	  readable, or its timeout says so.
 */
#ifndef DYN_HTTP_CHECK_H
#define DYN_HTTP_CHECK_H

#include "fake_system.h"
#include "http_server.h"
#include "net/http.h"
#include "tap.h"

#define CONNECT_TIMEOUT_MS 5000
#define READ_TIMEOUT_MS 10000

extern DynHttp *engine;
extern DynStatus status;		/* of the last failure */
extern DynHttpAnswer *answer;	/* the last one */
extern DynBuf request;			/* the last one that the server took */

/*
 * A test begins with a server and an engine of its own, by the usual
 * configuration or by one that it changes first; those before are freed.
 */
extern void engine_begin(void);
extern DynHttpConfig server_begin(void);
extern void engine_begin_with(const DynHttpConfig *config);
extern void engine_end(void);

/* The server's URL by another scheme or name; the next call overwrites it. */
extern const char *server_url(const char *scheme, const char *host);

/* A body that borrows its text. */
#define TEXT(text) (&(DynBuf) {.data = (char *) (text), .len = strlen(text)})

/* A request, the second by a new connection; one that can't be started ends the test. */
extern DynTransfer *post(const DynBuf *body);
extern DynTransfer *post_fresh(const DynBuf *body);

/* Moves server and engine on; waits a little if there is nothing to do. */
extern void turn(void);

/* Turns until the condition holds; where it never does, the test is over. */
#define until(condition) \
	do \
	{ \
		for (int turns_ = 0; !(condition); turns_++) \
			turn_or_stop(turns_, #condition, __FILE__, __LINE__); \
	} while (0)
/*
 * How far a turn moves the clock where nothing has happened for long; 0 at
 * first.  Between two addresses of a name libcurl may wait for a timer.
 */
extern double idle_turn_ms;

extern void turn_or_stop(int turns, const char *condition, const char *file, int line);

/* Some turns in which nothing should happen. */
extern void idle(void);

/* The next request that the server gets, which is in `request`. */
extern Peer *next_request(void);

/* Whether an answer came, once the transfer is done: in `answer`, or why not in `status`. */
extern bool answered(DynTransfer *transfer);

/*
 * Posts "{}", lets the server send `reply`, and perhaps close the connection.
 * The transfer is freed by the next one, or with the engine.
 */
extern bool ask(const char *reply);
extern bool ask_and_close(const char *reply);

/* An answer with a body of that many bytes. */
#define REPLY(len, body) "HTTP/1.1 200 OK\r\nContent-Length: " #len "\r\n\r\n" body

#endif							/* DYN_HTTP_CHECK_H */
