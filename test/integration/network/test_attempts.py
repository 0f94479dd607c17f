"""What may go wrong without costing an attempt, adaptive pacing, and connections opened ahead."""

import socket
import time

import pytest

import faults
from support import DRIVERS, KEY, TIME, fill, takes

READ = "BatchGetItem"
WRITE = "BatchWriteItem"
WARM_UP = ""  # GET / names no operation
ONE = "SELECT trips FROM drivers WHERE driver_id = 1"
MANY = "SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (%s)"


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


# retry_mode


def sent_after_a_throttle(drivers, proxy, mode):
    """How many reads go out in the half second after the first one was throttled."""
    fill(drivers, 60)
    drivers.set_server(retry_mode=mode, batch_size=1)
    proxy.forget()
    proxy.latency = 0.02
    proxy.fault(faults.error("ThrottlingException"), times=3, operation=READ)
    rows = drivers.run(MANY, [list(range(1, 61))])
    assert sorted(rows) == [(i, 10 * i) for i in range(1, 61)]
    assert proxy.count(READ) == 63
    throttled = min(request.answered for request in proxy.of(READ))
    return len([request for request in proxy.of(READ) if 0 < request.arrived - throttled < 0.5])


def test_standard_mode_goes_on_at_full_speed(drivers, proxy):
    assert sent_after_a_throttle(drivers, proxy, "standard") >= 40


def test_adaptive_mode_slows_down(drivers, proxy):
    assert sent_after_a_throttle(drivers, proxy, "adaptive") <= 15


def test_adaptive_mode_is_as_fast_without_throttles(drivers, proxy):
    drivers.set_server(retry_mode="adaptive", batch_size=10)
    fill(drivers, 100)
    drivers.run(ONE)
    proxy.forget()
    proxy.latency = 0.2
    with takes(less_than=0.39, more_than=0.2):
        assert len(drivers.run(MANY, [list(range(1, 101))])) == 100
    assert proxy.most_in_flight(READ) == 10


def test_adaptive_mode_cancels(drivers, proxy):
    drivers.set_server(retry_mode="adaptive", total_max_retry_attempts=100)
    proxy.fault(faults.error("ThrottlingException"), times=None)
    drivers.run("SET statement_timeout = '700ms'")
    with takes(less_than=1.5, more_than=0.5):
        assert drivers.fail(ONE).sqlstate == "57014"


# warmup_connections


def wait_for_connections(proxy, number):
    end = time.monotonic() + 5
    while proxy.connections < number and time.monotonic() < end:
        time.sleep(0.01)
    assert proxy.connections == number


def test_a_scan_opens_one_connection_without_warm_up(drivers, proxy):
    drivers.run(ONE)
    time.sleep(0.2)
    assert proxy.connections == 1
    assert proxy.operations() == [READ]


def test_warm_up_opens_the_connections_of_all_read_workers(drivers, proxy):
    drivers.set_server(warmup_connections="true")
    fill(drivers, 500)
    drivers.run("ALTER SERVER feast OPTIONS (ADD keepalive_timeout '60')")  # begins without connections
    proxy.forget()
    proxy.latency = 0.05
    assert drivers.run(ONE) == [(10,)]
    wait_for_connections(proxy, 10)
    drivers.run("SELECT pg_sleep(0.3)")  # the one row came before all connections were ready
    proxy.forget()
    assert len(drivers.run(MANY, [list(range(1, 501))])) == 500
    assert proxy.operations() == [READ] * 5
    assert proxy.connections == 0
    assert proxy.most_in_flight(READ) == 5


def test_warm_up_counts_the_window_of_the_scan(drivers, proxy):
    drivers.set_server(warmup_connections="true", max_read_workers=4, batch_size=1)
    proxy.latency = 0.05
    drivers.run(MANY, [[1, 2, 3]])
    wait_for_connections(proxy, 4)
    assert proxy.count(READ) == 3
    assert proxy.count(WARM_UP) == 1


@pytest.mark.parametrize("fault", [faults.stall, faults.hang_up, faults.html(500), faults.trickle(30)])
def test_a_warm_up_that_fails_is_no_failure(drivers, proxy, fault):
    drivers.set_server(warmup_connections="true", read_timeout=1)
    fill(drivers, 300)
    proxy.fault(fault, times=None, operation=WARM_UP)
    with takes(less_than=1):
        assert drivers.run(ONE) == [(10,)]
        assert len(drivers.run(MANY, [list(range(1, 301))])) == 300
    drivers.run("SELECT pg_sleep(1.2)")
    assert drivers.run(ONE) == [(10,)]


def test_warm_up_of_an_endpoint_that_is_not_there(session, project, proxy):
    session.server(project, proxy.url, warmup_connections="true", create_remote_table="false")
    session.table("drivers", DRIVERS)
    proxy.close()
    with takes(less_than=5):
        assert session.fail(ONE).sqlstate == "08001"
    assert session.alive()
