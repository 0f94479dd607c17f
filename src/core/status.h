/*
 * status.h
 *	  What went wrong, as data.
 *
 * Core and net never throw: they fill a DynStatus and return false, and
 * src/pg/util/error.c alone turns one into an ereport.  The record owns no memory,
 * so it can be copied and dropped freely.
 */
#ifndef DYN_STATUS_H
#define DYN_STATUS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum DynClass
{
	DYN_OK = 0,
	DYN_NO_MEMORY,
	DYN_NO_DESCRIPTOR,			/* of the process, for a connection; nothing was sent */
	DYN_INTERNAL,				/* a library refused what should always work */
	DYN_CONNECT,				/* no connection: DNS, refused, TLS */
	DYN_FORBIDDEN,				/* an address that is not to be connected to, or an endpoint that is not allowed */
	DYN_UNTRUSTED,				/* its certificate is not trusted, or the roots can't be read */
	DYN_CONNECTION_LOST,		/* connected, then cut */
	DYN_TIMEOUT,
	DYN_SERVER_FAULT,			/* 5xx */
	DYN_THROTTLED,
	DYN_PROTOCOL,				/* malformed, truncated, oversized or corrupted answer */
	DYN_TABLE_MISSING,			/* ResourceNotFoundException */
	DYN_TABLE_IN_USE,			/* ResourceInUseException */
	DYN_OBJECT_MISSING,			/* in S3: the bucket, or the key in it */
	DYN_OBJECT_TOO_LARGE,
	DYN_ACCESS_DENIED,			/* IAM says no */
	DYN_CREDENTIALS,			/* rejected, expired, bad signature */
	DYN_NO_CREDENTIALS,			/* none to sign with: not found, or their source is broken */
	DYN_ITEM_TOO_LARGE,
	DYN_CONDITION_FAILED,		/* ConditionalCheckFailedException */
	DYN_MAYBE_DONE,				/* the same, after an attempt without an answer, which may have been carried out */
	DYN_PATH_MISSING,			/* an update of a feature in an item without `values` */
	DYN_REJECTED				/* any other 4xx */
} DynClass;

typedef struct DynStatus
{
	DynClass	cls;
	int			http_status;	/* 0: no answer */
	int			attempts;		/* requests sent, 0: not counted */
	double		elapsed_ms;		/* over all attempts */
	char		aws_code[96];	/* "ValidationException"; "" where none */
	char		request_id[80];
	char		message[600];	/* AWS's or libcurl's words, no secrets */
	char		hint[1000];		/* what to do about it; "": nothing but what the class says */
} DynStatus;

extern void dyn_status_clear(DynStatus *status);

/* Sets class and message (printf style), keeps the other fields; returns false. */
extern bool dyn_status_set(DynStatus *status, DynClass cls, const char *fmt, ...)
			__attribute__((format(printf, 3, 4)));

/* The same, of a va_list. */
extern bool dyn_status_vset(DynStatus *status, DynClass cls, const char *fmt, va_list args)
			__attribute__((format(printf, 3, 0)));

/* Sets the hint (printf style). */
extern void dyn_status_hint(DynStatus *status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Sets code and message of a service's error, which are foreign text: of the
 * code what stands before the first byte that is none of [A-Za-z0-9._-], of the
 * message its first line, without control characters, and without what may quote
 * a signed request.  Both are cut where they don't fit; NULL of length 0 is "".
 */
extern void dyn_status_words(DynStatus *status, const char *code, size_t code_len, const char *message,
							 size_t message_len);

/*
 * Cuts the message where it quotes a secret; NULL and "" are none.  The message
 * may have been cut within it, so its start (DYN_SECRET_START bytes) is enough.
 */
#define DYN_SECRET_START 16
extern void dyn_status_redact(DynStatus *status, const char *secret);

/* Sets DYN_NO_MEMORY, which has the same message everywhere; returns false. */
extern bool dyn_status_no_memory(DynStatus *status);

/* May the same request, sent again, succeed? */
extern bool dyn_status_retryable(const DynStatus *status);

#endif							/* DYN_STATUS_H */
