"""Random queries give the same rows from foreign tables as from plain ones with the same rows.

The seed is fixed, so that a failure comes again; RANDOM_QUERIES="SEED NUMBER" tries others.
"""

import os
import random
import time
from collections import Counter

import psycopg
import pytest

from random_queries import KEY, LOCAL, TABLES, VALUES, Query, literal
from support import ENDPOINT, TIME, raw_items

SEED, NUMBER = map(int, (os.environ.get("RANDOM_QUERIES") or "1 200").split())
SECONDS_WITHOUT_CACHES = 90  # enough for some hundred queries
SETTINGS = ["enable_nestloop", "enable_hashjoin", "enable_mergejoin", "enable_memoize", "enable_material"]


def make_tables(session, project, ttl=False):
    """The same tables in two schemas, with the same rows; with `ttl` the foreign ones have more, which have expired."""
    # what another test here left
    session.run("DROP SCHEMA IF EXISTS plain, feast CASCADE; DROP TABLE IF EXISTS local; DROP DOMAIN IF EXISTS small_id")
    session.server(project, ENDPOINT, batch_size=10, max_read_workers=2)
    session.run("SET TIME ZONE 'UTC'; SET client_min_messages = error; CREATE DOMAIN small_id AS integer")
    session.run(LOCAL)
    for schema in ("plain", "feast"):
        session.run("CREATE SCHEMA %s; SET search_path = %s, public" % (schema, schema))
        for table, keys in TABLES.items():
            columns = ["%s %s %s" % (key, type, KEY) for key, (type, _) in keys.items()] + ["n integer", "s text"]
            if schema == "feast":
                options = {**({} if keys else {"entityless": "true"}), **({"ttl": "1 day"} if ttl else {})}
                session.table(table, ", ".join(columns), **options)
                session.run("INSERT INTO feast.%s SELECT * FROM plain.%s" % (table, table))
                if ttl and keys:
                    session.table("old", ", ".join([*columns, "at_time " + TIME]), table_name=project + "." + table)
                    session.run("INSERT INTO old SELECT *, now() - interval '25 hours' FROM plain.lacking_" + table)
                    session.run("DROP FOREIGN TABLE old")
            else:
                session.run("CREATE TABLE %s (%s)" % (table, ", ".join(columns).replace(KEY, "")))
                fill(session, table, keys)
        session.run("CREATE VIEW one_view AS SELECT * FROM one WHERE n IS DISTINCT FROM 3")
        session.run("CREATE VIEW two_barrier WITH (security_barrier) AS SELECT * FROM two WHERE n IS NOT NULL")


def fill(session, table, keys):
    """Most combinations of the keys' values; all values are NULL now and then."""
    lists = [
        "unnest(ARRAY[%s]::%s[]) AS of_%s (%s)" % (", ".join(VALUES[kind]), type, key, key)
        for key, (type, kind) in keys.items()
    ]
    source = " CROSS JOIN ".join(lists) or "(SELECT) AS one_row"
    number = "row_number() OVER ()"
    session.run(
        f"INSERT INTO {table} SELECT *, nullif({number} % 5, 2), nullif('s' || {number} % 4, 's3') FROM {source}"
    )
    if keys:
        lacking = f"{table} WHERE hashtext({table}::text) % 4 = 0"
        session.run(f"CREATE TABLE lacking_{table} AS SELECT * FROM {lacking}; DELETE FROM {lacking}")


def change_settings(session, chooser):
    for setting in SETTINGS:
        session.run("SET %s = %s" % (setting, chooser.choice(["on", "on", "off"])))
    session.run("SET plan_cache_mode = %s" % chooser.choice(["force_generic_plan", "force_custom_plan"]))
    session.run("SET join_collapse_limit = %s" % chooser.choice(["1", "8"]))
    # its name changed with PostgreSQL 16
    parallel = session.value("SELECT name FROM pg_settings WHERE name ~ '^(force_parallel_mode|debug_parallel_query)$'")
    session.run("SET %s = %s" % (parallel, chooser.choice(["off", "off", "on"])))
    session.run("SET geqo_threshold = %s" % chooser.choice(["2", "12"]))


def execute(session, query, way):
    """The rows of a query, executed in one of several ways."""
    if query.parameters or way == "prepared":
        types = ", ".join(type for _, type in query.parameters)
        values = ", ".join(literal(*parameter) for parameter in query.parameters)
        session.run("PREPARE query %s AS %s" % ("(%s)" % types if types else "", query.sql))
        try:
            return session.run("EXECUTE query %s" % ("(%s)" % values if values else ""))
        finally:
            session.run("DEALLOCATE query")
    if way == "cursor":
        rows = []
        session.run("BEGIN")
        session.run("DECLARE c CURSOR FOR %s" % query.sql)
        while batch := session.run("FETCH 3 FROM c"):
            rows += batch
        session.run("COMMIT")
        return rows
    return session.run(query.sql)


def outcome(session, schema, query, way):
    """Rows with how often each came, or the error's SQLSTATE."""
    session.run("SET search_path = %s, public" % schema)
    try:
        return Counter(map(repr, execute(session, query, way)))
    except psycopg.Error as error:
        assert not session.conn.closed, query.sql
        session.run("ROLLBACK")
        return "%s: %s" % (error.sqlstate, error)


def compare(session, chooser):
    """Runs a new random query on both schemas; what there is to count of it."""
    query = Query(chooser)
    way = chooser.choice(["plain", "plain", "prepared", "cursor"])
    plain, feast = (outcome(session, schema, query, way) for schema in ("plain", "feast"))
    refused = not query.names_keys and isinstance(feast, str) and "can only be read by entity key" in feast
    assert refused or feast == plain, "%s: %s %s" % (way, query.sql, query.parameters)
    assert isinstance(plain, Counter), "%s: %s" % (plain, query.sql)
    return {"refused": refused, "may_be_refused": not query.names_keys, "with_rows": bool(plain) and not refused}


def test_random_queries(session, project):
    chooser = random.Random(SEED)
    make_tables(session, project)
    counts = Counter()
    for number in range(NUMBER):
        if number % 10 == 0:
            change_settings(session, chooser)
        counts.update(compare(session, chooser))
    # else it would say little
    assert counts["with_rows"] > NUMBER / 2
    assert counts["refused"] < counts["may_be_refused"] / 2


def test_random_queries_of_tables_with_a_ttl(session, project):
    """What has expired is not there: plain tables don't have it."""
    chooser = random.Random(SEED + 1)
    make_tables(session, project, ttl=True)
    counts = Counter()
    for number in range(NUMBER):
        if number % 10 == 0:
            change_settings(session, chooser)
        counts.update(compare(session, chooser))
    assert counts["with_rows"] > NUMBER / 2
    assert len(raw_items(project + ".one")) > session.value("SELECT count(*) FROM plain.one")


def test_random_queries_without_caches(session, project):
    """The server forgets what it caches whenever it could have to: what outlives that by luck is found."""
    if session.value("SHOW debug_assertions") == "off":
        pytest.skip("only a server with assertions can do that")
    chooser = random.Random(SEED)
    make_tables(session, project)
    session.run("SET debug_discard_caches = 1; SET statement_timeout = '10min'")
    end = time.monotonic() + SECONDS_WITHOUT_CACHES
    counts = Counter()
    while time.monotonic() < end or not counts["with_rows"]:
        change_settings(session, chooser)
        counts.update(compare(session, chooser))
