"""TRUNCATE: deletes the DynamoDB table and makes it again; whatever happens in between, doing it again ends well."""

import json
import os
import signal
import time

import psycopg
import pytest

import faults
from cluster import Cluster
from support import ACCESS_KEY, DRIVERS, SECRET_KEY, Running, Session, dynamodb, fill, make_remote, records, remote_tables

TRUNCATE = "TRUNCATE drivers"
READ = "SELECT count(*) FROM drivers WHERE driver_id IN (1, 2, 3)"
SENT = {"DeleteTable", "CreateTable"}


@pytest.fixture
def filled(drivers, proxy):
    """A session, and the foreign table "drivers" with three rows."""
    fill(drivers, 3)
    proxy.forget()
    return drivers


def identity(project, table="drivers"):
    """What tells the remote table from one made later."""
    return dynamodb().describe_table(TableName="%s.%s" % (project, table))["Table"]["CreationDateTime"]


def recorded(session):
    return session.value("SELECT created FROM dynamo_fdw_record")


def empty_and_usable(session, project):
    """The foreign table has no rows, takes new ones, and the record is of the table that is there."""
    assert session.value(READ) == 0
    fill(session, 2)
    assert session.value(READ) == 2
    assert records(session) == [(project + ".drivers", "made")]
    assert abs(float(recorded(session)) - identity(project).timestamp()) < 0.01


def kept(session, proxy, rows=3):
    """Nothing was sent that changes anything, and the rows are there."""
    assert not SENT & set(proxy.operations())
    assert session.value(READ) == rows


def test_it_is_empty_and_works(filled, project, proxy):
    before = recorded(filled)
    filled.run(TRUNCATE)
    assert [name for name in proxy.operations() if name in SENT] == ["DeleteTable", "CreateTable"]
    assert recorded(filled) != before
    empty_and_usable(filled, project)
    assert filled.warnings() == []
    filled.run("DROP FOREIGN TABLE drivers")
    assert remote_tables(project) == []
    assert filled.value("SELECT dynamo_fdw_delete_pending()") == 1
    assert records(filled) == []


@pytest.mark.parametrize("words", ["TABLE drivers RESTART IDENTITY CASCADE", "ONLY drivers", "drivers, drivers RESTRICT"])
def test_its_words(filled, project, words):
    filled.run("TRUNCATE " + words)
    empty_and_usable(filled, project)


# Only as a statement of its own


IN_OTHERS = [
    ["BEGIN", TRUNCATE],
    ["BEGIN", "SAVEPOINT s", TRUNCATE],
    [TRUNCATE + "; SELECT 1"],
    ["SELECT 1; " + TRUNCATE],
    ["DO $$ BEGIN TRUNCATE drivers; END $$"],
    ["DO $$ BEGIN COMMIT; TRUNCATE drivers; END $$"],
    ["DO $$ BEGIN TRUNCATE drivers; EXCEPTION WHEN division_by_zero THEN NULL; END $$"],
    ["CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE sql AS 'TRUNCATE drivers'", "SELECT pg_temp.f()"],
    ["CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN COMMIT; TRUNCATE drivers; COMMIT; END'", "CALL p()"],
]


@pytest.mark.parametrize("statements", IN_OTHERS)
def test_refused_inside_of_others(filled, proxy, statements):
    for statement in statements[:-1]:
        filled.run(statement)
    error = filled.fail(statements[-1])
    assert error.sqlstate == "25001"
    assert "DELETE rows by their entity keys" in error.diag.message_hint
    filled.run("ROLLBACK")
    kept(filled, proxy)


@pytest.fixture
def plain(filled):
    """The session, which has a local table, too."""
    filled.run("CREATE TABLE plain (i int)")
    yield filled
    filled.run("ROLLBACK; DROP TABLE plain")


@pytest.mark.parametrize("when", ["BEFORE TRUNCATE", "AFTER TRUNCATE", "AFTER INSERT"])
def test_refused_in_triggers(plain, filled, proxy, when):
    """Also where the outer statement is a TRUNCATE, or the trigger is deferred to the commit."""
    filled.run(
        "CREATE OR REPLACE FUNCTION truncates() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN TRUNCATE drivers; RETURN NULL; END'"
    )
    if when == "AFTER INSERT":
        filled.run("CREATE CONSTRAINT TRIGGER t AFTER INSERT ON plain DEFERRABLE INITIALLY DEFERRED"
                   " FOR EACH ROW EXECUTE FUNCTION truncates()")
        error = filled.fail("INSERT INTO plain VALUES (1)")
    else:
        filled.run("CREATE TRIGGER t %s ON plain EXECUTE FUNCTION truncates()" % when)
        error = filled.fail("TRUNCATE plain")
    assert error.sqlstate == "25001"
    kept(filled, proxy)


def test_refused_in_a_pipeline(filled, proxy):
    with pytest.raises(psycopg.Error) as raised:
        with filled.conn.pipeline():
            filled.conn.execute("INSERT INTO drivers VALUES (3, now(), 0, 0)")
            filled.conn.execute(TRUNCATE)
    assert raised.value.sqlstate == "25001"
    kept(filled, proxy)


def test_the_extended_protocol(filled, project):
    """It commits before the client is told that it is done, so that an error is the statement's."""
    filled.conn.execute(TRUNCATE, prepare=True)
    empty_and_usable(filled, project)
    filled.run("ALTER SERVER feast OPTIONS (ADD drop_remote_table 'never')")
    with pytest.raises(psycopg.Error):
        filled.conn.execute(TRUNCATE, prepare=True)


# Whose table it is


def test_adopted_tables(session, project, proxy):
    make_remote(project + ".drivers")
    session.server(project, proxy.url)
    session.table("drivers", DRIVERS, drop_remote_table="always")
    fill(session, 3)
    assert session.fail(TRUNCATE).sqlstate == "55000"
    kept(session, proxy)


def test_a_table_that_somebody_made_again(filled, project, proxy):
    dynamodb().delete_table(TableName=project + ".drivers")
    time.sleep(0.01)  # DynamoDB Local tells tables by their time alone
    make_remote(project + ".drivers")
    fill(filled, 3)
    error = filled.fail(TRUNCATE)
    assert error.sqlstate == "55000" and "made later" in error.diag.message_detail
    kept(filled, proxy)
    assert records(filled) == [(project + ".drivers", "made")]


def test_a_table_that_somebody_deleted_is_made(filled, project, proxy):
    dynamodb().delete_table(TableName=project + ".drivers")
    filled.run(TRUNCATE)
    assert proxy.count("DeleteTable") == 0
    empty_and_usable(filled, project)


def test_without_a_record(filled, proxy):
    """As in a restored dump."""
    filled.run("SELECT dynamo_fdw_forget(id) FROM dynamo_fdw_record")
    assert filled.fail(TRUNCATE).sqlstate == "55000"
    kept(filled, proxy)


@pytest.mark.parametrize("endpoint", ["same", "other"])
def test_another_foreign_table_over_it(filled, project, proxy, endpoint):
    filled.server(project, proxy.url.replace("127.0.0.1", "localhost" if endpoint == "other" else "127.0.0.1"), "second")
    filled.table("more", DRIVERS, "second", feature_view="drivers")
    proxy.forget()
    error = filled.fail(TRUNCATE)
    assert error.sqlstate == "55000"
    kept(filled, proxy)


def test_both_foreign_tables_over_it(filled, project):
    filled.table("more", DRIVERS, feature_view="drivers")
    filled.run("TRUNCATE more, drivers")
    empty_and_usable(filled, project)
    filled.run("DROP FOREIGN TABLE more")


def test_a_key_of_others(filled, project, proxy):
    shown = {"TableStatus": "ACTIVE", "CreationDateTime": float(recorded(filled)), "KeySchema": []}
    proxy.fault(faults.answer({"Table": shown}), operation="DescribeTable")
    assert filled.fail(TRUNCATE).sqlstate == "55000"
    kept(filled, proxy)


@pytest.mark.parametrize("ceiling", [
    "ALTER SERVER feast OPTIONS (ADD drop_remote_table 'never')",
    "ALTER SERVER feast OPTIONS (ADD create_remote_table 'false')",
    "ALTER FOREIGN TABLE drivers OPTIONS (ADD drop_remote_table 'never')",
    "ALTER FOREIGN TABLE drivers OPTIONS (ADD create_remote_table 'false')",
    "SET dynamo_fdw.remote_ddl = off",
    "SET session_replication_role = replica",
])
def test_ceilings(filled, proxy, ceiling):
    filled.run(ceiling)
    error = filled.fail(TRUNCATE)
    assert error.sqlstate == "55000"
    assert any(word in error.diag.message_primary for word in ("_remote_table '", "remote_ddl is off", "is replica"))
    kept(filled, proxy)


def test_roles(filled, new_role, project, proxy):
    """Who has the privilege may; the owner's mapping signs; without that nothing is sent."""
    owner, other = new_role("feast"), new_role("feast")
    filled.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (access_key_id '%s', secret_access_key 's')" % (owner, ACCESS_KEY))
    filled.run("GRANT TRUNCATE, SELECT ON drivers TO %s" % other)
    filled.run("ALTER FOREIGN TABLE drivers OWNER TO %s" % owner)
    filled.run("SET ROLE %s" % other)
    error = filled.fail(TRUNCATE)  # its maker is not its owner
    assert error.sqlstate == "55000"
    filled.run("RESET ROLE; SELECT dynamo_fdw_claim('drivers')")
    filled.run("REVOKE USAGE ON FOREIGN SERVER feast FROM %s; SET ROLE %s" % (owner, other))
    assert filled.fail(TRUNCATE).sqlstate == "55000"
    filled.run("RESET ROLE; GRANT USAGE ON FOREIGN SERVER feast TO %s; SET ROLE %s" % (owner, other))
    kept_rows = [name for name in proxy.operations() if name in SENT]
    assert kept_rows == []
    filled.run(TRUNCATE)
    filled.run("RESET ROLE")
    empty_and_usable(filled, project)


# Several tables


@pytest.fixture
def parent(filled, project):
    """A partitioned table of two foreign partitions and a local one."""
    filled.run("CREATE TABLE parent (id bigint NOT NULL, v integer) PARTITION BY LIST (id)")
    for i in (1, 2):
        filled.run("CREATE FOREIGN TABLE part%d PARTITION OF parent FOR VALUES IN (%d) SERVER feast" % (i, i))
        filled.run("ALTER FOREIGN TABLE part%d ALTER COLUMN id OPTIONS (ADD entity_key 'true')" % i)
    filled.run("CREATE TABLE part3 PARTITION OF parent FOR VALUES IN (3)")
    filled.run("INSERT INTO parent VALUES (1, 1), (2, 2), (3, 3)")
    yield filled
    filled.run("DROP TABLE parent")


COUNT = "SELECT count(*) FROM parent WHERE id IN (1, 2, 3)"


def test_a_partitioned_table(parent, proxy):
    proxy.forget()
    parent.run("TRUNCATE parent, drivers")
    assert proxy.count("DeleteTable") == proxy.count("CreateTable") == 3
    assert parent.value(COUNT) == parent.value(READ) == 0
    parent.run("INSERT INTO parent VALUES (1, 1), (2, 2), (3, 3)")
    assert parent.value(COUNT) == 3


def test_all_are_checked_before_the_first_is_deleted(parent, project, proxy):
    """Of another server, too; and local tables keep their rows."""
    make_remote(project + ".adopted")
    parent.server(project, proxy.url, "second")
    parent.table("adopted", DRIVERS, "second")
    proxy.forget()
    assert parent.fail("TRUNCATE parent, drivers, adopted").sqlstate == "55000"
    assert not SENT & set(proxy.operations())
    assert parent.value(COUNT) == parent.value(READ) == 3


def test_one_that_can_not_be_deleted(parent, project, proxy):
    """The others are empty, and work; local tables keep their rows, as nothing else is undone."""
    def denied(exchange):
        wanted = exchange.asked.json()["TableName"].endswith(".part2")
        (faults.error("AccessDeniedException") if wanted else faults.right)(exchange)

    proxy.fault(denied, times=None, operation="DeleteTable")
    error = parent.fail("TRUNCATE parent")
    assert error.sqlstate == "42501"
    assert "part1" in error.diag.context and "part2" not in error.diag.context
    proxy.heal()
    assert parent.run("SELECT id FROM parent WHERE id IN (1, 2, 3) ORDER BY id") == [(2,), (3,)]
    parent.run("TRUNCATE parent")  # the new table of part1 is known by its record
    assert parent.value(COUNT) == 0


def on_truncate(session, name, when, body):
    """A trigger of a local table that is truncated together with the foreign one."""
    session.run("CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s; RETURN NULL; END $$" % (name, body))
    session.run("CREATE OR REPLACE TRIGGER %s %s TRUNCATE ON plain EXECUTE FUNCTION %s()" % (name, when, name))


def test_rows_of_triggers(plain, filled, project, proxy):
    """A row that an AFTER trigger wrote would be lost: refused.  It still sees the old rows."""
    filled.run("CREATE TABLE seen (n bigint)")
    on_truncate(filled, "looks", "AFTER", "INSERT INTO seen " + READ)
    filled.run("TRUNCATE plain, drivers")
    assert filled.run("SELECT n FROM seen") == [(3,)]
    fill(filled, 3)
    on_truncate(filled, "writes", "AFTER", "INSERT INTO drivers VALUES (4, now(), 0, 0)")
    proxy.forget()
    assert filled.fail("TRUNCATE drivers, plain").sqlstate == "55006"
    kept(filled, proxy)
    on_truncate(filled, "writes", "BEFORE", "INSERT INTO drivers VALUES (4, now(), 0, 0)")
    filled.run("TRUNCATE drivers, plain")
    empty_and_usable(filled, project)
    filled.run("DROP TABLE seen")


def test_a_failure_before_the_commit_keeps_all(plain, filled, proxy):
    on_truncate(filled, "fails", "AFTER", "PERFORM 1 / 0")
    assert filled.fail("TRUNCATE drivers, plain").sqlstate == "22012"
    kept(filled, proxy)


# In between


@pytest.mark.parametrize("operation", ["DescribeTable", "DeleteTable"])
def test_a_denied_delete_changes_nothing(filled, project, proxy, operation):
    proxy.fault(faults.error("AccessDeniedException"), operation=operation)
    error = filled.fail(TRUNCATE)
    assert error.sqlstate == "42501" and operation in error.diag.message_hint
    assert not error.diag.context
    assert proxy.count("CreateTable") == 0
    assert filled.value(READ) == 3
    filled.run(TRUNCATE)
    empty_and_usable(filled, project)


AGAIN = [TRUNCATE, "SELECT dynamo_fdw_create_table('drivers')"]


def gone(session, project):
    """The remote table is gone, and the record is not."""
    assert remote_tables(project) == []
    assert session.run("SELECT status, on_create, on_drop, record_state FROM dynamo_fdw_plan()") == [
        ("absent", "make the remote table again", "nothing: it is not there", "made")
    ]
    assert session.fail(READ).sqlstate == "HV00R"


@pytest.mark.parametrize("again", AGAIN)
def test_a_denied_create(filled, project, proxy, again):
    proxy.fault(faults.error("AccessDeniedException"), operation="CreateTable")
    error = filled.fail(TRUNCATE)
    assert error.sqlstate == "42501" and "dynamo_fdw_create_table" in error.diag.context
    gone(filled, project)
    filled.run(again)
    empty_and_usable(filled, project)


def test_dropped_after_a_denied_create(filled, project, proxy):
    proxy.fault(faults.error("AccessDeniedException"), operation="CreateTable")
    filled.fail(TRUNCATE)
    filled.run("DROP FOREIGN TABLE drivers")
    assert filled.warnings() == [] and records(filled) == [] and remote_tables(project) == []


@pytest.mark.parametrize("again", AGAIN)
def test_cancelled_while_the_table_is_being_deleted(filled, project, proxy, other, again):
    proxy.fault(faults.right, operation="DescribeTable")
    proxy.fault(faults.answer({"Table": {"TableStatus": "DELETING", "KeySchema": []}}), times=None, operation="DescribeTable")
    running = Running(filled, TRUNCATE)
    proxy.wait_for("DescribeTable", 3)
    other.run("SELECT pg_cancel_backend(%s)", [filled.pid])
    assert running.join().error.sqlstate == "57014"
    assert proxy.count("CreateTable") == 0
    proxy.heal()
    gone(filled, project)
    filled.run(again)
    empty_and_usable(filled, project)


@pytest.mark.parametrize("end", ["cancel", "terminate"])
def test_ended_while_the_new_table_is_being_made(filled, project, proxy, other, end):
    """The new table stays, and has the record as soon as the session can write it: at its end at the latest."""
    proxy.fault(faults.right, operation="DescribeTable")
    proxy.fault(faults.creating, times=None)
    running = Running(filled, TRUNCATE)
    proxy.wait_for("CreateTable")
    proxy.wait_for("DescribeTable", 3)
    other.run("SELECT pg_%s_backend(%s)" % (end, "%s, 10000" if end == "terminate" else "%s"), [filled.pid])
    assert running.join().error is not None
    proxy.heal()
    if end == "cancel":
        assert not filled.warnings()
        filled.run("SELECT 1")
    empty_and_usable(other, project)
    other.run(TRUNCATE)
    empty_and_usable(other, project)


def test_deleting_and_creating_take_a_while(filled, project, proxy):
    """DescribeTable may even show the old table for some moments."""
    old = dynamodb().describe_table(TableName=project + ".drivers")["Table"]
    old = {name: old[name] for name in ("KeySchema", "AttributeDefinitions", "TableStatus")}

    def shown(status):
        """The old table in this status, its time digit by digit as it was recorded."""
        table = json.dumps({"Table": dict(old, TableStatus=status, CreationDateTime="then")})
        return faults.answer(table.replace('"then"', recorded(filled)).encode())

    proxy.fault(faults.right, operation="DescribeTable")
    proxy.fault(shown("ACTIVE"), operation="DescribeTable")
    proxy.fault(shown("DELETING"), times=2, operation="DescribeTable")
    proxy.fault(faults.right, operation="DescribeTable")
    proxy.fault(faults.creating, operation="CreateTable")
    proxy.fault(faults.creating, times=2, operation="DescribeTable")
    filled.run(TRUNCATE)
    assert proxy.operations() == (
        ["DescribeTable", "DeleteTable"] + 4 * ["DescribeTable"] + ["CreateTable"] + 3 * ["DescribeTable"]
    )
    assert filled.warnings() == []
    empty_and_usable(filled, project)


def test_after_a_lost_answer_of_delete(filled, project, proxy):
    proxy.fault(faults.lose, operation="DeleteTable")
    filled.run(TRUNCATE)  # sent again, and answered that there is no such table
    empty_and_usable(filled, project)


def test_after_a_lost_answer_of_delete_it_is_denied(filled, project, proxy):
    """The error is of the last attempt, and says what the first may have done."""
    proxy.fault(faults.lose, operation="DeleteTable")
    proxy.fault(faults.error("AccessDeniedException"), operation="DeleteTable")
    error = filled.fail(TRUNCATE)
    assert error.sqlstate == "42501"
    assert "had asked DynamoDB to delete" in error.diag.context
    gone(filled, project)
    filled.run(TRUNCATE)
    empty_and_usable(filled, project)


def test_two_sessions(filled, project, database):
    others = [Session(database) for _ in range(3)]
    running = [Running(one, TRUNCATE) for one in others]
    assert [one.join().error for one in running] == [None] * 3
    for one in others:
        one.close()
    empty_and_usable(filled, project)


def test_a_session_that_starts_with_it(filled, project, database):
    """The library is loaded in the middle of the statement."""
    other = Session(database)
    other.run(TRUNCATE)
    other.close()
    empty_and_usable(filled, project)


@pytest.fixture
def crashing(proxy):
    """A server that crashes when a backend of it is killed, and starts again."""
    cluster = Cluster()
    try:
        cluster.init()
        cluster.start(restart_after_crash="on")
        yield cluster
    finally:
        cluster.clear_log()  # it tells of a crash, as it should
        cluster.remove()


def after_crash(cluster):
    """A session once the server has seen that it crashed, and runs again."""
    deadline = time.monotonic() + 60
    while True:
        try:
            if "all server processes terminated" in cluster.log():
                return cluster.session()
        except psycopg.OperationalError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("again", AGAIN)
def test_killed_after_delete(crashing, project, proxy, again):
    session = crashing.session()
    session.run("CREATE EXTENSION dynamo_fdw")
    session.server(project, proxy.url)
    session.table("drivers", DRIVERS)
    fill(session, 3)
    proxy.forget()
    proxy.fault(faults.stall, times=None, operation="CreateTable")
    running = Running(session, TRUNCATE)
    proxy.wait_for("CreateTable")
    os.kill(session.pid, signal.SIGKILL)
    assert running.join().error is not None
    proxy.heal()
    session = after_crash(crashing)
    gone(session, project)
    session.run(again)
    empty_and_usable(session, project)
    session.close()
