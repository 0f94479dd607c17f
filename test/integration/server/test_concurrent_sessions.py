"""Many sessions at once."""

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
