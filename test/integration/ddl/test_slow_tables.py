"""CREATE of one and of many tables: slow to become ACTIVE, cancelled meanwhile, met on their way in or out."""

import time

import pytest

import faults
from support import DRIVERS, Running, Session, dynamodb, fill, make_remote, records, remote_tables

CREATE = "CREATE FOREIGN TABLE drivers (%s) SERVER feast" % DRIVERS
DROP = "DROP FOREIGN TABLE drivers"


@pytest.fixture
def local(session, project, proxy):
    session.server(project, proxy.url)
    return session


def test_partition_of(local, project):
    local.run("CREATE TABLE parent (driver_id bigint NOT NULL, trips integer) PARTITION BY LIST (driver_id)")
    for i in (1, 2):  # PARTITION OF takes no options of columns
        local.run("CREATE FOREIGN TABLE part%d PARTITION OF parent FOR VALUES IN (%d) SERVER feast" % (i, i))
        local.run("ALTER FOREIGN TABLE part%d ALTER COLUMN driver_id OPTIONS (ADD entity_key 'true')" % i)
    assert remote_tables(project) == ["part1", "part2"]
    assert len(records(local)) == 2
    local.run("INSERT INTO parent VALUES (1, 10), (2, 20)")
    assert local.run("SELECT trips FROM part2 WHERE driver_id = 2") == [(20,)]
    local.run("DROP TABLE parent")
    assert remote_tables(project) == []


def test_many_in_one_do_block(local, project, proxy):
    local.run(
        "DO $$ BEGIN FOR i IN 1..20 LOOP EXECUTE format("
        "'CREATE FOREIGN TABLE t%s (id bigint OPTIONS (entity_key ''true'')) SERVER feast', i); END LOOP; END $$"
    )
    assert len(remote_tables(project)) == len(records(local)) == 20
    local.run("DO $$ BEGIN FOR i IN 1..20 LOOP EXECUTE format('DROP FOREIGN TABLE t%s', i); END LOOP; END $$")
    assert remote_tables(project) == []


def test_many_in_one_do_block_that_fails(local, project):
    local.fail(
        "DO $$ BEGIN FOR i IN 1..20 LOOP EXECUTE format("
        "'CREATE FOREIGN TABLE t%s (id bigint OPTIONS (entity_key ''true'')) SERVER feast', i); END LOOP;"
        " PERFORM 1 / 0; END $$"
    )
    assert remote_tables(project) == []


def test_waits_until_the_table_is_active(local, project, proxy):
    proxy.fault(faults.creating, times=None)
    running = Running(local, CREATE)
    proxy.wait_for("DescribeTable", 4)
    assert proxy.operations()[:2] == ["DescribeTable", "CreateTable"]
    proxy.heal()
    assert running.join().error is None
    fill(local, 1)


def test_a_table_met_while_it_is_creating(local, project, proxy):
    """Somebody else makes it: it is used, not owned, once it is ACTIVE."""
    make_remote(project + ".drivers")
    proxy.fault(faults.creating, times=None)
    running = Running(local, CREATE)
    proxy.wait_for("DescribeTable", 3)
    proxy.heal()
    assert running.join().error is None
    assert proxy.count("CreateTable") == 0
    assert "exists already" in " ".join(local.warnings())
    local.run(DROP)
    assert remote_tables(project) == ["drivers"]


def test_a_table_met_while_it_is_deleting_is_made_anew(local, project, proxy):
    make_remote(project + ".drivers")
    proxy.fault(faults.in_status("DELETING"), times=None, operation="DescribeTable")
    running = Running(local, CREATE)
    proxy.wait_for("DescribeTable", 2)
    assert proxy.count("CreateTable") == 0
    dynamodb().delete_table(TableName=project + ".drivers")
    proxy.heal()
    assert running.join().error is None
    assert proxy.count("CreateTable") == 1
    assert local.warnings() == []
    assert records(local) == [(project + ".drivers", "made")]
    local.run(DROP)
    assert remote_tables(project) == []


def test_a_table_that_cannot_be_used(local, project, proxy):
    make_remote(project + ".drivers")
    proxy.fault(faults.in_status("ARCHIVED"), times=None)
    assert local.fail(CREATE).sqlstate == "55000"
    assert remote_tables(project) == ["drivers"]


def test_a_table_that_is_missed_for_a_while(local, project, proxy):
    """DescribeTable may not see at once what CreateTable made."""
    proxy.fault(faults.creating, operation="CreateTable")
    proxy.fault(faults.right, operation="DescribeTable")
    proxy.fault(faults.error("ResourceNotFoundException"), times=2, operation="DescribeTable")
    local.run(CREATE)
    assert proxy.count("CreateTable") == 1
    assert records(local) == [(project + ".drivers", "made")]


def refuse_while_creating(exchange):
    faults.error("ResourceInUseException")(exchange)


@pytest.fixture
def adopted(local, database, project, proxy):
    """A CREATE was cancelled while the table was CREATING, so that it is left over; another session uses it."""
    proxy.fault(refuse_while_creating, times=None, operation="DeleteTable")
    proxy.fault(faults.creating, times=None)
    running = Running(local, CREATE)
    proxy.wait_for("DescribeTable", 2)
    local.conn.cancel()
    assert running.join().error.sqlstate == "57014"
    assert project + ".drivers" in " ".join(local.warnings())
    assert remote_tables(project) == ["drivers"]
    proxy.heal()
    adopter = Session(database)
    adopter.run(CREATE)
    fill(adopter, 1)
    yield adopter
    adopter.close()


def still_there(session, project):
    assert remote_tables(project) == ["drivers"]
    assert session.value("SELECT trips FROM drivers WHERE driver_id = 1") == 10


def wait_until_gone(session, pid):
    while session.value("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [pid]):
        time.sleep(0.02)


def test_the_next_create_spares_what_another_session_adopted(local, adopted, project):
    local.table("others", DRIVERS)
    local.run("SELECT dynamo_fdw_delete_pending()")
    local.run("DROP FOREIGN TABLE others")
    still_there(adopted, project)


def test_the_exit_spares_what_another_session_adopted(local, adopted, project):
    local.close()
    wait_until_gone(adopted, local.pid)
    still_there(adopted, project)
    adopted.run("SELECT dynamo_fdw_delete_pending()")
    still_there(adopted, project)


def test_a_terminated_session_spares_what_another_session_adopted(local, adopted, project):
    adopted.run("SELECT pg_terminate_backend(%s, 10000)", [local.pid])
    wait_until_gone(adopted, local.pid)
    adopted.run("SELECT dynamo_fdw_delete_pending()")
    still_there(adopted, project)


def test_what_was_adopted_goes_with_its_last_foreign_table(local, adopted, project):
    local.run("SELECT 1")
    adopted.run(DROP)
    adopted.run("SELECT dynamo_fdw_delete_pending()")
    assert remote_tables(project) == []
    assert records(adopted) == []


def test_another_database_waits_for_the_rollback(local, project, proxy):
    """The lock on the name is cluster-wide: nobody can have adopted what a ROLLBACK deletes."""
    local.run("CREATE DATABASE neighbour")
    try:
        other = Session("neighbour")
        other.run("CREATE EXTENSION dynamo_fdw")
        other.server(project, proxy.url.replace("127.0.0.1", "localhost"))
        local.run("BEGIN")
        local.run(CREATE)
        running = Running(other, CREATE)
        while not local.value("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s", [other.pid]):
            assert running.error is None
        local.run("ROLLBACK")
        assert running.join().error is None
        assert other.warnings() == []  # it made the table itself
        assert records(other) == [(project + ".drivers", "made")]
        assert remote_tables(project) == ["drivers"]
        other.close()
    finally:
        local.run("DROP DATABASE neighbour WITH (FORCE)")


def test_a_name_is_locked_however_long_it_takes(local, database, project, proxy):
    """A CREATE that is rolled back to a savepoint keeps the lock: its table goes at the end of the whole."""
    other = Session(database)
    local.run("BEGIN; SAVEPOINT s")
    local.run(CREATE)
    local.run("ROLLBACK TO s")
    other.run("SET lock_timeout = '200ms'")
    assert other.fail(CREATE).sqlstate == "55P03"
    local.run("COMMIT")
    assert remote_tables(project) == []
    other.run("RESET lock_timeout")
    other.run(CREATE)
    assert other.warnings() == []
    other.close()


@pytest.mark.parametrize("ending", ["BEGIN", "BEGIN; SELECT 1 / 0", ""])
@pytest.mark.parametrize("how", ["close", "terminate"])
def test_a_leftover_is_a_record_however_the_session_ends(local, database, project, proxy, ending, how):
    """On close and terminate, inside open and aborted transactions; nothing is sent then."""
    maker = Session(database)
    maker.run("BEGIN")
    maker.run(CREATE)
    proxy.fault(faults.error("InternalServerError", 500), times=None)
    maker.run("ROLLBACK")
    proxy.forget()
    for statement in filter(None, ending.split("; ")):
        (maker.fail if "/ 0" in statement else maker.run)(statement)
    if how == "close":
        maker.close()
    else:
        local.run("SELECT pg_terminate_backend(%s, 10000)", [maker.pid])
    wait_until_gone(local, maker.pid)
    assert proxy.operations() == []
    assert records(local) == [(project + ".drivers", "leftover")]
    proxy.heal()
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 1
    assert remote_tables(project) == []


def test_drop_database_with_force_does_not_wait(local, project, proxy):
    """A session that has something left over ends without asking DynamoDB."""
    local.run("CREATE DATABASE forced")
    try:
        maker = Session("forced")
        maker.run("CREATE EXTENSION dynamo_fdw")
        maker.server(project, proxy.url)
        maker.run("BEGIN")
        maker.run(CREATE)
        proxy.fault(faults.stall, times=None)
        local.run("DROP DATABASE forced WITH (FORCE)")
    finally:
        local.run("DROP DATABASE IF EXISTS forced WITH (FORCE)")


def test_where_the_server_went_with_the_rollback_the_session_tries_again(session, project, proxy):
    session.run("BEGIN")
    session.server(project, proxy.url)
    session.run(CREATE)
    proxy.fault(faults.error("InternalServerError", 500), times=None)
    session.run("ROLLBACK")
    assert project + ".drivers" in " ".join(session.warnings())
    proxy.heal()
    session.run("SELECT dynamo_fdw_delete_pending()")
    assert remote_tables(project) == []
    assert records(session) == []


def test_where_the_server_went_with_the_rollback_the_exit_leaves_a_final_record(session, database, project, proxy):
    maker = Session(database)
    maker.run("BEGIN")
    maker.server(project, proxy.url)
    maker.run(CREATE)
    proxy.fault(faults.error("InternalServerError", 500), times=None)
    maker.run("ROLLBACK")
    maker.close()
    wait_until_gone(session, maker.pid)
    assert records(session) == [(project + ".drivers", "final")]
    assert session.value("SELECT on_drop FROM dynamo_fdw_plan()") == "the server that it was made by is gone"
