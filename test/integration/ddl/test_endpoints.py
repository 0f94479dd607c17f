"""One table behind two spellings of an endpoint, and two tables of one name behind two endpoints."""

import pytest

import faults
from support import DRIVERS, MOTO_ENDPOINT, dynamodb, fill, records, remote_tables

DROP = "DROP FOREIGN TABLE drivers"


@pytest.fixture
def spelled(session, project, proxy):
    """One remote table, made by one server, and used by a second with another spelling of the endpoint."""
    session.server(project, proxy.url)
    session.table("drivers", DRIVERS)
    session.server(project, proxy.url.replace("127.0.0.1", "localhost"), name="second")
    session.table("more", DRIVERS, server="second", feature_view="drivers")
    fill(session, 1)
    session.warnings()
    return session


def test_drop_by_the_first_keeps_what_the_second_uses(spelled, project):
    spelled.run(DROP)
    assert "is kept" in " ".join(spelled.warnings())
    assert remote_tables(project) == ["drivers"]
    assert spelled.value("SELECT trips FROM more WHERE driver_id = 1") == 10
    # It is still owned: the last one deletes.
    spelled.run("DROP FOREIGN TABLE more")
    assert remote_tables(project) == []


def test_drop_by_the_second_keeps_what_the_first_uses(spelled, project):
    spelled.run("DROP FOREIGN TABLE more")
    assert remote_tables(project) == ["drivers"]
    spelled.run(DROP)
    assert remote_tables(project) == []


def test_both_at_once(spelled, project):
    spelled.run("DROP FOREIGN TABLE drivers, more")
    assert remote_tables(project) == []


def test_a_pending_deletion_keeps_what_the_second_uses(spelled, project, proxy):
    spelled.run("DROP FOREIGN TABLE more")
    proxy.fault(faults.error("AccessDeniedException"), operation="DeleteTable")
    spelled.run(DROP)
    spelled.run("SET dynamo_fdw.remote_ddl = off")
    spelled.table("more", DRIVERS, server="second", feature_view="drivers")
    spelled.run("SET dynamo_fdw.remote_ddl = on")
    assert spelled.value("SELECT dynamo_fdw_delete_pending()") == 0
    assert remote_tables(project) == ["drivers"]
    assert spelled.value("SELECT trips FROM more WHERE driver_id = 1") == 10


def test_adopting_by_another_spelling_takes_the_record_over(spelled, project, proxy):
    spelled.run("DROP FOREIGN TABLE more")
    proxy.fault(faults.error("AccessDeniedException"), operation="DeleteTable")
    spelled.run(DROP)
    spelled.warnings()
    spelled.table("more", DRIVERS, server="second", feature_view="drivers")
    assert records(spelled) == [(project + ".drivers", "made")]
    spelled.run("DROP FOREIGN TABLE more")
    assert remote_tables(project) == []


def test_without_keys_at_the_second_it_is_kept(spelled, project):
    """Nobody can say whether it is the same table."""
    spelled.run("DROP USER MAPPING FOR CURRENT_USER SERVER second")
    spelled.run(DROP)
    assert "can't look there" in " ".join(spelled.warnings())
    assert remote_tables(project) == ["drivers"]


def test_with_a_silent_second_endpoint_it_is_kept(spelled, project):
    spelled.run("ALTER SERVER second OPTIONS (SET endpoint_url 'http://127.0.0.1:1', ADD connect_timeout '1')")
    spelled.run(DROP)
    assert "may mean it" in " ".join(spelled.warnings())
    assert remote_tables(project) == ["drivers"]


def test_a_server_without_a_project_does_not_hide_what_is_named(spelled, project):
    spelled.run("ALTER FOREIGN TABLE more OPTIONS (DROP feature_view, ADD table_name '%s.drivers')" % project)
    spelled.run("ALTER SERVER second OPTIONS (DROP project)")
    spelled.run(DROP)
    assert remote_tables(project) == ["drivers"]
    assert spelled.value("SELECT trips FROM more WHERE driver_id = 1") == 10


def test_a_server_that_loses_its_project_says_what_means_nothing_now(spelled):
    spelled.run("ALTER SERVER second OPTIONS (DROP project)")
    assert '"more" means none' in " ".join(spelled.warnings())


def test_by_hand(spelled, project):
    spelled.run("SELECT dynamo_fdw_drop_table('drivers')")
    assert "is kept" in " ".join(spelled.warnings())
    assert remote_tables(project) == ["drivers"]


@pytest.mark.parametrize("policy", ["created", "always"])
def test_always_keeps_what_the_second_uses(spelled, project, policy):
    spelled.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD drop_remote_table '%s')" % policy)
    spelled.run(DROP)
    assert remote_tables(project) == ["drivers"]


# Staging and production in one database


@pytest.fixture
def stages(session, project):
    """The same names by two endpoints, which mean different tables."""
    session.server(project)
    session.server(project, MOTO_ENDPOINT, name="staging")
    session.table("drivers", DRIVERS)
    session.table("staged", DRIVERS, server="staging", feature_view="drivers")
    assert session.warnings() == []
    yield session
    for table in remote_tables(project, MOTO_ENDPOINT):
        dynamodb(MOTO_ENDPOINT).delete_table(TableName=project + "." + table)


def test_each_stage_has_a_record(stages, project):
    assert records(stages) == [(project + ".drivers", "made")] * 2


@pytest.mark.parametrize("first, second", [("drivers", "staged"), ("staged", "drivers")])
def test_drop_of_one_stage_keeps_the_other(stages, project, first, second):
    endpoints = {"drivers": {}, "staged": {"endpoint": MOTO_ENDPOINT}}
    stages.run("DROP FOREIGN TABLE %s" % first)
    assert remote_tables(project, **endpoints[first]) == []
    assert remote_tables(project, **endpoints[second]) == ["drivers"]
    stages.run("DROP FOREIGN TABLE %s" % second)
    assert remote_tables(project, **endpoints[second]) == []
    assert stages.warnings() == []


def test_drop_of_both_stages(stages, project):
    stages.run("DROP FOREIGN TABLE drivers, staged")
    assert remote_tables(project) == remote_tables(project, MOTO_ENDPOINT) == []


def test_drop_of_one_stage_keeps_a_table_of_the_other_without_foreign_table(stages, project):
    """The record of the other stage's table is at the same name: that table wasn't meant."""
    stages.run("SET dynamo_fdw.remote_ddl = off; DROP FOREIGN TABLE staged; SET dynamo_fdw.remote_ddl = on")
    stages.run(DROP)
    assert remote_tables(project) == []
    assert remote_tables(project, MOTO_ENDPOINT) == ["drivers"]
    assert records(stages)[-1] == (project + ".drivers", "made")


@pytest.mark.parametrize("trouble", ["unreachable", "no mapping", "no mapping there"])
def test_drop_of_one_stage_is_never_one_of_the_other(session, project, proxy, trouble):
    """Where nobody can look, the table that the other server made does not become pending."""
    session.server(project, proxy.url)
    session.server(project, MOTO_ENDPOINT, name="staging")
    session.table("drivers", DRIVERS, drop_remote_table="never")
    session.run(DROP)
    session.table("staged", DRIVERS, server="staging", table_name=project + ".drivers", create_remote_table="false")
    if trouble == "unreachable":
        proxy.fault(faults.error("InternalServerError", 500), times=None)
    else:
        session.run("DROP USER MAPPING FOR CURRENT_USER SERVER %s" % ("staging" if "there" in trouble else "feast"))
    session.run("DROP FOREIGN TABLE staged")
    assert "is kept" in " ".join(session.warnings())
    assert records(session) == [(project + ".drivers", "made")]


def test_drop_after_the_server_moved_is_no_drop_of_what_it_made(session, project):
    session.server(project)
    session.table("drivers", DRIVERS)
    session.run("ALTER SERVER feast OPTIONS (SET endpoint_url '%s')" % MOTO_ENDPOINT)
    session.warnings()
    session.run(DROP)
    assert "has another endpoint" in " ".join(session.warnings())
    assert records(session) == [(project + ".drivers", "made")]
    assert remote_tables(project) == ["drivers"]


def test_drop_of_one_account_keeps_what_another_server_made_in_another(session, project, proxy):
    """Two servers, one endpoint, and one owner with keys of two accounts."""
    session.server(project, proxy.url)
    session.server(project, proxy.url, name="second", mapping=False)
    session.mapping("second", access_key="FDWOTHER")
    session.table("drivers", DRIVERS, drop_remote_table="never")
    session.run(DROP)
    session.table("more", DRIVERS, server="second", feature_view="drivers")
    session.run("DROP FOREIGN TABLE more")
    assert remote_tables(project, access_key="FDWOTHER") == []
    assert remote_tables(project) == ["drivers"]
    assert records(session)[0] == (project + ".drivers", "made")


def test_the_plan_of_stages(stages):
    rows = stages.run("SELECT on_drop FROM dynamo_fdw_plan()")
    assert len(rows) == 2
    assert all(row[0].startswith("delete, unless") for row in rows)
