/*
 * test_address.c
 *	  Addresses that are never connected to.
 */
#include "core/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/un.h>

#include "golden.h"
#include "tap.h"

/* The address in memory of just its size. */
static bool
is_refused(const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
	bool		is_v6 = strchr(text, ':') != NULL;
	socklen_t	len = is_v6 ? sizeof(v6) : sizeof(v4);
	void	   *copy;
	bool		refused;

	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, text, is_v6 ? (void *) &v6.sin6_addr : (void *) &v4.sin_addr) != 1)
		abort();
	copy = golden_copy(is_v6 ? (void *) &v6 : (void *) &v4, len);
	refused = dyn_address_is_link_local(copy, len);
	free(copy);
	return refused;
}

static const char *const refused[] = {
	"169.254.169.254", "169.254.170.2", "169.254.0.0", "169.254.255.255",
	"fe80::1", "fe80::", "febf:ffff::1", "fe90::169.254.0.1",
	"fd00:ec2::254", "fd00:ec2::23", "fd00:ec2::", "fd00:ec2:ffff:ffff:ffff:ffff:ffff:ffff",
	/* IPv4-mapped, -compatible, -translated */
	"::ffff:169.254.169.254", "::ffff:a9fe:0", "::169.254.169.254", "::a9fe:ffff", "::ffff:0:169.254.169.254",
	/* NAT64 */
	"64:ff9b::169.254.169.254", "64:ff9b:1::169.254.169.254",
	"64:ff9b:1:a9fe:1:200::", "64:ff9b:1:aba9:fe:a9fe::", "64:ff9b:1:abcd:a9:fea9:fe00:0",
	/* 6to4, Teredo: server, client */
	"2002:a9fe:a9fe::1", "2001:0:a9fe:a9fe::1", "2001:0:102:304:0:0:5601:5601",
};

static const char *const fine[] = {
	"127.0.0.1", "10.0.0.1", "0.0.0.0", "169.253.255.255", "169.255.0.0", "168.254.169.254", "170.254.0.1",
	"254.169.254.169", "52.94.8.12", "192.168.169.254",
	"::", "::1", "::2", "fe7f::1", "fec0::1", "ff02::1", "fd00:ec1::254", "fd00:ec3::254", "fd00:ec20::1", "fd01:ec2::254",
	"2600:1f18::a9fe:a9fe", "2a05:d000::169.254.169.254", "2600:a9fe:a9fe:a9fe:a9fe:a9fe:a9fe:a9fe",
	"::ffff:127.0.0.1", "::ffff:169.253.0.1", "::ffff:10.169.254.1", "::127.0.0.1", "::169.255.0.1", "::1:169.254.0.1",
	"::fffe:169.254.0.1", "1::ffff:169.254.0.1", "::ffff:0:10.0.0.1",
	"64:ff9b::52.94.8.12", "64:ff9b::1:169.254.0.1", "64:ff9b:2::169.254.0.1", "64:ff9b:1::52.94.8.12", "64:ff9a::169.254.0.1",
	"2002:345e:80c::1", "2002::169.254.0.1", "2003:a9fe:a9fe::1",
	"2001:0:102:304::1", "2001:0:102:304::a9fe:a9fe", "2001:1:a9fe:a9fe::1", "2001:db8::5601:5601",
};

static void
test_short(void)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_un local = {.sun_family = AF_UNIX};

	inet_pton(AF_INET, "169.254.169.254", &v4.sin_addr);
	inet_pton(AF_INET6, "fe80::1", &v6.sin6_addr);
	ok(!dyn_address_is_link_local((struct sockaddr *) &v4, sizeof(v4) - 1), "a cut IPv4 address is none");
	ok(!dyn_address_is_link_local((struct sockaddr *) &v6, sizeof(v6) - 1), "a cut IPv6 address is none");
	ok(dyn_address_is_link_local((struct sockaddr *) &v6, sizeof(struct sockaddr_storage)), "more room does no harm");
	memset(local.sun_path, 169, sizeof(local.sun_path));
	ok(!dyn_address_is_link_local((struct sockaddr *) &local, sizeof(local)), "a local socket is none");
}

int
main(void)
{
	for (size_t i = 0; i < LENGTH(refused); i++)
		ok(is_refused(refused[i]), "refused: %s", refused[i]);
	for (size_t i = 0; i < LENGTH(fine); i++)
		ok(!is_refused(fine[i]), "fine: %s", fine[i]);
	test_short();
	return done_testing();
}
