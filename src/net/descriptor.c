/*
 * descriptor.c
 *	  The file descriptors of this floor, booked with whoever limits them.
 */
#include "net/descriptor.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"

/* A name server that is deaf keeps the C library trying about half as long. */
#define LATER_US (60 * INT64_C(1000000))

static bool (*book) (void) = NULL;
static void (*give_back) (void) = NULL;
static uint64_t epoch = 0;
static int	later = 0;			/* of the booked ones, those of dyn_descriptor_release_later() */
static int64_t later_us;		/* when they are given back */

void
dyn_descriptor_book_with(bool (*acquire) (void), void (*release) (void))
{
	book = acquire;
	give_back = release;
}

/* Gives back what was booked, without telling those who wait. */
static void
unbook(int n)
{
	while (give_back && n-- > 0)
		give_back();
}

/* Gives back those whose time has come. */
static void
release_late_ones(void)
{
	int			n = later;

	if (n == 0 || dyn_clock_monotonic_us() < later_us)
		return;
	later = 0;
	dyn_descriptor_release(n);
}

bool
dyn_descriptor_acquire(int n)
{
	release_late_ones();
	for (int i = 0; i < n; i++)
	{
		if (book && !book())
		{
			unbook(i);
			errno = EMFILE;
			return false;
		}
	}
	return true;
}

void
dyn_descriptor_release(int n)
{
	unbook(n);
	epoch++;
}

void
dyn_descriptor_release_later(int n)
{
	later += n;
	later_us = dyn_clock_monotonic_us() + LATER_US;
}

/* The descriptor that was booked and is now open; the booking is taken back if opening it failed. */
static int
opened(int fd)
{
	int			error = errno;

	if (fd < 0)
		unbook(1);
	errno = error;
	return fd;
}

int
dyn_descriptor_epoll(void)
{
	return dyn_descriptor_acquire(1) ? opened(epoll_create1(EPOLL_CLOEXEC)) : -1;
}

int
dyn_descriptor_socket(int family, int type, int protocol)
{
	return dyn_descriptor_acquire(1) ? opened(socket(family, type | SOCK_CLOEXEC, protocol)) : -1;
}

void
dyn_descriptor_close(int fd)
{
	if (fd < 0)
		return;
	close(fd);
	dyn_descriptor_release(1);
}

bool
dyn_descriptor_available(int n)
{
	int			fds[DYN_DESCRIPTORS_PROBED];
	int			nopen = 0;
	int			error;

	if (!dyn_descriptor_acquire(n))
		return false;
	while (nopen < n && nopen < DYN_DESCRIPTORS_PROBED && (fds[nopen] = eventfd(0, EFD_CLOEXEC)) >= 0)
		nopen++;
	error = errno;
	for (int i = 0; i < nopen; i++)
		close(fds[i]);
	unbook(n);
	errno = error;
	return nopen == n;
}

bool
dyn_descriptor_lacking(int error)
{
	return error == EMFILE || error == ENFILE;
}

bool
dyn_descriptor_failed(DynStatus *status, const char *what)
{
	return dyn_status_set(status, dyn_descriptor_lacking(errno) ? DYN_NO_DESCRIPTOR : DYN_INTERNAL,
						  "%s cannot be opened: %s", what, strerror(errno));
}

uint64_t
dyn_descriptor_epoch(void)
{
	return epoch;
}

void
dyn_descriptor_made_room(void)
{
	epoch++;
}
