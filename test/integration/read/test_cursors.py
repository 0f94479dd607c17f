"""Cursors and loops: rows are fetched by and by, and statements in between share the connections."""

import time

from support import fill

READ = "BatchGetItem"


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


def test_a_cursor_asks_one_window_ahead_at_most(drivers, proxy):
    fill(drivers, 100)
    drivers.set_server(batch_size=5, max_read_workers=3)
    proxy.forget()
    drivers.run("BEGIN")
    drivers.run(
        "DECLARE c CURSOR FOR SELECT trips FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 100)))"
    )
    for fetched in (1, 10, 30):
        drivers.run("MOVE ABSOLUTE %d FROM c" % fetched)
        time.sleep(0.05)
        assert fetched / 5 <= proxy.count(READ) <= (fetched + 4) // 5 + 5
    drivers.run("CLOSE c; COMMIT")
    assert proxy.count(READ) < 12


def test_cursors_of_one_session_take_turns(drivers, proxy):
    """Nested executions share the connections; each gets its own rows."""
    fill(drivers, 300)
    drivers.set_server(batch_size=10, max_read_workers=2)
    proxy.latency = 0.005
    drivers.run("BEGIN")
    for number in range(3):
        keys = ",".join(str(i) for i in range(number * 100 + 1, number * 100 + 101))
        drivers.run(
            "DECLARE c%d CURSOR FOR SELECT driver_id, trips FROM drivers"
            " WHERE driver_id = ANY ('{%s}')" % (number, keys)
        )
    rows = {0: [], 1: [], 2: []}
    for turn in range(20):
        for number in rows:
            rows[number] += drivers.run("FETCH 7 FROM c%d" % number)
            if turn == 3 and number == 1:
                assert drivers.value("SELECT trips FROM drivers WHERE driver_id = 299") == 2990
    drivers.run("COMMIT")
    for number, got in rows.items():
        first = number * 100 + 1
        assert sorted(got) == [(i, 10 * i) for i in range(first, first + 100)]


def test_a_write_inside_of_a_read(drivers):
    """A loop reads with one scan while its body writes and reads with others."""
    fill(drivers, 100)
    drivers.run(
        "DO $$ DECLARE d record; t integer; BEGIN"
        "  FOR d IN SELECT driver_id, trips FROM drivers"
        "    WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 100))) LOOP"
        "    INSERT INTO drivers VALUES (d.driver_id + 1000, now(), 0, d.trips + 1);"
        "    SELECT trips INTO STRICT t FROM drivers WHERE driver_id = d.driver_id + 1000;"
        "    IF t <> d.trips + 1 THEN RAISE 'read %, wrote %', t, d.trips + 1; END IF;"
        "  END LOOP; END $$"
    )
    assert drivers.value("SELECT count(*) FROM drivers WHERE driver_id = ANY (%s)", [list(range(1001, 1101))]) == 100
