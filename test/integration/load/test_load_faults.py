"""Loads that fail, are cancelled, meet each other, or are large."""

import threading
import time

import psycopg
import pytest

import faults
from backend import peak_bytes
from support import DRIVERS, KEY, TIME, Running, Session, raw_items

WRITE = "BatchWriteItem"
LOAD = "SELECT dynamo_fdw_materialize('drivers', '2026-01-01', '2026-04-01')"
NEXT = "SELECT dynamo_fdw_materialize('drivers', NULL, %s)"


@pytest.fixture
def source(session, project, proxy):
    """A view of 1000 drivers behind the proxy, written one request at a time."""
    session.server(project, proxy.url, max_write_workers=1, total_max_retry_attempts=1)
    session.table("drivers", DRIVERS, batch_source="trips_of")
    session.run(
        "CREATE TABLE trips_of AS SELECT i::bigint AS driver_id, '2026-03-01'::timestamptz AS event_timestamp,"
        " 0.5::real AS conv_rate, i AS trips FROM generate_series(1, 1000) i"
    )
    proxy.forget()
    yield session
    session.run("ROLLBACK; DROP TABLE trips_of CASCADE")


def intervals(session):
    return session.run("SELECT start_date::date::text, end_date::date::text, rows FROM dynamo_fdw_intervals")


def test_a_load_that_fails_is_run_again(source, project, proxy):
    proxy.fault(faults.right, times=10, operation=WRITE)
    proxy.fault(faults.error("ValidationException"), operation=WRITE)
    error = source.fail(LOAD)
    assert error.sqlstate == "HV000"
    assert 'materialization of foreign table "drivers"' in error.diag.context
    assert intervals(source) == []
    assert len(raw_items(project + ".drivers")) == 250
    assert source.value(LOAD) == 1000
    assert intervals(source) == [("2026-01-01", "2026-04-01", 1000)]
    assert len(raw_items(project + ".drivers")) == 1000


def test_an_error_of_the_source_in_the_middle(source):
    source.run(
        "CREATE VIEW failing AS SELECT driver_id, event_timestamp, conv_rate, 1 / (driver_id - 500) AS trips"
        " FROM trips_of"
    )
    assert source.fail(LOAD.replace("')", "', source => 'failing')")).sqlstate == "22012"
    assert intervals(source) == []
    assert source.value(LOAD) == 1000


def test_a_cancelled_load(source, proxy, other):
    proxy.fault(faults.right, times=10, operation=WRITE)
    proxy.fault(faults.stall, operation=WRITE)
    running = Running(source, LOAD)
    proxy.wait_for(WRITE, 11)
    source.conn.cancel()
    assert running.join().error.sqlstate == "57014"
    assert intervals(source) == []
    assert source.value("SHOW timezone") == other.value("SHOW timezone")
    assert source.value(LOAD) == 1000


def test_two_sessions_load_one_view(source, other, proxy):
    """One after the other; the second begins where the first one ended, and both intervals are there."""
    source.run("INSERT INTO trips_of VALUES (5000, '2026-05-01', 0, 0)")
    release = threading.Event()
    proxy.fault(faults.held(release), times=1, operation=WRITE)
    first = Running(source, LOAD)
    proxy.wait_for(WRITE)
    second = Running(other, NEXT, ["2026-06-01"])
    wait_until_locked_out(other)
    release.set()
    assert first.join().rows == [(1000,)]
    assert second.join().rows == [(1,)]
    assert intervals(source) == [("2026-01-01", "2026-06-01", 1001)]


def wait_until_locked_out(session):
    """Asked by another session: this one is busy."""
    admin = Session(session.conn.info.dbname)
    end = time.monotonic() + 20
    while not admin.value("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", [session.pid]):
        assert time.monotonic() < end, "does not wait for a lock"
        time.sleep(0.01)
    admin.close()


def test_the_one_that_comes_late_has_nothing_left(source, other, proxy):
    """Its transaction began before the one whose load it waits for."""
    other.run("BEGIN; SELECT now()")
    assert source.value("SELECT dynamo_fdw_materialize('drivers', '2026-01-01')") == 1000
    assert other.value("SELECT dynamo_fdw_materialize('drivers')") == 0
    other.run("COMMIT")
    assert len(intervals(source)) == 1


def test_sessions_that_load_views_crosswise(source, other, proxy):
    """PostgreSQL ends one of them; the other's intervals stay, and the one is run again."""
    source.table("riders", DRIVERS, batch_source="trips_of")
    one, two = LOAD, LOAD.replace("drivers", "riders")
    for session, first in ((source, one), (other, two)):
        session.run("BEGIN; SET LOCAL deadlock_timeout = '100ms'")
        session.run(first)
    running = Running(source, two)
    error = None
    try:
        other.run(one)
    except psycopg.Error as deadlock:  # else it is the other session's
        error = deadlock
    if error:
        other.run("ROLLBACK")
        running.join()
        source.run("COMMIT")
    else:
        other.run("COMMIT")
        error = running.join().error
        source.run("ROLLBACK")
    assert error.sqlstate == "40P01"
    assert len(intervals(source)) == 2
    for sql in (one, two):
        assert source.value(sql) == 1000


def test_many_sessions_at_once(source, project, proxy):
    """Whatever the order, the union of all intervals is there in the end."""
    sessions = [Session(source.conn.info.dbname) for _ in range(4)]
    runs = []
    for number, session in enumerate(sessions):
        days = "'2026-0%d-01', '2026-0%d-01'" % (number + 1, number + 2)
        runs.append(Running(session, "SELECT dynamo_fdw_materialize('drivers', %s)" % days))
    assert [run.join().error for run in runs] == [None] * 4
    ((start, end, _),) = intervals(source)
    assert (start, end) == ("2026-01-01", "2026-05-01")
    for session in sessions:
        session.close()


def test_a_session_that_dies_while_it_loads(source, other, proxy):
    proxy.fault(faults.stall, operation=WRITE)
    running = Running(other, LOAD)
    proxy.wait_for(WRITE)
    source.run("SELECT pg_terminate_backend(%s, 10000)", [other.pid])
    assert running.join().error
    assert intervals(source) == []
    assert source.value(LOAD) == 1000


def test_200000_rows_take_the_memory_of_a_few(source, proxy):
    """What the sort holds beyond work_mem goes to disk; requests are answered at once, without DynamoDB."""
    proxy.fault(faults.answer({"UnprocessedItems": {}}), times=None, operation=WRITE)
    source.set_server(name="feast", batch_size=25)
    source.table("wide", "id %s, event_timestamp %s, t text" % (KEY, TIME))
    many = (
        "SELECT dynamo_fdw_materialize('wide', '-infinity', source => '(SELECT i AS id, timestamptz ''2026-03-01''"
        " AS event_timestamp, repeat(''x'', 300) AS t FROM generate_series(1, %d) i)')"
    )
    source.run("SET work_mem = '4MB'; SET statement_timeout = '300s'")
    assert source.value(many % 10000) == 10000
    before = peak_bytes(source)
    assert source.value(many % 200000) == 200000
    assert peak_bytes(source) - before < 24 * 1024 * 1024  # the rows have 70 MB
