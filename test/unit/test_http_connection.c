/*
 * test_http_connection.c
 *	  Connections of the HTTP engine: opened, kept, used again, found cut, and
 *	  those that don't come about.
 */
#include <stdlib.h>

#include "http_check.h"

/* Connections that neither side has closed. */
static int
open_connections(void)
{
	int			n = 0;

	for (int i = 0; i < server_npeers(); i++)
		n += !server_peer(i)->hung_up && server_peer(i)->fd >= 0;
	return n;
}

/* Leaves `n` idle connections behind. */
static void
open_idle(int n)
{
	DynTransfer *transfers[64];

	for (int i = 0; i < n; i++)
		transfers[i] = post(TEXT("{}"));
	for (int i = 0; i < n; i++)
		peer_send(next_request(), REPLY(2, "{}"));
	for (int i = 0; i < n; i++)
	{
		answered(transfers[i]);
		dyn_transfer_free(transfers[i]);
	}
}

/* ---- kept and used again ---- */

static void
test_reuse(void)
{
	DynTransfer *transfer;

	engine_begin();
	transfer = post(TEXT("{}"));
	peer_send(next_request(), REPLY(2, "{}"));
	ok(answered(transfer), "a first request");
	is_int(dyn_transfer_connects(transfer), 1, "opens a connection");
	dyn_transfer_free(transfer);

	transfer = post(TEXT("{}"));
	ok(next_request() == server_peer(0), "a second one uses it again");
	peer_send(server_peer(0), REPLY(2, "{}"));
	ok(answered(transfer), "and is answered");
	is_int(dyn_transfer_connects(transfer), 0, "without opening one");
	dyn_transfer_free(transfer);

	transfer = post_fresh(TEXT("{}"));
	ok(next_request() == server_peer(1), "one that wants a new connection gets it");
	peer_send(server_peer(1), REPLY(2, "{}"));
	ok(answered(transfer), "and is answered");
	is_int(dyn_transfer_connects(transfer), 1, "by a connection of its own");
	dyn_transfer_free(transfer);
	is_int(open_connections(), 2, "both are kept");
	ok(ask(REPLY(2, "{}")) && server_npeers() == 2, "and a wish for a new one is not kept");
}

static void
test_pool(void)
{
	DynHttpConfig config = server_begin();

	config.max_pool_connections = 3;
	engine_begin_with(&config);
	open_idle(8);
	is_int(server_npeers(), 8, "eight connections at once, more than are kept");
	until(open_connections() <= 3);
	idle();
	is_int(open_connections(), 3, "of which three are kept");
	open_idle(3);
	is_int(server_npeers(), 8, "and used again");
	dyn_http_free(engine);
	engine = NULL;
	server_poll(-1, 1000);
	is_int(open_connections(), 0, "all are closed with the engine");
}

/* libcurl counts whole seconds that have passed. */
static void
test_age(void)
{
	DynHttpConfig config = server_begin();

	config.keepalive_timeout_s = 5;
	engine_begin_with(&config);
	ok(ask(REPLY(2, "{}")), "a request");
	fake_pass_ms(5900);
	ok(ask(REPLY(2, "{}")) && server_npeers() == 1, "after 5.9 s its connection is used again");
	fake_pass_ms(5900);
	ok(ask(REPLY(2, "{}")) && server_npeers() == 1, "and after as long again: its use counts");
	fake_pass_ms(6100);
	ok(ask(REPLY(2, "{}")) && server_npeers() == 2, "after 6.1 s it is not");
	until(server_peer(0)->hung_up);
	ok(true, "but closed");
}

/* ---- cut while idle ---- */

static void
test_closed_while_idle(void)
{
	engine_begin();
	for (int reset = 0; reset < 2; reset++)
	{
		int			last = server_npeers();

		ok(ask(REPLY(2, "{}")), "a request");
		if (reset)
			peer_reset(server_peer(last));
		else
			peer_close(server_peer(last));
		ok(ask(REPLY(2, "{}")) && server_npeers() == last + 2, "the next one meets a closed connection and opens another");
		peer_close(server_peer(last + 1));
	}
}

/*
 * Words to nobody before the server closes an idle connection: libcurl before
 * 8.0 takes them for the answer of a request that goes out then, but the
 * connection ends with it.
 */
static void
test_words_while_idle(void)
{
	DynTransfer *transfer;

	engine_begin();
	ok(ask(REPLY(2, "{}")), "a request");
	peer_send(server_peer(0), "HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n");
	peer_close(server_peer(0));
	transfer = post(TEXT("{}"));
	until(dyn_transfer_done(transfer) || server_npeers() == 2);
	diag("the idle connection was %s", server_npeers() == 2 ? "left" : "used");
	dyn_transfer_free(transfer);
	ok(ask(REPLY(2, "{}")) && answer->status == 200, "requests get their own answers again");
	ok(ask(REPLY(2, "{}")) && answer->status == 200, "all of them");
}

/* The server closes a connection when a request has come by it; does a request that meets `idle` such ones get through? */
static DynTransfer *
meet_cut_connections(int idle, const char *last_words)
{
	DynTransfer *transfer;

	engine_begin();
	open_idle(idle);
	transfer = post(TEXT("{}"));
	for (;;)
	{
		Peer	   *peer = NULL;

		until(dyn_transfer_done(transfer) || (peer = server_take_request(&request)) != NULL);
		if (peer == NULL)
			return transfer;
		if (peer >= server_peer(0) + idle)
			peer_send(peer, REPLY(2, "{}"));
		else
		{
			peer_send(peer, last_words);
			peer_close(peer);
		}
	}
}

/*
 * libcurl itself sends a request again whose old connection was cut, and so
 * meets the next one; after five it gives up.
 */
static void
test_stale(void)
{
	DynTransfer *transfer = meet_cut_connections(2, "");

	ok(answered(transfer), "a request that meets two cut connections gets through");
	is_int(dyn_transfer_connects(transfer), 1, "by a new one");
	ok(!dyn_transfer_stale(transfer), "so it is not stale");
	dyn_transfer_free(transfer);

	transfer = meet_cut_connections(8, "");
	ok(!answered(transfer), "one that meets many does not");
	is_int(status.cls, DYN_CONNECTION_LOST, "its class");
	ok(dyn_transfer_stale(transfer), "it is stale");
	dyn_transfer_free(transfer);

	transfer = meet_cut_connections(1, "HTTP/1.1 200 OK\r\n");
	ok(!answered(transfer) && !dyn_transfer_stale(transfer), "one whose answer had begun is not stale");
	dyn_transfer_free(transfer);
	transfer = meet_cut_connections(1, "HTTP/1.1 100 Continue\r\n\r\n");
	ok(!answered(transfer) && !dyn_transfer_stale(transfer), "nor one with an interim answer");
	dyn_transfer_free(transfer);
}

/* A new connection is no old one, however it ends. */
static void
test_cut_when_new(void)
{
	for (int reset = 0; reset < 2; reset++)
	{
		DynTransfer *transfer;
		Peer	   *peer;

		engine_begin();
		transfer = post(TEXT("{}"));
		peer = next_request();
		if (reset)
			peer_reset(peer);
		else
			peer_close(peer);
		ok(!answered(transfer), "a new connection that is %s", reset ? "reset" : "closed");
		is_int(status.cls, DYN_CONNECTION_LOST, "its class");
		ok(!dyn_transfer_stale(transfer), "it is not stale");
		is_int(dyn_transfer_connects(transfer), 1, "it was opened");
		dyn_transfer_free(transfer);
	}
}

static void
test_reset_amid_body(void)
{
	DynTransfer *transfer;
	Peer	   *peer;

	engine_begin();
	transfer = post(TEXT("{}"));
	peer = next_request();
	peer_send(peer, "HTTP/1.1 200 OK\r\n\r\nbody");
	idle();
	peer_reset(peer);
	ok(!answered(transfer), "a body without a length, and a reset");
	is_int(status.cls, DYN_CONNECTION_LOST, "its class");
	dyn_transfer_free(transfer);
}

/* ---- no connection ---- */

/* Posts, and tells the class of the failure, DYN_OK if there was none. */
static DynClass
failure_of_post(void)
{
	DynTransfer *transfer = post(TEXT("{}"));
	DynClass	cls = answered(transfer) ? DYN_OK : status.cls;

	dyn_transfer_free(transfer);
	return cls;
}

static void
test_refused(void)
{
	DynHttpConfig config = server_begin();

	engine_begin_with(&config);
	server_close();
	(void) server_open();
	is_int(failure_of_post(), DYN_CONNECT, "nobody listens");
	ok(strstr(status.message, "onnect") != NULL, "its words: %s", status.message);
}

static void
test_tls_at_plain_port(void)
{
	DynHttpConfig config = server_begin();
	DynTransfer *transfer;

	config.url = server_url("https", "127.0.0.1");
	engine_begin_with(&config);
	transfer = post(TEXT("{}"));
	until(server_npeers() == 1 && server_peer(0)->in.len > 0);
	peer_send(server_peer(0), "HTTP/1.1 400 Bad Request\r\n\r\n");
	ok(!answered(transfer), "TLS with a server that speaks none");
	is_int(status.cls, DYN_CONNECT, "its class");
	ok(status.message[0] != '\0', "its words: %s", status.message);
	dyn_transfer_free(transfer);

	config = server_begin();
	config.url = server_url("https", "127.0.0.1");
	config.ca_bundle = "/nonexistent/roots.pem";
	engine_begin_with(&config);
	is_int(failure_of_post(), DYN_UNTRUSTED, "roots that can't be read");
	ok(strstr(status.message, config.ca_bundle) != NULL, "its words: %s", status.message);
}

static void
test_proxy(void)
{
	DynHttpConfig config = server_begin();

	setenv("http_proxy", server_url("http", "127.0.0.1"), 1);
	config.url = "http://known.test:1/";
	config.no_proxy = false;
	engine_begin_with(&config);
	ok(ask(REPLY(2, "{}")), "a proxy of the environment");
	ok(strncmp(request.data, "POST http://known.test:1/ HTTP/1.1\r\n", 36) == 0, "is asked for the URL");

	config = server_begin();
	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	engine_begin_with(&config);
	ok(ask(REPLY(2, "{}")), "no_proxy: it is not used");
	ok(strncmp(request.data, "POST / HTTP/1.1\r\n", 17) == 0, "the server is asked itself");
	unsetenv("http_proxy");
}

/* ---- names ---- */

static void
begin_with_name(const char *name)
{
	DynHttpConfig config = server_begin();

	config.url = server_url("http", name);
	engine_begin_with(&config);
}

static void
test_names(void)
{
	DynTransfer *transfer;
	int			asked = fake_names_asked();

	begin_with_name("known.test");
	ok(ask(REPLY(2, "{}")), "a name that is known");
	is_int(fake_names_asked(), asked + 1, "the name service is asked");
	ok(!fake_signals_open(), "by a thread that takes no signals");
	begin_with_name("unknown.test");
	is_int(failure_of_post(), DYN_CONNECT, "a name that is not");
	ok(strstr(status.message, "unknown.test") != NULL, "its words: %s", status.message);

	begin_with_name("slow.test");
	asked = fake_names_asked();
	transfer = post(TEXT("{}"));
	until(fake_names_asked() == asked + 1);
	idle();
	ok(!dyn_transfer_done(transfer), "a slow name service is not waited for");
	fake_release_names();
	peer_send(next_request(), REPLY(2, "{}"));
	ok(answered(transfer), "and wakes the engine in the end");
	dyn_transfer_free(transfer);
}

/* Threads that ask for a name are left alone, or freeing would wait for them. */
static void
test_freed_while_resolving(void)
{
	int			asked = fake_names_asked();
	DynTransfer *transfers[2];

	begin_with_name("slow.test");
	transfers[0] = post(TEXT("{}"));
	transfers[1] = post(TEXT("{}"));
	until(fake_names_asked() == asked + 2);
	dyn_transfer_free(transfers[0]);
	ok(true, "freed while the name service is asked");
	fake_pass_ms(CONNECT_TIMEOUT_MS);
	ok(!answered(transfers[1]), "timed out while it is asked");
	is_int(status.cls, DYN_CONNECT, "its class");
	dyn_transfer_free(transfers[1]);
	dyn_http_free(engine);
	engine = NULL;
	ok(true, "the engine goes before its threads do");
	fake_release_names();
}

int
main(void)
{
	test_reuse();
	test_pool();
	test_age();
	test_closed_while_idle();
	test_words_while_idle();
	test_stale();
	test_cut_when_new();
	test_reset_amid_body();
	test_refused();
	test_tls_at_plain_port();
	test_proxy();
	test_names();
	test_freed_while_resolving();
	engine_end();
	return done_testing();
}
