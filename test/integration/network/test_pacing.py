"""retry_mode: adaptive sends less after a throttle, standard goes on as before."""

import faults
from support import fill, takes

READ = "BatchGetItem"
ONE = "SELECT trips FROM drivers WHERE driver_id = 1"
MANY = "SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (%s)"


def sent_after_a_throttle(drivers, proxy, mode):
    """How many reads go out in the half second after the first one was throttled."""
    fill(drivers, 60)
    drivers.set_server(retry_mode=mode, batch_size=1)
    proxy.forget()
    proxy.latency = 0.02
    proxy.fault(faults.error("ThrottlingException"), times=3, operation=READ)
    rows = drivers.run(MANY, [list(range(1, 61))])
    assert sorted(rows) == [(i, 10 * i) for i in range(1, 61)]
    assert proxy.count(READ) == 63
    throttled = min(request.answered for request in proxy.of(READ))
    return len([request for request in proxy.of(READ) if 0 < request.arrived - throttled < 0.5])


def test_standard_mode_goes_on_at_full_speed(drivers, proxy):
    assert sent_after_a_throttle(drivers, proxy, "standard") >= 40


def test_adaptive_mode_slows_down(drivers, proxy):
    assert sent_after_a_throttle(drivers, proxy, "adaptive") <= 15


def test_adaptive_mode_is_as_fast_without_throttles(drivers, proxy):
    drivers.set_server(retry_mode="adaptive", batch_size=10)
    fill(drivers, 100)
    drivers.run(ONE)
    proxy.forget()
    proxy.latency = 0.2
    with takes(less_than=0.39, more_than=0.2):
        assert len(drivers.run(MANY, [list(range(1, 101))])) == 100
    assert proxy.most_in_flight(READ) == 10


def test_adaptive_mode_cancels(drivers, proxy):
    drivers.set_server(retry_mode="adaptive", total_max_retry_attempts=100)
    proxy.fault(faults.error("ThrottlingException"), times=None)
    drivers.run("SET statement_timeout = '700ms'")
    with takes(less_than=1.5, more_than=0.5):
        assert drivers.fail(ONE).sqlstate == "57014"
