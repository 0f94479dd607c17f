/*
 * fake_http.c
 *	  Stands in for the HTTP engine.
 */
#include "fake_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/crc32.h"
#include "fail_alloc.h"
#include "net/descriptor.h"
#include "net/surroundings.h"

#define STEP_MS 0.5
#define LATE_MS 100.0

struct DynHttp
{
	int			fd;				/* watched by the loop, never readable; -1: closed */
	DynHttpConfig config;		/* url and ca_bundle are the two below */
	char		url[300];
	char		ca_bundle[40];
};

struct DynTransfer
{
	DynHttp    *http;
	FakeRequest *request;
	bool		done;
	bool		hangs;			/* until its engine's time is up */
	bool		stale;
	bool		refused;		/* after its lookup */
	bool		too_long;
	DynClass	failure;		/* DYN_OK: there is an answer */
	DynHttpAnswer answer;
};

double		fake_now_ms = 1000000;
int64_t		fake_wall_s = 1700000000;
double		fake_random = 0.5;
FakeHeaders fake_headers;
DynHttpConfig fake_config;
int			fake_room = -1;
int			fake_idle;
int			fake_refused;
int			fake_engines = 0;
FakeScript	fake_script;

static FakeRequest *requests[10000];
static int	nrequests;

static double
now_ms(void)
{
	return fake_now_ms;
}

static int64_t
wall_s(void)
{
	return fake_wall_s;
}

static double
chance(void)
{
	return fake_random;
}

const DynClock fake_clock = {.now_ms = now_ms, .wall_s = wall_s, .random = chance};

DynClient *
fake_client(const DynClientConfig *config)
{
	DynClientConfig complete = {0};
	DynKeyFetchConfig keys = {0};
	DynClient  *client;
	DynStatus	status;
	const char *why;

	if (config)
		complete = *config;
	if (complete.endpoint.url[0] == '\0')
		dyn_endpoint_parse("http://127.0.0.1:8000", &complete.endpoint, &why);
	complete.region = "us-west-2";
	keys.wish.access_key_id = "FAKE";
	keys.wish.secret_access_key = "secret";
	keys.surroundings = &dyn_surroundings;
	keys.clock = &complete.clock;
	if (complete.total_max_retry_attempts == 0)
		complete.total_max_retry_attempts = 4;
	if (complete.max_pool_connections == 0)
		complete.max_pool_connections = 50;
	complete.clock = fake_clock;
	fake_forget();
	complete.keys = dyn_key_source_get(&keys, &status);
	client = complete.keys ? dyn_client_new(&complete, &status) : NULL;
	dyn_key_source_release(complete.keys);
	return client;
}

static void
free_request(FakeRequest *request)
{
	if (request == NULL)
		return;
	if (request->transfer)
		request->transfer->request = NULL;
	dyn_buf_free(&request->body);
	dyn_buf_free(&request->headers);
	free(request);
}

void
fake_forget(void)
{
	while (nrequests > 0)
		free_request(requests[--nrequests]);
	memset(&fake_headers, 0, sizeof(fake_headers));
	fake_room = -1;
	fake_idle = 0;
	fake_refused = 0;
	fake_script = NULL;
}

int
fake_sent(void)
{
	return nrequests;
}

int
fake_in_flight(void)
{
	int			n = 0;

	for (int i = 0; i < nrequests; i++)
		n += requests[i]->transfer && !requests[i]->transfer->done ? 1 : 0;
	return n;
}

/* A test that asks for a request that was not sent is over. */
FakeRequest *
fake_request(int n)
{
	if (n >= nrequests)
		abort();
	return requests[n];
}

const char *
fake_header(const FakeRequest *request, const char *name)
{
	size_t		len = strlen(name);

	for (const char *line = request->headers.data; *line; line = strchr(line, '\n') + 1)
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 2;
	return NULL;
}

bool
fake_header_is(const FakeRequest *request, const char *name, const char *value)
{
	const char *got = fake_header(request, name);

	return got && strncmp(got, value, strlen(value)) == 0 && got[strlen(value)] == '\n';
}

static DynTransfer *
in_flight(int n)
{
	DynTransfer *transfer = fake_request(n)->transfer;

	if (transfer == NULL || transfer->done)
		abort();
	transfer->done = true;
	return transfer;
}

void
fake_answer(int n, int status, const char *body)
{
	DynTransfer *transfer = in_flight(n);
	DynHttpAnswer *answer = &transfer->answer;

	answer->status = status;
	dyn_buf_str(&answer->body, body);
	answer->has_crc32 = true;
	answer->crc32 = dyn_crc32(body, strlen(body)) + (fake_headers.wrong_crc ? 1 : 0);
	answer->retry_after_ms = fake_headers.retry_after_ms;
	answer->date = fake_headers.date ? fake_headers.date : -1;
	snprintf(answer->etag, sizeof(answer->etag), "%s", fake_headers.etag ? fake_headers.etag : "");
	snprintf(answer->bucket_region, sizeof(answer->bucket_region), "%s",
			 fake_headers.bucket_region ? fake_headers.bucket_region : "");
	memset(&fake_headers, 0, sizeof(fake_headers));
}

void
fake_too_long(int n)
{
	DynTransfer *transfer = in_flight(n);

	transfer->failure = DYN_PROTOCOL;
	transfer->too_long = true;
}

void
fake_fail(int n, DynClass cls)
{
	in_flight(n)->failure = cls;
}

void
fake_stale(int n)
{
	DynTransfer *transfer = in_flight(n);

	transfer->failure = DYN_CONNECTION_LOST;
	transfer->stale = true;
}

void
fake_refuse(int n)
{
	DynTransfer *transfer = in_flight(n);

	transfer->failure = DYN_NO_DESCRIPTOR;
	transfer->refused = true;
}

void
fake_pass(DynClient *client, double ms)
{
	double		end = fake_now_ms + ms;

	dyn_client_drive(client);
	while (fake_now_ms < end)
	{
		fake_now_ms += STEP_MS;
		dyn_client_drive(client);
	}
}

/* ---- net/http.h ---- */

DynHttp *
dyn_http_new(const DynHttpConfig *config, DynStatus *status)
{
	DynHttp    *http = calloc(1, sizeof(DynHttp));

	if (http == NULL)
	{
		dyn_status_no_memory(status);
		return NULL;
	}
	fake_config = *config;
	http->config = *config;
	snprintf(http->url, sizeof(http->url), "%s", config->url);
	snprintf(http->ca_bundle, sizeof(http->ca_bundle), "%s", config->ca_bundle ? config->ca_bundle : "");
	http->fd = -1;
	return http;
}

bool
dyn_http_open(DynHttp *http, DynStatus *status)
{
	if (http->fd < 0)
	{
		http->fd = eventfd(0, EFD_CLOEXEC);
		fake_engines++;
	}
	return true;
}

void
dyn_http_close(DynHttp *http)
{
	if (http->fd < 0)
		return;
	close(http->fd);
	http->fd = -1;
	fake_engines--;
}

bool
dyn_http_make_room(const DynHttp *wanting)
{
	if (fake_idle == 0)
		return false;
	fake_idle--;
	fake_room++;
	return true;
}

bool
dyn_http_busy(void)
{
	for (int i = 0; i < nrequests; i++)
		if (requests[i]->transfer)
			return true;
	return false;
}

void
dyn_http_free(DynHttp *http)
{
	if (http == NULL)
		return;
	dyn_http_close(http);
	free(http);
}

int
dyn_http_fd(const DynHttp *http)
{
	return http->fd;
}

/* When a request that hangs is given up. */
static double
end_of(const DynTransfer *transfer)
{
	return transfer->request->sent_ms + transfer->http->config.read_timeout_ms;
}

/* The engine's request `n` hangs, and may be seen to. */
static DynTransfer *
hanging(const DynHttp *http, int n)
{
	DynTransfer *transfer = requests[n]->transfer;

	return transfer && transfer->http == http && transfer->hangs && !transfer->done ? transfer : NULL;
}

int
dyn_http_timeout_ms(const DynHttp *http)
{
	double		soonest = -1;

	for (int i = 0; i < nrequests; i++)
	{
		const DynTransfer *transfer = hanging(http, i);
		double		left = transfer ? end_of(transfer) - fake_now_ms : 0;

		if (transfer && (soonest < 0 || left < soonest))
			soonest = left < 0 ? 0 : left;
	}
	return soonest < 0 ? -1 : (int) (soonest + 0.999);
}

/* As the engine does, it gives whoever comes very late a whole new time. */
void
dyn_http_drive(DynHttp *http)
{
	for (int i = 0; i < nrequests; i++)
	{
		DynTransfer *transfer = hanging(http, i);

		if (transfer == NULL || end_of(transfer) > fake_now_ms)
			continue;
		if (fake_now_ms - end_of(transfer) > LATE_MS)
		{
			transfer->request->sent_ms = fake_now_ms;
			continue;
		}
		transfer->failure = DYN_TIMEOUT;
		transfer->done = true;
	}
}

bool
dyn_http_usable(const DynHttp *http)
{
	return true;
}

long
dyn_http_connections_opened(const DynHttp *http)
{
	return 0;
}

/* Of what is sent; NULL: no memory. */
static FakeRequest *
record(const DynHttp *http, const DynHttpRequest *sent)
{
	static const char *const methods[] = {"POST", "GET", "PUT"};
	const char *const *secrets = fail_alloc_secrets;
	FakeRequest *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
	fail_alloc_secrets = NULL;	/* these copies are not the client's */
	if (sent->body)
		dyn_buf_add(&request->body, sent->body->data, sent->body->len);
	for (int i = 0; i < sent->nheaders; i++)
	{
		dyn_buf_str(&request->headers, sent->headers[i].name);
		dyn_buf_str(&request->headers, ": ");
		dyn_buf_str(&request->headers, sent->headers[i].value);
		dyn_buf_str(&request->headers, "\n");
		if (strcmp(sent->headers[i].name, "X-Amz-Date") == 0)
			strncpy(request->date, sent->headers[i].value, sizeof(request->date) - 1);
	}
	fail_alloc_secrets = secrets;
	if (dyn_buf_cstr(&request->body) == NULL || dyn_buf_cstr(&request->headers) == NULL)
	{
		free_request(request);
		return NULL;
	}
	request->method = methods[sent->method];
	request->get = sent->method == DYN_HTTP_GET;
	snprintf(request->url, sizeof(request->url), "%s%s", http->url, sent->path ? sent->path : "/");
	request->config = http->config;
	request->config.url = NULL;
	request->config.ca_bundle = NULL;
	strcpy(request->ca_bundle, http->ca_bundle);
	request->sent_ms = fake_now_ms;
	request->fresh = sent->fresh;
	return request;
}

/* Asks the script for an answer to the last request. */
static void
follow_script(DynTransfer *transfer)
{
	const char *body = "";
	long		left = fail_alloc_after;
	int			status;

	fail_alloc_after = -1;
	if (fake_script(transfer->request, &status, &body))
		fake_answer(nrequests - 1, status, body);
	else
		transfer->hangs = true;
	fail_alloc_after = left;
}

DynTransfer *
dyn_http_start(DynHttp *http, const DynHttpRequest *sent, DynStatus *status)
{
	FakeRequest *request = record(http, sent);
	DynTransfer *transfer = calloc(1, sizeof(*transfer));
	bool		room = fake_room < 0 || fake_in_flight() < fake_room;

	if (request == NULL || transfer == NULL || !room)
	{
		if (request == NULL || transfer == NULL)
			dyn_status_no_memory(status);
		else
		{
			fake_refused++;
			dyn_status_set(status, DYN_NO_DESCRIPTOR, "no room");
		}
		free_request(request);
		free(transfer);
		return NULL;
	}
	if (nrequests == sizeof(requests) / sizeof(requests[0]))
		abort();
	requests[nrequests++] = request;
	transfer->http = http;
	transfer->request = request;
	request->transfer = transfer;
	if (fake_script)
		follow_script(transfer);
	return transfer;
}

bool
dyn_transfer_done(const DynTransfer *transfer)
{
	return transfer->done;
}

bool
dyn_transfer_repeated(const DynTransfer *transfer)
{
	return false;
}

long
dyn_transfer_connects(const DynTransfer *transfer)
{
	return transfer->done ? 1 : 0;
}

void
dyn_http_give_body(DynHttp *http, DynBuf *body)
{
	dyn_buf_free(body);
}

bool
dyn_transfer_stale(const DynTransfer *transfer)
{
	return transfer->stale;
}

bool
dyn_transfer_too_long(const DynTransfer *transfer)
{
	return transfer->too_long;
}

bool
dyn_transfer_refused(const DynTransfer *transfer)
{
	return transfer->refused;
}

bool
dyn_transfer_result(DynTransfer *transfer, DynHttpAnswer **answer, DynStatus *status)
{
	*answer = &transfer->answer;
	return transfer->failure == DYN_OK || dyn_status_set(status, transfer->failure, "made up");
}

void
dyn_transfer_free(DynTransfer *transfer)
{
	if (transfer == NULL)
		return;
	if (transfer->request)
		transfer->request->transfer = NULL;
	dyn_descriptor_made_room();
	if (transfer->http->config.secret)
		dyn_buf_wipe(&transfer->answer.body);
	dyn_buf_free(&transfer->answer.body);
	free(transfer);
}
