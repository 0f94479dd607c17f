"""Scans of one statement that don't hang on each other have their requests in flight together."""

import pytest

import faults
from support import DRIVERS, KEY, TIME, fill, takes

READ = "BatchGetItem"
LATENCY = 0.3


@pytest.fixture
def two(drivers, proxy):
    """Tables "drivers" and "riders" on one server, ten rows each; each answer takes a while."""
    drivers.table("riders", DRIVERS)
    fill(drivers, 10)
    fill(drivers, 10, table="riders")
    proxy.forget()
    proxy.latency = LATENCY
    return drivers


@pytest.mark.parametrize(
    "query",
    [
        "SELECT trips FROM drivers WHERE driver_id = 1 UNION ALL SELECT trips FROM riders WHERE driver_id = 2",
        "SELECT d.trips FROM drivers d JOIN riders r USING (driver_id) WHERE driver_id = 1",
        "SELECT d.trips FROM drivers d, riders r WHERE d.driver_id = 1 AND r.driver_id IN (3, 4)",
        "SELECT d.trips, r.trips FROM drivers d LEFT JOIN riders r ON r.driver_id = 2 WHERE d.driver_id IN (3, 4)",
        "WITH d AS (SELECT * FROM drivers WHERE driver_id = 1), r AS (SELECT * FROM riders WHERE driver_id = 2)"
        " SELECT d.trips, r.trips FROM d, r",
    ],
)
def test_independent_lookups_overlap(two, proxy, query):
    with takes(less_than=2 * LATENCY):
        assert two.run(query)
    assert proxy.most_in_flight(READ) == 2
    assert proxy.count(READ) == 2


SAME_KEYS = [
    "SELECT r.trips FROM drivers d JOIN riders r USING (driver_id) WHERE d.driver_id = ANY ({0})",
    "SELECT r.trips FROM drivers d JOIN riders r USING (driver_id) WHERE r.driver_id = ANY ({0})",
    "SELECT r.trips FROM drivers d LEFT JOIN riders r USING (driver_id) WHERE d.driver_id = ANY ({0})",
    "SELECT r.trips + 0 * coalesce(d.trips, 0) FROM riders r LEFT JOIN drivers d ON d.driver_id = r.driver_id"
    " AND d.trips > 20 WHERE r.driver_id = ANY ({0}) OR r.driver_id = 1 AND r.trips > 0",
    "SELECT r.trips FROM riders r WHERE driver_id = ANY ({0})"
    " AND NOT EXISTS (SELECT FROM drivers d WHERE d.driver_id = r.driver_id AND d.trips > 100)",
    "SELECT r.trips FROM riders r WHERE driver_id IN (SELECT driver_id FROM drivers WHERE driver_id = ANY ({0}))",
    "SELECT r.trips FROM list l LEFT JOIN drivers d ON d.driver_id = l.id LEFT JOIN riders r ON r.driver_id = d.driver_id"
    " WHERE l.id = ANY ({0})",
]


@pytest.mark.parametrize("query", SAME_KEYS)
@pytest.mark.parametrize("array", ["'{1,2,3,4,5,6,7}'", "ARRAY(SELECT generate_series(1, 7))"])
def test_tables_joined_by_their_keys_are_asked_together(two, proxy, query, array):
    two.run("CREATE TEMP TABLE list AS SELECT generate_series(1, 7) AS id; ANALYZE list")
    with takes(less_than=10 * LATENCY):
        assert sorted(two.run(query.format(array))) == [(10 * i,) for i in range(1, 8)]
    assert proxy.most_in_flight(READ) == 2
    assert proxy.count(READ) == 2


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_tables_joined_by_their_keys_are_asked_together_for_a_parameter(two, proxy, mode):
    two.run("SET plan_cache_mode = %s" % mode)
    two.run("PREPARE by_ids(bigint[]) AS " + SAME_KEYS[2].format("$1"))
    assert sorted(two.run("EXECUTE by_ids('{3,4}')")) == [(30,), (40,)]
    assert proxy.most_in_flight(READ) == 2
    assert proxy.count(READ) == 2


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_parameters_are_known_ahead(two, proxy, mode):
    two.run("SET plan_cache_mode = %s" % mode)
    two.run(
        "PREPARE both_tables(int, bigint[]) AS SELECT trips FROM drivers WHERE driver_id = $1"
        " UNION ALL SELECT trips FROM riders WHERE driver_id = ANY ($2)"
    )
    assert sorted(two.run("EXECUTE both_tables(1, '{2,3}')")) == [(10,), (20,), (30,)]
    assert proxy.most_in_flight(READ) == 2


def test_keys_of_an_init_plan_are_known_once_it_ran(two, proxy):
    query = (
        "SELECT d.trips FROM drivers d, riders r, riders q WHERE d.driver_id = (SELECT 1)"
        " AND r.driver_id = (SELECT 2) AND q.driver_id = 3"
    )
    assert two.run(query) == [(10,)]
    assert proxy.count(READ) == 3


def test_a_variable_without_a_value_is_told_only_where_rows_are_wanted(two):
    two.run(
        "CREATE FUNCTION first_trips(known bool) RETURNS int LANGUAGE plpgsql AS $$"
        " DECLARE r record; BEGIN IF known THEN SELECT 2 AS id INTO r; END IF;"
        " RETURN (SELECT trips FROM drivers WHERE driver_id = 1"
        " UNION ALL SELECT trips FROM riders WHERE driver_id = r.id LIMIT 1); END $$"
    )
    assert [two.value("SELECT first_trips(%s)" % known) for known in (True, False)] == [10, 10]
    two.run("DROP FUNCTION first_trips")


def test_variables_are_known_ahead(two, proxy):
    two.run("SET plan_cache_mode = force_generic_plan")
    two.run(
        "DO $$ DECLARE r record; i int := 1; BEGIN SELECT 2 AS id INTO r;"
        " PERFORM trips FROM drivers WHERE driver_id = i"
        " UNION ALL SELECT trips FROM riders WHERE driver_id = r.id; END $$"
    )
    assert proxy.most_in_flight(READ) == 2


def test_what_hangs_on_another_lookup_comes_after_it(two, proxy):
    assert two.run(
        "SELECT r.trips FROM drivers d JOIN riders r ON r.driver_id = d.trips / 10 WHERE d.driver_id = 4"
    ) == [(40,)]
    assert proxy.most_in_flight(READ) == 1


def test_a_rescan_asks_again_only_for_new_keys(two, proxy):
    rows = two.run(
        "SELECT g, trips FROM generate_series(1, 3) g, LATERAL"
        " (SELECT trips FROM drivers WHERE driver_id = g UNION ALL SELECT trips FROM riders WHERE driver_id = 9) x"
    )
    assert sorted(rows) == sorted([(g, 10 * g) for g in (1, 2, 3)] + [(g, 90) for g in (1, 2, 3)])


def test_a_branch_not_read_costs_one_window(two, proxy):
    two.run("ALTER FOREIGN TABLE riders OPTIONS (batch_size '1', max_read_workers '2')")
    proxy.forget()
    rows = two.run(
        "SELECT trips FROM drivers WHERE driver_id = 1"
        " UNION ALL SELECT trips FROM riders WHERE driver_id IN (1, 2, 3, 4, 5) LIMIT 1"
    )
    assert rows == [(10,)]
    assert proxy.count(READ) <= 1 + 2


def test_a_subplan_not_run_asks_nothing(two, proxy):
    query = (
        "SELECT CASE WHEN trips < 0 THEN (SELECT r.trips FROM riders r WHERE r.driver_id = 5) ELSE trips END"
        " FROM drivers WHERE driver_id = 1"
    )
    assert two.run(query) == [(10,)]
    assert proxy.count(READ) == 1


def test_explain_asks_nothing(two, proxy):
    two.run("EXPLAIN SELECT * FROM drivers d, riders r WHERE d.driver_id = 1 AND r.driver_id = 2")
    assert proxy.count(READ) == 0


def test_an_error_ahead_is_told_only_where_its_rows_are_wanted(two, proxy, project):
    two.run("ALTER FOREIGN TABLE riders OPTIONS (create_remote_table 'false', table_name '%s.gone')" % project)
    both = "SELECT trips FROM drivers WHERE driver_id = 1 UNION ALL SELECT trips FROM riders WHERE driver_id = 2"
    assert two.run(both + " LIMIT 1") == [(10,)]
    assert two.fail(both).sqlstate == "HV00R"
    assert two.alive()


def test_a_missing_mapping_is_told_only_where_rows_are_wanted(two, project, proxy):
    two.server(project, proxy.url, name="unmapped", mapping=False, create_remote_table="false")
    two.table("strangers", DRIVERS, server="unmapped", table_name=project + ".riders")
    both = "SELECT trips FROM drivers WHERE driver_id = 1 UNION ALL SELECT trips FROM strangers WHERE driver_id = 2"
    assert two.run(both + " LIMIT 1") == [(10,)]
    assert two.fail(both).sqlstate == "28000"


def test_servers_overlap(two, proxy, project):
    two.server(project, proxy.url, name="other", create_remote_table="false")
    two.table("others", DRIVERS, server="other", table_name=project + ".riders")
    proxy.forget()
    rows = two.run("SELECT trips FROM drivers WHERE driver_id = 1 UNION ALL SELECT trips FROM others WHERE driver_id = 2")
    assert sorted(rows) == [(10,), (20,)]
    assert proxy.most_in_flight(READ) == 2


def test_a_nested_query_moves_the_outer_one_on(two, proxy):
    two.run("ALTER FOREIGN TABLE drivers OPTIONS (batch_size '1', max_read_workers '10')")
    two.run(
        "CREATE FUNCTION rider(bigint) RETURNS int LANGUAGE plpgsql AS"
        " 'BEGIN RETURN (SELECT trips FROM riders WHERE driver_id = $1); END'"
    )
    proxy.latency = 0.05
    rows = two.run("SELECT trips, rider(driver_id) FROM drivers WHERE driver_id BETWEEN 1 AND 10"
                   " AND driver_id = ANY (ARRAY(SELECT generate_series(1, 10)))")
    two.run("DROP FUNCTION rider")
    assert sorted(rows) == [(10 * i, 10 * i) for i in range(1, 11)]


def test_abort_leaves_nothing_in_flight(two, proxy):
    proxy.fault(faults.error("ValidationException"), operation=READ)
    both = "SELECT trips FROM drivers WHERE driver_id = 1 UNION ALL SELECT trips FROM riders WHERE driver_id = 2"
    assert two.fail(both).sqlstate == "HV000"
    assert two.run("SELECT in_flight FROM dynamo_fdw_stats") == [(0,)]
    assert sorted(two.run(both)) == [(10,), (20,)]


def test_a_rescan_with_the_keys_it_had_asks_nothing(two, proxy):
    query = (
        "SELECT g, (SELECT count(*) FROM drivers WHERE driver_id IN (1, 2, 3) AND trips > g * 10)"
        " FROM generate_series(0, 3) g"
    )
    assert two.run(query) == [(0, 3), (1, 2), (2, 1), (3, 0)]
    assert proxy.count(READ) == 1
    two.run("ALTER FOREIGN TABLE drivers OPTIONS (batch_size '2')")  # the keys take two requests: asked again
    proxy.forget()
    proxy.latency = 0
    assert two.run(query) == [(0, 3), (1, 2), (2, 1), (3, 0)]
    assert proxy.count(READ) == 8


def test_two_scans_of_one_statement(drivers, proxy):
    fill(drivers, 300)
    drivers.table("stats", "driver_id %s, event_timestamp %s, trips integer" % (KEY, TIME))
    drivers.run("INSERT INTO stats SELECT i, now(), i FROM generate_series(1, 300) i")
    rows = drivers.run(
        "SELECT sum(d.trips), sum(s.trips) FROM drivers d JOIN stats s ON s.driver_id = d.driver_id"
        " WHERE d.driver_id = ANY (%s) AND s.driver_id = ANY (%s)",
        [list(range(1, 301)), list(range(101, 401))],
    )
    assert rows == [(sum(10 * i for i in range(101, 301)), sum(range(101, 301)))]
