"""CREATE and DROP that are interrupted: the foreign and the remote table stay together, or a deletion is pending."""

import random
import time

import faults
from backend import assert_small, descriptors, grows
from interrupts import CREATE, SOON, by_cancel, by_client, by_terminate, wait_for_any
from support import DRIVERS, Running, Session, fill, remote_tables, takes


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
        pending = drivers.value("SELECT count(*) FROM dynamo_fdw_record WHERE state <> 'made'")
        assert here == there or (there and pending == 1)
        drivers.run("DROP FOREIGN TABLE IF EXISTS other")
        drivers.run("SELECT dynamo_fdw_delete_pending()")
        assert remote_tables(project) == ["drivers"]

    assert_small(grows(drivers, step, 8, 16))
    assert descriptors(drivers) <= before


def test_cancel_of_a_create_while_the_answer_stalls(drivers, proxy, other):
    proxy.fault(faults.stall, operation="CreateTable")
    running = Running(drivers, "CREATE FOREIGN TABLE other (id bigint OPTIONS (entity_key 'true')) SERVER feast")
    proxy.wait_for("CreateTable")
    with takes(less_than=8):  # the abort may try for 5 s to delete what it made
        other.run("SELECT pg_cancel_backend(%s)", [drivers.pid])
        running.join()
    assert running.error.sqlstate == "57014"
    assert any("CreateTable was sent, and not answered clearly" in warning for warning in drivers.warnings())
    assert other.value("SELECT to_regclass('other')") is None


def test_cancel_of_a_stalled_commit_ends_it(drivers, proxy, other):
    proxy.fault(faults.stall, times=None, operation="DeleteTable")
    running = Running(drivers, "DROP FOREIGN TABLE drivers")
    proxy.wait_for("DeleteTable")
    with takes(less_than=1.5):
        other.run("SELECT pg_cancel_backend(%s)", [drivers.pid])
        running.join()
    # The transaction is committed, only its remote work is not done.
    assert drivers.value("SELECT to_regclass('drivers')") is None
    assert drivers.value("SELECT count(*) FROM dynamo_fdw_record WHERE state <> 'made'") == 1


def test_terminate_of_a_stalled_commit_ends_it(drivers, proxy, other):
    proxy.fault(faults.stall, times=None, operation="DeleteTable")
    running = Running(drivers, "DROP FOREIGN TABLE drivers")
    proxy.wait_for("DeleteTable")
    with takes(less_than=3):
        other.run("SELECT pg_terminate_backend(%s, 5000)", [drivers.pid])
        running.join()
    assert other.value("SELECT to_regclass('drivers')") is None
    assert other.value("SELECT count(*) FROM dynamo_fdw_record WHERE state <> 'made'") == 1


def test_cancel_while_waiting_until_the_table_is_active(drivers, project, proxy, other):
    proxy.fault(faults.creating, times=None)
    running = Running(drivers, CREATE)
    proxy.wait_for("DescribeTable", 2)
    with takes(less_than=7):  # the deletion of what was made included
        other.run("SELECT pg_cancel_backend(%s)", [drivers.pid])
        running.join()
    assert running.error.sqlstate == "57014"
    assert drivers.value("SELECT to_regclass('other')") is None
    proxy.heal()
    # Gone at once, or with the next remote DDL.
    drivers.table("others", DRIVERS)
    assert remote_tables(project) == ["drivers", "others"]
