"""How many requests a statement takes, of how many keys or rows, and how many are in flight."""


from support import DRIVERS, fill, takes

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


def test_10000_keys_in_one_array(drivers, proxy):
    fill(drivers, 20)
    rows = drivers.run("SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (%s)", [list(range(11, 10011))])
    assert sorted(rows) == [(i, 10 * i) for i in range(11, 21)]
    assert keys_asked(proxy) == [100] * 100
