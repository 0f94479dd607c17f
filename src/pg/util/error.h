/*
 * error.h
 *	  Status records to ereport: the only place where core's and net's
 *	  failures become errors of the server.
 */
#ifndef DYN_ERROR_H
#define DYN_ERROR_H

#include "core/ddb_op.h"
#include "core/status.h"

/* What was being done, for the error's words; texts may be NULL. */
typedef struct DynErrorContext
{
	DynOp		op;
	const char *table;			/* remote */
	const char *feature_view;
	const char *note;			/* a further sentence of the detail */
} DynErrorContext;

/* Raises or, with a lower elevel, tells; `context` may be NULL. */
extern void dyn_report(int elevel, const DynStatus *status, const DynErrorContext *context);

/* One line for a message of another error or warning: "ThrottlingException: Rate exceeded". */
extern char *dyn_status_text(const DynStatus *status);

/*
 * Words of the service for a message, which must not fail over them: they come
 * as UTF-8, perhaps damaged.
 */
extern char *dyn_service_text(const char *text);

#endif							/* DYN_ERROR_H */
