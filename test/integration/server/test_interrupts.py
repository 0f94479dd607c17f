"""Whatever a statement waits for, and at any moment: it ends at once, and the session goes on as before.

What ends it: statement_timeout, a cancel, a terminate, a client that is gone.  test_cancel.py has single cases with
their consequences, test_dns.py a name server that never answers, test_shutdown.py the end of the whole server.
"""

import os
import random
import socket
import time
from contextlib import contextmanager

import psycopg
import pytest

import faults
from support import DRIVERS, Running, Session, deaf_port, fill, remote_tables, takes
from test_memory import assert_small, grows

POOL = 10
CLIENT = POOL + 3  # descriptors: its connections, an epoll set and a socket pair of libcurl's

SOON = 1  # seconds; really it takes some milliseconds

READ = "SELECT trips FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 300)))"
JOIN = "SELECT trips FROM generate_series(1, 3) i JOIN drivers ON driver_id = i"
WRITE = "INSERT INTO drivers SELECT i, now(), 0, 0 FROM generate_series(1000, 1100) i"
CREATE = "CREATE FOREIGN TABLE other (id bigint OPTIONS (entity_key 'true')) SERVER feast"

busy = faults.error("ProvisionedThroughputExceededException")
later = faults.error("InternalServerError", 500, x_amz_retry_after="5000")

# What is run, and how each of its requests is answered.
STUCK = {
    "read, no answer": (READ, faults.stall),
    "read, slow answer": (READ, faults.trickle(60)),
    "read, throttled": (READ, busy),
    "read, waiting for a retry": (READ, later),
    "read, no key processed": (READ, faults.unprocessed(0)),
    "join, no answer": (JOIN, faults.stall),
    "join, throttled": (JOIN, busy),
    "write, no answer": (WRITE, faults.stall),
    "write, slow answer": (WRITE, faults.trickle(60)),
    "write, throttled": (WRITE, busy),
    "write, waiting for a retry": (WRITE, later),
    "write, no item processed": (WRITE, faults.unprocessed(0)),
    "create, no answer": (CREATE, faults.stall),
    "create, slow answer": (CREATE, faults.trickle(60)),
    "create, throttled": (CREATE, busy),
    "create, waiting for a retry": (CREATE, later),
}


def by_timeout(session, statement, ready):
    session.run("SET statement_timeout = '%dms'" % random.randint(1, 100))
    with takes(less_than=SOON + 0.1):
        assert session.fail(statement).sqlstate == "57014"


def by_cancel(session, statement, ready):
    running = Running(session, statement)
    ready()
    time.sleep(random.uniform(0, 0.1))
    with takes(less_than=SOON):
        session.conn.cancel()
        running.join()
    assert running.error.sqlstate == "57014"


def by_terminate(session, statement, ready):
    admin = Session(session.conn.info.dbname)
    running = Running(session, statement)
    ready()
    time.sleep(random.uniform(0, 0.1))
    with takes(less_than=SOON):
        admin.run("SELECT pg_terminate_backend(%s)", [session.pid])
        running.join()
        wait_until_gone(admin, session.pid)
    assert isinstance(running.error, psycopg.OperationalError)
    admin.close()


def by_client(session, statement, ready):
    """PostgreSQL looks for its client while a statement runs if it is told to."""
    admin = Session(session.conn.info.dbname)
    session.run("SET client_connection_check_interval = 100")
    running = Running(session, statement)
    ready()
    time.sleep(random.uniform(0, 0.1))
    with takes(less_than=SOON):
        socket.socket(fileno=os.dup(session.conn.fileno())).shutdown(socket.SHUT_RDWR)
        running.join()
        wait_until_gone(admin, session.pid)
    admin.close()


def wait_until_gone(admin, pid):
    while admin.value("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [pid]):
        time.sleep(0.01)


ENDS = [by_timeout, by_cancel, by_terminate, by_client]


@pytest.mark.parametrize("stuck", STUCK)
def test_a_statement_that_is_stuck(drivers, database, proxy, stuck):
    statement, fault = STUCK[stuck]
    drivers.set_server(total_max_retry_attempts=100, read_timeout=300)
    fill(drivers, 300)
    for end in ENDS:
        session = Session(database)
        proxy.forget()
        proxy.fault(fault, times=None)
        end(session, statement, lambda: wait_for_any(proxy))
        proxy.heal()
        if end in (by_timeout, by_cancel):
            session.run("RESET statement_timeout")
            assert len(session.run(READ)) >= 300
        session.close()
    assert drivers.value("SELECT to_regclass('other')") is None


def wait_for_any(proxy):
    end = time.monotonic() + 10
    while not proxy.operations():
        assert time.monotonic() < end, "no request"
        time.sleep(0.005)


@contextmanager
def mute_port():
    """A port of loopback that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener.getsockname()[1]


UNREACHABLE = {
    "no connection": (deaf_port, "http://127.0.0.1:%d"),
    "no connection for TLS": (deaf_port, "https://127.0.0.1:%d"),
    "no TLS handshake": (mute_port, "https://127.0.0.1:%d"),
    "no answer": (mute_port, "http://127.0.0.1:%d"),
}


@pytest.mark.parametrize("statement", [READ, WRITE], ids=["read", "write"])
@pytest.mark.parametrize("how", UNREACHABLE)
def test_an_endpoint_that_never_answers(session, database, project, how, statement):
    listen, url = UNREACHABLE[how]
    with listen() as port:
        session.server(project, url % port, connect_timeout=300, read_timeout=300, create_remote_table="false")
        session.table("drivers", DRIVERS)
        for end in ENDS:
            own = Session(database)
            end(own, statement, lambda: None)
            assert end not in (by_timeout, by_cancel) or own.run("SELECT 1") == [(1,)]
            own.close()


def test_a_drop_that_is_stuck_before_commit(drivers, database, proxy):
    """DynamoDB is asked before the transaction commits: it is rolled back, and the table stays."""
    for end in (by_cancel, by_terminate, by_client):
        session = Session(database)
        proxy.forget()
        proxy.fault(faults.stall, times=None)
        end(session, "DROP FOREIGN TABLE drivers", lambda: wait_for_any(proxy))
        proxy.heal()
        session.close()
    fill(drivers, 1)


def test_a_drop_that_is_stuck_after_commit(drivers, proxy):
    """The transaction is committed: the deletion is broken off and stays pending."""
    proxy.fault(faults.stall, times=None, operation="DeleteTable")
    running = Running(drivers, "DROP FOREIGN TABLE drivers")
    proxy.wait_for("DeleteTable")
    with takes(less_than=SOON):
        drivers.conn.cancel()
        running.join()
    assert "could not be deleted" in " ".join(drivers.warnings())
    proxy.heal()
    assert drivers.value("SELECT to_regclass('drivers')") is None
    assert drivers.value("SELECT dynamo_fdw_delete_pending()") == 1


def test_a_second_cancel_ends_the_undoing_of_a_create(drivers, proxy):
    """An abort waits for what CreateTable answers, to delete the table; who doesn't want to wait cancels again."""
    proxy.fault(faults.stall, times=None)
    proxy.fault(faults.right, operation="DescribeTable")
    proxy.fault(faults.stall, times=None, operation="CreateTable")
    running = Running(drivers, CREATE)
    wait_for_any(proxy)
    drivers.conn.cancel()
    time.sleep(0.3)
    with takes(less_than=SOON):
        drivers.conn.cancel()
        running.join()
    assert running.error.sqlstate == "57014"
    proxy.heal()
    assert drivers.alive()


def test_the_echo_of_a_cancel_does_not_end_the_undoing_of_a_create(drivers, database, proxy, project):
    """A client's cancel reaches the backend as two signals: the postmaster signals the process and its group."""
    admin = Session(database)
    proxy.fault(faults.late(0.5), operation="CreateTable")
    running = Running(drivers, CREATE)
    proxy.wait_for("CreateTable")
    admin.run("SELECT pg_cancel_backend(%(pid)s), pg_sleep(0.01), pg_cancel_backend(%(pid)s)", {"pid": drivers.pid})
    assert running.join().error.sqlstate == "57014"
    assert drivers.warnings() == []
    assert remote_tables(project) == ["drivers"]
    admin.close()


def descriptors(session):
    """How many descriptors of the backend are of the network; files of tables come and go."""
    folder = "/proc/%d/fd/" % session.pid
    try:
        links = [os.readlink(folder + fd) for fd in os.listdir(folder)]
    except OSError:
        pytest.skip("/proc doesn't show the server's descriptors")
    return sum(link.startswith(("socket:", "anon_inode:")) for link in links)


@pytest.mark.parametrize("statement", [READ, WRITE, JOIN], ids=["read", "write", "join"])
def test_cancelled_at_any_moment(drivers, proxy, statement):
    """Statements that would succeed are cancelled, each at another moment of its life."""
    drivers.set_server(batch_size=20, max_pool_connections=POOL)
    before = descriptors(drivers)
    fill(drivers, 300)
    proxy.latency = 0.003
    start = time.monotonic()
    whole = drivers.run(statement), drivers.run(statement)
    life = (time.monotonic() - start) / 2
    cancelled = 0

    def step(i):
        nonlocal cancelled
        running = Running(drivers, statement)
        time.sleep(random.uniform(0, life))
        drivers.conn.cancel()
        running.join(SOON)
        if running.error:
            assert running.error.sqlstate == "57014"
            cancelled += 1
        else:
            assert running.rows == whole[1] or sorted(running.rows) == sorted(whole[1])

    growth = grows(drivers, step, 15, 25)
    assert cancelled > 5
    assert_small(growth)
    drivers.run(statement)
    assert descriptors(drivers) <= before + CLIENT
    assert sorted(drivers.run(READ)) == [(10 * i,) for i in range(1, 301)]


def test_ddl_cancelled_at_any_moment(drivers, proxy, project):
    """Foreign table and remote table are there together or not at all, or the deletion is pending."""
    proxy.latency = 0.003
    before = descriptors(drivers)

    def cancelled(statement):
        running = Running(drivers, statement)
        time.sleep(random.uniform(0, 0.03))
        drivers.conn.cancel()
        running.join(SOON)
        assert running.error is None or running.error.sqlstate == "57014"
        return drivers.value("SELECT to_regclass('other') IS NOT NULL"), "other" in remote_tables(project)

    def step(i):
        here, there = cancelled(CREATE)
        assert here == there
        if not here:
            drivers.run(CREATE)
        here, there = cancelled("DROP FOREIGN TABLE other")
        pending = drivers.value("SELECT count(*) FROM dynamo_fdw_pending_delete")
        assert here == there or (there and pending == 1)
        drivers.run("DROP FOREIGN TABLE IF EXISTS other")
        drivers.run("SELECT dynamo_fdw_delete_pending()")
        assert remote_tables(project) == ["drivers"]

    assert_small(grows(drivers, step, 8, 16))
    assert descriptors(drivers) <= before


@pytest.mark.parametrize("how", ["client", "terminate", "commit", "rollback"])
def test_an_idle_session_with_requests_in_flight(drivers, database, proxy, how):
    """A cursor was fetched from in part, then its session or transaction ends."""
    fill(drivers, 300)
    admin = Session(database)
    session = Session(database)
    proxy.fault(faults.right, operation="BatchGetItem")
    proxy.fault(faults.stall, times=None)
    session.run("BEGIN")
    session.run("DECLARE c CURSOR FOR " + READ)
    session.run("FETCH 1 FROM c")
    with takes(less_than=SOON):
        if how == "client":
            session.close()
        elif how == "terminate":
            admin.run("SELECT pg_terminate_backend(%s)", [session.pid])
        else:
            session.run(how)
        if how in ("client", "terminate"):
            wait_until_gone(admin, session.pid)
        while not all(request.answered or request.abandoned for request in proxy.of("BatchGetItem")):
            time.sleep(0.01)
    proxy.heal()
    assert len(drivers.run(READ)) == 300
    session.close()
    admin.close()


def test_a_cursor_that_is_read_to_its_end_by_commit(drivers, proxy):
    """WITH HOLD: COMMIT fetches the rest, and may be cancelled at it."""
    fill(drivers, 300)
    drivers.run("BEGIN")
    drivers.run("DECLARE c CURSOR WITH HOLD FOR " + READ)
    proxy.fault(faults.stall, times=None)
    running = Running(drivers, "COMMIT")
    proxy.wait_for("BatchGetItem")
    with takes(less_than=SOON):
        drivers.conn.cancel()
        running.join()
    assert running.error.sqlstate == "57014"
    proxy.heal()
    drivers.run("BEGIN")
    drivers.run("DECLARE c CURSOR WITH HOLD FOR " + READ)
    drivers.run("COMMIT")
    assert len(drivers.run("FETCH ALL FROM c")) == 300
    drivers.run("CLOSE c")
