"""Loads through a service that misbehaves: afterwards the table holds exactly the rows that the statement says."""

import os
import random
import re
import signal
import time

import psycopg
import pytest

import faults
from cluster import Cluster
from support import DRIVERS, Running, raw_items

WRITES = ["BatchWriteItem", "UpdateItem", "PutItem"]
ROWS = 400

THROTTLE = faults.error("ProvisionedThroughputExceededException")
STORMS = {
    "throttles": [THROTTLE],
    "unprocessed": [faults.unprocessed(n) for n in (0, 1, 12)],
    "cut bodies": [faults.cut, faults.truncated, faults.wrong_crc],
    "lost answers": [faults.lose, faults.hang_up],
    "server errors": [faults.error("InternalServerError", 500), faults.html(503)],
    "stalls": [faults.stall],
}

CLAIM = re.compile(r"(\d+) items? w(?:as|ere) \w+ before that and stays? so(?:, of (\d+) in flight)?")


def storm(session, proxy, kinds, chooser, chance):
    """From now on a request fails with this chance, before or after DynamoDB does what it asks."""
    if faults.stall in kinds:
        session.set_server(read_timeout="0.5")

    def act(exchange):
        fails = exchange.asked.operation in WRITES and chooser.random() < chance
        action = chooser.choice(kinds) if fails else faults.right
        if exchange.asked.operation != "BatchWriteItem" and "unprocessed" in action.__qualname__:
            action = faults.right
        action(exchange)

    proxy.fault(act, None)


def claimed(error):
    """How many rows an error says are written, at least and at most."""
    found = CLAIM.search(error.diag.context or "")
    assert found or "before that" not in (error.diag.context or "")
    written, in_flight = (int(number or 0) for number in found.groups()) if found else (0, 0)
    return written, written + in_flight


def check(session, sql, stored, rows):
    """Runs a load; `stored` tells how many of its rows are there."""
    try:
        assert session.run(sql) == rows
        assert stored() == rows
        return True
    except psycopg.Error as error:
        least, most = claimed(error)
        assert least <= stored() <= most, error
        return False


@pytest.fixture
def loaded(drivers):
    drivers.set_server(total_max_retry_attempts="3")
    return drivers


@pytest.mark.parametrize("kind", STORMS)
@pytest.mark.parametrize("chance", [0.4])
def test_an_insert_in_a_storm(loaded, proxy, project, kind, chance):
    storm(loaded, proxy, STORMS[kind], random.Random(kind), chance)
    sql = "INSERT INTO drivers SELECT i, now(), 0, i FROM generate_series(1, %d) i" % ROWS
    check(loaded, sql, lambda: len(raw_items(project + ".drivers")), ROWS)
    proxy.heal()
    loaded.run("ALTER SERVER feast OPTIONS (%s read_timeout '60')" % ("SET" if kind == "stalls" else "ADD"))
    assert loaded.run(sql) == ROWS
    assert len(raw_items(project + ".drivers")) == ROWS


@pytest.mark.parametrize("kind", STORMS)
@pytest.mark.parametrize("sql", [
    "UPDATE drivers SET trips = -1 WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 100)))",
    "UPDATE drivers SET trips = -1 - 0 * trips WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 100)))",
    "INSERT INTO drivers SELECT i, now(), 0, -1 FROM generate_series(1, 100) i",
], ids=["update", "dependent update", "latest"])  # fmt: skip
def test_a_row_a_request_in_a_storm(loaded, proxy, kind, sql):
    if sql.startswith("INSERT"):
        loaded.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD write_mode 'latest')")
    loaded.run("INSERT INTO drivers SELECT i, '2024-03-01', 0, i FROM generate_series(1, 100) i")
    storm(loaded, proxy, STORMS[kind], random.Random(kind), 0.2)
    changed = "SELECT count(*) FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 100))) AND trips = -1"
    check(loaded, sql, lambda: loaded.value(changed), 100)


@pytest.mark.parametrize("kind", STORMS)
def test_a_delete_in_a_storm(loaded, proxy, project, kind):
    loaded.run("INSERT INTO drivers SELECT i, '2024-03-01', 0, i FROM generate_series(1, 300) i")
    storm(loaded, proxy, STORMS[kind], random.Random(kind), 0.4)
    sql = "DELETE FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 300)))"
    check(loaded, sql, lambda: 300 - len(raw_items(project + ".drivers")), 300)


def test_most_loads_come_through(loaded, proxy):
    """Of a storm that is no hurricane nothing is seen but time."""
    storm(loaded, proxy, [kind for kinds in STORMS.values() for kind in kinds if kind is not faults.stall], random.Random(1), 0.1)
    assert loaded.run("INSERT INTO drivers SELECT i, now(), 0, i FROM generate_series(1, 1000) i") == 1000


@pytest.fixture
def own(proxy, project):
    """A server of the test's own, with the foreign table "drivers"."""
    cluster = Cluster()
    try:
        cluster.init()
        cluster.start()
        session = cluster.session()
        session.run("CREATE EXTENSION dynamo_fdw")
        session.server(project, proxy.url)
        session.table("drivers", DRIVERS)
        yield session, cluster
        cluster.server.kill()
        cluster.server.wait()
        cluster.server = None
    finally:
        cluster.remove()


def reconnect(cluster):
    end = time.monotonic() + 30
    while True:
        try:
            return cluster.session()
        except psycopg.OperationalError:
            assert time.monotonic() < end
            time.sleep(0.1)


def test_a_session_that_is_killed(own, proxy, project):
    """The server starts anew; what was acknowledged is there, and the next load completes it."""
    session, cluster = own
    proxy.latency = 0.05
    sql = "INSERT INTO drivers SELECT i, now(), 0, i FROM generate_series(1, 2000) i"
    load = Running(session, sql)
    proxy.wait_for("BatchWriteItem", 25)
    os.kill(session.pid, signal.SIGKILL)
    load.join()
    assert load.error is not None
    answered = sum(request.answered is not None for request in proxy.of("BatchWriteItem"))
    assert len(raw_items(project + ".drivers")) >= 25 * (answered - 10) > 0
    proxy.latency = 0
    assert reconnect(cluster).run(sql) == 2000
    assert len(raw_items(project + ".drivers")) == 2000
