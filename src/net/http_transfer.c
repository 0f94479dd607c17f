/*
 * http_transfer.c
 *	  Single HTTP requests: what libcurl is told of each, and what came of it.
 *
 * Callbacks only record and return.
 */
#include "net/http_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ascii.h"
#include "core/clock.h"
#include "net/descriptor.h"

#define RECEIVE_BUFFER_BYTES (16L * 1024)
#define MAX_HEADER_BYTES (128 * 1024)
#define USER_AGENT "dynamo_fdw"

/* ---- callbacks of a transfer ---- */

/* The connection stands, the request is about to be sent: the read timeout begins. */
static int
on_request(void *arg, char *primary_ip, char *local_ip, int primary_port, int local_port)
{
	DynTransfer *transfer = arg;

	transfer->deadline_us = dyn_clock_monotonic_us() + transfer->http->config.read_timeout_ms * INT64_C(1000);
	transfer->sent++;
	return CURL_PREREQFUNC_OK;
}

/* For a callback to return: libcurl breaks the transfer off, with CURLE_WRITE_ERROR. */
static size_t
reject_answer(DynTransfer *transfer, const char *why)
{
	transfer->rejected = why;
	return 0;
}

static size_t
reject_length(DynTransfer *transfer)
{
	transfer->too_long = true;
	return reject_answer(transfer, transfer->http->config.max_body == DYN_HTTP_MAX_BODY ?
						 "the answer is longer than 64 MB" : "the answer is too long");
}

/* Keeps a piece of the body.  A short count breaks the transfer off: too long, or no memory. */
static size_t
on_body(char *data, size_t size, size_t count, void *arg)
{
	DynTransfer *transfer = arg;
	DynBuf	   *body = &transfer->answer.body;
	size_t		len = size * count;

	if (len > transfer->http->config.max_body - body->len)
		return reject_length(transfer);
	/* a buffer that grows leaves its bytes behind */
	if (transfer->http->config.secret)
		dyn_buf_reserve(body, transfer->http->config.max_body - body->len);
	dyn_buf_add(body, data, len);
	return body->failed ? 0 : len;
}

/* The value of header line `line` if its name is `name`, without white space around it; else NULL. */
static const char *
header_value(const char *line, size_t len, const char *name, char *value, size_t size)
{
	size_t		name_len = strlen(name);
	size_t		n;

	if (len <= name_len || line[name_len] != ':' || !dyn_ascii_begins(line, name))
		return NULL;
	line += name_len + 1;
	len -= name_len + 1;
	while (len > 0 && (*line == ' ' || *line == '\t'))
	{
		line++;
		len--;
	}
	while (len > 0 && strchr("\r\n \t", line[len - 1]))
		len--;
	n = len < size - 1 ? len : size - 1;
	memcpy(value, line, n);
	value[n] = '\0';
	return value;
}

/* Keeps a header's value as printable text, cut where it does not fit. */
static void
keep_text(char *out, size_t size, char *value)
{
	dyn_ascii_clean(value);
	snprintf(out, size, "%s", value);
}

/* Digits and nothing else, up to `max`; what strtoul() takes besides would be no number in a header. */
static bool
parse_number(const char *text, uint64_t max, uint64_t *number)
{
	*number = 0;
	if (*text == '\0')
		return false;
	for (; *text >= '0' && *text <= '9' && *number <= max; text++)
		*number = *number * 10 + (*text - '0');
	return *text == '\0' && *number <= max;
}

/* Makes room for a body of this length, in memory that was used before if there is some. */
static void
expect_body(DynTransfer *transfer, unsigned long len)
{
	DynHttp    *http = transfer->http;
	DynBuf	   *body = &transfer->answer.body;

	if (http->config.secret)
		return;
	if (body->data == NULL && http->nspare > 0)
		*body = http->spare[--http->nspare];
	/* a longer one grows as it comes: who says how long it is need not send it */
	if (len <= DYN_HTTP_SPARE_BODY_BYTES && len > body->cap)
		dyn_buf_reserve(body, len);
}

void
dyn_http_give_body(DynHttp *http, DynBuf *body)
{
	if (http->config.secret)
	{
		dyn_buf_wipe(body);
		return;
	}
	if (body->data == NULL || body->cap > DYN_HTTP_SPARE_BODY_BYTES || http->nspare == DYN_HTTP_SPARE_BODIES)
	{
		dyn_buf_free(body);
		return;
	}
	dyn_buf_clear(body);
	http->spare[http->nspare++] = *body;
	memset(body, 0, sizeof(*body));
}

/* A status line came: what an interim answer (RFC 9110, 15.2) said is not said of the answer itself. */
static void
begin_answer(DynTransfer *transfer)
{
	DynHttpAnswer *answer = &transfer->answer;

	answer->request_id[0] = answer->etag[0] = answer->bucket_region[0] = '\0';
	answer->has_crc32 = false;
	answer->retry_after_ms = 0;
	answer->date = -1;
	transfer->headers_ended = false;
}

/* Keeps what a header line says; `len` back, or reject_answer()'s 0. */
static size_t
read_header(DynTransfer *transfer, const char *line, size_t len)
{
	DynHttpAnswer *answer = &transfer->answer;
	char		value[80];
	uint64_t	number;

	if (header_value(line, len, "x-amzn-requestid", value, sizeof(value)) ||
		header_value(line, len, "x-amz-request-id", value, sizeof(value)))
		keep_text(answer->request_id, sizeof(answer->request_id), value);
	else if (header_value(line, len, "etag", value, sizeof(value)))
		keep_text(answer->etag, sizeof(answer->etag), value);
	else if (header_value(line, len, "x-amz-bucket-region", value, sizeof(value)))
		keep_text(answer->bucket_region, sizeof(answer->bucket_region), value);
	else if (header_value(line, len, "x-amz-crc32", value, sizeof(value)))
	{
		if (!parse_number(value, UINT32_MAX, &number))
			return reject_answer(transfer, "the answer's x-amz-crc32 is no checksum");
		answer->crc32 = (uint32_t) number;
		answer->has_crc32 = true;
	}
	else if (header_value(line, len, "x-amz-retry-after", value, sizeof(value)))
		answer->retry_after_ms = parse_number(value, UINT32_MAX, &number) ? (double) number : 0;
	else if (header_value(line, len, "content-length", value, sizeof(value)))
	{
		/* libcurl has refused what is no number; one that is too long for it counts as unknown there */
		if (!parse_number(value, transfer->http->config.max_body, &number))
			return reject_length(transfer);
		expect_body(transfer, number);
	}
	else if (header_value(line, len, "date", value, sizeof(value)))
		answer->date = (int64_t) curl_getdate(value, NULL);
	return len;
}

/* A line, with its end: a status line, a header, or the empty one behind them; of interim answers and trailers too. */
static size_t
on_header(char *line, size_t size, size_t count, void *arg)
{
	DynTransfer *transfer = arg;
	size_t		len = size * count;

	/* libcurl keeps them all, and before 8.3 without limit */
	transfer->header_bytes += len;
	if (transfer->header_bytes > MAX_HEADER_BYTES)
		return reject_answer(transfer, "the answer's headers are longer than 128 kB");
	if (len >= 5 && dyn_ascii_begins(line, "HTTP/"))
		begin_answer(transfer);
	else if (line[0] == '\r' || line[0] == '\n')
		transfer->headers_ended = true;
	else
		return read_header(transfer, line, len);
	return len;
}

/* ---- requests ---- */

/* All options are known to our libcurl: one is refused for want of memory, or where libcurl was built without it. */
static bool
took_option(CURLcode result, DynStatus *status)
{
	if (result == CURLE_OK)
		return true;
	if (result == CURLE_OUT_OF_MEMORY)
		return dyn_status_no_memory(status);
	return dyn_status_set(status, DYN_INTERNAL, "libcurl refuses an option: %s", curl_easy_strerror(result));
}

#define SET(option, value) took_option(curl_easy_setopt(easy, option, value), status)

/* What is the same for all requests of the engine. */
static bool
set_up_easy(const DynHttp *http, CURL *easy, DynStatus *status)
{
	const DynHttpConfig *config = &http->config;

	return SET(CURLOPT_URL, http->url) &&
		SET(CURLOPT_USERAGENT, USER_AGENT) &&
		SET(CURLOPT_WRITEFUNCTION, on_body) &&
		SET(CURLOPT_HEADERFUNCTION, on_header) &&
		SET(CURLOPT_PREREQFUNCTION, on_request) &&
		SET(CURLOPT_OPENSOCKETFUNCTION, dyn_http_on_open) &&
		SET(CURLOPT_CLOSESOCKETFUNCTION, dyn_http_on_close) &&
		SET(CURLOPT_CLOSESOCKETDATA, http) &&
		SET(CURLOPT_RESOLVER_START_FUNCTION, dyn_http_on_lookup) &&
		SET(CURLOPT_NOSIGNAL, 1L) &&
		SET(CURLOPT_QUICK_EXIT, 1L) &&
		SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
		SET(CURLOPT_FOLLOWLOCATION, 0L) &&
		SET(CURLOPT_PATH_AS_IS, 1L) &&
		SET(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED) &&
		SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1) &&
		SET(CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES) &&
		SET(CURLOPT_TCP_KEEPALIVE, 1L) &&
		SET(CURLOPT_MAXAGE_CONN, config->keepalive_timeout_s) &&
		(!config->no_proxy || SET(CURLOPT_PROXY, "")) &&
		(http->ca_bundle == NULL || SET(CURLOPT_CAINFO, http->ca_bundle));
}

/* Method and body.  A PUT is a POST without a body by another name: libcurl's own PUT would ask for one. */
static bool
set_up_method(CURL *easy, const DynHttpRequest *request, DynStatus *status)
{
	const DynBuf *body = request->body;

	if (!SET(CURLOPT_CUSTOMREQUEST, request->method == DYN_HTTP_PUT ? "PUT" : NULL))
		return false;
	if (request->method == DYN_HTTP_GET)
		return SET(CURLOPT_HTTPGET, 1L);
	return SET(CURLOPT_POST, 1L) &&
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) (body ? body->len : 0)) &&
		SET(CURLOPT_POSTFIELDS, body && body->data ? body->data : "");
}

/* The URL, where requests of the engine have more than one. */
static bool
set_up_url(DynHttp *http, CURL *easy, const char *path, DynStatus *status)
{
	DynBuf		url = {0};
	bool		done;

	if (path == NULL && !http->has_paths)
		return true;
	http->has_paths = true;
	dyn_buf_str(&url, http->url);
	dyn_buf_str(&url, path ? path : "");
	done = dyn_buf_cstr(&url) ? SET(CURLOPT_URL, url.data) : dyn_status_no_memory(status);
	dyn_buf_free(&url);
	return done;
}

/* What a request has of its own; an idle handle still holds what the last one had. */
static bool
set_up_request(DynTransfer *transfer, const DynHttpRequest *request, DynStatus *status)
{
	CURL	   *easy = transfer->easy;

	return set_up_method(easy, request, status) &&
		set_up_url(transfer->http, easy, request->path, status) &&
		SET(CURLOPT_HTTPHEADER, transfer->headers) &&
		SET(CURLOPT_FRESH_CONNECT, (long) request->fresh) &&
		SET(CURLOPT_CONNECTTIMEOUT_MS, transfer->http->config.connect_timeout_ms) &&
		SET(CURLOPT_WRITEDATA, transfer) &&
		SET(CURLOPT_HEADERDATA, transfer) &&
		SET(CURLOPT_ERRORBUFFER, transfer->error_text) &&
		SET(CURLOPT_PRIVATE, transfer) &&
		SET(CURLOPT_PREREQDATA, transfer) &&
		SET(CURLOPT_OPENSOCKETDATA, transfer) &&
		SET(CURLOPT_RESOLVER_START_DATA, transfer);
}

CURL *
dyn_http_take_easy(DynHttp *http, DynStatus *status)
{
	CURL	   *easy = http->nidle > 0 ? http->idle[--http->nidle] : NULL;

	if (easy)
		return easy;
	easy = curl_easy_init();
	if (easy == NULL)
		dyn_status_no_memory(status);
	else if (!set_up_easy(http, easy, status))
	{
		curl_easy_cleanup(easy);
		easy = NULL;
	}
	return easy;
}

/* Keeps the handle for the next request, or frees it. */
void
dyn_http_give_easy(DynHttp *http, CURL *easy)
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
	dyn_http_require(http, curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL) == CURLE_OK);
	http->idle[http->nidle++] = easy;
}

/* In libcurl's notation: "Name: value", or "Name:" to leave its own header out. */
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

bool
dyn_transfer_refused(const DynTransfer *transfer)
{
	if (!transfer->done || !dyn_descriptor_lacking(transfer->refused))
		return false;
	/* any other result: an address that got a socket decided */
	return transfer->result == CURLE_COULDNT_CONNECT || transfer->result == CURLE_COULDNT_RESOLVE_HOST ||
		transfer->result == CURLE_COULDNT_RESOLVE_PROXY || transfer->result == CURLE_ABORTED_BY_CALLBACK;
}

/* Fills the status of a transfer that was refused; returns false. */
static bool
tell_refusal(const DynTransfer *transfer, DynStatus *status)
{
	return dyn_status_set(status, DYN_NO_DESCRIPTOR, "no connection can be opened: %s", strerror(transfer->refused));
}

/* Hands the request to libcurl and lets it begin at once. */
static bool
begin(DynTransfer *transfer, DynStatus *status)
{
	DynHttp    *http = transfer->http;
	CURLMcode	result;
	sigset_t	saved;

	dyn_http_block_signals(&saved);
	transfer->started_us = dyn_clock_monotonic_us();
	transfer->deadline_us = transfer->started_us + http->config.connect_timeout_ms * INT64_C(1000);
	result = curl_multi_add_handle(http->multi, transfer->easy);
	transfer->added = result == CURLM_OK;
	if (transfer->added)
		dyn_http_begin(http);
	dyn_http_restore_signals(&saved);
	if (result == CURLM_OUT_OF_MEMORY)
		return dyn_status_no_memory(status);
	if (!transfer->added || http->broken)
		return dyn_http_tell_broken(http, status);
	return !dyn_transfer_refused(transfer) || tell_refusal(transfer, status);
}

/* Frees it; one that is in flight is broken off. */
static void
discard_transfer(DynTransfer *transfer)
{
	sigset_t	saved;

	if (transfer->prev)
		transfer->prev->next = transfer->next;
	else
		transfer->http->transfers = transfer->next;
	if (transfer->next)
		transfer->next->prev = transfer->prev;
	dyn_http_block_signals(&saved);
	if (transfer->added)
		dyn_http_require(transfer->http, curl_multi_remove_handle(transfer->http->multi, transfer->easy) == CURLM_OK);
	dyn_http_end_lookup(transfer, true);
	if (transfer->easy)
		dyn_http_give_easy(transfer->http, transfer->easy);
	dyn_http_restore_signals(&saved);
	if (transfer->opened > 1 || !transfer->sent)
		dyn_http_settle_sockets(transfer->http);
	curl_slist_free_all(transfer->headers);
	dyn_http_give_body(transfer->http, &transfer->answer.body);
	free(transfer);
}

DynTransfer *
dyn_http_start(DynHttp *http, const DynHttpRequest *request, DynStatus *status)
{
	DynTransfer *transfer = calloc(1, sizeof(*transfer));

	if (transfer == NULL)
	{
		dyn_status_no_memory(status);
		return NULL;
	}
	transfer->http = http;
	transfer->next = http->transfers;
	if (transfer->next)
		transfer->next->prev = transfer;
	http->transfers = transfer;
	transfer->answer.date = -1;
	transfer->easy = dyn_http_take_easy(http, status);
	if (transfer->easy == NULL)
		goto failed;
	if (!add_headers(transfer, request->headers, request->nheaders))
		dyn_status_no_memory(status);
	else if (set_up_request(transfer, request, status) && begin(transfer, status))
		return transfer;
failed:
	discard_transfer(transfer);
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

/* What libcurl's result means to whoever sent the request.  A timeout before on_request() is one of connecting. */
static DynClass
class_of(const DynTransfer *transfer)
{
	switch (transfer->result)
	{
		case CURLE_COULDNT_RESOLVE_PROXY:
		case CURLE_COULDNT_RESOLVE_HOST:
		case CURLE_PROXY:
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_CIPHER:
			return DYN_CONNECT;
		case CURLE_COULDNT_CONNECT:
			if (transfer->refused == ENOMEM)
				return DYN_NO_MEMORY;
			return transfer->forbidden[0] ? DYN_FORBIDDEN : DYN_CONNECT;
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_SSL_ISSUER_ERROR:
			return DYN_UNTRUSTED;
		case CURLE_OPERATION_TIMEDOUT:
			return transfer->sent ? DYN_TIMEOUT : DYN_CONNECT;
		case CURLE_PARTIAL_FILE:
		case CURLE_WEIRD_SERVER_REPLY:
		case CURLE_BAD_CONTENT_ENCODING:
		case CURLE_UNSUPPORTED_PROTOCOL:
			return DYN_PROTOCOL;
		case CURLE_WRITE_ERROR:
			return transfer->rejected ? DYN_PROTOCOL : DYN_NO_MEMORY;
		case CURLE_OUT_OF_MEMORY:
			return DYN_NO_MEMORY;
		case CURLE_ABORTED_BY_CALLBACK:
			/* what else was in flight when a socket could not be watched */
			return DYN_INTERNAL;
		default:
			return DYN_CONNECTION_LOST;
	}
}

bool
dyn_transfer_stale(const DynTransfer *transfer)
{
	long		header_bytes;

	if (transfer->result != CURLE_SEND_ERROR && transfer->result != CURLE_RECV_ERROR &&
		transfer->result != CURLE_GOT_NOTHING)
		return false;
	return transfer->connects == 0 &&
		curl_easy_getinfo(transfer->easy, CURLINFO_HEADER_SIZE, &header_bytes) == CURLE_OK && header_bytes == 0;
}

bool
dyn_transfer_too_long(const DynTransfer *transfer)
{
	return transfer->too_long;
}

bool
dyn_transfer_repeated(const DynTransfer *transfer)
{
	return transfer->sent > 1;
}

/* Fills the status of a transfer that libcurl ended without an answer; returns false. */
static bool
tell_failure(const DynTransfer *transfer, DynStatus *status)
{
	DynClass	cls = class_of(transfer);

	if (dyn_transfer_refused(transfer))
		return tell_refusal(transfer, status);
	if (transfer->rejected)
		return dyn_status_set(status, DYN_PROTOCOL, "%s", transfer->rejected);
	if (cls == DYN_FORBIDDEN)
		return dyn_status_set(status, cls, "%s is reached at %s, and nothing is sent to link-local and metadata addresses",
							  transfer->http->url, transfer->forbidden);
	return dyn_status_set(status, cls, "%s",
						  transfer->error_text[0] ? transfer->error_text : curl_easy_strerror(transfer->result));
}

bool
dyn_transfer_result(DynTransfer *transfer, DynHttpAnswer **answer, DynStatus *status)
{
	long		http_status = 0;

	*answer = NULL;
	if (!transfer->done)
		return dyn_http_tell_broken(transfer->http, status);
	if (transfer->result != CURLE_OK)
		return tell_failure(transfer, status);
	if (curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http_status) != CURLE_OK)
		return dyn_status_set(status, DYN_INTERNAL, "libcurl does not tell the HTTP status");
	transfer->answer.status = (int) http_status;
	*answer = &transfer->answer;
	return true;
}

void
dyn_transfer_free(DynTransfer *transfer)
{
	if (transfer == NULL)
		return;
	discard_transfer(transfer);
	dyn_descriptor_made_room(); /* its connection is idle now, or closed */
}
