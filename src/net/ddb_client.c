/*
 * ddb_client.c
 *	  DynamoDB client: signs, sends, checks and retries single operations.
 *
 * A call is waiting (for its time), in flight, or done.  dyn_client_drive()
 * moves all calls on; nothing is decided inside libcurl's callbacks.
 */
#include "net/ddb_client.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/attr_json.h"
#include "core/crc32.h"
#include "core/retry.h"
#include "core/sigv4.h"
#include "net/http_multi.h"
#include "net/loop.h"
#include "net/trace.h"

/* A clock further off than this is what made a signature expire. */
#define MAX_SKEW_S 240

struct DynClient
{
	DynHttp    *http;
	DynEndpoint endpoint;
	char	   *region;
	char	   *access_key_id;
	char	   *secret_access_key;
	char	   *session_token;
	int			max_attempts;
	DynSigv4Signer signer;
	DynRetryBucket bucket;
	int64_t		skew_s;			/* the service's clock minus ours, since it complained */
	uint64_t	random_state;
	DynCounters *counters;
	DynCall    *calls;			/* all that are not freed */
	DynLoopMember member;
};

typedef enum CallState
{
	CALL_WAITING,
	CALL_IN_FLIGHT,
	CALL_DONE
} CallState;

struct DynCall
{
	DynClient  *client;			/* NULL: freed before the call */
	DynCall    *next;
	DynCall    *prev;
	DynOp		op;
	CallState	state;
	DynBuf		body;			/* request */
	DynBuf		answer;
	DynTransfer *transfer;		/* while in flight */
	double		started_ms;		/* for elapsed_ms */
	double		sent_ms;		/* of the last attempt */
	double		due_ms;			/* while waiting */
	int			attempts;
	int64_t		sent_skew_s;	/* that the signature was made with */
	bool		skew_corrected;
	int			tokens;			/* taken from the bucket, given back on success */
	DynCounters *counters;
	DynStatus	status;
};

static double
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

/* xorshift64*: spreads delays; no secret depends on it */
double
dyn_client_random(DynClient *client)
{
	uint64_t	x = client->random_state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	client->random_state = x;
	return (double) ((x * UINT64_C(0x2545f4914f6cdd1d)) >> 11) / (double) (UINT64_C(1) << 53);
}

int
dyn_client_attempts(const DynClient *client)
{
	return client->max_attempts;
}

/* Gives the transfer back, if there is one. */
static void
end_transfer(DynCall *call)
{
	if (call->transfer == NULL)
		return;
	dyn_transfer_free(call->transfer);
	call->transfer = NULL;
	DYN_COUNT(call->counters, in_flight, -1);
}

/* ---- client ---- */

static bool
copy(char **out, const char *text)
{
	if (text == NULL)
		return true;
	*out = strdup(text);
	return *out != NULL;
}

static bool
copy_config(DynClient *client, const DynClientConfig *config)
{
	client->endpoint = config->endpoint;
	client->max_attempts = config->total_max_retry_attempts;
	return copy(&client->region, config->region) &&
		copy(&client->access_key_id, config->access_key_id) &&
		copy(&client->secret_access_key, config->secret_access_key) &&
		copy(&client->session_token, config->session_token);
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

/* Makes the client a member of the loop. */
static bool
join_loop(DynClient *client, DynStatus *status)
{
	client->member.fd = dyn_http_fd(client->http);
	client->member.timeout_ms = member_timeout_ms;
	client->member.drive = member_drive;
	client->member.arg = client;
	return dyn_loop_join(&client->member) ||
		dyn_status_set(status, DYN_INTERNAL, "cannot watch an epoll descriptor: %s", strerror(errno));
}

static DynHttp *
new_engine(const DynClientConfig *config, DynStatus *status)
{
	DynHttpConfig http = {0};

	http.url = config->endpoint.url;
	http.ca_bundle = config->ca_bundle;
	http.no_proxy = config->endpoint.loopback;
	http.connect_timeout_ms = (long) (config->connect_timeout_s * 1000);
	http.read_timeout_ms = (long) (config->read_timeout_s * 1000);
	http.max_pool_connections = config->max_pool_connections;
	http.keepalive_timeout_s = (long) config->keepalive_timeout_s;
	return dyn_http_new(&http, status);
}

DynClient *
dyn_client_new(const DynClientConfig *config, DynStatus *status)
{
	DynClient  *client = calloc(1, sizeof(*client));
	struct timespec ts;

	dyn_status_clear(status);
	if (client == NULL || !copy_config(client, config))
		dyn_status_set(status, DYN_NO_MEMORY, "out of memory");
	else
		client->http = new_engine(config, status);
	if (client == NULL || client->http == NULL || !join_loop(client, status))
	{
		dyn_client_free(client);
		return NULL;
	}
	client->signer.access_key_id = client->access_key_id;
	client->signer.secret_access_key = client->secret_access_key;
	client->signer.region = client->region;
	client->signer.service = "dynamodb";
	client->counters = config->counters;
	dyn_retry_bucket_init(&client->bucket);
	clock_gettime(CLOCK_REALTIME, &ts);
	client->random_state = ((uint64_t) ts.tv_nsec << 32 ^ (uint64_t) ts.tv_sec ^ (uintptr_t) client) | 1;
	return client;
}

static void
wipe_and_free(char *secret)
{
	if (secret)
		dyn_wipe(secret, strlen(secret));
	free(secret);
}

void
dyn_client_free(DynClient *client)
{
	if (client == NULL)
		return;
	dyn_loop_leave(&client->member);
	for (DynCall *call = client->calls; call; call = call->next)
	{
		end_transfer(call);
		call->client = NULL;
		call->state = CALL_DONE;
		dyn_status_set(&call->status, DYN_INTERNAL, "the client was closed");
	}
	dyn_http_free(client->http);
	free(client->region);
	free(client->access_key_id);
	wipe_and_free(client->secret_access_key);
	wipe_and_free(client->session_token);
	dyn_wipe(client, sizeof(*client));
	free(client);
}

int
dyn_client_fd(const DynClient *client)
{
	return dyn_http_fd(client->http);
}

bool
dyn_client_usable(const DynClient *client)
{
	return dyn_http_usable(client->http);
}

int
dyn_client_timeout_ms(const DynClient *client)
{
	double		soonest = dyn_http_timeout_ms(client->http);
	double		now = now_ms();

	for (const DynCall *call = client->calls; call; call = call->next)
	{
		double		left = call->due_ms > now ? call->due_ms - now : 0;

		/* one that ended while another was started waits for nothing but to be looked at */
		if (call->state == CALL_IN_FLIGHT && dyn_transfer_done(call->transfer))
			return 0;
		if (call->state == CALL_WAITING && (soonest < 0 || left < soonest))
			soonest = left;
	}
	/* rounded up: a poll that ends too early would only spin */
	return soonest < 0 ? -1 : soonest > INT_MAX - 1 ? INT_MAX : (int) (soonest + 0.999);
}

/* ---- sending ---- */

static bool
sign(DynCall *call, DynHttpHeader *headers, int nheaders, const char *amz_date, DynBuf *authorization)
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

static void
count_request(DynCall *call)
{
	dyn_count_request(call->counters);
	DYN_COUNT(call->counters, bytes_sent, call->body.len);
	if (call->attempts > 1)
		DYN_COUNT(call->counters, retries, 1);
}

static void
send_now(DynCall *call)
{
	DynClient  *client = call->client;
	DynHttpHeader headers[6];
	DynBuf		authorization = {0};
	char		amz_date[DYN_AMZ_DATE_LEN];
	int			n = 0;

	if (call->attempts == 0)
		call->started_ms = now_ms();
	call->attempts++;
	headers[n++] = (DynHttpHeader) {"Host", client->endpoint.host_header};
	headers[n++] = (DynHttpHeader) {"Content-Type", "application/x-amz-json-1.0"};
	headers[n++] = (DynHttpHeader) {"X-Amz-Date", amz_date};
	headers[n++] = (DynHttpHeader) {"X-Amz-Target", dyn_op_target(call->op)};
	if (client->session_token)
		headers[n++] = (DynHttpHeader) {"X-Amz-Security-Token", client->session_token};

	call->sent_skew_s = client->skew_s;
	if (!dyn_sigv4_date((int64_t) time(NULL) + client->skew_s, amz_date) ||
		!sign(call, headers, n, amz_date, &authorization))
	{
		dyn_status_set(&call->status, DYN_INTERNAL, "the request could not be signed");
		call->state = CALL_DONE;
	}
	else
	{
		headers[n++] = (DynHttpHeader) {"Authorization", authorization.data};
		call->sent_ms = now_ms();
		call->transfer = dyn_http_start(client->http, headers, n, &call->body, &call->status);
		call->state = call->transfer ? CALL_IN_FLIGHT : CALL_DONE;
		if (call->transfer)
			count_request(call);
	}
	dyn_buf_free(&authorization);
}

/* ---- answers ---- */

/* The request goes out again later, or the call is done with the status it has. */
static void
retry_or_finish(DynCall *call, double retry_after_ms)
{
	DynClient  *client = call->client;
	int			cost;

	call->state = CALL_DONE;
	call->status.attempts = call->attempts;
	call->status.elapsed_ms = now_ms() - call->started_ms;
	if (!dyn_status_retryable(&call->status) || call->attempts >= client->max_attempts)
		return;
	cost = dyn_retry_take(&client->bucket, call->status.cls);
	if (cost < 0)
		return;
	call->tokens += cost;
	call->due_ms = now_ms() + dyn_retry_delay_ms(call->status.cls, call->attempts, dyn_client_random(client),
												 retry_after_ms);
	call->state = CALL_WAITING;
}

/* A signature that our clock made too old or too new: once a call, by the service's clock. */
static bool
correct_skew(DynCall *call, const DynHttpAnswer *answer)
{
	DynClient  *client = call->client;
	int64_t		skew;

	if (call->status.cls != DYN_CREDENTIALS || call->skew_corrected || answer->date < 0)
		return false;
	skew = answer->date - (int64_t) time(NULL);
	if (skew - call->sent_skew_s > -MAX_SKEW_S && skew - call->sent_skew_s < MAX_SKEW_S)
		return false;
	call->skew_corrected = true;
	client->skew_s = skew;
	call->state = CALL_WAITING;
	call->due_ms = 0;
	return true;
}

/* A service that quotes the session token must not bring it into a message. */
static void
redact(const DynClient *client, DynStatus *status)
{
	char		start[17];
	char	   *quoted;

	if (client->session_token == NULL)
		return;
	/* the message may have been cut within the token: its start is enough */
	snprintf(start, sizeof(start), "%s", client->session_token);
	quoted = strstr(status->message, start);
	if (quoted)
		*quoted = '\0';
}

/* Fills the status of an answer other than 200. */
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

/* Counts what an attempt came to, and leaves its trace. */
static void
count_answer(DynCall *call, const DynHttpAnswer *answer)
{
	long		connects = dyn_transfer_connects(call->transfer);
	DynTrace	trace = {0};

	if (answer)
		DYN_COUNT(call->counters, bytes_received, answer->body.len);
	if (call->status.cls == DYN_THROTTLED)
		DYN_COUNT(call->counters, throttles, 1);
	DYN_COUNT(call->counters, connections_opened, connects);
	if (answer && connects == 0)
		DYN_COUNT(call->counters, connections_reused, 1);
	if (!dyn_trace_on())
		return;
	trace.op = call->op;
	trace.status = call->status;
	trace.status.attempts = call->attempts;
	trace.status.elapsed_ms = now_ms() - call->sent_ms;
	trace.bytes_sent = call->body.len;
	trace.bytes_received = answer ? answer->body.len : 0;
	trace.new_connection = connects > 0;
	dyn_trace_add(&trace);
}

/* Takes over the result of the transfer, which is then gone. */
static void
finish_attempt(DynCall *call)
{
	DynHttpAnswer *answer = NULL;
	DynStatus  *status = &call->status;
	double		retry_after_ms = 0;
	bool		again = false;

	dyn_status_clear(status);
	if (dyn_transfer_result(call->transfer, &answer, status))
	{
		status->http_status = answer->status;
		memcpy(status->request_id, answer->request_id, sizeof(status->request_id));
		retry_after_ms = answer->retry_after_ms;
		if (answer->has_crc32 && dyn_crc32(answer->body.data, answer->body.len) != answer->crc32)
			dyn_status_set(status, DYN_PROTOCOL, "the answer does not match its checksum");
		else if (answer->status != 200)
		{
			read_error(call, answer);
			redact(call->client, status);
		}
		again = correct_skew(call, answer);
	}
	count_answer(call, answer);
	if (answer && !again)
	{
		dyn_buf_free(&call->answer);
		call->answer = answer->body;
		memset(&answer->body, 0, sizeof(answer->body));
	}
	end_transfer(call);
	if (again)
		return;
	if (status->cls != DYN_OK)
	{
		retry_or_finish(call, retry_after_ms);
		return;
	}
	status->attempts = call->attempts;
	status->elapsed_ms = now_ms() - call->started_ms;
	/* a success without a retry gives one back too, or outages would use them up for good */
	dyn_retry_give_back(&call->client->bucket, call->tokens > 0 ? call->tokens : 1);
	call->tokens = 0;
	call->state = CALL_DONE;
}

void
dyn_client_drive(DynClient *client)
{
	double		now = now_ms();

	dyn_http_drive(client->http);
	for (DynCall *call = client->calls; call; call = call->next)
	{
		if (call->state == CALL_IN_FLIGHT && dyn_transfer_done(call->transfer))
			finish_attempt(call);
		if (call->state == CALL_WAITING && call->due_ms <= now)
			send_now(call);
	}
}

/* ---- calls ---- */

DynCall *
dyn_call_start(DynClient *client, DynOp op, DynBuf *body, double delay_ms, DynCounters *counters, DynStatus *status)
{
	DynCall    *call = body->failed ? NULL : calloc(1, sizeof(*call));

	if (call == NULL)
	{
		dyn_buf_free(body);
		dyn_status_set(status, DYN_NO_MEMORY, "out of memory");
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
	if (delay_ms > 0)
		call->due_ms = now_ms() + delay_ms;
	else
		send_now(call);
	if (call->state != CALL_DONE)
		return call;
	/* it could not even be sent */
	*status = call->status;
	dyn_call_free(call);
	return NULL;
}

bool
dyn_call_done(const DynCall *call)
{
	return call->state == CALL_DONE;
}

const DynStatus *
dyn_call_status(const DynCall *call)
{
	return &call->status;
}

DynBuf *
dyn_call_answer(DynCall *call)
{
	return &call->answer;
}

void
dyn_call_reject(DynCall *call, const char *why)
{
	dyn_status_set(&call->status, DYN_PROTOCOL, "%s", why);
	retry_or_finish(call, 0);
}

void
dyn_call_free(DynCall *call)
{
	if (call == NULL)
		return;
	end_transfer(call);
	if (call->client)
	{
		if (call->state != CALL_DONE)
			dyn_retry_give_back(&call->client->bucket, call->tokens);
		if (call->prev)
			call->prev->next = call->next;
		else
			call->client->calls = call->next;
		if (call->next)
			call->next->prev = call->prev;
	}
	if (call->client)
		dyn_http_give_body(call->client->http, &call->answer);
	dyn_buf_free(&call->body);
	dyn_buf_free(&call->answer);
	free(call);
}
