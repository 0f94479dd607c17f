/*
 * fake_http.h
 *	  Stands in for the HTTP engine (net/http.h): requests are recorded,
 *	  tests answer them, or a script does, and time passes only when they say so.
 */
#ifndef DYN_FAKE_HTTP_H
#define DYN_FAKE_HTTP_H

#include "net/ddb_client.h"
#include "net/http.h"

/* A request that was sent. */
typedef struct FakeRequest
{
	DynBuf		body;			/* a copy; of a GET empty */
	bool		get;
	const char *method;			/* "POST", ... */
	char		url[400];		/* with the path */
	DynBuf		headers;		/* a line of "Name: value" for each */
	DynHttpConfig config;		/* of its engine, without the url */
	char		ca_bundle[40];	/* the same: "" for none */
	bool		fresh;			/* wanted a new connection */
	char		date[20];		/* X-Amz-Date */
	double		sent_ms;
	DynTransfer *transfer;		/* NULL once freed */
} FakeRequest;

/* What requests are answered with, besides status and body; cleared by each answer. */
typedef struct FakeHeaders
{
	double		retry_after_ms;
	bool		wrong_crc;
	int64_t		date;			/* 0: none */
	const char *etag;			/* NULL: none */
	const char *bucket_region;
} FakeHeaders;

extern double fake_now_ms;
extern int64_t fake_wall_s;
extern double fake_random;		/* every delay is this share of the longest */
extern FakeHeaders fake_headers;
extern DynHttpConfig fake_config;	/* of the last client */
extern int	fake_room;			/* connections that may be in use at a time, over all clients; -1: any number */
extern int	fake_idle;			/* idle ones of others, of which each could be closed and make room for one more */
extern int	fake_refused;		/* how often there was no room */
extern int	fake_engines;		/* open now */

/*
 * Answers requests as they are sent: the body stays the script's.  False: no
 * answer comes to this one, and it times out.  NULL: the test answers, and
 * nothing times out by itself.
 */
typedef bool (*FakeScript) (const FakeRequest *request, int *status, const char **body);

extern FakeScript fake_script;

/* A client on the fake engine, whose record starts anew. `config` may be NULL: 4 attempts. */
extern DynClient *fake_client(const DynClientConfig *config);

extern int	fake_sent(void);	/* requests so far */
extern int	fake_in_flight(void);	/* of them not answered and not given up */
extern FakeRequest *fake_request(int n);	/* from 0 */

/* A header's value, which ends with its line; NULL: it was not sent.  The name's case counts. */
extern const char *fake_header(const FakeRequest *request, const char *name);

/* Was the header sent, with this value? */
extern bool fake_header_is(const FakeRequest *request, const char *name, const char *value);

/* Answers request `n`: with a body, or by no answer, or because its connection was an old one and cut. */
extern void fake_answer(int n, int status, const char *body);
extern void fake_fail(int n, DynClass cls);
extern void fake_stale(int n);

/* The answer to request `n` is longer than may be. */
extern void fake_too_long(int n);

/* Request `n` was not sent after all: after its lookup there was no descriptor. */
extern void fake_refuse(int n);

/* The clock that fake_client() gives to clients. */
extern const DynClock fake_clock;

/* Lets `ms` pass, in small steps, and drives the client all the while. */
extern void fake_pass(DynClient *client, double ms);

/* Forgets all requests; the end of a test. */
extern void fake_forget(void);

#endif							/* DYN_FAKE_HTTP_H */
