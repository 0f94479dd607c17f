/*
 * loop.c
 *	  All that this process has in flight, behind one pollable descriptor.
 *
 * An epoll set of the members' own descriptors, most of which are epoll sets
 * too: what is ready in an inner set makes the outer one ready.
 */
#include "net/loop.h"

#include <stddef.h>
#include <sys/epoll.h>

#include "net/descriptor.h"

#define EVENTS_AT_ONCE 64

static int	loop_fd = -1;
static DynLoopMember *members = NULL;

bool
dyn_loop_open(void)
{
	if (loop_fd < 0)
		loop_fd = dyn_descriptor_epoll();
	return loop_fd >= 0;
}

bool
dyn_loop_join(DynLoopMember *member)
{
	if (!dyn_loop_open())
		return false;
	member->prev = NULL;
	member->next = members;
	if (members)
		members->prev = member;
	members = member;
	member->joined = true;
	return true;
}

bool
dyn_loop_watch(DynLoopMember *member, int fd)
{
	struct epoll_event event = {0};

	event.events = EPOLLIN;
	event.data.ptr = member;
	return epoll_ctl(loop_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

void
dyn_loop_leave(DynLoopMember *member)
{
	if (!member->joined)
		return;
	if (member->prev)
		member->prev->next = member->next;
	else
		members = member->next;
	if (member->next)
		member->next->prev = member->prev;
	member->joined = false;
}

int
dyn_loop_fd(void)
{
	return loop_fd;
}

int
dyn_loop_timeout_ms(void)
{
	int			soonest = -1;

	for (DynLoopMember *member = members; member && soonest != 0; member = member->next)
	{
		int			t = member->timeout_ms(member->arg);

		if (t >= 0 && (soonest < 0 || t < soonest))
			soonest = t;
	}
	return soonest;
}

void
dyn_loop_drive(void)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int			n = loop_fd < 0 ? 0 : epoll_wait(loop_fd, events, EVENTS_AT_ONCE, 0);

	for (int i = 0; i < n; i++)
		((DynLoopMember *) events[i].data.ptr)->ready = true;
	for (DynLoopMember *member = members; member; member = member->next)
		if (member->ready || member->timeout_ms(member->arg) == 0)
		{
			member->ready = false;
			member->drive(member->arg);
		}
}
