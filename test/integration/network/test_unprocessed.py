"""Keys and items that DynamoDB hands back unprocessed are sent again until all are done."""

import pytest

import faults
from support import fill, takes

READ = "BatchGetItem"
WRITE = "BatchWriteItem"
ROWS = [(i, 10 * i) for i in range(1, 251)]


def everything(session):
    return session.run("SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (%s)", [list(range(1, 251))])


def test_some_unprocessed_keys(drivers, proxy):
    fill(drivers, 250)
    proxy.fault(faults.unprocessed(70), times=3, operation=READ)
    assert sorted(everything(drivers)) == ROWS
    # 100 + 100 + 50 keys; the 30 + 30 that came back take one or two requests more.
    assert 4 <= proxy.count(READ) <= 5


def test_all_keys_unprocessed_at_first(drivers, proxy):
    fill(drivers, 250)
    proxy.fault(faults.unprocessed(0), times=3, operation=READ)
    assert sorted(everything(drivers)) == ROWS


def test_progress_is_no_failed_attempt(drivers, proxy):
    drivers.set_server(total_max_retry_attempts=2)
    fill(drivers, 20)
    proxy.fault(faults.unprocessed(1), times=None, operation=READ)
    rows = drivers.run("SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (%s)", [list(range(1, 21))])
    assert sorted(rows) == ROWS[:20]
    assert proxy.count(READ) == 20


def test_progress_goes_on_without_delay(drivers, proxy):
    fill(drivers, 60)
    proxy.fault(faults.unprocessed(2), times=None, operation=READ)
    with takes(less_than=3):
        rows = drivers.run("SELECT driver_id FROM drivers WHERE driver_id = ANY (%s)", [list(range(1, 61))])
    assert len(rows) == 60
    assert proxy.count(READ) == 30


def test_keys_never_processed_are_an_error(drivers, proxy):
    drivers.set_server(total_max_retry_attempts=3)
    fill(drivers, 250)
    proxy.forget()
    proxy.fault(faults.unprocessed(0), times=None, operation=READ)
    with takes(less_than=10):
        assert drivers.fail("SELECT * FROM drivers WHERE driver_id IN (1, 2)").sqlstate == "53400"
    assert proxy.count(READ) == 3


def test_missing_rows_stay_missing_rows(drivers, proxy):
    fill(drivers, 2)
    proxy.fault(faults.unprocessed(1), times=1, operation=READ)
    rows = drivers.run("SELECT driver_id FROM drivers WHERE driver_id IN (1, 2, 3, 4)")
    assert sorted(rows) == [(1,), (2,)]


@pytest.mark.parametrize("done, times", [(10, 5), (0, 5), (24, 10)])
def test_unprocessed_items(drivers, proxy, done, times):
    proxy.fault(faults.unprocessed(done), times=times, operation=WRITE)
    fill(drivers, 250)
    assert sorted(everything(drivers)) == ROWS


def test_items_never_processed_are_an_error(drivers, proxy):
    drivers.set_server(total_max_retry_attempts=3)
    proxy.fault(faults.unprocessed(0), times=None, operation=WRITE)
    with takes(less_than=10):
        assert drivers.fail("INSERT INTO drivers VALUES (1, now(), 0, 0)").sqlstate == "53400"
    assert proxy.count(WRITE) == 3


def test_an_unprocessed_item_keeps_its_place_in_the_order(drivers, proxy):
    # The first value of driver 1 comes back unprocessed while its second waits.
    drivers.set_server(batch_size=1)
    proxy.latency = 0.02
    proxy.fault(faults.unprocessed(0), times=2, operation=WRITE)
    drivers.run("INSERT INTO drivers VALUES (1, now(), 0, 1), (2, now(), 0, 2), (1, now(), 0, 3)")
    assert drivers.run("SELECT trips FROM drivers WHERE driver_id = 1") == [(3,)]
