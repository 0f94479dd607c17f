"""A server's drop_remote_table 'never' and create_remote_table 'false' bind its foreign tables, whoever asks."""

import pytest

import faults
from support import DRIVERS, fill, make_remote, records, remote_tables

DROP = "DROP FOREIGN TABLE drivers"


@pytest.fixture
def never(session, project, proxy):
    """A server that deletes nothing, and an existing table that a foreign table would always delete."""
    session.server(project, proxy.url, drop_remote_table="never")
    make_remote(project + ".drivers")
    session.table("drivers", DRIVERS, drop_remote_table="always")
    session.warnings()
    proxy.forget()
    return session


@pytest.mark.parametrize(
    "drop",
    [
        DROP,
        "DROP SERVER feast CASCADE",
        "ALTER FOREIGN TABLE drivers OPTIONS (DROP drop_remote_table); " + DROP,
        "ALTER FOREIGN TABLE drivers OPTIONS (SET drop_remote_table 'created'); " + DROP,
    ],
)
def test_drop(never, project, proxy, drop):
    never.run(drop)
    assert "DeleteTable" not in proxy.operations()
    assert remote_tables(project) == ["drivers"]


def test_by_hand(never, project, proxy):
    error = never.fail("SELECT dynamo_fdw_drop_table('drivers')")
    assert error.sqlstate == "55000"
    assert "drop_remote_table 'never'" in error.diag.message_primary
    assert "alter the server" in error.diag.message_hint
    assert proxy.operations() == []


def test_the_plan(never):
    assert never.value("SELECT on_drop FROM dynamo_fdw_plan()") == "keep: drop_remote_table is 'never'"


def test_who_alters_the_server_lifts_it(never, project):
    never.run("ALTER SERVER feast OPTIONS (SET drop_remote_table 'created')")
    never.run(DROP)
    assert remote_tables(project) == []


def test_the_owner_of_a_table_does_not_lift_it(never, new_role, project, proxy):
    role = new_role("feast")
    never.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (access_key_id 'FDWTEST', secret_access_key 's')" % role)
    never.run("ALTER FOREIGN TABLE drivers OWNER TO %s" % role)
    never.run("SET ROLE %s" % role)
    assert never.fail("ALTER SERVER feast OPTIONS (SET drop_remote_table 'always')").sqlstate == "42501"
    never.run("ALTER FOREIGN TABLE drivers OPTIONS (SET drop_remote_table 'always')")
    never.run(DROP)
    assert remote_tables(project) == ["drivers"]


def test_a_ceiling_set_later_keeps_what_was_made(session, project, proxy):
    session.server(project, proxy.url)
    session.table("drivers", DRIVERS, drop_remote_table="always")
    session.run("ALTER SERVER feast OPTIONS (ADD drop_remote_table 'never')")
    session.run(DROP)
    assert remote_tables(project) == ["drivers"]


def test_a_ceiling_set_while_a_deletion_is_pending(session, project, proxy):
    """dynamo_fdw_delete_pending() and the next CREATE keep the table, too."""
    session.server(project, proxy.url)
    session.table("drivers", DRIVERS)
    proxy.fault(faults.error("AccessDeniedException"), operation="DeleteTable")
    session.run(DROP)
    session.warnings()
    session.run("ALTER SERVER feast OPTIONS (ADD drop_remote_table 'never')")
    assert session.value("SELECT dynamo_fdw_delete_pending()") == 0
    assert "'never'" in " ".join(session.warnings())
    session.table("others", DRIVERS)
    assert remote_tables(project) == ["drivers", "others"]
    assert records(session)[0] == (project + ".drivers", "pending")
    session.run("ALTER SERVER feast OPTIONS (DROP drop_remote_table)")
    assert session.value("SELECT dynamo_fdw_delete_pending()") == 1


def test_a_ceiling_of_the_server_that_made_the_table(session, project, proxy):
    """Another server over the same table doesn't lift it."""
    session.server(project, proxy.url)
    session.table("drivers", DRIVERS)
    session.server(project, proxy.url, name="second")
    session.table("more", DRIVERS, server="second", feature_view="drivers")
    session.run("ALTER SERVER feast OPTIONS (ADD drop_remote_table 'never')")
    session.run(DROP)
    session.run("DROP FOREIGN TABLE more")
    assert "'never'" in " ".join(session.warnings())
    assert remote_tables(project) == ["drivers"]


def test_rollback_of_create_deletes_what_only_it_made(session, project, proxy):
    """Nobody has seen that table: 'never' is about tables that were committed."""
    session.server(project, proxy.url, drop_remote_table="never")
    session.run("BEGIN")
    session.table("drivers", DRIVERS)
    assert remote_tables(project) == ["drivers"]
    session.run("ROLLBACK")
    assert remote_tables(project) == []


def test_truncate(never, project, proxy):
    fill(never, 1)
    never.fail("TRUNCATE drivers")
    assert never.value("SELECT count(*) FROM drivers WHERE driver_id = 1") == 1


# create_remote_table 'false'


@pytest.fixture
def nothing(session, project, proxy):
    session.server(project, proxy.url, create_remote_table="false")
    return session


def test_create(nothing, project, proxy):
    nothing.table("drivers", DRIVERS, create_remote_table="true")
    assert proxy.operations() == []
    nothing.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'others')")
    nothing.run("ALTER FOREIGN TABLE drivers OPTIONS (DROP create_remote_table, SET feature_view 'more')")
    assert proxy.operations() == []
    error = nothing.fail("SELECT dynamo_fdw_create_table('drivers')")
    assert error.sqlstate == "55000"
    assert "create_remote_table 'false'" in error.diag.message_primary
    assert proxy.operations() == []
    assert nothing.value("SELECT on_create FROM dynamo_fdw_plan()") == "nothing: create_remote_table is 'false'"
    assert remote_tables(project) == []


def test_create_of_a_table_with_its_own_false(session, project, proxy):
    session.server(project, proxy.url, create_remote_table="true")
    session.table("drivers", DRIVERS, create_remote_table="false")
    assert proxy.operations() == []
