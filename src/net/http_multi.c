/*
 * http_multi.c
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
#include "net/http_multi.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#if LIBCURL_VERSION_NUM < 0x075700
#error "libcurl 7.87 or newer is needed (CURLOPT_QUICK_EXIT)"
#endif

#define EVENTS_AT_ONCE 64
#define RECEIVE_BUFFER_BYTES (16L * 1024)
#define MAX_HEADER_BYTES (128 * 1024)
#define USER_AGENT "dynamo_fdw"

/* Bodies kept for reuse, and the largest: malloc would give the pages back to the kernel after each statement. */
#define SPARE_BODIES 32
#define SPARE_BODY_BYTES (128 * 1024)
/* Driven later than this after a deadline: nobody was waiting. */
#define LATE_US (100 * INT64_C(1000))

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
	DynBuf		spare[SPARE_BODIES];
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
	bool		too_long;		/* body or headers hit their cap */
	size_t		header_bytes;
	CURLcode	result;
	long		connects;		/* connections opened for it */
	char		error_text[CURL_ERROR_SIZE];
};

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Around every call that may start a resolver thread, which inherits the mask. */
static void
block_signals(sigset_t *saved)
{
	sigset_t	all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, saved);
}

static void
restore_signals(const sigset_t *saved)
{
	pthread_sigmask(SIG_SETMASK, saved, NULL);
}

/* ---- callbacks of the multi handle ---- */

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

static void
set_deadline(DynHttp *http, long timeout_ms)
{
	http->deadline_us = timeout_ms < 0 ? -1 : now_us() + timeout_ms * INT64_C(1000);
}

static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	set_deadline(arg, timeout_ms);
	return 0;
}

/* ---- callbacks of a transfer ---- */

/* The connection stands, the request is about to be sent: the read timeout begins. */
static int
on_request(void *arg, char *primary_ip, char *local_ip, int primary_port, int local_port)
{
	DynTransfer *transfer = arg;

	transfer->deadline_us = now_us() + transfer->http->config.read_timeout_ms * INT64_C(1000);
	transfer->sent = true;
	return CURL_PREREQFUNC_OK;
}

static size_t
on_body(char *data, size_t size, size_t count, void *arg)
{
	DynTransfer *transfer = arg;
	DynBuf	   *body = &transfer->answer.body;
	size_t		len = size * count;

	if (len > DYN_HTTP_MAX_BODY - body->len)
	{
		transfer->too_long = true;
		return 0;
	}
	dyn_buf_add(body, data, len);
	return body->failed ? 0 : len;
}

/* The value of header line `line` if its name is `name`, without white space; else NULL. */
static const char *
header_value(const char *line, size_t len, const char *name, char *value, size_t size)
{
	size_t		name_len = strlen(name);
	size_t		n;

	if (len <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len) != 0)
		return NULL;
	line += name_len + 1;
	len -= name_len + 1;
	while (len > 0 && (*line == ' ' || *line == '\t'))
	{
		line++;
		len--;
	}
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n' || line[len - 1] == ' '))
		len--;
	n = len < size - 1 ? len : size - 1;
	memcpy(value, line, n);
	value[n] = '\0';
	return value;
}

/* Makes room for a body of this length, in memory that was used before if there is some. */
static void
expect_body(DynTransfer *transfer, unsigned long len)
{
	DynHttp    *http = transfer->http;
	DynBuf	   *body = &transfer->answer.body;

	if (body->data == NULL && http->nspare > 0)
		*body = http->spare[--http->nspare];
	/* a longer one grows as it comes: who says how long it is need not send it */
	if (len <= SPARE_BODY_BYTES && len > body->cap)
		dyn_buf_reserve(body, len);
}

void
dyn_http_give_body(DynHttp *http, DynBuf *body)
{
	if (body->data == NULL || body->cap > SPARE_BODY_BYTES || http->nspare == SPARE_BODIES)
	{
		dyn_buf_free(body);
		return;
	}
	dyn_buf_clear(body);
	http->spare[http->nspare++] = *body;
	memset(body, 0, sizeof(*body));
}

static size_t
on_header(char *line, size_t size, size_t count, void *arg)
{
	DynTransfer *transfer = arg;
	DynHttpAnswer *answer = &transfer->answer;
	size_t		len = size * count;
	char		value[80];

	/* of interim answers and trailers too: libcurl keeps them all, and before 8.3 without limit */
	transfer->header_bytes += len;
	if (transfer->header_bytes > MAX_HEADER_BYTES)
	{
		transfer->too_long = true;
		return 0;
	}
	if (header_value(line, len, "x-amzn-requestid", value, sizeof(value)))
		snprintf(answer->request_id, sizeof(answer->request_id), "%s", value);
	else if (header_value(line, len, "x-amz-crc32", value, sizeof(value)))
	{
		answer->crc32 = (uint32_t) strtoul(value, NULL, 10);
		answer->has_crc32 = true;
	}
	else if (header_value(line, len, "x-amz-retry-after", value, sizeof(value)))
		answer->retry_after_ms = strtod(value, NULL);
	else if (header_value(line, len, "content-length", value, sizeof(value)))
		expect_body(transfer, strtoul(value, NULL, 10));
	else if (header_value(line, len, "date", value, sizeof(value)))
		answer->date = (int64_t) curl_getdate(value, NULL);
	return len;
}

/* ---- engine ---- */

static bool
init_library(DynStatus *status)
{
	static bool done;
	sigset_t	saved;
	CURLcode	rc;

	if (done)
		return true;
	block_signals(&saved);
	rc = curl_global_init(CURL_GLOBAL_DEFAULT);
	restore_signals(&saved);
	if (rc != CURLE_OK)
		return dyn_status_set(status, DYN_INTERNAL, "libcurl cannot be initialized: %s", curl_easy_strerror(rc));
	done = true;
	return true;
}

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
		dyn_status_set(status, DYN_NO_MEMORY, "out of memory");
		return NULL;
	}
	http->config = *config;		/* its texts are the caller's: url and ca_bundle below */
	http->deadline_us = -1;
	http->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	http->multi = curl_multi_init();
	http->url = strdup(config->url);
	http->ca_bundle = config->ca_bundle ? strdup(config->ca_bundle) : NULL;
	if (http->epoll_fd < 0 || http->multi == NULL || http->url == NULL ||
		(config->ca_bundle && http->ca_bundle == NULL) || !set_up_multi(http))
	{
		if (http->epoll_fd < 0)
			dyn_status_set(status, DYN_INTERNAL, "cannot create an epoll descriptor: %s", strerror(errno));
		else
			dyn_status_set(status, DYN_NO_MEMORY, "out of memory");
		dyn_http_free(http);
		return NULL;
	}
	return http;
}

void
dyn_http_free(DynHttp *http)
{
	sigset_t	saved;

	if (http == NULL)
		return;
	block_signals(&saved);
	for (int i = 0; i < http->nidle; i++)
		curl_easy_cleanup(http->idle[i]);
	if (http->multi)
		curl_multi_cleanup(http->multi);
	restore_signals(&saved);
	if (http->epoll_fd >= 0)
		close(http->epoll_fd);
	for (int i = 0; i < http->nspare; i++)
		dyn_buf_free(&http->spare[i]);
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
	left = (deadline - now_us() + 999) / 1000;	/* rounded up, or the waiter spins */
	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int) left;
}

static void
act(DynHttp *http, curl_socket_t fd, int events)
{
	int			running;

	if (curl_multi_socket_action(http->multi, fd, events, &running) != CURLM_OK)
		http->broken = true;
}

/* Marks what libcurl has finished. */
static void
collect(DynHttp *http)
{
	CURLMsg    *message;
	int			left;

	while ((message = curl_multi_info_read(http->multi, &left)) != NULL)
	{
		DynTransfer *transfer = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &transfer);
		curl_easy_getinfo(message->easy_handle, CURLINFO_NUM_CONNECTS, &transfer->connects);
		transfer->result = message->data.result;
		transfer->done = true;
	}
}

/*
 * What came while nobody drove must have its chance to be taken in: such a
 * deadline begins anew.  libcurl judges connecting by its own clock, before it
 * looks at the socket, so it has to be told as well.
 */
static void
forgive_late(DynHttp *http)
{
	int64_t		now = now_us();

	for (DynTransfer *transfer = http->transfers; transfer; transfer = transfer->next)
	{
		long		timeout_ms = transfer->sent ? http->config.read_timeout_ms : http->config.connect_timeout_ms;

		if (transfer->done || now - transfer->deadline_us < LATE_US)
			continue;
		transfer->deadline_us = now + timeout_ms * INT64_C(1000);
		if (!transfer->sent)
			curl_easy_setopt(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS,
							 (long) ((transfer->deadline_us - transfer->started_us) / 1000));
	}
}

/* Breaks off what got no connection or no whole answer in time; libcurl is not relied on after forgive_late(). */
static void
expire(DynHttp *http)
{
	int64_t		now = now_us();

	for (DynTransfer *transfer = http->transfers; transfer; transfer = transfer->next)
	{
		if (transfer->done || transfer->deadline_us > now)
			continue;
		curl_multi_remove_handle(http->multi, transfer->easy);
		transfer->added = false;
		transfer->result = CURLE_OPERATION_TIMEDOUT;
		snprintf(transfer->error_text, sizeof(transfer->error_text), "no %s within %ld ms",
				 transfer->sent ? "whole answer" : "connection",
				 transfer->sent ? http->config.read_timeout_ms : http->config.connect_timeout_ms);
		transfer->done = true;
	}
}

void
dyn_http_drive(DynHttp *http)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	sigset_t	saved;
	int			n;

	block_signals(&saved);
	forgive_late(http);
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
			act(http, events[i].data.fd, bits);
		}
	} while (n == EVENTS_AT_ONCE);
	if (http->deadline_us >= 0 && now_us() >= http->deadline_us)
	{
		long		timeout_ms = -1;

		act(http, CURL_SOCKET_TIMEOUT, 0);
		/* libcurl tells a time only when it changes: one that has not come by its own clock would be lost */
		curl_multi_timeout(http->multi, &timeout_ms);
		set_deadline(http, timeout_ms);
	}
	collect(http);
	expire(http);
	restore_signals(&saved);
}

bool
dyn_http_usable(const DynHttp *http)
{
	return !http->broken;
}

/* ---- transfers ---- */

#define SET(option, value) (curl_easy_setopt(easy, option, value) == CURLE_OK)

/* What is the same for all requests of the engine. */
static bool
set_up_easy(const DynHttp *http, CURL *easy)
{
	const DynHttpConfig *config = &http->config;

	return SET(CURLOPT_URL, http->url) &&
		SET(CURLOPT_USERAGENT, USER_AGENT) &&
		SET(CURLOPT_WRITEFUNCTION, on_body) &&
		SET(CURLOPT_HEADERFUNCTION, on_header) &&
		SET(CURLOPT_PREREQFUNCTION, on_request) &&
		SET(CURLOPT_CONNECTTIMEOUT_MS, config->connect_timeout_ms) &&
		SET(CURLOPT_NOSIGNAL, 1L) &&
		SET(CURLOPT_QUICK_EXIT, 1L) &&
		SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
		SET(CURLOPT_FOLLOWLOCATION, 0L) &&
		SET(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED) &&
		SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1) &&
		SET(CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES) &&
		SET(CURLOPT_TCP_KEEPALIVE, 1L) &&
		SET(CURLOPT_MAXAGE_CONN, config->keepalive_timeout_s) &&
		(!config->no_proxy || SET(CURLOPT_PROXY, "")) &&
		(http->ca_bundle == NULL || SET(CURLOPT_CAINFO, http->ca_bundle));
}

/* What a request has of its own; an idle handle still holds what the last one had. */
static bool
set_up_request(DynTransfer *transfer, const DynBuf *body, bool fresh)
{
	CURL	   *easy = transfer->easy;

	if (body ? !(SET(CURLOPT_POST, 1L) &&
				 SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) body->len) &&
				 SET(CURLOPT_POSTFIELDS, body->data ? body->data : "")) :
		!SET(CURLOPT_HTTPGET, 1L))
		return false;
	return SET(CURLOPT_HTTPHEADER, transfer->headers) &&
		SET(CURLOPT_FRESH_CONNECT, (long) fresh) &&
		SET(CURLOPT_WRITEDATA, transfer) &&
		SET(CURLOPT_HEADERDATA, transfer) &&
		SET(CURLOPT_ERRORBUFFER, transfer->error_text) &&
		SET(CURLOPT_PRIVATE, transfer) &&
		SET(CURLOPT_PREREQDATA, transfer);
}

static CURL *
take_easy(DynHttp *http, DynStatus *status)
{
	CURL	   *easy = http->nidle > 0 ? http->idle[--http->nidle] : NULL;

	if (easy)
		return easy;
	easy = curl_easy_init();
	if (easy == NULL)
		dyn_status_set(status, DYN_NO_MEMORY, "out of memory");
	else if (!set_up_easy(http, easy))
	{
		dyn_status_set(status, DYN_INTERNAL, "libcurl refuses an option");
		curl_easy_cleanup(easy);
		easy = NULL;
	}
	return easy;
}

/* Keeps the handle for the next request, or frees it. */
static void
give_easy(DynHttp *http, CURL *easy)
{
	if (http->nidle == http->idle_cap)
	{
		int			cap = http->idle_cap ? http->idle_cap * 2 : 16;
		CURL	  **idle = realloc(http->idle, cap * sizeof(CURL *));

		if (idle == NULL)
		{
			curl_easy_cleanup(easy);
			return;
		}
		http->idle = idle;
		http->idle_cap = cap;
	}
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
	http->idle[http->nidle++] = easy;
}

static bool
add_header(DynTransfer *transfer, const char *name, const char *value)
{
	DynBuf		line = {0};
	struct curl_slist *longer = NULL;

	dyn_buf_str(&line, name);
	dyn_buf_byte(&line, ':');
	if (value[0] != '\0')
	{
		dyn_buf_byte(&line, ' ');
		dyn_buf_str(&line, value);
	}
	if (dyn_buf_cstr(&line) != NULL)
		longer = curl_slist_append(transfer->headers, line.data);
	dyn_buf_free(&line);
	if (longer == NULL)
		return false;
	transfer->headers = longer;
	return true;
}

/*
 * An empty value takes one of libcurl's own headers out.  `Expect` would cost
 * a round trip on every large write.
 */
static bool
add_headers(DynTransfer *transfer, const DynHttpHeader *headers, int nheaders)
{
	for (int i = 0; i < nheaders; i++)
		if (!add_header(transfer, headers[i].name, headers[i].value))
			return false;
	return add_header(transfer, "Expect", "") && add_header(transfer, "Accept", "");
}

/* Hands the request to libcurl and lets it begin at once. */
static bool
begin(DynTransfer *transfer)
{
	DynHttp    *http = transfer->http;
	sigset_t	saved;

	block_signals(&saved);
	transfer->started_us = now_us();
	transfer->deadline_us = transfer->started_us + http->config.connect_timeout_ms * INT64_C(1000);
	transfer->added = curl_multi_add_handle(http->multi, transfer->easy) == CURLM_OK;
	if (transfer->added)
	{
		act(http, CURL_SOCKET_TIMEOUT, 0);
		collect(http);
	}
	restore_signals(&saved);
	return transfer->added && !http->broken;
}

DynTransfer *
dyn_http_start(DynHttp *http, const DynHttpHeader *headers, int nheaders, const DynBuf *body, bool fresh,
			   DynStatus *status)
{
	DynTransfer *transfer = calloc(1, sizeof(*transfer));

	if (transfer == NULL)
	{
		dyn_status_set(status, DYN_NO_MEMORY, "out of memory");
		return NULL;
	}
	transfer->http = http;
	transfer->next = http->transfers;
	if (transfer->next)
		transfer->next->prev = transfer;
	http->transfers = transfer;
	transfer->answer.date = -1;
	transfer->easy = take_easy(http, status);
	if (transfer->easy == NULL)
		goto failed;
	if (!add_headers(transfer, headers, nheaders))
		dyn_status_set(status, DYN_NO_MEMORY, "out of memory");
	else if (!set_up_request(transfer, body, fresh))
		dyn_status_set(status, DYN_INTERNAL, "libcurl refuses an option");
	else if (!begin(transfer))
		dyn_status_set(status, DYN_INTERNAL, "libcurl's multi handle failed");
	else
		return transfer;
failed:
	dyn_transfer_free(transfer);
	return NULL;
}

bool
dyn_transfer_done(const DynTransfer *transfer)
{
	return transfer->done || transfer->http->broken;
}

long
dyn_transfer_connects(const DynTransfer *transfer)
{
	return transfer->connects;
}

static DynClass
class_of(const DynTransfer *transfer)
{
	switch (transfer->result)
	{
		case CURLE_COULDNT_RESOLVE_PROXY:
		case CURLE_COULDNT_RESOLVE_HOST:
		case CURLE_COULDNT_CONNECT:
		case CURLE_PROXY:
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_CIPHER:
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_SSL_ISSUER_ERROR:
			return DYN_CONNECT;
		case CURLE_OPERATION_TIMEDOUT:
			return transfer->sent ? DYN_TIMEOUT : DYN_CONNECT;
		case CURLE_PARTIAL_FILE:
		case CURLE_WEIRD_SERVER_REPLY:
		case CURLE_BAD_CONTENT_ENCODING:
		case CURLE_UNSUPPORTED_PROTOCOL:
			return DYN_PROTOCOL;
		case CURLE_WRITE_ERROR:
			return transfer->too_long ? DYN_PROTOCOL : DYN_NO_MEMORY;
		case CURLE_OUT_OF_MEMORY:
			return DYN_NO_MEMORY;
		default:
			return DYN_CONNECTION_LOST;
	}
}

bool
dyn_transfer_stale(const DynTransfer *transfer)
{
	long		opened = 1;
	long		header_bytes = 1;

	if (transfer->result != CURLE_SEND_ERROR && transfer->result != CURLE_RECV_ERROR &&
		transfer->result != CURLE_GOT_NOTHING)
		return false;
	curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &opened);
	curl_easy_getinfo(transfer->easy, CURLINFO_HEADER_SIZE, &header_bytes);
	return opened == 0 && header_bytes == 0;
}

bool
dyn_transfer_result(DynTransfer *transfer, DynHttpAnswer **answer, DynStatus *status)
{
	long		http_status = 0;

	*answer = NULL;
	if (!transfer->done)
		return dyn_status_set(status, DYN_INTERNAL, "libcurl's multi handle failed");
	if (transfer->result != CURLE_OK)
	{
		if (transfer->too_long)
			return dyn_status_set(status, DYN_PROTOCOL,
								  "the answer is longer than %d MB, or its headers are longer than %d kB",
								  DYN_HTTP_MAX_BODY / (1024 * 1024), MAX_HEADER_BYTES / 1024);
		return dyn_status_set(status, class_of(transfer), "%s",
							  transfer->error_text[0] ? transfer->error_text : curl_easy_strerror(transfer->result));
	}
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http_status);
	transfer->answer.status = (int) http_status;
	*answer = &transfer->answer;
	return true;
}

void
dyn_transfer_free(DynTransfer *transfer)
{
	sigset_t	saved;

	if (transfer == NULL)
		return;
	if (transfer->prev)
		transfer->prev->next = transfer->next;
	else
		transfer->http->transfers = transfer->next;
	if (transfer->next)
		transfer->next->prev = transfer->prev;
	block_signals(&saved);
	if (transfer->added)
		curl_multi_remove_handle(transfer->http->multi, transfer->easy);
	if (transfer->easy)
		give_easy(transfer->http, transfer->easy);
	restore_signals(&saved);
	curl_slist_free_all(transfer->headers);
	dyn_http_give_body(transfer->http, &transfer->answer.body);
	free(transfer);
}

const char *
dyn_http_version(void)
{
	return curl_version();
}
