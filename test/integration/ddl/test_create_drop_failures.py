"""CREATE and DROP when DynamoDB refuses, stalls or is gone: bounded, told by a WARNING, made good later."""

import threading
import time

import pytest

import faults
from faults import Proxy
from support import DRIVERS, ENDPOINT, Running, Session, dynamodb, fill, make_remote, remote_tables, takes

CREATE = "CREATE FOREIGN TABLE drivers (%s) SERVER feast" % DRIVERS
DROP = "DROP FOREIGN TABLE drivers"
PENDING = "SELECT count(*) FROM dynamo_fdw_record WHERE state <> 'made'"
BOUND = 30  # seconds; with the timeouts below it is far less


@pytest.fixture
def local(session, project, proxy):
    """A session with a server for the project that soon gives up; no table yet."""
    session.server(project, proxy.url, connect_timeout=1, read_timeout=1, total_max_retry_attempts=2)
    return session


def dead(proxy):
    proxy.close()


def stalled(proxy):
    proxy.fault(faults.stall, times=None)


def failing(proxy):
    proxy.fault(faults.error("InternalServerError", 500), times=None)


def denied(proxy):
    proxy.fault(faults.error("AccessDeniedException"), times=None)


TROUBLES = [dead, stalled, failing]


def assert_warning_names(session, project):
    warnings = " ".join(session.warnings())
    assert project + ".drivers" in warnings


@pytest.mark.parametrize("trouble", TROUBLES)
def test_drop(local, project, proxy, trouble):
    local.run(CREATE)
    trouble(proxy)
    with takes(less_than=BOUND):
        local.run(DROP)
    assert_warning_names(local, project)
    assert local.value("SELECT to_regclass('drivers')") is None
    assert local.value(PENDING) == 1
    assert remote_tables(project) == ["drivers"]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_commit_of_a_drop(local, project, proxy, trouble):
    local.run(CREATE)
    local.run("BEGIN")
    local.run(DROP)
    trouble(proxy)
    with takes(less_than=BOUND):
        local.run("COMMIT")
    assert_warning_names(local, project)
    assert local.value(PENDING) == 1


@pytest.mark.parametrize("trouble", TROUBLES)
def test_rollback_of_a_create(local, project, proxy, trouble):
    local.run("BEGIN")
    local.run(CREATE)
    trouble(proxy)
    with takes(less_than=10):  # 5 s in all
        local.run("ROLLBACK")
    assert_warning_names(local, project)
    assert local.value("SELECT to_regclass('drivers')") is None
    assert local.alive()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_rollback_of_a_drop_asks_nothing(local, project, proxy, trouble):
    local.run(CREATE)
    local.run("BEGIN")
    local.run(DROP)
    trouble(proxy)
    with takes(less_than=1):
        local.run("ROLLBACK")
    assert remote_tables(project) == ["drivers"]


@pytest.mark.parametrize(
    "trouble, sqlstate", [(dead, "08001"), (stalled, "08006"), (failing, "08006"), (denied, "42501")]
)
def test_create(local, project, proxy, trouble, sqlstate):
    trouble(proxy)
    with takes(less_than=BOUND):
        assert local.fail(CREATE).sqlstate == sqlstate
    assert local.value("SELECT to_regclass('drivers')") is None
    assert remote_tables(project) == []


def test_commit_with_the_deletion_alone_stalled(local, project, proxy):
    local.run("ALTER SERVER feast OPTIONS (SET read_timeout '60', SET total_max_retry_attempts '4')")
    local.run(CREATE)
    proxy.fault(faults.stall, times=None, operation="DeleteTable")
    with takes(less_than=10):  # whatever the options say, COMMIT waits for 5 s in all
        local.run(DROP)
    assert_warning_names(local, project)
    assert local.value(PENDING) == 1


def test_many_deletions_stall_together(local, project, proxy):
    for i in range(12):
        local.table("t%d" % i, DRIVERS)
    proxy.fault(faults.stall, times=None, operation="DeleteTable")
    with takes(less_than=10):
        local.run("DROP SERVER feast CASCADE")
    assert len(remote_tables(project)) == 12
    assert local.value(PENDING) == 12


def test_delete_pending(local, project, proxy):
    local.run(CREATE)
    proxy.close()
    local.run(DROP)
    again = Proxy(ENDPOINT, port=proxy.port)
    try:
        assert local.value("SELECT dynamo_fdw_delete_pending()") == 1
        assert remote_tables(project) == []
        assert local.value(PENDING) == 0
        assert local.value("SELECT dynamo_fdw_delete_pending()") == 0
    finally:
        again.close()


def test_delete_pending_while_it_still_fails(local, project, proxy):
    local.run(CREATE)
    failing(proxy)
    local.run(DROP)
    local.warnings()
    with takes(less_than=BOUND):
        assert local.value("SELECT dynamo_fdw_delete_pending()") == 0
    assert_warning_names(local, project)
    assert local.value(PENDING) == 1


def test_delete_pending_with_an_invalid_option_of_the_server(local, project, proxy):
    """It can only come past the validator, and may mean anything."""
    local.run(CREATE)
    failing(proxy)
    local.run(DROP)
    proxy.heal()
    proxy.forget()
    local.warnings()
    local.run("UPDATE pg_foreign_server SET srvoptions = srvoptions || '{read_timeout=soon}'")
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 0
    (warning,) = local.warnings()
    assert project in warning and "read_timeout" in warning
    assert proxy.operations() == []
    assert local.value(PENDING) == 1


def test_delete_pending_counts_what_is_gone(local, project, proxy):
    local.run(CREATE)
    failing(proxy)
    local.run(DROP)
    proxy.heal()
    dynamodb().delete_table(TableName=project + ".drivers")
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 1
    assert local.value(PENDING) == 0


def test_delete_pending_keeps_a_table_made_anew(local, project, proxy):
    local.run(CREATE)
    failing(proxy)
    local.run(DROP)
    proxy.heal()
    dynamodb().delete_table(TableName=project + ".drivers")
    make_remote(project + ".drivers")
    local.run("SELECT dynamo_fdw_delete_pending()")
    assert remote_tables(project) == ["drivers"]
    assert local.value(PENDING) == 0


def test_the_next_remote_ddl_deletes_what_is_pending(local, project, proxy):
    local.run(CREATE)
    failing(proxy)
    local.run(DROP)
    proxy.heal()
    local.table("others", DRIVERS)
    assert remote_tables(project) == ["others"]
    assert local.value(PENDING) == 0


def test_made_again_while_the_deletion_is_pending(local, project, proxy):
    local.run(CREATE)
    failing(proxy)
    local.run(DROP)
    proxy.heal()
    local.run(CREATE)
    fill(local, 3)
    # Whatever became of the old deletion: a table in use must live.
    local.run("SELECT dynamo_fdw_delete_pending()")
    assert local.value("SELECT count(*) FROM drivers WHERE driver_id IN (1, 2, 3)") == 3


def test_a_leftover_of_a_rollback_goes_with_the_next_remote_ddl(local, project, proxy):
    local.run("BEGIN")
    local.run(CREATE)
    failing(proxy)
    local.run("ROLLBACK")
    assert remote_tables(project) == ["drivers"]
    proxy.heal()
    local.table("others", DRIVERS)
    assert remote_tables(project) == ["others"]


def test_a_leftover_of_a_rollback_becomes_a_record(local, database, project, proxy):
    other = Session(database)
    other.run("BEGIN")
    other.run(CREATE)
    failing(proxy)
    other.run("ROLLBACK")
    assert remote_tables(project) == ["drivers"]
    other.run("SELECT 1")
    assert local.run("SELECT state FROM dynamo_fdw_record") == [("leftover",)]
    other.close()
    proxy.heal()
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 1
    assert remote_tables(project) == []


def test_denied_deletion_is_a_warning(local, project, proxy):
    local.run(CREATE)
    proxy.fault(faults.error("AccessDeniedException"), times=None, operation="DeleteTable")
    local.run(DROP)
    assert_warning_names(local, project)
    assert local.value("SELECT to_regclass('drivers')") is None


def test_create_asks_again_after_a_passing_error(local, project, proxy):
    for operation in ("DescribeTable", "CreateTable"):
        proxy.fault(faults.error("InternalServerError", 500), operation=operation)
    local.run(CREATE)
    assert remote_tables(project) == ["drivers"]


def test_create_whose_answer_is_lost(local, project, proxy):
    proxy.fault(faults.lose, operation="CreateTable")
    local.run(CREATE)
    assert remote_tables(project) == ["drivers"]
    fill(local, 1)


def test_drop_whose_answer_is_lost(local, project, proxy):
    local.run(CREATE)
    proxy.fault(faults.lose, operation="DeleteTable")
    local.run(DROP)
    assert proxy.count("DeleteTable") >= 1
    local.run("SELECT dynamo_fdw_delete_pending()")
    assert remote_tables(project) == []
    assert local.value(PENDING) == 0


def test_create_waits_until_the_table_is_active(local, project, proxy):
    proxy.fault(faults.creating, times=4)  # DescribeTable, CreateTable and two looks
    local.run(CREATE)
    assert proxy.operations()[:2] == ["DescribeTable", "CreateTable"]
    assert proxy.count("DescribeTable") >= 4
    fill(local, 1)


def test_two_sessions_make_the_same_table(local, database, project, proxy):
    other = Session(database)
    proxy.latency = 0.1
    local.run("CREATE SCHEMA IF NOT EXISTS elsewhere")
    running = Running(other, "CREATE FOREIGN TABLE elsewhere.drivers (%s) SERVER feast" % DRIVERS)
    local.run(CREATE)
    running.join()
    assert running.error is None
    assert remote_tables(project) == ["drivers"]
    other.run("DROP FOREIGN TABLE elsewhere.drivers")
    fill(local, 1)
    local.run(DROP)
    other.close()
    assert remote_tables(project) == []


def test_another_session_spares_what_is_made_anew(local, database, project, proxy):
    """While a DROP is on its way, others see its pending row; they must not delete the next table of that name."""
    local.run(CREATE)
    proxy.fault(faults.late(0.4), operation="DeleteTable")
    proxy.fault(faults.late(1.2), operation="DeleteTable")
    drop = Running(local, DROP)
    proxy.wait_for("DeleteTable")
    other = Session(database)
    create = Running(other, "CREATE FOREIGN TABLE others (%s) SERVER feast" % DRIVERS)
    drop.join()
    local.run(CREATE)
    fill(local, 3)
    create.join()
    other.close()
    assert local.value("SELECT count(*) FROM drivers WHERE driver_id IN (1, 2, 3)") == 3


def test_a_deletion_follows_a_commit_on_disk(drivers, other, proxy):
    """A crash must not bring back the foreign table of a remote one that is gone, whatever synchronous_commit is."""
    release = threading.Event()
    proxy.fault(faults.held(release), 1, "DeleteTable")
    drivers.run("SET synchronous_commit = off")
    running = Running(drivers, "DROP FOREIGN TABLE drivers")
    proxy.wait_for("DeleteTable")
    not_on_disk = other.value("SELECT pg_current_wal_insert_lsn() - pg_current_wal_flush_lsn()")
    release.set()
    running.join()
    assert not_on_disk < 500
