/*
 * key_fetch.c
 *	  Gets AWS access keys once: requests, attempts, and the time they may take.
 */
#include "net/key_fetch_private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/retry.h"
#include "core/wipe.h"
#include "net/descriptor.h"

/* Of a fetch as a whole. */
#define FETCH_MS 10000.0

/* Nobody drove for so long after it asked to be: what failed meanwhile, failed for want of attention. */
#define UNATTENDED_MS 1000.0

/* Until a descriptor may be free again. */
#define NO_DESCRIPTOR_MS 50.0

#define ANSWER_MAX_BYTES (64 * 1024)

static double
fetch_now_ms(const DynKeyFetch *fetch)
{
	return dyn_clock_now_ms(fetch->config.clock);
}

/* ---- engine ---- */

static void
close_engine(DynKeyFetch *fetch)
{
	dyn_transfer_free(fetch->transfer);
	fetch->transfer = NULL;
	dyn_http_free(fetch->http);
	fetch->http = NULL;
}

/* The end; keys or status are set. */
static void
finish_fetch(DynKeyFetch *fetch)
{
	close_engine(fetch);
	dyn_buf_wipe(&fetch->metadata_token);
	dyn_buf_wipe(&fetch->text);
	dyn_buf_wipe(&fetch->authorization);
	dyn_buf_wipe(&fetch->body);
	fetch->step = DYN_STEP_END;
	fetch->done = true;
	fetch->ended_ms = fetch_now_ms(fetch);
}

/* Makes an engine for the request's endpoint; false, `status` set. */
static bool
make_engine(DynKeyFetch *fetch, const DynKeyRequest *request)
{
	DynHttpConfig config = {0};

	close_engine(fetch);
	config.url = request->endpoint.url;
	config.ca_bundle = request->sts ? fetch->config.ca_bundle : NULL;
	config.no_proxy = !request->sts || fetch->config.no_proxy || request->endpoint.loopback;
	config.refuse_link_local = request->sts;
	config.connect_timeout_ms = config.read_timeout_ms = (long) (request->timeout_s * 1000);
	config.max_pool_connections = 1;
	config.keepalive_timeout_s = 5;
	config.max_body = ANSWER_MAX_BYTES;
	config.secret = true;
	fetch->endpoint = request->endpoint;
	fetch->timeout_s = request->timeout_s;
	fetch->http = dyn_http_new(&config, &fetch->status);
	return fetch->http != NULL;
}

/*
 * An engine for the request's endpoint, open and watched; false, `status` set.
 * The one that is there serves all requests to a service, but somebody in need
 * of descriptors may have closed it in between.
 */
static bool
open_engine(DynKeyFetch *fetch, const DynKeyRequest *request)
{
	bool		fits = fetch->http && strcmp(fetch->endpoint.url, request->endpoint.url) == 0 &&
		fetch->timeout_s == request->timeout_s;

	if (!fits && !make_engine(fetch, request))
		return false;
	if (dyn_http_fd(fetch->http) >= 0)
		return true;
	if (!dyn_http_open(fetch->http, &fetch->status))
		return false;
	if (dyn_loop_watch(&fetch->member, dyn_http_fd(fetch->http)))
		return true;
	dyn_descriptor_failed(&fetch->status, "an epoll set");
	dyn_http_close(fetch->http);
	return false;
}

/* ---- requests ---- */

/*
 * No descriptor is left, and nobody has one to spare: tries again in a moment.
 * Who waits holds none meanwhile, or fetches in need would hold up each other.
 */
static void
await_descriptor(DynKeyFetch *fetch)
{
	dyn_http_close(fetch->http);
	fetch->due_ms = fetch_now_ms(fetch) + NO_DESCRIPTOR_MS;
}

/* False: it failed, `status` set. */
static bool
try_request(DynKeyFetch *fetch, const DynKeyRequest *request)
{
	if (open_engine(fetch, request))
		fetch->transfer = dyn_http_start(fetch->http, &request->http, &fetch->status);
	return fetch->transfer != NULL;
}

static void
send_request(DynKeyFetch *fetch)
{
	DynKeyRequest request = {0};

	request.http.headers = request.headers;
	if (!dyn_key_step_request(fetch, &request))
	{
		finish_fetch(fetch);
		return;
	}
	while (!try_request(fetch, &request))
	{
		if (fetch->status.cls != DYN_NO_DESCRIPTOR)
		{
			finish_fetch(fetch);
			return;
		}
		if (!dyn_http_make_room(fetch->http))
		{
			await_descriptor(fetch);
			return;
		}
	}
	fetch->attempts++;
	fetch->max_attempts = request.attempts;
	fetch->pause_ms = request.pause_ms;
}

/* Goes on after an answer, or without one. */
static void
follow_verdict(DynKeyFetch *fetch, DynKeyVerdict verdict)
{
	double		pause_ms = fetch->pause_ms;

	if (verdict == DYN_STEP_TAKEN)
	{
		fetch->attempts = 0;
		fetch->due_ms = 0;
		if (fetch->step == DYN_STEP_END)
			finish_fetch(fetch);
		return;
	}
	if (verdict == DYN_STEP_FAILED || fetch->attempts >= fetch->max_attempts)
	{
		finish_fetch(fetch);
		return;
	}
	if (pause_ms == 0)
		pause_ms = dyn_retry_delay_ms(DYN_THROTTLED, fetch->attempts, dyn_clock_chance(fetch->config.clock), 0);
	fetch->due_ms = fetch_now_ms(fetch) + pause_ms;
}

/*
 * The attempt does not count, and is made again: a name was looked up and then
 * no descriptor was left, or a connection failed that nobody attended to.
 */
static bool
take_attempt_back(DynKeyFetch *fetch, bool unattended)
{
	bool		refused = dyn_transfer_refused(fetch->transfer);
	DynClass	cls = fetch->status.cls;

	if (!refused && !(unattended && (cls == DYN_TIMEOUT || cls == DYN_CONNECTION_LOST || cls == DYN_CONNECT)))
		return false;
	dyn_transfer_free(fetch->transfer);
	fetch->transfer = NULL;
	fetch->attempts--;
	fetch->due_ms = 0;
	if (refused && !dyn_http_make_room(fetch->http))
		await_descriptor(fetch);
	return true;
}

/* The transfer is done. */
static void
take_transfer(DynKeyFetch *fetch, bool unattended)
{
	DynHttpAnswer *answer = NULL;
	DynKeyVerdict verdict;

	dyn_status_clear(&fetch->status);
	if (!dyn_transfer_result(fetch->transfer, &answer, &fetch->status))
	{
		answer = NULL;
		if (take_attempt_back(fetch, unattended))
			return;
	}
	verdict = dyn_key_step_answer(fetch, answer);
	dyn_transfer_free(fetch->transfer);
	fetch->transfer = NULL;
	follow_verdict(fetch, verdict);
}

/* ---- the loop ---- */

static int
fetch_timeout_ms(void *arg)
{
	const DynKeyFetch *fetch = arg;
	double		now = fetch_now_ms(fetch);
	double		soonest = fetch->deadline_ms - now;
	double		next;

	if (fetch->done)
		return -1;
	if (fetch->transfer && dyn_transfer_done(fetch->transfer))
		return 0;
	next = fetch->transfer ? dyn_http_timeout_ms(fetch->http) : fetch->due_ms - now;
	if (next < soonest && (next >= 0 || fetch->transfer == NULL))
		soonest = next;
	return soonest < 0 ? 0 : soonest > INT_MAX - 1 ? INT_MAX : (int) (soonest + 0.999);
}

/* To be called at the end of whatever moved the fetch on. */
static void
note_wake(DynKeyFetch *fetch)
{
	fetch->driven_ms = fetch_now_ms(fetch);
	fetch->wake_ms = fetch->driven_ms + fetch_timeout_ms(fetch);
}

/* It took too long as a whole. */
static void
expire_fetch(DynKeyFetch *fetch)
{
	dyn_status_set(&fetch->status, DYN_NO_CREDENTIALS, "%s: no keys within %.0f s; the last request went to %s",
				   fetch->plan.source, FETCH_MS / 1000, dyn_key_step_service(fetch));
	finish_fetch(fetch);
}

/* One step after the other, until one has to wait. */
static void
drive_fetch(void *arg)
{
	DynKeyFetch *fetch = arg;
	double		now = fetch_now_ms(fetch);
	bool		unattended = now - fetch->wake_ms > UNATTENDED_MS;

	if (fetch->done)
		return;
	if (unattended)
		fetch->deadline_ms += now - fetch->driven_ms;
	if (fetch->http)
		dyn_http_drive(fetch->http);
	if (fetch->transfer && dyn_transfer_done(fetch->transfer))
		take_transfer(fetch, unattended);
	if (!fetch->done && now >= fetch->deadline_ms)
		expire_fetch(fetch);
	if (!fetch->done && fetch->transfer == NULL && fetch->due_ms <= now)
		send_request(fetch);
	note_wake(fetch);
}

/* ---- fetches ---- */

DynKeyFetch *
dyn_key_fetch_start(const DynKeyFetchConfig *config)
{
	DynKeyFetch *fetch = calloc(1, sizeof(*fetch));

	if (fetch == NULL)
		return NULL;
	fetch->config = *config;
	fetch->step = DYN_STEP_END;
	fetch->deadline_ms = fetch_now_ms(fetch) + FETCH_MS;
	fetch->member.timeout_ms = fetch_timeout_ms;
	fetch->member.drive = drive_fetch;
	fetch->member.arg = fetch;
	if (!dyn_key_plan_make(&fetch->plan, &config->wish, config->surroundings, &fetch->status))
	{
		finish_fetch(fetch);
		return fetch;
	}
	if (fetch->plan.base == DYN_BASE_KEYS)
	{
		fetch->keys = fetch->plan.keys;
		memset(&fetch->plan.keys, 0, sizeof(fetch->plan.keys));
		dyn_key_step_next_role(fetch, 0);
	}
	else
		fetch->step = dyn_key_step_first(&fetch->plan);
	if (fetch->step == DYN_STEP_END)
		finish_fetch(fetch);
	else if (!dyn_loop_join(&fetch->member))
	{
		dyn_descriptor_failed(&fetch->status, "an epoll set");
		finish_fetch(fetch);
	}
	else
		send_request(fetch);
	note_wake(fetch);
	return fetch;
}

bool
dyn_key_fetch_done(const DynKeyFetch *fetch)
{
	return fetch->done;
}

DynKeys *
dyn_key_fetch_keys(DynKeyFetch *fetch, DynStatus *status)
{
	if (fetch->status.cls == DYN_OK && fetch->keys.access_key_id)
		return &fetch->keys;
	*status = fetch->status;
	if (status->cls == DYN_OK)
		dyn_status_set(status, DYN_INTERNAL, "a fetch of keys ended without any");
	return NULL;
}

double
dyn_key_fetch_ended_ms(const DynKeyFetch *fetch)
{
	return fetch->ended_ms;
}

const DynKeyPlan *
dyn_key_fetch_plan(const DynKeyFetch *fetch)
{
	return &fetch->plan;
}

void
dyn_key_fetch_free(DynKeyFetch *fetch)
{
	if (fetch == NULL)
		return;
	finish_fetch(fetch);
	dyn_loop_leave(&fetch->member);
	dyn_keys_free(&fetch->keys);
	dyn_key_plan_free(&fetch->plan);
	free(fetch);
}
