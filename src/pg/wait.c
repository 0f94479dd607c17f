/*
 * wait.c
 *	  Waiting for the network on the process latch.
 */
#include "pg/export.h"

#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/wait_event.h"

#include "pg/wait.h"

void
dyn_wait(DynClient *client, int max_ms)
{
	int			timeout = dyn_client_timeout_ms(client);
	int			events = WL_LATCH_SET | WL_SOCKET_READABLE | WL_EXIT_ON_PM_DEATH;

	if (timeout < 0 || (max_ms >= 0 && max_ms < timeout))
		timeout = max_ms;
	if (timeout >= 0)
		events |= WL_TIMEOUT;

	CHECK_FOR_INTERRUPTS();
	if (timeout != 0 &&
		WaitLatchOrSocket(MyLatch, events, dyn_client_fd(client), timeout, PG_WAIT_EXTENSION) & WL_LATCH_SET)
		ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	dyn_client_drive(client);
}
