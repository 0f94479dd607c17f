/*
 * test_http_addresses.c
 *	  Addresses that the HTTP engine never connects to, by whatever spelling
 *	  or name.
 */
#include <stdlib.h>

#include "http_check.h"

/* An engine of its own for that URL. */
static void
begin(const char *url, bool refuse)
{
	DynHttpConfig config = server_begin();

	config.url = url;
	config.refuse_link_local = refuse;
	config.connect_timeout_ms = 1;
	engine_begin_with(&config);
	fake_connects = 0;
}

/* Is the only attempt refused, and says which address of which host? */
static void
check_refused(const char *host, const char *address)
{
	char		url[300];
	DynTransfer *transfer;

	snprintf(url, sizeof(url), "http://%s", host);
	begin(url, true);
	transfer = post(TEXT("{}"));
	ok(!answered(transfer) && status.cls == DYN_FORBIDDEN, "no connection to %s", host);
	ok(!dyn_status_retryable(&status), "none later");
	ok(strstr(status.message, host) != NULL && strstr(status.message, address) != NULL, "which says: %s", status.message);
	is_int(fake_connects, 0, "nothing was sent");
	ok(!dyn_transfer_refused(transfer) && dyn_transfer_connects(transfer) == 0, "for want of nothing");
	dyn_transfer_free(transfer);
}

/* As libcurl's parser and the C library's read them. */
static void
test_literals(void)
{
	static const struct
	{
		const char *host;
		const char *address;
	}			literals[] = {
		{"169.254.169.254", "169.254.169.254"},
		{"169.254.169.254:8000", "169.254.169.254"},
		{"169.254.170.2", "169.254.170.2"},
		{"2852039166", "169.254.169.254"},
		{"0xa9fea9fe", "169.254.169.254"},
		{"0xA9.0xFE.0xA9.0xFE", "169.254.169.254"},
		{"0251.0376.0251.0376", "169.254.169.254"},
		{"025177524776", "169.254.169.254"},
		{"169.254.43518", "169.254.169.254"},
		{"169.16689662", "169.254.169.254"},
		{"[::ffff:169.254.169.254]", "::ffff:169.254.169.254"},
		{"[::ffff:a9fe:a9fe]", "::ffff:169.254.169.254"},
		{"[0:0:0:0:0:ffff:a9fe:a9fe]:8000", "::ffff:169.254.169.254"},
		{"[::169.254.169.254]", "::169.254.169.254"},
		{"[64:ff9b::169.254.169.254]", "64:ff9b::a9fe:a9fe"},
		{"[fe80::1]", "fe80::1"},
		{"[fd00:ec2::254]", "fd00:ec2::254"},
		{"[FD00:0EC2:0::0254]:8000", "fd00:ec2::254"},
	};

	for (size_t i = 0; i < LENGTH(literals); i++)
		check_refused(literals[i].host, literals[i].address);
}

static void
test_names(void)
{
	DynHttpConfig config;
	DynTransfer *transfer;

	check_refused("metadata.test:8000", "169.254.169.254");

	idle_turn_ms = 1;
	config = server_begin();
	config.url = server_url("http", "both.test");
	config.refuse_link_local = true;
	engine_begin_with(&config);
	ok(ask(REPLY(2, "{}")), "a name with another address, too, is reached there");

	config.url = "http://both.test:1";
	engine_end();
	engine_begin_with(&config);
	transfer = post(TEXT("{}"));
	ok(!answered(transfer) && status.cls == DYN_FORBIDDEN, "unless nobody listens there");
	dyn_transfer_free(transfer);
	idle_turn_ms = 0;
}

/* The variable's proxy gets all that is sent, so its address counts. */
static void
test_proxy(void)
{
	DynHttpConfig config = server_begin();
	DynTransfer *transfer;

	config.refuse_link_local = true;
	config.no_proxy = false;
	config.url = "http://known.test";
	setenv("http_proxy", "http://169.254.169.254:3128", 1);
	engine_begin_with(&config);
	transfer = post(TEXT("{}"));
	ok(!answered(transfer) && status.cls == DYN_FORBIDDEN, "no connection to a proxy at such an address");
	dyn_transfer_free(transfer);
	unsetenv("http_proxy");
}

/* Where it is not asked for: the metadata service itself is asked so. */
static void
test_allowed(void)
{
	DynTransfer *transfer;

	begin("http://169.254.169.254:1", false);
	transfer = post(TEXT("{}"));
	is_int(fake_connects, 1, "a connection to a link-local address");
	ok(!answered(transfer) && status.cls == DYN_CONNECT, "which nothing but the network refuses");
	dyn_transfer_free(transfer);
}

int
main(void)
{
	test_literals();
	test_names();
	test_proxy();
	test_allowed();
	engine_end();
	return done_testing();
}
