/*
 * ddb_call.c
 *	  Calls: single operations, signed, sent, checked and retried.
 *
 * A call waits until it may be sent, is in flight, or is done.
 */
#include "net/ddb_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ddb_reply.h"
#include "core/crc32.h"
#include "core/wipe.h"
#include "net/descriptor.h"
#include "net/trace.h"

/* AWS refuses signatures that are five minutes off: if the clocks differ by more than this, they are to blame. */
#define MAX_SKEW_S 240

/* ---- sending ---- */

/* The value of the Authorization header, over the headers given and the body.  False: no memory, or OpenSSL failed. */
static bool
sign_call(DynCall *call, DynHttpHeader *headers, int nheaders, const char *amz_date, DynBuf *authorization)
{
	DynSigv4Header signed_headers[DYN_SIGV4_MAX_HEADERS];
	DynSigv4Request request = {0};

	for (int i = 0; i < nheaders; i++)
	{
		signed_headers[i].name = headers[i].name;
		signed_headers[i].value = headers[i].value;
	}
	request.method = "POST";
	request.headers = signed_headers;
	request.nheaders = nheaders;
	request.payload = call->body.data ? call->body.data : "";
	request.payload_len = call->body.len;
	request.amz_date = amz_date;
	return dyn_sigv4_sign(&call->client->signer, &request, authorization, NULL, NULL) &&
		dyn_buf_cstr(authorization) != NULL;
}

/*
 * Counts a request as sent or, where it was refused after all, with `n` -1, as
 * not sent.  What is in flight dyn_call_drop_transfer() counts back.
 */
static void
count_request(DynCall *call, int n)
{
	if (n > 0)
		dyn_count_request(call->counters);
	else
		DYN_COUNT(call->counters, requests, n);
	DYN_COUNT(call->counters, bytes_sent, n * (int64_t) call->body.len);
	if (call->attempts > 1)
		DYN_COUNT(call->counters, retries, n);
}

/* Hands the signed request to the engine; NULL on failure, `status` set. */
static DynTransfer *
start_transfer(DynCall *call, DynStatus *status)
{
	DynClient  *client = call->client;
	DynHttpHeader headers[6];
	DynHttpRequest request = {.headers = headers, .body = &call->body, .fresh = call->fresh};
	DynBuf		authorization = {0};
	DynTransfer *transfer = NULL;
	char		amz_date[DYN_AMZ_DATE_LEN];
	int			n = 0;

	headers[n++] = (DynHttpHeader) {"Host", client->endpoint.host_header};
	headers[n++] = (DynHttpHeader) {"Content-Type", "application/x-amz-json-1.0"};
	headers[n++] = (DynHttpHeader) {"X-Amz-Date", amz_date};
	headers[n++] = (DynHttpHeader) {"X-Amz-Target", dyn_op_target(call->op)};
	if (client->session_token)
		headers[n++] = (DynHttpHeader) {"X-Amz-Security-Token", client->session_token};

	call->sent_skew_s = client->skew_s;
	if (!dyn_sigv4_date(dyn_clock_wall_s(&client->clock) + client->skew_s, amz_date) ||
		!sign_call(call, headers, n, amz_date, &authorization))
		dyn_status_set(status, DYN_INTERNAL, "the request could not be signed");
	else
	{
		headers[n++] = (DynHttpHeader) {"Authorization", authorization.data};
		request.nheaders = n;
		transfer = dyn_http_start(client->http, &request, status);
	}
	dyn_buf_free(&authorization);
	return transfer;
}

/* Sends once, or fails for good (no transfer).  False: there was no descriptor, and nothing was sent. */
static bool
try_to_send(DynCall *call, DynStatus *status)
{
	DynClient  *client = call->client;
	DynTransfer *transfer;

	call->sent_ms = dyn_clock_now_ms(&client->clock);
	transfer = dyn_client_open(client, status) ? start_transfer(call, status) : NULL;
	if (transfer == NULL)
		return status->cls != DYN_NO_DESCRIPTOR;
	call->transfer = transfer;
	call->state = DYN_CALL_IN_FLIGHT;
	call->attempts++;
	client->in_flight++;
	dyn_pace_sent(&client->pace, client->in_flight, call->sent_ms);
	count_request(call, 1);
	return true;
}

/* Ends a call that gets no descriptor, or no keys; if an attempt failed before, its words are of use too. */
static void
give_up(DynCall *call, const DynStatus *why)
{
	DynStatus	before = call->status;

	call->state = DYN_CALL_DONE;
	call->status = *why;
	call->status.attempts = call->attempts;
	call->status.elapsed_ms = dyn_clock_now_ms(&call->client->clock) - call->started_ms;
	if (call->attempts > 0)
		dyn_status_set(&call->status, why->cls, "%s, after an attempt that failed: %s", why->message, before.message);
}

void
dyn_call_send(DynCall *call)
{
	DynClient  *client = call->client;
	DynKeyState keys;
	DynStatus	status;

	dyn_status_clear(&status);
	keys = dyn_call_take_keys(call, &status);
	if (keys == DYN_KEYS_WAIT)
		return;
	if (keys == DYN_KEYS_NONE)
	{
		give_up(call, &status);
		return;
	}
	client->held = false;
	while (!try_to_send(call, &status))
	{
		if (dyn_http_make_room(client->http))
			continue;
		/* what is in flight, of any client, will leave a connection or a descriptor when it ends */
		client->held = dyn_http_busy();
		client->held_epoch = dyn_descriptor_epoch();
		if (!client->held)
			give_up(call, &status);
		return;
	}
	if (call->transfer == NULL)
	{
		call->state = DYN_CALL_DONE;
		call->status = status;
	}
}

/* ---- answers ---- */

/* May a request that failed so have been carried out? */
static bool
got_no_answer(const DynStatus *status)
{
	switch (status->cls)
	{
		case DYN_CONNECTION_LOST:
		case DYN_TIMEOUT:
		case DYN_SERVER_FAULT:
		case DYN_PROTOCOL:
			return true;
		default:
			return false;
	}
}

/*
 * After a failure: the call waits for its next attempt, or is done with the
 * status it has, where it can't be retried, has used up its attempts, or the
 * bucket has too few tokens.
 */
static void
retry_or_finish(DynCall *call, double retry_after_ms)
{
	DynClient  *client = call->client;
	int			cost;

	call->state = DYN_CALL_DONE;
	call->status.attempts = call->attempts;
	call->status.elapsed_ms = dyn_clock_now_ms(&client->clock) - call->started_ms;
	call->maybe_done = call->maybe_done || got_no_answer(&call->status);
	if (!dyn_status_retryable(&call->status) || call->attempts >= client->max_attempts)
		return;
	cost = dyn_retry_take(&client->bucket, call->status.cls);
	if (cost < 0)
		return;
	call->tokens += cost;
	call->due_ms = dyn_clock_now_ms(&client->clock) +
		dyn_retry_delay_ms(call->status.cls, call->attempts, dyn_clock_chance(&client->clock), retry_after_ms);
	call->state = DYN_CALL_WAITING;
}

/*
 * Was the signature refused because our clock is wrong?  Then the call is sent
 * again at once, signed by the service's clock as its Date header tells it;
 * but only once, and true is returned.
 */
static bool
correct_skew(DynCall *call, const DynHttpAnswer *answer)
{
	DynClient  *client = call->client;
	int64_t		skew;

	if (call->skew_corrected || answer->date < 0)
		return false;
	skew = answer->date - dyn_clock_wall_s(&client->clock);
	if (skew - call->sent_skew_s > -MAX_SKEW_S && skew - call->sent_skew_s < MAX_SKEW_S)
		return false;
	call->skew_corrected = true;
	client->skew_s = skew;
	call->state = DYN_CALL_WAITING;
	call->due_ms = 0;
	return true;
}

/* Fills the status from an answer other than 200. */
static void
read_error(DynCall *call, const DynHttpAnswer *answer)
{
	DynStatus  *status = &call->status;

	if (answer->status >= 300 && answer->status < 400)
		dyn_status_set(status, DYN_REJECTED, "the service answered with a redirect (HTTP %d), which is not followed",
					   answer->status);
	else if (dyn_json_error(answer->body.data, answer->body.len, status))
		status->cls = dyn_op_classify(answer->status, status->aws_code, status->message);
	else if (answer->status >= 500)
		dyn_status_set(status, DYN_SERVER_FAULT, "the service answered with HTTP %d", answer->status);
	else
		dyn_status_set(status, DYN_PROTOCOL, "the service answered with HTTP %d and not with a DynamoDB error",
					   answer->status);
}

/* Counts the outcome of an attempt, and leaves a record of it for debugging. */
static void
count_answer(DynCall *call, size_t received)
{
	long		connects = dyn_transfer_connects(call->transfer);
	DynTrace	trace = {0};

	DYN_COUNT(call->counters, bytes_received, received);
	if (call->status.cls == DYN_THROTTLED)
		DYN_COUNT(call->counters, throttles, 1);
	DYN_COUNT(call->counters, connections_opened, connects);
	if (connects == 0 && call->status.http_status != 0)
		DYN_COUNT(call->counters, connections_reused, 1);
	if (!dyn_trace_on())
		return;
	trace.name = dyn_op_name(call->op);
	trace.status = call->status;
	trace.status.attempts = call->attempts;
	trace.status.elapsed_ms = dyn_clock_now_ms(&call->client->clock) - call->sent_ms;
	trace.bytes_sent = call->body.len;
	trace.bytes_received = received;
	trace.new_connection = connects > 0;
	dyn_trace_add(&trace);
}

/*
 * Takes a request back that looked up a name first and then found no descriptor:
 * it was not sent, and the call waits as before.
 */
static void
take_back(DynCall *call)
{
	dyn_call_drop_transfer(call);
	count_request(call, -1);
	call->attempts--;
	call->state = DYN_CALL_WAITING;
}

/*
 * Had the server already closed the idle connection that the request was sent
 * by?  Then the request is sent again by a new one, and the attempt does not
 * count; but only once a call, and true is returned.
 */
static bool
met_stale_connection(DynCall *call)
{
	if (call->fresh || !dyn_transfer_stale(call->transfer))
		return false;
	call->fresh = true;
	call->maybe_done = true;	/* as good as surely not, but who knows */
	call->attempts--;
	call->state = DYN_CALL_WAITING;
	call->due_ms = 0;
	return true;
}

/* Checks the answer and takes its body over.  True: the call is about to be sent again, by correct_skew() or with new keys. */
static bool
check_answer(DynCall *call, DynHttpAnswer *answer)
{
	DynStatus  *status = &call->status;

	status->http_status = answer->status;
	memcpy(status->request_id, answer->request_id, sizeof(status->request_id));
	if (answer->has_crc32 && dyn_crc32(answer->body.data, answer->body.len) != answer->crc32)
		dyn_status_set(status, DYN_PROTOCOL, "the answer does not match its checksum");
	else if (answer->status != 200)
	{
		read_error(call, answer);
		dyn_status_redact(status, call->token_start);
	}
	if (status->cls == DYN_CREDENTIALS)
	{
		if (correct_skew(call, answer) || dyn_call_renew_keys(call))
			return true;
		dyn_key_source_name(call->client->keys, status);
	}
	dyn_buf_free(&call->answer);
	call->answer = answer->body;
	memset(&answer->body, 0, sizeof(answer->body));
	return false;
}

void
dyn_call_take_answer(DynCall *call)
{
	DynClient  *client = call->client;
	DynHttpAnswer *answer = NULL;
	DynStatus  *status = &call->status;
	double		retry_after_ms = 0;
	size_t		received = 0;
	bool		again;

	if (dyn_transfer_refused(call->transfer))
	{
		take_back(call);
		return;
	}
	dyn_status_clear(status);
	call->maybe_done = call->maybe_done || dyn_transfer_repeated(call->transfer);
	if (dyn_transfer_result(call->transfer, &answer, status))
	{
		retry_after_ms = answer->retry_after_ms;
		received = answer->body.len;
		again = check_answer(call, answer);
	}
	else
		again = met_stale_connection(call);
	count_answer(call, received);
	if (client->adaptive && (status->cls == DYN_OK || status->cls == DYN_THROTTLED))
		dyn_pace_answered(&client->pace, status->cls == DYN_THROTTLED, call->sent_ms, dyn_clock_now_ms(&client->clock));
	dyn_call_drop_transfer(call);
	if (again)
		return;
	if (status->cls != DYN_OK)
	{
		retry_or_finish(call, retry_after_ms);
		return;
	}
	status->attempts = call->attempts;
	status->elapsed_ms = dyn_clock_now_ms(&client->clock) - call->started_ms;
	call->state = DYN_CALL_DONE;
}

void
dyn_call_drop_transfer(DynCall *call)
{
	if (call->transfer == NULL)
		return;
	dyn_transfer_free(call->transfer);
	call->transfer = NULL;
	call->client->in_flight--;
	DYN_COUNT(call->counters, in_flight, -1);
}

/* ---- calls ---- */

DynCall *
dyn_call_start(DynClient *client, DynOp op, DynBuf *body, double delay_ms, DynCounters *counters, DynStatus *status)
{
	DynCall    *call = body->failed ? NULL : calloc(1, sizeof(*call));

	if (call == NULL)
	{
		dyn_buf_free(body);
		dyn_status_no_memory(status);
		return NULL;
	}
	call->client = client;
	call->op = op;
	call->counters = counters ? counters : client->counters;
	call->body = *body;
	memset(body, 0, sizeof(*body));
	call->next = client->calls;
	if (call->next)
		call->next->prev = call;
	client->calls = call;
	call->started_ms = call->due_ms = dyn_clock_now_ms(&client->clock) + delay_ms;
	if (client->warmup.count > 0)
	{
		/* the warm-up may have opened a connection by now, which this request can use */
		dyn_http_drive(client->http);
		dyn_warmup_settle(&client->warmup, client->counters);
	}
	/* in adaptive mode it waits for its turn */
	if (delay_ms <= 0 && !client->adaptive && !dyn_client_held(client))
		dyn_call_send(call);
	if (call->state != DYN_CALL_DONE)
		return call;
	/* it could not even be sent */
	*status = call->status;
	dyn_call_free(call);
	return NULL;
}

bool
dyn_call_done(const DynCall *call)
{
	return call->state == DYN_CALL_DONE;
}

const DynStatus *
dyn_call_status(const DynCall *call)
{
	return &call->status;
}

bool
dyn_call_maybe_done(const DynCall *call)
{
	return call->maybe_done || call->state == DYN_CALL_IN_FLIGHT;
}

DynBuf *
dyn_call_answer(DynCall *call)
{
	return &call->answer;
}

/* A success without a retry gives back a token as well, or those that failed calls took would never come back. */
void
dyn_call_accept(DynCall *call)
{
	dyn_retry_give_back(&call->client->bucket, call->tokens > 0 ? call->tokens : 1);
	call->tokens = 0;
}

void
dyn_call_reject(DynCall *call, const char *why)
{
	dyn_status_set(&call->status, DYN_PROTOCOL, "%s", why);
	retry_or_finish(call, 0);
}

DynStallMark
dyn_client_stall_mark(const DynClient *client, const DynStall *stall, double delay_ms)
{
	return dyn_stall_mark(stall, dyn_clock_now_ms(&client->clock) + delay_ms);
}

bool
dyn_call_count_stall(DynCall *call, DynStall *stall, const DynStallMark *sent, bool progress, double *delay_ms,
					 DynStatus *status)
{
	DynClient  *client = call->client;
	double		now = dyn_clock_now_ms(&client->clock);

	/* DynamoDB throttles a batch by processing none of it */
	if (client->adaptive && !progress)
		dyn_pace_answered(&client->pace, true, call->sent_ms, now);
	if (dyn_stall_count(stall, sent, progress, client->max_attempts, dyn_clock_chance(&client->clock), delay_ms))
		return true;
	*status = call->status;
	status->attempts = stall->fruitless;
	status->elapsed_ms = now - stall->since_ms;
	return dyn_status_set(status, DYN_THROTTLED, "DynamoDB keeps returning %s as unprocessed",
						  call->op == DYN_OP_BATCH_GET_ITEM ? "keys" : "items");
}

void
dyn_call_free(DynCall *call)
{
	DynClient  *client;

	if (call == NULL)
		return;
	client = call->client;
	if (client)
	{
		dyn_call_drop_transfer(call);
		/* a call that is broken off, or whose answer nobody looked at, tells nothing against the service */
		if (call->state != DYN_CALL_DONE || call->status.cls == DYN_OK)
			dyn_retry_give_back(&client->bucket, call->tokens);
		if (call->prev)
			call->prev->next = call->next;
		else
			client->calls = call->next;
		if (call->next)
			call->next->prev = call->prev;
		dyn_http_give_body(client->http, &call->answer);
	}
	dyn_buf_free(&call->body);
	dyn_buf_free(&call->answer);
	dyn_wipe(call->token_start, sizeof(call->token_start));
	free(call);
}
