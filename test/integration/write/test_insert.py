"""INSERT: which rows are written, in which requests, and which are refused."""

import pytest

import faults
from support import DRIVER_1001, KEY, TIME, fill, raw_items, takes

WRITE = "BatchWriteItem"


def test_1000_rows_take_40_requests(drivers, proxy):
    proxy.latency = 0.05
    with takes(less_than=40 * 0.05 * 2):
        fill(drivers, 1000)
    assert proxy.count(WRITE) == 40
    assert 2 <= proxy.most_in_flight(WRITE) <= 10
    assert len(drivers.run("SELECT driver_id FROM drivers WHERE driver_id = ANY (%s)", [list(range(1, 1001))])) == 1000


def test_tables_of_one_statement_are_written_together(drivers, proxy):
    columns = "driver_id bigint NOT NULL, event_timestamp timestamptz"
    drivers.run("CREATE TABLE parent (%s) PARTITION BY LIST (driver_id)" % columns)
    for i in (1, 2):
        drivers.table("part%d" % i, "driver_id %s, event_timestamp %s" % (KEY, TIME))
        drivers.run("ALTER TABLE parent ATTACH PARTITION part%d FOR VALUES IN (%d)" % (i, i))
    proxy.forget()
    proxy.latency = 0.3
    drivers.run(
        "WITH a AS (INSERT INTO parent VALUES (1, now()), (2, now()) RETURNING driver_id)"
        " INSERT INTO drivers SELECT driver_id, now() FROM a"
    )
    assert proxy.count(WRITE) == proxy.most_in_flight(WRITE) == 3


def test_the_last_duplicate_of_a_statement_wins(drivers, proxy):
    drivers.run("INSERT INTO drivers VALUES (1, now(), 0, 1), (2, now(), 0, 2), (1, now(), 0, 3)")
    assert sorted(drivers.run("SELECT driver_id, trips FROM drivers WHERE driver_id IN (1, 2)")) == [(1, 3), (2, 2)]
    assert proxy.count(WRITE) == 1


@pytest.mark.parametrize("batch_size", [1, 100])
def test_the_last_duplicate_wins_over_one_in_flight(drivers, proxy, batch_size):
    drivers.set_server(batch_size=batch_size)
    proxy.latency = 0.03
    drivers.run("INSERT INTO drivers SELECT 1, now(), 0, i FROM generate_series(1, 30) i")
    assert drivers.run("SELECT trips FROM drivers WHERE driver_id = 1") == [(30,)]
    # Never two requests with the same key at once: DynamoDB promises no order between them.
    assert proxy.most_in_flight(WRITE) == 1


def test_duplicates_among_others_keep_their_order(drivers, proxy):
    proxy.latency = 0.01
    # Each of 50 drivers comes 8 times, 50 rows apart; the last round has trips 7.
    drivers.run("INSERT INTO drivers SELECT i % 50, now(), 0, i / 50 FROM generate_series(0, 399) i")
    rows = drivers.run("SELECT DISTINCT trips FROM drivers WHERE driver_id = ANY (%s)", [list(range(50))])
    assert rows == [(7,)]


def test_an_insert_fails_with_a_null_key_or_time(drivers, proxy):
    drivers.run("ALTER FOREIGN TABLE drivers ALTER driver_id DROP NOT NULL")
    assert drivers.fail("INSERT INTO drivers VALUES (NULL, now(), 0, 1)").sqlstate == "23502"
    assert drivers.fail("INSERT INTO drivers VALUES (1, NULL, 0, 1)").sqlstate == "23502"
    assert proxy.count(WRITE) == 0


def test_the_written_event_ts_is_utc(drivers, project):
    drivers.run("SET TimeZone = 'Asia/Kolkata'")
    drivers.run("INSERT INTO drivers VALUES (1001, '2024-03-01 10:20:30.5+02', 0, 0)")
    assert raw_items(project + ".drivers")[DRIVER_1001]["event_ts"]["S"] == "2024-03-01 08:20:30.500000+00:00"


def test_without_a_time_column_the_statement_time_is_written(session, project):
    session.server(project)
    session.table("plain", "driver_id %s, trips integer" % KEY)
    session.run("SET TimeZone = 'UTC'")
    session.run("INSERT INTO plain VALUES (1001, 1)")
    stored = raw_items(project + ".plain")[DRIVER_1001]["event_ts"]["S"]
    assert stored.endswith("+00:00")
    assert session.value("SELECT %s::timestamptz BETWEEN now() - interval '1 min' AND now()", [stored])


def test_a_failed_insert_counts_what_is_acknowledged(drivers, proxy):
    drivers.set_server(max_write_workers=1)
    proxy.fault(faults.right, times=2, operation="BatchWriteItem")
    proxy.fault(faults.error("AccessDeniedException"), operation="BatchWriteItem")
    error = drivers.fail("INSERT INTO drivers SELECT i, now(), 0, 0 FROM generate_series(1, 100) i")
    assert error.sqlstate == "42501"
    text = "%s %s %s" % (error.diag.message_primary, error.diag.message_detail, error.diag.context)
    assert "50" in text
    assert proxy.count("BatchWriteItem") == 3
    assert drivers.value("SELECT count(*) FROM drivers WHERE driver_id = ANY (%s)", [list(range(1, 101))]) == 50


def test_an_item_over_400_kb(drivers):
    drivers.table("notes", "id bigint OPTIONS (entity_key 'true'), note text")
    assert drivers.fail("INSERT INTO notes SELECT 1, repeat('x', 410000)").sqlstate == "54000"
    drivers.run("INSERT INTO notes SELECT i, repeat('x', 390000) FROM generate_series(1, 60) i")
    assert drivers.run("SELECT sum(length(note)) FROM notes WHERE id = ANY (%s)", [list(range(1, 61))]) == [
        (60 * 390000,)
    ]
