/*
 * error.h
 *	  Status records to ereport: the only place where core's and net's
 *	  failures become errors of the server.
 */
#ifndef DYN_ERROR_H
#define DYN_ERROR_H

#include "core/ddb_op.h"
#include "core/status.h"

/* What was being done, for the error's words. */
typedef struct DynErrorContext
{
	DynOp		op;
	const char *table;			/* remote */
	const char *feature_view;	/* NULL: not said */
	const char *note;			/* a further sentence of the detail; NULL: none */
} DynErrorContext;

/*
 * Reports a failure at `elevel`: raises it from ERROR on, unless a cancel or
 * terminate is pending, which is raised in its place.  `context` may be NULL.
 */
extern void dyn_report(int elevel, const DynStatus *status, const DynErrorContext *context);

/* The same of a request that is none of DynamoDB's: `request` is what it is called, "GetObject of \"s3://…\"". */
extern void dyn_report_request(int elevel, const DynStatus *status, const char *request);

/* For callbacks of error messages: is it an error that is raised, and not a warning or notice? */
extern bool dyn_message_is_error(void);

/*
 * A WARNING at the end of a transaction, where an error would be worse than no message: it can't fail.  The texts are
 * ASCII; detail and hint may be NULL.
 */
extern void dyn_warn_at_end(const char *message, const char *detail, const char *hint);

/* Raises what palloc() would, for memory that malloc could not give. */
extern void dyn_report_no_memory(void) __attribute__((noreturn));

/* One line for a message of another error or warning: "ThrottlingException: Rate exceeded"; palloc'd. */
extern char *dyn_status_text(const DynStatus *status);

/*
 * A copy of the service's words that can stand in a message; never raises over
 * them. They come as UTF-8, perhaps damaged: unless they are valid and the
 * database's encoding is UTF-8, all but ASCII becomes question marks.
 */
extern char *dyn_service_text(const char *text);

#endif							/* DYN_ERROR_H */
