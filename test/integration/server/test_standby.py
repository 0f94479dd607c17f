"""A hot standby serves features, refuses to write, and goes on when it is promoted."""

import time

import pytest

import faults
from cluster import Cluster
from support import KEY, Running, fill

SELECT = "SELECT trips FROM drivers WHERE driver_id = 1"
MANY = "SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (%s)"
ROWS = [(i, 10 * i) for i in range(1, 251)]


@pytest.fixture(scope="module")
def standby(database):
    """A standby of the server under test."""
    cluster = Cluster()
    try:
        cluster.copy()
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def reader(drivers, standby, database):
    """A session of the standby, which has the foreign table "drivers" with 250 rows."""
    fill(drivers, 250)
    catch_up(drivers, standby)
    reader = standby.session(database)
    yield reader
    reader.close()


def catch_up(primary, standby):
    """Waits until the standby has replayed all that the primary has written."""
    lsn = primary.value("SELECT pg_current_wal_lsn()::text")
    reader = standby.session()
    end = time.monotonic() + 20
    while not reader.value("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [lsn]):
        assert time.monotonic() < end, standby.log()
        time.sleep(0.02)
    reader.close()


def test_reads(reader, standby, database):
    assert reader.value("SELECT pg_is_in_recovery()") is True
    assert reader.run(SELECT) == [(10,)]
    others = [standby.session(database) for _ in range(4)]
    reads = [Running(other, MANY, [list(range(1, 400))]) for other in others]
    for read in reads:
        assert sorted(read.join().rows) == ROWS
    for other in others:
        other.close()


def test_prepared_statements_and_cursors(reader):
    reader.run("SET plan_cache_mode = force_generic_plan")
    reader.run("PREPARE q(bigint[]) AS SELECT driver_id, trips FROM drivers WHERE driver_id = ANY ($1)")
    for _ in range(8):
        assert sorted(reader.run("EXECUTE q('{1,2,3}')")) == ROWS[:3]
    reader.run("BEGIN")
    reader.run("DECLARE c CURSOR FOR " + MANY.replace("%s", "ARRAY(SELECT generate_series(1, 300))"))
    assert sorted(reader.run("FETCH 100 FROM c") + reader.run("FETCH ALL FROM c")) == ROWS
    reader.run("COMMIT")


def test_options_changed_on_the_primary(reader, drivers, standby):
    assert reader.run(SELECT) == [(10,)]
    drivers.run("CREATE FOREIGN TABLE second (driver_id %s, trips integer) SERVER feast" % KEY)
    drivers.run("INSERT INTO second VALUES (1, 4711)")
    drivers.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'second')")
    catch_up(drivers, standby)
    assert reader.run(SELECT) == [(4711,)]
    drivers.run("DROP FOREIGN TABLE second")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO drivers VALUES (1, now(), 0, 0)",
        "TRUNCATE drivers",
        "CREATE FOREIGN TABLE t (id %s) SERVER feast" % KEY,
        "ALTER FOREIGN TABLE drivers RENAME TO cars",
        "DROP FOREIGN TABLE drivers",
        "SELECT dynamo_fdw_create_table('drivers')",
        "SELECT dynamo_fdw_drop_table('drivers')",
        "SELECT dynamo_fdw_delete_pending()",
        "SELECT dynamo_fdw_forget(1)",
        "SELECT dynamo_fdw_claim('drivers')",
    ],
)
def test_what_writes_is_refused_before_anything_is_sent(reader, proxy, statement):
    proxy.forget()
    assert reader.fail(statement).sqlstate == "25006"
    assert proxy.operations() == []
    assert reader.run(SELECT) == [(10,)]


def test_the_plan(reader):
    assert reader.run("SELECT status, on_drop FROM dynamo_fdw_plan()") == [
        ("ACTIVE", "delete: CREATE FOREIGN TABLE made it")
    ]


def test_no_load_runs(reader):
    """The view is there as on any server: before PostgreSQL 17 only where the library is preloaded."""
    if reader.value("SHOW server_version_num") >= "170000":
        assert reader.run("SELECT * FROM dynamo_fdw_progress") == []
    else:
        assert reader.fail("SELECT * FROM dynamo_fdw_progress").sqlstate == "55000"


def test_a_pending_deletion_waits_for_the_primary(reader, drivers, standby, proxy):
    """A read-only server could not note that the deletion is done, so it must not do it either."""
    drivers.run("CREATE FOREIGN TABLE t (id %s) SERVER feast" % KEY)
    proxy.fault(faults.error("AccessDeniedException"), operation="DeleteTable")
    drivers.run("DROP FOREIGN TABLE t")
    assert drivers.value("SELECT count(*) FROM dynamo_fdw_record WHERE state <> 'made'") == 1
    catch_up(drivers, standby)
    proxy.forget()
    assert reader.fail("SELECT dynamo_fdw_delete_pending()").sqlstate == "25006"
    assert proxy.operations() == []
    assert drivers.value("SELECT dynamo_fdw_delete_pending()") == 1


def test_promotion(reader, drivers, standby):
    """Comes last: afterwards there is no standby any more."""
    assert reader.run(SELECT) == [(10,)]
    reader.run("BEGIN")
    reader.run("DECLARE c CURSOR FOR " + MANY.replace("%s", "ARRAY(SELECT generate_series(1, 300))"))
    rows = reader.run("FETCH 10 FROM c")
    assert standby.session().value("SELECT pg_promote()") is True
    rows += reader.run("FETCH ALL FROM c")
    reader.run("COMMIT")
    assert sorted(rows) == ROWS
    reader.run("INSERT INTO drivers VALUES (1, now(), 0, 4711)")
    assert reader.run(SELECT) == [(4711,)]
    assert drivers.run(SELECT) == [(4711,)]  # the same item: both servers have it in their foreign tables
