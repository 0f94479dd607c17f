"""dynamo_fdw_apply of roles with few rights, in hostile schemas, in all kinds of transactions, and when it fails."""

import os
import signal
import threading

import psycopg
import pytest

import faults
from applied import SCHEMA, actions, apply, apply_fails, apply_sql, functions, structure, tables
from cluster import Cluster
from small_registry import field, on_demand, projection, registry, service, set_fields, view
from support import KEY, Running, records, remote_tables


def make_registry(project):
    stats = view(project, "stats", {"trips": "INT64", "rate": "FLOAT"}, description="of a driver")
    other = view(project, "other", {"x": "STRING"})
    return registry(project, stats, other, service(project, "ride", [projection(stats)], "for the ride model"))


@pytest.fixture
def rides(project):
    return make_registry(project)


@pytest.fixture
def role(feast, new_role):
    """A role with a mapping, which may use the server."""
    name = new_role("feast")
    feast.run("SET ROLE " + name)
    feast.mapping()
    feast.run("RESET ROLE")
    return name


# Rights


def test_role_with_a_schema_of_its_own(feast, project, rides, role):
    feast.run("ALTER SCHEMA feast OWNER TO %s; SET ROLE %s" % (role, role))
    apply(feast, rides)
    assert apply(feast, rides) == []
    rides.feature_views[0].spec.features.append(field("more", "INT64", "described"))
    set_fields(rides.feature_views[1].spec.features, {"x": "BOOL"})
    assert len(apply(feast, rides)) == 3
    assert [row[2] for row in apply(feast, registry(project), prune=True)] == ["drop"] * 3
    assert remote_tables(project) == []


def test_rights_that_are_missing(feast, rides, role):
    feast.run("SET ROLE " + role)
    for dry_run in (True, False):
        assert apply_fails(feast, rides, dry_run=dry_run).sqlstate == "42501"
    feast.run("RESET ROLE; GRANT USAGE ON SCHEMA feast TO %s; SET ROLE %s" % (role, role))
    error = apply_fails(feast, rides)
    assert error.sqlstate == "42501" and "schema feast" in str(error)
    feast.run("RESET ROLE; GRANT ALL ON SCHEMA feast TO %s; REVOKE USAGE ON FOREIGN SERVER feast FROM %s; SET ROLE %s"
              % (role, role, role))  # fmt: skip
    error = apply_fails(feast, rides)
    assert error.sqlstate == "42501" and "server feast" in str(error)


@pytest.mark.parametrize("what", ["column", "type", "comment", "column comment", "service", "service comment", "view", "gone"])
def test_what_another_role_owns(feast, project, rides, role, what):
    """Who owns neither tables nor functions changes nothing of them, be it a comment."""
    apply(feast, rides)
    feast.run("GRANT ALL ON SCHEMA feast TO %s" % role)
    spec = rides.feature_views[0].spec
    if what == "column":
        spec.features.append(field("more"))
    elif what == "type":
        set_fields(spec.features, {"trips": "STRING", "rate": "FLOAT"})
    elif what == "comment":
        spec.description = "mine now"
    elif what == "column comment":
        spec.features[0].description = "mine now"
    elif what == "service":
        rides.feature_services[0].spec.features[0].CopyFrom(projection(rides.feature_views[0], ["rate"]))
    elif what == "service comment":
        rides.feature_services[0].spec.description = "mine now"
    elif what == "view":
        del rides.feature_views[1]
    else:
        del rides.feature_services[0]
    before = structure(feast)
    feast.run("SET ROLE " + role)
    error = apply_fails(feast, rides, prune=True)
    assert error.sqlstate == "42501" and "must be owner" in str(error)
    feast.run("RESET ROLE")
    assert structure(feast) == before


def test_owner_is_another_role_that_one_is_in(feast, project, rides, role):
    """What is replaced stays whose it was."""
    apply(feast, rides)
    feast.run("GRANT ALL ON SCHEMA feast TO %s" % role)
    feast.run("ALTER FUNCTION feast.ride OWNER TO " + role)
    rides.feature_services[0].spec.features[0].CopyFrom(projection(rides.feature_views[0], ["rate"]))
    apply(feast, rides)
    assert feast.value("SELECT proowner::regrole::text FROM pg_proc WHERE proname = 'ride'") == role


def test_dry_run_needs_no_credentials(feast, project, rides):
    """It says what can't be known."""
    feast.run("DROP USER MAPPING FOR CURRENT_USER SERVER feast")
    rows = apply(feast, rides, dry_run=True)
    assert {row[3][:7] for row in rows if row[0] == "remote table"} == {"unknown"}
    assert tables(feast) == []


HOSTILE = """
    CREATE FUNCTION public.trap(integer) RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'sprung by %', current_user; END $$;
    CREATE FUNCTION feast.spring() RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'sprung by %', current_user; END $$;
    CREATE FUNCTION feast.eq(bigint, bigint) RETURNS boolean LANGUAGE sql RETURN feast.spring();
    CREATE OPERATOR feast.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = feast.eq);
    CREATE OPERATOR public.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = feast.eq);
    CREATE FUNCTION feast.unnest(bigint[]) RETURNS SETOF bigint LANGUAGE plpgsql AS
        $$ BEGIN PERFORM feast.spring(); END $$;
    CREATE FUNCTION public.unnest(bigint[]) RETURNS SETOF bigint LANGUAGE plpgsql AS
        $$ BEGIN PERFORM feast.spring(); END $$;
    CREATE DOMAIN feast.int8 AS text CHECK (feast.spring());
    CREATE DOMAIN feast.bigint AS text CHECK (feast.spring());
    CREATE FUNCTION public.dynamo_fdw_plan(text) RETURNS TABLE (remote_table text, on_create text, difference text,
        status text, foreign_table oid) LANGUAGE plpgsql AS $$ BEGIN PERFORM feast.spring(); END $$;
"""


def test_superuser_in_the_schema_of_a_hostile_role(feast, project, role):
    """Nothing that its owner has put there, or first in the path, runs."""
    stats = view(project, "stats", {"trips": "INT64"})
    double = on_demand(project, "double", [projection(stats)], {"twice": "INT64"})
    rides = registry(project, stats, double, service(project, "ride", [projection(stats), projection(double)]))
    feast.run("ALTER SCHEMA feast OWNER TO %s; SET ROLE %s" % (role, role))
    feast.run(HOSTILE)
    feast.run("CREATE FUNCTION feast.double(trips bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS"
              " $$ BEGIN PERFORM feast.spring(); RETURN 1; END $$")  # fmt: skip
    # a table and a function in the guise of ours
    feast.run("CREATE FOREIGN TABLE feast.stats (driver_id %s, trips bigint OPTIONS (managed 'true'),"
              " CHECK (feast.spring())) SERVER feast OPTIONS (managed 'true', create_remote_table 'false')" % KEY)  # fmt: skip
    feast.run("CREATE FUNCTION feast.ride(driver_id bigint[] DEFAULT ARRAY[feast.spring()::int]) RETURNS integer"
              " SECURITY DEFINER LANGUAGE sql AS 'SELECT 1'")  # fmt: skip
    feast.run("ALTER FUNCTION feast.ride DEPENDS ON EXTENSION dynamo_fdw")
    feast.run("RESET ROLE; SET search_path = feast, public, pg_catalog")
    set_fields(rides.feature_views[0].spec.features, {"trips": "STRING", "rate": "FLOAT"})
    try:
        apply(feast, rides, dry_run=True)
        apply(feast, rides)
        apply(feast, rides, prune=True)
        apply(feast, registry(project), prune=True)
    finally:
        feast.run("RESET search_path; DROP SCHEMA feast CASCADE; DROP FUNCTION public.trap, public.unnest(bigint[])")
        feast.run("DROP FUNCTION public.dynamo_fdw_plan(text)")


def test_a_function_that_its_maker_marked(feast, project, rides, role):
    """Its maker would stay the owner of what others call."""
    feast.run("GRANT ALL ON SCHEMA feast TO %s; SET ROLE %s" % (role, role))
    feast.run("CREATE FUNCTION feast.ride(driver_id bigint[]) RETURNS integer LANGUAGE sql AS 'SELECT 1'")
    feast.run("ALTER FUNCTION feast.ride DEPENDS ON EXTENSION dynamo_fdw; RESET ROLE")
    rows = apply(feast, rides)
    assert ("function", "ride", "none") in [row[:3] for row in rows]
    owner = "SELECT proowner::regrole::text FROM pg_proc WHERE oid = 'feast.ride'::regproc"
    assert (feast.value(owner), feast.value("SELECT feast.ride(NULL)")) == (role, 1)
    apply(feast, registry(project), prune=True)
    assert feast.value(owner) == role
    # the schema's owner has it all in his hands anyway
    feast.run("ALTER SCHEMA feast OWNER TO " + role)
    rows = apply(feast, rides)
    assert ("function", "ride", "replace") in [row[:3] for row in rows]


def test_on_demand_function_of_somebody_else(feast, project, role):
    """Who may create functions in a schema has not everybody run his, who calls a service."""
    stats = view(project, "stats", {"trips": "INT64"})
    double = on_demand(project, "double", [projection(stats)], {"twice": "INT64"})
    rides = registry(project, stats, double, service(project, "ride", [projection(stats), projection(double)]))
    feast.run("GRANT ALL ON SCHEMA feast TO %s; SET ROLE %s" % (role, role))
    feast.run("CREATE FUNCTION feast.double(trips bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN trips * 2; RESET ROLE")
    columns = "SELECT pg_get_function_result('feast.ride'::regproc)"
    apply(feast, rides)
    assert "twice" not in feast.value(columns)
    feast.run("ALTER FUNCTION feast.double OWNER TO CURRENT_USER")
    apply(feast, rides)
    assert "twice" in feast.value(columns)


def test_functions_of_services_call_nothing_of_the_path(feast, project, rides, role):
    """What they call is in pg_catalog, whoever made what in the path of the one who applied."""
    feast.run("ALTER SCHEMA feast OWNER TO %s; SET ROLE %s" % (role, role))
    feast.run(HOSTILE)
    feast.run("SET search_path = feast, public, pg_catalog; RESET ROLE")
    try:
        apply(feast, rides)
        assert feast.run("SELECT * FROM feast.ride(ARRAY[1::pg_catalog.int8])") == [(1, None, None)]
    finally:
        feast.run("RESET search_path; DROP SCHEMA feast CASCADE; DROP FUNCTION public.trap, public.unnest(bigint[])")
        feast.run("DROP FUNCTION public.dynamo_fdw_plan(text)")


# Transactions


def test_rollback(feast, project, rides):
    before = structure(feast)
    feast.run("BEGIN")
    apply(feast, rides)
    assert remote_tables(project) == ["other", "stats"]
    feast.run("ROLLBACK")
    assert structure(feast) == before and remote_tables(project) == []


def test_savepoint(feast, project, rides):
    feast.run("BEGIN")
    apply(feast, rides)
    feast.run("SAVEPOINT a")
    assert apply(feast, registry(project), prune=True) != []
    assert tables(feast) == []
    feast.run("ROLLBACK TO a")
    assert apply(feast, rides) == []
    feast.run("COMMIT")
    assert apply(feast, rides) == [] and remote_tables(project) == ["other", "stats"]


def test_error_is_caught_in_plpgsql(feast, project, rides):
    """What the block did before is undone with it, and the session goes on."""
    apply(feast, rides)
    feast.run("CREATE VIEW feast.v AS SELECT trips FROM feast.stats")
    set_fields(rides.feature_views[0].spec.features, {"trips": "STRING"})
    feast.run("CREATE TABLE feast.given (registry bytea); CREATE TABLE feast.log (t text)")
    feast.run("INSERT INTO feast.given VALUES (%s)", [rides.SerializeToString()])
    before = structure(feast)
    for dry_run in ("true", "false"):
        feast.run("TRUNCATE feast.log")
        feast.run("""DO $$ DECLARE bytes bytea := (SELECT registry FROM feast.given); BEGIN
            INSERT INTO feast.log VALUES ('before');
            BEGIN
                INSERT INTO feast.log VALUES ('within');
                PERFORM dynamo_fdw_apply('feast', 'feast', registry => bytes, dry_run => %s);
            EXCEPTION WHEN OTHERS THEN
                INSERT INTO feast.log VALUES (SQLSTATE);
            END;
            INSERT INTO feast.log VALUES ('after'); END $$""" % dry_run)  # fmt: skip
        assert [text for (text,) in feast.run("SELECT t FROM feast.log")] == ["before", "0A000", "after"]
    assert structure(feast) == before
    feast.run("DROP VIEW feast.v")


def test_error_of_a_function_is_caught_in_plpgsql(feast, project, rides, role):
    """Where it is replaced in a subtransaction of its own."""
    apply(feast, rides)
    feast.run("GRANT ALL ON SCHEMA feast TO %s" % role)
    feast.run("CREATE TABLE feast.given (registry bytea); CREATE TABLE feast.log (t text)")
    feast.run("GRANT ALL ON feast.given, feast.log TO " + role)
    rides.feature_services[0].spec.description = "other"
    feast.run("INSERT INTO feast.given VALUES (%s)", [rides.SerializeToString()])
    feast.run("SET ROLE " + role)
    feast.run("""DO $$ DECLARE bytes bytea := (SELECT registry FROM feast.given); BEGIN
        BEGIN
            INSERT INTO feast.log VALUES ('within');
            PERFORM dynamo_fdw_apply('feast', 'feast', registry => bytes);
        EXCEPTION WHEN insufficient_privilege THEN
            INSERT INTO feast.log VALUES ('caught');
        END; END $$""")
    assert feast.run("SELECT t FROM feast.log") == [("caught",)]


def test_dry_run_leaves_settings(feast, rides):
    apply(feast, rides, dry_run=True)
    assert feast.value("SHOW dynamo_fdw.remote_ddl") == "on"
    feast.run("BEGIN; SET LOCAL search_path = feast, public")
    apply(feast, rides, dry_run=True)
    assert feast.value("SHOW search_path") == "feast, public" and feast.value("SHOW dynamo_fdw.remote_ddl") == "on"
    apply(feast, rides)
    assert feast.value("SHOW search_path") == "feast, public"
    feast.run("ROLLBACK")


def test_prepared_transactions(feast, project, rides):
    feast.run("BEGIN")
    apply(feast, rides, dry_run=True)
    feast.run("PREPARE TRANSACTION 'dry'")
    feast.run("ROLLBACK PREPARED 'dry'")
    feast.run("BEGIN")
    apply(feast, rides)
    assert "made, dropped or changed" in str(feast.fail("PREPARE TRANSACTION 'wet'"))
    feast.run("ROLLBACK")
    assert tables(feast) == [] and remote_tables(project) == []


def test_read_only_transaction(feast, rides):
    feast.run("BEGIN READ ONLY")
    assert apply_fails(feast, rides, dry_run=True).sqlstate == "25006"
    feast.run("ROLLBACK; BEGIN READ ONLY")
    assert apply_fails(feast, rides).sqlstate == "25006"


def test_repeatable_read(feast, rides):
    feast.run("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1")
    apply(feast, rides)
    feast.run("COMMIT")
    assert apply(feast, rides) == []


def test_security_definer(feast, project, rides, role):
    """It acts as the function's owner."""
    feast.run("ALTER SCHEMA feast OWNER TO %s; SET ROLE %s" % (role, role))
    feast.run("CREATE FUNCTION feast.deploy(bytes bytea) RETURNS bigint SECURITY DEFINER SET search_path = pg_catalog"
              " LANGUAGE sql AS $$ SELECT count(*) FROM public.dynamo_fdw_apply('feast', 'feast', registry => bytes) $$")  # fmt: skip
    feast.run("RESET ROLE")
    assert feast.value("SELECT feast.deploy(%s)", [rides.SerializeToString()]) == 5
    owners = feast.run("SELECT relowner::regrole::text FROM pg_class WHERE relkind = 'f' UNION SELECT proowner::regrole::text"
                       " FROM pg_proc WHERE proname = 'ride'")  # fmt: skip
    assert owners == [(role,)]


def test_in_a_query_that_reads_the_table(feast, project, rides):
    apply(feast, rides)
    rides.feature_views[0].spec.features.append(field("more"))
    sql, given = apply_sql(rides)
    error = feast.fail(sql + " LEFT JOIN feast.stats ON driver_id = 1", given)
    assert error.sqlstate == "55006"
    assert feast.value("SELECT count(*) FROM dynamo_fdw_apply('feast', 'feast', registry => %(registry)s) a,"
                       " dynamo_fdw_apply('feast', 'feast', registry => %(registry)s) b", given) == 0  # fmt: skip
    assert apply(feast, rides) == []


def test_within_an_event_trigger(feast, project, rides):
    """One that calls it at the end of an IMPORT, of which the rest is still to come, and one that fires within it."""
    feast.run("CREATE TABLE public.given AS SELECT %s::bytea AS bytes", [rides.SerializeToString()])
    feast.run("""CREATE FUNCTION public.again() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'feast2') THEN
            CREATE SCHEMA feast2;
            PERFORM public.dynamo_fdw_apply('feast', 'feast2', registry => bytes) FROM public.given;
        END IF; END $$""")
    feast.run("CREATE EVENT TRIGGER a_first ON ddl_command_start WHEN TAG IN ('IMPORT FOREIGN SCHEMA')"
              " EXECUTE FUNCTION public.again()")  # fmt: skip
    try:
        rows = apply(feast, rides)
        assert ("function", "ride", "create") in actions(rows)
        for schema in (SCHEMA, "feast2"):
            assert tables(feast, schema) == ["other", "stats"] and functions(feast, schema) == ["ride"]
            assert apply(feast, rides, schema=schema) == []
    finally:
        feast.run("DROP EVENT TRIGGER a_first; DROP FUNCTION public.again; DROP TABLE public.given")
        feast.run("DROP SCHEMA feast2 CASCADE")


def test_on_a_standby(feast, rides):
    standby = Cluster()
    try:
        standby.copy()
        standby.start()
        session = standby.session(feast.conn.info.dbname)
        for dry_run in (True, False):
            error = session.fail(*apply_sql(rides, dry_run=dry_run))
            assert error.sqlstate == "25006"
        assert session.alive()
        session.close()
    finally:
        standby.remove()


# Failures


@pytest.fixture
def proxied(feast, proxy):
    feast.run("ALTER SERVER feast OPTIONS (SET endpoint_url '%s')" % proxy.url)
    return feast


def test_remote_table_that_cannot_be_made(proxied, proxy, project, rides):
    """All of it is undone, what was made of the others too."""
    before = structure(proxied)
    proxy.fault(faults.error("ValidationException"), operation="CreateTable")
    assert "made up" in str(apply_fails(proxied, rides))
    assert structure(proxied) == before and remote_tables(project) == [] and records(proxied) == []
    apply(proxied, rides)
    assert apply(proxied, rides) == []


@pytest.mark.parametrize("how", ["timeout", "cancel"])
def test_interrupted(proxied, proxy, project, rides, how):
    before = structure(proxied)
    proxy.fault(faults.stall, times=8, operation="CreateTable")
    if how == "timeout":
        proxied.run("SET statement_timeout = '1s'")
    call = Running(proxied, *apply_sql(rides))
    proxy.wait_for("CreateTable")
    if how == "cancel":
        proxied.conn.cancel()
    call.join()
    assert call.error.sqlstate == "57014"
    proxied.run("RESET statement_timeout")
    proxy.heal()
    assert structure(proxied) == before
    apply(proxied, rides)
    assert apply(proxied, rides) == []


@pytest.mark.parametrize("operation", ["DescribeTable", "CreateTable"])
def test_backend_killed(session, project, proxy, rides, operation):
    """Here all is as before; a remote table that was asked for already is adopted by the next run."""
    cluster = Cluster()
    try:
        cluster.init()
        cluster.start()
        there = cluster.session()
        there.run("CREATE EXTENSION dynamo_fdw")
        there.server(project, proxy.url)
        there.run("CREATE SCHEMA feast")
        release = threading.Event()
        proxy.fault(faults.held(release), times=8, operation=operation)
        call = Running(there, *apply_sql(rides))
        proxy.wait_for(operation)
        os.kill(there.pid, signal.SIGKILL)
        call.join()
        release.set()
        assert isinstance(call.error, psycopg.OperationalError)
        cluster.signal(signal.SIGINT)
        cluster.server.wait(30)
        cluster.server = None
        cluster.clear_log()
        cluster.start()
        there = cluster.session()
        assert tables(there) == [] and records(there) == []
        assert remote_tables(project) == [] or operation == "CreateTable"
        assert len(apply(there, rides)) == 5
        assert apply(there, rides) == []
        there.close()
    finally:
        cluster.remove()


# Two at a time


def test_two_sessions(proxied, other, proxy, project, rides):
    """One waits for the other, and finds nothing to do."""
    release = threading.Event()
    proxy.fault(faults.held(release), times=2, operation="CreateTable")
    first = Running(proxied, *apply_sql(rides))
    proxy.wait_for("CreateTable")
    second = Running(other, *apply_sql(rides))
    watcher = psycopg.connect(dbname=proxied.conn.info.dbname, autocommit=True)
    while not watcher.execute("SELECT pg_blocking_pids(%s)", [other.pid]).fetchone()[0]:
        pass
    watcher.close()
    release.set()
    assert first.join().error is None and second.join().error is None
    assert len(first.rows) == 5 and second.rows == []


def test_schema_is_dropped_meanwhile(feast, other, rides):
    feast.run("BEGIN; DROP SCHEMA feast")
    waiting = Running(other, *apply_sql(rides))
    watcher = psycopg.connect(dbname=feast.conn.info.dbname, autocommit=True)
    while not watcher.execute("SELECT pg_blocking_pids(%s)", [other.pid]).fetchone()[0]:
        pass
    watcher.close()
    feast.run("COMMIT")
    assert waiting.join().error.sqlstate == "3F000"


