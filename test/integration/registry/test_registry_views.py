"""A SQL registry of views, which call functions: these act while it is read, as whoever wrote them."""

import pathlib

import pytest

from support import takes

TABLES = pathlib.Path(__file__).parents[2] / "data" / "registry2" / "sql_registry.sql"
IMPORT = "IMPORT FOREIGN SCHEMA parcels FROM SERVER feast INTO %s"


@pytest.fixture
def registry(session):
    """A registry in tables, read by a view that calls acts() first; schemas to import into."""
    session.run("CREATE SCHEMA reg; CREATE SCHEMA here; CREATE SCHEMA there; SET search_path = reg")
    session.run(TABLES.read_text().replace("BEGIN;", "").replace("COMMIT;", ""))
    session.run("RESET search_path; ALTER TABLE reg.feature_views RENAME TO feature_views_0")
    session.server("parcels", registry_type="sql", registry="reg", create_remote_table="false")
    yield session
    session.run("ROLLBACK; RESET ROLE; SET dynamo_fdw.remote_ddl = off; SET client_min_messages = error")
    session.run("DROP SCHEMA IF EXISTS reg, here, there CASCADE")


def let_view_act(session, body, schema="reg"):
    """Has every reading of the views' table run the body."""
    session.run(
        "CREATE FUNCTION %s.acts() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN %s RETURN true; END $$" % (schema, body)
    )
    session.run(
        "CREATE VIEW %s.feature_views AS SELECT project_id, feature_view_name, feature_view_proto"
        " FROM reg.feature_views_0 WHERE %s.acts()" % (schema, schema)
    )


def tables(session, schema):
    return session.value("SELECT count(*) FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'f'", [schema])


def comments(session, schema):
    return session.value(
        "SELECT count(obj_description(oid, 'pg_class')) FROM pg_class"
        " WHERE relnamespace = %s::regnamespace AND relkind = 'f'",
        [schema],
    )


def test_an_import_within_an_import(registry):
    let_view_act(
        registry,
        "IF current_setting('test.nested', true) IS DISTINCT FROM '1' THEN"
        " PERFORM set_config('test.nested', '1', true); %s; END IF;" % (IMPORT % "there"),
    )
    registry.run(IMPORT % "here")
    assert tables(registry, "here") == tables(registry, "there") > 0
    assert comments(registry, "here") == comments(registry, "there") > 0


def test_an_import_that_fails_within_an_import(registry):
    registry.run('CREATE TABLE there."Courier-Profile.2" ()')
    let_view_act(
        registry,
        "IF current_setting('test.nested', true) IS DISTINCT FROM '1' THEN"
        " PERFORM set_config('test.nested', '1', true);"
        " BEGIN %s; EXCEPTION WHEN duplicate_table THEN NULL; END; END IF;" % (IMPORT % "there"),
    )
    registry.run(IMPORT % "here")
    assert (tables(registry, "here") > 0, tables(registry, "there")) == (True, 0)
    assert comments(registry, "here") > 0


def test_the_schema_is_dropped_while_the_registry_is_read(registry):
    let_view_act(registry, "DROP SCHEMA IF EXISTS here CASCADE;")
    assert registry.fail("SELECT * FROM dynamo_fdw_apply('feast', 'here')").sqlstate == "3F000"
    assert registry.alive()


def test_a_superuser_does_not_run_what_others_wrote(registry, new_role):
    role = new_role("feast")
    registry.run("GRANT USAGE, CREATE ON SCHEMA reg TO %s; GRANT SELECT ON reg.feature_views_0 TO %s" % (role, role))
    registry.run("CREATE TABLE reg.seen (name text); GRANT INSERT ON reg.seen TO %s; SET ROLE %s" % (role, role))
    let_view_act(registry, "INSERT INTO reg.seen VALUES (current_user);")
    registry.run("RESET ROLE")
    registry.run(IMPORT % "here")
    registry.run("SELECT * FROM dynamo_fdw_apply('feast', 'here')")
    registry.run("SELECT * FROM dynamo_fdw_on_demand('feast')")
    assert registry.value("SELECT array_agg(DISTINCT name) FROM reg.seen") == [role]
    assert registry.value("SELECT current_user") != role
    registry.run("DROP VIEW reg.feature_views")
    let_view_act_again = "SET ROLE %s; CREATE OR REPLACE FUNCTION reg.acts() RETURNS boolean LANGUAGE plpgsql AS $$" % role
    registry.run(let_view_act_again + " BEGIN RESET ROLE; RETURN true; END $$")
    registry.run(
        "CREATE VIEW reg.feature_views AS SELECT project_id, feature_view_name, feature_view_proto"
        " FROM reg.feature_views_0 WHERE reg.acts(); RESET ROLE"
    )
    assert registry.fail(IMPORT % "there").sqlstate == "42501"


def test_many_inputs_of_an_on_demand_view_can_be_canceled(session):
    from feast.protos.feast.core.Registry_pb2 import Registry

    registry = Registry(registry_schema_version="1")
    view = registry.on_demand_feature_views.add()
    view.spec.name, view.spec.project = "computed", "p"
    input = view.spec.sources["of"].feature_view_projection
    input.feature_view_name = "of"
    for i in range(200000):
        input.feature_columns.add(name="f%d" % i, value_type=3)
    session.server("p")
    session.run("SET statement_timeout = '1s'")
    with takes(less_than=30):
        error = session.fail("SELECT * FROM dynamo_fdw_on_demand('feast', registry => %s)", [registry.SerializeToString()])
    assert error.sqlstate == "57014"
