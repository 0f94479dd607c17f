/*
 * http_private.h
 *	  What http_engine.c (the engine) and http_transfer.c (single requests)
 *	  share; for nobody else.
 */
#ifndef DYN_HTTP_PRIVATE_H
#define DYN_HTTP_PRIVATE_H

#include <curl/curl.h>
#include <signal.h>

#include "net/http.h"

#if LIBCURL_VERSION_NUM < 0x075700
#error "libcurl 7.87 or newer is needed (CURLOPT_QUICK_EXIT)"
#endif

/* Bodies kept for reuse, and the largest: malloc would give the pages back to the kernel after each statement. */
#define DYN_HTTP_SPARE_BODIES 32
#define DYN_HTTP_SPARE_BODY_BYTES (128 * 1024)

struct DynHttp
{
	CURLM	   *multi;
	int			epoll_fd;
	int64_t		deadline_us;	/* when libcurl wants to be called, -1: never */
	bool		broken;			/* a callback failed */
	DynTransfer *transfers;		/* all that are not freed */
	CURL	  **idle;			/* easy handles for reuse */
	int			nidle;
	int			idle_cap;
	DynBuf		spare[DYN_HTTP_SPARE_BODIES];
	int			nspare;
	char	   *url;
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
	bool		sent;
	bool		added;			/* to the multi handle */
	bool		done;
	const char *rejected;		/* why we broke the answer off, NULL: we did not */
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

/* Lets libcurl begin what was added, and takes in what it finished. */
extern void dyn_http_begin(DynHttp *http);

#endif							/* DYN_HTTP_PRIVATE_H */
