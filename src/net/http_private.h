/*
 * http_private.h
 *	  What http_engine.c (the engine), http_transfer.c (single requests) and
 *	  http_sockets.c (their descriptors) share; for nobody else.
 */
#ifndef DYN_HTTP_PRIVATE_H
#define DYN_HTTP_PRIVATE_H

#include <curl/curl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/types.h>

#include "net/http.h"

#if LIBCURL_VERSION_NUM < 0x075700
#error "libcurl 7.87 or newer is needed (CURLOPT_QUICK_EXIT)"
#endif

/* Bodies kept for reuse, and the largest: malloc would give the pages back to the kernel after each statement. */
#define DYN_HTTP_SPARE_BODIES 32
#define DYN_HTTP_SPARE_BODY_BYTES (128 * 1024)

/* A socket that libcurl opened. */
typedef struct DynHttpSocket
{
	int			fd;
	ino_t		inode;			/* tells whether `fd` is still this socket */
} DynHttpSocket;

struct DynHttp
{
	CURLM	   *multi;			/* NULL: closed, and then the engine holds no descriptor */
	int			epoll_fd;		/* -1: closed */
	DynHttpSocket *open;		/* sockets that libcurl has open here, of idle connections too */
	int			sockets;		/* how many */
	int			sockets_cap;
	DynHttp    *next;			/* of all engines */
	DynHttp    *prev;
	int64_t		deadline_us;	/* when libcurl wants to be called, -1: never */
	bool		broken;			/* a callback failed */
	bool		no_memory;		/* for want of memory */
	DynTransfer *transfers;		/* all that are not freed */
	CURL	  **idle;			/* easy handles for reuse */
	int			nidle;
	int			idle_cap;
	DynBuf		spare[DYN_HTTP_SPARE_BODIES];
	int			nspare;
	char	   *url;
	bool		has_paths;		/* easy handles may have another URL than `url` */
	char	   *ca_bundle;
	DynHttpConfig config;
};

struct DynTransfer
{
	DynHttp    *http;
	CURL	   *easy;
	struct curl_slist *headers;
	DynHttpAnswer answer;
	DynTransfer *next;			/* in http->transfers */
	DynTransfer *prev;
	int64_t		started_us;
	int64_t		deadline_us;	/* of connecting; once the request is sent, of the answer */
	int			sent;			/* times that the request was begun to be sent: libcurl repeats it where an old
								 * connection is lost */
	bool		added;			/* to the multi handle */
	bool		done;
	const char *rejected;		/* why we broke the answer off, NULL: we did not */
	bool		too_long;		/* it was longer than it may be */
	int			opened;			/* sockets */
	bool		looking_up;		/* descriptors are booked for a lookup of the host's name */
	int			refused;		/* errno of a socket or lookup that got no descriptor, or no memory; 0: none */
	char		forbidden[INET6_ADDRSTRLEN];	/* an address that got no socket because none may go there, "": none */
	size_t		header_bytes;
	bool		headers_ended;	/* those of the answer, not of an interim one */
	CURLcode	result;
	long		connects;		/* connections opened for it */
	char		error_text[CURL_ERROR_SIZE];
};

/* Around every call that may start a resolver thread, which inherits the mask. */
extern void dyn_http_block_signals(sigset_t *saved);
extern void dyn_http_restore_signals(const sigset_t *saved);

/* For results of libcurl that only a fault of ours or its own can make bad: they break the engine. */
extern void dyn_http_require(DynHttp *http, bool good);

/* Why a broken engine fails what it is asked; returns false. */
extern bool dyn_http_tell_broken(const DynHttp *http, DynStatus *status);

/* Lets libcurl begin what was added, and takes in what it finished. */
extern void dyn_http_begin(DynHttp *http);

/* An easy handle with the engine's options, for the next request; NULL on failure, `status` set. */
extern CURL *dyn_http_take_easy(DynHttp *http, DynStatus *status);
extern void dyn_http_give_easy(DynHttp *http, CURL *easy);

/* ---- http_sockets.c ---- */

/* Callbacks of a transfer: `arg` is the transfer, or NULL for one that shall get no connection. */
extern curl_socket_t dyn_http_on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address);
extern int	dyn_http_on_lookup(void *resolver, void *reserved, void *arg);

/* Callback of a connection, which outlives its transfer: `arg` is the engine. */
extern int	dyn_http_on_close(void *arg, curl_socket_t fd);

/* Gives back what libcurl closed without a word: sockets that were not connected yet. */
extern void dyn_http_settle_sockets(DynHttp *http);

/* The transfer's lookup is over, or (with `left` true) its thread is left to itself. */
extern void dyn_http_end_lookup(DynTransfer *transfer, bool left);

/* Every engine is entered while it exists. */
extern void dyn_http_enter(DynHttp *http);
extern void dyn_http_leave(DynHttp *http);

#endif							/* DYN_HTTP_PRIVATE_H */
