/*
 * ddb_client.c
 *	  DynamoDB client: its credentials, its clock, and what drives its calls.
 *
 * Nothing is decided inside libcurl's callbacks: dyn_client_drive() moves all
 * calls on (ddb_call.c).
 */
#include "net/ddb_private.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/wipe.h"
#include "net/descriptor.h"

/* NULL stays NULL.  False: no memory. */
static bool
copy_string(char **out, const char *text)
{
	if (text == NULL)
		return true;
	*out = strdup(text);
	return *out != NULL;
}

/* False: no memory; what is copied by then goes with the client. */
static bool
copy_config(DynClient *client, const DynClientConfig *config)
{
	client->endpoint = config->endpoint;
	client->max_attempts = config->total_max_retry_attempts;
	client->adaptive = config->adaptive;
	client->max_pool_connections = config->max_pool_connections;
	client->warm_up = config->warmup_connections;
	client->clock = config->clock;
	client->keys = dyn_key_source_share(config->keys);
	return copy_string(&client->region, config->region);
}

static int
member_timeout_ms(void *arg)
{
	return dyn_client_timeout_ms(arg);
}

static void
member_drive(void *arg)
{
	dyn_client_drive(arg);
}

/* Makes the client a member of the loop, which drives it for its waiting calls even while the engine is closed. */
static bool
join_loop(DynClient *client, DynStatus *status)
{
	client->member.timeout_ms = member_timeout_ms;
	client->member.drive = member_drive;
	client->member.arg = client;
	return dyn_loop_join(&client->member) || dyn_descriptor_failed(status, "an epoll set");
}

bool
dyn_client_open(DynClient *client, DynStatus *status)
{
	if (dyn_http_fd(client->http) >= 0)
		return true;
	if (!dyn_http_open(client->http, status))
		return false;
	if (dyn_loop_watch(&client->member, dyn_http_fd(client->http)))
		return true;
	dyn_descriptor_failed(status, "an epoll set");
	dyn_http_close(client->http);
	return false;
}

bool
dyn_client_held(const DynClient *client)
{
	return client->held && client->held_epoch == dyn_descriptor_epoch();
}

/*
 * In the units of libcurl.  A server on this machine is asked without a proxy,
 * and no DynamoDB is where a machine gets its credentials.
 */
static DynHttp *
new_engine(const DynClientConfig *config, DynStatus *status)
{
	DynHttpConfig http = {0};

	http.url = config->endpoint.url;
	http.ca_bundle = config->ca_bundle;
	http.no_proxy = config->no_proxy || config->endpoint.loopback;
	http.refuse_link_local = true;
	http.connect_timeout_ms = (long) (config->connect_timeout_s * 1000);
	http.read_timeout_ms = (long) (config->read_timeout_s * 1000);
	http.max_pool_connections = config->max_pool_connections;
	/* up: libcurl counts whole seconds, and 0 is its own default */
	http.keepalive_timeout_s = (long) ceil(config->keepalive_timeout_s);
	return dyn_http_new(&http, status);
}

DynClient *
dyn_client_new(const DynClientConfig *config, DynStatus *status)
{
	DynClient  *client = calloc(1, sizeof(*client));

	dyn_status_clear(status);
	if (client == NULL || !copy_config(client, config))
		dyn_status_no_memory(status);
	else
		client->http = new_engine(config, status);
	if (client == NULL || client->http == NULL || !join_loop(client, status))
	{
		dyn_client_free(client);
		return NULL;
	}
	client->signer.region = client->region;
	client->signer.service = "dynamodb";
	client->counters = config->counters;
	dyn_retry_bucket_init(&client->bucket);
	dyn_clock_init(&client->clock);
	return client;
}

void
dyn_client_free(DynClient *client)
{
	if (client == NULL)
		return;
	dyn_loop_leave(&client->member);
	for (DynCall *call = client->calls; call; call = call->next)
	{
		dyn_call_drop_transfer(call);
		call->client = NULL;
		call->state = DYN_CALL_DONE;
		dyn_status_set(&call->status, DYN_INTERNAL, "the client was closed");
	}
	dyn_warmup_free(&client->warmup);
	dyn_http_free(client->http);
	free(client->region);
	dyn_key_source_release(client->keys);
	dyn_wipe(client, sizeof(*client));
	free(client);
}

DynKeySource *
dyn_client_keys(const DynClient *client)
{
	return client->keys;
}

bool
dyn_client_usable(const DynClient *client)
{
	return dyn_http_usable(client->http);
}

/* Until a waiting call may go out: ms, DYN_PACE_FULL where only an answer makes room, or brings keys. */
static double
wait_of(const DynCall *call, double now)
{
	if (call->due_ms > now)
		return call->due_ms - now;
	if (dyn_client_held(call->client) || dyn_key_source_waiting(call->client->keys))
		return DYN_PACE_FULL;
	return dyn_pace_wait_ms(&call->client->pace, call->client->in_flight, now);
}

int
dyn_client_timeout_ms(const DynClient *client)
{
	double		soonest = dyn_http_timeout_ms(client->http);
	double		now = dyn_clock_now_ms(&client->clock);

	for (const DynCall *call = client->calls; call; call = call->next)
	{
		double		wait;

		/* one that ended while another was started waits for nothing but to be looked at */
		if (call->state == DYN_CALL_IN_FLIGHT && dyn_transfer_done(call->transfer))
			return 0;
		if (call->state != DYN_CALL_WAITING)
			continue;
		wait = wait_of(call, now);
		if (wait != DYN_PACE_FULL && (soonest < 0 || wait < soonest))
			soonest = wait;
	}
	/* rounded up: a poll that ends too early would only spin */
	return soonest < 0 ? -1 : soonest > INT_MAX - 1 ? INT_MAX : (int) (soonest + 0.999);
}

void
dyn_client_warm_up(DynClient *client, int workers)
{
	int			most = workers < client->max_pool_connections ? workers : client->max_pool_connections;
	DynStatus	ignored;

	if (client->warm_up && dyn_client_open(client, &ignored))
		dyn_warmup_start(&client->warmup, client->http, most - client->in_flight);
	client->warm_up = false;
}

/* The call that has been due for the longest time, or NULL. */
static DynCall *
next_due(const DynClient *client, double now)
{
	DynCall    *first = NULL;

	for (DynCall *call = client->calls; call; call = call->next)
		if (call->state == DYN_CALL_WAITING && call->due_ms <= now && (first == NULL || call->due_ms <= first->due_ms))
			first = call;
	return first;
}

void
dyn_client_drive(DynClient *client)
{
	double		now = dyn_clock_now_ms(&client->clock);
	DynCall    *due;

	dyn_http_drive(client->http);
	dyn_warmup_settle(&client->warmup, client->counters);
	for (DynCall *call = client->calls; call; call = call->next)
		if (call->state == DYN_CALL_IN_FLIGHT && dyn_transfer_done(call->transfer))
			dyn_call_take_answer(call);
	while ((due = next_due(client, now)) != NULL && wait_of(due, now) == 0)
		dyn_call_send(due);
}
