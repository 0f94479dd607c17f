/*
 * test_http_answer.c
 *	  Answers as the HTTP engine takes them in: whole, in pieces, cut, too
 *	  long, or no HTTP at all.
 */
#include "fail_alloc.h"
#include "http_check.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"


/* What the connection does behind an answer; it stays if the next request comes by it. */
typedef enum Fate
{
	STAYS,
	IS_LEFT,					/* by the engine */
	CLOSES						/* by the server */
} Fate;

static const struct Answer
{
	const char *what;
	const char *reply;
	Fate		fate;
	int			http_status;
	const char *body;
}			answers[] = {
	{"a body of known length", REPLY(2, "{}"), STAYS, 200, "{}"},
	{"no body", REPLY(0, ""), STAYS, 200, ""},
	{"an error", "HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad", STAYS, 400, "bad"},
	{"a status without words", "HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n", STAYS, 503, ""},
	{"lines that end with LF alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", STAYS, 200, "{}"},
	{"a body of chunks", CHUNKED "3\r\nabc\r\n0a;x=y\r\n0123456789\r\n0\r\n\r\n", STAYS, 200, "abc0123456789"},
	{"chunks and a trailer", CHUNKED "2\r\n{}\r\n0\r\nX-Trailer: 1\r\n\r\n", STAYS, 200, "{}"},
	{"chunks, and a length, which does not count (RFC 9112, 6.3)",
	OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", STAYS, 200, "{}"},
	{"a body until the connection ends", OK "\r\n{}", CLOSES, 200, "{}"},
	{"Connection: close", OK "Connection: close\r\nContent-Length: 2\r\n\r\n{}", IS_LEFT, 200, "{}"},
	{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", IS_LEFT, 200, "{}"},
	{"HTTP/1.0 until the connection ends", "HTTP/1.0 200 OK\r\n\r\n{}", CLOSES, 200, "{}"},
	{"HTTP/1.0 that stays",
	"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}", STAYS, 200, "{}"},
	{"204, which has no body", "HTTP/1.1 204 No Content\r\n\r\n", STAYS, 204, ""},
	{"an interim answer before it", "HTTP/1.1 100 Continue\r\n\r\n" REPLY(2, "{}"), STAYS, 200, "{}"},
	{"two before it",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" REPLY(2, "{}"), STAYS, 200, "{}"},
	{"a redirect, not followed",
	"HTTP/1.1 301 Moved\r\nLocation: /else\r\nContent-Length: 2\r\n\r\nno", STAYS, 301, "no"},
	{"a redirect that would repeat the POST",
	"HTTP/1.1 308 Moved\r\nLocation: /else\r\nContent-Length: 2\r\n\r\nno", STAYS, 308, "no"},
	{"a redirect to nowhere", "HTTP/1.1 302 Moved\r\nContent-Length: 0\r\n\r\n", STAYS, 302, ""},
	{"a wish for a password",
	"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", STAYS, 401, ""},
	{"a body that says it is packed", OK "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", STAYS, 200, "{}"},
	{"bytes behind the body", REPLY(2, "{}") "HTTP/1.1 500 Evil\r\nContent-Length: 0\r\n\r\n", IS_LEFT, 200, "{}"},
};

/* libcurl says the same of chunks that make no sense as of a lost connection. */
static const struct Failure
{
	const char *what;
	const char *reply;
	Fate		fate;
	DynClass	cls;
}			failures[] = {
	{"nothing", "", CLOSES, DYN_CONNECTION_LOST},
	{"half a status line", "HTTP/1.1 20", CLOSES, DYN_CONNECTION_LOST},
	{"an interim answer only", "HTTP/1.1 100 Continue\r\n\r\n", CLOSES, DYN_CONNECTION_LOST},
	{"a status line only", OK, CLOSES, DYN_PROTOCOL},
	{"a part of the headers", OK "Content-Length: 0\r\n", CLOSES, DYN_PROTOCOL},
	{"a part of them behind an interim answer", "HTTP/1.1 100 Continue\r\n\r\n" OK "Date: now\r\n", CLOSES, DYN_PROTOCOL},
	{"a part of the body", REPLY(10, "012345678"), CLOSES, DYN_PROTOCOL},
	{"none of the body", REPLY(10, ""), CLOSES, DYN_PROTOCOL},
	{"a part of a chunk", CHUNKED "5\r\nabc", CLOSES, DYN_PROTOCOL},
	{"chunks without the last one", CHUNKED "3\r\nabc\r\n", CLOSES, DYN_PROTOCOL},
	{"chunks without the last line", CHUNKED "3\r\nabc\r\n0\r\n", CLOSES, DYN_PROTOCOL},
	{"a chunk without a length", CHUNKED "x\r\nabc\r\n0\r\n\r\n", IS_LEFT, DYN_CONNECTION_LOST},
	{"a chunk longer than it says", CHUNKED "3\r\nabcdef\r\n0\r\n\r\n", IS_LEFT, DYN_CONNECTION_LOST},
	{"a length below 0", OK "Content-Length: -1\r\n\r\n{}", CLOSES, DYN_PROTOCOL},
	{"a length that is none", OK "Content-Length: two\r\n\r\n{}", CLOSES, DYN_PROTOCOL},
	{"a length beyond 64 bits", OK "Content-Length: 18446744073709551617\r\n\r\n{}", CLOSES, DYN_PROTOCOL},
	{"a length beyond the cap", OK "Content-Length: 67108865\r\n\r\n{}", IS_LEFT, DYN_PROTOCOL},
	{"an answer of HTTP/0.9", "{}", CLOSES, DYN_PROTOCOL},
	{"another protocol", "SSH-2.0-OpenSSH_9.2\r\n", IS_LEFT, DYN_PROTOCOL},
	{"another version", "HTTP/4.2 200 OK\r\nContent-Length: 2\r\n\r\n{}", IS_LEFT, DYN_PROTOCOL},
	{"a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}", IS_LEFT, DYN_PROTOCOL},
	{"a status that is no number", "HTTP/1.1 okay\r\nContent-Length: 2\r\n\r\n{}", IS_LEFT, DYN_PROTOCOL},
	{"a header that is none", OK "no colon\r\nContent-Length: 2\r\n\r\n{}", IS_LEFT, DYN_PROTOCOL},
};

static bool
ask_for(const char *reply, Fate fate)
{
	engine_begin();
	return fate == CLOSES ? ask_and_close(reply) : ask(reply);
}

/* Whatever an answer was, the next request gets its own. */
static void
check_next(Fate fate)
{
	ok(ask(REPLY(4, "next")) && answer->status == 200, "the next request is answered");
	is_text(answer->body.data, answer->body.len, "next", "by what is its own");
	is_int(server_npeers(), fate == STAYS ? 1 : 2, "connections");
}

static void
test_answers(void)
{
	for (size_t i = 0; i < LENGTH(answers); i++)
	{
		ok(ask_for(answers[i].reply, answers[i].fate), "%s", answers[i].what);
		is_int(answer->status, answers[i].http_status, "its status");
		is_text(answer->body.data ? answer->body.data : "", answer->body.len, answers[i].body, "its body");
		check_next(answers[i].fate);
	}
}

static void
test_failures(void)
{
	for (size_t i = 0; i < LENGTH(failures); i++)
	{
		ok(!ask_for(failures[i].reply, failures[i].fate) && answer == NULL, "%s", failures[i].what);
		is_int(status.cls, failures[i].cls, "its class");
		ok(status.message[0] != '\0', "its words: %s", status.message);
		check_next(failures[i].fate);
	}
}

/* ---- in pieces ---- */

static void
test_pieces(void)
{
	static const char reply[] = "HTTP/1.1 103 Early Hints\r\nx-amzn-RequestId: early\r\n\r\n"
		OK "x-amzn-RequestId: id\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
	DynTransfer *transfer;
	Peer	   *peer;

	engine_begin();
	transfer = post(TEXT("{}"));
	peer = next_request();
	for (size_t i = 0; reply[i] != '\0'; i++)
	{
		char		piece[2] = {reply[i], '\0'};

		if (dyn_transfer_done(transfer))
			break;
		peer_send(peer, piece);
		turn();
	}
	ok(answered(transfer), "an answer that comes byte by byte");
	is_text(answer->body.data, answer->body.len, "abcde", "its body");
	is_string(answer->request_id, "id", "its request id");
	dyn_transfer_free(transfer);
}

/* Bodies that are longer than a buffer of anybody's. */
static void
test_long_body(void)
{
	DynTransfer *transfer;
	Peer	   *peer;

	engine_begin();
	transfer = post(TEXT("{}"));
	peer = next_request();
	peer_send(peer, OK "Content-Length: 5000001\r\n\r\n");
	peer->flood = 5000000;
	until(peer->flood == 0);
	idle();
	ok(!dyn_transfer_done(transfer), "a long answer is not done before its last byte");
	peer_send(peer, "y");
	ok(answered(transfer), "and then it is");
	is_int(answer->body.len, 5000001, "its length");
	ok(answer->body.data[0] == 'x' && answer->body.data[4999999] == 'x' && answer->body.data[5000000] == 'y', "its ends");
	dyn_transfer_free(transfer);
}

/* ---- too much ---- */

/* Floods what follows `head`; does an answer come of it? */
static bool
ask_for_flood(const char *head, size_t len)
{
	DynTransfer *transfer;
	Peer	   *peer;
	bool		came;

	engine_begin();
	transfer = post(TEXT("{}"));
	peer = next_request();
	peer_send(peer, head);
	peer->flood = len;
	until(dyn_transfer_done(transfer) || peer->flood == 0);
	if (peer->flood == 0)
		peer_close(peer);
	came = answered(transfer);
	if (came)
		is_int(answer->body.len, len, "the length of the body");
	dyn_transfer_free(transfer);
	return came;
}

static void
test_cap(void)
{
	ok(ask_for_flood(OK "\r\n", DYN_HTTP_MAX_BODY), "a body of just the cap");
	ok(!ask_for_flood(OK "\r\n", DYN_HTTP_MAX_BODY + 1), "a body longer than the cap");
	is_int(status.cls, DYN_PROTOCOL, "its class");
	ok(strstr(status.message, "64 MB") != NULL, "its words: %s", status.message);
	ok(!ask_for_flood(OK "X-Long: ", 200 * 1024), "a header that does not end");
	ok(status.cls == DYN_PROTOCOL || status.cls == DYN_NO_MEMORY, "which is libcurl's to judge: %s", status.message);
}

/* A cap of the engine's own; `tells`: the headers say how long the body is. */
static void
test_own_cap(bool tells)
{
	DynHttpConfig config = server_begin();

	config.max_body = 10;
	engine_begin_with(&config);
	ok(ask(tells ? REPLY(10, "0123456789") : CHUNKED "a\r\n0123456789\r\n0\r\n\r\n"), "a body of just that length");
	ok(!ask(tells ? REPLY(11, "0123456789") : CHUNKED "b\r\n0123456789x\r\n0\r\n\r\n"), "a longer one");
	is_int(status.cls, DYN_PROTOCOL, "its class");
	is_string(status.message, "the answer is too long", "its words");
}

static void
test_many_headers(void)
{
	static char line[1000] = "X-Line: ";
	DynTransfer *transfer;
	Peer	   *peer;

	engine_begin();
	memset(line + 8, 'x', sizeof(line) - 8 - 3);
	strcpy(line + sizeof(line) - 3, "\r\n");
	for (int trailers = 0; trailers < 2; trailers++)
	{
		transfer = post(TEXT("{}"));
		peer = next_request();
		peer_send(peer, trailers ? CHUNKED "2\r\n{}\r\n0\r\n" : OK);
		for (int i = 0; i < 1000 && !dyn_transfer_done(transfer); i++)
		{
			peer_send(peer, line);
			turn();
		}
		ok(!answered(transfer), "%s without an end", trailers ? "trailers" : "headers");
		is_int(status.cls, DYN_PROTOCOL, "their class");
		ok(strstr(status.message, "128 kB") != NULL, "their words: %s", status.message);
		dyn_transfer_free(transfer);
	}
}

/* ---- headers ---- */

static const struct HeaderCase
{
	const char *headers;
	const char *request_id;
	int64_t		crc32;			/* -1: none */
	double		retry_after_ms;
	int64_t		date;
}			header_cases[] = {
	{"", "", -1, 0, -1},
	{"x-amzn-RequestId: ABC\r\nx-amz-crc32: 4294967295\r\nx-amz-retry-after: 1500\r\n"
	"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "ABC", 4294967295, 1500, 784111777},
	{"X-AMZN-REQUESTID:ABC\r\nX-AMZ-CRC32:0\r\nX-AMZ-RETRY-AFTER:\t 7 \t\r\n"
	"DATE:   Sun, 06 Nov 1994 08:49:37 GMT  \r\n", "ABC", 0, 7, 784111777},
	/* of headers that come twice the last counts */
	{"x-amzn-RequestId: A\r\nx-amzn-RequestId: B\r\nx-amz-crc32: 1\r\nx-amz-crc32: 2\r\n"
	"x-amz-retry-after: 3\r\nx-amz-retry-after: 4\r\n", "B", 2, 4, -1},
	/* names that only begin or end alike */
	{"x-amzn-RequestIds: A\r\nxx-amz-crc32: 1\r\nx-amz-retry-after-all: 3\r\nx-date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
	"", -1, 0, -1},
	/* nothing that a delay or a date could be */
	{"x-amzn-RequestId:\r\nx-amz-retry-after: soon\r\nDate: yesterday\r\n", "", -1, 0, -1},
	{"x-amz-retry-after: -5\r\nDate:\r\n", "", -1, 0, -1},
	{"x-amz-retry-after: nan\r\n", "", -1, 0, -1},
	{"x-amz-retry-after: inf\r\n", "", -1, 0, -1},
	{"x-amz-retry-after: 5 s\r\n", "", -1, 0, -1},
	{"x-amz-retry-after: 1e9\r\n", "", -1, 0, -1},
	{"x-amz-retry-after:\r\n", "", -1, 0, -1},
	{"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", "", -1, 0, 0},
	{"Date: Sun, 06 Nov 2094 08:49:37 GMT\r\n", "", -1, 0, 3939871777},
};

static void
test_headers(void)
{
	for (size_t i = 0; i < LENGTH(header_cases); i++)
	{
		const struct HeaderCase *c = &header_cases[i];
		char		reply[1000];

		engine_begin();
		snprintf(reply, sizeof(reply), OK "%sContent-Length: 0\r\n\r\n", c->headers);
		ok(ask(reply), "headers %zu", i);
		is_string(answer->request_id, c->request_id, "request id");
		is_int(answer->has_crc32 ? (int64_t) answer->crc32 : -1, c->crc32, "checksum");
		ok(answer->retry_after_ms == c->retry_after_ms, "delay %g", answer->retry_after_ms);
		is_int(answer->date, c->date, "date");
	}
}

/* A checksum that is no number shows that the answer is damaged, as one that differs does. */
static void
test_bad_checksum(void)
{
	static const char *const values[] = {"", "abc", "-1", "4294967296", "18446744073709551617", "12x", "0x10", "1 2"};

	for (size_t i = 0; i < LENGTH(values); i++)
	{
		char		reply[200];

		engine_begin();
		snprintf(reply, sizeof(reply), OK "x-amz-crc32: %s\r\nContent-Length: 0\r\n\r\n", values[i]);
		ok(!ask(reply), "the checksum '%s'", values[i]);
		is_int(status.cls, DYN_PROTOCOL, "its class");
		ok(strstr(status.message, "x-amz-crc32") != NULL, "its words: %s", status.message);
	}
}

static void
test_long_header_value(void)
{
	char		id[301];
	char		reply[500];

	memset(id, 'i', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	engine_begin();
	snprintf(reply, sizeof(reply), OK "x-amzn-RequestId: %s\r\nContent-Length: 0\r\n\r\n", id);
	ok(ask(reply), "a request id longer than any");
	is_int(strlen(answer->request_id), sizeof(answer->request_id) - 1, "is cut");
}

/* Fields of the answer itself, not of an interim one; nor of the answer before. */
static void
test_interim_headers(void)
{
	engine_begin();
	ok(ask("HTTP/1.1 103 Early Hints\r\nx-amzn-RequestId: early\r\nx-amz-crc32: 1\r\nx-amz-retry-after: 2\r\n"
		   "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n" REPLY(0, "")), "an interim answer with headers");
	ok(answer->request_id[0] == '\0' && !answer->has_crc32 && answer->retry_after_ms == 0 && answer->date == -1,
	   "which the answer has not");
	ok(ask(OK "x-amzn-RequestId: one\r\nx-amz-crc32: 1\r\nContent-Length: 0\r\n\r\n"), "an answer with headers");
	ok(ask(REPLY(0, "")) && answer->request_id[0] == '\0' && !answer->has_crc32, "which the next one has not");
}

/* Where answers are secret, nothing of them is left in memory that was theirs: not when they grow, nor when nobody reads them. */
static void
test_secret_answers(void)
{
	static const char *const secrets[] = {"sEcReT", NULL};
	static const char *const replies[] = {
		REPLY(9, "sEcReT 78"),
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nsEcReT 78\r\n200\r\n%512d\r\n400\r\n%1024d\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nsEcReT",
	};
	DynHttpConfig config;
	char		reply[3000];

	for (size_t i = 0; i < LENGTH(replies); i++)
	{
		config = server_begin();
		config.secret = true;
		config.max_body = 65536;
		engine_begin_with(&config);
		snprintf(reply, sizeof(reply), replies[i], 1, 1);
		fail_alloc_left = NULL;
		fail_alloc_secrets = secrets;
		is_int(ask_and_close(reply), i < 2, "an answer, or half of it");
		engine_end();
		fail_alloc_secrets = NULL;
		ok(fail_alloc_left == NULL, "nothing of it is left");
	}
}

int
main(void)
{
	test_secret_answers();
	test_answers();
	test_failures();
	test_pieces();
	test_long_body();
	test_cap();
	test_own_cap(true);
	test_own_cap(false);
	test_many_headers();
	test_headers();
	test_bad_checksum();
	test_long_header_value();
	test_interim_headers();
	engine_end();
	return done_testing();
}
