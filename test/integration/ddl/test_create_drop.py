"""CREATE makes the DynamoDB table, DROP deletes it after COMMIT, and ROLLBACK of either changes nothing."""

import pytest

from support import DRIVERS, Session, dynamodb, fill, make_remote, raw_items, remote_tables

CREATE = "CREATE FOREIGN TABLE drivers (%s) SERVER feast" % DRIVERS
DROP = "DROP FOREIGN TABLE drivers"


def create(session, project):
    """CREATE, and a look at what it made."""
    session.run(CREATE)
    assert remote_tables(project) == ["drivers"]


@pytest.fixture
def local(session, project, proxy):
    """A session with a server for the project; no table yet."""
    session.server(project, proxy.url)
    return session


def test_create_makes_and_drop_deletes(local, project):
    create(local, project)
    assert local.value("SELECT count(*) FROM dynamo_fdw_record WHERE state = 'made'") == 1
    local.run(DROP)
    assert remote_tables(project) == []
    assert local.warnings() == []
    # After COMMIT nothing can be written: the record ends with the session's next transaction.
    assert local.run("SELECT state FROM dynamo_fdw_record") == [("pending",)]
    assert local.run("SELECT state FROM dynamo_fdw_record") == []


def test_rollback_of_create_deletes(local, project):
    local.run("BEGIN")
    create(local, project)
    fill(local, 1)
    local.run("ROLLBACK")
    assert remote_tables(project) == []
    assert local.value("SELECT count(*) FROM dynamo_fdw_record WHERE state = 'made'") == 0


def test_an_error_after_create_deletes(local, project):
    local.run("BEGIN")
    create(local, project)
    assert local.fail("SELECT 1 / 0").sqlstate == "22012"
    local.run("COMMIT")
    assert remote_tables(project) == []


def test_an_end_of_the_session_after_create_leaves_a_record(local, database, project, proxy):
    other = Session(database)
    other.run("BEGIN")
    create(other, project)
    proxy.forget()
    other.close()
    # The backend ends a moment after its client.
    local.run(
        "DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE pid = %d) LOOP"
        " PERFORM pg_sleep(0.05), pg_stat_clear_snapshot(); END LOOP; END $$" % other.pid
    )
    assert proxy.operations() == []  # an exit is short
    assert local.run("SELECT state FROM dynamo_fdw_record") == [("leftover",)]
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 1
    assert remote_tables(project) == []
    assert local.run("SELECT state FROM dynamo_fdw_record") == []


def test_rollback_of_drop_keeps(local, project):
    local.run(CREATE)
    fill(local, 3)
    local.run("BEGIN")
    local.run(DROP)
    assert remote_tables(project) == ["drivers"]
    local.run("ROLLBACK")
    assert local.value("SELECT count(*) FROM drivers WHERE driver_id IN (1, 2, 3)") == 3
    local.run(DROP)
    assert remote_tables(project) == []


def test_an_adopted_table_is_kept(local, project):
    make_remote(project + ".drivers")
    local.run(CREATE)
    (warning,) = local.warnings()
    assert project + ".drivers" in warning
    local.run(DROP)
    assert remote_tables(project) == ["drivers"]


def test_rollback_of_an_adoption_keeps(local, project):
    make_remote(project + ".drivers")
    local.run("BEGIN")
    local.run(CREATE)
    assert len(local.warnings()) == 1
    local.run("ROLLBACK")
    assert remote_tables(project) == ["drivers"]


def test_drop_remote_table_always_deletes_an_adopted_table(local, project):
    make_remote(project + ".drivers")
    local.table("drivers", DRIVERS, drop_remote_table="always")
    local.run(DROP)
    assert remote_tables(project) == []


def test_drop_remote_table_never_keeps_a_made_table(local, project):
    local.table("drivers", DRIVERS, drop_remote_table="never")
    local.run(DROP)
    assert remote_tables(project) == ["drivers"]


def test_without_create_remote_table_nothing_is_asked(local, project, proxy):
    local.table("drivers", DRIVERS, create_remote_table="false")
    local.run("BEGIN")
    local.table("others", DRIVERS, create_remote_table="false")
    local.run("ROLLBACK")
    local.run(DROP)
    assert proxy.operations() == []
    assert remote_tables(project) == []


def test_remote_ddl_off_touches_nothing(local, project, proxy):
    local.run(CREATE)
    proxy.forget()
    local.run("SET dynamo_fdw.remote_ddl = off")
    local.table("others", DRIVERS)
    local.run("ALTER FOREIGN TABLE others RENAME TO renamed")
    local.run("DROP FOREIGN TABLE renamed")
    local.run(DROP)
    assert proxy.operations() == []
    assert remote_tables(project) == ["drivers"]


def test_remote_ddl_is_for_superusers(local, role):
    local.run("SET ROLE %s" % role)
    assert local.fail("SET dynamo_fdw.remote_ddl = off").sqlstate == "42501"


@pytest.mark.parametrize(
    "drop",
    [
        "DROP SERVER feast CASCADE",
        "DROP SCHEMA features CASCADE",
        "DROP TABLE IF EXISTS nothing; DROP FOREIGN TABLE features.drivers, features.others",
        "BEGIN; DROP SCHEMA features CASCADE; DROP SERVER feast CASCADE; COMMIT",
        "DO $$ BEGIN DROP SCHEMA features CASCADE; END $$",
    ],
)
def test_cascades_delete(local, project, drop):
    local.run("DROP SCHEMA IF EXISTS features CASCADE")
    local.run("CREATE SCHEMA features")
    local.table("features.drivers", DRIVERS)
    local.table("features.others", DRIVERS)
    assert remote_tables(project) == ["drivers", "others"]
    local.run(drop)
    assert remote_tables(project) == []


def test_without_a_user_mapping_a_drop_stays_owed(local, project):
    create(local, project)
    local.run("DROP USER MAPPING FOR CURRENT_USER SERVER feast")
    local.run(DROP)
    assert "has no user mapping" in " ".join(local.warnings())
    assert remote_tables(project) == ["drivers"]
    local.mapping()
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 1
    assert remote_tables(project) == []


def test_drop_extension_cascade_deletes(local, project):
    create(local, project)
    try:
        local.run("DROP EXTENSION dynamo_fdw CASCADE")
        assert remote_tables(project) == []
    finally:
        local.run("CREATE EXTENSION IF NOT EXISTS dynamo_fdw")


def test_rollback_of_drop_extension_keeps(local, project):
    local.run(CREATE)
    local.run("BEGIN")
    local.run("DROP EXTENSION dynamo_fdw CASCADE")
    local.run("ROLLBACK")
    assert remote_tables(project) == ["drivers"]
    local.run(DROP)
    assert remote_tables(project) == []


@pytest.fixture
def role(local, new_role):
    """A role that may make tables on the server."""
    return new_role("feast")


def test_drop_owned_deletes(local, project, role):
    local.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (access_key_id 'FDWTEST', secret_access_key 's')" % role)
    local.run("SET ROLE %s" % role)
    local.run(CREATE)
    fill(local, 2)
    assert local.value("SELECT count(*) FROM drivers WHERE driver_id IN (1, 2, 3)") == 2
    local.run("RESET ROLE")
    local.run("DROP OWNED BY %s" % role)
    assert remote_tables(project) == []


def test_drop_owned_deletes_for_a_role_that_goes(local, project, role):
    """In the same transaction: when the deletion is sent, nobody can ask for the role's rights any more."""
    going = role + "_going"
    local.run("CREATE ROLE %s IN ROLE %s; GRANT ALL ON SCHEMA public TO %s" % (going, role, going))
    local.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (access_key_id 'FDWTEST', secret_access_key 's')" % going)
    local.run("SET ROLE %s" % going)
    local.run(CREATE)
    local.run("RESET ROLE")
    local.run("BEGIN; DROP OWNED BY %s; DROP ROLE %s; COMMIT" % (going, going))
    assert remote_tables(project) == []


def test_a_server_that_moves_within_a_transaction(local, proxy, second_proxy):
    """What comes behind is asked for at the new endpoint."""
    local.run("BEGIN")
    local.run(CREATE)
    local.run("ALTER SERVER feast OPTIONS (SET endpoint_url '%s')" % second_proxy.url)
    local.table("riders", DRIVERS)
    assert proxy.count("CreateTable") == 1 and second_proxy.count("CreateTable") == 1
    local.run("ROLLBACK")


def test_the_tables_of_the_extension_are_not_for_everyone(local, role):
    local.run("SET ROLE %s" % role)
    for statement in ("SELECT * FROM dynamo_fdw_record", "DELETE FROM dynamo_fdw_record"):
        assert local.fail(statement).sqlstate == "42501"


def test_savepoints(local, project):
    local.run("BEGIN")
    local.run("SAVEPOINT a")
    local.table("gone", DRIVERS)
    local.run("ROLLBACK TO a")
    local.run("SAVEPOINT b")
    local.table("kept", DRIVERS)
    local.run("RELEASE b")
    local.run("COMMIT")
    assert remote_tables(project) == ["kept"]
    assert local.value("SELECT count(*) FROM dynamo_fdw_record WHERE state = 'made'") == 1


def test_a_drop_rolled_back_to_a_savepoint_keeps(local, project):
    local.run(CREATE)
    local.table("others", DRIVERS)
    local.run("BEGIN")
    local.run("SAVEPOINT a")
    local.run(DROP)
    local.run("ROLLBACK TO a")
    local.run("SAVEPOINT b")
    local.run("DROP FOREIGN TABLE others")
    local.run("RELEASE b")
    local.run("COMMIT")
    assert remote_tables(project) == ["drivers"]
    fill(local, 1)


def test_made_and_dropped_in_one_transaction(local, project):
    local.run("BEGIN")
    create(local, project)
    local.run(DROP)
    local.run("COMMIT")
    assert remote_tables(project) == []


def test_made_and_dropped_in_a_transaction_rolled_back(local, project):
    local.run("BEGIN")
    create(local, project)
    local.run(DROP)
    local.run("ROLLBACK")
    assert remote_tables(project) == []


def test_dropped_and_made_in_one_transaction_keeps_the_items(local, project):
    local.run(CREATE)
    fill(local, 3)
    local.run("BEGIN")
    local.run(DROP)
    local.run(CREATE)
    local.run("COMMIT")
    assert len(raw_items(project + ".drivers")) == 3
    # It is still ours to delete.
    local.run(DROP)
    assert remote_tables(project) == []


def test_dropped_and_made_and_rolled_back_keeps_the_items(local, project):
    local.run(CREATE)
    fill(local, 3)
    local.run("BEGIN")
    local.run(DROP)
    local.run(CREATE)
    local.run("ROLLBACK")
    assert len(raw_items(project + ".drivers")) == 3
    local.run(DROP)
    assert remote_tables(project) == []


@pytest.mark.parametrize("first, second", [("a", "b"), ("b", "a")])
def test_the_last_of_two_foreign_tables_deletes(local, project, first, second):
    local.table("a", DRIVERS, feature_view="shared")
    local.table("b", DRIVERS, feature_view="shared")
    fill(local, 1, "a")
    local.run("DROP FOREIGN TABLE %s" % first)
    assert local.value("SELECT trips FROM %s WHERE driver_id = 1" % second) == 10
    local.run("DROP FOREIGN TABLE %s" % second)
    assert remote_tables(project) == []


def test_both_of_two_foreign_tables_at_once(local, project):
    local.table("a", DRIVERS, feature_view="shared")
    local.table("b", DRIVERS, feature_view="shared")
    assert remote_tables(project) == ["shared"]
    local.run("DROP FOREIGN TABLE a, b")
    assert remote_tables(project) == []


def test_a_table_made_anew_by_somebody_else_is_kept(local, project):
    local.run(CREATE)
    dynamodb().delete_table(TableName=project + ".drivers")
    make_remote(project + ".drivers")
    local.run(DROP)
    assert remote_tables(project) == ["drivers"]


@pytest.mark.parametrize("drop_remote_table", ["created", "always"])
def test_a_table_deleted_by_somebody_else_is_no_error(local, project, drop_remote_table):
    local.table("drivers", DRIVERS, drop_remote_table=drop_remote_table)
    dynamodb().delete_table(TableName=project + ".drivers")
    local.run(DROP)
    assert local.value("SELECT count(*) FROM dynamo_fdw_record WHERE state <> 'made'") == 0


@pytest.mark.parametrize("key, key_type", [("entity_id", "N"), ("entity_id", "B"), ("id", "S")])
def test_another_key_schema_is_refused(local, project, key, key_type):
    make_remote(project + ".drivers", key, key_type)
    error = local.fail(CREATE)
    assert project + ".drivers" in error.diag.message_primary
    assert local.value("SELECT to_regclass('drivers')") is None
    assert remote_tables(project) == ["drivers"]
    assert local.value("SELECT count(*) FROM dynamo_fdw_record WHERE state = 'made'") == 0


def test_a_refused_table_takes_its_transaction_along(local, project):
    make_remote(project + ".b", "id")
    local.run("BEGIN")
    local.table("a", DRIVERS)
    local.fail("CREATE FOREIGN TABLE b (%s) SERVER feast" % DRIVERS)
    local.run("ROLLBACK")
    assert remote_tables(project) == ["b"]


def test_a_temporary_table_makes_nothing(local, project):
    local.fail("CREATE FOREIGN TABLE pg_temp.drivers (%s) SERVER feast" % DRIVERS)
    assert remote_tables(project) == []
    local.table("pg_temp.drivers", DRIVERS, create_remote_table="false")
    assert remote_tables(project) == []


@pytest.mark.parametrize("name", ["with space", 'quo"te', "Zürich", "x" * 250])
def test_a_name_that_dynamodb_refuses(local, proxy, name):
    error = local.fail("CREATE FOREIGN TABLE t (%s) SERVER feast OPTIONS (feature_view '%s')" % (DRIVERS, name))
    assert error.sqlstate in ("HV00D", "22023", "42602")
    assert proxy.operations() == []


@pytest.fixture
def two_phase(local):
    """A session that could prepare transactions; what is prepared all the same is rolled back."""
    if local.value("SELECT current_setting('max_prepared_transactions')::int") == 0:
        pytest.skip("max_prepared_transactions is 0")
    yield local
    for (gid,) in local.run("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"):
        local.run("ROLLBACK PREPARED '%s'" % gid)


def test_prepare_transaction_after_create_is_refused(two_phase, project):
    two_phase.run("BEGIN")
    create(two_phase, project)
    assert two_phase.fail("PREPARE TRANSACTION 'x'").sqlstate == "0A000"
    assert remote_tables(project) == []


def test_prepare_transaction_after_drop_is_refused(two_phase, project):
    two_phase.run(CREATE)
    two_phase.run("BEGIN")
    two_phase.run(DROP)
    assert two_phase.fail("PREPARE TRANSACTION 'x'").sqlstate == "0A000"
    assert remote_tables(project) == ["drivers"]


def test_prepare_transaction_after_reading_and_writing(two_phase):
    two_phase.run(CREATE)
    two_phase.run("BEGIN")
    fill(two_phase, 1)
    two_phase.run("PREPARE TRANSACTION 'x'")


@pytest.mark.parametrize("first, second", [("created", "always"), ("always", "created")])
def test_always_counts_whichever_of_two_foreign_tables_has_it(local, project, first, second):
    make_remote(project + ".shared")
    local.table("a", DRIVERS, feature_view="shared", drop_remote_table=first)
    local.table("b", DRIVERS, feature_view="shared", drop_remote_table=second)
    local.run("DROP FOREIGN TABLE a, b")
    assert remote_tables(project) == []
