"""Many foreign servers in one session, and what becomes of their connections when something is altered."""

import time

import pytest

from support import KEY, Session, fill
from test_interrupts import descriptors

SELECT = "SELECT trips FROM drivers WHERE driver_id = 1"
MANY = "SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 300)))"
SERVERS = 50


@pytest.fixture
def other(database):
    other = Session(database)
    yield other
    other.close()


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


def test_prepared_statements_see_the_change(connected, other, proxy, second_proxy):
    """A generic plan, a function's plan, and one whose keys were planned as constants."""
    connected.run("CREATE FUNCTION pg_temp.trips_of(bigint) RETURNS integer LANGUAGE plpgsql AS"
                  " $$ BEGIN RETURN (SELECT trips FROM drivers WHERE driver_id = $1); END $$")
    connected.run("SET plan_cache_mode = force_generic_plan")
    connected.run("PREPARE p AS " + SELECT)
    connected.run("PREPARE w(int) AS INSERT INTO drivers VALUES (1, now(), 0, $1)")
    statements = ["EXECUTE p", "EXECUTE w(10)", "SELECT pg_temp.trips_of(1)"]
    for statement in statements:
        connected.run(statement)
    connected.table("second", "driver_id %s, trips integer" % KEY)
    connected.run("INSERT INTO second VALUES (1, 20)")
    for change, used in [
        (CHANGES["another endpoint"] % second_proxy.url, second_proxy),
        ("ALTER SERVER feast OPTIONS (SET endpoint_url '%s')" % proxy.url, proxy),
    ]:
        other.run(change)
        for session_proxy in (proxy, second_proxy):
            session_proxy.forget()
        for statement in statements:
            connected.run(statement)
        assert used.operations() == ["BatchGetItem", "BatchWriteItem", "BatchGetItem"]
    other.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'second')")
    assert connected.run("EXECUTE p") == connected.run("SELECT pg_temp.trips_of(1)") == [(20,)]
    connected.run("EXECUTE w(30)")
    assert connected.run("SELECT trips FROM second WHERE driver_id = 1") == [(30,)]
    other.run("ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (SET access_key_id 'OTHERKEY')")
    for statement in statements:
        connected.fail(statement)  # another key sees other tables in DynamoDB Local
        assert "OTHERKEY" in proxy.requests[-1].header("Authorization")


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
