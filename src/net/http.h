/*
 * http.h
 *	  HTTP engine: many requests in flight on one libcurl multi handle, behind
 *	  one pollable descriptor.
 *
 * Nothing in here waits. The owner polls dyn_http_fd() for input, for at most
 * dyn_http_timeout_ms(), and calls dyn_http_drive(); whoever drives moves the
 * transfers of everybody, and each stays with its owner when it is done.  A
 * timeout that passed while nobody drove begins anew.
 */
#ifndef DYN_HTTP_H
#define DYN_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/status.h"

/* What an answer may have at most unless the config says less: BatchGetItem's 16 MB as JSON with base64 take less. */
#define DYN_HTTP_MAX_BODY (64 * 1024 * 1024)

typedef struct DynHttpConfig
{
	const char *url;			/* scheme, host and port of every request */
	const char *ca_bundle;		/* file, or NULL: libcurl's default */
	bool		no_proxy;		/* ignore the proxy variables of the environment */
	bool		refuse_link_local;	/* metadata and link-local addresses get no connection: DYN_FORBIDDEN */
	long		connect_timeout_ms;
	long		read_timeout_ms;	/* from sending the request to the whole answer */
	long		max_pool_connections;	/* kept while idle */
	long		keepalive_timeout_s;	/* an older idle connection is not reused */
	size_t		max_body;		/* a longer answer is a protocol error; 0: DYN_HTTP_MAX_BODY */
	bool		secret;			/* answers hold secrets: their memory is wiped.  With a small max_body only */
} DynHttpConfig;

typedef struct DynHttp DynHttp;

typedef struct DynHttpAnswer
{
	int			status;			/* HTTP status */
	DynBuf		body;
	char		request_id[80]; /* x-amzn-RequestId, or S3's x-amz-request-id; "" where none */
	bool		has_crc32;
	uint32_t	crc32;			/* x-amz-crc32 */
	double		retry_after_ms; /* x-amz-retry-after, 0: none */
	int64_t		date;			/* Date, epoch seconds, -1: none */
	char		etag[80];		/* ETag, "" where none */
	char		bucket_region[80];	/* x-amz-bucket-region, "" where none */
} DynHttpAnswer;

typedef struct DynTransfer DynTransfer;

typedef struct DynHttpHeader
{
	const char *name;
	const char *value;
} DynHttpHeader;

/* NULL on failure. The config's texts are copied. A new engine is closed: it holds no descriptor. */
extern DynHttp *dyn_http_new(const DynHttpConfig *config, DynStatus *status);

/* Closes all connections; no transfer may be left. NULL is fine. */
extern void dyn_http_free(DynHttp *http);

/*
 * Opens the engine, if it is closed: only an open one can start transfers. It
 * is closed by dyn_http_close(), or by dyn_http_make_room() when it has no
 * transfer left. False on failure, `status` set.
 */
extern bool dyn_http_open(DynHttp *http, DynStatus *status);

/* Gives back all descriptors, those of idle connections too; no transfer may be left. */
extern void dyn_http_close(DynHttp *http);

/* -1: closed */
extern int	dyn_http_fd(const DynHttp *http);

/*
 * Closes an idle connection of any engine of the process, or else a whole engine
 * that has no transfer; `wanting`, which is to be used next, only if it has
 * connections.  False: nothing is idle.
 */
extern bool dyn_http_make_room(const DynHttp *wanting);

/*
 * Has any engine of the process a transfer that is not freed?  When it is, there
 * may be a connection, and dyn_descriptor_epoch() changes.
 */
extern bool dyn_http_busy(void);

/* Until dyn_http_drive() has work without any input: ms, 0 now, -1 never. */
extern int	dyn_http_timeout_ms(const DynHttp *http);
extern void dyn_http_drive(DynHttp *http);

typedef enum DynHttpMethod
{
	DYN_HTTP_POST,
	DYN_HTTP_GET,
	DYN_HTTP_PUT				/* with an empty body */
} DynHttpMethod;

typedef struct DynHttpRequest
{
	DynHttpMethod method;
	const char *path;			/* with its query; NULL: "/" */
	const DynHttpHeader *headers;
	int			nheaders;
	const DynBuf *body;			/* of a POST; borrowed until the transfer is freed */
	bool		fresh;			/* by a new connection */
} DynHttpRequest;

/* NULL on failure, `status` set: with class DYN_NO_DESCRIPTOR nothing was sent. */
extern DynTransfer *dyn_http_start(DynHttp *http, const DynHttpRequest *request, DynStatus *status);
extern bool dyn_transfer_done(const DynTransfer *transfer);

/*
 * Of a transfer that is done: true if an answer came, whatever its HTTP
 * status; else what failed is in `status`. The answer belongs to the transfer.
 */
extern bool dyn_transfer_result(DynTransfer *transfer, DynHttpAnswer **answer, DynStatus *status);

/* Takes back the body of an answer, which is left empty: its memory may serve the next one. */
extern void dyn_http_give_body(DynHttp *http, DynBuf *body);

/*
 * Is the transfer done because no descriptor was left for its connection, once
 * the host's name was looked up?  The request was not sent then.
 */
extern bool dyn_transfer_refused(const DynTransfer *transfer);

/* Of a transfer that failed: was its connection an old one, and lost before a byte of an answer came? */
extern bool dyn_transfer_stale(const DynTransfer *transfer);

/* Of a transfer that failed: was the answer longer than config.max_body? */
extern bool dyn_transfer_too_long(const DynTransfer *transfer);

/* Was its request sent more than once, as the connection was an old one and lost?  The service may have got it before. */
extern bool dyn_transfer_repeated(const DynTransfer *transfer);

/* At any time; one in flight is broken off at once. NULL is fine. */
extern void dyn_transfer_free(DynTransfer *transfer);

/* False once a callback or libcurl's multi handle failed. */
extern bool dyn_http_usable(const DynHttp *http);

/* Of a transfer that is done: connections opened for it, 0: one was reused. */
extern long dyn_transfer_connects(const DynTransfer *transfer);

/* Of libcurl and the libraries it uses: "libcurl/7.88.1 OpenSSL/3.0.17 ...". */
extern const char *dyn_http_version(void);

#endif							/* DYN_HTTP_H */
