/*
 * test_http_request.c
 *	  Requests as the HTTP engine sends them: their bytes, many at a time,
 *	  given up at any time, and whose memory is whose.
 */
#include <stdlib.h>

#include "http_check.h"

/* The value of a header of the request that the server took last, "none" without. */
static const char *
header(const char *name)
{
	static char value[200];
	char		start[100];
	const char *line;
	const char *end;

	snprintf(start, sizeof(start), "\r\n%s:", name);
	line = strstr(dyn_buf_cstr(&request), start);
	if (line == NULL || line > strstr(request.data, "\r\n\r\n"))
		return "none";
	line += strlen(start);
	end = strstr(line, "\r\n");
	snprintf(value, sizeof(value), "%.*s", (int) (end - line), line);
	return value;
}

static int
count_headers(void)
{
	const char *text = dyn_buf_cstr(&request);
	const char *end = strstr(text, "\r\n\r\n");
	int			n = 0;

	while ((text = strstr(text, "\r\n")) != NULL && text < end)
	{
		text += 2;
		n++;
	}
	return n;
}

static void
is_body(const void *want, size_t len, const char *what)
{
	const char *text = dyn_buf_cstr(&request);
	const char *body = strstr(text, "\r\n\r\n") + 4;

	is_bytes(body, request.len - (body - text), want, len, "%s", what);
}

static void
is_start(const char *want)
{
	is_text(dyn_buf_cstr(&request), strcspn(request.data, "\r"), want, "the request line");
}

/* Starts a request, takes it at the server, and has it answered. */
static void
exchange_any(const DynHttpRequest *sent)
{
	DynTransfer *transfer = dyn_http_start(engine, sent, &status);

	peer_send(next_request(), REPLY(0, ""));
	ok(answered(transfer), "a request is answered");
	dyn_transfer_free(transfer);
}

/* A POST, or a GET where there is no body. */
static void
exchange(const DynHttpHeader *headers, int nheaders, const DynBuf *body)
{
	exchange_any(&(DynHttpRequest) {.method = body ? DYN_HTTP_POST : DYN_HTTP_GET, .headers = headers,
	.nheaders = nheaders, .body = body});
}

/* ---- bytes ---- */

static void
test_post(void)
{
	static const DynHttpHeader headers[] = {
		{"Host", "dynamodb.test"}, {"Content-Type", "application/x-amz-json-1.0"}, {"X-Amz-Target", "Op"}
	};

	engine_begin();
	exchange(headers, LENGTH(headers), TEXT("{\"a\":1}"));
	is_start("POST / HTTP/1.1");
	is_string(header("Host"), " dynamodb.test", "a header of ours takes the place of libcurl's");
	is_string(header("Content-Type"), " application/x-amz-json-1.0", "another one");
	is_string(header("X-Amz-Target"), " Op", "a header that is ours alone");
	is_string(header("Content-Length"), " 7", "the length");
	is_string(header("User-Agent"), " dynamo_fdw", "the name");
	is_int(count_headers(), 5, "no other header: no Expect, no Accept");
	is_body("{\"a\":1}", 7, "the body");
}

static void
test_odd_bodies(void)
{
	static char large[3 * 1024 * 1024];
	static const char binary[] = "\0\r\n\r\n\xff\0";

	engine_begin();
	exchange(NULL, 0, &(DynBuf) {.data = (char *) binary, .len = sizeof(binary)});
	is_body(binary, sizeof(binary), "a body of any bytes");
	exchange(NULL, 0, &(DynBuf) {0});
	is_start("POST / HTTP/1.1");
	is_string(header("Content-Length"), " 0", "a body without bytes");
	memset(large, 'x', sizeof(large));
	exchange(NULL, 0, &(DynBuf) {.data = large, .len = sizeof(large)});
	is_string(header("Expect"), "none", "a large body is not announced");
	is_string(header("Transfer-Encoding"), "none", "nor cut into chunks");
	is_body(large, sizeof(large), "it comes whole");
}

/* An easy handle that served a POST serves a GET, and the other way round. */
static void
test_get(void)
{
	static const DynHttpHeader headers[] = {{"User-Agent", ""}, {"X-Empty", ""}};

	engine_begin();
	for (int i = 0; i < 2; i++)
	{
		exchange(NULL, 0, NULL);
		is_start("GET / HTTP/1.1");
		is_string(header("Content-Length"), "none", "a GET has no length");
		is_string(header("Content-Type"), "none", "nor a type");
		is_int(count_headers(), 2, "only a host and a name");
		exchange(headers, LENGTH(headers), TEXT("body"));
		is_start("POST / HTTP/1.1");
		is_body("body", 4, "a POST has a body");
		is_string(header("User-Agent"), "none", "an empty value takes libcurl's own header out");
	}
	is_int(server_npeers(), 1, "all by one connection");
}

/* One handle serves all methods and paths in turns. */
static void
test_put_and_paths(void)
{
	static const DynHttpHeader headers[] = {{"Content-Type", ""}, {"X-Seconds", "60"}};

	engine_begin();
	for (int i = 0; i < 2; i++)
	{
		exchange_any(&(DynHttpRequest) {.method = DYN_HTTP_PUT, .path = "/latest/../token", .headers = headers,
		.nheaders = 2});
		is_start("PUT /latest/../token HTTP/1.1");
		is_string(header("Content-Length"), " 0", "a PUT says that it has no body");
		is_string(header("Content-Type"), "none", "nor a type of it");
		is_string(header("X-Seconds"), " 60", "its header");
		exchange_any(&(DynHttpRequest) {.method = DYN_HTTP_GET, .path = "/roles/?x=1"});
		is_start("GET /roles/?x=1 HTTP/1.1");
		is_string(header("Content-Length"), "none", "a GET after it has no length");
		exchange(NULL, 0, TEXT("body"));
		is_start("POST / HTTP/1.1");
		is_body("body", 4, "a POST after it has a body");
	}
	is_int(server_npeers(), 1, "all by one connection");
}

/* ---- many ---- */

static void
test_many(void)
{
	enum { N = 40 };
	DynTransfer *transfers[N];
	Peer	   *peers[N];
	char		bodies[N][20];
	DynBuf		borrowed[N];
	int			right = 0;

	engine_begin();
	for (int i = 0; i < N; i++)
	{
		snprintf(bodies[i], sizeof(bodies[i]), "request %d", i);
		borrowed[i] = *TEXT(bodies[i]);
		transfers[i] = post(&borrowed[i]);
	}
	for (int i = 0; i < N; i++)
	{
		Peer	   *peer = next_request();

		peers[atoi(strstr(dyn_buf_cstr(&request), "request ") + strlen("request "))] = peer;
	}
	is_int(server_npeers(), N, "as many connections as requests");
	for (int i = N - 1; i >= 0; i--)
	{
		char		reply[100];

		snprintf(reply, sizeof(reply), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\nanswer %d", strlen(bodies[i]) - 1, i);
		peer_send(peers[i], reply);
	}
	until(dyn_transfer_done(transfers[0]));
	for (int i = 0; i < N; i++)
	{
		char		want[20];

		snprintf(want, sizeof(want), "answer %d", i);
		right += answered(transfers[i]) && answer->body.len == strlen(want) &&
			memcmp(answer->body.data, want, answer->body.len) == 0;
		dyn_transfer_free(transfers[i]);
	}
	is_int(right, N, "each gets its own answer, whatever their order");
}

/* An answer before the whole request went out ends the sending. */
static void
test_early_answer(void)
{
	static char large[16 * 1024 * 1024];
	DynTransfer *transfer;

	engine_begin();
	transfer = post(&(DynBuf) {.data = large, .len = sizeof(large)});
	until(server_npeers() == 1);
	server_peer(0)->deaf = true;
	idle();
	peer_send(server_peer(0), "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
	ok(answered(transfer) && answer->status == 413, "an answer to a request that is not sent yet");
	dyn_transfer_free(transfer);
	server_peer(0)->deaf = false;
	until(server_peer(0)->hung_up);
	ok(server_peer(0)->in.len < sizeof(large), "the rest of it stays unsent");
	ok(ask(REPLY(2, "{}")) && server_npeers() == 2, "the next request goes by another connection");
}

/* ---- given up ---- */

/* Frees a transfer in each stage of its life; the engine serves on. */
static void
test_freed_any_time(void)
{
	enum { NEW, CONNECTED, SENT, HEADERS, BODY, DONE, CUT, STAGES };

	engine_begin();
	dyn_transfer_free(NULL);
	for (int stage = NEW; stage < STAGES; stage++)
	{
		int			before = server_npeers();
		DynTransfer *transfer = post_fresh(TEXT("{}"));
		Peer	   *peer = NULL;

		if (stage == CONNECTED)
			until(server_npeers() > before);
		if (stage >= SENT)
			peer = next_request();
		if (stage >= HEADERS)
			peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n");
		if (stage >= BODY)
			peer_send(peer, "\r\nbo");
		if (stage == DONE)
			peer_send(peer, "dy");
		if (stage == CUT)
			peer_close(peer);
		if (stage >= DONE)
			until(dyn_transfer_done(transfer));
		else if (stage >= HEADERS)
			idle();
		dyn_transfer_free(transfer);
		if (stage >= SENT && stage < DONE)
			until(peer->hung_up);
		ok(ask(REPLY(4, "next")) && memcmp(answer->body.data, "next", 4) == 0, "a transfer freed in stage %d", stage);
	}
}

/* Any order of frees, some in flight, some done: by turns from the front, the back and the middle. */
static void
test_freed_in_any_order(void)
{
	enum { N = 9 };
	static const int orders[][N] = {
		{0, 1, 2, 3, 4, 5, 6, 7, 8}, {8, 7, 6, 5, 4, 3, 2, 1, 0}, {4, 0, 8, 3, 5, 1, 7, 2, 6}
	};

	for (size_t order = 0; order < LENGTH(orders); order++)
	{
		DynTransfer *transfers[N];

		engine_begin();
		for (int i = 0; i < N; i++)
			transfers[i] = post(TEXT("{}"));
		for (int i = 0; i < N; i++)
		{
			Peer	   *peer = next_request();

			if (i % 2)
				peer_send(peer, REPLY(2, "{}"));
		}
		idle();
		for (int i = 0; i < N; i++)
			dyn_transfer_free(transfers[orders[order][i]]);
		ok(ask(REPLY(0, "")), "transfers freed in order %zu", order);
	}
}

/* ---- memory of answers ---- */

static void
test_spare_bodies(void)
{
	const char *used;
	DynBuf		body;

	engine_begin();
	ok(ask(REPLY(4, "body")), "an answer");
	body = answer->body;
	memset(&answer->body, 0, sizeof(answer->body));
	used = body.data;
	dyn_http_give_body(engine, &body);
	ok(body.data == NULL && body.len == 0 && body.cap == 0, "a body that is given back is left empty");
	ok(ask(REPLY(2, "{}")) && answer->body.data == used, "its memory serves the next one");
	is_text(answer->body.data, answer->body.len, "{}", "which has its own bytes");

	dyn_buf_reserve(&body, 1024 * 1024);
	dyn_buf_str(&body, "large");
	dyn_http_give_body(engine, &body);
	ok(body.data == NULL, "a large one is left empty too");
	for (int i = 0; i < 100; i++)
	{
		dyn_buf_str(&body, "one of many");
		dyn_http_give_body(engine, &body);
	}
	ok(body.data == NULL, "and so are more than are kept");
	dyn_http_give_body(engine, &body);
	ok(ask(REPLY(2, "{}")), "an empty one changes nothing");
}

int
main(void)
{
	test_post();
	test_odd_bodies();
	test_get();
	test_put_and_paths();
	test_many();
	test_early_answer();
	test_freed_any_time();
	test_freed_in_any_order();
	test_spare_bodies();
	engine_end();
	return done_testing();
}
