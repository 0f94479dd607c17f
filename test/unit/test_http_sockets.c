/*
 * test_http_sockets.c
 *	  Descriptors of the HTTP engine: all are booked, each is given back once,
 *	  and where none is left the idle ones make way.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "http_check.h"
#include "net/descriptor.h"

#define ENGINE 3				/* descriptors of an open engine */
#define LOOKUP 3				/* of a lookup of a name */

static int	limit;				/* descriptors that may be booked at a time */
static int	in_use;

static bool
grant(void)
{
	return in_use < limit && ++in_use > 0;
}

static void
take_back(void)
{
	in_use--;
}

/* A test begins with an engine of its own, and room for so many descriptors besides the engine's. */
static void
begin(int room)
{
	engine_end();
	is_int(in_use, 0, "all is given back");
	limit = ENGINE + room;
	engine_begin();
	is_int(in_use, ENGINE, "an open engine");
}

/* The same at a host with a name. */
static void
begin_with_name(const char *host, int room)
{
	DynHttpConfig config = server_begin();

	limit = ENGINE + room;
	config.url = server_url("http", host);
	engine_begin_with(&config);
}

static int
sockets(void)
{
	return in_use - ENGINE;
}

/* Answers the next request. */
static void
serve(void)
{
	peer_send(next_request(), REPLY(2, "{}"));
}

/* Leaves `n` idle connections behind. */
static void
open_idle(int n)
{
	DynTransfer *transfers[10];

	for (int i = 0; i < n; i++)
		transfers[i] = post_fresh(TEXT("{}"));
	for (int i = 0; i < n; i++)
		serve();
	for (int i = 0; i < n; i++)
	{
		answered(transfers[i]);
		dyn_transfer_free(transfers[i]);
	}
}

/* A request that can't be sent for want of a descriptor; by a new connection, or any. */
static bool
is_refused(bool fresh)
{
	DynTransfer *transfer;

	dyn_status_clear(&status);
	transfer = dyn_http_start(engine, &(DynHttpRequest) {.body = TEXT("{}"), .fresh = fresh}, &status);
	return transfer == NULL && status.cls == DYN_NO_DESCRIPTOR && strstr(status.message, strerror(EMFILE)) != NULL;
}

/* ---- booked and given back ---- */

static void
test_booking(void)
{
	DynTransfer *transfer;

	begin(10);
	ok(ask(REPLY(2, "{}")) && sockets() == 1, "a connection is booked, and stays so while it is idle");
	ok(ask(REPLY(2, "{}")) && sockets() == 1, "the next request uses it again");
	open_idle(4);
	is_int(sockets(), 5, "each new one is booked");
	ok(ask_and_close("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}") && sockets() == 4,
	   "one that the server closes is given back");
	transfer = post(TEXT("{}"));
	next_request();
	dyn_transfer_free(transfer);
	is_int(sockets(), 3, "and one that is broken off");
	for (int i = 0; i < server_npeers(); i++)
		peer_close(server_peer(i));
	idle();
	ok(ask(REPLY(2, "{}")), "idle connections that were cut");
	fake_pass_ms(2000);
	ok(ask(REPLY(2, "{}")) && sockets() == 1, "are given back too, once libcurl looks at them");
	dyn_http_close(engine);
	is_int(in_use, 0, "a closed engine holds nothing");
	ok(dyn_http_open(engine, &status) && ask(REPLY(2, "{}")), "it can be opened again");
}

static void
test_pool(void)
{
	begin(20);
	open_idle(10);
	open_idle(10);
	ok(sockets() <= 11, "those that the pool has no room for are given back");
}

static void
test_refused_connection(void)
{
	DynTransfer *transfer;

	begin(10);
	server_close();
	transfer = post(TEXT("{}"));
	ok(!answered(transfer) && status.cls == DYN_CONNECT, "nobody listens");
	ok(!dyn_transfer_refused(transfer), "which is not for want of a descriptor");
	is_int(sockets(), 0, "the socket is given back");
	dyn_transfer_free(transfer);
}

/* Of a socket that is not connected yet, libcurl 7.88 doesn't say that it closes it. */
static void
test_broken_off_while_connecting(void)
{
	begin(10);
	open_idle(1);
	for (int i = 0; i < 5; i++)
		dyn_transfer_free(post_fresh(TEXT("{}")));
	is_int(sockets(), 1, "those that were about to connect are given back");
	ok(ask(REPLY(2, "{}")) && sockets() == 1, "and nothing else");
	dyn_transfer_free(post_fresh(TEXT("{}")));
	dyn_http_close(engine);
	is_int(in_use, 0, "a closed engine holds nothing");
	dyn_http_open(engine, &status);
}

/* Requests by new and old connections that are answered, cut or broken off. */
static void
test_many(void)
{
	begin(10);
	for (int i = 0; i < 100 && sockets() <= 9; i++)
	{
		bool		fresh = i % 3 == 0;
		DynTransfer *transfer = fresh ? post_fresh(TEXT("{}")) : post(TEXT("{}"));
		Peer	   *peer = next_request();

		if (fresh && i % 2)
			peer_reset(peer);
		else if (i % 5)
			peer_send(peer, REPLY(2, "{}"));
		if ((fresh && i % 2) || i % 5)
			answered(transfer);
		dyn_transfer_free(transfer);
		if (sockets() == 9)
			dyn_http_make_room(engine);
	}
	ok(sockets() >= 0 && sockets() <= 9, "a hundred requests, of which some fail");
	while (dyn_http_make_room(engine))
		;
	is_int(sockets(), 0, "leave nothing that is not idle");
}

/* ---- refused ---- */

static void
test_refusal(void)
{
	DynTransfer *first;

	begin(LOOKUP);
	open_idle(1);
	limit = in_use;
	first = post(TEXT("{}"));
	ok(!dyn_transfer_done(first), "the idle connection is there for one request");
	ok(is_refused(false), "for the next there is no descriptor");
	ok(dyn_http_busy(), "the first will make room");
	ok(!dyn_http_make_room(engine), "nothing is idle now");
	serve();
	ok(answered(first), "it is answered");
	dyn_transfer_free(first);
	ok(!dyn_http_busy() && ask(REPLY(2, "{}")), "then its connection is there for the next");
}

static void
test_system_limit(void)
{
	struct rlimit old;
	struct rlimit none;
	bool		refused;

	begin(10);
	open_idle(1);
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	refused = is_refused(true);
	setrlimit(RLIMIT_NOFILE, &old);
	ok(refused, "a socket that the system refuses is the same");
	is_int(sockets(), 1, "and not booked");
}

/* Two engines; the first has connections in flight and idle ones. */
static void
test_make_room(void)
{
	DynHttp    *first;
	DynTransfer *transfer;
	DynHttpConfig config;
	Peer	   *busy;

	begin(10);
	open_idle(3);
	transfer = post(TEXT("{}"));
	busy = next_request();
	first = engine;
	config = (DynHttpConfig) {
		.url = server_url("http", "127.0.0.1"), .no_proxy = true, .connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.read_timeout_ms = READ_TIMEOUT_MS, .max_pool_connections = 10, .keepalive_timeout_s = 30
	};
	engine_begin_with(&config);
	ok(ask(REPLY(2, "{}")), "a second engine");
	limit = in_use;
	is_int(limit, 2 * ENGINE + 4, "three connections here, one there");
	ok(is_refused(true), "one more is too many");
	ok(dyn_http_make_room(engine) && in_use == limit - 1, "an idle one makes way");
	ok(dyn_http_make_room(engine) && dyn_http_make_room(engine) && in_use == limit - 3, "and others, one by one");
	ok(!dyn_http_make_room(engine), "but not the one that is in use");
	peer_send(busy, REPLY(2, "{}"));
	while (!dyn_transfer_done(transfer))
	{
		server_poll(dyn_http_fd(first), 10);
		dyn_http_drive(first);
	}
	ok(dyn_transfer_result(transfer, &answer, &status), "whose request is answered");
	dyn_transfer_free(transfer);
	ok(dyn_http_make_room(engine) && dyn_http_make_room(engine), "then its connection makes way, and its engine");
	is_int(in_use, ENGINE, "only the one that wants room holds something");
	ok(dyn_http_fd(first) == -1 && dyn_http_fd(engine) >= 0, "the other one is closed");
	ok(!dyn_http_make_room(engine), "nothing is idle any more");
	dyn_http_free(first);
}

/* ---- names ---- */

/* A thread that is left to itself holds descriptors for an unknown time. */
static void
test_lookup_left(void)
{
	DynTransfer *transfer;

	engine_end();
	begin_with_name("slow.test", 10);
	transfer = post(TEXT("{}"));
	fake_pass_ms(CONNECT_TIMEOUT_MS);
	ok(!answered(transfer) && status.cls == DYN_CONNECT, "the name server is too slow");
	dyn_transfer_free(transfer);
	is_int(sockets(), LOOKUP - 1, "what the thread holds stays booked");
	fake_pass_ms(50000);
	ok(dyn_descriptor_available(1) && sockets() == LOOKUP - 1, "for a while");
	fake_pass_ms(20000);
	ok(dyn_descriptor_available(1) && sockets() == 0, "but not for ever");
	fake_release_names();
}

static void
test_lookup(void)
{
	DynTransfer *transfer;

	engine_end();
	begin_with_name("unknown.test", 10);
	transfer = post(TEXT("{}"));
	ok(!answered(transfer) && status.cls == DYN_CONNECT && !dyn_transfer_refused(transfer), "there is no such name");
	is_int(sockets(), 0, "that lookup is over");
	dyn_transfer_free(transfer);

	engine_end();
	begin_with_name("known.test", LOOKUP - 1);
	ok(is_refused(false), "one that there are too few descriptors for");
	is_int(sockets(), 0, "is not booked");

	engine_end();
	begin_with_name("slow.test", 10);
	transfer = post(TEXT("{}"));
	is_int(sockets(), LOOKUP, "a lookup is booked");
	fake_release_names();
	serve();
	ok(answered(transfer), "it ends");
	is_int(sockets(), 1, "and leaves a connection");
	dyn_transfer_free(transfer);
}

/* Other than above, the engine did not know it when the request was started. */
static void
test_refused_after_lookup(void)
{
	DynTransfer *transfer;
	uint64_t	epoch;

	engine_end();
	begin_with_name("slow.test", LOOKUP);
	transfer = post(TEXT("{}"));
	limit = ENGINE;
	fake_release_names();
	ok(!answered(transfer) && status.cls == DYN_NO_DESCRIPTOR, "no descriptor after the lookup");
	ok(dyn_transfer_refused(transfer), "so nothing was sent");
	is_int(sockets(), 0, "and nothing is booked");
	ok(dyn_http_busy(), "who waits for it");
	epoch = dyn_descriptor_epoch();
	dyn_transfer_free(transfer);
	ok(!dyn_http_busy() && dyn_descriptor_epoch() != epoch, "is told that this was in vain");
}

int
main(void)
{
	dyn_descriptor_book_with(grant, take_back);
	test_booking();
	test_pool();
	test_refused_connection();
	test_broken_off_while_connecting();
	test_many();
	test_refusal();
	test_system_limit();
	test_make_room();
	test_lookup_left();
	test_lookup();
	test_refused_after_lookup();
	engine_end();
	is_int(in_use, 0, "all is given back in the end");
	return done_testing();
}
