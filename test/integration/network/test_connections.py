"""Connections are kept between statements, closed when something is altered, and never leaked."""

import time

import pytest

from backend import descriptors
from support import KEY, fill

SELECT = "SELECT trips FROM drivers WHERE driver_id = 1"
MANY = "SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 300)))"
SERVERS = 50


@pytest.fixture
def connected(drivers):
    """A session with connections to the server of "drivers", which has 300 rows."""
    fill(drivers, 300)
    drivers.run(MANY)
    return drivers


# What another session may change, and must reach this one at its next statement.
CHANGES = {
    "an option of the server": "ALTER SERVER feast OPTIONS (ADD read_timeout '9')",
    "another endpoint": "ALTER SERVER feast OPTIONS (SET endpoint_url '%s')",
    "a new secret": "ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (SET secret_access_key 'new')",
    "another mapping": "DROP USER MAPPING FOR CURRENT_USER SERVER feast;"
    " CREATE USER MAPPING FOR PUBLIC SERVER feast OPTIONS (access_key_id 'FDWTEST', secret_access_key 'x')",
}


def wait_for_connections(number, *proxies):
    """The proxies notice soon after that one was closed."""
    end = time.monotonic() + 2
    while sum(proxy.open_connections() for proxy in proxies) != number:
        assert time.monotonic() < end, [proxy.open_connections() for proxy in proxies]
        time.sleep(0.005)


@pytest.mark.parametrize("change", CHANGES)
def test_old_connections_are_closed(connected, other, proxy, second_proxy, change):
    before = descriptors(connected)
    assert proxy.open_connections() >= 1
    statement = CHANGES[change]
    other.run(statement % second_proxy.url if "%s" in statement else statement)
    proxy.forget()
    assert connected.run(SELECT) == [(10,)]
    assert proxy.connections + second_proxy.connections == 1
    wait_for_connections(1, proxy, second_proxy)
    connected.run(MANY)
    assert descriptors(connected) <= before + 2  # less than a second client has


def test_changes_over_and_over_leak_no_connection(connected, other):
    before = descriptors(connected)
    for i in range(30):
        other.run("ALTER SERVER feast OPTIONS (%s read_timeout '%d')" % ("SET" if i else "ADD", 5 + i))
        assert len(connected.run(MANY)) == 300
    assert descriptors(connected) <= before + 2


def test_a_dropped_server_leaves_no_connection(connected, other, proxy):
    other.run("SET dynamo_fdw.remote_ddl = off; DROP SERVER feast CASCADE")
    assert connected.fail(SELECT).sqlstate == "42P01"
    wait_for_connections(0, proxy)


def test_an_open_cursor_keeps_its_connection_and_no_longer(connected, other, proxy, second_proxy):
    connected.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD batch_size '10', ADD max_read_workers '2')")
    connected.run("BEGIN")
    connected.run("DECLARE c CURSOR FOR " + MANY)
    rows = connected.run("FETCH 5 FROM c")
    other.run(CHANGES["another endpoint"] % second_proxy.url)
    assert connected.run(SELECT) == [(10,)]
    assert proxy.open_connections() >= 1
    rows += connected.run("FETCH ALL FROM c")
    assert sorted(rows) == [(i, 10 * i) for i in range(1, 301)]
    connected.run("CLOSE c")
    wait_for_connections(0, proxy)
    connected.run("COMMIT")
    assert second_proxy.count("BatchGetItem") == 1


def test_many_servers(session, project, proxy):
    """A statement over fifty servers, again and again, and after each of them was altered."""
    for i in range(SERVERS):
        session.server(project, proxy.url, name="s%d" % i)
        session.table("t%d" % i, "driver_id %s, trips integer" % KEY, server="s%d" % i)
        session.run("INSERT INTO t%d VALUES (1, %d)" % (i, i))
    union = " UNION ALL ".join("SELECT trips FROM t%d WHERE driver_id = 1" % i for i in range(SERVERS))
    wanted = [(i,) for i in range(SERVERS)]
    assert sorted(session.run(union)) == wanted
    before = descriptors(session)
    assert before <= 4 * SERVERS + 10  # a connection, an epoll set, and a socket pair of libcurl's each
    for i in range(SERVERS):
        session.run("ALTER SERVER s%d OPTIONS (ADD read_timeout '5')" % i)
    for _ in range(3):
        assert sorted(session.run(union)) == wanted
    joined = session.run("SELECT t0.trips, t1.trips, t2.trips FROM t0 JOIN t1 USING (driver_id)"
                         " JOIN t2 USING (driver_id) WHERE driver_id = 1")
    assert joined == [(0, 1, 2)]
    session.run("INSERT INTO t3 SELECT 2, trips FROM t4 WHERE driver_id = 1")
    assert session.run("SELECT trips FROM t3 WHERE driver_id = 2") == [(4,)]
    assert descriptors(session) <= before


def test_connections_outlive_the_statement(drivers, proxy):
    fill(drivers, 300)
    query = "SELECT trips FROM drivers WHERE driver_id = ANY (%s)"
    proxy.latency = 0.05
    drivers.run(query, [list(range(1, 301))])
    proxy.forget()
    drivers.run(query, [list(range(1, 301))])
    assert proxy.count("BatchGetItem") == 3
    assert proxy.connections == 0


def test_an_idle_connection_older_than_keepalive_timeout_is_not_reused(drivers, proxy):
    drivers.set_server(keepalive_timeout=1)
    query = "SELECT trips FROM drivers WHERE driver_id = 1"
    drivers.run(query)
    proxy.forget()
    drivers.run("SELECT pg_sleep(2.2)")
    drivers.run(query)
    assert proxy.connections == 1
