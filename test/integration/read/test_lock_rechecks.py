"""Rows that another session changed while a query waited for them: conditions are checked again, as for plain tables."""

import time

import pytest

from support import Running, Session, fill

ORDERS = "CREATE TABLE orders (o integer PRIMARY KEY, driver_id integer, note text, done integer)"

QUERIES = {
    "update": "UPDATE orders SET done = d.trips FROM {0} d WHERE d.driver_id = orders.driver_id AND note <> 'skip'",
    "filter": "UPDATE orders SET done = d.trips FROM {0} d WHERE d.driver_id = orders.driver_id"
    " AND d.trips <> length(note)",
    "constant": "UPDATE orders SET done = d.trips FROM {0} d WHERE d.driver_id IN (1, 2)"
    " AND d.trips = 10 * orders.driver_id",
    "array": "UPDATE orders SET done = d.trips FROM {0} d WHERE d.driver_id = orders.driver_id"
    " AND orders.driver_id = ANY (ARRAY[1, 2, 99])",
    "sub-select": "UPDATE orders SET done = d.trips FROM {0} d WHERE (d.driver_id = 1 OR d.driver_id IN (SELECT 2))"
    " AND d.trips = 10 * orders.driver_id",
    "left": "UPDATE orders SET done = coalesce(d.trips, -1) FROM orders o LEFT JOIN {0} d ON d.driver_id = o.driver_id"
    " WHERE o.o = orders.o",
    "delete": "DELETE FROM orders USING {0} d WHERE d.driver_id = orders.driver_id",
    "lock": "SELECT orders.*, d.trips FROM orders JOIN {0} d ON d.driver_id = orders.driver_id ORDER BY o FOR UPDATE",
    "lock one": "SELECT orders.*, d.trips FROM orders LEFT JOIN {0} d ON d.driver_id = orders.driver_id"
    " ORDER BY o FOR UPDATE OF orders",
}
CHANGES = {
    "another note": "UPDATE orders SET note = 'other' WHERE o = 1",
    "skipped": "UPDATE orders SET note = 'skip' WHERE o = 1",
    "filtered": "UPDATE orders SET note = '1234567890' WHERE o = 1",
    "another driver": "UPDATE orders SET driver_id = 2 WHERE o = 1",
    "no driver": "UPDATE orders SET driver_id = NULL WHERE o = 1",
    "deleted": "DELETE FROM orders WHERE o = 1",
}


def wait_until_blocked(session, pid):
    for _ in range(500):
        if session.value("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", [pid]):
            return
        time.sleep(0.01)
    raise AssertionError("the query does not wait for the lock")


def result(session, database, query, change):
    """What a query gives, and does, that waited for a row which then changed."""
    session.run("TRUNCATE orders; INSERT INTO orders VALUES (1, 1, 'x', 0), (2, 2, 'x', 0), (3, 99, 'x', 0)")
    other = Session(database)
    other.run("BEGIN")
    other.run(change)
    running = Running(session, query)
    wait_until_blocked(other, session.pid)
    other.run("COMMIT")
    other.close()
    running.join()
    assert running.error is None, running.error
    return running.rows, session.run("SELECT * FROM orders ORDER BY o")


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_changed_row_is_checked_again(drivers, database, query):
    fill(drivers, 3)
    drivers.run("DROP TABLE IF EXISTS orders, plain")
    drivers.run(ORDERS)
    drivers.run("CREATE TABLE plain AS SELECT * FROM drivers WHERE driver_id IN (1, 2, 3)")
    for name, change in CHANGES.items():
        plain, feast = (result(drivers, database, query.format(table), change) for table in ("plain", "drivers"))
        assert feast == plain, name
