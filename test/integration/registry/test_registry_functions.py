"""dynamo_fdw_on_demand and dynamo_fdw_feature_service_sql: what they say is true, and what they write is SQL."""

import ast

import pytest

from applied import apply
from golden import DATA
from small_registry import on_demand, projection, registry, service, view
from support import fill

HOSTILE = "a\"b'c$$d\\e\r\n);"
SOURCE = "def f(x):\r    '''$$ it's \\'\n$dynamo$ \"\"\"\t\\\n    return {'a': x}\r\n"


def on_demand_rows(session, made, **arguments):
    """{name: the row as a dict} of dynamo_fdw_on_demand."""
    given = {"registry": made if isinstance(made, bytes) else made.SerializeToString(), **arguments}
    named = ", ".join("%s => %%(%s)s" % (name, name) for name in given)
    cursor = session.conn.execute("SELECT * FROM dynamo_fdw_on_demand('feast', %s)" % named, given)
    names = [column.name for column in cursor.description]
    return {row[0]: dict(zip(names, row)) for row in cursor.fetchall()}


def service_sql(session, made, name, table, **arguments):
    given = {"registry": made.SerializeToString(), "schema": "feast", **arguments}
    named = ", ".join("%s => %%(%s)s" % (argument, argument) for argument in given)
    call = "SELECT dynamo_fdw_feature_service_sql('feast', %%(s)s, %%(t)s, %s)" % named
    return call, {"s": name, "t": table, **given}


@pytest.fixture
def stats(project):
    return view(project, "stats", {"trips": "INT64", "rate": "FLOAT"})


# On-demand views


def test_rows(feast, project, stats):
    double = on_demand(project, "double", [projection(stats, ["trips"])], {"twice": "INT64", "list": "STRING_LIST"}, {"km": "DOUBLE"})
    made = registry(project, stats, double)
    row = on_demand_rows(feast, made, schema="feast")["double"]
    assert row["inputs"] == "stats:trips INT64, km DOUBLE"
    assert row["outputs"] == "twice INT64, list STRING_LIST"
    assert (row["mode"], row["stored"], row["function_found"]) == ("python", False, False)
    assert row["source"] == "def f(x):\n    return x\n"
    feast.run(row["sql_skeleton"])
    assert on_demand_rows(feast, made, schema="feast")["double"]["function_found"]
    assert feast.run("SELECT * FROM feast.double(1, 2)") == [(None, None)]


@pytest.mark.parametrize("golden, project", [("registry2", "parcels"), ("registry2", "parcels_lab"), ("registry", "rides")])
@pytest.mark.parametrize("conforming", ["on", "off"])
def test_golden_skeletons(feast, golden, project, conforming):
    """They run, services find their functions, and the Python in the comment is all of it."""
    feast.run("SET standard_conforming_strings = %s; SET backslash_quote = off" % conforming)
    data = (DATA / golden / "registry.db").read_bytes()
    rows = on_demand_rows(feast, data, project=project, schema="feast")
    assert len(rows) == {"parcels": 5, "parcels_lab": 0, "rides": 1}[project]
    for row in rows.values():
        feast.run(row["sql_skeleton"])
        assert_python(feast, row)
    found = on_demand_rows(feast, data, project=project, schema="feast")
    assert [name for name, row in found.items() if not row["function_found"]] == []


def assert_python(session, row):
    """A dollar-quoted or quoted body, as the server reads it, parses as Python, and is nothing but comments and a return."""
    text = row["python_skeleton"]
    head, _, literal = text.partition("\nLANGUAGE plpython3u IMMUTABLE\nAS ")
    assert literal.endswith(";")
    body = session.value("SELECT " + literal[:-1].replace("%", "%%"), [])
    (only,) = ast.parse("def f():\n" + "\n".join("    " + line for line in body.split("\n"))).body
    assert [type(part) for part in only.body] == [ast.Return]
    ast.literal_eval(only.body[0].value)
    # the head with a language that is here
    session.run("BEGIN")
    session.run("DROP FUNCTION " + head.removeprefix("CREATE FUNCTION ").partition("(")[0].replace("%", "%%"))
    session.run("SET check_function_bodies = off")
    session.run((head + "\nLANGUAGE plpgsql AS 'BEGIN END'").replace("%", "%%"), [])
    session.run("ROLLBACK")


@pytest.mark.parametrize("conforming", ["on", "off"])
def test_hostile_names_and_source(feast, project, conforming):
    feast.run("SET standard_conforming_strings = %s; SET backslash_quote = off" % conforming)
    one = view(project, HOSTILE, {HOSTILE: "INT64", "x" * 80: "STRING", "%s": "BOOL"}, keys={"k'\"": "STRING"})
    odd = on_demand(project, "odd " + HOSTILE, [projection(one)], {HOSTILE: "INT64", "ü" * 50: "BYTES", "out": "JSON"},
                    {"select": "STRING", "r'": "INT64_LIST"}, SOURCE)  # fmt: skip
    single = on_demand(project, "single", [projection(one)], {HOSTILE: "INT64"}, text=SOURCE)
    made = registry(project, one, odd, single)
    rows = on_demand_rows(feast, made, schema="feast")
    for row in rows.values():
        feast.run(row["sql_skeleton"].replace("%", "%%"), [])
        assert row["source"] == SOURCE
        assert_python(feast, row)
    for row in on_demand_rows(feast, made, schema="feast").values():
        assert row["function_found"], row["name"]


def test_on_demand_arguments(feast, project, stats):
    made = registry(project, stats, on_demand(project, "double", [projection(stats)], {"twice": "INT64"}))
    assert on_demand_rows(feast, made, project=None, schema=None).keys() == {"double"}
    assert feast.run("SELECT * FROM dynamo_fdw_on_demand(NULL)") == []
    feast.run("SET search_path = nowhere")
    text = "SELECT * FROM public.dynamo_fdw_on_demand('feast', registry => %s)"
    assert feast.fail(text, [made.SerializeToString()]).sqlstate == "3F000"
    feast.run("RESET search_path")
    assert feast.fail("SELECT * FROM dynamo_fdw_on_demand('nowhere')").sqlstate == "42704"
    assert feast.fail("SELECT * FROM dynamo_fdw_on_demand('feast')").sqlstate == "HV002"


# The text of a service


@pytest.fixture
def rides(feast, project, stats):
    """A registry with a service, applied, with items of drivers 1 to 3."""
    weather = view(project, "weather", {"trips": "INT32"}, keys={"City's": "STRING"})
    made = registry(project, stats, weather, service(project, "ride", [projection(stats), projection(weather)]))
    apply(feast, made, full_feature_names=True)
    fill(feast, 3, "feast.stats (driver_id, event_timestamp, rate, trips)")
    feast.notices.clear()
    return made


def make_view(session, made, table, name="ride", **arguments):
    text = session.value(*service_sql(session, made, name, table, full_feature_names=True, **arguments))
    session.run(("CREATE VIEW feast.v AS " + text).replace("%", "%%"), [])
    return text


KINDS_OF_TABLES = {
    "table": "CREATE TABLE feast.e (driver_id bigint, \"City's\" text, note text);"
    " INSERT INTO feast.e VALUES (2, 'x', 'n'), (9, NULL, 'o'), (NULL, NULL, NULL)",
    "other types": "CREATE TABLE feast.e (driver_id integer, \"City's\" varchar(10), note text);"
    " INSERT INTO feast.e VALUES (2, 'x', 'n'), (9, NULL, 'o'), (NULL, NULL, NULL)",
    "partitioned": "CREATE TABLE feast.e (driver_id bigint, \"City's\" text, note text) PARTITION BY LIST (note);"
    " CREATE TABLE feast.e1 PARTITION OF feast.e DEFAULT;"
    " INSERT INTO feast.e VALUES (2, 'x', 'n'), (9, NULL, 'o'), (NULL, NULL, NULL)",
    "view": "CREATE VIEW feast.e AS SELECT * FROM (VALUES (2::bigint, 'x', 'n'), (9, NULL, 'o'), (NULL, NULL, NULL))"
    " AS t (driver_id, \"City's\", note)",
    "materialized view": "CREATE MATERIALIZED VIEW feast.e AS SELECT * FROM (VALUES (2::bigint, 'x', 'n'), (9, NULL, 'o'),"
    " (NULL, NULL, NULL)) AS t (driver_id, \"City's\", note)",
    "dropped column": "CREATE TABLE feast.e (gone text, driver_id bigint, \"City's\" text, note text);"
    " ALTER TABLE feast.e DROP gone; INSERT INTO feast.e VALUES (2, 'x', 'n'), (9, NULL, 'o'), (NULL, NULL, NULL)",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS_OF_TABLES)
def test_view_over_entities(feast, rides, kind):
    feast.run(KINDS_OF_TABLES[kind])
    make_view(feast, rides, "feast.e")
    cursor = feast.conn.execute("SELECT * FROM feast.v ORDER BY driver_id")
    assert [column.name for column in cursor.description] == [
        "driver_id", "City's", "note", "stats__trips", "stats__rate", "weather__trips",
    ]  # fmt: skip
    assert cursor.fetchall() == [(2, "x", "n", 20, 0.5, None), (9, None, "o", None, None, None), (None,) * 6]


def test_columns_that_are_called_like_features(feast, project, stats):
    made = registry(project, stats, service(project, "ride", [projection(stats)]))
    apply(feast, made)
    feast.run("CREATE TABLE feast.e (driver_id bigint, trips text, trips_2 text, rate real)")
    text = feast.value(*service_sql(feast, made, "ride", "feast.e"))
    feast.run("CREATE VIEW feast.v AS " + text)
    names = [column.name for column in feast.conn.execute("SELECT * FROM feast.v").description]
    assert names == ["driver_id", "trips", "trips_2", "rate", "trips_3", "rate_2"]


def test_event_timestamps(feast, rides):
    feast.run(KINDS_OF_TABLES["table"])
    make_view(feast, rides, "feast.e", include_event_timestamps=True)
    assert feast.value("SELECT stats__event_timestamp IS NOT NULL FROM feast.v WHERE driver_id = 2") is True


def test_missing_columns(feast, rides):
    feast.run("CREATE TABLE feast.e (driver_id bigint, \"city's\" text)")
    error = feast.fail(*service_sql(feast, rides, "ride", "feast.e", full_feature_names=True))
    assert error.sqlstate == "42703" and "City's" in str(error)
    feast.run("CREATE TABLE feast.none ()")
    assert feast.fail(*service_sql(feast, rides, "ride", "feast.none", full_feature_names=True)).sqlstate == "42703"


def test_hostile_names_in_the_text(feast, project):
    odd = view(project, "odd", {HOSTILE: "INT64", "%s": "BOOL"}, keys={HOSTILE + "k": "STRING"})
    name = "s " + HOSTILE
    made = registry(project, odd, service(project, name, [projection(odd)]))
    apply(feast, made)
    quoted = '"' + (HOSTILE + "k").replace('"', '""') + '"'
    table = '"' + HOSTILE.replace('"', '""') + '"'
    feast.run("CREATE TABLE feast.%s (%s text)" % (table, quoted))
    text = make_view(feast, made, "feast." + table, name)
    assert text.startswith("SELECT e.*")
    assert feast.run("SELECT * FROM feast.v") == []


def test_only_the_view_needs_rights(feast, rides, new_role):
    """Whoever may use server and schema gets the text; what the table has is nobody's secret in the catalogs."""
    role = new_role("feast")
    feast.run(KINDS_OF_TABLES["table"])
    feast.run("GRANT USAGE ON SCHEMA feast TO %s; SET ROLE %s" % (role, role))
    call, given = service_sql(feast, rides, "ride", "feast.e", full_feature_names=True)
    text = feast.value(call, given)
    assert feast.fail(text.replace("%", "%%"), []).sqlstate == "42501"
    feast.run("RESET ROLE; REVOKE USAGE ON FOREIGN SERVER feast FROM %s; SET ROLE %s" % (role, role))
    assert feast.fail(call, given).sqlstate == "42501"


def test_service_sql_arguments(feast, rides):
    feast.run(KINDS_OF_TABLES["table"])
    for arguments in ("NULL, 'ride', 'feast.e'", "'feast', NULL, 'feast.e'", "'feast', 'ride', NULL"):
        assert feast.value("SELECT dynamo_fdw_feature_service_sql(%s)" % arguments) is None
    given = {"project": None, "full_feature_names": True, "include_event_timestamps": None}
    assert feast.value(*service_sql(feast, rides, "ride", "feast.e", **given)).startswith("SELECT e.*")
    assert feast.fail(*service_sql(feast, rides, "nothing", "feast.e")).sqlstate == "42704"
    assert feast.fail(*service_sql(feast, rides, "ride", 0)).sqlstate == "42P01"
    call = "SELECT dynamo_fdw_feature_service_sql('feast', 'ride', %s::oid::regclass, 'feast', registry => %s, full_feature_names => true)"
    assert feast.fail(call, [4000000000, rides.SerializeToString()]).sqlstate == "42P01"
    # what is no table of rows
    feast.run("CREATE INDEX e_index ON feast.e (driver_id); CREATE SEQUENCE feast.q")
    for name in ("feast.e_index", "feast.q"):
        assert feast.fail(*service_sql(feast, rides, "ride", name, full_feature_names=True)).sqlstate == "42809"


def test_service_that_cannot_be_served(feast, project, stats):
    made = registry(project, stats, service(project, "ride", [projection(stats)]))
    feast.run("CREATE TABLE feast.e (driver_id bigint)")
    error = feast.fail(*service_sql(feast, made, "ride", "feast.e"))
    assert error.sqlstate == "55000" and "no foreign table" in error.diag.message_detail
