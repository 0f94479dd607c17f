"""Together with auto_explain and pg_stat_statements, and preloaded for all sessions or for one."""

import json
import re

import pytest

from support import DRIVERS, SECRET_KEY, fill

SELECT = "SELECT trips FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 300)))"

AUTO_EXPLAIN = {
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_verbose": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_triggers": "on",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_format": "json",
}


@pytest.fixture(
    scope="module",
    params=[
        {"shared_preload_libraries": "auto_explain, pg_stat_statements"},
        {"shared_preload_libraries": "dynamo_fdw, pg_stat_statements, auto_explain"},
        {"shared_preload_libraries": "pg_stat_statements", "session_preload_libraries": "dynamo_fdw, auto_explain"},
    ],
    ids=lambda libraries: " + ".join(libraries.values()),
)
def preloaded(request, initialized):
    """A server with these libraries and an empty log."""
    initialized.start(**request.param, **AUTO_EXPLAIN)
    initialized.clear_log()
    yield initialized
    initialized.stop()


@pytest.fixture
def user(preloaded, project, proxy):
    """A session of that server with the foreign table "drivers"."""
    user = preloaded.session()
    user.run("CREATE EXTENSION dynamo_fdw; CREATE EXTENSION pg_stat_statements")
    user.server(project, proxy.url)
    user.table("drivers", DRIVERS)
    yield user
    user.run("DROP FOREIGN TABLE drivers; DROP EXTENSION dynamo_fdw CASCADE; DROP EXTENSION pg_stat_statements")
    user.close()


def plans(log):
    """The plans in a server log, by auto_explain: a list of JSON objects."""
    return [json.loads(text) for text in re.findall(r"ms  plan:\n(.*?\n\t\})", log, re.DOTALL)]


def nodes(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def foreign_scans(log):
    found = [node for plan in plans(log) for node in nodes(plan["Plan"])]
    return [node for node in found if node["Node Type"] == "Foreign Scan"]


def test_plans_are_logged(user, preloaded, project):
    preloaded.clear_log()
    fill(user, 250)
    assert len(user.run(SELECT)) == 250
    assert len(user.run(SELECT + " LIMIT 1")) == 1
    assert user.run("SELECT trips FROM drivers WHERE driver_id = NULL::bigint") == []
    user.run(
        "CREATE FUNCTION trips_of(bigint) RETURNS integer LANGUAGE plpgsql AS"
        " $$ BEGIN RETURN (SELECT trips FROM drivers WHERE driver_id = $1); END $$"
    )
    assert user.run("SELECT trips_of(i) FROM generate_series(1, 3) i") == [(10,), (20,), (30,)]
    user.run("EXPLAIN ANALYZE " + SELECT)
    user.run("DROP FUNCTION trips_of")
    scans = foreign_scans(preloaded.log())
    assert [scan["Actual Rows"] for scan in scans] == [250, 1, 1, 1, 1, 250]
    assert {scan["Remote Table"] for scan in scans} == {project + ".drivers"}
    found = [node for plan in plans(preloaded.log()) for node in nodes(plan["Plan"])]
    inserts = [node["Remote Table"] for node in found if node["Node Type"] == "ModifyTable"]
    assert inserts == [project + ".drivers"]


def test_plans_of_cursors_and_broken_off_scans_are_logged(user, preloaded):
    fill(user, 250)
    preloaded.clear_log()
    user.run("BEGIN")
    user.run("DECLARE c CURSOR FOR " + SELECT)
    user.run("FETCH 1 FROM c")
    user.run("DECLARE d CURSOR FOR " + SELECT)
    user.run("COMMIT")
    assert [scan["Actual Rows"] for scan in foreign_scans(preloaded.log())] in ([1, 0], [0, 1])
    assert user.fail("SELECT 1 / (trips - 10) FROM drivers WHERE driver_id = 1").sqlstate == "22012"
    assert user.alive()


def test_statements_are_counted(user):
    fill(user, 250)
    user.run("SELECT pg_stat_statements_reset()")
    for driver in range(3):
        user.run("SELECT trips FROM drivers WHERE driver_id = %d" % driver)
    user.run("INSERT INTO drivers VALUES (1, now(), 0, 0), (2, now(), 0, 0)")
    found = user.run(
        "SELECT calls, rows, query FROM pg_stat_statements WHERE query LIKE '%drivers%' ORDER BY query DESC"
    )
    assert [(calls, rows) for calls, rows, _ in found] == [(3, 2), (1, 2)]
    assert "$1" in found[0][2]


def test_no_secret_in_the_log(user, preloaded):
    """auto_explain has logged all statements of these tests but the utility ones, at every level of detail."""
    user.run("SET client_min_messages = debug5; SET log_min_messages = debug5; SET log_error_verbosity = verbose")
    user.run(SELECT)
    assert SECRET_KEY not in preloaded.log()


def test_a_database_without_the_extension(user, preloaded):
    """The library may be loaded where its tables are not."""
    user.run("CREATE DATABASE other")
    other = preloaded.session("other")
    other.run("CREATE FOREIGN DATA WRAPPER dummy; CREATE SERVER s FOREIGN DATA WRAPPER dummy")
    other.run("CREATE FOREIGN TABLE f (x integer) SERVER s; ALTER FOREIGN TABLE f RENAME TO g")
    other.run("CREATE TABLE t (x integer); DROP TABLE t; DROP FOREIGN TABLE g; DROP SERVER s")
    other.run("CREATE EXTENSION dynamo_fdw; DROP EXTENSION dynamo_fdw")
    other.close()
    user.run("DROP DATABASE other")


def test_the_keys_of_a_mapping_in_pg_stat_statements(user):
    """PostgreSQL keeps the text of utility statements there, unless it is told not to."""
    seen = "SELECT count(*) FROM pg_stat_statements WHERE query LIKE '%%' || %s || '%%'"
    user.run("SET pg_stat_statements.track_utility = off; SELECT pg_stat_statements_reset()")
    user.run("DROP USER MAPPING FOR CURRENT_USER SERVER feast")
    user.mapping()
    user.run("SET pg_stat_statements.track_utility = on")
    user.run(SELECT)
    assert user.value(seen, [SECRET_KEY]) == 0
