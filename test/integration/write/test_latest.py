"""write_mode 'latest': an older event time never replaces a newer one."""

import random
import threading

import pytest

import faults
from support import DRIVER_1001, DRIVERS, KEY, TIME, Session, dynamodb, raw_items

PUT = "PutItem"
NOON = "2024-03-01 12:00:00+00"


@pytest.fixture
def latest(drivers):
    drivers.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD write_mode 'latest')")
    return drivers


def insert(session, time, trips, driver=1001):
    return session.run("INSERT INTO drivers VALUES (%s, %s, 0, %s)", [driver, time, trips])


def trips(session, driver=1001):
    rows = session.run("SELECT trips FROM drivers WHERE driver_id = %d" % driver)
    return rows[0][0] if rows else None


def store(project, event_ts):
    """Drivers 1001 as somebody else wrote it."""
    item = {"entity_id": {"S": DRIVER_1001}, "values": {"M": {"trips": {"B": b"\x18\x01"}}}}
    if event_ts is not None:
        item["event_ts"] = {"S": event_ts}
    dynamodb().put_item(TableName=project + ".drivers", Item=item)


def refused(session):
    return session.value("SELECT sum(items_refused) FROM dynamo_fdw_stats")


def test_newer_and_older(latest, proxy):
    insert(latest, NOON, 1)
    insert(latest, "2024-03-01 11:59:59.999999+00", 2)
    assert trips(latest) == 1
    insert(latest, NOON, 3)
    assert trips(latest) == 3
    insert(latest, "2024-03-01 12:00:00.000001+00", 4)
    assert trips(latest) == 4
    insert(latest, NOON, 5)
    assert trips(latest) == 4
    assert refused(latest) == 2
    assert proxy.count(PUT) == 5 and proxy.count("BatchWriteItem") == 0


@pytest.mark.parametrize("event_ts, newer", [
    ("2024-03-01 12:00:00+00:00", False),
    ("2024-03-01 12:00:00.000001+00:00", True),
    ("2024-03-01 11:59:59.999999+00:00", False),
    ("2024-03-01 13:00:00+02:00", False),
    ("2024-03-01 11:00:00-02:00", True),
    ("2024-03-01T11:59:59+00:00", False),
    ("2024-03-01T12:00:01+00:00", True),
    ("2024-03-01T12:00:01Z", True),
    ("2024-03-01T12:00:00Z", False),
    ("2024-03-01 12:00:01", True),
    ("2024-03-01 11:00:01", False),
    ("2024-03-01 12:00:00.123456789+00:00", True),
    ("0999-03-01 12:00:00+00:00", False),
    ("9999-03-01 12:00:00+00:00", True),
    ("NaT", False),
    ("yesterday", False),
    ("", False),
    ("z" * 254 + "\u00e9" * 9, False),
    (None, False),
])  # fmt: skip
def test_times_of_others(latest, project, event_ts, newer):
    store(project, event_ts)
    insert(latest, NOON, 7)
    stored = raw_items(project + ".drivers")[DRIVER_1001]
    assert stored.get("event_ts", {}).get("S") == (event_ts if newer else "2024-03-01 12:00:00+00:00")


def test_the_newest_of_a_statement(latest, proxy):
    latest.run(
        "INSERT INTO drivers SELECT i % 5, '2024-03-01'::timestamptz + make_interval(secs => (i * 37) % 100), 0,"
        " (i * 37) % 100 FROM generate_series(0, 99) i"
    )
    newest = {}
    for i in range(100):
        newest[i % 5] = max(newest.get(i % 5, 0), i * 37 % 100)
    assert {driver: trips(latest, driver) for driver in range(5)} == newest


@pytest.mark.parametrize("event_ts", [{"N": "5"}, {"NULL": True}, {"L": [{"S": NOON}]}])
def test_an_event_ts_that_is_no_text(latest, project, event_ts):
    dynamodb().put_item(TableName=project + ".drivers", Item={"entity_id": {"S": DRIVER_1001}, "event_ts": event_ts})
    insert(latest, NOON, 7)
    assert trips(latest) == 7


@pytest.mark.parametrize("stored", ["2024-03-01T00:00:00Z", "yesterday", "2024-03-01 00:00:00+00:00"])
def test_the_newest_of_a_statement_over_a_time_of_others(latest, project, stored):
    """The newer row is in flight, and has to go out again, while the older one of its key waits."""
    store(project, stored)
    assert latest.run("INSERT INTO drivers VALUES (1001, %s, 0, 7), (1001, '2024-03-01 11:00:00+00', 0, 8)", [NOON]) == 2
    assert trips(latest) == 7
    assert refused(latest) == 1


def test_an_answer_that_is_none(latest, proxy):
    proxy.fault(faults.html(200), None, PUT)
    error = latest.fail("INSERT INTO drivers VALUES (1001, %s, 0, 1)", [NOON])
    assert error.sqlstate == "08P01" and "driver_id = 1001" in error.diag.message_detail
    proxy.heal()
    proxy.fault(faults.html(200), 1, PUT)
    assert insert(latest, NOON, 1) == 1
    assert trips(latest) == 1


def test_copy(latest):
    insert(latest, NOON, 1)
    with latest.conn.cursor().copy("COPY drivers FROM STDIN") as copy:
        copy.write_row((1001, "2024-01-01", 0, 2))
        copy.write_row((1002, "2024-01-01", 0, 3))
    assert (trips(latest), trips(latest, 1002)) == (1, 3)


def test_update(latest, proxy):
    insert(latest, NOON, 1)
    assert latest.run("UPDATE drivers SET event_timestamp = '2024-01-01', trips = 2 WHERE driver_id = 1001") == 0
    assert trips(latest) == 1
    assert proxy.count("UpdateItem") == 0
    assert refused(latest) == 1
    assert latest.run("UPDATE drivers SET event_timestamp = '2025-01-01', trips = 2 WHERE driver_id = 1001") == 1
    assert latest.run("UPDATE drivers SET trips = 3 WHERE driver_id = 1001") == 1
    assert trips(latest) == 3


def test_an_update_meets_a_newer_one(latest, proxy, project):
    insert(latest, NOON, 1)
    release = threading.Event()
    proxy.fault(faults.held(release), 1, "UpdateItem")
    running = threading.Thread(
        target=lambda: errors.append(
            latest.fail("UPDATE drivers SET event_timestamp = '2024-04-01' WHERE driver_id = 1001")
        )
    )
    errors = []
    running.start()
    proxy.wait_for("UpdateItem", 1)
    store(project, "2024-05-01 00:00:00+00:00")
    release.set()
    running.join()
    assert errors[0].sqlstate == "40001"


def test_a_lost_answer(latest, proxy):
    """The put that is sent again meets its own time."""
    proxy.fault(faults.lose, 1, PUT)
    insert(latest, NOON, 1)
    assert trips(latest) == 1
    assert refused(latest) == 0


def test_a_denied_put(latest, proxy):
    proxy.fault(faults.allowing("BatchGetItem", "BatchWriteItem"), None)
    error = latest.fail("INSERT INTO drivers VALUES (1, now(), 0, 1)")
    assert error.sqlstate == "42501" and "dynamodb:PutItem" in error.diag.message_hint


def test_explain(latest):
    insert(latest, NOON, 1)
    (plan,) = latest.value("EXPLAIN (ANALYZE, FORMAT JSON) INSERT INTO drivers VALUES (1001, '2024-01-01'), (1, now())")
    assert (plan["Plan"]["Items Written"], plan["Plan"]["Items Refused"]) == (1, 1)


def test_sessions_that_race(latest, database, project, second_proxy):
    """Each writes the same drivers with times of its own, in any order: of each the newest stays."""
    latest.server(project, second_proxy.url, name="racing", create_remote_table="false")
    columns = "driver_id %s, event_timestamp %s, conv_rate real, trips integer" % (KEY, TIME)
    assert columns == DRIVERS
    latest.table("racing", columns, server="racing", table_name=project + ".drivers", write_mode="latest")
    second_proxy.latency = 0.005
    chooser = random.Random(1)
    rows = [(driver, second) for driver in range(20) for second in range(40)]
    chooser.shuffle(rows)

    def write(part):
        session = Session(database)
        for some in range(0, len(part), 20):
            values = ", ".join(
                "(%d, '2024-03-01'::timestamptz + '%d s', 0, %d)" % (driver, second, second)
                for driver, second in part[some : some + 20]
            )
            session.run("INSERT INTO racing VALUES " + values)
        session.close()

    threads = [threading.Thread(target=write, args=[rows[i::4]]) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {trips(latest, driver) for driver in range(20)} == {39}
