/*
 * wait.c
 *	  Waiting for the network on the process latch.
 */
#include "pg/util/export.h"

#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/latch.h"

#include "net/descriptor.h"
#include "net/key_source.h"
#include "net/loop.h"
#include "net/trace.h"
#include "pg/session/wait.h"
#include "pg/util/compat.h"
#include "pg/util/error.h"

/* Latch, postmaster and the loop's descriptor; kept for the session, since making one takes as long as a short wait. */
static WaitEventSet *wait_set = NULL;

/* The wait event of that name, made when it is first needed. */
static uint32
wait_event(DynWaitFor what)
{
	static const char *const names[] = {"DynamoFdwRead", "DynamoFdwWrite", "DynamoFdwRemoteDDL"};
	static uint32 events[lengthof(names)];

	if (events[what] == 0)
		events[what] = dyn_wait_event_new(names[what]);
	return events[what];
}

/* Makes wait_set; raises where the system gives no descriptor, and leaves nothing then. */
static void
make_wait_set(void)
{
	WaitEventSet *set = dyn_create_wait_event_set(3);

	PG_TRY();
	{
		AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
		AddWaitEventToSet(set, WL_SOCKET_READABLE, dyn_loop_fd(), NULL, NULL);
		if (IsUnderPostmaster)
			AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	}
	PG_CATCH();
	{
		FreeWaitEventSet(set);
		PG_RE_THROW();
	}
	PG_END_TRY();
	wait_set = set;
}

/*
 * PostgreSQL books its own descriptor for the set, but has no word for its
 * users when there is none: found out beforehand.
 */
bool
dyn_wait_prepare(DynStatus *status)
{
	if (wait_set != NULL)
		return true;
	dyn_descriptor_book_with(AcquireExternalFD, ReleaseExternalFD);
	if (!dyn_loop_open() || !dyn_descriptor_available(1))
		return dyn_descriptor_failed(status, "a wait event set");
	make_wait_set();
	return true;
}

/* Logs a line for each request that ended since; there is nothing of bodies or headers in it. */
static void
log_requests(void)
{
	DynTrace	trace;

	while (dyn_trace_next(&trace))
	{
		const DynStatus *status = &trace.status;
		const char *result = status->cls == DYN_OK ? "" : status->aws_code[0] ? status->aws_code : status->message;
		char	   *line;

		line = psprintf("%s, attempt %d: HTTP %d%s%s in %.1f ms, "
						"%zu bytes sent, %zu received, %s connection, request id %s",
						trace.name, status->attempts, status->http_status, result[0] ? " " : "", result,
						status->elapsed_ms, trace.bytes_sent, trace.bytes_received,
						trace.new_connection ? "new" : "kept", status->request_id[0] ? status->request_id : "none");
		ereport(DEBUG1,
				(errmsg_internal("dynamo_fdw: %s", dyn_service_text(line)), errhidestmt(true), errhidecontext(true)));
	}
}

/* Keys that could not be refreshed are good for a while: whoever looks after the server should hear of it before that ends. */
static void
warn_of_keys(void)
{
	DynStatus	status;

	while (dyn_key_source_take_warning(&status))
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("AWS credentials could not be refreshed, and will end"),
				 errdetail("%s", dyn_status_text(&status)),
				 status.hint[0] ? errhint("%s", dyn_service_text(status.hint)) : 0));
}

void
dyn_drive(void)
{
	CHECK_FOR_INTERRUPTS();
	dyn_trace_switch(message_level_is_interesting(DEBUG1));
	dyn_loop_drive();
	log_requests();
	warn_of_keys();
}

void
dyn_wait(DynWaitFor what, int max_ms)
{
	int			timeout = dyn_loop_timeout_ms();
	WaitEvent	event;

	if (timeout < 0 || (max_ms >= 0 && max_ms < timeout))
		timeout = max_ms;
	CHECK_FOR_INTERRUPTS();
	if (timeout != 0 && WaitEventSetWait(wait_set, timeout, &event, 1, wait_event(what)) == 1 &&
		event.events == WL_LATCH_SET)
		ResetLatch(MyLatch);
	dyn_drive();
}
