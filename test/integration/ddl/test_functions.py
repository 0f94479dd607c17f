"""What can be done by hand: dynamo_fdw_create_table(), …_drop_table(), …_delete_pending(), …_forget(), …_claim()."""

import pytest

import faults
from support import ACCESS_KEY, DRIVERS, dynamodb, fill, make_remote, records, remote_tables

DENIED = faults.error("AccessDeniedException")
FUNCTIONS = ["create_table(regclass)", "drop_table(regclass)", "delete_pending()", "forget(bigint)", "claim(regclass)",
             "plan(name)"]


@pytest.fixture
def local(session, project, proxy):
    session.server(project, proxy.url)
    return session


@pytest.fixture
def role(local, new_role):
    role = new_role("feast")
    local.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (access_key_id '%s', secret_access_key 's')" % (role, ACCESS_KEY))
    return role


def off(session, statement):
    session.run("SET dynamo_fdw.remote_ddl = off")
    session.run(statement)
    session.run("SET dynamo_fdw.remote_ddl = on")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_everybody_may_call_them(local, role, function):
    assert local.value("SELECT has_function_privilege('%s', 'dynamo_fdw_%s', 'EXECUTE')" % (role, function))


# dynamo_fdw_create_table


def test_create_table_makes_what_is_absent(local, project):
    off(local, "CREATE FOREIGN TABLE drivers (%s) SERVER feast" % DRIVERS)
    local.run("SELECT dynamo_fdw_create_table('drivers')")
    assert records(local) == [(project + ".drivers", "made")]
    fill(local, 1)
    local.run("DROP FOREIGN TABLE drivers")
    assert remote_tables(project) == []


def test_create_table_uses_what_is_there(local, project):
    make_remote(project + ".drivers")
    off(local, "CREATE FOREIGN TABLE drivers (%s) SERVER feast" % DRIVERS)
    local.run("SELECT dynamo_fdw_create_table('drivers')")
    assert "exists already" in " ".join(local.warnings())
    assert records(local) == []


def test_create_table_rolled_back(local, project):
    off(local, "CREATE FOREIGN TABLE drivers (%s) SERVER feast" % DRIVERS)
    local.run("BEGIN")
    local.run("SELECT dynamo_fdw_create_table('drivers')")
    assert remote_tables(project) == ["drivers"]
    local.run("ROLLBACK")
    assert remote_tables(project) == []


def test_create_table_makes_none_for_a_temporary_table(local, project):
    local.table("pg_temp.drivers", DRIVERS, create_remote_table="false")
    off(local, "ALTER FOREIGN TABLE pg_temp.drivers OPTIONS (SET create_remote_table 'true')")
    assert local.fail("SELECT dynamo_fdw_create_table('pg_temp.drivers')").sqlstate == "0A000"
    assert remote_tables(project) == []


def test_alter_makes_none_for_a_temporary_table(local, project):
    local.table("pg_temp.drivers", DRIVERS, create_remote_table="false")
    error = local.fail("ALTER FOREIGN TABLE pg_temp.drivers OPTIONS (SET create_remote_table 'true', ADD feature_view 'x')")
    assert error.sqlstate == "0A000"
    assert remote_tables(project) == []


# dynamo_fdw_drop_table


def test_drop_table_deletes_after_commit_and_keeps_the_foreign_table(local, project):
    local.table("drivers", DRIVERS)
    local.run("BEGIN")
    local.run("SELECT dynamo_fdw_drop_table('drivers')")
    assert remote_tables(project) == ["drivers"]
    local.run("COMMIT")
    assert remote_tables(project) == []
    assert local.value("SELECT status FROM dynamo_fdw_plan()") == "absent"
    local.run("SELECT dynamo_fdw_create_table('drivers')")
    assert records(local) == [(project + ".drivers", "made")]


def test_drop_table_rolled_back(local, project):
    local.table("drivers", DRIVERS)
    local.run("BEGIN")
    local.run("SELECT dynamo_fdw_drop_table('drivers')")
    local.run("ROLLBACK")
    assert remote_tables(project) == ["drivers"]


def test_drop_table_keeps_what_another_foreign_table_uses(local, project):
    local.table("drivers", DRIVERS)
    local.table("others", DRIVERS, feature_view="drivers")
    local.run("SELECT dynamo_fdw_drop_table('drivers')")
    assert remote_tables(project) == ["drivers"]
    assert "others" in " ".join(local.warnings())
    # Both at once: nobody uses it any more.
    local.run("SELECT dynamo_fdw_drop_table('drivers'), dynamo_fdw_drop_table('others')")
    assert remote_tables(project) == []


def test_drop_table_keeps_what_was_there(local, project):
    make_remote(project + ".drivers")
    local.table("drivers", DRIVERS)
    local.warnings()
    local.run("SELECT dynamo_fdw_drop_table('drivers')")
    assert remote_tables(project) == ["drivers"]
    assert project + ".drivers" in " ".join(local.warnings())
    local.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD drop_remote_table 'always')")
    local.run("SELECT dynamo_fdw_drop_table('drivers')")
    assert remote_tables(project) == []


# dynamo_fdw_forget


def test_forget_keeps_the_table(local, project):
    local.table("drivers", DRIVERS)
    local.run("SELECT dynamo_fdw_forget(record) FROM dynamo_fdw_plan()")
    assert records(local) == []
    local.run("DROP FOREIGN TABLE drivers")
    assert remote_tables(project) == ["drivers"]


def test_forget_can_be_rolled_back(local, project):
    local.table("drivers", DRIVERS)
    local.run("BEGIN")
    local.run("SELECT dynamo_fdw_forget(record) FROM dynamo_fdw_plan()")
    local.run("ROLLBACK")
    assert records(local) == [(project + ".drivers", "made")]


def test_forget_of_no_record(local):
    error = local.fail("SELECT dynamo_fdw_forget(4711)")
    assert error.sqlstate == "42704"
    assert "dynamo_fdw_plan()" in error.diag.message_hint


# Whose


@pytest.mark.parametrize("function", ["create_table", "drop_table"])
def test_only_owners_act_on_foreign_tables(local, role, proxy, function):
    local.table("drivers", DRIVERS)
    proxy.forget()
    local.run("SET ROLE %s" % role)
    assert local.fail("SELECT dynamo_fdw_%s('drivers')" % function).sqlstate == "42501"
    assert proxy.operations() == []


def test_claim_is_for_superusers(local, role):
    local.run("SET ROLE %s" % role)
    local.table("drivers", DRIVERS)
    assert local.fail("SELECT dynamo_fdw_claim('drivers')").sqlstate == "42501"


def test_records_of_others_are_left_alone(local, role, project, proxy):
    local.table("drivers", DRIVERS)
    proxy.fault(DENIED, operation="DeleteTable")
    local.run("DROP FOREIGN TABLE drivers")
    record = local.value("SELECT id FROM dynamo_fdw_record")
    proxy.forget()
    local.warnings()
    local.run("SET client_min_messages = debug5")
    local.run("SET ROLE %s" % role)
    assert local.fail("SELECT dynamo_fdw_forget(%s)", [record]).sqlstate == "42704"
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 0
    assert proxy.operations() == []
    local.table("others", DRIVERS)
    assert project + ".drivers" not in " ".join(str(notice) for notice in local.notices)
    local.run("RESET ROLE; RESET client_min_messages")
    assert records(local) == [(project + ".drivers", "pending"), (project + ".others", "made")]


def test_a_superuser_acts_with_each_owners_keys(local, new_role, project, proxy):
    role = new_role("feast")
    local.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (access_key_id 'FDWROLE', secret_access_key 's')" % role)
    local.run("SET ROLE %s" % role)
    local.table("drivers", DRIVERS)
    local.run("RESET ROLE")
    proxy.forget()
    local.run("SELECT dynamo_fdw_create_table('drivers')")
    proxy.fault(DENIED, operation="DeleteTable")
    local.run("SELECT dynamo_fdw_drop_table('drivers')")
    local.run("DROP FOREIGN TABLE drivers")
    local.run("SELECT dynamo_fdw_delete_pending()")
    assert records(local) == []
    assert len(proxy.requests) > 4
    assert all("Credential=FDWROLE/" in request.header("Authorization") for request in proxy.requests)


def test_a_member_of_the_owner_acts_for_it(local, role, new_role, project):
    local.run("SET ROLE %s" % role)
    local.table("drivers", DRIVERS)
    local.run("RESET ROLE")
    member = new_role("feast")
    local.run("GRANT %s TO %s" % (role, member))
    local.run("SET ROLE %s" % member)
    assert local.value("SELECT count(*) FROM dynamo_fdw_plan()") == 1
    local.run("SELECT dynamo_fdw_drop_table('drivers')")
    assert remote_tables(project) == []


def test_the_hint_of_a_pending_deletion_is_for_its_reader(local, role, project, proxy):
    local.run("SET ROLE %s" % role)
    local.table("drivers", DRIVERS)
    hints = []
    local.conn.add_notice_handler(lambda diag: hints.append(diag.message_hint or ""))
    proxy.fault(DENIED, operation="DeleteTable")
    local.run("DROP FOREIGN TABLE drivers")
    assert "dynamo_fdw_delete_pending()" in " ".join(hints)
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 1


# What they refuse


@pytest.mark.parametrize("statement", ["create_table('drivers')", "drop_table('drivers')", "delete_pending()"])
def test_remote_ddl_off(local, proxy, statement):
    local.table("drivers", DRIVERS)
    local.run("SET dynamo_fdw.remote_ddl = off")
    proxy.forget()
    assert local.fail("SELECT dynamo_fdw_" + statement).sqlstate == "55000"
    assert proxy.operations() == []


@pytest.mark.parametrize(
    "statement", ["create_table('drivers')", "drop_table('drivers')", "delete_pending()", "forget(1)", "claim('drivers')"]
)
def test_read_only(local, proxy, statement):
    local.table("drivers", DRIVERS)
    local.run("BEGIN READ ONLY")
    proxy.forget()
    assert local.fail("SELECT dynamo_fdw_" + statement).sqlstate == "25006"
    local.run("ROLLBACK")
    assert proxy.operations() == []


@pytest.mark.parametrize("function", ["create_table", "drop_table", "claim"])
def test_other_relations(local, function):
    assert local.fail("SELECT dynamo_fdw_%s('pg_class')" % function).sqlstate == "42809"
    assert local.fail("SELECT dynamo_fdw_%s(4711)" % function).sqlstate == "42P01"
    assert local.value("SELECT dynamo_fdw_%s(NULL)" % function) is None


def test_claim_without_a_record(local, project):
    make_remote(project + ".drivers")
    local.table("drivers", DRIVERS)
    assert local.fail("SELECT dynamo_fdw_claim('drivers')").sqlstate == "42704"
    dynamodb().delete_table(TableName=project + ".drivers")
    assert local.fail("SELECT dynamo_fdw_claim('drivers')").sqlstate == "HV00R"
