"""ALTER takes effect in sessions that have plans and connections already."""

import psycopg
import pytest

from support import DRIVERS, KEY, fill, remote_tables

SELECT = "SELECT trips FROM drivers WHERE driver_id = 1"


@pytest.fixture
def planned(drivers):
    """A session with a cached generic plan of SELECT, called by EXECUTE q."""
    fill(drivers, 1)
    drivers.run("SET plan_cache_mode = force_generic_plan")
    drivers.run("PREPARE q AS " + SELECT)
    assert drivers.run("EXECUTE q") == [(10,)]
    return drivers


def test_another_endpoint(planned, other, proxy, second_proxy):
    other.run("ALTER SERVER feast OPTIONS (SET endpoint_url '%s')" % second_proxy.url)
    proxy.forget()
    assert planned.run("EXECUTE q") == [(10,)]
    assert planned.run(SELECT) == [(10,)]
    assert proxy.count("BatchGetItem") == 0
    assert second_proxy.count("BatchGetItem") == 2


def test_another_feature_view(planned, other):
    planned.run("CREATE FOREIGN TABLE second (%s) SERVER feast" % DRIVERS)
    planned.run("INSERT INTO second VALUES (1, now(), 0, 4711)")
    other.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'second')")
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


def test_an_alter_while_a_cursor_is_open(planned, other, proxy, second_proxy):
    fill(planned, 100)
    planned.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD batch_size '5', ADD max_read_workers '1')")
    planned.run("BEGIN")
    planned.run(
        "DECLARE c CURSOR FOR SELECT trips FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 100)))"
    )
    rows = planned.run("FETCH 10 FROM c")
    other.run("ALTER SERVER feast OPTIONS (SET endpoint_url '%s')" % second_proxy.url)
    # The open scan goes on where it was; the statements in between see the new endpoint.
    assert planned.run(SELECT) == [(10,)]
    rows += planned.run("FETCH ALL FROM c")
    planned.run("COMMIT")
    assert sorted(rows) == [(10 * i,) for i in range(1, 101)]
    assert second_proxy.count("BatchGetItem") >= 1


def test_a_renamed_table_keeps_its_remote_table(planned, project):
    made = remote_tables(project)
    planned.run("ALTER FOREIGN TABLE drivers RENAME TO cars")
    # The default name is the table's: the old one is written down.
    assert "feature_view" in " ".join(planned.warnings())
    assert planned.run("SELECT trips FROM cars WHERE driver_id = 1") == [(10,)]
    assert remote_tables(project) == made
    planned.run("CREATE FOREIGN TABLE drivers (driver_id %s, trips integer) SERVER feast" % KEY)
    assert planned.run(SELECT) == [(10,)]


def test_prepared_statements_see_the_change(planned, other, proxy, second_proxy):
    """A generic plan, a function's plan, and one whose keys were planned as constants."""
    planned.run("CREATE FUNCTION pg_temp.trips_of(bigint) RETURNS integer LANGUAGE plpgsql AS"
                " $$ BEGIN RETURN (SELECT trips FROM drivers WHERE driver_id = $1); END $$")
    planned.run("PREPARE p AS " + SELECT)
    planned.run("PREPARE w(int) AS INSERT INTO drivers VALUES (1, now(), 0, $1)")
    statements = ["EXECUTE p", "EXECUTE w(10)", "SELECT pg_temp.trips_of(1)"]
    for statement in statements:
        planned.run(statement)
    planned.table("second", "driver_id %s, trips integer" % KEY)
    planned.run("INSERT INTO second VALUES (1, 20)")
    for used in (second_proxy, proxy):
        other.run("ALTER SERVER feast OPTIONS (SET endpoint_url '%s')" % used.url)
        for session_proxy in (proxy, second_proxy):
            session_proxy.forget()
        for statement in statements:
            planned.run(statement)
        assert used.operations() == ["BatchGetItem", "BatchWriteItem", "BatchGetItem"]
    other.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'second')")
    assert planned.run("EXECUTE p") == planned.run("SELECT pg_temp.trips_of(1)") == [(20,)]
    planned.run("EXECUTE w(30)")
    assert planned.run("SELECT trips FROM second WHERE driver_id = 1") == [(30,)]
    other.run("ALTER USER MAPPING FOR CURRENT_USER SERVER feast OPTIONS (SET access_key_id 'OTHERKEY')")
    for statement in statements:
        planned.fail(statement)  # another key sees other tables in DynamoDB Local
        assert "OTHERKEY" in proxy.requests[-1].header("Authorization")



def test_caches_that_hold_nothing(drivers):
    """As after an ALTER from elsewhere between any two looks at a catalog; only servers with assertions can."""
    fill(drivers, 3)
    try:
        drivers.run("SET debug_discard_caches = 1")
    except psycopg.Error:
        pytest.skip("the server was not built with assertions")
    drivers.run("SET statement_timeout = '50s'")
    assert drivers.run(SELECT) == [(10,)]
    drivers.run("INSERT INTO drivers VALUES (4, now(), 1, 40)")
    assert drivers.run("SELECT trips FROM drivers WHERE driver_id = ANY ('{1,4}') ORDER BY 1") == [(10,), (40,)]
