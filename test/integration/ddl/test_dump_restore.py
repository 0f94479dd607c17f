"""pg_dump gives the options of columns by ALTER, after CREATE: a dump must restore all the same, and owns nothing."""

import os
import subprocess

import pytest

from support import ACCESS_KEY, DRIVERS, SECRET_KEY, Session, fill, raw_items, remote_tables

# Tables whose columns pass through odd states: keys come one by one, two names are exchanged.
TABLES = {
    "drivers": DRIVERS,
    "pairs": "b text OPTIONS (entity_key 'true', name 'a'), a bigint OPTIONS (entity_key 'true', name 'b'), v integer",
    "swapped": "k bigint OPTIONS (entity_key 'true'), v integer OPTIONS (name 'w'), w text OPTIONS (name 'v')",
}
QUERIES = {
    "SELECT driver_id, trips FROM drivers WHERE driver_id = 1": [(1, 10)],
    "SELECT * FROM pairs WHERE a = 1 AND b = 'x'": [("x", 1, 5)],
    "SELECT * FROM swapped WHERE k = 1": [(1, 2, "three")],
    "SELECT * FROM totals": [(7,)],
    "SELECT * FROM parts WHERE id IN (1, 11) ORDER BY id": [(1, 10), (11, 110)],
}


def define(session):
    for name, columns in TABLES.items():
        session.table(name, columns)
    session.table("totals", "total bigint", entityless="true")
    session.run("CREATE TABLE parts (id bigint NOT NULL, v integer) PARTITION BY RANGE (id)")
    for name, bounds in [("low", "FROM (0) TO (10)"), ("high", "FROM (10) TO (20)")]:
        session.run("CREATE FOREIGN TABLE %s PARTITION OF parts FOR VALUES %s SERVER feast" % (name, bounds))
        session.run("ALTER FOREIGN TABLE %s ALTER COLUMN id OPTIONS (ADD entity_key 'true')" % name)
    fill(session, 1)
    session.run("INSERT INTO pairs VALUES ('x', 1, 5); INSERT INTO swapped VALUES (1, 2, 'three')")
    session.run("INSERT INTO totals VALUES (7); INSERT INTO parts VALUES (1, 10), (11, 110)")


@pytest.fixture
def run_program(session):
    """Runs pg_dump and the like; what they print."""
    bindir = session.value("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
    if not os.path.exists(os.path.join(bindir, "pg_dump")):
        pytest.skip("pg_dump is not here")

    def run(name, *args, **more):
        command = [os.path.join(bindir, name), *args]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, **more).stdout

    return run


@pytest.fixture
def other_database(session):
    session.run("CREATE DATABASE restored")
    yield "restored"
    session.run("DROP DATABASE restored WITH (FORCE)")


@pytest.mark.parametrize("way", ["script", "archive"])
@pytest.mark.parametrize("remote_ddl", ["on", "off"])
def test_a_dump_restores(session, database, project, run_program, other_database, remote_ddl, way):
    session.server(project)
    define(session)
    tables = remote_tables(project)
    items = {table: raw_items("%s.%s" % (project, table)) for table in tables}
    options = {**os.environ, "PGOPTIONS": "-c dynamo_fdw.remote_ddl=" + remote_ddl}
    if way == "script":
        script = run_program("pg_dump", database)
        run_program("psql", "-qX", "-v", "ON_ERROR_STOP=1", other_database, input=script, env=options)
    else:
        archive = run_program("pg_dump", "-Fc", database)
        run_program("pg_restore", "--exit-on-error", "-d", other_database, input=archive, env=options)
    restored = Session(other_database)
    for query, rows in QUERIES.items():
        assert restored.run(query) == rows, query
    assert restored.run("SELECT * FROM dynamo_fdw_record") == []
    restored.run("DROP SERVER feast CASCADE")
    restored.close()
    assert {table: raw_items("%s.%s" % (project, table)) for table in remote_tables(project)} == items
    session.run("DROP TABLE parts")


def test_a_dump_without_remote_tables_makes_each_once(session, database, project, run_program, other_database):
    """Restored with remote DDL on where there are none: a table is made when its first key is marked."""
    session.server(project)
    session.run("SET dynamo_fdw.remote_ddl = off")
    for name, columns in TABLES.items():
        session.table(name, columns)
    assert remote_tables(project) == []
    run_program("psql", "-qX", "-v", "ON_ERROR_STOP=1", other_database, input=run_program("pg_dump", database))
    assert remote_tables(project) == sorted(TABLES)
    restored = Session(other_database)
    assert restored.value("SELECT count(*) FROM dynamo_fdw_record") == len(TABLES)
    restored.run("INSERT INTO pairs VALUES ('x', 1, 5)")
    assert restored.run("SELECT * FROM pairs WHERE a = 1 AND b = 'x'") == [("x", 1, 5)]
    restored.run("DROP FOREIGN TABLE drivers, pairs, swapped")
    restored.close()
    assert remote_tables(project) == []


def test_a_superusers_dump_holds_the_keys(session, database, project, run_program):
    session.server(project)
    script = run_program("pg_dump", database).decode()
    assert ACCESS_KEY in script and SECRET_KEY in script
