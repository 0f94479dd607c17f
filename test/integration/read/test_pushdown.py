"""Which keys and features a query asks for, whatever else stands in it."""

import re

import pytest

from support import KEY, TIME, fill, takes

READ = "BatchGetItem"


@pytest.fixture
def cells(session, project, proxy):
    """A table with a composite key, x and y from 1 to 3."""
    session.server(project, proxy.url)
    session.table("cells", "x %s, y integer OPTIONS (entity_key 'true'), ts %s, n integer, s text" % (KEY, TIME))
    session.run("INSERT INTO cells SELECT x, y, now(), x, 'x' FROM generate_series(1, 3) x, generate_series(1, 3) y")
    proxy.forget()
    return session


def reads(proxy):
    """What each read asked of its only table; forgets them."""
    found = [list(read.json()["RequestItems"].values())[0] for read in proxy.of(READ)]
    proxy.forget()
    return found


def keys(proxy):
    return sum(len(read["Keys"]) for read in reads(proxy))


def projection(proxy):
    """The attributes that the only read asked for, "values.n" for a feature."""
    (read,) = reads(proxy)
    names = read["ExpressionAttributeNames"]
    paths = read["ProjectionExpression"].split(", ")
    return sorted(re.sub("#[^.]+", lambda name: names[name[0]], path) for path in paths)


NOTHING = [
    "x = 1 AND x = 2 AND y = 1",
    "x = y AND x = 1 AND y = 2",
    "x = y AND y IN (1, 2) AND x IN (3, 4)",
    "(x, y) IN ((1, 1), (2, 2)) AND x = 3",
    "x = 1 AND y = ANY ('{}')",
    "x = 1 AND y = NULL",
    "x IS NULL AND y = 1",
    "x = 1 AND y = 5000000000",
    "x = 5000000000 AND y = x",
    "x = 1 AND y = 1.5",
    "x = ANY ('{1.5,NaN,1e40}'::numeric[]) AND y = 1",
    "x = 1 AND y = 1 AND false",
    "x = 1 AND y = 1 AND (SELECT false)",
    "x = (SELECT 1 WHERE false) AND y = 1",
]


@pytest.mark.parametrize("condition", NOTHING)
def test_conditions_that_no_key_fulfils_ask_nothing(cells, proxy, condition):
    assert cells.run("SELECT * FROM cells WHERE " + condition) == []
    assert proxy.operations() == []


FILTERS = [
    "n > 1",
    "s <> 'x'",
    "random() < 2",
    "random() * n > 5",
    "(n = 1 OR x = 7 OR y = 8)",
    "x > 1",
    "x + 0 = 1",
    "x = n",
    "x = (random() * 3)::integer",
    "ts < now()",
    "cells IS NOT NULL",
    "EXISTS (SELECT FROM pg_class WHERE relpages = cells.n)",
    "x IS NOT NULL",
]


@pytest.mark.parametrize("condition", FILTERS)
def test_other_conditions_do_not_change_what_is_asked(cells, proxy, condition):
    cells.run("SELECT * FROM cells WHERE x IN (1, 2) AND y = ANY ('{1,2,9}') AND " + condition)
    assert keys(proxy) == 6


def test_each_combination_is_asked_once(cells, proxy):
    cells.run(
        "SELECT n FROM cells WHERE (x = ANY ('{1,2,1,2.0}'::numeric[]) AND y IN (1, 1, 2))"
        " OR (x, y) IN ((1, 1), (3, 3), (3, 3))"
    )
    assert keys(proxy) == 5
    assert len(cells.run("SELECT n FROM cells WHERE x = y AND y = ANY ('{1,2,3,4,1}') AND x <> 2")) == 2
    assert keys(proxy) == 4


MANY = "ARRAY(SELECT generate_series(%d, %d))"
LARGE = {
    "x = ANY ({0}) AND x = ANY ({1}) AND y = 1": 10,
    "y = 2 AND x = ANY ({1}) AND x = ANY ({0})": 10,
    "x = ANY ({0}) AND y = ANY ({1}) AND x = y": 10,
    "x = ANY ({0}) AND y = ANY ({0}) AND (x, y) IN ((1, 1), (1, 2), (0, 7))": 2,
    "(x = ANY ({0}) OR y = ANY ({0})) AND (x, y) IN ((0, 0), (1, 2))": 1,
}


@pytest.mark.parametrize("condition", LARGE)
def test_large_sets_meet_without_being_multiplied(cells, proxy, condition):
    arrays = MANY % (1, 50000), MANY % (49991, 100000)
    with takes(less_than=5):
        cells.run("SELECT n FROM cells WHERE " + condition.format(*arrays))
    assert keys(proxy) == LARGE[condition]


def test_thousands_of_alternatives(cells, proxy):
    pairs = ", ".join("(%d, %d)" % (i % 3, i % 500) for i in range(3000))
    terms = " OR ".join("(x = %d AND y = %d)" % (i % 3, i % 500) for i in range(6000))
    with takes(less_than=5):
        cells.run("SELECT n FROM cells WHERE (x, y) IN (%s)" % pairs)
        cells.run("SELECT n FROM cells WHERE " + terms)
    assert keys(proxy) == 2 * 1500


FROM_OTHER_TABLES = {
    # both arrays hold for both keys
    "places p JOIN cells c ON c.x = p.a AND c.y = p.b WHERE p.a = ANY ('{1,2,3}') AND p.b = ANY ('{1,2}') AND p.a <> 1": 6,
    "places p LEFT JOIN cells c ON c.x = p.a AND c.y = p.b WHERE (p.a, p.b) IN ((1, 1), (2, 2), (3, 3))": 3,
    "places p JOIN cells c ON c.x = p.a AND c.y = 1 JOIN places q ON q.a = p.a WHERE p.a = ANY ('{1,2,3}')"
    " AND q.a = ANY ('{2,3,4}')": 2,
    # few rows, looked up one by one
    "places p JOIN cells c ON c.x = p.a AND c.y = p.b WHERE p.a = ANY (ARRAY[{many}]) AND p.b = ANY ('{1,2}')": 4,
}


@pytest.mark.parametrize("tables", FROM_OTHER_TABLES)
def test_keys_that_follow_from_other_tables(cells, proxy, tables):
    cells.run("CREATE TEMP TABLE places AS SELECT i % 4 AS a, i / 4 AS b FROM generate_series(0, 15) i; ANALYZE places")
    many = ", ".join(str(i) for i in range(2, 5000))
    cells.run("SELECT c.n FROM " + tables.replace("{many}", many))
    assert keys(proxy) == FROM_OTHER_TABLES[tables]


def test_a_sub_select_under_or_is_run_once(cells, proxy):
    cells.run("CREATE TEMP SEQUENCE runs")
    rows = cells.run(
        "SELECT x, y FROM cells WHERE y = 1 AND (x = 3 OR x IN (SELECT (nextval('runs') + i) * 0 + i"
        " FROM generate_series(1, 2) i)) AND n > 0"
    )
    assert sorted(rows) == [(1, 1), (2, 1), (3, 1)]
    assert cells.value("SELECT last_value FROM runs") == 2
    assert keys(proxy) == 3


PROJECTIONS = {
    "SELECT count(*)": ["entity_id"],
    "SELECT x, y": ["entity_id"],
    "SELECT 1": ["entity_id"],
    "SELECT tableoid": ["entity_id"],
    "SELECT ts": ["entity_id", "event_ts"],
    "SELECT n": ["entity_id", "values.n"],
    "SELECT s, ts": ["entity_id", "event_ts", "values.s"],
    "SELECT cells": ["entity_id", "event_ts", "values.n", "values.s"],
}


@pytest.mark.parametrize("select", PROJECTIONS)
def test_only_what_is_needed_is_asked_for(cells, proxy, select):
    cells.run(select + " FROM cells WHERE x = 1 AND y = 1")
    assert projection(proxy) == PROJECTIONS[select]


def test_what_is_filtered_by_is_asked_for(cells, proxy):
    cells.run("SELECT x FROM cells WHERE x = 1 AND y = 1 AND n > 0")
    assert projection(proxy) == ["entity_id", "values.n"]
    cells.run("SELECT count(*) FROM cells WHERE x = 1 AND y = 1 AND x < 5")
    assert projection(proxy) == ["entity_id"]


def test_a_branch_that_is_not_run_asks_nothing(drivers, proxy):
    never = "SELECT CASE WHEN now() IS NULL THEN (SELECT trips FROM drivers WHERE driver_id = 1) END"
    assert drivers.value(never) is None
    drivers.run("CREATE TEMP TABLE nobody (driver_id bigint)")
    assert drivers.run("SELECT * FROM nobody JOIN drivers USING (driver_id)") == []
    assert proxy.operations() == []


def test_partitions_pruned_at_run_time_ask_nothing(session, project, proxy):
    session.server(project, proxy.url)
    session.run("CREATE TABLE parts (id bigint, n integer) PARTITION BY RANGE (id)")
    for i in range(3):
        bounds = "FROM (%d) TO (%d)" % (10 * i, 10 * i + 10)
        session.table("part_%d" % i, "id %s, n integer" % KEY)
        session.run("ALTER TABLE parts ATTACH PARTITION part_%d FOR VALUES %s" % (i, bounds))
    session.run("INSERT INTO parts SELECT i, i FROM generate_series(0, 29) i")
    session.run("PREPARE by_id(bigint) AS SELECT n FROM parts WHERE id = $1; SET plan_cache_mode = force_generic_plan")
    proxy.forget()
    assert session.run("EXECUTE by_id(15)") == [(15,)]
    assert [list(read.json()["RequestItems"]) for read in proxy.of(READ)] == [[project + ".part_1"]]


STOPS_EARLY = [
    "SELECT trips FROM drivers WHERE driver_id = ANY ({0}) LIMIT 1",
    "SELECT EXISTS (SELECT FROM drivers WHERE driver_id = ANY ({0}))",
    "SELECT (SELECT trips FROM drivers WHERE driver_id = ANY ({0}) LIMIT 1)",
    "SELECT 1 WHERE 10 IN (SELECT trips FROM drivers WHERE driver_id = ANY ({0}) LIMIT 1)",
    "SELECT trips FROM (SELECT * FROM drivers WHERE driver_id = ANY ({0}) OFFSET 1) d LIMIT 1",
]


@pytest.mark.parametrize("query", STOPS_EARLY)
def test_what_stops_early_asks_one_window_ahead_at_most(drivers, proxy, query):
    fill(drivers, 100)
    drivers.set_server(batch_size=5, max_read_workers=3)
    proxy.forget()
    drivers.run(query.format("ARRAY(SELECT generate_series(1, 1000))"))
    assert 1 <= proxy.count(READ) <= 6  # the window that is read, and the one ahead


def test_a_nondeterministic_collation_names_no_key(session, project):
    session.server(project)
    session.run("CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    session.table("loose", "k text OPTIONS (entity_key 'true') COLLATE loose, n integer")
    session.table("strict", "k text OPTIONS (entity_key 'true'), n integer")
    for table in ("loose", "strict"):
        session.run("INSERT INTO %s VALUES ('a', 1), ('A', 2)" % table)
    assert session.fail("SELECT n FROM loose WHERE k = 'a'").sqlstate == "0A000"
    assert session.fail("SELECT n FROM strict WHERE k = 'a' COLLATE loose").sqlstate == "0A000"
    assert session.fail("SELECT n FROM strict WHERE k IN ('a', 'b' COLLATE loose)").sqlstate == "0A000"
    assert session.run("SELECT n FROM loose WHERE k = 'a' COLLATE \"C\"") == [(1,)]
    assert session.run("SELECT n FROM strict WHERE k = 'a' AND k COLLATE loose = 'A'") == [(1,)]


def test_each_entity_is_asked_for_once(drivers, proxy):
    fill(drivers, 3)
    rows = drivers.run("SELECT driver_id FROM drivers WHERE driver_id IN (1, 2, 1, 2, 1) OR driver_id = 2")
    assert sorted(rows) == [(1,), (2,)]
    assert keys(proxy) == 2


def test_only_needed_features_are_asked_for(drivers, proxy):
    fill(drivers, 1)
    assert drivers.run("SELECT trips FROM drivers WHERE driver_id = 1") == [(10,)]
    assert projection(proxy) == ["entity_id", "values.trips"]


def test_a_row_without_needed_features_is_found(drivers, proxy):
    fill(drivers, 1)
    assert drivers.value("SELECT count(*) FROM drivers WHERE driver_id IN (1, 2)") == 1
    assert projection(proxy) == ["entity_id"]


def test_limit_does_not_ask_for_everything(drivers, proxy):
    fill(drivers, 100)
    drivers.set_server(batch_size=10, max_read_workers=2)
    proxy.latency = 0.02
    assert len(drivers.run("SELECT trips FROM drivers WHERE driver_id = ANY (%s) LIMIT 1", [list(range(1, 1001))])) == 1
    assert proxy.count(READ) <= 4  # two windows, out of 100 requests


def test_no_keys_ask_nothing(drivers, proxy):
    assert drivers.run("SELECT * FROM drivers WHERE driver_id = ANY ('{}')") == []
    assert drivers.run("SELECT * FROM drivers WHERE driver_id = ANY (%s)", [[None, None]]) == []
    assert drivers.run("SELECT * FROM drivers WHERE driver_id = %s::bigint", [None]) == []
    assert drivers.run("SELECT * FROM drivers WHERE driver_id = 1 AND driver_id = 2") == []
    assert proxy.operations() == []


def test_nulls_among_the_keys_are_dropped(drivers, proxy):
    fill(drivers, 3)
    assert drivers.run("SELECT driver_id FROM drivers WHERE driver_id = ANY (%s)", [[None, 2, None]]) == [(2,)]
    assert keys(proxy) == 1


def test_explain_asks_nothing(drivers, proxy):
    drivers.run("EXPLAIN VERBOSE SELECT * FROM drivers WHERE driver_id = 1")
    drivers.run("EXPLAIN INSERT INTO drivers VALUES (1)")
    assert proxy.operations() == []


def test_a_join_with_a_local_table(drivers):
    fill(drivers, 5)
    drivers.run("CREATE TEMP TABLE orders AS SELECT i AS order_id, i % 4 AS driver_id FROM generate_series(1, 8) i")
    rows = drivers.run("SELECT order_id, trips FROM orders LEFT JOIN drivers USING (driver_id) ORDER BY order_id")
    assert rows == [(1, 10), (2, 20), (3, 30), (4, None), (5, 10), (6, 20), (7, 30), (8, None)]
