"""Many sessions at once, and many statements of one session at once."""

import threading

from support import Session, fill

SESSIONS = 8


def in_parallel(database, work):
    """Runs work(number, session) in SESSIONS threads; raises what any of them raised."""
    errors = []

    def run(number):
        try:
            session = Session(database)
            work(number, session)
            session.close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not errors, errors


def test_sessions_write_and_read_their_own(drivers, database):
    def work(number, session):
        for turn in range(5):
            base = number * 1000 + turn * 100
            session.run("INSERT INTO drivers SELECT %s + i, now(), 0, i FROM generate_series(1, 60) i", [base])
            rows = session.run(
                "SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (%s)", [list(range(base, base + 100))]
            )
            assert sorted(rows) == [(base + i, i) for i in range(1, 61)]

    in_parallel(database, work)
    assert (
        drivers.value("SELECT count(*) FROM drivers WHERE driver_id = ANY (%s)", [list(range(10000))])
        == SESSIONS * 5 * 60
    )


def test_sessions_read_the_same_while_it_is_written(drivers, database):
    fill(drivers, 100)

    def work(number, session):
        for turn in range(10):
            if number % 2:
                fill(session, 100)
            else:
                rows = session.run(
                    "SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (%s)", [list(range(1, 101))]
                )
                assert sorted(rows) == [(i, 10 * i) for i in range(1, 101)]

    in_parallel(database, work)


def test_sessions_make_and_drop_tables(session, database, project, proxy):
    session.server(project, proxy.url)

    def work(number, own):
        for turn in range(3):
            own.table("t%d" % number, "id bigint OPTIONS (entity_key 'true'), x integer")
            own.run("INSERT INTO t%d VALUES (1, %d)" % (number, number))
            assert own.run("SELECT x FROM t%d WHERE id = 1" % number) == [(number,)]
            own.run("DROP FOREIGN TABLE t%d" % number)

    in_parallel(database, work)


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


def test_mapping_and_server_change_while_others_connect(drivers, database):
    fill(drivers, 1)

    def work(number, session):
        for turn in range(60):
            if number == 0:
                session.run("ALTER SERVER feast OPTIONS (SET read_timeout '%d')" % (10 + turn % 2))
                session.run("ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (SET secret_access_key 's%d')" % turn)
            else:
                assert session.run("SELECT driver_id FROM drivers WHERE driver_id = 1") == [(1,)]

    drivers.set_server(read_timeout=10)
    in_parallel(database, work)


def test_foreign_tables_come_and_go(drivers, project, database):
    """Whoever looks for references to a remote table meets foreign tables that are being dropped."""

    def work(number, session):
        for turn in range(6):
            session.run("CREATE FOREIGN TABLE t%d (id bigint OPTIONS (entity_key 'true'), v int) SERVER feast" % number)
            session.run("INSERT INTO t%d VALUES (1, %d)" % (number, turn))
            assert session.run("SELECT v FROM t%d WHERE id = 1" % number) == [(turn,)]
            session.run("DROP FOREIGN TABLE t%d" % number)

    in_parallel(database, work)
