/*
 * test_http_memory.c
 *	  The HTTP engine when an allocation fails, be it the first, the second, or
 *	  any other, in our code or in libcurl: a request fails for want of memory,
 *	  or it is answered as if nothing had been.
 */
#include <curl/curl.h>
#include <stdlib.h>

#include "fail_alloc.h"
#include "http_check.h"

#define BODY "0123456789abcdef0123456789abcdef"
#define CHUNKS "20\r\n" BODY "\r\n20\r\n" BODY "\r\n0\r\n\r\n"
#define HEADERS "x-amzn-RequestId: id\r\nx-amz-crc32: 7\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

typedef struct Exchange
{
	const char *reply;
	const char *body;
} Exchange;

static const Exchange exchanges[] = {
	{"HTTP/1.1 200 OK\r\n" HEADERS "Content-Length: 32\r\n\r\n" BODY, BODY},
	{"HTTP/1.1 200 OK\r\n" HEADERS "Transfer-Encoding: chunked\r\n\r\n" CHUNKS, BODY BODY},
	{"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n" HEADERS "Connection: close\r\n\r\n" BODY, BODY},
};

static int	failed;				/* requests that were not answered */
static int	wrong;				/* in a way that they should not be */

static void
complain(const char *what)
{
	long		left = fail_alloc_after;

	fail_alloc_after = -1;
	diag("%s: class %d, %s", what, status.cls, status.message);
	wrong++;
	fail_alloc_after = left;
}

/* A failure is told as what it is.  A name that can't be looked up is libcurl's word for want of memory there. */
static void
check_failure(const char *what)
{
	failed++;
	if (status.cls != DYN_NO_MEMORY &&
		(status.cls != DYN_CONNECT || (!strstr(status.message, "resolve") && !strstr(status.message, "getaddrinfo"))))
		complain(what);
}

static void
check_answer(DynTransfer *transfer, const Exchange *exchange)
{
	dyn_status_clear(&status);
	if (!dyn_transfer_result(transfer, &answer, &status))
		check_failure("a request");
	else if (answer->status != 200 || answer->body.len != strlen(exchange->body) ||
			 memcmp(answer->body.data, exchange->body, answer->body.len) != 0 ||
			 strcmp(answer->request_id, "id") != 0 || !answer->has_crc32 || answer->crc32 != 7 ||
			 answer->date != 784111777)
		complain("a wrong answer");
}

/* Sends a request and has it answered; by a GET for a change. */
static void
exchange(const Exchange *exchange, bool get)
{
	static const DynHttpHeader headers[] = {{"X-One", "1"}, {"X-Two", ""}};
	DynHttpRequest start = {.method = get ? DYN_HTTP_GET : DYN_HTTP_POST, .headers = headers, .nheaders = 2,
	.body = get ? NULL : TEXT("{\"a\":1}")};
	DynTransfer *transfer = dyn_http_start(engine, &start, &status);
	DynBuf		body = {0};

	if (transfer == NULL)
	{
		check_failure("a start");
		return;
	}
	for (int i = 0; !dyn_transfer_done(transfer); i++)
	{
		long		left = fail_alloc_after;
		Peer	   *peer;

		fail_alloc_after = -1;
		if ((peer = server_take_request(&request)) != NULL)
		{
			if (!strstr(dyn_buf_cstr(&request), "\r\nX-One: 1\r\n") || strstr(request.data, "\r\nAccept:"))
				complain("a request without all of its headers");
			peer_send(peer, exchange->reply);
			if (strstr(exchange->reply, "Connection: close"))
				peer_close(peer);
		}
		fail_alloc_after = left;
		turn_or_stop(i, "the transfer is done", __FILE__, __LINE__);
	}
	check_answer(transfer, exchange);
	if (answer)
	{
		body = answer->body;
		memset(&answer->body, 0, sizeof(answer->body));
	}
	dyn_transfer_free(transfer);
	dyn_http_give_body(engine, &body);
}

/* All exchanges, and the first one again, on a new engine, whose allocation number `n` fails; false: there is none. */
static bool
exchange_all(long n, const char *host)
{
	DynHttpConfig config = server_begin();
	bool		reached;
	bool		open;

	config.url = server_url("http", host);
	config.ca_bundle = "/nonexistent/roots.pem";
	fail_alloc_after = n;
	engine = dyn_http_new(&config, &status);
	open = engine != NULL && dyn_http_open(engine, &status);
	if (!open)
	{
		failed++;
		if (status.cls != DYN_NO_MEMORY)
			complain("no engine");
	}
	for (size_t i = 0; i <= LENGTH(exchanges) && open && dyn_http_usable(engine); i++)
		exchange(&exchanges[i % LENGTH(exchanges)], i % 2);
	dyn_http_free(engine);
	engine = NULL;
	reached = n >= 0 && fail_alloc_after == -1;
	fail_alloc_after = -1;
	return reached;
}

/* Fails each allocation in turn, until there are no more. */
static void
test_each(const char *host)
{
	long		n = 0;

	failed = wrong = 0;
	exchange_all(-1, host);
	is_int(failed + wrong, 0, "%s, with enough memory", host);
	while (exchange_all(n, host))
		n++;
	is_int(wrong, 0, "each of %ld allocations may fail", n);
	ok(failed > n / 3, "which is told: %d times", failed);
}

int
main(void)
{
	/* libcurl is initialized once, by whoever comes first; these are ours, which can fail */
	curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, free, realloc, strdup, calloc);
	test_each("127.0.0.1");
	test_each("known.test");
	engine_end();
	curl_global_cleanup();
	return done_testing();
}
