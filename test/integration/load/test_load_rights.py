"""Whose rights a load has, and what may stand in FROM."""

import pytest

from support import ACCESS_KEY, DRIVERS, SECRET_KEY, TIME, option_list, raw_items

LOAD = "SELECT dynamo_fdw_materialize('drivers', '-infinity')"


@pytest.fixture
def alice(session, project, new_role):
    """A role that owns the foreign table "drivers" and its source table "own_trips"."""
    session.server(project)
    role = new_role("feast")
    keys = option_list({"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY})
    session.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (%s)" % (role, keys))
    session.run("SET ROLE %s" % role)
    session.table("drivers", DRIVERS, batch_source="own_trips")
    session.run("CREATE TABLE own_trips (driver_id bigint, event_timestamp timestamptz, conv_rate real, trips integer)")
    session.run("INSERT INTO own_trips VALUES (1, '2026-03-01', 0.5, 7)")
    session.run("RESET ROLE")
    yield role
    session.run("ROLLBACK; RESET ROLE; DROP TABLE IF EXISTS own_trips CASCADE")


@pytest.mark.parametrize("text", ["(SELECT * FROM own_trips)", "/* x */ (SELECT * FROM own_trips)", "--\n(TABLE own_trips)", "viewed"])
def test_registry_code_does_not_run_as_a_superuser(session, alice, text):
    """Whoever can write the registry writes the option of a managed table."""
    session.run("CREATE VIEW viewed AS SELECT * FROM own_trips")
    session.run("ALTER FOREIGN TABLE drivers OWNER TO CURRENT_USER")
    session.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD managed 'true', SET batch_source '%s')" % text)
    error = session.fail("SELECT dynamo_fdw_materialize('drivers')")
    assert error.sqlstate == "42501" and "not run as a superuser" in error.diag.message_primary
    session.run("ALTER FOREIGN TABLE drivers OPTIONS (SET batch_source 'own_trips')")
    session.run("SELECT dynamo_fdw_materialize('drivers')")
    session.run("DROP VIEW viewed")


def test_who_may_load(session, alice, new_role):
    bob = new_role("feast")
    session.run("GRANT ALL ON drivers, own_trips TO %s; SET ROLE %s" % (bob, bob))
    assert session.fail(LOAD).sqlstate == "42501"
    assert session.run("SELECT * FROM dynamo_fdw_materialize_all('public')") == []
    session.run("RESET ROLE; GRANT %s TO %s; SET ROLE %s" % (alice, bob, bob))
    assert session.value(LOAD) == 1
    assert len(session.run("SELECT * FROM dynamo_fdw_materialize_all('public')")) == 1
    session.run("RESET ROLE; SET ROLE %s" % alice)
    assert session.value(LOAD) == 1
    session.run("RESET ROLE")
    assert session.value(LOAD) == 1


def test_who_sees_intervals(session, alice, new_role):
    bob = new_role("feast")
    session.run(LOAD)
    seen = "SELECT count(*) FROM dynamo_fdw_intervals"
    session.run("SET ROLE %s" % bob)
    assert session.value(seen) == 0
    assert session.fail("SELECT * FROM dynamo_fdw_interval").sqlstate == "42501"
    session.run("RESET ROLE; GRANT SELECT ON drivers TO %s; SET ROLE %s" % (bob, bob))
    assert session.value(seen) == 1
    session.run("RESET ROLE")


def test_the_source_is_read_with_the_owners_rights(session, alice):
    session.run("CREATE TABLE secret AS SELECT * FROM own_trips; REVOKE ALL ON secret FROM PUBLIC")
    assert session.fail("SELECT dynamo_fdw_materialize('drivers', source => 'secret')").sqlstate == "42501"
    session.run("GRANT SELECT ON secret TO %s; ALTER TABLE secret ENABLE ROW LEVEL SECURITY" % alice)
    session.run("CREATE POLICY none ON secret USING (false)")
    assert session.value("SELECT dynamo_fdw_materialize('drivers', '-infinity', source => 'secret')") == 0
    session.run("DROP TABLE secret")


HOSTILE = [
    "EXECUTE 'RESET ROLE'",
    "EXECUTE 'SET ROLE postgres'",
    "EXECUTE 'SET SESSION AUTHORIZATION postgres'",
    "PERFORM set_config('role', 'postgres', false)",
    "CREATE TEMP TABLE own_trips (x int)",
    "EXECUTE 'ALTER ROLE ' || quote_ident(current_user) || ' SUPERUSER'",
]


@pytest.mark.parametrize("act", HOSTILE)
def test_a_superuser_runs_nothing_of_the_owner_as_himself(session, alice, act):
    """The function is called by the source, by a trigger of the foreign table, and by an operator that it brings."""
    session.run("SET ROLE %s" % alice)
    session.run(
        "CREATE FUNCTION act() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN %s; RETURN 1; END $$;"
        "CREATE FUNCTION act_in_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s; RETURN NEW; END $$;"
        "CREATE VIEW own_view AS SELECT driver_id, event_timestamp, conv_rate, act() AS trips FROM own_trips" % (act, act)
    )
    session.run("RESET ROLE")
    assert session.fail("SELECT dynamo_fdw_materialize('drivers', '-infinity', source => 'own_view')").sqlstate in (
        "42501",
        "22023",
    )
    session.run("SET ROLE %s; CREATE TRIGGER t BEFORE INSERT ON drivers FOR EACH ROW" % alice
                + " EXECUTE FUNCTION act_in_trigger(); RESET ROLE")
    assert session.fail(LOAD).sqlstate in ("42501", "22023")
    assert session.value("SELECT current_user") == "postgres"
    assert session.run("SELECT 1 FROM pg_roles WHERE rolname = '%s' AND rolsuper" % alice) == []
    session.run("DROP TRIGGER t ON drivers; DROP VIEW own_view; DROP FUNCTION act(); DROP FUNCTION act_in_trigger()")


def test_the_source_runs_as_the_owner_and_leaves_nothing_set(session, alice):
    session.run("SET ROLE %s" % alice)
    session.run(
        "CREATE TABLE seen (who name);"
        "CREATE FUNCTION look() RETURNS integer LANGUAGE sql AS $$ INSERT INTO seen VALUES (current_user);"
        " SELECT set_config('search_path', 'nowhere', false); SELECT set_config('timezone', 'Asia/Tokyo', false);"
        " SELECT 5 $$;"
        "CREATE VIEW own_view AS SELECT driver_id, event_timestamp, conv_rate, look() AS trips FROM own_trips;"
        "RESET ROLE; SET timezone = 'America/New_York'"
    )
    assert session.value("SELECT dynamo_fdw_materialize('drivers', '-infinity', source => 'own_view')") == 1
    assert session.value("SHOW timezone") == "America/New_York"
    assert "public" in session.value("SHOW search_path")
    assert session.run("SELECT DISTINCT who FROM seen") == [(alice,)]
    assert session.value("SELECT current_user") == "postgres"
    session.run("DROP VIEW own_view; DROP FUNCTION look(); DROP TABLE seen")


def test_after_an_error_the_caller_is_himself_again(session, alice):
    session.run("SET timezone = 'Asia/Tokyo'; BEGIN; SAVEPOINT s")
    session.fail("SELECT dynamo_fdw_materialize('drivers', source => '(SELECT 1 / (random() * 0)::int AS driver_id)')")
    session.run("ROLLBACK TO s")
    assert session.value("SELECT current_user") == "postgres"
    assert session.value("SHOW timezone") == "Asia/Tokyo"
    session.run("CREATE TEMP TABLE allowed_again (); COMMIT")
    assert session.value(LOAD) == 1


# ---- what stands in FROM ----

GOOD = [
    "own_trips",
    "public.own_trips",
    '"own_trips"',
    "ONLY own_trips",
    "(SELECT * FROM own_trips)",
    "(TABLE own_trips)",
    "(SELECT * FROM own_trips) -- and a comment",
    "own_trips /* and a comment */",
    "(WITH w AS (SELECT * FROM own_trips) SELECT * FROM w WHERE conv_rate < 1 ORDER BY 1 LIMIT 5)",
    "(SELECT * FROM own_trips UNION SELECT * FROM own_trips)",
    "(SELECT v.column1 AS driver_id, timestamptz '2026-03-01' AS event_timestamp, 0.5 AS conv_rate, 7 AS trips"
    " FROM (VALUES (1), (1)) v)",
    "(SELECT *, '); DROP TABLE own_trips; --' AS text FROM own_trips)",
    "(SELECT *, $$ ) $$ AS text FROM own_trips)",
]


@pytest.mark.parametrize("source", GOOD)
def test_good_sources(session, alice, source):
    assert session.value("SELECT dynamo_fdw_materialize('drivers', '-infinity', source => %s)", [source]) == 1
    session.run("ALTER FOREIGN TABLE drivers OPTIONS (SET batch_source '%s')" % source.replace("'", "''"))
    assert session.value(LOAD) == 1


BAD = [
    "own_trips; DROP TABLE own_trips",
    "own_trips; DROP TABLE own_trips; SELECT FROM own_trips",
    "own_trips) s, (SELECT 1",
    "(SELECT 1) s, (SELECT 2)",
    "own_trips s, own_trips",
    "own_trips s WHERE false UNION SELECT FROM own_trips",
    "own_trips, own_trips",
    "own_trips AS s --",
    "own_trips AS s /*",
    "own_trips /*",
    "own_trips s",
    "own_trips AS s (a, b, c, d)",
    "own_trips WHERE true",
    "own_trips a JOIN own_trips b ON true",
    "(own_trips a JOIN own_trips b ON true)",
    "own_trips TABLESAMPLE system (1)",
    "own_trips FOR UPDATE",
    "LATERAL (SELECT * FROM own_trips)",
    "SELECT * FROM own_trips",
    "pg_sleep(1)",
    "ROWS FROM (pg_sleep(1))",
    "(SELECT * FROM own_trips WHERE driver_id = $1)",
    "(SELECT * FROM own_trips WHERE EXISTS (SELECT 1 WHERE $2 > now()))",
    "(SELECT * INTO more FROM own_trips)",
    "(SELECT * FROM own_trips FOR UPDATE)",
    "(SELECT * FROM (SELECT * FROM own_trips FOR SHARE) x)",
    "(WITH gone AS (DELETE FROM own_trips RETURNING *) SELECT * FROM gone)",
    "(SELECT * FROM (WITH new AS (INSERT INTO own_trips DEFAULT VALUES RETURNING *) SELECT * FROM new) x)",
    "(DELETE FROM own_trips RETURNING *)",
    "",
    "--",
    "'own_trips'",
    "$$own_trips$$",
    "(SELECT '",
    "(SELECT $$",
]


@pytest.mark.parametrize("source", BAD)
def test_bad_sources(session, alice, source):
    error = session.fail("SELECT dynamo_fdw_materialize('drivers', '-infinity', source => %s)", [source])
    assert error.sqlstate == "22023"
    assert 'argument "source" must be' in error.diag.message_primary
    if source:  # an option is never empty
        session.run("ALTER FOREIGN TABLE drivers OPTIONS (SET batch_source '%s')" % source.replace("'", "''"))
        error = session.fail(LOAD)
        assert error.sqlstate == "22023"
        assert 'option "batch_source" of foreign table "drivers" must be' in error.diag.message_primary
    assert session.value("SELECT count(*) FROM own_trips") == 1


@pytest.mark.parametrize("option", ["timestamp_field", "created_timestamp_column"])
def test_names_cannot_break_out(session, alice, option):
    name = '"; DROP TABLE own_trips; --'
    session.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD %s '%s')" % (option, name))
    assert session.fail(LOAD).sqlstate == "42703"
    session.run('ALTER TABLE own_trips RENAME event_timestamp TO "%s"' % name.replace('"', '""'))
    if option == "timestamp_field":
        assert session.value(LOAD) == 1
    else:
        assert session.fail(LOAD).sqlstate == "42703"


def test_the_search_path_of_the_caller_has_no_say_in_our_text(session, alice, project):
    """Only in the source's."""
    session.run(
        "CREATE SCHEMA hostile; CREATE FUNCTION hostile.later(timestamptz, timestamptz) RETURNS boolean LANGUAGE sql"
        " AS 'SELECT false'; CREATE OPERATOR hostile.>= (leftarg = timestamptz, rightarg = timestamptz,"
        " function = hostile.later); CREATE DOMAIN hostile.int8 AS text; GRANT USAGE ON SCHEMA hostile TO PUBLIC"
    )
    session.run("SET search_path = hostile, pg_catalog, public")
    assert session.value(LOAD) == 1
    assert len(raw_items(project + ".drivers")) == 1
    session.run("RESET search_path; DROP SCHEMA hostile CASCADE")
    session.run("SET search_path = pg_catalog")
    assert session.fail("SELECT public.dynamo_fdw_materialize('public.drivers')").sqlstate == "42P01"
    session.run("RESET search_path")


def test_an_entityless_table_of_somebody(session, alice):
    session.run("SET ROLE %s" % alice)
    session.table("total", "event_timestamp %s, trips integer" % TIME, entityless="true", batch_source="own_trips")
    session.run("INSERT INTO own_trips VALUES (1, '2026-03-02', 0.5, 9)")
    assert session.value("SELECT dynamo_fdw_materialize('total', '-infinity')") == 1
    assert session.value("SELECT trips FROM total") == 9
    session.run("RESET ROLE")
