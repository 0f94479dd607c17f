"""Parallel query: a foreign scan stays in the leader, everything around it may run in workers.

Why only there: a worker would open connections of its own for every statement, and requests are in flight in
parallel anyway.
"""

import re

import pytest

from support import DRIVERS, KEY, fill

TRIPS = 4000
DRIVERS_THERE = 20  # of twice as many
ANSWER = [(TRIPS // 2, 10 * sum(range(1, DRIVERS_THERE + 1)))]


@pytest.fixture
def parallel(drivers, database):
    """The drivers that are there, and local tables that the planner reads in parallel."""
    fill(drivers, DRIVERS_THERE)
    drivers.run("SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0")
    drivers.run("SET max_parallel_workers_per_gather = 2")
    drivers.run("CREATE TABLE trips AS SELECT i AS id, i %% 40 AS driver_id FROM generate_series(1, %d) i" % TRIPS)
    drivers.run("ALTER TABLE trips SET (parallel_workers = 2)")
    drivers.run("ANALYZE trips")
    yield drivers
    drivers.run("ROLLBACK; RESET ALL; DROP TABLE trips")


def plan(session, query):
    return "\n".join(line for (line,) in session.run("EXPLAIN (COSTS off) " + query))


OURS = re.compile("Foreign Scan|Lookup Join")


def in_leader(text):
    """Does the plan have workers, and no node of ours below their Gather?"""
    depth = None
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if depth is not None and indent <= depth:
            depth = None
        if "Gather" in line:
            depth = indent
        if OURS.search(line) and depth is not None:
            return False
    return "Gather" in text and OURS.search(text)


LOCAL = "(SELECT driver_id, count(*) AS n FROM trips GROUP BY driver_id)"
KEYS = "d.driver_id = ANY (ARRAY(SELECT generate_series(1, 30)))"

# Each has one row of two numbers; how many trips of drivers that are there, and their sum of d.trips.
QUERIES = {
    "hash join": "SELECT sum(n), sum(d.trips) FROM drivers d JOIN %s t USING (driver_id) WHERE %s" % (LOCAL, KEYS),
    "nested loop": "SELECT sum(n), sum(d.trips) FROM %s t JOIN drivers d USING (driver_id)" % LOCAL,
    "keys made in parallel": "SELECT %d, sum(trips) FROM drivers"
    " WHERE driver_id = ANY (ARRAY(SELECT DISTINCT driver_id::bigint FROM trips WHERE driver_id > 0))" % (TRIPS // 2),
    "keys of the other table": "SELECT count(*), sum(DISTINCT d.trips) FROM trips t JOIN drivers d USING (driver_id)"
    " WHERE t.driver_id = ANY (ARRAY(SELECT generate_series(1, 30)))",
    "sub-select under OR": "SELECT %d, sum(trips) FROM drivers"
    " WHERE driver_id = 1 OR driver_id IN (SELECT DISTINCT driver_id FROM trips)" % (TRIPS // 2),
    "sub-select": "SELECT sum(n), sum(s) FROM (SELECT n, (SELECT d.trips FROM drivers d"
    " WHERE d.driver_id = t.driver_id) AS s FROM %s t) x WHERE s IS NOT NULL" % LOCAL,
}


@pytest.mark.parametrize("shape", QUERIES)
def test_beside_workers(parallel, shape):
    query = QUERIES[shape]
    text = plan(parallel, query)
    assert in_leader(text), text
    assert parallel.run(query) == ANSWER


@pytest.mark.parametrize("mode", ["on", "regress"])
@pytest.mark.parametrize("shape", QUERIES)
def test_with_parallel_mode_forced(parallel, shape, mode):
    name = "debug_parallel_query" if parallel.conn.info.server_version >= 160000 else "force_parallel_mode"
    parallel.run("SET %s = %s" % (name, mode))
    assert parallel.run(QUERIES[shape]) == ANSWER
    # Any plan has a Gather on top now, unless the foreign scan keeps it away.
    assert "Gather" in plan(parallel, "SELECT 1") or mode == "regress"
    assert "Gather" not in plan(parallel, "SELECT trips FROM drivers WHERE driver_id = 7")
    assert parallel.run("SELECT trips FROM drivers WHERE driver_id = 7") == [(70,)]
    parallel.run("INSERT INTO drivers SELECT driver_id + 1000, now(), 0, count(*) FROM trips GROUP BY driver_id")
    assert parallel.value("SELECT trips FROM drivers WHERE driver_id = 1001") == TRIPS // 40
    parallel.table("other", DRIVERS)
    parallel.run("DROP FOREIGN TABLE other")


def test_partitions(parallel):
    """An Append over local and foreign partitions reads the local ones in workers, or nothing."""
    parallel.run("CREATE TABLE parts (driver_id bigint NOT NULL, trips integer) PARTITION BY RANGE (driver_id)")
    parallel.run("CREATE TABLE low PARTITION OF parts FOR VALUES FROM (1) TO (11) WITH (parallel_workers = 2)")
    parallel.table("high", "driver_id %s, trips integer" % KEY)
    parallel.run("ALTER TABLE parts ATTACH PARTITION high FOR VALUES FROM (11) TO (21)")
    parallel.run("INSERT INTO low SELECT i, 10 * i FROM generate_series(1, 10) i; ANALYZE low")
    parallel.run("INSERT INTO high SELECT i, 10 * i FROM generate_series(11, 20) i")
    query = "SELECT driver_id, trips FROM parts WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 40)))"
    assert sorted(parallel.run(query)) == [(i, 10 * i) for i in range(1, DRIVERS_THERE + 1)]
    joined = "SELECT count(*), sum(p.trips) FROM trips t JOIN parts p USING (driver_id) WHERE %s" % KEYS
    joined = joined.replace("d.driver_id", "p.driver_id")
    assert parallel.run(joined) == [(TRIPS // 2, ANSWER[0][1] * TRIPS // 40)]
    parallel.run("INSERT INTO parts SELECT i, -i FROM generate_series(5, 15) i")
    assert parallel.value("SELECT trips FROM high WHERE driver_id = 15") == -15
    parallel.run("DROP TABLE parts")


def test_a_cursor_while_workers_run(parallel):
    """Requests in flight don't mind that a statement with workers comes between."""
    parallel.run("BEGIN")
    parallel.run("DECLARE c CURSOR FOR SELECT trips FROM drivers d WHERE " + KEYS)
    rows = parallel.run("FETCH 10 FROM c")
    assert parallel.run(QUERIES["hash join"]) == ANSWER
    rows += parallel.run("FETCH ALL FROM c")
    assert sorted(rows) == [(10 * i,) for i in range(1, DRIVERS_THERE + 1)]
    parallel.run("COMMIT")


def test_a_parallel_worker_that_loads_the_library_is_no_leader_of_ddl(parallel):
    """A transaction that made a table runs workers, whose end must not undo or finish what the leader made."""
    parallel.run("BEGIN")
    parallel.table("other", DRIVERS)
    assert parallel.run(QUERIES["hash join"]) == ANSWER
    parallel.run("COMMIT")
    parallel.run("INSERT INTO other VALUES (1, now(), 0, 1)")
    parallel.run("BEGIN")
    parallel.run("DROP FOREIGN TABLE other")
    assert parallel.run(QUERIES["hash join"]) == ANSWER
    parallel.run("ROLLBACK")
    assert parallel.run("SELECT trips FROM other WHERE driver_id = 1") == [(1,)]


def test_in_a_worker_after_all(parallel):
    """A function that reads a foreign table may be called PARALLEL SAFE: then it is read in the workers."""
    parallel.run(
        "CREATE FUNCTION trips_of(bigint) RETURNS integer PARALLEL SAFE LANGUAGE plpgsql AS"
        " $$ BEGIN RETURN (SELECT trips FROM drivers WHERE driver_id = $1); END $$"
    )
    query = "SELECT count(*), sum(trips_of(driver_id)) FROM trips WHERE id <= 200"
    parallel.run("SET parallel_leader_participation = off")
    assert "Partial Aggregate" in plan(parallel, query)
    assert parallel.run(query) == [(200, ANSWER[0][1] * 200 // 40)]
    parallel.run("CREATE OR REPLACE FUNCTION trips_of(bigint) RETURNS integer PARALLEL SAFE LANGUAGE plpgsql AS"
                 " $$ BEGIN INSERT INTO drivers VALUES ($1, now(), 0, 0); RETURN 1; END $$")
    assert parallel.fail(query).sqlstate == "25000"
    parallel.run("DROP FUNCTION trips_of")
