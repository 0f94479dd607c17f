/*
 * error.c
 *	  Status records to ereport.
 */
#include "pg/util/export.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "pg/util/error.h"

/* What a class of failures is called in a message. */
typedef struct Wording
{
	int			sqlstate;
	const char *message;		/* follows the operation: "BatchGetItem on table \"x\" ..." */
	const char *hint;			/* NULL: none, or one that hint_text() makes */
} Wording;

static const Wording wordings[] = {
	[DYN_OK] = {ERRCODE_INTERNAL_ERROR, "succeeded", NULL},
	[DYN_NO_MEMORY] = {ERRCODE_OUT_OF_MEMORY, "ran out of memory", NULL},
	[DYN_NO_DESCRIPTOR] = {ERRCODE_INSUFFICIENT_RESOURCES, "found no file descriptor for a connection",
	"A session may use a third of \"max_files_per_process\" for connections: raise it and the server's \"ulimit -n\", or lower \"max_read_workers\" and \"max_write_workers\"."},
	[DYN_INTERNAL] = {ERRCODE_FDW_ERROR, "failed", NULL},
	[DYN_CONNECT] = {ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, "could not connect",
	"Check the server's options \"region\" and \"endpoint_url\", the network, and \"connect_timeout\"."},
	[DYN_FORBIDDEN] = {ERRCODE_INSUFFICIENT_PRIVILEGE, "is not allowed to reach the endpoint", NULL},
	[DYN_UNTRUSTED] = {ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, "could not verify the service's certificate",
	"Check the server's options \"endpoint_url\" and \"ca_bundle\", a file that the server process must be able to read."},
	[DYN_CONNECTION_LOST] = {ERRCODE_CONNECTION_FAILURE, "lost the connection", NULL},
	[DYN_TIMEOUT] = {ERRCODE_CONNECTION_FAILURE, "got no answer in time",
	"The server's option \"read_timeout\" sets how long one request may take."},
	[DYN_SERVER_FAULT] = {ERRCODE_CONNECTION_FAILURE, "failed on the side of the service", NULL},
	[DYN_THROTTLED] = {ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, "was throttled",
	"Raise the table's capacity, lower \"max_read_workers\" or \"max_write_workers\", or raise \"total_max_retry_attempts\"."},
	[DYN_PROTOCOL] = {ERRCODE_PROTOCOL_VIOLATION, "got an answer that cannot be used",
	"Check that \"endpoint_url\" is that of DynamoDB and that no proxy changes its answers."},
	[DYN_TABLE_MISSING] = {ERRCODE_FDW_TABLE_NOT_FOUND, "did not find the table",
	"Check the options \"region\", \"project\", \"table_name_template\", \"feature_view\" and \"table_name\"; CREATE FOREIGN TABLE or feast apply makes the table."},
	[DYN_TABLE_IN_USE] = {ERRCODE_OBJECT_IN_USE, "found the table in use",
	"DynamoDB is creating, changing or deleting it; try again in a moment."},
	[DYN_OBJECT_MISSING] = {ERRCODE_UNDEFINED_FILE, "did not find the object", NULL},
	[DYN_OBJECT_TOO_LARGE] = {ERRCODE_PROGRAM_LIMIT_EXCEEDED, "found an object that is too large", NULL},
	[DYN_ACCESS_DENIED] = {ERRCODE_INSUFFICIENT_PRIVILEGE, "was denied", NULL},
	[DYN_CREDENTIALS] = {ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, "was refused: the credentials are not valid",
	"Check \"access_key_id\", \"secret_access_key\" and \"session_token\" of the user mapping, the server's \"region\", and this machine's clock."},
	[DYN_NO_CREDENTIALS] = {ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, "has no credentials to be signed with", NULL},
	[DYN_ITEM_TOO_LARGE] = {ERRCODE_PROGRAM_LIMIT_EXCEEDED, "was refused: an item is larger than 400 KB",
	"DynamoDB stores at most 400 KB a row, names of features included."},
	[DYN_CONDITION_FAILED] = {ERRCODE_T_R_SERIALIZATION_FAILURE, "found a row that was changed meanwhile",
	"Run the statement again."},
	[DYN_MAYBE_DONE] = {ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN, "found a row that was changed meanwhile, perhaps by this very request",
	"An attempt got no answer, and was sent again. Look at the row before running the statement again."},
	[DYN_PATH_MISSING] = {ERRCODE_FDW_ERROR, "found an item without features", NULL},
	[DYN_REJECTED] = {ERRCODE_FDW_ERROR, "was refused", NULL},
};

char *
dyn_service_text(const char *text)
{
	char	   *copy = pstrdup(text);

	if (GetDatabaseEncoding() == PG_UTF8 && pg_verify_mbstr(PG_UTF8, copy, strlen(copy), true))
		return copy;
	for (char *p = copy; *p; p++)
		if (IS_HIGHBIT_SET(*p))
			*p = '?';
	return copy;
}

char *
dyn_status_text(const DynStatus *status)
{
	if (status->aws_code[0] == '\0')
		return dyn_service_text(status->message[0] ? status->message : wordings[status->cls].message);
	return dyn_service_text(psprintf("%s: %s", status->aws_code, status->message[0] ? status->message : "no message"));
}

bool
dyn_message_is_error(void)
{
	int			category = ERRCODE_TO_CATEGORY(geterrcode());

	return category != ERRCODE_SUCCESSFUL_COMPLETION && category != ERRCODE_WARNING && category != ERRCODE_NO_DATA;
}

/*
 * The text is ASCII, but "WARNING" may be translated into what the client's
 * encoding lacks, and so may the context, which a procedure's name is part of.
 * Where the client can't be told, the server's log was.
 */
void
dyn_warn_at_end(const char *message, const char *detail, const char *hint)
{
	MemoryContext old = CurrentMemoryContext;
	uint32		interrupts_held = InterruptHoldoffCount;
	uint32		cancels_held = QueryCancelHoldoffCount;

	PG_TRY();
	{
		error_context_stack = NULL;
		ereport(WARNING,
				(errmsg("%s", message), detail ? errdetail("%s", detail) : 0, hint ? errhint("%s", hint) : 0));
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(old);
		FlushErrorState();
		InterruptHoldoffCount = interrupts_held;
		QueryCancelHoldoffCount = cancels_held;
	}
	PG_END_TRY();				/* restores error_context_stack */
}

void
dyn_report_no_memory(void)
{
	ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

/* What the service said, and the facts of the answer, as sentences; palloc'd. */
static char *
detail_text(const DynStatus *status, const DynErrorContext *context)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, dyn_status_text(status));
	if (text.data[text.len - 1] != '.')
		appendStringInfoChar(&text, '.');
	if (status->http_status != 0 && status->http_status != 200)
		appendStringInfo(&text, " HTTP status %d.", status->http_status);
	if (status->request_id[0])
		appendStringInfo(&text, " Request id %s.", dyn_service_text(status->request_id));
	if (status->attempts > 1)
		appendStringInfo(&text, " Gave up after %d attempts in %.1f s.", status->attempts, status->elapsed_ms / 1000);
	if (context && context->note)
		appendStringInfo(&text, " %s", context->note);
	return text.data;
}

/* What to do about it; NULL: nothing that we know. */
static const char *
hint_text(const DynStatus *status, const DynErrorContext *context)
{
	if (status->hint[0])
		return dyn_service_text(status->hint);
	if (status->cls == DYN_ACCESS_DENIED && context)
		return psprintf("The IAM policy must allow dynamodb:%s on table \"%s\".", dyn_op_name(context->op),
						context->table);
	return wordings[status->cls].hint;
}

void
dyn_report(int elevel, const DynStatus *status, const DynErrorContext *context)
{
	const Wording *wording = &wordings[status->cls];
	const char *detail;
	const char *hint;

	/* a cancel that came meanwhile is what the user wants to hear */
	if (elevel >= ERROR)
		CHECK_FOR_INTERRUPTS();
	detail = detail_text(status, context);
	hint = hint_text(status, context);
	if (context == NULL)
		ereport(elevel,
				(errcode(wording->sqlstate),
				 errmsg("DynamoDB client %s", wording->message),
				 errdetail("%s", detail),
				 hint ? errhint("%s", hint) : 0));
	else
		ereport(elevel,
				(errcode(wording->sqlstate),
				 context->feature_view ?
				 errmsg("feature view \"%s\": %s on table \"%s\" %s", context->feature_view,
						dyn_op_name(context->op), context->table, wording->message) :
				 errmsg("%s on table \"%s\" %s", dyn_op_name(context->op), context->table, wording->message),
				 errdetail("%s", detail),
				 hint ? errhint("%s", hint) : 0));
}

void
dyn_report_request(int elevel, const DynStatus *status, const char *request)
{
	const Wording *wording = &wordings[status->cls];
	const char *hint;

	if (elevel >= ERROR)
		CHECK_FOR_INTERRUPTS();
	hint = hint_text(status, NULL);
	ereport(elevel,
			(errcode(wording->sqlstate),
			 errmsg("%s %s", request, wording->message),
			 errdetail("%s", detail_text(status, NULL)),
			 hint ? errhint("%s", hint) : 0));
}
