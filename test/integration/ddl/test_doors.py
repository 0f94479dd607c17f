"""Ways around the one door for deletions that were tried, each of which it holds."""

import time

import faults
import pytest
from support import DRIVERS, Running, Session, dynamodb, remote_tables

STATES = "SELECT state FROM dynamo_fdw_record ORDER BY id"
FAILING = faults.error("InternalServerError", 500)


@pytest.fixture
def local(session, project, proxy):
    """A session with a server for the project that soon gives up; no table yet."""
    session.server(project, proxy.url, read_timeout=1, total_max_retry_attempts=1)
    return session


def uses(session, project, name, table="drivers", server="feast", **options):
    """A foreign table over the remote table of another one, which makes nothing."""
    session.table(name, DRIVERS, server, table_name="%s.%s" % (project, table), create_remote_table="false", **options)


def end(session, other):
    """Closes a session and waits for its backend to end."""
    session.close()
    deadline = time.monotonic() + 30
    while other.value("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [session.pid]):
        assert time.monotonic() < deadline, "the backend does not end"
        time.sleep(0.01)


def wait_for_lock(session, waiting, table=None):
    """Until another session waits for a lock, of this table or of any kind."""
    waits = "SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted AND (relation = %s::regclass OR %s::regclass IS NULL)"
    deadline = time.monotonic() + 30
    while not session.value(waits, [waiting.pid, table, table]):
        assert time.monotonic() < deadline, "it does not wait"
        time.sleep(0.01)


@pytest.mark.parametrize("statement", ["DROP FOREIGN TABLE drivers; COMMIT", "CREATE FOREIGN TABLE %s; ROLLBACK"])
def test_a_warning_after_the_end_cannot_fail_over_its_context(session, project, proxy, statement):
    """The context names the procedure, whose name the client's encoding may not have."""
    session.server(project, proxy.url)
    session.table("drivers", DRIVERS)
    body = "LANGUAGE plpgsql AS $$ BEGIN %s; END $$"
    statement = statement.replace("%s", "others (%s) SERVER feast" % DRIVERS)
    session.run('CREATE OR REPLACE PROCEDURE "\u0436"() ' + body % statement)
    session.run("CREATE OR REPLACE PROCEDURE outside() " + body % 'CALL "\u0436"()')
    session.run("SET client_encoding = latin1")
    proxy.fault(faults.error("AccessDeniedException"), times=None, operation="DeleteTable")
    session.run("CALL outside()")
    assert any("could not be deleted" in text for text in session.warnings())
    assert session.alive()


def test_another_endpoint_is_looked_at_with_the_keys_of_its_owner(local, project, proxy, new_role):
    """The record's owner has another account there, and is shown that nothing is there."""
    local.server(project, proxy.url.replace("127.0.0.1", "localhost"), name="other_spelling")
    role = new_role("feast")
    local.run("GRANT USAGE ON FOREIGN SERVER other_spelling TO %s; SET ROLE %s" % (role, role))
    local.mapping()
    local.mapping("other_spelling", access_key="FDWOTHER")
    local.table("drivers", DRIVERS)
    local.run("RESET ROLE")
    uses(local, project, "users", server="other_spelling")
    local.run("DROP FOREIGN TABLE drivers")
    assert any("is kept" in text for text in local.warnings())
    assert remote_tables(project) == ["drivers"]


def test_what_a_rollback_brings_back_is_in_use(local, project, proxy):
    local.table("drivers", DRIVERS)
    proxy.fault(FAILING, times=None)
    local.run("DROP FOREIGN TABLE drivers")
    proxy.heal()
    uses(local, project, "users")
    local.run("BEGIN; DROP FOREIGN TABLE users; SELECT dynamo_fdw_delete_pending()")
    local.run("ROLLBACK")
    assert remote_tables(project) == ["drivers"]
    local.run("BEGIN; ALTER FOREIGN TABLE users OPTIONS (SET table_name 'else'); SELECT dynamo_fdw_delete_pending()")
    local.run("ROLLBACK")
    assert remote_tables(project) == ["drivers"]
    local.run("DROP FOREIGN TABLE users")
    assert remote_tables(project) == []


def test_a_table_in_use_before_it_was_made_is_not_undone_at_once(local, project):
    uses(local, project, "users")
    local.run("BEGIN")
    local.table("drivers", DRIVERS)
    local.run("ROLLBACK")
    assert any("Another foreign table" in text for text in local.warnings())
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 0
    assert remote_tables(project) == ["drivers"]
    local.run("DROP FOREIGN TABLE users")
    assert remote_tables(project) == []


def test_a_table_in_use_before_it_was_made_stays_owed_after_a_savepoint(local, project):
    uses(local, project, "users")
    local.run("BEGIN; SAVEPOINT s")
    local.table("drivers", DRIVERS)
    local.run("ROLLBACK TO s; COMMIT")
    assert any('"users" is over it' in text for text in local.warnings())
    assert local.run(STATES) == [("leftover",)]
    local.run("DROP FOREIGN TABLE users")
    assert remote_tables(project) == []


def test_nobody_writes_into_what_a_rollback_may_delete(local, other, project):
    uses(local, project, "drivers")
    local.run("ALTER FOREIGN TABLE drivers OPTIONS (SET create_remote_table 'true')")
    assert remote_tables(project) == []
    local.run("BEGIN; SELECT dynamo_fdw_create_table('drivers')")
    other.run("SET lock_timeout = '100ms'")
    assert other.fail("INSERT INTO drivers VALUES (1, now(), 0, 0)").sqlstate == "55P03"
    local.run("ROLLBACK")
    assert remote_tables(project) == []


def test_no_reference_appears_while_another_session_decides(local, other, project):
    local.table("trips", DRIVERS)
    local.run("BEGIN")
    local.table("drivers", DRIVERS)
    other.run("SET lock_timeout = '100ms'")
    with pytest.raises(Exception, match="lock timeout"):
        uses(other, project, "users")
    error = other.fail("ALTER FOREIGN TABLE trips OPTIONS (ADD table_name '%s.drivers')" % project)
    assert error.sqlstate == "55P03"
    local.run("ROLLBACK")
    uses(other, project, "users")
    assert remote_tables(project) == ["trips"]


def test_a_reference_that_appears_while_commit_waits_for_the_lock(local, other, project):
    """A transaction that read catalogs has them locked, and no lock that it takes anew brings news of others' changes."""
    local.table("drivers", DRIVERS)
    local.run("BEGIN")
    for (catalog,) in local.run("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND oid < 16384"):
        local.run("SELECT count(*) FROM %s" % catalog)
    local.run("SELECT count(*) FROM dynamo_fdw_record")
    local.run("DROP FOREIGN TABLE drivers")
    other.run("BEGIN")
    uses(other, project, "users")
    running = Running(local, "COMMIT")
    wait_for_lock(other, local)
    other.run("COMMIT")
    assert running.join().error is None
    assert remote_tables(project) == ["drivers"]


def test_two_sessions_that_drop_one_each_do_not_leave_it_to_the_other(local, other, project, proxy):
    local.table("drivers", DRIVERS)
    local.table("trips", DRIVERS)
    uses(local, project, "users")
    local.run("BEGIN; DROP FOREIGN TABLE drivers, trips")
    other.run("BEGIN; DROP FOREIGN TABLE users")
    proxy.forget()
    proxy.fault(faults.late(0.5), times=1, operation="DescribeTable")
    running = Running(local, "COMMIT")
    proxy.wait_for("DescribeTable")  # it has decided
    other.run("COMMIT")
    assert running.join().error is None
    assert remote_tables(project) == []


@pytest.mark.parametrize("policy", ["created", "always"])
def test_two_foreign_tables_over_one_go_together(local, project, proxy, policy):
    """By servers that spell the endpoint in two ways: one record is ended once, and the next commits do not fail."""
    local.server(project, proxy.url.replace("127.0.0.1", "localhost"), name="other_spelling")
    local.table("drivers", DRIVERS)
    uses(local, project, "users", server="other_spelling", drop_remote_table=policy)
    local.run("DROP FOREIGN TABLE drivers, users")
    local.run("SELECT")
    assert local.run(STATES) == []
    assert remote_tables(project) == []


def test_records_of_a_dropped_extension_are_not_written(local, project, proxy):
    """Their places are those of records of the new one."""
    local.table("drivers", DRIVERS)
    dynamodb().delete_table(TableName=project + ".drivers")
    local.run("BEGIN; DROP EXTENSION dynamo_fdw CASCADE; CREATE EXTENSION dynamo_fdw")
    local.server(project, proxy.url)
    local.table("trips", DRIVERS)
    local.run("COMMIT")
    assert local.run(STATES) == [("made",)]
    local.run("DROP FOREIGN TABLE trips")
    assert remote_tables(project) == []


def test_an_unanswered_create_of_a_savepoint_is_told(local, project, proxy):
    local.run("BEGIN; SAVEPOINT s")
    proxy.fault(faults.lose, times=None, operation="CreateTable")
    local.fail("CREATE FOREIGN TABLE drivers (%s) SERVER feast" % DRIVERS)
    local.run("ROLLBACK TO s")
    local.run("COMMIT")
    assert any("not answered" in text for text in local.warnings())
    local.run("SELECT")  # what the end of a transaction learned is written by the next one
    assert local.run(STATES) == [("final",)]


def test_by_hand_means_the_remote_table_of_then(local, project):
    local.table("drivers", DRIVERS)
    local.table("trips", DRIVERS)
    local.run("BEGIN; SELECT dynamo_fdw_drop_table('drivers')")
    local.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD table_name '%s.trips')" % project)
    local.run("DROP FOREIGN TABLE trips; COMMIT")
    assert remote_tables(project) == ["trips"]


def test_by_hand_made_again(local, project):
    local.table("drivers", DRIVERS)
    local.run("BEGIN; SELECT dynamo_fdw_drop_table('drivers'), dynamo_fdw_create_table('drivers'); COMMIT")
    assert remote_tables(project) == ["drivers"]
    local.run("SELECT dynamo_fdw_drop_table('drivers')")
    assert remote_tables(project) == []


@pytest.mark.parametrize("option", ["ADD drop_remote_table 'never'", "SET region 'eu-central-1'"])
def test_a_pending_deletion_asks_its_server_anew(local, project, proxy, option):
    local.table("drivers", DRIVERS)
    proxy.fault(FAILING, times=None)
    local.run("DROP FOREIGN TABLE drivers")
    proxy.heal()
    proxy.forget()
    local.run("ALTER SERVER feast OPTIONS (%s)" % option)
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 0
    assert proxy.operations() == []
    assert local.run(STATES) == [("pending",)]


def test_a_record_in_use_is_not_pending(local, project, proxy, new_role):
    """A foreign table of another role and spelling goes, not the last one."""
    local.table("drivers", DRIVERS)
    local.server(project, proxy.url.replace("127.0.0.1", "localhost"), name="other_spelling")
    role = new_role("other_spelling")
    local.run("SET ROLE %s" % role)
    local.mapping("other_spelling")
    uses(local, project, "users", server="other_spelling")
    local.warnings()
    local.run("DROP FOREIGN TABLE users; RESET ROLE")
    assert local.warnings() == []
    assert local.run(STATES) == [("made",)]


def test_a_read_only_session_leaves_its_record_too(database, local, project, proxy):
    reader = Session(database)
    reader.run("SET default_transaction_read_only = on")
    reader.run("BEGIN READ WRITE")
    reader.table("drivers", DRIVERS)
    proxy.fault(FAILING, times=None)
    reader.run("ROLLBACK")
    end(reader, local)
    assert local.run(STATES) == [("leftover",)]


def test_a_session_that_ends_does_not_wait_for_a_drop_of_the_extension(database, local, other, proxy):
    session = Session(database)
    session.run("BEGIN")
    session.table("drivers", DRIVERS)
    proxy.fault(FAILING, times=None)
    session.run("ROLLBACK")
    other.run("BEGIN; DROP EXTENSION dynamo_fdw CASCADE")
    # a commit that has nothing to do with it, like those by which an idle session catches up with others' DDL
    session.run("SET statement_timeout = '10s'")
    assert session.run("SELECT 1") == [(1,)]
    end(session, local)  # the other one is in a transaction, where pg_stat_activity stands still
    other.run("ROLLBACK")


def test_vacuum_writes_no_record(local, other, database, project):
    """Snapshots don't count its transactions as running: what they wrote could be taken for aborted."""
    local.run("CREATE TABLE IF NOT EXISTS plain (); CREATE TABLE IF NOT EXISTS more ()")
    local.table("drivers", DRIVERS)
    blockers = {table: Session(database) for table in ("plain", "more")}
    for table, session in blockers.items():
        session.run("BEGIN; LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE" % table)
    local.run("DROP FOREIGN TABLE drivers")
    other.run("BEGIN")
    uses(other, project, "users")  # nobody else can write the record now
    running = Running(local, "VACUUM plain, more")
    wait_for_lock(other, local, "plain")
    other.run("ROLLBACK")
    blockers["plain"].run("COMMIT")
    wait_for_lock(other, local, "more")
    assert other.run(STATES) == [("pending",)]
    blockers["more"].run("COMMIT")
    assert running.join().error is None
    assert other.run(STATES) == []
    for session in blockers.values():
        session.close()


def test_a_temporary_foreign_table_that_goes_with_its_session_sends_nothing(database, local, project, proxy):
    temporary = Session(database)
    uses(temporary, project, "pg_temp.users")
    local.table("drivers", DRIVERS)
    local.run("DROP FOREIGN TABLE drivers")
    assert remote_tables(project) == ["drivers"]
    proxy.forget()
    end(temporary, local)
    assert proxy.count("DeleteTable") == 0
    assert local.run(STATES) == [("pending",)]
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 1


def test_renames_without_event_triggers(local):
    """Nothing resets what the hook noted, but the end of the transaction."""
    local.table("f0", DRIVERS)
    local.run("SET session_replication_role = replica")
    for i in range(100):
        local.run("ALTER FOREIGN TABLE f%d RENAME TO f%d" % (i, i + 1))
        local.run("SELECT count(*) FROM pg_class")
    assert local.alive()
