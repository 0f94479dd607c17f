/*
 * test_http_engine.c
 *	  The HTTP engine as its owner drives it: what wakes it, its timeouts, and
 *	  an engine that broke.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_check.h"

/* Is the engine's descriptor readable, now or a little later? */
static bool
wakes(int timeout_ms)
{
	struct pollfd polled = {.fd = dyn_http_fd(engine), .events = POLLIN};

	return poll(&polled, 1, timeout_ms) == 1;
}

/* A request that the server has got and keeps. */
static DynTransfer *
post_to(Peer **peer)
{
	DynTransfer *transfer = post(TEXT("{}"));

	*peer = next_request();
	idle();
	return transfer;
}

/* ---- what wakes it ---- */

static void
test_wakes(void)
{
	DynTransfer *transfer;
	Peer	   *peer;

	engine_begin();
	is_int(dyn_http_timeout_ms(engine), -1, "an engine with nothing to do never wants to be driven");
	ok(!wakes(0), "and does not wake anybody");
	transfer = post_to(&peer);
	ok(!wakes(0), "nor does it while it waits for an answer");
	peer_send(peer, REPLY(2, "{}"));
	ok(wakes(1000) && wakes(0), "an answer wakes until it is taken in");
	ok(!dyn_transfer_done(transfer), "which only driving does");
	dyn_http_drive(engine);
	ok(dyn_transfer_done(transfer), "at once");
	ok(!wakes(0), "then there is nothing left to do");
	is_int(dyn_http_timeout_ms(engine), -1, "and nothing to wait for");
	dyn_http_drive(engine);
	ok(answered(transfer), "a transfer that is done stays so");
	dyn_transfer_free(transfer);
	ok(strncmp(dyn_http_version(), "libcurl/", 8) == 0, "%s", dyn_http_version());
}

/* Whoever drives moves the transfers of all, and each has its own timeout. */
static void
test_drives_all(void)
{
	DynTransfer *transfers[3];
	Peer	   *peers[3];

	engine_begin();
	for (int i = 0; i < 3; i++)
	{
		transfers[i] = post_to(&peers[i]);
		fake_pass_ms(1000);
	}
	peer_send(peers[1], REPLY(2, "{}"));
	until(dyn_transfer_done(transfers[1]));
	ok(!dyn_transfer_done(transfers[0]) && !dyn_transfer_done(transfers[2]), "an answer ends its own transfer only");
	ok(dyn_http_timeout_ms(engine) > 0 && dyn_http_timeout_ms(engine) <= READ_TIMEOUT_MS - 3000,
	   "the engine wants to be driven when the first one's timeout is over");
	fake_pass_ms(READ_TIMEOUT_MS - 3000);
	dyn_http_drive(engine);
	ok(!answered(transfers[0]), "it ends the first one");
	is_int(status.cls, DYN_TIMEOUT, "its class");
	ok(!dyn_transfer_done(transfers[2]), "not the third");
	peer_send(peers[2], REPLY(2, "{}"));
	ok(answered(transfers[2]), "which is answered");
	ok(answered(transfers[1]), "as the second one was");
	for (int i = 0; i < 3; i++)
		dyn_transfer_free(transfers[i]);
}

/* ---- the read timeout ---- */

static void
test_read_timeout(void)
{
	DynTransfer *transfer;
	Peer	   *peer;

	engine_begin();
	transfer = post(TEXT("{}"));
	fake_pass_ms(CONNECT_TIMEOUT_MS - 1);
	peer = next_request();
	idle();
	fake_pass_ms(READ_TIMEOUT_MS / 2);
	peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbo");
	idle();
	fake_pass_ms(READ_TIMEOUT_MS / 2 - 0.5);
	is_int(dyn_http_timeout_ms(engine), 1, "half a millisecond is left: rounded up");
	dyn_http_drive(engine);
	ok(!dyn_transfer_done(transfer), "the timeout counts from sending");
	fake_pass_ms(0.5);
	is_int(dyn_http_timeout_ms(engine), 0, "none is left");
	dyn_http_drive(engine);
	ok(!answered(transfer), "and to the whole answer");
	is_int(status.cls, DYN_TIMEOUT, "its class");
	is_string(status.message, "no whole answer within 10000 ms", "its words");
	ok(!dyn_transfer_stale(transfer), "it is not stale");
	until(peer->hung_up);
	dyn_transfer_free(transfer);
	ok(ask(REPLY(2, "{}")) && server_npeers() == 2, "the next request goes by another connection");
}

/* Not a byte of an answer to a request by an old connection: silence does not make it stale. */
static void
test_silence(void)
{
	DynTransfer *transfer;
	Peer	   *peer;

	engine_begin();
	ok(ask(REPLY(2, "{}")), "a connection that is used again");
	transfer = post_to(&peer);
	fake_pass_ms(READ_TIMEOUT_MS);
	dyn_http_drive(engine);
	ok(!answered(transfer) && status.cls == DYN_TIMEOUT, "and brings nothing");
	is_int(dyn_transfer_connects(transfer), 0, "it is an old one");
	ok(!dyn_transfer_stale(transfer), "but not stale");
	dyn_transfer_free(transfer);
}

/* What has come by then is taken in before the time is judged. */
static void
test_answer_in_time(void)
{
	DynTransfer *transfer;
	Peer	   *peer;

	engine_begin();
	transfer = post_to(&peer);
	peer_send(peer, REPLY(2, "{}"));
	ok(wakes(1000), "an answer came");
	fake_pass_ms(READ_TIMEOUT_MS);
	dyn_http_drive(engine);
	ok(dyn_transfer_done(transfer) && answered(transfer), "and is not too late for who looks when the time is over");
	dyn_transfer_free(transfer);
}

/* A timeout that passed while nobody drove begins anew. */
static void
test_nobody_drove(void)
{
	DynTransfer *transfer;
	Peer	   *peer;

	engine_begin();
	transfer = post_to(&peer);
	fake_pass_ms(READ_TIMEOUT_MS * 10);
	dyn_http_drive(engine);
	ok(!dyn_transfer_done(transfer), "a timeout that passed while nobody drove");
	is_int(dyn_http_timeout_ms(engine), READ_TIMEOUT_MS, "begins anew");
	fake_pass_ms(READ_TIMEOUT_MS - 1);
	dyn_http_drive(engine);
	ok(!dyn_transfer_done(transfer), "and lasts as long");
	fake_pass_ms(1);
	dyn_http_drive(engine);
	ok(!answered(transfer) && status.cls == DYN_TIMEOUT, "not longer");
	dyn_transfer_free(transfer);
}

/* ---- the connect timeout ---- */

/* A port whose queue of connections is full: further ones hang. */
static int
open_full_port(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t	len = sizeof(address);
	int			listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(listener, (struct sockaddr *) &address, sizeof(address)) < 0 || listen(listener, 0) < 0 ||
		getsockname(listener, (struct sockaddr *) &address, &len) < 0)
		abort();
	*port = ntohs(address.sin_port);
	return listener;
}

static void
test_never_accepted(void)
{
	DynHttpConfig config = server_begin();
	DynTransfer *transfers[4];
	char		url[50];
	int			port;
	int			listener = open_full_port(&port);
	int			hung = 0;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
	config.url = url;
	engine_begin_with(&config);
	for (int i = 0; i < 4; i++)
		transfers[i] = post(TEXT("{}"));
	idle();
	fake_pass_ms(CONNECT_TIMEOUT_MS - 1);
	dyn_http_drive(engine);
	for (int i = 0; i < 4; i++)
		ok(!dyn_transfer_done(transfers[i]), "a server that accepts nobody is waited for");
	fake_pass_ms(1);
	is_int(dyn_http_timeout_ms(engine), 0, "until the timeout");
	dyn_http_drive(engine);
	for (int i = 0; i < 4; i++)
	{
		/* the first ones are in its queue, and connected as far as anybody can tell */
		if (dyn_transfer_done(transfers[i]))
		{
			ok(!answered(transfers[i]) && status.cls == DYN_CONNECT, "then there is no connection: %s", status.message);
			hung++;
		}
		dyn_transfer_free(transfers[i]);
	}
	ok(hung >= 2, "%d of 4 got none", hung);
	close(listener);
}

/* The timeout lasts until TLS stands. */
static void
test_silent_handshake(void)
{
	DynHttpConfig config = server_begin();
	DynTransfer *transfer;

	config.url = server_url("https", "127.0.0.1");
	engine_begin_with(&config);
	transfer = post(TEXT("{}"));
	until(server_npeers() == 1 && server_peer(0)->in.len > 0);
	idle();
	fake_pass_ms(CONNECT_TIMEOUT_MS - 1);
	dyn_http_drive(engine);
	ok(!dyn_transfer_done(transfer), "a server that does not go on with TLS is waited for");
	fake_pass_ms(1);
	dyn_http_drive(engine);
	ok(!answered(transfer), "until the timeout");
	is_int(status.cls, DYN_CONNECT, "its class");
	ok(status.message[0] != '\0', "its words: %s", status.message);
	dyn_transfer_free(transfer);
}

/* Both our own count and libcurl's of connecting begin anew. */
static void
test_nobody_drove_while_connecting(void)
{
	for (int waits = 1; waits <= 2; waits++)
	{
		DynHttpConfig config = server_begin();
		DynTransfer *transfer;

		config.url = server_url("http", "slow.test");
		engine_begin_with(&config);
		transfer = post(TEXT("{}"));
		idle();
		for (int i = 0; i < waits; i++)
		{
			fake_pass_ms(CONNECT_TIMEOUT_MS * 3);
			dyn_http_drive(engine);
			ok(!dyn_transfer_done(transfer), "a connect timeout that passed while nobody drove");
		}
		ok(dyn_http_timeout_ms(engine) > 0, "begins anew");
		fake_pass_ms(CONNECT_TIMEOUT_MS - 1);
		dyn_http_drive(engine);
		ok(!dyn_transfer_done(transfer), "and lasts as long");
		fake_release_names();
		peer_send(next_request(), REPLY(2, "{}"));
		ok(answered(transfer), "what came in the meantime is taken in");
		dyn_transfer_free(transfer);
	}
}

/* ---- long drives ---- */

/* With a clock that runs, a drive ends before all is taken in, and judges no time. */
static void
test_short_drives(void)
{
	enum { N = 20 };
	DynTransfer *transfers[N];
	Peer	   *peers[N];
	DynTransfer *silent;
	Peer	   *peer;
	DynHttpConfig config = server_begin();
	int			done = 0;
	int			drives = 0;

	config.connect_timeout_ms = 10 * READ_TIMEOUT_MS;
	engine_begin_with(&config);
	silent = post_to(&peer);
	for (int i = 0; i < N; i++)
		transfers[i] = post(TEXT("{}"));
	for (int i = 0; i < N; i++)
		peers[i] = next_request();
	/* libcurl's timers of connecting are over, or it would look at all transfers when the first one is */
	fake_pass_ms(1000);
	idle();
	for (int i = 0; i < N; i++)
		peer_send(peers[i], REPLY(2, "{}"));
	fake_pass_ms(READ_TIMEOUT_MS - 1000 - 40);
	fake_tick_us = 1000;
	while (done < N && drives < 10 * N)
	{
		dyn_http_drive(engine);
		drives++;
		done = 0;
		for (int i = 0; i < N; i++)
			done += dyn_transfer_done(transfers[i]);
		if (drives == 1)
		{
			ok(done > 0 && done < N, "a drive of 20 ms: %d of %d answers", done, N);
			ok(wakes(0), "the rest keeps the engine awake");
		}
		else if (done < N)
			ok(!dyn_transfer_done(silent), "before it is taken in no time is judged");
	}
	fake_tick_us = 0;
	is_int(done, N, "all are taken in by %d drives", drives);
	done = 0;
	for (int i = 0; i < N; i++)
	{
		done += answered(transfers[i]);
		dyn_transfer_free(transfers[i]);
	}
	is_int(done, N, "and none timed out");
	dyn_transfer_free(silent);
}

/* A clock that is faster than any work does not keep the engine from it. */
static void
test_slow_machine(void)
{
	DynTransfer *transfer;
	Peer	   *peer;

	engine_begin();
	transfer = post_to(&peer);
	peer_send(peer, REPLY(2, "{}"));
	ok(wakes(1000), "an answer came");
	fake_tick_us = 30000;
	for (int i = 0; i < 3 && !dyn_transfer_done(transfer); i++)
		dyn_http_drive(engine);
	fake_tick_us = 0;
	ok(dyn_transfer_done(transfer) && answered(transfer), "each drive does something, however slow the machine");
	dyn_transfer_free(transfer);
}

/* ---- signals ---- */

static bool
same_mask(const sigset_t *mask)
{
	sigset_t	now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	for (int i = 1; i < SIGRTMAX; i++)
		if (sigismember(&now, i) != sigismember(mask, i))
			return false;
	return true;
}

static void
test_signal_mask(void)
{
	sigset_t	mask;
	DynTransfer *transfer;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	engine_begin();
	transfer = post(TEXT("{}"));
	ok(same_mask(&mask), "starting leaves the signal mask as it was");
	dyn_http_drive(engine);
	ok(same_mask(&mask), "driving too");
	dyn_transfer_free(transfer);
	ok(same_mask(&mask), "freeing too");
	engine_end();
	ok(same_mask(&mask), "and so does the engine's end");
}

/* ---- an engine that broke ---- */

/* Two requests with `n` calls of epoll_ctl() that succeed; true: both were answered. */
static bool
ask_with_epoll(int n)
{
	DynTransfer *first;
	DynTransfer *second = NULL;
	int			answers = 0;
	Peer	   *peer;

	engine_begin();
	fake_epoll_left = n;
	first = dyn_http_start(engine, &(DynHttpRequest) {.body = TEXT("{}")}, &status);
	if (first)
		second = dyn_http_start(engine, &(DynHttpRequest) {.body = TEXT("{}")}, &status);
	if (first == NULL || second == NULL)
		ok(status.cls == DYN_INTERNAL && status.message[0] != '\0', "no transfer: %s", status.message);
	while (dyn_http_usable(engine) && answers < 2)
	{
		if ((peer = server_take_request(&request)) != NULL)
		{
			peer_send(peer, REPLY(2, "{}"));
			answers++;
		}
		turn();
	}
	while (dyn_http_usable(engine) && !(dyn_transfer_done(first) && dyn_transfer_done(second)))
		turn();
	answers = 0;
	if (first && dyn_transfer_done(first))
		answers += answered(first) && answer->status == 200;
	if (second && dyn_transfer_done(second))
		answers += answered(second) && answer->status == 200;
	if (answers < 2)
	{
		ok(!dyn_http_usable(engine), "epoll_ctl() that fails after %d calls breaks the engine", n);
		is_int(status.cls, DYN_INTERNAL, "the class of what it had in flight");
		ok(dyn_http_start(engine, &(DynHttpRequest) {.body = TEXT("{}")}, &status) == NULL, "it starts nothing more");
		ok(second == NULL || dyn_transfer_done(second), "nobody waits for what will not come");
		(void) dyn_http_timeout_ms(engine);
		dyn_http_drive(engine);
	}
	dyn_transfer_free(first);
	dyn_transfer_free(second);
	fake_epoll_left = -1;
	return answers == 2;
}

static void
test_broken(void)
{
	int			n = 0;

	while (!ask_with_epoll(n) && n < 100)
		n++;
	ok(n > 1, "%d calls are enough", n);
}

/* Descriptors that this process has open. */
static int
count_descriptors(void)
{
	DIR		   *dir = opendir("/proc/self/fd");
	int			n = 0;

	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static void
test_gives_all_back(void)
{
	int			before;
	DynTransfer *transfer;

	server_begin();
	before = count_descriptors();
	engine_end();
	engine_begin();
	ok(ask(REPLY(2, "{}")), "an engine with an idle connection");
	transfer = post(TEXT("{}"));
	dyn_transfer_free(transfer);
	engine_end();
	server_begin();
	is_int(count_descriptors(), before, "leaves no descriptor behind");
}

static void
test_no_descriptor(void)
{
	DynHttpConfig config = server_begin();
	struct rlimit limit;
	struct rlimit none;
	bool		opened;

	engine_begin_with(&config);
	dyn_http_close(engine);
	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	opened = dyn_http_open(engine, &status);
	setrlimit(RLIMIT_NOFILE, &limit);
	ok(!opened && dyn_http_fd(engine) == -1, "an engine can't be opened without a descriptor");
	is_int(status.cls, DYN_NO_DESCRIPTOR, "its class");
	ok(strstr(status.message, strerror(EMFILE)) != NULL, "its words: %s", status.message);
	ok(dyn_http_open(engine, &status) && ask(REPLY(2, "{}")), "but once there is one");
	dyn_http_free(NULL);
}

int
main(void)
{
	test_wakes();
	test_drives_all();
	test_read_timeout();
	test_silence();
	test_answer_in_time();
	test_nobody_drove();
	test_never_accepted();
	test_silent_handshake();
	test_nobody_drove_while_connecting();
	test_short_drives();
	test_slow_machine();
	test_signal_mask();
	test_broken();
	test_gives_all_back();
	test_no_descriptor();
	engine_end();
	return done_testing();
}
