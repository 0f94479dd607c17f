"""A lookup join reads its outer rows by windows: which keys each asks for, when, and what ends that."""

import time

import pytest

import faults
from interrupts import ENDS, by_cancel, by_timeout, wait_for_any
from joins import READ, analyzed, asked, keys_asked, nodes
from support import Session, fill

JOIN = "SELECT g, d.trips FROM generate_series(1, %d) g LEFT JOIN drivers d ON d.driver_id = g"


@pytest.fixture
def filled(drivers, proxy):
    """Drivers 1 to 50."""
    fill(drivers, 50)
    proxy.forget()
    return drivers


def expected(rows):
    return [(i, 10 * i if i <= 50 else None) for i in range(1, rows + 1)]


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def in_flight(session):
    return session.value("SELECT sum(in_flight) FROM dynamo_fdw_stats")


def test_all_requests_at_once(filled, proxy):
    """Where every row is wanted, no window is small."""
    assert nodes(filled, JOIN % 2500) == 1
    assert filled.run(JOIN % 2500) == expected(2500)
    assert keys_asked(proxy) == [100] * 25
    assert analyzed(filled, JOIN % 2500)["Windows"] == 3


def test_full_requests_leave_while_rows_are_read(filled, proxy):
    """So the first ones travel while the last keys are made."""
    filled.run(
        "CREATE FUNCTION requests() RETURNS bigint LANGUAGE plpgsql AS"
        " $$ BEGIN RETURN (SELECT coalesce(sum(requests), 0) FROM dynamo_fdw_stats); END $$"
    )
    filled.run("SELECT dynamo_fdw_stats_reset()")
    query = (
        "SELECT o.g, o.requests, d.trips FROM (SELECT g, requests() FROM generate_series(1, 250) g OFFSET 0) o"
        " LEFT JOIN drivers d ON d.driver_id = o.g"
    )
    assert nodes(filled, query) == 1
    rows = filled.run(query)
    assert [(g, trips) for g, _, trips in rows] == expected(250)
    assert [requests for _, requests, _ in rows] == [0] * 100 + [1] * 100 + [2] * 50
    assert sorted(keys_asked(proxy)) == [50, 100, 100]


def stall_fewer_than(number):
    """Reads for fewer keys never end."""

    def act(exchange):
        (table,) = exchange.asked.json()["RequestItems"].values()
        (faults.stall if len(table["Keys"]) < number else faults.right)(exchange)

    return act


def test_rows_whose_answers_are_there_are_emitted(filled, proxy):
    """The last request of the window never ends."""
    proxy.fault(stall_fewer_than(100), None, READ)
    filled.run("SET cursor_tuple_fraction = 1; BEGIN; DECLARE c CURSOR FOR " + JOIN % 250)
    assert filled.run("FETCH 200 FROM c") == expected(200)
    proxy.wait_for(READ, 3)
    assert sorted(keys_asked(proxy)) == [50, 100, 100]
    filled.run("SET LOCAL statement_timeout = 300")
    assert filled.fail("FETCH 1 FROM c").sqlstate == "57014"
    filled.run("ROLLBACK")
    assert in_flight(filled) == 0


def test_windows_grow(filled, proxy):
    """Nobody knows how much will be fetched from a cursor."""
    filled.run("BEGIN; DECLARE c CURSOR FOR " + JOIN % 3000)
    assert filled.run("FETCH ALL FROM c") == expected(3000)
    filled.run("COMMIT")
    keys = keys_asked(proxy)
    assert sum(keys) == 3000
    assert keys[:2] == [25, 100]
    # 25, 100, 1000, 1000, 875
    assert len(keys) == 1 + 1 + 10 + 10 + 9


def test_the_first_window_is_what_the_limit_says(filled, proxy):
    assert filled.run(JOIN % 3000 + " LIMIT 60") == expected(60)
    assert keys_asked(proxy)[0] == 60
    assert analyzed(filled, JOIN % 3000 + " LIMIT 60")["Windows"] <= 2


def test_a_window_is_what_the_options_say_at_most(filled, proxy):
    filled.set_server(batch_size=5, max_read_workers=3)
    assert filled.run(JOIN % 100) == expected(100)
    assert proxy.most_in_flight(READ) <= 2 * 3  # of this window, and of the next one
    assert max(keys_asked(proxy)) == 5


def test_an_empty_outer_side_asks_nothing(filled, proxy):
    assert filled.run(JOIN % 0) == []
    assert proxy.count(READ) == 0


def test_a_repeated_key_is_asked_once_a_window(filled, proxy):
    rows = filled.run("SELECT d.trips FROM generate_series(0, 1999) g JOIN drivers d ON d.driver_id = g % 7 + 1")
    assert rows == [(10 * (i % 7 + 1),) for i in range(2000)]
    assert keys_asked(proxy) == [7, 7]


def test_a_null_key_is_never_asked(filled, proxy):
    query = "SELECT g, d.trips FROM generate_series(1, 20) g LEFT JOIN drivers d ON d.driver_id = nullif(g % 2, 0)"
    assert filled.run(query) == [(i, 10 if i % 2 else None) for i in range(1, 21)]
    assert keys_asked(proxy) == [1]
    proxy.forget()
    assert filled.run(
        "SELECT d.trips FROM (VALUES (NULL::bigint), (NULL)) k(a) LEFT JOIN drivers d ON d.driver_id = a"
    ) == [
        (None,),
        (None,),
    ]
    assert proxy.count(READ) == 0


def test_a_value_that_no_key_has_is_never_asked(filled, proxy):
    query = "SELECT d.trips FROM (VALUES (1.5), (2), (1e30)) k(a) LEFT JOIN drivers d ON d.driver_id = a"
    assert filled.run(query) == [(None,), (20,), (None,)]
    assert keys_asked(proxy) == [1]


def test_a_limit_stops_asking(filled, proxy):
    assert filled.run(JOIN % 100000 + " LIMIT 10") == expected(10)
    assert keys_asked(proxy) == [25]


def test_a_cursor_asks_for_the_next_window_at_half_of_one(filled, proxy):
    filled.run("BEGIN; DECLARE c CURSOR FOR " + JOIN % 200)
    rows = filled.run("FETCH 5 FROM c")
    time.sleep(0.05)
    assert keys_asked(proxy) == [25]
    rows += filled.run("FETCH 15 FROM c")
    proxy.wait_for(READ, 2)
    assert keys_asked(proxy) == [25, 100]
    rows += filled.run("FETCH ALL FROM c")
    filled.run("COMMIT")
    assert rows == expected(200)


def test_rows_are_emitted_while_the_next_window_is_in_flight(filled, proxy):
    proxy.fault(faults.right, 1, READ)
    proxy.fault(faults.stall, None, READ)
    filled.run("BEGIN; DECLARE c CURSOR FOR " + JOIN % 200)
    rows = filled.run("FETCH 24 FROM c")  # else it would never end
    proxy.wait_for(READ, 2)
    assert rows == expected(24)


@pytest.mark.parametrize("end", ["CLOSE c", "COMMIT", "ROLLBACK", "SELECT 1/0"])
def test_what_is_in_flight_is_cancelled_at_the_end(filled, proxy, end):
    proxy.fault(faults.right, 1, READ)
    proxy.fault(faults.stall, None, READ)
    filled.run("BEGIN; DECLARE c CURSOR FOR " + JOIN % 200)
    filled.run("FETCH 24 FROM c")
    proxy.wait_for(READ, 2)
    if end == "SELECT 1/0":
        filled.fail(end)
    else:
        filled.run(end)
    wait_until(lambda: proxy.of(READ)[1].abandoned)
    filled.run("ROLLBACK")
    assert in_flight(filled) == 0
    proxy.heal()
    assert filled.run(JOIN % 200) == expected(200)


def test_what_is_in_flight_is_cancelled_on_rescan(filled, proxy):
    query = (
        "SELECT o, x.trips FROM generate_series(0, 2) o LEFT JOIN LATERAL"
        " (SELECT d.trips FROM generate_series(1, 500) g LEFT JOIN drivers d ON d.driver_id = g + o LIMIT 20) x ON true"
    )
    assert nodes(filled, query) == 1
    assert filled.run(query) == [(o, 10 * (o + i)) for o in range(3) for i in range(1, 21)]
    assert [read for read in keys_asked(proxy) if read < 100] == [25, 25, 25]
    assert in_flight(filled) == 0


def test_an_early_end_of_each_of_many_rescans(filled, proxy):
    query = (
        "SELECT o, (SELECT d.trips FROM generate_series(o, o + 100) g JOIN drivers d ON d.driver_id = g LIMIT 1)"
        " FROM generate_series(1, 60) o"
    )
    assert filled.run(query) == expected(60)
    assert in_flight(filled) == 0


@pytest.mark.parametrize("before", [0, 1], ids=["first window", "second window"])
def test_what_ends_a_join_that_waits(filled, database, proxy, before):
    """See test_interrupts.py."""
    for end in ENDS:
        session = Session(database)
        proxy.forget()
        for _ in range(before):
            proxy.fault(faults.right, 1, READ)
        proxy.fault(faults.stall, None, READ)
        end(session, JOIN % 200, lambda: wait_for_any(proxy))
        proxy.heal()
        if end in (by_timeout, by_cancel):
            session.run("RESET statement_timeout")
            assert session.run(JOIN % 200) == expected(200)
            assert in_flight(session) == 0
        session.close()


def test_unprocessed_keys_are_asked_again(filled, proxy):
    proxy.fault(faults.unprocessed(3), times=4, operation=READ)
    assert filled.run(JOIN % 60) == expected(60)


def test_a_window_of_another_query_in_between(filled, proxy):
    """Loops inside of loops share the connections, and each gets its own rows."""
    filled.run(
        "CREATE FUNCTION nested() RETURNS SETOF int LANGUAGE plpgsql AS $$ DECLARE a record; BEGIN"
        " FOR a IN SELECT g, d.trips FROM generate_series(1, 40) g JOIN drivers d ON d.driver_id = g LOOP"
        "   RETURN NEXT a.trips + (SELECT sum(d.trips) FROM generate_series(a.g, a.g + 1) g"
        "     JOIN drivers d ON d.driver_id = g);"
        " END LOOP; END $$"
    )
    assert filled.run("SELECT * FROM nested()") == [(10 * i + 10 * i + 10 * (i + 1),) for i in range(1, 41)]
    filled.run("DROP FUNCTION nested")


def test_a_row_written_by_the_same_statement_before(filled, proxy):
    """As a scan does: see test_nested_statements.py."""
    filled.run(
        "DO $$ BEGIN INSERT INTO drivers SELECT 100 + g, now(), 0, 7 FROM generate_series(1, 3) g;"
        " ASSERT (SELECT sum(d.trips) FROM generate_series(101, 103) g JOIN drivers d ON d.driver_id = g) = 21; END $$"
    )


def test_one_key_for_all_rows_of_an_entityless_view(filled, proxy):
    filled.table("state", "n integer", entityless="true")
    filled.run("INSERT INTO state VALUES (42)")
    proxy.forget()
    assert filled.run("SELECT g, n FROM generate_series(1, 30) g LEFT JOIN state ON true") == [
        (i, 42) for i in range(1, 31)
    ]
    assert all(read == {"state": 1} for read in asked(proxy))
    assert len(asked(proxy)) <= 2


def test_a_chain(filled, proxy):
    """The key of the second view comes from a feature of the first."""
    filled.table("next", "trips integer OPTIONS (entity_key 'true'), word text")
    filled.run("INSERT INTO next SELECT g * 10, 'w' || g FROM generate_series(1, 5) g")
    query = (
        "SELECT g, d.trips, n.word FROM generate_series(1, 60) g LEFT JOIN drivers d ON d.driver_id = g"
        " LEFT JOIN next n ON n.trips = d.trips"
    )
    assert nodes(filled, query) == 2
    proxy.forget()
    rows = filled.run(query)
    assert rows == [(i, trips, "w%d" % i if i <= 5 else None) for i, trips in expected(60)]
    assert keys_asked(proxy) == [60]
    assert keys_asked(proxy, "next") == [50]
