"""dynamo_fdw_progress: loads as other sessions see them; dynamo_fdw.log_min_duration: loads that took long."""

import os
import re
import secrets
import signal
import threading
import time

import psycopg
import pytest

import faults
from support import DRIVERS, KEY, SECRET_KEY, Running, Session

WRITE = "BatchWriteItem"
INSERT = "INSERT INTO drivers SELECT i, now(), 0, i FROM generate_series(1, 100) i"
COLUMNS = "rows_taken, items_written, unprocessed_items, requests, retries, throttles, in_flight"


@pytest.fixture(scope="module")
def cluster(initialized):
    """A server that shows loads; before PostgreSQL 17 it has to preload the library."""
    admin = Session("postgres")
    old = int(admin.value("SHOW server_version_num")) < 170000
    admin.close()
    initialized.start(**({"shared_preload_libraries": "dynamo_fdw"} if old else {}))
    session = initialized.session()
    session.run("CREATE DATABASE loads")
    session.close()
    yield initialized
    initialized.stop()


@pytest.fixture
def open_session(cluster):
    """Opens sessions in the database of the loads, which are closed after the test."""
    opened = []

    def new():
        opened.append(cluster.session("loads"))
        return opened[-1]

    yield new
    for session in opened:
        session.close()


@pytest.fixture
def release():
    """Set at the end of the test at the latest: what is held back then goes on."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def loader(cluster, project, proxy, release):
    """A session with the foreign table "drivers": ten rows a request, one request at a time."""
    loader = cluster.session("loads")
    loader.run("CREATE EXTENSION dynamo_fdw")
    loader.server(project, proxy.url, batch_size=10, max_write_workers=1, retry_mode="standard")
    loader.table("drivers", DRIVERS)
    yield loader
    release.set()
    cleaner = cluster.session("loads")
    cleaner.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    loader.close()
    assert loads(cleaner) == []
    cleaner.run("SET dynamo_fdw.remote_ddl = off")
    cleaner.run("DROP EXTENSION dynamo_fdw CASCADE")
    for table in ("parts", "other_rows"):
        cleaner.run("DROP TABLE IF EXISTS %s CASCADE" % table)
    cleaner.close()


@pytest.fixture
def watcher(open_session):
    return open_session()


@pytest.fixture
def role(loader, cluster):
    """A role that may use the server and write "drivers"."""
    name = "role_" + secrets.token_hex(4)
    loader.run("CREATE ROLE %s" % name)
    loader.run("GRANT USAGE ON FOREIGN SERVER feast TO %s; GRANT INSERT ON drivers TO %s" % (name, name))
    yield name
    loader.run("ROLLBACK; RESET ROLE")
    loader.run("DROP OWNED BY %s CASCADE; DROP ROLE %s" % (name, name))


def loads(session, columns="pid", where="true"):
    return session.run("SELECT %s FROM dynamo_fdw_progress WHERE %s ORDER BY pid, relid" % (columns, where))


def wait_for_loads(session, expected, columns="pid", seconds=10):
    """Waits until the view shows that."""
    end = time.monotonic() + seconds
    while loads(session, columns) != expected:
        assert time.monotonic() < end, loads(session, "*")
        time.sleep(0.01)


def hold(proxy, release, answered=0):
    """Lets that many writes pass, and holds back all others."""
    if answered:
        proxy.fault(faults.right, times=answered, operation=WRITE)
    for operation in (WRITE, "UpdateItem"):
        proxy.fault(faults.held(release), times=None, operation=operation)


def copy(session):
    with session.conn.cursor().copy("COPY drivers FROM STDIN") as stream:
        for i in range(5):
            stream.write_row((i, "2024-03-01", 0, 0))


class Copying(threading.Thread):
    """COPY in a thread of its own."""

    def __init__(self, session):
        super().__init__(target=copy, args=(session,), daemon=True)
        self.start()


def test_a_load_is_seen_from_another_session(loader, watcher, proxy, project, release):
    hold(proxy, release, answered=2)
    before = watcher.value("SELECT now()")
    running = Running(loader, INSERT)
    wait_for_loads(watcher, [(40, 20, 0, 3, 0, 0, 1)], COLUMNS)
    oid = watcher.value("SELECT 'drivers'::regclass::oid")
    assert loads(
        watcher, "pid, datid::bigint, datname, relid, foreign_table::text, command, feature_view, remote_table"
    ) == [
        (
            loader.pid,
            watcher.value("SELECT oid::bigint FROM pg_database WHERE datname = 'loads'"),
            "loads",
            oid,
            "drivers",
            "INSERT",
            "drivers",
            project + ".drivers",
        )
    ]
    assert before < loads(watcher, "started")[0][0] < watcher.value("SELECT now()")
    assert loads(watcher, "bytes_sent")[0][0] == sum(len(request.body) for request in proxy.of(WRITE))
    release.set()
    assert running.join().rows == 100
    assert loads(watcher) == []


def test_what_goes_wrong_is_shown(loader, watcher, proxy, release):
    proxy.fault(faults.error("ThrottlingException"), operation=WRITE)
    proxy.fault(faults.error("InternalServerError", status=500), operation=WRITE)
    proxy.fault(faults.unprocessed(7), operation=WRITE)
    hold(proxy, release)
    running = Running(loader, INSERT)
    wait_for_loads(watcher, [(7, 3, 4, 2, 1, 1)], "items_written, unprocessed_items, requests, retries, throttles, in_flight")
    release.set()
    assert running.join().rows == 100


def test_rows_that_come_slowly_are_shown(loader, watcher):
    running = Running(loader, "INSERT INTO drivers SELECT i, now(), 0, 0 FROM generate_series(1, 9) i, pg_sleep(0.1)"
                      " WHERE pg_sleep(CASE WHEN i = 8 THEN 60 ELSE 0.01 END) IS NOT NULL")
    wait_for_loads(watcher, [(7, 0, 0)], "rows_taken, items_written, requests")
    loader.conn.cancel()
    assert running.join().error.sqlstate == "57014"
    assert loads(watcher) == []


@pytest.mark.parametrize(
    "command, statement",
    [
        ("UPDATE", "UPDATE drivers SET trips = 0 WHERE driver_id IN (1, 2, 3)"),
        ("DELETE", "DELETE FROM drivers WHERE driver_id IN (1, 2, 3)"),
        ("COPY", None),
    ],
)
def test_other_commands(loader, watcher, proxy, release, command, statement):
    loader.run(INSERT)
    hold(proxy, release)
    running = Running(loader, statement) if statement else Copying(loader)
    rows = 3 if statement else 5
    wait_for_loads(watcher, [(command, rows, 0, 1)], "command, rows_taken, items_written, in_flight")
    release.set()
    running.join()
    assert loads(watcher) == []
    log = log_lines(loader, statement) if statement else []
    assert all(line.split("ms  ")[1].startswith(command) for line in log)


def begin_held(loader, watcher, proxy, release, statement=INSERT):
    hold(proxy, release)
    running = Running(loader, statement)
    wait_for_loads(watcher, [(loader.pid,)])
    return running


def test_it_is_gone_after_a_cancel(loader, watcher, proxy, release):
    running = begin_held(loader, watcher, proxy, release)
    loader.conn.cancel()
    assert running.join().error.sqlstate == "57014"
    assert loads(watcher) == []


def test_it_is_gone_after_a_terminate(loader, watcher, proxy, release, open_session):
    victim = open_session()
    running = begin_held(victim, watcher, proxy, release)
    assert watcher.value("SELECT pg_terminate_backend(%s, 10000)", [victim.pid])
    assert isinstance(running.join().error, psycopg.OperationalError)
    assert loads(watcher) == []


def test_it_is_gone_after_an_error_within_a_transaction(loader, watcher, proxy):
    loader.run("BEGIN")
    proxy.fault(faults.error("ValidationException"), operation=WRITE)
    loader.fail(INSERT)
    assert loads(watcher) == []
    loader.run("ROLLBACK")
    assert loader.fail("INSERT INTO drivers SELECT i, now(), 0, 1 / (50 - i) FROM generate_series(1, 100) i")
    assert loads(watcher) == []


def test_it_is_gone_after_a_subtransaction(loader, watcher, proxy, release):
    """The second load of a function whose first one failed."""
    proxy.fault(faults.error("ValidationException"), operation=WRITE)
    hold(proxy, release)
    loader.run(
        "CREATE FUNCTION twice() RETURNS void LANGUAGE plpgsql AS"
        " $$ BEGIN BEGIN %s; EXCEPTION WHEN OTHERS THEN NULL; END; INSERT INTO drivers VALUES (1, now(), 0, 0); END $$"
        % INSERT
    )
    running = Running(loader, "SELECT twice()")
    wait_for_loads(watcher, [(loader.pid, 1)], "pid, rows_taken")
    release.set()
    assert running.join().error is None
    loader.run("DROP FUNCTION twice")


def test_a_killed_backend(loader, watcher, proxy, release, cluster, open_session):
    """Comes with a restart of all, after which nothing is left of it."""
    victim = open_session()
    running = begin_held(victim, watcher, proxy, release)
    os.kill(victim.pid, signal.SIGKILL)
    assert isinstance(running.join().error, psycopg.OperationalError)
    end = time.monotonic() + 30
    while True:
        try:
            reader = cluster.session("loads")
            break
        except psycopg.OperationalError:
            assert time.monotonic() < end, cluster.log()
            time.sleep(0.05)
    assert loads(reader) == []
    release.set()
    reader.run(INSERT)
    reader.close()
    cluster.clear_log()


def test_two_sessions(loader, watcher, proxy, release, open_session):
    second = open_session()
    hold(proxy, release)
    both = [Running(loader, INSERT), Running(second, "INSERT INTO drivers VALUES (1000, now(), 0, 0)")]
    wait_for_loads(watcher, sorted([(loader.pid, 20), (second.pid, 1)]), "pid, rows_taken")
    release.set()
    assert [running.join().rows for running in both] == [100, 1]
    assert loads(watcher) == []


def test_several_tables_of_a_statement(loader, watcher, proxy, release):
    loader.table("others", DRIVERS)
    hold(proxy, release)
    running = Running(
        loader,
        "WITH o AS (INSERT INTO others SELECT i, now(), 0, 0 FROM generate_series(1, 100) i RETURNING driver_id)"
        " INSERT INTO drivers SELECT driver_id, now(), 0, 0 FROM o",
    )
    wait_for_loads(watcher, [("drivers", 20), ("others", 20)], "foreign_table::text, rows_taken")
    release.set()
    assert running.join().rows == 100


def test_nested_statements(loader, watcher, proxy, release):
    loader.table("others", DRIVERS)
    loader.run(
        "CREATE FUNCTION nested(bigint) RETURNS integer LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO others VALUES ($1, now(), 0, 0); RETURN 1; END $$"
    )
    hold(proxy, release)
    running = Running(loader, "INSERT INTO drivers SELECT i, now(), 0, nested(i) FROM generate_series(1, 3) i")
    wait_for_loads(watcher, [("drivers", 0), ("others", 1)], "foreign_table::text, rows_taken")
    release.set()
    assert running.join().rows == 3
    loader.run("DROP FUNCTION nested")


def test_after_triggers_see_the_end_of_a_load(loader, watcher, proxy):
    """All is acknowledged then, and the statement still runs."""
    loader.run(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$"
    )
    loader.run("CREATE TRIGGER t AFTER INSERT ON drivers FOR EACH STATEMENT EXECUTE FUNCTION wait()")
    running = Running(loader, INSERT)
    wait_for_loads(watcher, [(100, 100, 0, 10, 0, 0, 0)], COLUMNS)
    loader.conn.cancel()
    running.join()
    loader.run("DROP FUNCTION wait CASCADE")


def test_prepared_statements(loader, watcher, proxy, release):
    loader.run("SET plan_cache_mode = force_generic_plan")
    loader.run("PREPARE p(int) AS INSERT INTO drivers SELECT i, now(), 0, 0 FROM generate_series(1, $1) i")
    loader.run("EXECUTE p(100)")
    hold(proxy, release)
    running = Running(loader, "EXECUTE p(5)")
    wait_for_loads(watcher, [(5,)], "rows_taken")
    release.set()
    assert running.join().rows == 5


def test_rows_of_a_portal(loader, watcher):
    """RETURNING by a loop: the load is over when its rows are read."""
    loader.run(
        "DO $$ DECLARE r record; BEGIN FOR r IN INSERT INTO drivers SELECT i, now(), 0, 0 FROM generate_series(1, 30) i"
        " RETURNING driver_id LOOP ASSERT NOT EXISTS (SELECT FROM dynamo_fdw_progress); END LOOP; END $$"
    )


def test_explain_shows_no_load(loader):
    loader.run(
        "DO $$ DECLARE r text; BEGIN FOR r IN EXPLAIN %s LOOP"
        " ASSERT NOT EXISTS (SELECT FROM dynamo_fdw_progress); END LOOP; END $$" % INSERT
    )
    loader.run("BEGIN; DECLARE c CURSOR FOR SELECT * FROM drivers WHERE driver_id = 1; FETCH c")
    assert loads(loader) == []
    loader.run("COMMIT")


def test_only_the_pid_of_another_roles_load(loader, watcher, proxy, release, role):
    running = begin_held(loader, watcher, proxy, release)
    names = [name for (name,) in watcher.run("SELECT attname FROM pg_attribute"
                                             " WHERE attrelid = 'dynamo_fdw_progress'::regclass AND attnum > 0")]
    watcher.run("SET ROLE %s" % role)
    assert loads(watcher, "*") == [(loader.pid,) + (None,) * (len(names) - 1)]
    watcher.run("RESET ROLE; GRANT pg_read_all_stats TO %s; SET ROLE %s" % (role, role))
    assert loads(watcher, "foreign_table::text") == [("drivers",)]
    watcher.run("RESET ROLE")
    release.set()
    running.join()


def test_a_member_of_the_role_sees_its_load(loader, watcher, proxy, release, role):
    loader.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (access_key_id 'FDWTEST', secret_access_key '%s')"
               % (role, SECRET_KEY))
    watcher.run("CREATE ROLE plain; CREATE ROLE member; GRANT %s TO member" % role)
    loader.run("SET ROLE %s" % role)
    running = begin_held(loader, watcher, proxy, release)
    seen = {}
    for reader in (role, "member", "plain"):
        watcher.run("SET ROLE %s" % reader)
        seen[reader] = loads(watcher, "command")
    watcher.run("RESET ROLE; DROP ROLE plain, member")
    assert seen == {role: [("INSERT",)], "member": [("INSERT",)], "plain": [(None,)]}
    release.set()
    running.join()


def test_from_another_database(loader, watcher, proxy, release, cluster):
    name = "é" * 200  # more than a slot has room for
    loader.table("long", "driver_id %s" % KEY, feature_view=name, table_name="long_names", create_remote_table="false")
    elsewhere = cluster.session()
    elsewhere.run("CREATE EXTENSION IF NOT EXISTS dynamo_fdw")
    running = begin_held(loader, watcher, proxy, release, "INSERT INTO long VALUES (1)")
    columns = "datname, relid IS NULL, foreign_table, feature_view, remote_table"
    assert loads(elsewhere, columns) == [("loads", False, None, name[:127], "long_names")]
    elsewhere.run("DROP EXTENSION dynamo_fdw")
    elsewhere.close()
    loader.conn.cancel()
    running.join()


def test_more_loads_than_slots(loader, watcher, proxy, project, release, open_session):
    loader.run("CREATE TABLE parts (driver_id bigint, trips integer) PARTITION BY LIST (driver_id)")
    for i in range(140):
        loader.run(
            "CREATE FOREIGN TABLE part_%d (driver_id bigint OPTIONS (entity_key 'true'), trips integer)"
            " SERVER feast OPTIONS (table_name '%s.drivers', create_remote_table 'false');"
            " ALTER TABLE parts ATTACH PARTITION part_%d FOR VALUES IN (%d)" % (i, project, i, i)
        )
    hold(proxy, release)
    running = Running(loader, "INSERT INTO parts SELECT i, i FROM generate_series(0, 139) i")
    proxy.wait_for(WRITE, 100)
    wait_for_loads(watcher, [(1,)] * 128, "rows_taken")
    second = Running(open_session(), "INSERT INTO drivers VALUES (1000, now(), 0, 0)")
    proxy.wait_for(WRITE, 101)
    assert set(loads(watcher)) == {(loader.pid,)} and len(loads(watcher)) == 128
    release.set()
    assert (running.join().rows, second.join().rows) == (140, 1)
    assert loads(watcher) == []


def test_a_load_without_memory_for_its_slot(loader, cluster, open_session, release, proxy):
    """From PostgreSQL 17 on the first load makes the memory: a load does not fail because nobody could see it."""
    session = cluster.session("postgres")
    if session.value("SHOW server_version_num") < "170000":
        pytest.skip("the memory is made when the server starts")
    session.close()
    cluster.stop()
    cluster.start(dynamic_shared_memory_type="mmap")
    folder = cluster.home + "/data/pg_dynshmem"
    os.chmod(folder, 0o500)
    try:
        loader = cluster.session("loads")
        loader.run("BEGIN")
        for _ in range(2):
            assert loader.run(INSERT) == 100
        loader.run("COMMIT")
        assert "shared memory" in str(loader.fail("SELECT * FROM dynamo_fdw_progress"))
        assert cluster.log().count("loads of this session are not shown") == 1
        loader.close()
    finally:
        os.chmod(folder, 0o700)
    cluster.clear_log()
    loader = cluster.session("loads")
    running = begin_held(loader, open_session(), proxy, release)
    release.set()
    assert running.join().rows == 100
    loader.close()
    cluster.stop()
    cluster.start()


def log_lines(session, statement, ms=0):
    """What is logged of loads while the statement runs."""
    session.run("SET client_min_messages = log; SET dynamo_fdw.log_min_duration = %d" % ms)
    session.notices.clear()
    session.run(statement)
    found = [message for severity, message, _ in session.notices if severity == "LOG"]
    session.run("RESET client_min_messages; RESET dynamo_fdw.log_min_duration")
    return found


def test_a_long_load_is_logged(loader, proxy, project):
    proxy.fault(faults.error("ThrottlingException"), operation=WRITE)
    proxy.fault(faults.unprocessed(7), operation=WRITE)
    (line,) = log_lines(loader, INSERT)
    match = re.fullmatch(
        r'duration: ([\d.]+) ms  INSERT of feature view "drivers" in table "%s.drivers": 100 rows \((\d+)/s\),'
        r" 100 items written, 0 refused, (\d+) requests, 1 retries, 1 throttles, 3 unprocessed items, (\d+) bytes sent" % project,
        line,
    )
    assert match, line
    assert float(match[2]) == pytest.approx(100000 / float(match[1]), abs=1)
    assert int(match[3]) == proxy.count(WRITE)
    assert int(match[4]) == sum(len(request.body) for request in proxy.of(WRITE))


def test_a_line_for_each_table(loader):
    loader.table("others", DRIVERS)
    lines = log_lines(loader, "WITH o AS (INSERT INTO others VALUES (1, now(), 0, 0)) " + INSERT)
    assert sorted(re.search(r'view "(\w+)"', line)[1] for line in lines) == ["drivers", "others"]


def test_a_short_load_is_not_logged(loader):
    assert log_lines(loader, INSERT, ms=60000) == []
    assert log_lines(loader, INSERT, ms=-1) == []


def test_the_log_has_no_secret_and_no_statement(loader, cluster, proxy):
    cluster.clear_log()
    loader.run("SET dynamo_fdw.log_min_duration = 0")
    loader.run("INSERT INTO drivers VALUES (4711, now(), 0, 0)")
    log = cluster.log()
    assert log.count("INSERT of feature view") == 1
    assert SECRET_KEY not in log and "4711" not in log


def test_only_a_superuser_sets_it(loader, role):
    loader.run("SET ROLE %s" % role)
    assert loader.fail("SET dynamo_fdw.log_min_duration = 0").sqlstate == "42501"


def test_without_preload(session):
    """The server of all other tests preloads nothing."""
    if session.value("SHOW server_version_num") >= "170000":
        assert session.run("SELECT * FROM dynamo_fdw_progress") == []
    else:
        error = session.fail("SELECT * FROM dynamo_fdw_progress")
        assert error.sqlstate == "55000"
        assert "shared_preload_libraries" in error.diag.message_hint
