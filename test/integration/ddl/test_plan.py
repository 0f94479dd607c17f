"""dynamo_fdw_plan(): what CREATE and DROP would do, seen by each owner's keys, and nothing is changed."""

import pytest

import faults
from support import ACCESS_KEY, DRIVERS, dynamodb, make_remote, records, remote_tables

PLAN = "SELECT status, on_create, difference, on_drop, record_state FROM dynamo_fdw_plan() ORDER BY foreign_table::text"
READS = {"DescribeTable"}


@pytest.fixture
def local(session, project, proxy):
    session.server(project, proxy.url)
    return session


def without_ddl(session, name, **options):
    """A foreign table that was made without looking at the remote."""
    session.run("SET dynamo_fdw.remote_ddl = off")
    session.table(name, DRIVERS, **options)
    session.run("SET dynamo_fdw.remote_ddl = on")


def test_a_made_table(local):
    local.table("drivers", DRIVERS)
    assert local.run(PLAN) == [
        ("ACTIVE", "use the remote table as it is", None, "delete: CREATE FOREIGN TABLE made it", "made")
    ]


def test_all_columns(local, project):
    local.table("drivers", DRIVERS)
    (row,) = local.run("SELECT server_name, foreign_table::text, remote_table, owner = session_user, record FROM dynamo_fdw_plan()")
    assert row[:4] == ("feast", "drivers", project + ".drivers", True)
    assert row[4] == local.value("SELECT id FROM dynamo_fdw_record")


@pytest.mark.parametrize(
    "options, on_drop",
    [
        ({}, "keep: CREATE FOREIGN TABLE did not make it here"),
        ({"drop_remote_table": "always"}, "delete: drop_remote_table is 'always'"),
        ({"drop_remote_table": "never"}, "keep: drop_remote_table is 'never'"),
    ],
)
def test_a_table_that_was_there(local, project, options, on_drop):
    make_remote(project + ".drivers")
    without_ddl(local, "drivers", **options)
    assert local.run(PLAN) == [("ACTIVE", "use the remote table as it is", None, on_drop, None)]


def test_an_absent_table(local):
    without_ddl(local, "drivers")
    assert local.run(PLAN) == [("absent", "make the remote table", None, "nothing: it is not there", None)]


def test_an_absent_table_that_is_not_to_be_made(local):
    local.table("drivers", DRIVERS, create_remote_table="false")
    assert local.run(PLAN) == [
        ("absent", "nothing: create_remote_table is 'false'", None, "nothing: it is not there", None)
    ]


@pytest.mark.parametrize("key, key_type", [("entity_id", "N"), ("id", "S")])
def test_another_key(local, project, key, key_type):
    make_remote(project + ".drivers", key, key_type)
    without_ddl(local, "drivers", drop_remote_table="always")
    ((status, on_create, difference, on_drop, record),) = local.run(PLAN)
    assert on_create == "fail: it is not a table of Feast"
    assert key in difference and "Feast's is HASH entity_id (S)" in difference
    assert on_drop == "keep: it is not a table of Feast"


def test_a_table_that_is_used_twice(local):
    local.table("a", DRIVERS, feature_view="x")
    local.table("b", DRIVERS, feature_view="x")
    assert [row[3] for row in local.run(PLAN)] == [
        'keep: foreign table "b" uses it too',
        'keep: foreign table "a" uses it too',
    ]


def test_a_table_made_anew_by_somebody_else(local, project):
    local.table("drivers", DRIVERS)
    dynamodb().delete_table(TableName=project + ".drivers")
    make_remote(project + ".drivers")
    rows = local.run(PLAN)
    assert rows[0][3] == "keep: CREATE FOREIGN TABLE did not make it here"
    # The record of the one that is gone is listed, too.
    assert rows[1][4] == "made"


def test_records_without_a_foreign_table(local, project, proxy):
    local.table("drivers", DRIVERS)
    local.table("others", DRIVERS)
    local.run("ALTER FOREIGN TABLE others OPTIONS (ADD table_name '%s.drivers')" % project)
    proxy.fault(faults.error("AccessDeniedException"), operation="DeleteTable")
    local.table("third", DRIVERS)
    local.run("DROP FOREIGN TABLE third")
    rows = local.run(
        "SELECT remote_table, status, on_drop, record_state FROM dynamo_fdw_plan() WHERE foreign_table IS NULL ORDER BY 1"
    )
    assert rows == [
        (project + ".others", "ACTIVE", "no foreign table is left to be dropped", "made"),
        (project + ".third", "ACTIVE", "its deletion is owed", "pending"),
    ]


@pytest.mark.parametrize(
    "trouble, word",
    [
        (faults.error("AccessDeniedException"), "AccessDenied"),
        (faults.error("InternalServerError", 500), "InternalServerError"),
        (faults.hang_up, "unknown"),
    ],
)
def test_a_table_that_can_not_be_looked_at(local, proxy, trouble, word):
    local.run("ALTER SERVER feast OPTIONS (ADD total_max_retry_attempts '1')")
    local.table("drivers", DRIVERS)
    proxy.fault(trouble, times=None)
    rows = local.run(PLAN)
    assert word in rows[0][0] and rows[0][0].startswith("unknown")
    assert rows[0][1] == "fail"
    assert rows[0][3] == "keep: it can't be looked at"


def test_a_foreign_table_that_is_not_valid(local, project):
    local.table("drivers", DRIVERS)
    local.table("good", DRIVERS)
    local.run("ALTER SERVER feast OPTIONS (DROP project)")
    local.warnings()
    rows = local.run(PLAN)
    assert "names no remote table" in rows[0][0]
    assert local.warnings() == []  # no leaked references


def test_it_changes_nothing(local, project, proxy):
    local.table("drivers", DRIVERS)
    without_ddl(local, "absent")
    make_remote(project + ".there")
    without_ddl(local, "there", drop_remote_table="always")
    before = local.run("SELECT * FROM dynamo_fdw_record")
    proxy.forget()
    assert len(local.run(PLAN)) == 3
    assert set(proxy.operations()) == READS
    assert local.run("SELECT * FROM dynamo_fdw_record") == before
    assert remote_tables(project) == ["drivers", "there"]
    local.run("BEGIN READ ONLY")
    assert len(local.run(PLAN)) == 3
    local.run("COMMIT")
    local.run("SET dynamo_fdw.remote_ddl = off")
    assert len(local.run(PLAN)) == 3


def test_one_server(local, project, proxy):
    local.server(project + ".b", proxy.url, name="second")
    local.table("a", DRIVERS)
    local.table("b", DRIVERS, server="second")
    assert local.run("SELECT foreign_table::text FROM dynamo_fdw_plan('second')") == [("b",)]
    assert len(local.run("SELECT * FROM dynamo_fdw_plan(server => NULL)")) == 2
    assert local.fail("SELECT * FROM dynamo_fdw_plan('nothing')").sqlstate == "42704"
    local.run("CREATE FOREIGN DATA WRAPPER none; CREATE SERVER none FOREIGN DATA WRAPPER none")
    assert local.fail("SELECT * FROM dynamo_fdw_plan('none')").sqlstate == "42809"
    local.run("DROP FOREIGN DATA WRAPPER none CASCADE")


def test_tables_are_looked_at_together(local, proxy):
    for i in range(12):
        local.table("t%d" % i, DRIVERS)
    proxy.forget()
    proxy.latency = 0.2
    assert len(local.run(PLAN)) == 12
    assert proxy.most_in_flight("DescribeTable") == 12


def test_it_can_be_cancelled(local, proxy):
    local.table("drivers", DRIVERS)
    proxy.fault(faults.stall, times=None)
    local.run("SET statement_timeout = '200ms'")
    assert local.fail(PLAN).sqlstate == "57014"


# Whose keys


def key_of(request):
    return request.header("Authorization").split("Credential=")[1].split("/")[0]


@pytest.fixture
def owners(local, new_role):
    """Two roles with mappings of different keys, each with a foreign table of its own."""
    roles = {}
    for key in ("FDWFIRST", "FDWSECOND"):
        role = roles[key] = new_role("feast")
        local.run(
            "CREATE USER MAPPING FOR %s SERVER feast OPTIONS (access_key_id '%s', secret_access_key 's')" % (role, key)
        )
        local.run("SET ROLE %s" % role)
        without_grant = "t_%s" % role
        local.table(without_grant, DRIVERS)
        local.run("RESET ROLE")
    return roles


def test_everybody_sees_his_own_with_his_own_keys(local, owners, proxy):
    local.table("mine", DRIVERS)
    for key, role in owners.items():
        proxy.forget()
        local.run("SET ROLE %s" % role)
        assert local.run("SELECT foreign_table::text, owner FROM dynamo_fdw_plan()") == [("t_" + role, role)]
        local.run("RESET ROLE")
        assert {key_of(request) for request in proxy.requests} == {key}


def test_a_superuser_sees_all_each_with_its_owners_keys(local, owners, proxy, project):
    local.table("mine", DRIVERS)
    proxy.forget()
    assert len(local.run(PLAN)) == 3
    asked = {request.json()["TableName"]: key_of(request) for request in proxy.requests}
    expected = {project + ".t_" + role: key for key, role in owners.items()}
    assert asked == {**expected, project + ".mine": ACCESS_KEY}


def test_records_of_others_are_not_listed(local, owners, proxy):
    first, second = owners.values()
    proxy.fault(faults.error("AccessDeniedException"), operation="DeleteTable")
    local.run("DROP FOREIGN TABLE t_%s" % first)
    local.run("SET ROLE %s" % second)
    assert local.value("SELECT count(*) FROM dynamo_fdw_plan()") == 1
    local.run("SET ROLE %s" % first)
    assert local.value("SELECT count(*) FROM dynamo_fdw_plan()") == 1
    assert local.value("SELECT dynamo_fdw_delete_pending()") == 1


def test_a_table_that_waits_for_another_role(local, owners, project):
    """Its foreign table went to another owner: only the maker's keys delete it."""
    first = owners["FDWFIRST"]
    local.run("ALTER FOREIGN TABLE t_%s OWNER TO CURRENT_USER" % first)
    # The new owner's keys mean another account, where no such table is.
    rows = local.run("SELECT status, on_drop, record_state FROM dynamo_fdw_plan() WHERE remote_table = '%s.t_%s'" % (project, first))
    assert ("absent", "nothing: it is not there", None) in rows
    assert any(state == "made" for _, _, state in rows)


def test_a_record_at_the_name_of_another_table_is_listed(local, new_role, project, proxy):
    """Records are looked up by the table's id: a name with a foreign table hides none."""
    local.table("drivers", DRIVERS)
    proxy.fault(faults.error("AccessDeniedException"), operation="DeleteTable")
    local.run("DROP FOREIGN TABLE drivers")
    dynamodb().delete_table(TableName=project + ".drivers")
    make_remote(project + ".drivers")
    without_ddl(local, "drivers")
    assert records(local) == [(project + ".drivers", "pending")]
    rows = local.run("SELECT foreign_table IS NULL, record_state FROM dynamo_fdw_plan() ORDER BY 1")
    assert rows == [(False, None), (True, "pending")]


def test_two_spellings_of_one_endpoint(local, project, proxy):
    """The plan doesn't promise that a foreign table by another endpoint keeps the table, nor that it doesn't."""
    local.table("drivers", DRIVERS)
    local.server(project, proxy.url.replace("127.0.0.1", "localhost"), name="second")
    local.table("same", DRIVERS, server="second", table_name=project + ".drivers")
    on_drop = local.value("SELECT on_drop FROM dynamo_fdw_plan('feast')")
    assert '"same"' in on_drop and "another endpoint" in on_drop
