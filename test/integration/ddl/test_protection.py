"""Deletion protection: a protected table outlives DROP, TRUNCATE and what is owed, and nothing tries again."""

import pytest

import faults
from support import ACCESS_KEY, DRIVERS, dynamodb, fill, make_remote, records, remote_tables

DROP = "DROP FOREIGN TABLE drivers"
PROTECTED = "It is protected against deletion."
OFF = "CREATE a foreign table over it with the option deletion_protection 'false'"
NOTE = "it is protected against deletion"
FINAL = "SELECT remote_table, on_drop, record_state FROM dynamo_fdw_plan() WHERE foreign_table IS NULL"
CHANGES = {"CreateTable", "UpdateTable", "DeleteTable"}


def protect(project, table="drivers", on=True):
    dynamodb().update_table(TableName="%s.%s" % (project, table), DeletionProtectionEnabled=on)


@pytest.fixture
def local(session, project, proxy):
    session.server(project, proxy.url)
    session.hints = []
    session.conn.add_notice_handler(lambda diag: session.hints.append(diag.message_hint))
    yield session
    session.run("ROLLBACK")
    for table in remote_tables(project):
        protect(project, table, False)


@pytest.fixture
def made(local, project, proxy):
    """The foreign table drivers, whose remote table CREATE made, and somebody protected."""
    local.table("drivers", DRIVERS)
    protect(project)
    proxy.forget()
    return local


def kept(session, project, proxy, state="final", table="drivers"):
    """Nothing was deleted, and whatever tries what is owed does not try this."""
    assert remote_tables(project) == [table]
    session.run("SELECT 1")  # ends the records of other tables that are gone
    assert records(session) == [(project + "." + table, state)]
    proxy.forget()
    session.table("next", DRIVERS)
    session.run("SELECT dynamo_fdw_delete_pending()")
    assert {request.json()["TableName"] for request in proxy.requests} == {project + ".next"}
    session.run("DROP FOREIGN TABLE next")
    assert remote_tables(project) == [table]


def gone(session, project):
    """Without a word; that it was accepted is written by the next transaction."""
    session.run("SELECT 1")
    assert session.warnings() == remote_tables(project) == records(session) == []


def warning(session, table, foreign_table="drivers"):
    """The only one, and its hint."""
    of = 'of foreign table "%s" ' % foreign_table if foreign_table else ""
    assert session.warnings() == ['remote table "%s" %sis kept %s' % (table, of, PROTECTED)]
    return session.hints.pop()


def test_drop(made, project, proxy):
    made.run(DROP)
    assert OFF in warning(made, project + ".drivers")
    assert set(proxy.operations()) == {"DescribeTable"}
    kept(made, project, proxy)


def test_the_record_is_listed_until_it_is_forgotten(made, project):
    made.run(DROP)
    assert made.run(FINAL) == [(project + ".drivers", NOTE, "final")]
    made.run("SELECT dynamo_fdw_forget(record) FROM dynamo_fdw_plan()")
    assert made.run(FINAL) == records(made) == []
    assert remote_tables(project) == ["drivers"]


def test_the_option_protects(local, project, proxy):
    local.table("drivers", DRIVERS, deletion_protection="true")
    local.run(DROP)
    warning(local, project + ".drivers")
    kept(local, project, proxy)


def test_a_create_by_its_owner_owns_it_again(made, project):
    """As the hint says."""
    made.run(DROP)
    made.warnings()
    made.table("drivers", DRIVERS)
    assert "CREATE FOREIGN TABLE made it earlier" in made.warnings()[0]
    assert records(made) == [(project + ".drivers", "made")]
    made.run(DROP)  # it is protected still
    warning(made, project + ".drivers")
    made.table("drivers", DRIVERS)
    made.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD deletion_protection 'false')")
    made.warnings()
    made.run(DROP)
    gone(made, project)


def test_the_hint_of_drop_is_right(made, project):
    made.run(DROP)
    made.warnings()
    made.table("drivers", DRIVERS, deletion_protection="false")
    made.warnings()
    made.run(DROP)
    gone(made, project)


def test_a_create_by_another_role_does_not_own_it(made, new_role, project):
    made.run(DROP)
    role = new_role("feast")
    made.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (access_key_id '%s', secret_access_key 's')" % (role, ACCESS_KEY))
    made.run("SET ROLE " + role)
    made.table("drivers", DRIVERS)
    protect(project, on=False)
    made.run(DROP + "; RESET ROLE")
    assert records(made) == [(project + ".drivers", "final")]
    assert remote_tables(project) == ["drivers"]


def test_a_table_made_in_its_place_ends_the_record(made, project):
    made.run(DROP)
    protect(project, on=False)
    dynamodb().delete_table(TableName=project + ".drivers")
    made.table("drivers", DRIVERS)
    assert records(made) == [(project + ".drivers", "made")]


def test_turning_it_off_deletes_nothing_later(made, project, proxy):
    """DROP said that it is kept."""
    made.run(DROP)
    protect(project, on=False)
    kept(made, project, proxy)


def test_cascade(made, project, proxy):
    made.run("CREATE SCHEMA s; ALTER FOREIGN TABLE drivers SET SCHEMA s; DROP SCHEMA s CASCADE")
    warning(made, project + ".drivers")
    kept(made, project, proxy)


def test_others_of_the_same_drop_go(made, project, proxy):
    made.table("second", DRIVERS)
    made.run("DROP FOREIGN TABLE drivers, second")
    warning(made, project + ".drivers")
    kept(made, project, proxy)


def test_drop_of_the_server(made, project):
    made.run("DROP SERVER feast CASCADE")
    warning(made, project + ".drivers")
    assert records(made) == [(project + ".drivers", "final")]
    assert remote_tables(project) == ["drivers"]


def test_drop_of_the_extension(made, project):
    """No record can be written."""
    made.run("BEGIN; DROP EXTENSION dynamo_fdw CASCADE; COMMIT")
    try:
        assert "by hand" in warning(made, project + ".drivers")
        assert remote_tables(project) == ["drivers"]
    finally:
        made.run("CREATE EXTENSION dynamo_fdw")


def test_always(local, project, proxy):
    """A table that was not made here has no record, and gets none."""
    make_remote(project + ".drivers")
    protect(project)
    local.table("drivers", DRIVERS, drop_remote_table="always")
    local.warnings()
    local.run(DROP)
    assert "by hand" in warning(local, project + ".drivers")
    assert records(local) == []
    assert remote_tables(project) == ["drivers"]


def test_always_of_a_table_made_here(local, project, proxy):
    local.table("drivers", DRIVERS, drop_remote_table="always")
    protect(project)
    local.run(DROP)
    assert OFF in warning(local, project + ".drivers")
    kept(local, project, proxy)


def test_by_hand(made, project):
    """The foreign table stays, and so does its record: once it is not protected it can go."""
    made.run("SELECT dynamo_fdw_drop_table('drivers')")
    hint = warning(made, project + ".drivers")
    assert "ALTER FOREIGN TABLE" in hint and "deletion_protection" in hint
    assert records(made) == [(project + ".drivers", "made")]
    made.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD deletion_protection 'false')")
    made.warnings()
    made.run("SELECT dynamo_fdw_drop_table('drivers')")
    gone(made, project)


def test_a_part_that_is_rolled_back(local, project, proxy):
    local.run("BEGIN; SAVEPOINT s")
    local.table("drivers", DRIVERS)
    protect(project)
    local.run("ROLLBACK TO s; COMMIT")
    assert OFF in warning(local, project + ".drivers", None)
    kept(local, project, proxy)


def test_a_rollback(local, project, proxy):
    """It deletes without asking the door; what it leaves over comes there once."""
    local.run("BEGIN")
    local.table("drivers", DRIVERS)
    protect(project)
    local.run("ROLLBACK")
    assert "could not be deleted" in local.warnings()[0]
    assert records(local) == []
    local.run("SELECT 1")
    assert records(local) == [(project + ".drivers", "leftover")]
    local.run("SELECT dynamo_fdw_delete_pending()")
    assert OFF in warning(local, project + ".drivers", None)
    kept(local, project, proxy)


def test_a_rollback_of_its_server_too(local, project, proxy):
    """Nobody can ever sign by a record, so there is none; it is tried once."""
    local.run("BEGIN")
    local.server(project, proxy.url, "second")
    local.table("drivers", DRIVERS, "second")
    protect(project)
    local.run("ROLLBACK")
    local.warnings()
    local.run("SELECT dynamo_fdw_delete_pending()")
    assert "by hand" in warning(local, project + ".drivers", None)
    local.run("SELECT dynamo_fdw_delete_pending()")
    assert local.warnings() == records(local) == []
    assert remote_tables(project) == ["drivers"]


def test_what_is_owed(local, project, proxy):
    local.table("drivers", DRIVERS)
    proxy.fault(faults.error("AccessDeniedException"), operation="DeleteTable")
    local.run(DROP)
    assert records(local) == [(project + ".drivers", "pending")]
    protect(project)
    local.warnings()
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 0
    assert OFF in warning(local, project + ".drivers", None)
    kept(local, project, proxy)


def test_a_create_finds_what_is_owed_protected(local, project, proxy):
    """Nobody asked, so nobody is warned."""
    local.table("drivers", DRIVERS)
    proxy.fault(faults.error("AccessDeniedException"), operation="DeleteTable")
    local.run(DROP)
    protect(project)
    local.warnings()
    local.table("third", DRIVERS)
    assert local.warnings() == []
    local.run("DROP FOREIGN TABLE third")
    kept(local, project, proxy)


@pytest.fixture
def late(project, proxy):
    """Somebody protects the table between the look and DeleteTable."""

    def act(exchange):
        protect(project)
        faults.right(exchange)

    proxy.fault(act, operation="DeleteTable")


def test_a_race(local, project, proxy, late):
    local.table("drivers", DRIVERS)
    local.run(DROP)
    (text,) = local.warnings()
    assert "could not be deleted" in text and "protect" in text.lower()
    assert records(local) == [(project + ".drivers", "pending")]
    local.run("SELECT dynamo_fdw_delete_pending()")
    warning(local, project + ".drivers", None)
    kept(local, project, proxy)


def test_a_race_within_a_statement(local, project, proxy, late):
    local.table("drivers", DRIVERS)
    proxy.heal()
    proxy.fault(faults.error("AccessDeniedException"), operation="DeleteTable")
    local.run(DROP)
    local.warnings()
    protect_late = faults.error("ValidationException", message="Resource cannot be deleted as it is currently protected against deletion.")
    proxy.fault(protect_late, operation="DeleteTable")
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 0
    assert "protected" in local.warnings()[0]
    assert records(local) == [(project + ".drivers", "pending")]


def test_a_key_of_others_is_told_first(local, project):
    make_remote(project + ".drivers", "id")
    protect(project)
    local.table("drivers", DRIVERS, drop_remote_table="always", create_remote_table="false")
    local.run(DROP)
    assert "Its key is not that of Feast's tables." in local.warnings()[0]


# TRUNCATE.


def test_truncate(made, project, proxy):
    fill(made, 3)
    error = made.fail("TRUNCATE drivers")
    assert error.sqlstate == "55000"
    assert error.diag.message_detail == PROTECTED
    assert "ALTER FOREIGN TABLE drivers OPTIONS (SET deletion_protection 'false')" in error.diag.message_hint
    assert not CHANGES & set(proxy.operations())
    assert records(made) == [(project + ".drivers", "made")]
    made.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD deletion_protection 'false')")
    made.run("TRUNCATE drivers")
    assert made.value("SELECT count(*) FROM drivers WHERE driver_id IN (1, 2, 3)") == 0


def test_truncate_checks_all_first(made, project, proxy):
    made.table('"Second"', DRIVERS)
    proxy.forget()
    for statement in ('TRUNCATE drivers, "Second"', 'TRUNCATE "Second", drivers'):
        assert made.fail(statement).diag.message_detail == PROTECTED
    protect(project, on=False)
    protect(project, "Second")
    error = made.fail('TRUNCATE drivers, "Second"')
    assert 'ALTER FOREIGN TABLE "Second" OPTIONS' in error.diag.message_hint
    assert not CHANGES & set(proxy.operations())


def test_truncate_that_is_too_late(local, project, proxy, late):
    local.table("drivers", DRIVERS)
    fill(local, 3)
    proxy.forget()
    error = local.fail("TRUNCATE drivers")
    assert "protect" in error.diag.message_detail.lower()
    assert proxy.count("CreateTable") == 0
    assert local.value("SELECT count(*) FROM drivers WHERE driver_id IN (1, 2, 3)") == 3
    assert records(local) == [(project + ".drivers", "made")]


# The plan.


def plan(session):
    return session.value("SELECT on_drop FROM dynamo_fdw_plan() WHERE foreign_table IS NOT NULL")


def test_plan(made, project):
    assert plan(made) == "keep: it is protected against deletion"
    protect(project, on=False)
    assert plan(made) == "delete: CREATE FOREIGN TABLE made it"


@pytest.mark.parametrize("options, on_drop", [
    ({}, "keep: CREATE FOREIGN TABLE did not make it here"),
    ({"drop_remote_table": "never"}, "keep: drop_remote_table is 'never'"),
    ({"drop_remote_table": "always"}, "keep: it is protected against deletion"),
])
def test_plan_of_a_table_that_was_there(local, project, options, on_drop):
    make_remote(project + ".drivers")
    protect(project)
    local.table("drivers", DRIVERS, **options)
    assert plan(local) == on_drop


def test_plan_tells_what_drop_does_by_a_final_record(made, project):
    """A foreign table that nobody made the remote table for: DROP leaves the record, and the table."""
    made.run(DROP)
    protect(project, on=False)
    made.run("SET dynamo_fdw.remote_ddl = off")
    made.table("drivers", DRIVERS)
    made.run("SET dynamo_fdw.remote_ddl = on")
    assert plan(made) == "keep: " + NOTE
    made.run(DROP)
    assert remote_tables(project) == ["drivers"]
