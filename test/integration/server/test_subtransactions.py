"""Statements that fail or are cancelled inside of a transaction that goes on."""

import pytest

import faults
from backend import assert_small, descriptors, grows
from interrupts import CLIENT, POOL, READ, WRITE, wait_for_any
from support import Running, Session, fill


def in_block(statement, condition="others"):
    """A DO block that survives the statement's failure and raises what else is wrong as P0001."""
    return (
        "DO $$ DECLARE n bigint; BEGIN"
        "  BEGIN %s; RAISE 'no failure'; EXCEPTION WHEN %s THEN NULL; END;"
        "  SELECT sum(trips) INTO n FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 300)));"
        "  IF n <> 451500 THEN RAISE 'read %%', n; END IF;"
        "END $$" % (statement, condition)
    )


INNER = {"read": READ.replace("SELECT", "PERFORM", 1), "write": WRITE}
DIVISION = {
    "read": "PERFORM 1 / (trips - 1500) FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 300)))",
    "write": "INSERT INTO drivers SELECT i, now(), 0, 1 / (i - 1090) FROM generate_series(1000, 1100) i",
}
ONE = "SELECT trips FROM drivers WHERE driver_id = 1"
OPERATION = {"read": "BatchGetItem", "write": "BatchWriteItem"}


@pytest.mark.parametrize("kind", INNER)
def test_a_failure_that_is_caught(drivers, proxy, kind):
    """Some requests of the failing statement are answered, others are in flight."""
    drivers.set_server(batch_size=20, max_pool_connections=POOL)
    before = descriptors(drivers)
    fill(drivers, 300)
    proxy.latency = 0.002

    def step(i):
        drivers.run(in_block(DIVISION[kind], "division_by_zero"))

    assert_small(grows(drivers, step, 10, 15))
    assert descriptors(drivers) <= before + CLIENT


@pytest.mark.parametrize("kind", INNER)
def test_a_cancel_that_is_caught(drivers, database, proxy, kind):
    fill(drivers, 300)
    proxy.forget()
    proxy.fault(faults.stall, operation=OPERATION[kind])
    running = Running(drivers, in_block(INNER[kind], "query_canceled"))
    wait_for_any(proxy)
    admin = Session(database)
    admin.run("SELECT pg_cancel_backend(%s)", [drivers.pid])  # a client's cancel is two signals, perhaps two errors
    assert running.join().error is None
    admin.close()


def test_a_cursor_of_a_savepoint_that_is_rolled_back(drivers, proxy):
    fill(drivers, 300)
    drivers.run("BEGIN")
    for _ in range(5):
        proxy.fault(faults.right, operation="BatchGetItem")
        proxy.fault(faults.stall, times=2, operation="BatchGetItem")
        drivers.run("SAVEPOINT s")
        drivers.run("DECLARE c CURSOR FOR " + READ)
        assert len(drivers.run("FETCH 5 FROM c")) == 5
        drivers.run("ROLLBACK TO s")
        proxy.heal()
        assert len(drivers.run(READ)) == 300
    drivers.run("COMMIT")


def test_a_cursor_outlives_a_savepoint(drivers, proxy):
    """Another statement fails and is rolled back while a cursor has requests in flight on the same connections."""
    fill(drivers, 300)
    drivers.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD batch_size '20', ADD max_read_workers '3')")
    proxy.latency = 0.005
    drivers.run("BEGIN")
    drivers.run("DECLARE c CURSOR FOR " + READ)
    rows = drivers.run("FETCH 5 FROM c")
    for _ in range(5):
        drivers.run("SAVEPOINT s")
        proxy.fault(faults.error("ValidationException"), times=None, operation="BatchWriteItem")
        drivers.fail(WRITE)
        drivers.run("ROLLBACK TO s")
        rows += drivers.run("FETCH 20 FROM c")
    rows += drivers.run("FETCH ALL FROM c")
    drivers.run("COMMIT")
    assert sorted(rows) == [(10 * i,) for i in range(1, 301)]


def test_an_error_in_a_subtransaction_leaves_a_usable_session(drivers, proxy):
    fill(drivers, 1)
    drivers.run("BEGIN")
    drivers.run("SAVEPOINT before")
    proxy.fault(faults.error("ValidationException"))
    drivers.fail(ONE)
    drivers.run("ROLLBACK TO before")
    assert drivers.run(ONE) == [(10,)]
    drivers.run("COMMIT")


def test_an_error_in_plpgsql_is_caught_many_times(drivers, proxy):
    fill(drivers, 1)
    proxy.fault(faults.error("ValidationException"), times=50)
    drivers.run(
        "DO $$ BEGIN FOR i IN 1..50 LOOP"
        "  BEGIN PERFORM trips FROM drivers WHERE driver_id = i;"
        "  EXCEPTION WHEN fdw_error THEN NULL; END;"
        " END LOOP; END $$"
    )
    assert drivers.run(ONE) == [(10,)]
