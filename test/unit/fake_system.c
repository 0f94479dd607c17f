/*
 * fake_system.c
 *	  Stands in for parts of libc.
 *
 * The functions have the names of libc's, so the linker and, for libcurl, the
 * dynamic loader find them first.
 */
#define _GNU_SOURCE
#include "fake_system.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

typedef int (*GetAddrInfo) (const char *name, const char *service, const struct addrinfo *hints,
							struct addrinfo **result);

long		fake_tick_us;
int			fake_epoll_left = -1;
int			fake_connects;

static long now_us = 1000000000;	/* of the main thread only: resolver threads ask for no time */
static pthread_cond_t names_released = PTHREAD_COND_INITIALIZER;
static int	releases;
static bool names_held = true;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int	names_asked;
static bool signals_open;

void
fake_pass_ms(double ms)
{
	now_us += (long) (ms * 1000);
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id == CLOCK_REALTIME)
		return (int) syscall(SYS_clock_gettime, id, ts);
	now_us += fake_tick_us;
	ts->tv_sec = now_us / 1000000;
	ts->tv_nsec = now_us % 1000000 * 1000;
	return 0;
}

/* ---- names ---- */

void
fake_hold_names(void)
{
	pthread_mutex_lock(&lock);
	names_held = true;
	pthread_mutex_unlock(&lock);
}

void
fake_release_names(void)
{
	pthread_mutex_lock(&lock);
	names_held = false;
	releases++;
	pthread_cond_broadcast(&names_released);
	pthread_mutex_unlock(&lock);
}

int
fake_names_asked(void)
{
	int			n;

	pthread_mutex_lock(&lock);
	n = names_asked;
	pthread_mutex_unlock(&lock);
	return n;
}

bool
fake_signals_open(void)
{
	bool		open;

	pthread_mutex_lock(&lock);
	open = signals_open;
	pthread_mutex_unlock(&lock);
	return open;
}

/* Does this thread take any signal that can be blocked? The C library keeps two of its own open. */
static bool
takes_signals(void)
{
	sigset_t	mask;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	for (int i = 1; i <= SIGRTMAX; i++)
		if (i != SIGKILL && i != SIGSTOP && (i < 32 || i >= SIGRTMIN) && sigismember(&mask, i) == 0)
			return true;
	return false;
}

/* With the lock. */
static void
wait_for_release(void)
{
	int			before = releases;

	while (names_held && releases == before)
		pthread_cond_wait(&names_released, &lock);
}

/* A link-local address, then the loopback one. */
static int
both_addresses(GetAddrInfo real, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	struct addrinfo *last;
	int			rc = real("169.254.169.254", service, hints, result);

	if (rc != 0)
		return rc;
	for (last = *result; last->ai_next != NULL; last = last->ai_next)
		;
	return real("127.0.0.1", service, hints, &last->ai_next);
}

int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	GetAddrInfo real = (GetAddrInfo) dlsym(RTLD_NEXT, "getaddrinfo");

	pthread_mutex_lock(&lock);
	names_asked++;
	signals_open = takes_signals();
	if (strcmp(name, "slow.test") == 0)
		wait_for_release();
	pthread_mutex_unlock(&lock);
	if (strcmp(name, "slow.test") == 0 || strcmp(name, "known.test") == 0)
		return real("127.0.0.1", service, hints, result);
	if (strcmp(name, "metadata.test") == 0)
		return real("169.254.169.254", service, hints, result);
	if (strcmp(name, "both.test") == 0)
		return both_addresses(real, service, hints, result);
	return EAI_NONAME;
}

/* ---- connections ---- */

/* What is no internet address counts as one, too. */
static bool
is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *) address)->sin_addr.s_addr) >> 24 == 127;
	return address->sa_family != AF_INET6 || IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *) address)->sin6_addr);
}

/* Nothing leaves this machine. */
int
connect(int fd, const struct sockaddr *address, socklen_t len)
{
	fake_connects++;
	if (!is_loopback(address))
	{
		errno = ENETUNREACH;
		return -1;
	}
	return (int) syscall(SYS_connect, fd, address, len);
}

/* ---- epoll ---- */

int
epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event)
{
	if (fake_epoll_left == 0)
	{
		errno = ENOSPC;
		return -1;
	}
	if (fake_epoll_left > 0)
		fake_epoll_left--;
	return (int) syscall(SYS_epoll_ctl, epoll_fd, op, fd, event);
}
