/*
 * s3_get.c
 *	  Gets one object of Amazon S3: signed, sent, checked and retried.
 *
 * Redirects are not followed.  S3 names the region of a bucket that is asked for
 * elsewhere, and the object is asked for there, once, at a host that we name.
 */
#include "net/s3_get.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/retry.h"
#include "core/sigv4.h"
#include "core/wipe.h"
#include "net/descriptor.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/trace.h"

/* Until a descriptor may be free again. */
#define NO_DESCRIPTOR_MS 50.0

/* AWS refuses signatures that are fifteen minutes off: if the clocks differ by more than this, they are to blame. */
#define MAX_SKEW_S 240

struct DynS3Get
{
	DynS3GetConfig config;		/* `keys` is a reference of its own */
	char		region[DYN_REGION_MAX + 1]; /* where the bucket is asked for now */
	DynEndpoint endpoint;		/* the same */
	DynBuf		path;
	DynHttp    *http;			/* for that endpoint; NULL: none yet */
	DynTransfer *transfer;		/* while one is in flight */
	int			attempts;
	double		started_ms;
	double		sent_ms;		/* the last attempt */
	double		due_ms;			/* of the next one, while none is in flight */
	uint64_t	key_serial;		/* of the keys that signed the last attempt */
	char		token_start[DYN_SECRET_START + 1];	/* of their session token, for dyn_status_redact() */
	int64_t		skew_s;			/* the service's clock minus ours */
	bool		moved;			/* to another region; each of these is done but once */
	bool		keys_renewed;
	bool		skew_corrected;
	bool		done;
	DynS3Outcome outcome;		/* when it is */
	DynStatus	status;
	DynBuf		object;
	char		etag[sizeof(((DynHttpAnswer *) 0)->etag)];
	DynLoopMember member;
};

/* What an attempt came to. */
typedef enum Verdict
{
	VERDICT_DONE,				/* get->outcome is set */
	VERDICT_AGAIN,				/* at once: what was wrong is put right */
	VERDICT_FAILED				/* get->status says why; it may be worth another attempt */
} Verdict;

static double
get_now_ms(const DynS3Get *get)
{
	return dyn_clock_now_ms(&get->config.clock);
}

/* ---- engine ---- */

static void
close_get_engine(DynS3Get *get)
{
	dyn_transfer_free(get->transfer);
	get->transfer = NULL;
	dyn_http_free(get->http);
	get->http = NULL;
}

/* The end, with this outcome. */
static void
finish_get(DynS3Get *get, DynS3Outcome outcome)
{
	close_get_engine(get);
	get->done = true;
	get->outcome = outcome;
	get->status.attempts = get->attempts;
	get->status.elapsed_ms = get_now_ms(get) - get->started_ms;
}

/* Makes an engine for the endpoint of now; false, `status` set. */
static bool
make_get_engine(DynS3Get *get)
{
	const DynS3GetConfig *config = &get->config;
	DynHttpConfig http = {0};

	http.url = get->endpoint.url;
	http.ca_bundle = config->ca_bundle;
	http.no_proxy = config->no_proxy || get->endpoint.loopback;
	http.refuse_link_local = true;
	http.connect_timeout_ms = (long) (config->connect_timeout_s * 1000);
	http.read_timeout_ms = (long) (config->read_timeout_s * 1000);
	http.max_pool_connections = 1;
	http.keepalive_timeout_s = 5;
	http.max_body = config->max_bytes;
	get->http = dyn_http_new(&http, &get->status);
	return get->http != NULL;
}

/* An engine that is open and watched; false, `status` set.  Somebody in need of descriptors may have closed it. */
static bool
open_get_engine(DynS3Get *get)
{
	if (get->http == NULL && !make_get_engine(get))
		return false;
	if (dyn_http_fd(get->http) >= 0)
		return true;
	if (!dyn_http_open(get->http, &get->status))
		return false;
	if (dyn_loop_watch(&get->member, dyn_http_fd(get->http)))
		return true;
	dyn_descriptor_failed(&get->status, "an epoll set");
	dyn_http_close(get->http);
	return false;
}

/* Asks for the bucket in this region from now on, by a new engine; false: it is no region's name. */
static bool
set_region(DynS3Get *get, const char *region)
{
	snprintf(get->region, sizeof(get->region), "%s", region);
	return dyn_s3_endpoint(&get->config.service, &get->config.object, get->region, &get->endpoint);
}

/* ---- sending ---- */

/* The value of the Authorization header over all these; false: no memory, or OpenSSL failed. */
static bool
sign_get_object(const DynS3Get *get, const DynKeys *keys, const DynHttpHeader *headers, int nheaders, const char *amz_date,
				DynBuf *authorization)
{
	DynSigv4Header signed_headers[DYN_SIGV4_MAX_HEADERS];
	DynSigv4Request request = {.method = "GET", .path = get->path.data, .payload = ""};
	DynSigv4Signer signer = {.service = "s3"};
	bool		done;

	for (int i = 0; i < nheaders; i++)
		signed_headers[i] = (DynSigv4Header) {headers[i].name, headers[i].value};
	request.headers = signed_headers;
	request.nheaders = nheaders;
	request.amz_date = amz_date;
	signer.access_key_id = keys->access_key_id;
	signer.secret_access_key = keys->secret_access_key;
	signer.region = get->region;
	done = dyn_sigv4_sign(&signer, &request, authorization, NULL, NULL) && dyn_buf_cstr(authorization) != NULL;
	dyn_wipe(&signer, sizeof(signer));
	return done;
}

/* Signs the request and hands it to the engine; NULL on failure, `status` set. */
static DynTransfer *
start_get_object(DynS3Get *get, const DynKeys *keys)
{
	DynHttpHeader headers[6];
	DynHttpRequest request = {.method = DYN_HTTP_GET, .path = get->path.data, .headers = headers};
	DynBuf		authorization = {0};
	DynTransfer *transfer = NULL;
	char		amz_date[DYN_AMZ_DATE_LEN];
	int			n = 0;

	headers[n++] = (DynHttpHeader) {"Host", get->endpoint.host_header};
	headers[n++] = (DynHttpHeader) {"X-Amz-Content-Sha256", DYN_S3_NO_PAYLOAD};
	headers[n++] = (DynHttpHeader) {"X-Amz-Date", amz_date};
	if (keys->session_token)
		headers[n++] = (DynHttpHeader) {"X-Amz-Security-Token", keys->session_token};
	if (!dyn_sigv4_date(dyn_clock_wall_s(&get->config.clock) + get->skew_s, amz_date) ||
		!sign_get_object(get, keys, headers, n, amz_date, &authorization))
		dyn_status_set(&get->status, DYN_INTERNAL, "the request could not be signed");
	else
	{
		headers[n++] = (DynHttpHeader) {"Authorization", authorization.data};
		if (get->config.etag)
			headers[n++] = (DynHttpHeader) {"If-None-Match", get->config.etag};
		request.nheaders = n;
		transfer = dyn_http_start(get->http, &request, &get->status);
	}
	dyn_buf_free(&authorization);
	return transfer;
}

/*
 * No descriptor is left, and nobody has one to spare: tries again in a moment, as
 * long as somebody uses one that may come free.
 */
static void
await_free_descriptor(DynS3Get *get)
{
	if (!dyn_http_busy())
	{
		finish_get(get, DYN_S3_FAILED);
		return;
	}
	dyn_http_close(get->http);
	get->due_ms = get_now_ms(get) + NO_DESCRIPTOR_MS;
}

/* Sends the request, as soon as there are keys and a descriptor. */
static void
send_get(DynS3Get *get)
{
	const DynKeys *keys;
	DynKeyState state = dyn_key_source_keys(get->config.keys, &keys, &get->key_serial, &get->status);

	if (state == DYN_KEYS_WAIT)
		return;
	if (state == DYN_KEYS_NONE)
	{
		finish_get(get, DYN_S3_FAILED);
		return;
	}
	snprintf(get->token_start, sizeof(get->token_start), "%s", keys->session_token ? keys->session_token : "");
	while (!open_get_engine(get) || (get->transfer = start_get_object(get, keys)) == NULL)
	{
		if (get->status.cls == DYN_NO_DESCRIPTOR && dyn_http_make_room(get->http))
			continue;
		if (get->status.cls == DYN_NO_DESCRIPTOR)
			await_free_descriptor(get);
		else
			finish_get(get, DYN_S3_FAILED);
		return;
	}
	get->attempts++;
	get->sent_ms = get_now_ms(get);
}

/* ---- answers ---- */

/* Was the signature refused because our clock is wrong?  True: the request is to be signed by the service's. */
static bool
correct_get_skew(DynS3Get *get, const DynHttpAnswer *answer)
{
	int64_t		skew = answer->date - dyn_clock_wall_s(&get->config.clock);

	if (get->skew_corrected || answer->date < 0 ||
		(skew - get->skew_s > -MAX_SKEW_S && skew - get->skew_s < MAX_SKEW_S))
		return false;
	get->skew_corrected = true;
	get->skew_s = skew;
	return true;
}

/* Were the keys refused as old?  True: others are asked for. */
static bool
renew_keys_of_get(DynS3Get *get)
{
	if (get->keys_renewed || !dyn_keys_are_stale(get->status.aws_code) ||
		!dyn_key_source_refused(get->config.keys, get->key_serial))
		return false;
	get->keys_renewed = true;
	return true;
}

/* Does the answer say that the bucket is in another region?  True: it is to be asked for there. */
static bool
follow_bucket(DynS3Get *get, const DynHttpAnswer *answer, const char *region)
{
	if ((answer->status != 301 && answer->status != 307 && answer->status != 400) ||
		region[0] == '\0' || strcmp(region, get->region) == 0)
		return false;
	if (!get->moved && dyn_s3_may_move(&get->config.service, get->region, region) && set_region(get, region))
	{
		get->moved = true;
		return true;
	}
	if (dyn_region_valid(region))
		dyn_status_hint(&get->status, "The service says that the bucket is in region \"%s\": set the server's option \"registry_region\".",
						region);
	return false;
}

/* An answer other than 200 and 304. */
static Verdict
judge_error(DynS3Get *get, const DynHttpAnswer *answer)
{
	char		region[DYN_REGION_MAX + 1];

	dyn_s3_error(answer->status, answer->body.data ? answer->body.data : "", answer->body.len, region, &get->status);
	dyn_status_redact(&get->status, get->token_start);
	if (strlen(answer->bucket_region) > 0 && strlen(answer->bucket_region) <= DYN_REGION_MAX)
		strcpy(region, answer->bucket_region);
	if (follow_bucket(get, answer, region))
		return VERDICT_AGAIN;
	if (get->status.cls != DYN_CREDENTIALS)
		return VERDICT_FAILED;
	if (correct_get_skew(get, answer) || renew_keys_of_get(get))
		return VERDICT_AGAIN;
	dyn_key_source_name(get->config.keys, &get->status);
	return VERDICT_FAILED;
}

/* An answer that came as a whole; takes the object out of it. */
static Verdict
judge_get_answer(DynS3Get *get, DynHttpAnswer *answer)
{
	get->status.http_status = answer->status;
	memcpy(get->status.request_id, answer->request_id, sizeof(get->status.request_id));
	if (answer->status == 304 && get->config.etag)
		get->outcome = DYN_S3_NOT_MODIFIED;
	else if (answer->status == 200)
	{
		get->outcome = DYN_S3_GOT;
		get->object = answer->body;
		memset(&answer->body, 0, sizeof(answer->body));
		strcpy(get->etag, answer->etag);
	}
	else
		return judge_error(get, answer);
	return VERDICT_DONE;
}

/* No answer, or one that was broken off. */
static Verdict
judge_no_object(DynS3Get *get)
{
	if (dyn_transfer_too_long(get->transfer))
		dyn_status_set(&get->status, DYN_OBJECT_TOO_LARGE, "the object is larger than %zu MB",
					   get->config.max_bytes / (1024 * 1024));
	return VERDICT_FAILED;
}

/* Leaves a record of the attempt for debugging. */
static void
trace_get(const DynS3Get *get, size_t received)
{
	DynTrace	trace = {0};

	if (!dyn_trace_on())
		return;
	trace.name = "GetObject";
	trace.status = get->status;
	trace.status.attempts = get->attempts;
	trace.status.elapsed_ms = get_now_ms(get) - get->sent_ms;
	trace.bytes_received = received;
	trace.new_connection = dyn_transfer_connects(get->transfer) > 0;
	dyn_trace_add(&trace);
}

/* After a failure: another attempt in a while, or the end. */
static void
retry_get_or_finish(DynS3Get *get)
{
	if (!dyn_status_retryable(&get->status) || get->attempts >= get->config.total_max_retry_attempts)
	{
		finish_get(get, DYN_S3_FAILED);
		return;
	}
	get->due_ms = get_now_ms(get) +
		dyn_retry_delay_ms(get->status.cls, get->attempts, dyn_clock_chance(&get->config.clock), 0);
}

/* Takes over the result of the transfer, which is then gone. */
static void
take_get_answer(DynS3Get *get)
{
	DynHttpAnswer *answer = NULL;
	Verdict		verdict;
	size_t		received = 0;

	/* a name was looked up, and then there was no descriptor: nothing was sent */
	if (dyn_transfer_refused(get->transfer))
	{
		get->attempts--;
		dyn_transfer_result(get->transfer, &answer, &get->status);
		dyn_transfer_free(get->transfer);
		get->transfer = NULL;
		if (!dyn_http_make_room(get->http))
			await_free_descriptor(get);
		return;
	}
	dyn_status_clear(&get->status);
	if (dyn_transfer_result(get->transfer, &answer, &get->status))
	{
		received = answer->body.len;
		verdict = judge_get_answer(get, answer);
	}
	else
		verdict = judge_no_object(get);
	trace_get(get, received);
	dyn_transfer_free(get->transfer);
	get->transfer = NULL;
	if (verdict == VERDICT_DONE)
		finish_get(get, get->outcome);
	else if (verdict == VERDICT_AGAIN)
		close_get_engine(get);	/* which may be for another endpoint */
	else if (verdict == VERDICT_FAILED)
		retry_get_or_finish(get);
}

/* ---- the loop ---- */

static int
get_timeout_ms(void *arg)
{
	const DynS3Get *get = arg;
	double		wait = get->due_ms - get_now_ms(get);

	if (get->done)
		return -1;
	if (get->transfer)
		return dyn_transfer_done(get->transfer) ? 0 : dyn_http_timeout_ms(get->http);
	if (wait > 0)
		return wait > INT_MAX - 1 ? INT_MAX : (int) (wait + 0.999);
	return dyn_key_source_waiting(get->config.keys) ? -1 : 0;
}

static void
drive_get(void *arg)
{
	DynS3Get   *get = arg;

	if (get->http)
		dyn_http_drive(get->http);
	if (!get->done && get->transfer && dyn_transfer_done(get->transfer))
		take_get_answer(get);
	if (!get->done && get->transfer == NULL && get->due_ms <= get_now_ms(get))
		send_get(get);
}

/* ---- fetches ---- */

DynS3Get *
dyn_s3_get_start(const DynS3GetConfig *config, DynStatus *status)
{
	DynS3Get   *get = calloc(1, sizeof(*get));

	dyn_status_clear(status);
	if (get == NULL)
	{
		dyn_status_no_memory(status);
		return NULL;
	}
	get->config = *config;
	dyn_clock_init(&get->config.clock);
	get->config.keys = dyn_key_source_share(config->keys);
	get->member.timeout_ms = get_timeout_ms;
	get->member.drive = drive_get;
	get->member.arg = get;
	get->started_ms = get_now_ms(get);
	dyn_s3_path(&config->service, &config->object, &get->path);
	if (!set_region(get, config->region))
		dyn_status_set(status, DYN_INTERNAL, "\"%s\" is not a region", config->region);
	else if (dyn_buf_cstr(&get->path) == NULL)
		dyn_status_no_memory(status);
	else if (dyn_loop_join(&get->member))
	{
		send_get(get);
		return get;
	}
	else
		dyn_descriptor_failed(status, "an epoll set");
	dyn_s3_get_free(get);
	return NULL;
}

bool
dyn_s3_get_done(const DynS3Get *get)
{
	return get->done;
}

DynS3Outcome
dyn_s3_get_result(DynS3Get *get, DynBuf **object, const char **etag, DynStatus *status)
{
	*object = &get->object;
	*etag = get->etag;
	*status = get->status;
	if (get->outcome == DYN_S3_FAILED)
		dyn_s3_advise(status);
	return get->outcome;
}

void
dyn_s3_get_free(DynS3Get *get)
{
	if (get == NULL)
		return;
	close_get_engine(get);
	dyn_loop_leave(&get->member);
	dyn_key_source_release(get->config.keys);
	dyn_buf_free(&get->path);
	dyn_buf_free(&get->object);
	dyn_wipe(get->token_start, sizeof(get->token_start));
	free(get);
}
