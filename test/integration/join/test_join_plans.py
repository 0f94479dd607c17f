"""When a lookup join is planned, and when it isn't; what EXPLAIN shows."""

import psycopg
import pytest

from joins import GUC, NODE, analyzed, nodes, plan
from support import DRIVERS, KEY, fill

JOIN = "SELECT o.id, d.trips FROM orders o LEFT JOIN drivers d ON d.driver_id = o.driver"


@pytest.fixture
def orders(drivers):
    """Drivers 1 to 9; orders(n) makes a table of so many rows."""
    fill(drivers, 9)

    def make(rows, analyze=True):
        drivers.run("DROP TABLE IF EXISTS orders; CREATE TABLE orders (id integer, driver bigint)")
        drivers.run("ALTER TABLE orders SET (autovacuum_enabled = off)")
        drivers.run("INSERT INTO orders SELECT g, g FROM generate_series(1, %d) g" % rows)
        if analyze:
            drivers.run("ANALYZE orders")
        return drivers

    yield make
    drivers.run("DROP TABLE IF EXISTS orders")


def top_cost(session, query):
    return session.value("EXPLAIN (FORMAT JSON) " + query)[0]["Plan"]["Total Cost"]


@pytest.mark.parametrize("rows", [10, 1000, 1000000])
@pytest.mark.parametrize("end", ["", " LIMIT 10", " ORDER BY o.id LIMIT 10", " WHERE o.id < 100"])
def test_many_rows_are_joined_by_the_node(orders, rows, end):
    assert nodes(orders(rows), JOIN + end) == 1


def test_one_row(orders):
    """One request in any case."""
    session = orders(1)
    assert session.run(JOIN) == [(1, 10)]
    one = top_cost(session, JOIN)
    session.run("SET %s = off" % GUC)
    assert one <= top_cost(session, JOIN)


@pytest.mark.parametrize("rows", [1, 10, 1000, 1000000])
def test_a_set_of_keys_is_a_scan(orders, rows):
    session = orders(rows)
    query = "SELECT trips FROM drivers WHERE driver_id = ANY (ARRAY(SELECT driver FROM orders LIMIT 100))"
    assert nodes(session, query) == 0
    assert any("Foreign Scan" in line for line in plan(session, query))


@pytest.mark.parametrize("analyze", [False, True])
def test_nothing_is_compiled_for_2000_rows(orders, analyze):
    session = orders(2000, analyze)
    session.run("SET jit = on")
    assert nodes(session, JOIN) == 1
    assert top_cost(session, JOIN) < float(session.value("SHOW jit_above_cost"))
    assert "JIT" not in session.value("EXPLAIN (ANALYZE, FORMAT JSON) " + JOIN)[0]


@pytest.mark.parametrize("setting", ["nestloop", "hashjoin", "mergejoin", "material", "memoize", "sort"])
def test_whatever_else_is_off(orders, setting):
    session = orders(1000)
    session.run("SET enable_%s = off" % setting)
    assert nodes(session, JOIN) == 1


def test_the_setting(orders):
    session = orders(1000)
    session.run("SET %s = off" % GUC)
    assert nodes(session, JOIN) == 0
    session.run("RESET %s" % GUC)
    assert nodes(session, JOIN) == 1


SEMI = {
    "in": "SELECT d.trips FROM drivers d WHERE d.driver_id IN (SELECT driver FROM orders)",
    "exists": "SELECT d.trips FROM drivers d WHERE EXISTS (SELECT FROM orders o WHERE o.driver = d.driver_id)",
    "from the other side": "SELECT o.id FROM orders o WHERE o.driver IN (SELECT d.driver_id FROM drivers d)",
    "exists, from the other side": "SELECT o.id FROM orders o WHERE EXISTS"
    " (SELECT FROM drivers d WHERE d.driver_id = o.driver AND d.trips > 30)",
    "not exists": "SELECT o.id FROM orders o WHERE NOT EXISTS (SELECT FROM drivers d WHERE d.driver_id = o.driver)",
}


@pytest.mark.parametrize("query", SEMI)
def test_semi_and_anti_joins(orders, query):
    session = orders(1000)
    assert nodes(session, SEMI[query]) == 1
    rows = sorted(session.run(SEMI[query]))
    assert rows
    session.run("SET %s = off" % GUC)
    assert sorted(session.run(SEMI[query])) == rows


NEVER = {
    "locked": JOIN + " FOR UPDATE OF o",
    "updated": "UPDATE orders o SET id = d.trips FROM drivers d WHERE d.driver_id = o.driver",
    "deleted": "DELETE FROM orders o USING drivers d WHERE d.driver_id = o.driver",
    "merged": "MERGE INTO orders o USING drivers d ON d.driver_id = o.driver AND d.driver_id = ANY ('{1,2}')"
    " WHEN MATCHED THEN DELETE",
    "lateral": "SELECT o.id, d.trips FROM orders o LEFT JOIN LATERAL"
    " (SELECT trips + o.id AS trips FROM drivers WHERE driver_id = o.driver OFFSET 0) d ON true",
    "volatile": "SELECT o.id FROM orders o JOIN drivers d ON d.driver_id = o.driver + (random() * 0)::int"
    " AND d.driver_id = ANY ('{1,2}')",
    "not all keys": "SELECT o.id FROM orders o LEFT JOIN trips t ON t.a = o.driver AND t.b > 'a'",
    "not equal": "SELECT o.id, d.trips FROM orders o JOIN drivers d ON d.driver_id >= o.driver"
    " WHERE d.driver_id = ANY ('{1,2}')",
    "one of two": "SELECT o.id, d.trips FROM orders o LEFT JOIN drivers d ON d.driver_id IN (o.driver, o.id)",
    "full": "SELECT o.id, d.trips FROM orders o FULL JOIN drivers d ON d.driver_id = o.driver",
}


@pytest.mark.parametrize("query", NEVER)
def test_what_is_never_a_lookup_join(orders, query):
    session = orders(100)
    session.table("trips", "a bigint OPTIONS (entity_key 'true'), b text OPTIONS (entity_key 'true'), n integer")
    assert nodes(session, NEVER[query]) == 0


ALWAYS = {
    "insert": "INSERT INTO orders SELECT d.trips FROM orders o JOIN drivers d ON d.driver_id = o.driver",
    "right": "SELECT o.id, d.trips FROM drivers d RIGHT JOIN orders o ON d.driver_id = o.driver",
    "using": "SELECT * FROM (SELECT driver AS driver_id FROM orders) o LEFT JOIN drivers USING (driver_id)",
    "integer": "SELECT o.id, d.trips FROM orders o LEFT JOIN drivers d ON o.id = d.driver_id",
    "expression": "SELECT o.id, d.trips FROM orders o LEFT JOIN drivers d ON o.id + 1 = d.driver_id",
    "constant too": "SELECT o.id, t.n FROM orders o LEFT JOIN trips t ON t.a = o.driver AND t.b = 'x'",
    "row": "SELECT o.id, t.n FROM orders o LEFT JOIN trips t ON (t.a, t.b) = (o.driver, o.id::text)",
    "defaults": "SELECT o.id, s.t FROM orders o LEFT JOIN (SELECT driver_id, coalesce(trips, 0) AS t FROM drivers) s"
    " ON s.driver_id = o.driver",
    "whole row": "SELECT o.id, row_to_json(d) FROM orders o LEFT JOIN drivers d ON d.driver_id = o.driver",
    "filter": JOIN + " AND d.trips > 20 WHERE coalesce(d.trips, 0) < 50",
    "sub-select in the filter": JOIN + " AND d.trips > (SELECT min(id) FROM orders)",
    "aggregate": "SELECT d.trips, count(*) FROM orders o JOIN drivers d ON d.driver_id = o.driver GROUP BY 1",
    "group below": "SELECT o.driver, o.count, d.trips FROM (SELECT driver, count(*) FROM orders GROUP BY 1) o"
    " LEFT JOIN drivers d ON d.driver_id = o.driver",
    "recursive": "WITH RECURSIVE r(n) AS (SELECT 1::bigint UNION ALL SELECT d.trips / 10 + 1 FROM r"
    " JOIN drivers d ON d.driver_id = r.n) SELECT * FROM r",
    "write in WITH": "WITH new AS (INSERT INTO orders VALUES (5, 5) RETURNING *)"
    " SELECT d.trips FROM new LEFT JOIN drivers d ON d.driver_id = new.driver",
    "lateral, pulled up": "SELECT o.id, d.trips FROM orders o LEFT JOIN LATERAL"
    " (SELECT trips FROM drivers WHERE driver_id = o.driver) d ON true",
}


@pytest.mark.parametrize("query", ALWAYS)
def test_what_is_a_lookup_join(orders, query):
    session = orders(100)
    session.table("trips", "a bigint OPTIONS (entity_key 'true'), b text OPTIONS (entity_key 'true'), n integer")
    assert nodes(session, ALWAYS[query]) == 1
    rows = session.run("BEGIN; EXPLAIN ANALYZE " + ALWAYS[query])
    session.run("ROLLBACK")
    assert rows is not None


def test_eight_joins_and_more(orders):
    """More than join_collapse_limit still make one node."""
    session = orders(1000)
    for i in range(12):
        session.table("view%d" % i, DRIVERS, create_remote_table="false")
    joins = "".join(" LEFT JOIN view%d v%d ON v%d.driver_id = o.driver" % (i, i, i) for i in range(12))
    query = "SELECT %s FROM orders o%s" % (", ".join("v%d.trips" % i for i in range(12)), joins)
    assert nodes(session, query) == 1
    session.run("SET join_collapse_limit = 1")
    assert nodes(session, query) == 1
    session.run("SET join_collapse_limit = 20; SET geqo_threshold = 2")
    assert nodes(session, query) == 1


ON_NO_COLUMN = JOIN + " WHERE current_setting('work_mem') %s '4MB'"


def test_a_condition_on_no_column(orders, proxy):
    """It is checked once; where it doesn't hold nothing is asked for, and no key is computed."""
    session = orders(100)
    session.run("SET work_mem = '4MB'")
    assert sorted(session.run(ON_NO_COLUMN % "=")) == sorted(session.run(JOIN))
    if session.conn.info.server_version >= 170000:  # it has no hook there before
        assert nodes(session, ON_NO_COLUMN % "=") == 1
        assert any("One-Time Filter" in line for line in plan(session, ON_NO_COLUMN % "="))
    proxy.forget()
    assert session.run(ON_NO_COLUMN.replace("= o.driver", "= 1 / (o.driver - 5)") % "<>") == []
    assert proxy.requests == []


def test_a_condition_on_no_column_of_a_sub_select_that_is_run_again(orders):
    session = orders(20)
    query = "SELECT g, (SELECT sum(trips) FROM (%s) x) FROM generate_series(1, 4) g" % (JOIN + " WHERE g > 2")
    assert session.run(query) == [(1, None), (2, None), (3, 450), (4, 450)]


def outcome(session, query):
    """Its rows, or its SQLSTATE."""
    try:
        return session.run(query)
    except psycopg.Error as error:
        return error.sqlstate


@pytest.mark.parametrize("column, joins", [("tableoid", 1), ("ctid", 0), ("xmin", 0)])
def test_system_columns(orders, column, joins):
    session = orders(3)
    query = "SELECT d.%s FROM orders o JOIN drivers d ON d.driver_id = o.driver" % column
    assert nodes(session, query) == joins
    found = outcome(session, query)
    session.run("SET %s = off" % GUC)
    assert found == outcome(session, query)


def test_explain(orders):
    session = orders(100)
    text = "\n".join(plan(session, JOIN + " AND d.trips > 20 WHERE coalesce(d.trips, 0) < 50"))
    assert NODE in text
    assert "d.driver_id = o.driver" in text
    assert "Join Filter: (d.trips > 20)" in text
    assert "Filter: (COALESCE(d.trips, 0) < 50)" in text


def test_explain_verbose_and_in_other_formats(orders):
    session = orders(100)
    for options in ("VERBOSE", "FORMAT JSON", "FORMAT YAML", "FORMAT XML", "ANALYZE, VERBOSE, FORMAT XML"):
        assert NODE in str(session.run("EXPLAIN (%s) %s" % (options, JOIN)))


def test_explain_asks_nothing(orders, proxy):
    session = orders(100)
    proxy.forget()
    session.run("EXPLAIN " + JOIN)
    assert proxy.requests == []


def test_explain_analyze(orders):
    session = orders(100)
    query = (
        "SELECT d.trips, e.conv_rate, r.trips FROM orders o LEFT JOIN drivers d ON d.driver_id = o.driver"
        " LEFT JOIN drivers e ON e.driver_id = o.driver LEFT JOIN riders r ON r.driver_id = o.driver % 7"
    )
    session.table("riders", DRIVERS)
    fill(session, 3, "riders")
    node = analyzed(session, query)
    assert (node["Actual Rows"], node["Windows"], node["Requests"]) == (100, 1, 2)
    assert node["Most In Flight"] >= 1
    counts = {lookup["Remote Table"].split(".")[1]: lookup for lookup in node["Lookups"]}
    assert set(counts) == {"drivers", "riders"}
    names = ("Keys Asked", "Keys Deduplicated", "Items Found", "Table Requests")
    assert [counts["drivers"][name] for name in names] == [100, 100, 9, 1]
    assert [counts["riders"][name] for name in names] == [7, 93, 3, 1]


def test_key_of_another_collation(session, project, proxy):
    """Only where equal means equal bytes."""
    session.server(project, proxy.url)
    session.table("places", "city text OPTIONS (entity_key 'true'), n integer")
    session.run("INSERT INTO places VALUES ('Ulm', 1)")
    session.run(
        "CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
        " CREATE TABLE visits (city text COLLATE any_case, n integer); INSERT INTO visits VALUES ('ulm', 1), ('Ulm', 2)"
    )
    query = "SELECT v.n, p.n FROM visits v JOIN places p ON p.city = v.city %s WHERE p.city = ANY ('{Ulm,Bonn}')"
    assert sorted(session.run(query % "")) == [(1, 1), (2, 1)]
    assert sorted(session.run(query % 'COLLATE "C"')) == [(2, 1)]
    session.run("DROP TABLE visits; DROP COLLATION any_case")


def test_the_key_need_not_be_not_null(session, project, proxy):
    session.server(project, proxy.url)
    session.table("places", "n integer, city %s" % KEY.replace("bigint", "varchar(5)").replace(" NOT NULL", ""))
    session.run("INSERT INTO places VALUES (1, 'Ulm')")
    query = (
        "SELECT v.c, p.n FROM (VALUES ('Ulm'), ('Ulm    '), (NULL), ('too long a name')) v(c)"
        " LEFT JOIN places p ON p.city = v.c"
    )
    assert nodes(session, query) == 1
    assert session.run(query) == [("Ulm", 1), ("Ulm    ", None), (None, None), ("too long a name", None)]
