/*
 * mock.c
 *	  A DynamoDB that answers every read and write after the same time.
 *
 *	  mock [--latency-ms MS] [--cert FILE --key FILE]
 *
 * Listens on a free port of the loopback interface, prints it, and serves
 * until its standard input ends; then it prints how many requests it got, for
 * how many reads it had to make an answer and how many writes were not known
 * (the rest were repetitions), and how many items were written.
 * One thread waits for all: an answer is made while its latency passes, and
 * sent by the clock, which starts when the last byte of the request has arrived.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "written.h"

#define MAX_REQUEST (1024 * 1024)
#define READ_BYTES (64 * 1024)
#define SEND_BUFFER (256 * 1024)	/* of a socket: an answer goes out in one write */
#define EVENTS_AT_ONCE 128
#define OP_MAX 64

typedef struct Conn
{
	int			fd;
	SSL		   *ssl;			/* NULL: plain */
	uint32_t	watched;		/* epoll events */
	DynBuf		in;				/* of the request that is arriving */
	Answer	   *answer;			/* to send, NULL: no request yet */
	size_t		sent;
	int64_t		due_ns;
	bool		waiting;		/* in the queue */
	struct Conn *next;			/* in the queue */
	struct Conn *prev;
	struct Conn *next_dead;
} Conn;

static int	epoll_fd;
static int	timer_fd;
static int64_t latency_ns;
static SSL_CTX *tls;
static long requests;

/* Connections whose answer waits for its time.  All wait equally long, so first come is first due. */
static Conn *first;
static Conn *last;

/* Closed in this turn: events of the same turn may still name them. */
static Conn *dead;

static void
die(const char *what)
{
	fprintf(stderr, "mock: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* ---- the queue ---- */

static void
enqueue(Conn *conn, int64_t due_ns)
{
	conn->due_ns = due_ns;
	conn->waiting = true;
	conn->next = NULL;
	conn->prev = last;
	if (last)
		last->next = conn;
	else
		first = conn;
	last = conn;
}

static void
dequeue(Conn *conn)
{
	if (!conn->waiting)
		return;
	conn->waiting = false;
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		first = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	else
		last = conn->prev;
}

/* Wakes the loop when the first answer is due. */
static void
set_timer(void)
{
	struct itimerspec at = {0};

	if (first)
	{
		at.it_value.tv_sec = first->due_ns / 1000000000;
		at.it_value.tv_nsec = first->due_ns % 1000000000;
	}
	timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* ---- connections ---- */

static void
watch(Conn *conn, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = conn};

	if (conn->watched == events)
		return;
	if (epoll_ctl(epoll_fd, conn->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, conn->fd, &event) != 0)
		die("epoll_ctl");
	conn->watched = events;
}

static void
close_conn(Conn *conn)
{
	if (conn->fd < 0)
		return;
	dequeue(conn);
	answer_release(conn->answer);
	SSL_free(conn->ssl);
	close(conn->fd);
	conn->fd = -1;
	dyn_buf_free(&conn->in);
	conn->next_dead = dead;
	dead = conn;
}

static void
free_dead(void)
{
	while (dead)
	{
		Conn	   *conn = dead;

		dead = conn->next_dead;
		free(conn);
	}
}

static void
accept_all(int listener)
{
	int			one = 1;
	int			fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
	{
		Conn	   *conn = calloc(1, sizeof(*conn));

		if (conn == NULL)
			die("accept");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		conn->fd = fd;
		if (tls)
		{
			conn->ssl = SSL_new(tls);
			if (conn->ssl == NULL || !SSL_set_fd(conn->ssl, fd))
				die("TLS");
			SSL_set_accept_state(conn->ssl);
		}
		watch(conn, EPOLLIN);
	}
}

/* What a TLS call that did not succeed means, in terms of read() and write(); what it waits for is watched. */
static ssize_t
tls_result(Conn *conn, int rc)
{
	switch (SSL_get_error(conn->ssl, rc))
	{
		case SSL_ERROR_WANT_READ:
			watch(conn, EPOLLIN);
			errno = EAGAIN;
			return -1;
		case SSL_ERROR_WANT_WRITE:
			watch(conn, EPOLLOUT);
			errno = EAGAIN;
			return -1;
		default:
			ERR_clear_error();
			errno = ECONNRESET;
			return -1;
	}
}

static ssize_t
read_some(Conn *conn, char *data, size_t size)
{
	int			rc;

	if (conn->ssl == NULL)
		return read(conn->fd, data, size);
	rc = SSL_read(conn->ssl, data, (int) size);
	return rc > 0 ? rc : tls_result(conn, rc);
}

static ssize_t
write_some(Conn *conn, const char *data, size_t len)
{
	ssize_t		n;
	int			rc;

	if (conn->ssl)
	{
		rc = SSL_write(conn->ssl, data, (int) len);
		return rc > 0 ? rc : tls_result(conn, rc);
	}
	n = write(conn->fd, data, len);
	if (n < 0 && errno == EAGAIN)
		watch(conn, EPOLLOUT);
	return n;
}

/* Sends as much as the socket takes; the answer is gone when all of it is. */
static void
send_answer(Conn *conn)
{
	const DynBuf *http = &conn->answer->http;

	while (conn->sent < http->len)
	{
		ssize_t		n = write_some(conn, http->data + conn->sent, http->len - conn->sent);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
		{
			close_conn(conn);
			return;
		}
		conn->sent += n;
	}
	answer_release(conn->answer);
	conn->answer = NULL;
	conn->sent = 0;
	watch(conn, EPOLLIN);
}

static void
send_due(void)
{
	int64_t		now = now_ns();

	while (first && first->due_ns <= now)
	{
		Conn	   *conn = first;

		dequeue(conn);
		send_answer(conn);
	}
}

/* ---- requests ---- */

/* The value of a header, NULL: none. `head` is NUL-terminated. */
static const char *
header(const char *head, const char *name)
{
	size_t		len = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n"))
	{
		line += 2;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 1 + strspn(line + len + 1, " ");
	}
	return NULL;
}

typedef struct Request
{
	char		op[OP_MAX];		/* "BatchGetItem" */
	const char *body;
	size_t		body_len;
} Request;

/* 1: whole, 0: more to come, -1: not a request we know. */
static int
parse_request(DynBuf *in, Request *request)
{
	char	   *blank_line = memmem(in->data, in->len, "\r\n\r\n", 4);
	const char *length;
	const char *target;
	const char *dot;
	size_t		head_len;

	if (blank_line == NULL)
		return in->len > MAX_REQUEST ? -1 : 0;
	head_len = blank_line + 4 - in->data;
	blank_line[2] = '\0';
	length = header(in->data, "Content-Length");
	target = header(in->data, "X-Amz-Target");
	dot = target ? strchr(target, '.') : NULL;
	if (length)
		request->body_len = strtoul(length, NULL, 10);
	if (dot)
		snprintf(request->op, sizeof(request->op), "%.*s", (int) strcspn(dot + 1, "\r\n"), dot + 1);
	blank_line[2] = '\r';
	if (length == NULL || dot == NULL || request->body_len > MAX_REQUEST)
		return -1;
	request->body = in->data + head_len;
	return in->len - head_len >= request->body_len ? 1 : 0;
}

/* Reads what is there; clients send the next request only after the answer. */
static void
receive(Conn *conn, int64_t arrived_ns)
{
	Request		request = {0};
	ssize_t		n;
	int			rc;

	do
	{
		if (!dyn_buf_reserve(&conn->in, READ_BYTES))
			die("out of memory");
		n = read_some(conn, conn->in.data + conn->in.len, READ_BYTES);
		if (n > 0)
			conn->in.len += n;
	} while (n == READ_BYTES || (n > 0 && conn->ssl));
	if (n == 0 || (n < 0 && errno != EAGAIN))
	{
		close_conn(conn);
		return;
	}
	if (conn->answer || conn->in.len == 0)
		return;
	rc = parse_request(&conn->in, &request);
	if (rc == 0)
		return;
	if (rc < 0)
	{
		close_conn(conn);
		return;
	}
	requests++;
	conn->answer = answer_to(request.op, request.body, request.body_len);
	dyn_buf_clear(&conn->in);
	enqueue(conn, arrived_ns + latency_ns);
}

static void
serve_conn(Conn *conn, uint32_t events, int64_t now)
{
	if (conn->fd < 0)
		return;
	if (conn->answer && !conn->waiting && events & EPOLLOUT)
		send_answer(conn);
	else
		receive(conn, now);
}

/* ---- start ---- */

static void
start_tls(const char *cert, const char *key)
{
	tls = SSL_CTX_new(TLS_server_method());
	if (tls == NULL || SSL_CTX_use_certificate_chain_file(tls, cert) != 1 ||
		SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
	{
		ERR_print_errors_fp(stderr);
		exit(1);
	}
	SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

static int
listen_on_loopback(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t	len = sizeof(address);
	int			bytes = SEND_BUFFER;
	int			fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) != 0 ||
		bind(fd, (struct sockaddr *) &address, len) != 0 || listen(fd, 256) != 0 ||
		getsockname(fd, (struct sockaddr *) &address, &len) != 0)
		die("listen");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

/* Events of what is no connection are told by the address of the descriptor's variable. */
static void
watch_fd(int *fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = fd};

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, *fd, &event) != 0)
		die("epoll_ctl");
}

static void
serve(int listener)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int			input = STDIN_FILENO;

	watch_fd(&listener);
	watch_fd(&timer_fd);
	watch_fd(&input);
	for (;;)
	{
		int			n = epoll_wait(epoll_fd, events, EVENTS_AT_ONCE, -1);
		int64_t		now = now_ns();
		uint64_t	ticks;

		for (int i = 0; i < n; i++)
		{
			void	   *what = events[i].data.ptr;

			if (what == &input)
				return;
			if (what == &listener)
				accept_all(listener);
			else if (what == &timer_fd)
				(void) !read(timer_fd, &ticks, sizeof(ticks));
			else
				serve_conn(what, events[i].events, now);
		}
		send_due();
		set_timer();
		free_dead();
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"latency-ms", required_argument, NULL, 'l'},
		{"cert", required_argument, NULL, 'c'},
		{"key", required_argument, NULL, 'k'},
		{0}
	};
	const char *cert = NULL;
	const char *key = NULL;
	int			option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
	{
		if (option == 'l')
			latency_ns = (int64_t) (atof(optarg) * 1e6);
		else if (option == 'c')
			cert = optarg;
		else if (option == 'k')
			key = optarg;
		else
			return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	if (cert && key)
		start_tls(cert, key);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (epoll_fd < 0 || timer_fd < 0)
		die("epoll, timerfd");
	serve(listen_on_loopback());
	printf("%ld %ld %ld %ld\n", requests, answers_made(), writes_made(), items_written());
	return 0;
}
