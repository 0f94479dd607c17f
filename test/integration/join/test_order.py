"""Joined rows come in the order of the outer rows, so that nothing sorts them again."""

import pytest

from joins import GUC, nodes, plan
from support import fill

VIEWS = " LEFT JOIN drivers d ON d.driver_id = %s"


@pytest.fixture
def ordered(drivers):
    """Drivers 1 to 9, and a table with an index, in another order than it is stored in."""
    fill(drivers, 9)
    drivers.run("DROP TABLE IF EXISTS orders; CREATE TABLE orders (id integer PRIMARY KEY, driver integer, what text)")
    drivers.run("INSERT INTO orders SELECT g * 7919 % 1009, g % 11, 'o' || g FROM generate_series(1, 1000) g")
    drivers.run("VACUUM ANALYZE orders")
    yield drivers
    drivers.run("DROP TABLE orders")


def sorts(session, query):
    return any("Sort" in line for line in plan(session, query))


SORTED = {
    "ordinality": "SELECT k.n, d.trips FROM unnest('{9,2,NULL,7,2}'::bigint[]) WITH ORDINALITY k(a, n)"
    + VIEWS % "k.a"
    + " ORDER BY k.n",
    "index": "SELECT o.id, d.trips FROM orders o" + VIEWS % "o.driver" + " ORDER BY o.id LIMIT 40",
    "index, backward": "SELECT o.id, d.trips FROM orders o" + VIEWS % "o.driver" + " ORDER BY o.id DESC LIMIT 40",
    "inner": "SELECT o.id, d.trips FROM orders o JOIN drivers d ON d.driver_id = o.driver ORDER BY o.id LIMIT 40",
    "sorted below": "SELECT * FROM (SELECT * FROM orders ORDER BY what LIMIT 30) o"
    + VIEWS % "o.driver"
    + " ORDER BY what",
}


@pytest.mark.parametrize("query", SORTED)
def test_no_sort_above(ordered, query):
    sql = SORTED[query]
    assert nodes(ordered, sql) == 1
    lines = plan(ordered, sql)
    above = lines[: next(i for i, line in enumerate(lines) if "Lookup Join" in line)]
    assert not any("Sort" in line for line in above)
    rows = ordered.run(sql)
    ordered.run("SET %s = off" % GUC)
    assert rows == ordered.run(sql)


def test_an_order_of_features_is_sorted(ordered):
    sql = "SELECT o.id, d.trips FROM orders o JOIN drivers d ON d.driver_id = o.driver ORDER BY d.trips, o.id LIMIT 40"
    assert nodes(ordered, sql) == 1
    assert sorts(ordered, sql)
    rows = ordered.run(sql)
    assert rows == sorted(rows, key=lambda row: (row[1], row[0]))


def test_a_merge_join_above(ordered):
    """It relies on the order."""
    sql = (
        "SELECT count(*), sum(d.trips) FROM orders o LEFT JOIN drivers d ON d.driver_id = o.driver"
        " JOIN orders p ON p.id = o.id"
    )
    ordered.run("SET enable_hashjoin = off; SET enable_nestloop = off")
    assert nodes(ordered, sql) == 1
    rows = ordered.run(sql)
    ordered.run("RESET enable_hashjoin; RESET enable_nestloop; SET %s = off" % GUC)
    assert rows == ordered.run(sql)


def test_groups_of_sorted_rows(ordered):
    sql = (
        "SELECT o.id, count(*), max(d.trips) FROM orders o LEFT JOIN drivers d ON d.driver_id = o.driver GROUP BY o.id"
    )
    ordered.run("SET enable_hashagg = off")
    assert nodes(ordered, sql) == 1
    rows = ordered.run(sql)
    ordered.run("SET %s = off; RESET enable_hashagg" % GUC)
    assert sorted(rows, key=repr) == sorted(ordered.run(sql), key=repr)
