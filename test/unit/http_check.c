/*
 * http_check.c
 *	  Tests of the HTTP engine: one engine, one server, one loop.
 */
#include "http_check.h"

#include <stdlib.h>
#include <unistd.h>

#include "fail_alloc.h"
#include "fake_system.h"

/* A turn in which nothing happens takes so long; after so many in a row nothing will. */
#define TURN_MS 10
#define MAX_TURNS 20000

DynHttp    *engine;
DynStatus	status;
DynHttpAnswer *answer;
DynBuf		request;

double		idle_turn_ms;

static int	port;				/* 0: there is no server */
static DynTransfer *asked;		/* by ask() */

void
engine_end(void)
{
	dyn_transfer_free(asked);
	asked = NULL;
	dyn_http_free(engine);
	engine = NULL;
	dyn_buf_free(&request);
	if (port > 0)
		server_close();
	port = 0;
}

DynHttpConfig
server_begin(void)
{
	engine_end();
	port = server_open();
	return (DynHttpConfig) {
		.url = server_url("http", "127.0.0.1"),
		.no_proxy = true,
		.connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.read_timeout_ms = READ_TIMEOUT_MS,
		.max_pool_connections = 10,
		.keepalive_timeout_s = 30
	};
}

void
engine_begin_with(const DynHttpConfig *config)
{
	fake_hold_names();
	engine = dyn_http_new(config, &status);
	if (engine == NULL || !dyn_http_open(engine, &status))
		abort();
}

void
engine_begin(void)
{
	DynHttpConfig config = server_begin();

	engine_begin_with(&config);
}

const char *
server_url(const char *scheme, const char *host)
{
	static char url[100];

	snprintf(url, sizeof(url), "%s://%s:%d", scheme, host, port);
	return url;
}

static DynTransfer *
start(const DynBuf *body, bool fresh)
{
	DynHttpRequest request = {.method = body ? DYN_HTTP_POST : DYN_HTTP_GET, .body = body, .fresh = fresh};
	DynTransfer *transfer = dyn_http_start(engine, &request, &status);

	if (transfer == NULL)
		abort();
	return transfer;
}

DynTransfer *
post(const DynBuf *body)
{
	return start(body, false);
}

DynTransfer *
post_fresh(const DynBuf *body)
{
	return start(body, true);
}

/* Memory runs out in the code under test only. */
static bool
move_server(void)
{
	long		left = fail_alloc_after;
	bool		readable;

	fail_alloc_after = -1;
	readable = server_poll(dyn_http_fd(engine), dyn_http_timeout_ms(engine) == 0 ? 0 : TURN_MS);
	fail_alloc_after = left;
	return readable;
}

void
turn(void)
{
	if (move_server() || dyn_http_timeout_ms(engine) == 0)
		dyn_http_drive(engine);
}

void
turn_or_stop(int turns, const char *condition, const char *file, int line)
{
	if (turns == MAX_TURNS)
	{
		printf("not ok - %s:%d: until %s\n", file, line, condition);
		exit(1);
	}
	/* a thread that looks names up may have to wait for the processor */
	if (turns > 100)
	{
		usleep(1000);
		fake_pass_ms(idle_turn_ms);
	}
	turn();
}

void
idle(void)
{
	for (int i = 0; i < 5; i++)
		turn();
}

Peer *
next_request(void)
{
	Peer	   *peer;

	until((peer = server_take_request(&request)) != NULL);
	return peer;
}

bool
answered(DynTransfer *transfer)
{
	until(dyn_transfer_done(transfer));
	dyn_status_clear(&status);
	return dyn_transfer_result(transfer, &answer, &status);
}

/* Lets the server take the request of a new transfer. */
static Peer *
begin_to_ask(void)
{
	dyn_transfer_free(asked);
	asked = post(TEXT("{}"));
	return next_request();
}

bool
ask(const char *reply)
{
	peer_send(begin_to_ask(), reply);
	return answered(asked);
}

bool
ask_and_close(const char *reply)
{
	Peer	   *peer = begin_to_ask();

	peer_send(peer, reply);
	peer_close(peer);
	return answered(asked);
}
