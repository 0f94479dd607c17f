/*
 * http_engine.c
 *	  HTTP engine on a libcurl multi handle.
 *
 * libcurl tells by callbacks which sockets it watches and when it wants to be
 * called; the sockets go into one epoll set, whose descriptor wakes any outer
 * poll, and the time into `deadline_us`.  Callbacks only record and return.
 *
 * A slow name server must block nobody: names are resolved by libcurl's
 * threads, CURLOPT_QUICK_EXIT keeps it from joining one, and the threads start
 * with all signals blocked, so that the server's handlers never run there.
 */
#include "net/http_private.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "core/clock.h"
#include "net/descriptor.h"

#define EVENTS_AT_ONCE 64

/* The pair by which curl_multi_wakeup() would wake a multi handle; later versions of libcurl do with one. */
#define WAKEUP_DESCRIPTORS 2

/* Driven later than this after a deadline: nobody was waiting. */
#define LATE_US (100 * INT64_C(1000))

/* A drive takes about this long at most, so that its caller can look for a cancel: a TLS handshake takes some ms. */
#define DRIVE_US (20 * INT64_C(1000))

void
dyn_http_block_signals(sigset_t *saved)
{
	sigset_t	all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, saved);
}

void
dyn_http_restore_signals(const sigset_t *saved)
{
	pthread_sigmask(SIG_SETMASK, saved, NULL);
}

void
dyn_http_require(DynHttp *http, bool good)
{
	if (!good)
		http->broken = true;
}

/* ---- callbacks of the multi handle ---- */

/*
 * Says which events libcurl wants of a socket; each call takes the place of the
 * one before.  A new socket may have the number of one that was closed, and so
 * left the epoll set without a word: whether it is in there only the kernel
 * knows.
 */
static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	DynHttp    *http = arg;
	struct epoll_event event = {0};

	event.data.fd = fd;
	if (what == CURL_POLL_REMOVE)
	{
		epoll_ctl(http->epoll_fd, EPOLL_CTL_DEL, fd, NULL); /* may be closed already */
		return 0;
	}
	if (what & CURL_POLL_IN)
		event.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		event.events |= EPOLLOUT;
	if (epoll_ctl(http->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
		return 0;
	if (errno == ENOENT && epoll_ctl(http->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
		return 0;
	http->broken = true;
	return -1;
}

/* As libcurl says it: ms from now, -1 never. */
static void
set_deadline(DynHttp *http, long timeout_ms)
{
	http->deadline_us = timeout_ms < 0 ? -1 : dyn_clock_monotonic_us() + timeout_ms * INT64_C(1000);
}

/* Replaces the time that libcurl asked for before. */
static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	set_deadline(arg, timeout_ms);
	return 0;
}

/* ---- engine ---- */

/* Once for the process, until its end. */
static bool
init_library(DynStatus *status)
{
	static bool done;
	sigset_t	saved;
	CURLcode	rc;

	if (done)
		return true;
	dyn_http_block_signals(&saved);
	rc = curl_global_init(CURL_GLOBAL_DEFAULT);
	dyn_http_restore_signals(&saved);
	if (rc != CURLE_OK)
		return dyn_status_set(status, DYN_INTERNAL, "libcurl cannot be initialized: %s", curl_easy_strerror(rc));
	done = true;
	return true;
}

/* No request shares its connection with others in flight: DynamoDB speaks HTTP/1.1 only. */
static bool
set_up_multi(DynHttp *http)
{
	return curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
		curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http) == CURLM_OK &&
		curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
		curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http) == CURLM_OK &&
		curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long) CURLPIPE_NOTHING) == CURLM_OK &&
		curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, http->config.max_pool_connections) == CURLM_OK;
}

DynHttp *
dyn_http_new(const DynHttpConfig *config, DynStatus *status)
{
	DynHttp    *http;

	if (!init_library(status))
		return NULL;
	http = calloc(1, sizeof(*http));
	if (http == NULL)
	{
		dyn_status_no_memory(status);
		return NULL;
	}
	dyn_http_enter(http);
	http->config = *config;		/* its texts are the caller's: url and ca_bundle below */
	if (http->config.max_body == 0)
		http->config.max_body = DYN_HTTP_MAX_BODY;
	http->deadline_us = -1;
	http->epoll_fd = -1;
	http->url = strdup(config->url);
	http->ca_bundle = config->ca_bundle ? strdup(config->ca_bundle) : NULL;
	if (http->url == NULL || (config->ca_bundle && http->ca_bundle == NULL))
	{
		dyn_status_no_memory(status);
		dyn_http_free(http);
		return NULL;
	}
	return http;
}

bool
dyn_http_open(DynHttp *http, DynStatus *status)
{
	if (http->multi != NULL)
		return true;
	/* libcurl doesn't say that it got no pair: found out beforehand */
	if (!dyn_descriptor_available(1 + WAKEUP_DESCRIPTORS) || !dyn_descriptor_acquire(WAKEUP_DESCRIPTORS))
		return dyn_descriptor_failed(status, "an HTTP client");
	http->epoll_fd = dyn_descriptor_epoll();
	if (http->epoll_fd < 0)
	{
		dyn_descriptor_failed(status, "an HTTP client");
		dyn_descriptor_release(WAKEUP_DESCRIPTORS);
		return false;
	}
	http->multi = curl_multi_init();
	if (http->multi != NULL && set_up_multi(http))
		return true;
	dyn_http_close(http);
	return dyn_status_no_memory(status);
}

void
dyn_http_close(DynHttp *http)
{
	sigset_t	saved;

	if (http->epoll_fd < 0)
		return;
	dyn_http_block_signals(&saved);
	if (http->multi)
		curl_multi_cleanup(http->multi);
	dyn_http_restore_signals(&saved);
	dyn_http_settle_sockets(http);
	http->multi = NULL;
	http->deadline_us = -1;
	dyn_descriptor_release(WAKEUP_DESCRIPTORS);
	dyn_descriptor_close(http->epoll_fd);
	http->epoll_fd = -1;
}

void
dyn_http_free(DynHttp *http)
{
	sigset_t	saved;

	if (http == NULL)
		return;
	dyn_http_block_signals(&saved);
	for (int i = 0; i < http->nidle; i++)
		curl_easy_cleanup(http->idle[i]);
	dyn_http_restore_signals(&saved);
	dyn_http_close(http);
	dyn_http_leave(http);
	for (int i = 0; i < http->nspare; i++)
		dyn_buf_free(&http->spare[i]);
	free(http->open);
	free(http->idle);
	free(http->url);
	free(http->ca_bundle);
	free(http);
}

int
dyn_http_fd(const DynHttp *http)
{
	return http->epoll_fd;
}

int
dyn_http_timeout_ms(const DynHttp *http)
{
	int64_t		deadline = http->deadline_us;
	int64_t		left;

	for (const DynTransfer *transfer = http->transfers; transfer; transfer = transfer->next)
		if (!transfer->done && (deadline < 0 || transfer->deadline_us < deadline))
			deadline = transfer->deadline_us;
	if (deadline < 0)
		return -1;
	left = (deadline - dyn_clock_monotonic_us() + 999) / 1000;	/* rounded up, or the waiter spins */
	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int) left;
}

/* Tells libcurl what a socket is ready for, or (CURL_SOCKET_TIMEOUT) that its time has come. Callbacks run in here. */
static void
socket_action(DynHttp *http, curl_socket_t fd, int events)
{
	int			running;
	CURLMcode	result = curl_multi_socket_action(http->multi, fd, events, &running);

	if (result == CURLM_OUT_OF_MEMORY)
		http->no_memory = true;
	dyn_http_require(http, result == CURLM_OK);
}

/* To be called while libcurl still has the transfer. */
static void
finish_transfer(DynTransfer *transfer, CURLcode result)
{
	dyn_http_require(transfer->http,
					 curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &transfer->connects) == CURLE_OK);
	transfer->result = result;
	transfer->done = true;
	/* libcurl looks at the length of the body only: headers that were cut are an answer to it */
	if (result == CURLE_OK && !transfer->headers_ended)
	{
		transfer->result = CURLE_PARTIAL_FILE;
		snprintf(transfer->error_text, sizeof(transfer->error_text), "the answer ends within its headers");
	}
	dyn_http_end_lookup(transfer, result != CURLE_COULDNT_RESOLVE_HOST && result != CURLE_COULDNT_RESOLVE_PROXY);
}

/* Marks what libcurl has finished. */
static void
collect_finished(DynHttp *http)
{
	CURLMsg    *message;
	int			left;

	while ((message = curl_multi_info_read(http->multi, &left)) != NULL)
	{
		DynTransfer *transfer = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		dyn_http_require(http,
						 curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &transfer) == CURLE_OK);
		if (transfer != NULL)
			finish_transfer(transfer, message->data.result);
	}
}

void
dyn_http_begin(DynHttp *http)
{
	socket_action(http, CURL_SOCKET_TIMEOUT, 0);
	collect_finished(http);
}

/*
 * What came while nobody drove must have its chance to be taken in: such a
 * deadline begins anew.  libcurl judges connecting by its own clock, before it
 * looks at the socket, so it has to be told as well.
 */
static void
forgive_late(DynHttp *http)
{
	int64_t		now = dyn_clock_monotonic_us();

	for (DynTransfer *transfer = http->transfers; transfer; transfer = transfer->next)
	{
		long		timeout_ms = transfer->sent ? http->config.read_timeout_ms : http->config.connect_timeout_ms;

		if (transfer->done || now - transfer->deadline_us < LATE_US)
			continue;
		transfer->deadline_us = now + timeout_ms * INT64_C(1000);
		if (!transfer->sent)
			dyn_http_require(http,
							 curl_easy_setopt(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS,
											  (long) ((transfer->deadline_us - transfer->started_us) / 1000)) == CURLE_OK);
	}
}

/* Breaks off what got no connection or no whole answer in time; libcurl is not relied on after forgive_late(). */
static void
expire(DynHttp *http)
{
	int64_t		now = dyn_clock_monotonic_us();

	for (DynTransfer *transfer = http->transfers; transfer; transfer = transfer->next)
	{
		if (transfer->done || transfer->deadline_us > now)
			continue;
		finish_transfer(transfer, CURLE_OPERATION_TIMEDOUT);
		dyn_http_require(http, curl_multi_remove_handle(http->multi, transfer->easy) == CURLM_OK);
		transfer->added = false;
		snprintf(transfer->error_text, sizeof(transfer->error_text), "no %s within %ld ms",
				 transfer->sent ? "whole answer" : "connection",
				 transfer->sent ? http->config.read_timeout_ms : http->config.connect_timeout_ms);
	}
}

/* Takes in what has arrived; false: there is more. */
static bool
take_in(DynHttp *http)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int64_t		end = dyn_clock_monotonic_us() + DRIVE_US;
	int			n;

	do
	{
		n = epoll_wait(http->epoll_fd, events, EVENTS_AT_ONCE, 0);
		for (int i = 0; i < n; i++)
		{
			int			bits = 0;

			if (events[i].events & EPOLLIN)
				bits |= CURL_CSELECT_IN;
			if (events[i].events & EPOLLOUT)
				bits |= CURL_CSELECT_OUT;
			if (events[i].events & (EPOLLERR | EPOLLHUP))
				bits |= CURL_CSELECT_ERR;
			socket_action(http, events[i].data.fd, bits);
			if (dyn_clock_monotonic_us() >= end)
				return false;
		}
	} while (n == EVENTS_AT_ONCE);
	return true;
}

/* Times are not judged before all that arrived in them is taken in; the descriptor is ready as long as there is more. */
void
dyn_http_drive(DynHttp *http)
{
	sigset_t	saved;
	bool		all;

	if (http->multi == NULL)
		return;
	dyn_http_block_signals(&saved);
	forgive_late(http);
	all = take_in(http);
	if (all && http->deadline_us >= 0 && dyn_clock_monotonic_us() >= http->deadline_us)
	{
		long		timeout_ms = -1;

		socket_action(http, CURL_SOCKET_TIMEOUT, 0);
		/* libcurl tells a time only when it changes: one that has not come by its own clock would be lost */
		dyn_http_require(http, curl_multi_timeout(http->multi, &timeout_ms) == CURLM_OK);
		set_deadline(http, timeout_ms);
	}
	collect_finished(http);
	if (all)
		expire(http);
	dyn_http_restore_signals(&saved);
}

bool
dyn_http_tell_broken(const DynHttp *http, DynStatus *status)
{
	if (http->no_memory)
		return dyn_status_no_memory(status);
	return dyn_status_set(status, DYN_INTERNAL, "libcurl's multi handle failed");
}

bool
dyn_http_usable(const DynHttp *http)
{
	return !http->broken;
}

const char *
dyn_http_version(void)
{
	return curl_version();
}
