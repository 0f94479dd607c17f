"""The extension's records: who may write them, whose they are, and what becomes of those that nobody can act on."""

import pytest

import faults
from support import ACCESS_KEY, DRIVERS, dynamodb, make_remote, option_list, records, remote_tables

CREATE = "CREATE FOREIGN TABLE drivers (%s) SERVER feast" % DRIVERS
DROP = "DROP FOREIGN TABLE drivers"
OTHER_KEY = "FDWOTHER"
DENIED = faults.error("AccessDeniedException")


@pytest.fixture
def local(session, project, proxy):
    session.server(project, proxy.url)
    return session


@pytest.fixture
def role(local, new_role):
    """A role that may use the server, without a user mapping yet."""
    return new_role("feast")


def map_role(session, role, access_key=ACCESS_KEY, server="feast"):
    session.run(
        "CREATE USER MAPPING FOR %s SERVER %s OPTIONS (access_key_id '%s', secret_access_key 's')"
        % (role, server, access_key)
    )


def as_role(session, role, *statements):
    session.run("SET ROLE %s" % role)
    try:
        for statement in statements:
            session.run(statement)
    finally:
        session.run("RESET ROLE")


def leave_pending(session, proxy, statement=DROP):
    """A DROP whose DeleteTable is denied."""
    proxy.fault(DENIED, operation="DeleteTable")
    session.run(statement)
    session.warnings()


# Forged rows


FORGED = (
    "INSERT INTO dynamo_fdw_record VALUES (-1, 0, 0, 'pending', 10, 0, 'us-west-2', 'victim', 'http://x', 'id', '', '')"
)


@pytest.mark.parametrize(
    "statement",
    [
        FORGED,
        "INSERT INTO dynamo_fdw_record SELECT * FROM dynamo_fdw_record",
        "UPDATE dynamo_fdw_record SET table_name = 'victim'",
        "DELETE FROM dynamo_fdw_record",
        "TRUNCATE dynamo_fdw_record",
        "COPY dynamo_fdw_record FROM PROGRAM 'true'",
        "MERGE INTO dynamo_fdw_record r USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET table_name = 'victim'",
    ],
)
def test_nobody_writes_records_by_sql(local, statement):
    local.run(CREATE)
    before = local.run("SELECT * FROM dynamo_fdw_record")
    error = local.fail(statement)
    assert error.sqlstate == "42501"
    assert "written by dynamo_fdw alone" in error.diag.message_primary
    assert local.run("SELECT * FROM dynamo_fdw_record") == before


def test_who_may_write_all_data_can_not_forge_a_record(local, role):
    local.run("GRANT pg_read_all_data, pg_write_all_data TO %s" % role)
    local.run("SET ROLE %s" % role)
    for statement in (FORGED, "UPDATE dynamo_fdw_record SET id = 1", "DELETE FROM dynamo_fdw_record"):
        assert local.fail(statement).sqlstate == "42501"
    local.run("RESET ROLE")
    assert records(local) == []


def test_the_records_have_a_key_of_cluster_and_database(local):
    assert local.value("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'dynamo_fdw_record'::regclass")
    local.run(CREATE)
    (row,) = local.run(
        "SELECT r.system_identifier = c.system_identifier, r.database = d.oid, r.owner = s.srvowner, r.server = s.oid,"
        " r.region, r.endpoint ~ '^http://127.0.0.1:', r.table_id || r.created <> ''"
        " FROM dynamo_fdw_record r, pg_control_system() c, pg_database d, pg_foreign_server s"
        " WHERE d.datname = current_database()"
    )
    assert row == (True, True, True, True, "us-west-2", True, True)
    # The index follows what the module writes.
    local.run("SET enable_seqscan = off")
    assert local.value(
        "SELECT count(*) FROM dynamo_fdw_record WHERE (system_identifier, database, id) ="
        " (SELECT system_identifier, database, id FROM dynamo_fdw_record)"
    ) == 1


# USAGE


@pytest.fixture
def revoked(local, role, proxy):
    """The role has made drivers, and lost its USAGE on the server."""
    map_role(local, role)
    as_role(local, role, CREATE)
    local.run("REVOKE USAGE ON FOREIGN SERVER feast FROM %s" % role)
    proxy.forget()
    return role


def test_drop_asks_for_usage(local, revoked, project, proxy):
    as_role(local, revoked, DROP)
    assert "has no USAGE privilege" in " ".join(local.warnings())
    assert proxy.operations() == []
    assert records(local) == [(project + ".drivers", "pending")]
    local.run("GRANT USAGE ON FOREIGN SERVER feast TO %s" % revoked)
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 1
    assert remote_tables(project) == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'others')",
        "SELECT dynamo_fdw_create_table('drivers')",
    ],
)
def test_making_asks_for_usage(local, revoked, project, proxy, statement):
    local.run("SET ROLE %s" % revoked)
    error = local.fail(statement)
    local.run("RESET ROLE")
    assert error.sqlstate == "42501"
    assert "USAGE" in error.diag.message_primary
    assert proxy.operations() == []


def test_the_plan_asks_for_usage(local, revoked, proxy):
    assert "USAGE" in local.value("SELECT status FROM dynamo_fdw_plan()")
    assert proxy.operations() == []


def test_drop_by_hand_asks_for_usage(local, revoked, project, proxy):
    as_role(local, revoked, "SELECT dynamo_fdw_drop_table('drivers')")
    assert "has no USAGE privilege" in " ".join(local.warnings())
    assert proxy.operations() == []
    assert remote_tables(project) == ["drivers"]


def test_pending_deletions_ask_for_usage(local, role, project, proxy):
    map_role(local, role)
    as_role(local, role, CREATE)
    leave_pending(local, proxy)
    local.run("REVOKE USAGE ON FOREIGN SERVER feast FROM %s" % role)
    proxy.forget()
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 0
    assert "has no USAGE privilege" in " ".join(local.warnings())
    assert proxy.operations() == []
    assert remote_tables(project) == ["drivers"]


def test_a_pending_deletion_runs_by_no_other_server(local, role, project, proxy):
    """A second server with the same endpoint and a mapping for PUBLIC lends nobody its keys."""
    map_role(local, role)
    as_role(local, role, CREATE)
    leave_pending(local, proxy)
    local.run("REVOKE USAGE ON FOREIGN SERVER feast FROM %s" % role)
    local.server(project, proxy.url, name="aaa", mapping=False)
    local.run("CREATE USER MAPPING FOR PUBLIC SERVER aaa OPTIONS (access_key_id '%s', secret_access_key 's')" % ACCESS_KEY)
    local.run("GRANT USAGE ON FOREIGN SERVER aaa TO PUBLIC")
    proxy.forget()
    as_role(local, role, "SELECT dynamo_fdw_delete_pending()")
    assert proxy.operations() == []
    assert remote_tables(project) == ["drivers"]
    # Nor where its own server is gone.
    local.run("DROP SERVER feast CASCADE")
    local.warnings()
    as_role(local, role, "SELECT dynamo_fdw_delete_pending()")
    assert proxy.operations() == []
    assert records(local) == [(project + ".drivers", "final")]


def test_usage_counts_as_it_was_when_the_command_began(local, role, project, proxy):
    """REVOKE before DROP counts; what DROP OWNED revokes itself does not."""
    map_role(local, role)
    as_role(local, role, CREATE, CREATE.replace("drivers", "others", 1))
    local.run("BEGIN")
    local.run("REVOKE USAGE ON FOREIGN SERVER feast FROM %s" % role)
    local.run(DROP)
    local.run("COMMIT")
    assert "has no USAGE privilege" in " ".join(local.warnings())
    local.run("GRANT USAGE ON FOREIGN SERVER feast TO %s" % role)
    local.run("DROP OWNED BY %s" % role)
    assert remote_tables(project) == ["drivers"]


def test_rename_needs_no_usage(local, revoked, proxy):
    as_role(local, revoked, "ALTER TABLE drivers RENAME TO cars", "ALTER TABLE cars RENAME COLUMN trips TO rides")
    assert len(local.warnings()) == 2
    assert proxy.operations() == []


# Two accounts by one server's mappings


@pytest.fixture
def accounts(local, new_role, project):
    """Two roles whose mappings mean different AWS accounts; each has made a table of the same name."""
    first, second = new_role("feast"), new_role("feast")
    map_role(local, first)
    map_role(local, second, OTHER_KEY)
    for role in (first, second):
        local.run("CREATE SCHEMA s_%s AUTHORIZATION %s" % (role, role))
        as_role(local, role, CREATE.replace("drivers", "s_%s.drivers" % role, 1))
    yield first, second
    for table in remote_tables(project, access_key=OTHER_KEY):
        dynamodb(access_key=OTHER_KEY).delete_table(TableName=project + "." + table)


def test_each_account_has_a_record(local, accounts, project):
    assert records(local) == [(project + ".drivers", "made")] * 2
    assert remote_tables(project) == remote_tables(project, access_key=OTHER_KEY) == ["drivers"]


def test_what_another_account_made_waits_for_its_owner(local, accounts, project):
    first, second = accounts
    local.run("DROP FOREIGN TABLE s_%s.drivers" % first)
    (warning,) = local.warnings()
    assert "is over it" in warning
    assert remote_tables(project) == ["drivers"]
    local.run("DROP FOREIGN TABLE s_%s.drivers" % second)
    (warning,) = local.warnings()
    assert 'role "%s"' % first in warning
    assert remote_tables(project, access_key=OTHER_KEY) == []
    assert remote_tables(project) == ["drivers"]
    as_role(local, second, "SELECT dynamo_fdw_delete_pending()")
    assert remote_tables(project) == ["drivers"]
    as_role(local, first, "SELECT dynamo_fdw_delete_pending()")
    assert remote_tables(project) == []
    assert records(local) == []


def test_both_accounts_at_once(local, accounts, project):
    local.run("DROP SERVER feast CASCADE")
    local.run("SELECT dynamo_fdw_delete_pending()")
    left = len(remote_tables(project)) + len(remote_tables(project, access_key=OTHER_KEY))
    # Where something is left, a record names it.
    assert left == len(records(local))


# Another role's drop


@pytest.fixture
def kept(local, role, project):
    """A table that the role made, and kept when it dropped its foreign table."""
    map_role(local, role)
    as_role(local, role, CREATE + " OPTIONS (drop_remote_table 'never')", DROP)
    assert records(local) == [(project + ".drivers", "made")]
    return role


def uses(project, server="feast", **options):
    """CREATE FOREIGN TABLE over the remote table of drivers, which asks nothing."""
    options = {"table_name": project + ".drivers", "create_remote_table": "false", **options}
    return "CREATE FOREIGN TABLE uses (%s) SERVER %s OPTIONS (%s)" % (DRIVERS, server, option_list(options))


def test_a_role_without_keys_has_nothing_of_another_role_deleted(local, kept, new_role, project):
    as_role(local, new_role("feast"), uses(project), "DROP FOREIGN TABLE uses")
    assert "did not drop it" in " ".join(local.warnings())
    assert records(local) == [(project + ".drivers", "made")]
    as_role(local, kept, CREATE.replace("drivers", "others", 1), "SELECT dynamo_fdw_delete_pending()")
    assert remote_tables(project) == ["drivers", "others"]


def test_a_role_with_a_server_of_its_own_has_nothing_of_another_role_deleted(local, kept, new_role, project):
    other = new_role("feast")
    local.run("GRANT USAGE ON FOREIGN DATA WRAPPER dynamo_fdw TO %s; SET ROLE %s" % (other, other))
    local.server(project, "http://127.0.0.1:1", name="own")
    local.run("RESET ROLE")
    as_role(local, other, uses(project, "own"), "DROP FOREIGN TABLE uses")
    assert local.warnings() == []  # nor does it hear of it
    assert records(local) == [(project + ".drivers", "made")]


def test_what_its_maker_gave_away_stays(local, role, project):
    map_role(local, role)
    as_role(local, role, CREATE)
    local.run("ALTER FOREIGN TABLE drivers OWNER TO CURRENT_USER")
    local.run(DROP)
    assert 'role "%s"' % role in " ".join(local.warnings())
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 0
    assert remote_tables(project) == ["drivers"]


def test_what_its_maker_gave_away_can_be_claimed(local, role, project):
    map_role(local, role)
    as_role(local, role, CREATE)
    local.run("ALTER FOREIGN TABLE drivers OWNER TO CURRENT_USER; SELECT dynamo_fdw_claim('drivers')")
    local.run(DROP)
    assert local.warnings() == []
    assert remote_tables(project) == []


@pytest.mark.parametrize("policy", ["created", "always", "never"])
def test_what_its_maker_dropped_goes_after_the_foreign_tables_of_others(local, role, new_role, project, policy):
    map_role(local, role)
    other = new_role("feast")
    as_role(local, role, CREATE)
    as_role(local, other, uses(project, drop_remote_table=policy))
    as_role(local, role, DROP)
    assert "is over it" in " ".join(local.warnings())
    assert records(local) == [(project + ".drivers", "pending")]
    as_role(local, role, "SELECT dynamo_fdw_delete_pending()")
    assert remote_tables(project) == ["drivers"]
    as_role(local, other, "DROP FOREIGN TABLE uses")
    as_role(local, role, "SELECT dynamo_fdw_delete_pending()")
    assert remote_tables(project) == []
    assert records(local) == []


def test_adopted_by_another_role_it_stays_owed(local, role, new_role, project, proxy):
    other = new_role("feast")
    for one in (role, other):
        map_role(local, one)
    as_role(local, role, CREATE)
    leave_pending(local, proxy)
    as_role(local, other, CREATE)
    assert "to be deleted when no foreign table is over it" in " ".join(local.warnings())
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 0
    as_role(local, other, DROP)
    assert 'role "%s"' % role in " ".join(local.warnings())
    assert remote_tables(project) == ["drivers"]
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 1


# Tables that aren't Feast's


@pytest.mark.parametrize("policy", ["created", "always"])
def test_a_table_with_another_key_is_never_deleted(local, project, policy):
    local.table("drivers", DRIVERS, drop_remote_table=policy)
    dynamodb().delete_table(TableName=project + ".drivers")
    make_remote(project + ".drivers", "id")
    local.run(DROP)
    assert "is kept" in " ".join(local.warnings())
    assert remote_tables(project) == ["drivers"]


def test_by_hand_a_table_with_another_key_is_not_deleted(local, project):
    local.table("drivers", DRIVERS, drop_remote_table="always")
    dynamodb().delete_table(TableName=project + ".drivers")
    make_remote(project + ".drivers", "id")
    local.run("SELECT dynamo_fdw_drop_table('drivers')")
    assert remote_tables(project) == ["drivers"]


# Final states


@pytest.fixture
def final(local, project, proxy):
    """A record whose server is gone."""
    local.run(CREATE)
    leave_pending(local, proxy)
    local.run("DROP SERVER feast CASCADE")
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 0
    (warning,) = local.warnings()
    assert "cannot be deleted from here any more" in warning
    return local


def test_a_final_state_is_said_once_and_listed(final, project, proxy):
    assert records(final) == [(project + ".drivers", "final")]
    assert final.value("SELECT dynamo_fdw_delete_pending()") == 0
    final.server(project, proxy.url)
    final.table("others", DRIVERS)
    assert final.warnings() == []
    ((record, why),) = final.run("SELECT record, on_drop FROM dynamo_fdw_plan() WHERE record_state = 'final'")
    assert "server" in why
    final.run("SELECT dynamo_fdw_forget(%s)", [record])
    assert records(final) == [(project + ".others", "made")]
    assert remote_tables(project) == ["drivers", "others"]


def test_a_record_whose_role_is_gone_is_final(local, role, project, proxy):
    map_role(local, role)
    as_role(local, role, CREATE)
    leave_pending(local, proxy)
    local.run("DROP OWNED BY %s; DROP ROLE %s" % (role, role))
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 0
    (warning,) = local.warnings()
    assert "cannot be deleted from here any more" in warning
    assert records(local) == [(project + ".drivers", "final")]
    local.run("CREATE ROLE %s" % role)  # for the fixture; another one of the same name
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 0
    assert local.warnings() == []


# SQL objects of another version


@pytest.fixture
def outdated(local, project):
    """The table of records as another version has it."""
    local.run(CREATE)
    local.table("always", DRIVERS, drop_remote_table="always")
    local.run("ALTER TABLE dynamo_fdw_record RENAME COLUMN note TO remark")
    yield local
    local.run("ALTER TABLE dynamo_fdw_record RENAME COLUMN remark TO note")


def test_another_version_makes_nothing(outdated, project, proxy):
    proxy.forget()
    for statement in (
        "CREATE FOREIGN TABLE others (%s) SERVER feast" % DRIVERS,
        "ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'others')",
        "SELECT dynamo_fdw_create_table('drivers')",
        "SELECT dynamo_fdw_drop_table('drivers')",
        "SELECT dynamo_fdw_delete_pending()",
        "SELECT * FROM dynamo_fdw_plan()",
        "SELECT dynamo_fdw_forget(1)",
        "SELECT dynamo_fdw_claim('drivers')",
    ):
        error = outdated.fail(statement)
        assert (statement, error.sqlstate) == (statement, "55000")
        assert "ALTER EXTENSION dynamo_fdw UPDATE" in error.diag.message_hint
    assert proxy.operations() == []
    assert remote_tables(project) == ["always", "drivers"]


def test_another_version_keeps_everything(outdated, project, proxy):
    proxy.forget()
    outdated.run("DROP FOREIGN TABLE drivers, always")
    warnings = outdated.warnings()
    assert len(warnings) == 2 and all("is kept" in warning for warning in warnings)
    assert proxy.operations() == []
    assert remote_tables(project) == ["always", "drivers"]
