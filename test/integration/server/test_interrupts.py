"""Whatever a statement waits for, and at any moment: it ends at once, and the session goes on as before.

What ends it: statement_timeout, a cancel, a terminate, a client that is gone.  Elsewhere:
test_create_drop_interrupts.py, test_subtransactions.py, test_dns.py (a name server that never answers) and
test_shutdown.py (the end of the whole server).
"""

import random
import socket
import time
from contextlib import contextmanager

import psycopg
import pytest

import faults
from backend import assert_small, descriptors, grows
from interrupts import (
    CLIENT, CREATE, ENDS, JOIN, POOL, READ, SOON, WRITE, by_cancel, by_timeout, wait_for_any, wait_until_gone,
)  # fmt: skip
from support import DRIVERS, Running, Session, deaf_port, fill, takes

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


SELECT = "SELECT trips FROM drivers WHERE driver_id = 1"
INSERT = "INSERT INTO drivers VALUES (1, now(), 0, 0)"
STATEMENTS = {SELECT: "BatchGetItem", INSERT: "BatchWriteItem", JOIN: "BatchGetItem"}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_statement_timeout_while_the_answer_stalls(drivers, proxy, statement):
    fill(drivers, 1)
    proxy.fault(faults.stall)
    drivers.run("SET statement_timeout = '300ms'")
    with takes(less_than=1.5, more_than=0.25):
        assert drivers.fail(statement).sqlstate == "57014"
    drivers.run("RESET statement_timeout")
    assert drivers.run(SELECT) == [(10,)]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_cancel_while_the_answer_stalls(drivers, proxy, other, statement):
    fill(drivers, 1)
    proxy.forget()
    proxy.fault(faults.stall)
    running = Running(drivers, statement)
    proxy.wait_for(STATEMENTS[statement])
    with takes(less_than=1):
        other.run("SELECT pg_cancel_backend(%s)", [drivers.pid])
        running.join()
    assert running.error.sqlstate == "57014"
    assert drivers.run(SELECT) == [(10,)]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_terminate_while_the_answer_stalls(drivers, proxy, other, statement):
    fill(drivers, 1)
    proxy.forget()
    proxy.fault(faults.stall)
    running = Running(drivers, statement)
    proxy.wait_for(STATEMENTS[statement])
    with takes(less_than=1):
        other.run("SELECT pg_terminate_backend(%s, 5000)", [drivers.pid])
        running.join()
    assert isinstance(running.error, psycopg.OperationalError)
    assert other.run(SELECT) == [(10,)]


def test_statement_timeout_while_keys_are_sorted(drivers):
    """Two keys are combined, without repeats, before anything is asked; at an odd moment of that the time is over."""
    drivers.table("trips", "driver_id integer OPTIONS (entity_key 'true'), city text OPTIONS (entity_key 'true')")
    drivers.run(
        "CREATE TEMP TABLE many AS"
        " SELECT array_agg(i * 7919::bigint % 3000017) ids FROM generate_series(1, 3000000) i"
    )
    for milliseconds in range(100, 600, 100):
        drivers.run("SET statement_timeout = %d" % milliseconds)
        with takes(less_than=milliseconds / 1000 + 1):
            query = "SELECT FROM trips WHERE driver_id = ANY ((SELECT ids FROM many)::bigint[]) AND city IN ('a', 'b')"
            assert drivers.fail(query).sqlstate == "57014"


# A column, and values for it that take long to encode, before it is known that they are too large for an item.
LARGE = {
    "elements": ("numeric[]", 5000000),
    "elements of a set": ("integer[] OPTIONS (value_type 'INT32_SET')", 5000000),
}


@pytest.mark.parametrize("large", LARGE)
def test_statement_timeout_while_a_row_is_encoded(drivers, large):
    column, elements = LARGE[large]
    drivers.table("trips", "driver_id integer OPTIONS (entity_key 'true'), large " + column)
    drivers.run(
        "CREATE TEMP TABLE large AS SELECT array_agg(i * 7919::bigint %% 5000011)::%s AS large"
        " FROM generate_series(1, %d) i" % (column.split()[0], elements)
    )
    for milliseconds in range(100, 600, 100):
        drivers.run("SET statement_timeout = %d" % milliseconds)
        assert drivers.fail("INSERT INTO trips SELECT 1, large FROM large").sqlstate == "57014"


def test_cancel_gives_up_what_is_in_flight(drivers, proxy, other):
    proxy.fault(faults.stall, times=None)
    running = Running(drivers, "SELECT trips FROM drivers WHERE driver_id = ANY (%s)", [list(range(500))])
    proxy.wait_for("BatchGetItem", 5)
    other.run("SELECT pg_cancel_backend(%s)", [drivers.pid])
    assert running.join().error.sqlstate == "57014"
    with takes(less_than=5):
        while not all(request.abandoned for request in proxy.of("BatchGetItem")):
            drivers.run("SELECT pg_sleep(0.05)")


def test_cancel_while_waiting_for_a_retry(drivers, proxy, other):
    proxy.fault(faults.error("InternalServerError", 500, x_amz_retry_after="5000"), times=None)
    running = Running(drivers, SELECT)
    proxy.wait_for("BatchGetItem")
    with takes(less_than=1):
        other.run("SELECT pg_sleep(0.2), pg_cancel_backend(%s)", [drivers.pid])
        running.join()
    assert running.error.sqlstate == "57014"


def test_cancel_while_connecting(session, project):
    with deaf_port() as port:
        session.server(project, "http://127.0.0.1:%d" % port, create_remote_table="false")
        session.table("drivers", DRIVERS)
        session.run("SET statement_timeout = '300ms'")
        with takes(less_than=1.5, more_than=0.25):
            assert session.fail(SELECT).sqlstate == "57014"


def test_closing_a_cursor_gives_up_what_is_in_flight(drivers, proxy):
    fill(drivers, 300)
    proxy.fault(faults.right, operation="BatchGetItem")
    proxy.fault(faults.stall, times=None, operation="BatchGetItem")
    keys = ",".join(map(str, range(1, 301)))
    drivers.run("BEGIN")
    drivers.run("DECLARE c CURSOR FOR SELECT trips FROM drivers WHERE driver_id = ANY ('{%s}')" % keys)
    assert len(drivers.run("FETCH 1 FROM c")) == 1
    with takes(less_than=1):
        drivers.run("CLOSE c")
        drivers.run("COMMIT")
    proxy.heal()
    assert drivers.run(SELECT) == [(10,)]
