"""A session that runs thousands of statements doesn't grow."""

import pytest

import faults
from backend import assert_small, context_bytes, grows, peak_bytes
from support import DRIVERS, KEY, fill

KEYS = ",".join(map(str, range(1, 51)))
SELECT = "SELECT * FROM drivers WHERE driver_id = ANY ('{%s}')" % KEYS


def test_1000_selects(drivers, proxy):
    fill(drivers, 50)
    assert_small(grows(drivers, lambda i: drivers.run(SELECT), 150, 1000))


def test_1000_failing_selects(drivers, proxy):
    fill(drivers, 50)
    drivers.set_server(total_max_retry_attempts=1)
    kinds = [
        faults.error("ValidationException"),
        faults.truncated,
        faults.cut,
        faults.wrong_crc,
        faults.html(502),
    ]

    def step(i):
        proxy.fault(kinds[i % len(kinds)], operation="BatchGetItem")
        drivers.fail(SELECT)

    assert_small(grows(drivers, step, 150, 1000))


def test_cancelled_selects(drivers, proxy):
    fill(drivers, 50)
    proxy.fault(faults.stall, times=None)
    drivers.run("SET statement_timeout = 10")

    def step(i):
        assert drivers.fail(SELECT).sqlstate == "57014"

    assert_small(grows(drivers, step, 30, 100))


def test_inserts(drivers, proxy):
    def step(i):
        drivers.run("INSERT INTO drivers SELECT i, now(), 0, 0 FROM generate_series(1, 20) i")
        if i % 4 == 0:
            proxy.fault(faults.error("ValidationException"), operation="BatchWriteItem")
            drivers.fail("INSERT INTO drivers SELECT i, now(), 0, 0 FROM generate_series(1, 20) i")

    assert_small(grows(drivers, step, 50, 300))


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_ddl(session, project, proxy, end):
    session.server(project, proxy.url)

    def step(i):
        session.run("BEGIN")
        session.table("t", DRIVERS)
        session.run(end)
        if end == "COMMIT":
            session.run("DROP FOREIGN TABLE t")

    assert_small(grows(session, step, 60, 300))


def test_many_maps_in_one_row(drivers):
    """An array takes memory for what is in its maps, not some for each."""
    maps = 30000
    drivers.table("many", "id bigint OPTIONS (entity_key 'true'), maps jsonb[] OPTIONS (value_type 'MAP_LIST')")
    before = peak_bytes(drivers)
    drivers.run("INSERT INTO many SELECT 1, array_fill('{\"a\": 1}'::jsonb, ARRAY[%d])" % maps)
    assert peak_bytes(drivers) - before < maps * 4096
    assert drivers.value("SELECT cardinality(maps) FROM many WHERE id = 1") == maps


def test_a_wide_answer_is_let_go(drivers):
    """16 MB of rows are not kept after the statement."""
    drivers.table("big", "id bigint OPTIONS (entity_key 'true'), t text")
    drivers.run("INSERT INTO big SELECT i, repeat('x', 40000) FROM generate_series(1, 400) i")
    query = "SELECT sum(length(t)) FROM big WHERE id = ANY (ARRAY(SELECT generate_series(1, 400)))"
    assert drivers.value(query) == 400 * 40000
    assert context_bytes(drivers) < 16 * 1024 * 1024


def test_planning(session, project):
    """The planner asks what many sets of other tables say of the keys, each time together with a long condition."""
    keys = ["k%d" % i for i in range(8)]
    session.server(project)
    session.table("view", ", ".join("%s %s" % (key, KEY) for key in keys))
    session.run("CREATE TABLE entities (%s)" % ", ".join(key + " bigint" for key in keys))
    pairs = " OR ".join("(k0 = %d AND k1 = %d)" % (i, i) for i in range(1500))
    joins = ["JOIN entities e%d ON view.%s = e%d.%s" % (i, keys[i], i, keys[i]) for i in range(2, 8)]
    session.run("SET jit = off; EXPLAIN SELECT 1 FROM view WHERE k0 = 1")
    before = peak_bytes(session)
    sql = "EXPLAIN (COSTS OFF) SELECT 1 FROM view %s WHERE %s"
    session.run(sql % (" ".join(joins), pairs.replace("k0", "view.k0").replace("k1", "view.k1")))
    assert peak_bytes(session) - before < 100e6
