"""Answers that are broken, late or lost: the right rows or a clear error, never fewer rows."""

import pytest

import faults
from support import fill, takes

SELECT = "SELECT trips FROM drivers WHERE driver_id = 1"
READ = "BatchGetItem"
WRITE = "BatchWriteItem"

# Each can be cured by asking again, and is an error (this one) if it is not.
BROKEN = {
    "malformed JSON": (faults.answer(b'{"Responses": {"x": [}'), "08P01"),
    "JSON of another shape": (faults.answer([1, 2]), "08P01"),
    "empty body": (faults.answer(b""), "08P01"),
    "truncated JSON": (faults.truncated, "08P01"),
    "wrong checksum": (faults.wrong_crc, "08P01"),
    "HTML page": (faults.html(200), "08P01"),
    "HTML page, 502": (faults.html(502), "08006"),
    "cut in the middle": (faults.cut, "08P01"),
    "connection closed": (faults.hang_up, "08006"),
}


@pytest.fixture
def filled(drivers, proxy):
    """drivers 1 to 300 written, two attempts a request."""
    drivers.set_server(total_max_retry_attempts=2)
    fill(drivers, 300)
    proxy.forget()
    return drivers


def everything(session):
    return session.run("SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (%s)", [list(range(1, 301))])


ROWS = [(i, 10 * i) for i in range(1, 301)]


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_answer_is_asked_for_again(filled, proxy, fault):
    proxy.fault(BROKEN[fault][0], operation=READ)
    assert sorted(everything(filled)) == ROWS
    assert proxy.count(READ) == 4


@pytest.mark.parametrize("fault", BROKEN)
def test_answers_that_stay_broken_are_an_error(filled, proxy, fault):
    action, sqlstate = BROKEN[fault]
    proxy.fault(action, times=None)
    # A cut answer may be told as a lost connection, too.
    wanted = (sqlstate, "08006") if fault == "cut in the middle" else (sqlstate,)
    assert filled.fail(SELECT).sqlstate in wanted
    assert filled.fail("INSERT INTO drivers VALUES (1, now(), 0, 0)").sqlstate in wanted
    proxy.heal()
    assert len(filled.run(SELECT)) == 1


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_answer_to_a_write_is_sent_again(filled, proxy, fault):
    proxy.fault(BROKEN[fault][0], operation=WRITE)
    filled.run("INSERT INTO drivers VALUES (1, now(), 0, 4711)")
    assert filled.run(SELECT) == [(4711,)]


def test_a_lost_answer_to_a_write_is_sent_again(filled, proxy):
    proxy.fault(faults.lose, operation=WRITE)
    filled.run("INSERT INTO drivers VALUES (1, now(), 0, 4711)")
    assert filled.run(SELECT) == [(4711,)]


def test_a_redirect_is_an_error_and_not_followed(filled, proxy):
    proxy.fault(faults.redirect, times=None)
    assert filled.fail(SELECT).sqlstate in ("08P01", "08006", "HV000")
    assert {request.path for request in proxy.requests} == {"/"}


@pytest.mark.parametrize("chunked", [False, True])
def test_a_huge_answer_is_refused(filled, proxy, chunked):
    filled.set_server(read_timeout=60)
    proxy.fault(faults.huge(chunked), times=None)
    assert filled.fail(SELECT).sqlstate == "08P01"
    proxy.heal()
    assert len(filled.run(SELECT)) == 1


def test_a_slow_answer_is_read_to_its_end(filled, proxy):
    proxy.fault(faults.trickle(0.5), times=3)
    with takes(less_than=5, more_than=0.5):
        assert sorted(everything(filled)) == ROWS


@pytest.mark.parametrize("action", [faults.stall, faults.trickle(60)])
def test_read_timeout(filled, proxy, action):
    filled.set_server(read_timeout=1)
    proxy.fault(action, times=None)
    with takes(less_than=6, more_than=2):  # two attempts
        assert filled.fail(SELECT).sqlstate == "08006"
    proxy.heal()
    assert len(filled.run(SELECT)) == 1


def test_a_timed_out_request_is_sent_again(filled, proxy):
    filled.set_server(read_timeout=1)
    proxy.fault(faults.stall)
    assert sorted(everything(filled)) == ROWS
    assert proxy.count(READ) == 4
