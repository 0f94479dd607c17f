"""How many requests a statement takes, what they ask for, and how many are in flight."""

import pytest

from support import DRIVERS, KEY, TIME, fill, takes

READ = "BatchGetItem"
WRITE = "BatchWriteItem"
LATENCY = 0.2


def keys_asked(proxy):
    """How many keys each read asked for."""
    return sorted(len(table["Keys"]) for read in proxy.of(READ) for table in read.json()["RequestItems"].values())


def asked(proxy):
    """What the only read asked of its only table."""
    (read,) = proxy.of(READ)
    (table,) = read.json()["RequestItems"].values()
    return table


def test_500_entities_take_5_requests_in_flight_together(drivers, proxy):
    fill(drivers, 500)
    drivers.run("SELECT trips FROM drivers WHERE driver_id = 1")  # loads and connects
    proxy.forget()
    proxy.latency = LATENCY
    with takes(less_than=10 * LATENCY, more_than=LATENCY):
        rows = drivers.run("SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (%s)", [list(range(1, 501))])
    assert sorted(rows) == [(i, 10 * i) for i in range(1, 501)]
    assert keys_asked(proxy) == [100] * 5
    assert proxy.most_in_flight(READ) == 5


def test_1000_rows_take_40_requests(drivers, proxy):
    proxy.latency = 0.05
    with takes(less_than=40 * 0.05 * 2):
        fill(drivers, 1000)
    assert proxy.count(WRITE) == 40
    assert 2 <= proxy.most_in_flight(WRITE) <= 10
    assert len(drivers.run("SELECT driver_id FROM drivers WHERE driver_id = ANY (%s)", [list(range(1, 1001))])) == 1000


def test_max_workers_is_the_most_in_flight(drivers, proxy):
    drivers.set_server(max_read_workers=3, max_write_workers=2)
    proxy.latency = 0.05
    fill(drivers, 200)
    assert proxy.most_in_flight(WRITE) == 2
    drivers.run("SELECT trips FROM drivers WHERE driver_id = ANY (%s)", [list(range(1, 1001))])
    assert proxy.count(READ) == 10
    assert proxy.most_in_flight(READ) == 3


def test_batch_size_is_the_most_keys_of_a_request(drivers, proxy):
    drivers.set_server(batch_size=10)
    fill(drivers, 25)
    assert proxy.count(WRITE) == 3
    drivers.run("SELECT trips FROM drivers WHERE driver_id = ANY (%s)", [list(range(1, 26))])
    assert keys_asked(proxy) == [5, 10, 10]


def test_a_table_option_wins_over_the_server(session, project, proxy):
    session.server(project, proxy.url, batch_size=10, consistent_reads="false")
    session.table("drivers", DRIVERS, batch_size=20, consistent_reads="true")
    session.run("SELECT trips FROM drivers WHERE driver_id = ANY (%s)", [list(range(1, 41))])
    assert keys_asked(proxy) == [20, 20]
    (table,) = proxy.of(READ)[0].json()["RequestItems"].values()
    assert table["ConsistentRead"] is True


def test_reads_are_eventually_consistent_by_default(drivers, proxy):
    drivers.run("SELECT trips FROM drivers WHERE driver_id = 1")
    assert not asked(proxy).get("ConsistentRead")


def test_each_entity_is_asked_for_once(drivers, proxy):
    fill(drivers, 3)
    rows = drivers.run("SELECT driver_id FROM drivers WHERE driver_id IN (1, 2, 1, 2, 1) OR driver_id = 2")
    assert sorted(rows) == [(1,), (2,)]
    assert keys_asked(proxy) == [2]


def test_only_needed_features_are_asked_for(drivers, proxy):
    fill(drivers, 1)
    assert drivers.run("SELECT trips FROM drivers WHERE driver_id = 1") == [(10,)]
    names = asked(proxy)["ExpressionAttributeNames"].values()
    assert "trips" in names
    assert not {"conv_rate", "event_ts"} & set(names)


def test_a_row_without_needed_features_is_found(drivers, proxy):
    fill(drivers, 1)
    assert drivers.value("SELECT count(*) FROM drivers WHERE driver_id IN (1, 2)") == 1
    assert not {"trips", "conv_rate"} & set(asked(proxy).get("ExpressionAttributeNames", {}).values())


def test_connections_outlive_the_statement(drivers, proxy):
    fill(drivers, 300)
    query = "SELECT trips FROM drivers WHERE driver_id = ANY (%s)"
    proxy.latency = 0.05
    drivers.run(query, [list(range(1, 301))])
    proxy.forget()
    drivers.run(query, [list(range(1, 301))])
    assert proxy.count(READ) == 3
    assert proxy.connections == 0


def test_an_idle_connection_older_than_keepalive_timeout_is_not_reused(drivers, proxy):
    drivers.set_server(keepalive_timeout=1)
    query = "SELECT trips FROM drivers WHERE driver_id = 1"
    drivers.run(query)
    proxy.forget()
    drivers.run("SELECT pg_sleep(2.2)")
    drivers.run(query)
    assert proxy.connections == 1


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
    assert keys_asked(proxy) == [1]


def test_10000_keys_in_one_array(drivers, proxy):
    fill(drivers, 20)
    rows = drivers.run("SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (%s)", [list(range(11, 10011))])
    assert sorted(rows) == [(i, 10 * i) for i in range(11, 21)]
    assert keys_asked(proxy) == [100] * 100


def test_explain_asks_nothing(drivers, proxy):
    drivers.run("EXPLAIN VERBOSE SELECT * FROM drivers WHERE driver_id = 1")
    drivers.run("EXPLAIN INSERT INTO drivers VALUES (1)")
    assert proxy.operations() == []


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


def test_a_join_with_a_local_table(drivers):
    fill(drivers, 5)
    drivers.run("CREATE TEMP TABLE orders AS SELECT i AS order_id, i % 4 AS driver_id FROM generate_series(1, 8) i")
    rows = drivers.run("SELECT order_id, trips FROM orders LEFT JOIN drivers USING (driver_id) ORDER BY order_id")
    assert rows == [(1, 10), (2, 20), (3, 30), (4, None), (5, 10), (6, 20), (7, 30), (8, None)]


def test_two_scans_of_one_statement(drivers, proxy):
    fill(drivers, 300)
    drivers.table("stats", "driver_id %s, event_timestamp %s, trips integer" % (KEY, TIME))
    drivers.run("INSERT INTO stats SELECT i, now(), i FROM generate_series(1, 300) i")
    rows = drivers.run(
        "SELECT sum(d.trips), sum(s.trips) FROM drivers d JOIN stats s ON s.driver_id = d.driver_id"
        " WHERE d.driver_id = ANY (%s) AND s.driver_id = ANY (%s)",
        [list(range(1, 301)), list(range(101, 401))],
    )
    assert rows == [(sum(10 * i for i in range(101, 301)), sum(range(101, 301)))]


def test_a_cursor_fetches_by_and_by(drivers, proxy):
    fill(drivers, 100)
    drivers.set_server(batch_size=10, max_read_workers=1)
    proxy.forget()
    drivers.run("BEGIN")
    drivers.run(
        "DECLARE c CURSOR FOR SELECT driver_id FROM drivers WHERE driver_id = ANY ('{%s}')"
        % ",".join(map(str, range(1, 101)))
    )
    first = drivers.run("FETCH 5 FROM c")
    early = proxy.count(READ)
    rest = drivers.run("FETCH ALL FROM c")
    drivers.run("COMMIT")
    assert early <= 2
    assert sorted(first + rest) == [(i,) for i in range(1, 101)]
