"""Random joins give the same rows with lookup joins as without, and as from plain tables with the same rows.

The seed is fixed, so that a failure comes again; RANDOM_JOINS="SEED NUMBER" tries others, and "SEED NUMBER FIRST"
begins with the query of this number. By hand, 10,000 take about half an hour on an idle machine:

    RANDOM_JOINS="2 10000" STEP_SECONDS=20000 ./run-tests integration
"""

import os
import random
from collections import Counter

import psycopg
import pytest

import join_world
from random_joins import Join, inlined
from random_queries import literal
from support import ENDPOINT

SEED, NUMBER, FIRST = map(int, ((os.environ.get("RANDOM_JOINS") or "1 120") + " 0").split()[:3])
REFUSED = "0A000"
MOST_FAILURES = 20
OFTEN_ENOUGH = 0.3
GUC = "dynamo_fdw.enable_lookup_join"

# Each with its values; the first ones are the most frequent.
SETTINGS = {
    **{"enable_" + name: ["on", "on", "on", "off"] for name in
       ["nestloop", "hashjoin", "mergejoin", "memoize", "material", "sort", "hashagg", "incremental_sort"]},
    "enable_partitionwise_join": ["off", "on"],
    "enable_partitionwise_aggregate": ["off", "on"],
    "plan_cache_mode": ["auto", "force_generic_plan", "force_custom_plan"],
    "join_collapse_limit": ["8", "8", "1", "2"],
    "from_collapse_limit": ["8", "8", "1"],
    "geqo_threshold": ["12", "12", "2"],
    "work_mem": ["4MB", "4MB", "64kB"],
    "parallel_setup_cost": ["1000", "0"],
    "parallel_tuple_cost": ["0.1", "0"],
    "min_parallel_table_scan_size": ["8MB", "0"],
    "jit": ["off"] * 29 + ["on"],
    "jit_above_cost": ["0"],
    "cursor_tuple_fraction": ["0.1", "1"],
}  # fmt: skip

# What another session may do between two executions.
CHANGES = [
    "ALTER SERVER feast OPTIONS (SET batch_size '%d')",
    "ALTER SERVER feast OPTIONS (SET max_read_workers '%d')",
    "ALTER FOREIGN TABLE feast.by_int8 ALTER n SET NOT NULL; ALTER FOREIGN TABLE feast.by_int8 ALTER n DROP NOT NULL",
    "CREATE INDEX ON many (row)",
    "DROP INDEX IF EXISTS many_row_idx",
    "ANALYZE local, many, divided, policed",
    "ALTER TABLE local ADD added int; ALTER TABLE local DROP added",
]


class Runner:
    """Runs queries in a session, some as the role "joiner"."""

    def __init__(self, session, other):
        self.session = session
        self.other = other
        # its name changed with PostgreSQL 16
        (self.parallel,) = session.run(
            "SELECT name FROM pg_settings WHERE name ~ '^(force_parallel_mode|debug_parallel_query)$'"
        )[0]

    def change_settings(self, chooser):
        for setting, values in {**SETTINGS, self.parallel: ["off", "off", "on"]}.items():
            self.session.run("SET %s = '%s'" % (setting, chooser.choice(values)))
        self.session.run("SET ROLE %s" % chooser.choice(["joiner", "postgres"]))

    def outcome(self, schema, lookup_join, run, seed):
        """What `run` gives: rows, or the error's SQLSTATE and text; `seed` makes it do the same each time."""
        self.session.run("SET search_path = %s, public; SET %s = %s" % (schema, GUC, lookup_join))
        self.session.notices.clear()
        try:
            rows = run(self, random.Random(seed))
        except psycopg.Error as error:
            rows = error
            if not self.session.conn.closed:
                self.session.run("ROLLBACK")
        if not self.session.conn.closed:
            self.nothing_leaked()
        return rows

    def nothing_leaked(self):
        joiner = self.session.value("SELECT current_user") == "joiner"
        for _, message, _ in self.session.notices:
            what, _, value = message.partition(" ")
            assert message != "secret %d" % join_world.HIDDEN
            assert not (joiner and what == "policed" and int(value) >= join_world.FIRST_HIDDEN)

    def change(self, chooser):
        change = chooser.choice(CHANGES)
        self.other.run(change % chooser.choice([3, 10, 50]) if "%d" in change else change)


# How a query is run: each gives a list of lists of rows.


def plain(query):
    return lambda runner, _: [runner.session.run(inlined(query.sql, query.parameters))]


def written(query):
    def run(runner, chooser):
        runner.session.run("BEGIN")
        rows = plain(query)(runner, chooser)
        if query.after:
            rows.append(runner.session.run(query.after))
        runner.session.run("ROLLBACK")
        return [rows[0] if isinstance(rows[0], list) else [(rows[0],)]] + rows[1:]

    return run


def prepared(query):
    """Executed some times, with other values and after changes of others."""

    def run(runner, chooser):
        types = ", ".join(type for _, type in query.parameters)
        runner.session.run("PREPARE query %s AS %s" % ("(%s)" % types if types else "", query.sql))
        try:
            results = []
            for parameters in (query.parameters, query.other, query.parameters):
                values = ", ".join(literal(*parameter) for parameter in parameters)
                results.append(runner.session.run("EXECUTE query %s" % ("(%s)" % values if values else "")))
                if chooser.random() < 0.5:
                    runner.change(chooser)
            return results
        finally:
            runner.session.run("DEALLOCATE query")

    return run


def cursor(query):
    """Fetched by and by: to the end and back, or a part of it, or after the transaction."""

    def run(runner, chooser):
        session, kind = runner.session, chooser.choice(["", "SCROLL", "WITH HOLD"])
        session.run("BEGIN")
        session.run(
            "DECLARE c %s CURSOR %s FOR %s"
            % (kind if kind == "SCROLL" else "", kind if kind != "SCROLL" else "", inlined(query.sql, query.parameters))
        )
        rows, step = [], chooser.choice([1, 7, 50])
        while batch := session.run("FETCH %d FROM c" % step):
            rows += batch
            if kind == "WITH HOLD" and len(rows) == step:
                session.run("COMMIT")
        if kind == "SCROLL":
            assert session.run("FETCH BACKWARD ALL FROM c") == rows[::-1]
            assert session.run("FETCH FIRST FROM c") == rows[:1]
            assert session.run("FETCH ALL FROM c") == rows[1:]
        session.run("CLOSE c; COMMIT")
        return [rows]

    return run


def loop(query):
    """In PL/pgSQL, whose variables are the parameters."""

    def run(runner, chooser):
        body = "DECLARE found_row record; BEGIN FOR found_row IN %s LOOP RETURN NEXT found_row::text; END LOOP; END"
        kind = chooser.choice(["STABLE", "VOLATILE"])
        return call(runner, query, "plpgsql %s AS $f$ %s $f$" % (kind, body % query.sql))

    return run


def sql_function(query):
    """Inlined where it is STABLE and its arguments are simple."""

    def run(runner, chooser):
        how = chooser.choice(["STABLE", "STABLE", "VOLATILE", "STABLE STRICT", "STABLE SECURITY DEFINER"])
        body = "BEGIN ATOMIC SELECT q::text FROM (%s) q; END" % query.sql
        return call(runner, query, "sql %s %s" % (how, body), chooser.choice(["%s", "(SELECT %s)"]))

    return run


def call(runner, query, definition, argument="%s"):
    """Calls a function of the parameters with both sets of values, and for each row of a table."""
    types = ", ".join(type for _, type in query.parameters)
    create = "CREATE FUNCTION f(%s) RETURNS SETOF text LANGUAGE %s" % (types, definition)
    runner.session.run(create)
    try:
        calls = [
            "f(%s)" % ", ".join(argument % literal(*p) for p in values) for values in (query.parameters, query.other)
        ]
        results = [runner.session.run("SELECT * FROM %s" % each) for each in calls]
        if "many" not in query.sql:
            results.append(
                sorted(runner.session.run("SELECT o.row, x FROM local o, LATERAL %s x WHERE o.row < 3" % calls[0]))
            )
        return results
    finally:
        runner.session.run("DROP FUNCTION f")


WAYS = [plain, plain, plain, prepared, prepared, cursor, cursor, loop, sql_function]


def first_rows(query):
    """Some rows, by a LIMIT or a cursor that is closed early."""

    def run(runner, chooser):
        sql, number = inlined(query.sql, query.parameters), chooser.choice([1, 2, 30])
        if chooser.random() < 0.5:
            return [runner.session.run("SELECT q.* FROM (%s) q LIMIT %d" % (sql, number))]
        runner.session.run("BEGIN")
        runner.session.run("DECLARE c CURSOR FOR %s" % sql)
        rows = runner.session.run("FETCH %d FROM c" % number)
        runner.session.run("COMMIT")
        return [rows]

    return run


# Comparing.


def counted(results, ordered):
    return [[repr(row) for row in rows] if ordered else Counter(map(repr, rows)) for rows in results]


def same(some, others, query):
    """Are these outcomes the same?"""
    if isinstance(some, psycopg.Error) or isinstance(others, psycopg.Error):
        return getattr(some, "sqlstate", "") == getattr(others, "sqlstate", "")
    return counted(some, query.ordered) == counted(others, query.ordered)


def part_of(some, whole):
    """Are these first rows some of all rows, and as many as they can be?"""
    (some,), (whole,) = some, whole
    return not Counter(map(repr, some)) - Counter(map(repr, whole)) and (
        len(some) in (1, 2, 30) or len(some) == len(whole)
    )


def difference(some, others):
    """What is told of two outcomes that should be the same."""
    if isinstance(some, psycopg.Error) or isinstance(others, psycopg.Error):
        return "%s\ninstead of\n%s" % tuple(str(one)[:1000] for one in (some, others))
    texts = []
    for rows, expected in zip(some, others):
        rows, expected = Counter(map(repr, rows)), Counter(map(repr, expected))
        texts.append(
            "missing: %s too many: %s"
            % tuple(", ".join(list((a - b).elements())[:5]) for a, b in ((expected, rows), (rows, expected)))
        )
    return "\n".join(texts)


def refused(outcome):
    return isinstance(outcome, psycopg.Error) and outcome.sqlstate == REFUSED


def compare(runner, chooser):
    """Runs a new random query three ways; what there is to count of it."""
    query = Join(chooser)
    seed = chooser.random()
    way = written if query.writes else chooser.choice([plain, prepared] if query.locks else WAYS)
    said = "%s: %s\n%s" % (way.__name__, inlined(query.sql, query.parameters), query.parameters)
    expected = runner.outcome("plain", "off", way(query), seed)
    # a key may fail; some FULL JOINs are not supported
    assert not isinstance(expected, psycopg.Error) or expected.sqlstate in ("22012", REFUSED), "%s\n%s" % (
        said,
        expected,
    )
    on = off = runner.outcome("feast", "on", way(query), seed)
    assert not runner.session.conn.closed, "%s\n%s" % (said, on)
    if chooser.random() < OFTEN_ENOUGH or not same(on, expected, query):  # one request after another takes its time
        off = runner.outcome("feast", "off", way(query), seed)
    assert refused(off) or same(off, expected, query), "off: %s\n%s" % (said, difference(off, expected))
    assert refused(off) and refused(on) or same(on, expected, query), "on: %s\n%s" % (said, difference(on, expected))
    if not isinstance(expected, psycopg.Error) and not query.writes and not refused(on):
        compare_first_rows(runner, query, seed)
    return {
        "refused": refused(on),
        "with rows": not isinstance(expected, psycopg.Error) and any(expected),
        "lookup joins": chooser.random() < OFTEN_ENOUGH and has_lookup_join(runner, query),
        way.__name__: 1,
    }


def compare_first_rows(runner, query, seed):
    whole = runner.outcome("plain", "off", plain(query), seed)
    some = runner.outcome("feast", "on", first_rows(query), seed)
    assert refused(some) or part_of(some, whole), "first rows: %s\n%s" % (
        inlined(query.sql, query.parameters), difference(some, whole)
    )  # fmt: skip


def has_lookup_join(runner, query):
    runner.session.run("SET search_path = feast, public")
    try:
        plan = runner.session.run("EXPLAIN (COSTS OFF) " + inlined(query.sql, query.parameters))
    except psycopg.errors.FeatureNotSupported:  # some FULL JOINs
        return False
    except psycopg.errors.InternalError_ as error:
        raise AssertionError("EXPLAIN: %s\n%s" % (error, query.sql)) from None
    return any("Lookup Join" in line for (line,) in plan)


@pytest.mark.parametrize("ttl", [False, True])
def test_random_joins(session, other, project, ttl):
    join_world.make(session, project, ENDPOINT, ttl)
    session.run("SET client_min_messages = notice")
    other.run("SET client_min_messages = warning")
    runner = Runner(session, other)
    counts = Counter()
    failures = []
    for number in range(FIRST, FIRST + NUMBER):
        if number % 10 == 0 or number == FIRST:
            runner.change_settings(random.Random("%d settings %d" % (SEED, number // 10)))
        try:
            counts.update(compare(runner, random.Random("%d query %d" % (SEED, number))))
        except AssertionError as error:
            failures.append("RANDOM_JOINS='%d 1 %d' %s" % (SEED, number, str(error).partition("\nassert ")[0]))
            print(failures[-1], flush=True)  # what comes after it may take an hour
            if len(failures) == MOST_FAILURES or session.conn.closed:
                break
    session.run("RESET ROLE")
    print(SEED, NUMBER, dict(counts))
    assert not failures, "\n\n".join(failures)
    # else it would say little
    if NUMBER >= 100:
        assert counts["with rows"] > NUMBER / 2
        assert counts["refused"] < NUMBER / 5
