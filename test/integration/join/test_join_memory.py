"""The memory of a lookup join: bounded by what is in flight and by work_mem, and given back."""

import pytest

import faults
from backend import assert_small, grows, peak_bytes
from joins import nodes
from support import fill

MB = 1024 * 1024
WIDE = 20000  # bytes of an item


@pytest.fixture
def big(drivers):
    drivers.table("big", "id bigint OPTIONS (entity_key 'true'), t text")
    drivers.run("INSERT INTO big SELECT i, repeat('x', %d) FROM generate_series(1, 3000) i" % WIDE)
    drivers.run("SET work_mem = '1MB'; SELECT t FROM big WHERE id = 1")
    return drivers


def test_wide_items(big):
    """20 MB of them, 27 MB in base64, are in flight at first, as in a scan; after that their size is known."""
    query = "SELECT sum(length(b.t)) FROM generate_series(1, 3000) g JOIN big b ON b.id = g"
    assert nodes(big, query) == 1
    before = peak_bytes(big)
    assert big.value(query) == 3000 * WIDE
    assert peak_bytes(big) - before < 45 * MB


def test_wide_items_of_a_cursor(big):
    """It begins with few rows, so their size is known before there are many."""
    before = peak_bytes(big)
    big.run("BEGIN; DECLARE c CURSOR FOR SELECT length(b.t) FROM generate_series(1, 1500) g JOIN big b ON b.id = g")
    assert big.run("FETCH ALL FROM c") == [(WIDE,)] * 1500
    big.run("COMMIT")
    assert peak_bytes(big) - before < 16 * MB


def test_wide_outer_rows(drivers):
    fill(drivers, 9)
    drivers.run("SET work_mem = '1MB'; SELECT trips FROM drivers WHERE driver_id = 1")
    query = (
        "SELECT sum(length(o.wide)), sum(d.trips) FROM"
        " (SELECT g, repeat('x', 50000 + g) AS wide FROM generate_series(1, 2000) g OFFSET 0) o"
        " LEFT JOIN drivers d ON d.driver_id = o.g"
    )
    assert nodes(drivers, query) == 1
    before = peak_bytes(drivers)
    assert drivers.run(query) == [(2000 * 50000 + 2000 * 2001 // 2, 450)]
    assert peak_bytes(drivers) - before < 16 * MB


def test_many_rows(drivers):
    fill(drivers, 9)
    drivers.run("SET work_mem = '1MB'; SELECT trips FROM drivers WHERE driver_id = 1")
    query = "SELECT count(*), sum(d.trips) FROM generate_series(1, 20000) g LEFT JOIN drivers d ON d.driver_id = g"
    before = peak_bytes(drivers)
    assert drivers.run(query) == [(20000, 450)]
    assert peak_bytes(drivers) - before < 16 * MB


JOIN = "SELECT g, d.trips, e.conv_rate FROM generate_series(1, 40) g LEFT JOIN drivers d ON d.driver_id = g" + (
    " LEFT JOIN drivers e ON e.driver_id = g + 1"
)


def test_1000_joins(drivers):
    fill(drivers, 50)
    assert_small(grows(drivers, lambda i: drivers.run(JOIN), 100, 500))


def test_1000_rescans(drivers):
    fill(drivers, 50)
    query = "SELECT o, (SELECT sum(x.trips) FROM (%s) x WHERE x.g > o) FROM generate_series(1, 20) o" % JOIN
    assert_small(grows(drivers, lambda i: drivers.run(query), 20, 50))


def test_joins_that_end_early(drivers):
    fill(drivers, 50)
    query = JOIN.replace("40", "1000") + " LIMIT 20"
    assert_small(grows(drivers, lambda i: drivers.run(query), 100, 300))


def test_joins_that_fail(drivers, proxy):
    fill(drivers, 50)
    drivers.set_server(total_max_retry_attempts=1)
    kinds = [faults.error("ValidationException"), faults.truncated, faults.cut, faults.wrong_crc, faults.html(502)]

    def step(i):
        proxy.fault(kinds[i % len(kinds)], operation="BatchGetItem")
        drivers.fail(JOIN)

    assert_small(grows(drivers, step, 100, 300))


def test_joins_that_are_cancelled(drivers, proxy):
    fill(drivers, 50)
    proxy.fault(faults.stall, times=None)
    drivers.run("SET statement_timeout = 10")

    def step(i):
        assert drivers.fail(JOIN).sqlstate == "57014"

    assert_small(grows(drivers, step, 30, 100))
