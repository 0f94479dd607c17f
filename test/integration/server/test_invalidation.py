"""ALTER takes effect in sessions that have plans and connections already."""

import pytest

from support import DRIVERS, KEY, Session, fill

SELECT = "SELECT trips FROM drivers WHERE driver_id = 1"


@pytest.fixture
def planned(drivers):
    """A session with a cached generic plan of SELECT, called by EXECUTE q."""
    fill(drivers, 1)
    drivers.run("SET plan_cache_mode = force_generic_plan")
    drivers.run("PREPARE q AS " + SELECT)
    assert drivers.run("EXECUTE q") == [(10,)]
    return drivers


def test_another_endpoint(planned, database, proxy, second_proxy):
    other = Session(database)
    other.run("ALTER SERVER feast OPTIONS (SET endpoint_url '%s')" % second_proxy.url)
    other.close()
    proxy.forget()
    assert planned.run("EXECUTE q") == [(10,)]
    assert planned.run(SELECT) == [(10,)]
    assert proxy.count("BatchGetItem") == 0
    assert second_proxy.count("BatchGetItem") == 2


def test_another_feature_view(planned, database):
    planned.run("CREATE FOREIGN TABLE second (%s) SERVER feast" % DRIVERS)
    planned.run("INSERT INTO second VALUES (1, now(), 0, 4711)")
    other = Session(database)
    other.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'second')")
    other.close()
    assert planned.run("EXECUTE q") == [(4711,)]


def test_another_batch_size(planned, proxy):
    planned.run(
        "PREPARE many AS SELECT trips FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 40)))"
    )
    planned.run("EXECUTE many")
    proxy.forget()
    planned.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD batch_size '10')")
    planned.run("EXECUTE many")
    assert proxy.count("BatchGetItem") == 4


def test_another_feature_name(planned, project):
    planned.run("ALTER FOREIGN TABLE drivers ALTER trips OPTIONS (ADD name 'other')")
    assert planned.run("EXECUTE q") == [(None,)]


def test_another_column(planned):
    planned.run("ALTER FOREIGN TABLE drivers ADD COLUMN extra text")
    planned.run("ALTER FOREIGN TABLE drivers DROP COLUMN conv_rate")
    assert planned.run("EXECUTE q") == [(10,)]
    planned.run("INSERT INTO drivers VALUES (1, now(), 11, 'x')")
    assert planned.run("SELECT trips, extra FROM drivers WHERE driver_id = 1") == [(11, "x")]


def test_an_alter_while_a_cursor_is_open(planned, database, proxy, second_proxy):
    fill(planned, 100)
    planned.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD batch_size '5', ADD max_read_workers '1')")
    planned.run("BEGIN")
    planned.run(
        "DECLARE c CURSOR FOR SELECT trips FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 100)))"
    )
    rows = planned.run("FETCH 10 FROM c")
    other = Session(database)
    other.run("ALTER SERVER feast OPTIONS (SET endpoint_url '%s')" % second_proxy.url)
    other.close()
    # The open scan goes on where it was; the statements in between see the new endpoint.
    assert planned.run(SELECT) == [(10,)]
    rows += planned.run("FETCH ALL FROM c")
    planned.run("COMMIT")
    assert sorted(rows) == [(10 * i,) for i in range(1, 101)]
    assert second_proxy.count("BatchGetItem") >= 1


def test_a_renamed_table_keeps_working(planned, project):
    planned.run("ALTER FOREIGN TABLE drivers RENAME TO cars")
    # The default name is the table's: another remote table is meant now, and was made.
    assert "cars" in " ".join(planned.warnings())
    assert planned.run("SELECT trips FROM cars WHERE driver_id = 1") == []
    planned.run("CREATE FOREIGN TABLE drivers (driver_id %s, trips integer) SERVER feast" % KEY)
    assert planned.run(SELECT) == [(10,)]
