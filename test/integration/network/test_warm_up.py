"""warmup_connections: connections are opened ahead of the requests that will need them."""

import time

import pytest

import faults
from support import DRIVERS, fill, takes

READ = "BatchGetItem"
WARM_UP = ""  # GET / names no operation
ONE = "SELECT trips FROM drivers WHERE driver_id = 1"
MANY = "SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (%s)"


def wait_for_connections(proxy, number):
    end = time.monotonic() + 5
    while proxy.connections < number and time.monotonic() < end:
        time.sleep(0.01)
    assert proxy.connections == number


def test_a_scan_opens_one_connection_without_warm_up(drivers, proxy):
    drivers.run(ONE)
    time.sleep(0.2)
    assert proxy.connections == 1
    assert proxy.operations() == [READ]


def test_warm_up_opens_the_connections_of_all_read_workers(drivers, proxy):
    drivers.set_server(warmup_connections="true")
    fill(drivers, 500)
    drivers.run("ALTER SERVER feast OPTIONS (ADD keepalive_timeout '60')")  # begins without connections
    proxy.forget()
    proxy.latency = 0.05
    assert drivers.run(ONE) == [(10,)]
    wait_for_connections(proxy, 10)
    drivers.run("SELECT pg_sleep(0.3)")  # the one row came before all connections were ready
    proxy.forget()
    assert len(drivers.run(MANY, [list(range(1, 501))])) == 500
    assert proxy.operations() == [READ] * 5
    assert proxy.connections == 0
    assert proxy.most_in_flight(READ) == 5


def test_warm_up_counts_the_window_of_the_scan(drivers, proxy):
    drivers.set_server(warmup_connections="true", max_read_workers=4, batch_size=1)
    proxy.latency = 0.05
    drivers.run(MANY, [[1, 2, 3]])
    wait_for_connections(proxy, 4)
    assert proxy.count(READ) == 3
    assert proxy.count(WARM_UP) == 1


@pytest.mark.parametrize("fault", [faults.stall, faults.hang_up, faults.html(500), faults.trickle(30)])
def test_a_warm_up_that_fails_is_no_failure(drivers, proxy, fault):
    drivers.set_server(warmup_connections="true", read_timeout=1)
    fill(drivers, 300)
    proxy.fault(fault, times=None, operation=WARM_UP)
    with takes(less_than=1):
        assert drivers.run(ONE) == [(10,)]
        assert len(drivers.run(MANY, [list(range(1, 301))])) == 300
    drivers.run("SELECT pg_sleep(1.2)")
    assert drivers.run(ONE) == [(10,)]


def test_warm_up_of_an_endpoint_that_is_not_there(session, project, proxy):
    session.server(project, proxy.url, warmup_connections="true", create_remote_table="false")
    session.table("drivers", DRIVERS)
    proxy.close()
    with takes(less_than=5):
        assert session.fail(ONE).sqlstate == "08001"
    assert session.alive()
