/*
 * test_descriptors.c
 *	  What becomes of calls for which no descriptor is left, on a fake engine;
 *	  and how descriptors are booked.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_http.h"
#include "net/descriptor.h"
#include "tap.h"

static DynClient *client;
static DynCounters counters;
static DynStatus status;

/* Ends a test and begins the next one, with room for so many connections. */
static void
begin(int room)
{
	DynClientConfig config = {.counters = &counters};

	dyn_client_free(client);
	memset(&counters, 0, sizeof(counters));
	client = fake_client(&config);
	fake_room = room;
}

static DynCall *
start_on(DynClient *which)
{
	DynBuf		body = {0};

	dyn_buf_str(&body, "{}");
	dyn_status_clear(&status);
	return dyn_call_start(which, DYN_OP_BATCH_GET_ITEM, &body, 0, NULL, &status);
}

static DynCall *
start(void)
{
	return start_on(client);
}

static void
test_waiting(void)
{
	DynCall    *calls[4];

	begin(2);
	for (int i = 0; i < 4; i++)
		calls[i] = start();
	is_int(fake_sent(), 2, "room for two of four");
	is_int(fake_refused, 1, "whoever comes after one that waits does not even try");
	is_int(dyn_client_timeout_ms(client), -1, "the others wait for no time to pass");
	fake_pass(client, 1000);
	is_int(fake_refused, 1, "nor do they try again and again");

	fake_answer(1, 200, "{}");
	dyn_client_drive(client);
	is_int(fake_sent(), 3, "a request that ends leaves its connection to the next");
	fake_answer(0, 200, "{}");
	fake_answer(2, 200, "{}");
	fake_pass(client, 1);
	fake_answer(3, 200, "{}");
	fake_pass(client, 1);
	for (int i = 0; i < 4; i++)
	{
		ok(dyn_call_done(calls[i]) && dyn_call_status(calls[i])->cls == DYN_OK, "call %d has its answer", i);
		is_int(dyn_call_status(calls[i])->attempts, 1, "by one attempt");
		dyn_call_free(calls[i]);
	}
	is_int(counters.requests, 4, "four requests are counted");
	is_int(counters.retries, 0, "and no retry");
	is_int(counters.most_in_flight, 2, "two at a time");
	is_int(counters.bytes_sent, 8, "and their bytes");
}

static void
test_order(void)
{
	DynCall    *calls[3];

	begin(1);
	for (int i = 0; i < 3; i++)
	{
		calls[i] = start();
		fake_now_ms++;
	}
	fake_answer(0, 200, "{}");
	dyn_client_drive(client);
	fake_answer(1, 200, "{}");
	dyn_client_drive(client);
	ok(dyn_call_done(calls[1]) && !dyn_call_done(calls[2]), "who waits longest goes first");
	for (int i = 0; i < 3; i++)
		dyn_call_free(calls[i]);
}

static void
test_idle(void)
{
	DynCall    *calls[3];

	begin(1);
	fake_idle = 1;
	for (int i = 0; i < 3; i++)
		calls[i] = start();
	is_int(fake_sent(), 2, "an idle connection of somebody else makes way at once");
	is_int(fake_idle, 0, "and no more of them than are needed");
	for (int i = 0; i < 3; i++)
		dyn_call_free(calls[i]);
}

static void
test_nothing_left(void)
{
	DynCall    *call;

	begin(0);
	ok(start() == NULL && status.cls == DYN_NO_DESCRIPTOR, "nothing is in flight, nothing idle: an error");
	is_int(status.attempts, 0, "which is no attempt");
	is_int(counters.requests, 0, "and no request");

	fake_room = 1;
	call = start();
	ok(call != NULL && fake_sent() == 1, "the client goes on when there is room again");
	fake_answer(0, 500, "");
	fake_room = 0;
	fake_pass(client, 100);
	ok(dyn_call_done(call) && dyn_call_status(call)->cls == DYN_NO_DESCRIPTOR, "a retry without room fails");
	is_int(dyn_call_status(call)->attempts, 1, "as the attempt that it is not");
	ok(strstr(dyn_call_status(call)->message, "HTTP 500") != NULL, "the message tells of the attempt before");
	dyn_call_free(call);
	is_int(fake_sent(), 1, "nothing more was sent");
}

/* How many retries a call makes whose attempts all fail. */
static int
count_retries(void)
{
	DynCall    *call = start();
	int			sent = fake_sent();

	while (!dyn_call_done(call))
	{
		fake_fail(fake_sent() - 1, DYN_CONNECTION_LOST);
		fake_pass(client, 300);
	}
	dyn_call_free(call);
	return fake_sent() - sent;
}

static void
test_tokens(void)
{
	int			retries = 0;

	begin(-1);
	for (int i = 0; i < 20; i++)
	{
		DynCall    *first = start();
		DynCall    *second;

		fake_room = 1;
		second = start();
		dyn_call_free(first);
		fake_pass(client, 1);
		dyn_call_free(second);
		fake_room = -1;
	}
	for (int n = 3; n == 3;)
		retries += n = count_retries();
	is_int(retries, 500 / 14, "waiting takes no token for retries");
}

static void
test_after_lookup(void)
{
	DynCall    *first;
	DynCall    *second;

	begin(-1);
	first = start();
	second = start();
	fake_room = 1;
	fake_refuse(1);
	dyn_client_drive(client);
	is_int(fake_sent(), 2, "no descriptor after the lookup of the name: the call waits");
	is_int(counters.requests, 1, "its request is not counted");
	fake_answer(0, 200, "{}");
	fake_pass(client, 1);
	is_int(fake_sent(), 3, "and goes out when another one ended");
	fake_answer(2, 200, "{}");
	fake_pass(client, 1);
	ok(dyn_call_done(second) && dyn_call_status(second)->cls == DYN_OK, "it gets its answer");
	is_int(dyn_call_status(second)->attempts, 1, "by one attempt");
	is_int(counters.requests, 2, "two requests in all");
	is_int(counters.retries, 0, "and no retry");
	dyn_call_free(first);
	dyn_call_free(second);
}

static void
test_two_clients(void)
{
	DynClient  *other;
	DynCall    *first;
	DynCall    *second;

	begin(-1);
	other = client;
	client = NULL;
	begin(1);
	first = start_on(other);
	second = start();
	is_int(fake_sent(), 1, "one client waits for another one's request");
	dyn_call_free(first);
	is_int(dyn_client_timeout_ms(client), 0, "until it is given up");
	dyn_client_drive(client);
	is_int(fake_sent(), 2, "then it goes on");
	dyn_call_free(second);
	dyn_client_free(other);
}

/* One client waits for another one's request, which then finds no descriptor itself. */
static void
test_waiting_in_vain(void)
{
	DynClient  *other;
	DynCall    *first;
	DynCall    *second;

	begin(-1);
	other = client;
	client = NULL;
	begin(1);
	first = start_on(other);
	second = start();
	fake_room = 0;
	fake_refuse(0);
	dyn_client_drive(other);
	ok(dyn_call_done(first) && dyn_call_status(first)->cls == DYN_NO_DESCRIPTOR, "there is nothing to wait for");
	is_int(counters.requests, 0, "nothing was sent");
	is_int(dyn_client_timeout_ms(client), 0, "nor has the other one");
	dyn_client_drive(client);
	ok(dyn_call_done(second) && dyn_call_status(second)->cls == DYN_NO_DESCRIPTOR, "which fails too");
	dyn_call_free(first);
	dyn_call_free(second);
	dyn_client_free(other);
}

static void
test_warm_up(void)
{
	DynClientConfig config = {.warmup_connections = true};
	DynCall    *call;

	begin(-1);
	dyn_client_free(client);
	client = fake_client(&config);
	fake_room = 3;
	call = start();
	dyn_client_warm_up(client, 10);
	is_int(fake_sent(), 3, "warming up ends where there is no room");
	is_int(fake_refused, 1, "and doesn't insist");
	dyn_call_free(call);
}

/* ---- booking ---- */

static int	limit;				/* how many are left */

static bool
grant(void)
{
	return limit > 0 && limit-- > 0;
}

static void
take_back(void)
{
	limit++;
}

static void
test_booking(void)
{
	uint64_t	epoch;
	int			fd;

	dyn_client_free(client);
	client = NULL;
	dyn_descriptor_book_with(grant, take_back);
	limit = 3;
	ok(dyn_descriptor_acquire(2), "two of three");
	epoch = dyn_descriptor_epoch();
	ok(!dyn_descriptor_acquire(2) && errno == EMFILE, "two more are too many");
	is_int(limit, 1, "and none of them stays booked");
	ok(dyn_descriptor_epoch() == epoch, "which is no news for those who wait");
	fd = dyn_descriptor_epoll();
	ok(fd >= 0 && dyn_descriptor_epoll() == -1 && errno == EMFILE, "the third is opened, there is no fourth");
	ok(dyn_descriptor_failed(&status, "x") == false && status.cls == DYN_NO_DESCRIPTOR, "of which the status tells");
	ok(!dyn_descriptor_available(1), "there is none to be had");
	dyn_descriptor_close(fd);
	ok(dyn_descriptor_epoch() != epoch, "a closed one is news");
	ok(dyn_descriptor_available(1) && limit == 1, "there is one again");
	ok(dyn_descriptor_socket(-1, SOCK_STREAM, 0) == -1 && limit == 1, "one that can't be opened is not booked");
	ok(!dyn_descriptor_failed(&status, "x") && status.cls == DYN_INTERNAL, "which is no want of descriptors");
	fd = dyn_descriptor_socket(AF_INET, SOCK_STREAM, 0);
	ok(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC), "programs that the process starts inherit no socket");
	dyn_descriptor_close(fd);
	dyn_descriptor_release_later(1);
	is_int(limit, 1, "what a thread will close is given back later");
	dyn_descriptor_release(1);
	is_int(limit, 2, "the rest at once");
}

/* When the process itself has no descriptor left, though they are booked. */
static void
test_system_limit(void)
{
	struct rlimit old;
	struct rlimit none;

	limit = 10;
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	ok(dyn_descriptor_epoll() == -1 && errno == EMFILE, "the system refuses an epoll set");
	ok(dyn_descriptor_socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EMFILE, "and a socket");
	ok(!dyn_descriptor_available(1), "there is none to be had");
	setrlimit(RLIMIT_NOFILE, &old);
	is_int(limit, 10, "nothing stays booked");
}

int
main(void)
{
	test_waiting();
	test_order();
	test_idle();
	test_nothing_left();
	test_tokens();
	test_after_lookup();
	test_two_clients();
	test_waiting_in_vain();
	test_warm_up();
	test_booking();
	test_system_limit();
	fake_forget();
	return done_testing();
}
