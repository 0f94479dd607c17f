"""What costs an attempt and what doesn't, and how many attempts a request has."""

import socket

import pytest

import faults
from support import DRIVERS, KEY, TIME, fill, takes

READ = "BatchGetItem"
WRITE = "BatchWriteItem"
ONE = "SELECT trips FROM drivers WHERE driver_id = 1"


def test_four_attempts_by_default(drivers, proxy):
    proxy.fault(faults.error("InternalServerError", 500), times=None)
    assert drivers.fail(ONE).sqlstate == "08006"
    assert proxy.count(READ) == 4


def test_one_attempt_is_no_retry(drivers, proxy):
    drivers.set_server(total_max_retry_attempts=1)
    proxy.fault(faults.error("InternalServerError", 500))
    assert drivers.fail(ONE).sqlstate == "08006"
    assert proxy.count(READ) == 1


# A reused connection that turns out to be closed.


@pytest.fixture
def documents(session, project, proxy):
    """A table "documents" with a text feature, a single attempt a request, and a connection that was used."""
    session.server(project, proxy.url, total_max_retry_attempts=1)
    session.table("documents", "id %s, at %s, body text" % (KEY, TIME))
    session.run("INSERT INTO documents VALUES (1, now(), 'x')")
    proxy.forget()
    return session


def test_a_read_on_a_stale_connection_costs_no_attempt(documents, proxy):
    proxy.reset_reused()
    with takes(less_than=1):
        assert documents.run("SELECT body FROM documents WHERE id = 1") == [("x",)]
    assert proxy.count(READ) == 1
    assert proxy.connections == 1


@pytest.mark.parametrize("size", [1, 100_000])
def test_a_write_on_a_stale_connection_costs_no_attempt(documents, proxy, size):
    """The connection is cut before, or while, the request is sent."""
    proxy.reset_reused()
    documents.run("INSERT INTO documents SELECT i, now(), repeat('x', %s) FROM generate_series(1, 25) i", [size])
    assert proxy.count(WRITE) == 1
    assert proxy.connections == 1


def test_connections_cut_while_idle_cost_no_attempt(drivers, proxy):
    drivers.set_server(total_max_retry_attempts=1)
    fill(drivers, 1)
    drivers.run(ONE)
    proxy.hang_up_all()
    assert drivers.run(ONE) == [(10,)]


def test_a_new_connection_that_is_closed_costs_an_attempt(documents, proxy):
    proxy.hang_up_all()
    proxy.fault(faults.hang_up, times=None)
    assert documents.fail("SELECT body FROM documents WHERE id = 1").sqlstate == "08006"
    assert proxy.count(READ) == 1


# Deadlines that pass while the backend does something else.


def test_a_read_that_nobody_drives_has_its_time_again(drivers, proxy):
    """The consumer sleeps over the deadline; the answer comes when it has been awake for a moment."""
    fill(drivers, 2)
    drivers.set_server(read_timeout=0.5, total_max_retry_attempts=1, max_read_workers=1, batch_size=1)
    proxy.forget()
    drivers.run("BEGIN")
    drivers.run("DECLARE c CURSOR FOR SELECT driver_id FROM drivers WHERE driver_id IN (1, 2)")
    proxy.fault(faults.right)
    proxy.fault(faults.late(1.1))
    rows = drivers.run("FETCH 1 FROM c")
    drivers.run("SELECT pg_sleep(0.8)")
    rows += drivers.run("FETCH ALL FROM c")
    drivers.run("COMMIT")
    assert sorted(rows) == [(1,), (2,)]
    assert proxy.count(READ) == 2


def test_a_request_that_is_never_answered_still_times_out(drivers, proxy):
    drivers.set_server(read_timeout=0.5, max_read_workers=2, batch_size=1)
    fill(drivers, 4)
    proxy.forget()
    proxy.latency = 0.05
    drivers.run("BEGIN")
    drivers.run("DECLARE c CURSOR FOR SELECT driver_id FROM drivers WHERE driver_id = ANY ('{1,2,3,4}')")
    proxy.fault(faults.stall)
    rows = drivers.run("FETCH 1 FROM c")
    drivers.run("SELECT pg_sleep(1)")
    with takes(less_than=3, more_than=0.4):
        rows += drivers.run("FETCH ALL FROM c")
    drivers.run("COMMIT")
    assert sorted(rows) == [(1,), (2,), (3,), (4,)]
    assert proxy.count(READ) == 5


def test_a_handshake_that_nobody_drives_still_times_out(session, project):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        session.server(
            project,
            "https://127.0.0.1:%d" % silent.getsockname()[1],
            create_remote_table="false",
            connect_timeout=0.5,
            total_max_retry_attempts=1,
            batch_size=1,
        )
        session.table("drivers", DRIVERS)
        with takes(less_than=5, more_than=3.4):
            error = session.fail(
                "INSERT INTO drivers SELECT i, now(), 0, i FROM generate_series(1, 3) i, LATERAL pg_sleep(1 + 0 * i)"
            )
        assert error.sqlstate == "08001"
