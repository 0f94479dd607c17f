"""Feature views over the same rows are looked up side by side, and those of one server share requests."""

import pytest

import faults
from joins import READ, analyzed, asked, nodes
from support import DRIVERS, KEY, TIME, dynamodb, fill

ROWS = "generate_series(1, %d) g"


@pytest.fixture
def three(drivers, proxy):
    """Tables "drivers", "riders" and "cars": rows 1 to 30 of the first, 1 to 20, 1 to 10."""
    fill(drivers, 30)
    for table, rows in (("riders", 20), ("cars", 10)):
        drivers.table(table, DRIVERS)
        fill(drivers, rows, table)
    proxy.forget()
    return drivers


def left_joins(*tables, key="g"):
    return "".join(" LEFT JOIN {0} ON {0}.driver_id = {1}".format(table, key) for table in tables)


THREE = "SELECT g, drivers.trips, riders.trips, cars.trips FROM " + ROWS + left_joins("drivers", "riders", "cars")


def expected(rows):
    return [(i, *(10 * i if i <= most else None for most in (30, 20, 10))) for i in range(1, rows + 1)]


def test_small_windows_share_a_request(three, proxy):
    assert nodes(three, THREE % 5) == 1
    assert three.run(THREE % 5) == expected(5)
    assert asked(proxy) == [{"drivers": 5, "riders": 5, "cars": 5}]


def test_ten_views_of_one_row_take_one_request(three, proxy):
    tables = ["view%d" % i for i in range(10)]
    for table in tables:
        three.table(table, DRIVERS)
        fill(three, 1, table)
    proxy.forget()
    query = "SELECT %s FROM %s" % (", ".join(t + ".trips" for t in tables), ROWS % 1 + left_joins(*tables))
    assert nodes(three, query) == 1
    assert three.run(query) == [(10,) * 10]
    assert asked(proxy) == [dict.fromkeys(tables, 1)]


def test_large_windows_are_in_flight_together(three, proxy):
    three.set_server(max_read_workers=30)
    proxy.latency = 0.1
    assert three.run(THREE % 400) == expected(400)
    assert all(sum(read.values()) <= 100 for read in asked(proxy))
    for table in ("drivers", "riders", "cars"):
        assert sum(read.get(table, 0) for read in asked(proxy)) == 400
    assert proxy.most_in_flight(READ) > 3


def test_two_servers(three, proxy, second_proxy, project):
    three.server(project, second_proxy.url, name="other", create_remote_table="false")
    three.table("elsewhere", DRIVERS, server="other", table_name=project + ".riders")
    query = "SELECT g, drivers.trips, elsewhere.trips FROM " + ROWS % 25 + left_joins("drivers", "elsewhere")
    proxy.latency = second_proxy.latency = 0.3
    assert nodes(three, query) == 1
    assert three.run(query) == [row[:3] for row in expected(25)]
    assert asked(proxy) == [{"drivers": 25}]
    assert asked(second_proxy) == [{"riders": 25}]
    assert second_proxy.of(READ)[0].arrived < proxy.of(READ)[0].answered
    assert proxy.of(READ)[0].arrived < second_proxy.of(READ)[0].answered


def test_two_aliases_of_a_table_are_one_entry(three, proxy):
    query = (
        "SELECT g, a.trips, b.conv_rate FROM " + ROWS % 6 + " LEFT JOIN drivers a ON a.driver_id = g"
        " LEFT JOIN drivers b ON b.driver_id = g + 2"
    )
    assert nodes(three, query) == 1
    assert three.run(query) == [(i, 10 * i, (i + 2) / 4) for i in range(1, 7)]
    assert asked(proxy) == [{"drivers": 8}]
    (table,) = proxy.of(READ)[0].json()["RequestItems"].values()
    assert {"trips", "conv_rate"} <= set(table["ExpressionAttributeNames"].values())


def test_two_foreign_tables_of_a_remote_table_are_one_entry(three, proxy, project):
    three.table(
        "copy", "trips integer, driver_id %s, event_timestamp %s" % (KEY, TIME), table_name=project + ".drivers"
    )
    query = "SELECT g, drivers.conv_rate, copy.trips FROM " + ROWS % 6 + left_joins("drivers", "copy")
    assert nodes(three, query) == 1
    proxy.forget()
    assert three.run(query) == [(i, i / 4, 10 * i) for i in range(1, 7)]
    assert asked(proxy) == [{"drivers": 6}]


@pytest.mark.parametrize("type, value_type", [("integer", "INT32"), ("bigint", "INT32")])
def test_keys_of_other_types_are_other_keys(three, proxy, project, type, value_type):
    """One remote table, seen by foreign tables whose keys differ in type: each finds its own items."""
    three.table(
        "narrow",
        "driver_id %s OPTIONS (entity_key 'true', value_type '%s'), trips integer" % (type, value_type),
        table_name=project + ".drivers",
    )
    three.run("INSERT INTO narrow VALUES (1, 111), (40, 444)")
    query = "SELECT g, drivers.trips, narrow.trips FROM unnest('{1,2,40}'::int[]) g" + left_joins("drivers", "narrow")
    assert three.run(query) == [(1, 10, 111), (2, 20, None), (40, None, 444)]


def test_keys_of_other_numbers_are_other_keys(three, proxy, project):
    three.table(
        "pairs",
        "driver_id bigint OPTIONS (entity_key 'true'), city text OPTIONS (entity_key 'true'), trips integer",
        table_name=project + ".drivers",
    )
    three.run("INSERT INTO pairs VALUES (1, 'a', 111), (40, 'b', 444)")
    query = (
        "SELECT drivers.driver_id, drivers.trips, p.city, p.trips FROM unnest('{1,2,40}'::int[]) g"
        " LEFT JOIN pairs p ON p.driver_id = g AND p.city = CASE g WHEN 40 THEN 'b' ELSE 'a' END" + left_joins("drivers")
    )
    assert nodes(three, query) == 1
    assert three.run(query) == [(1, 10, "a", 111), (2, 20, None, None), (None, None, "b", 444)]


def test_keys_of_other_names_are_other_keys(three):
    three.table("guests", "guest_id bigint OPTIONS (entity_key 'true'), trips integer")
    three.run("INSERT INTO guests VALUES (1, 111), (40, 444)")
    query = "SELECT g, drivers.trips, guests.trips FROM unnest('{1,2,40}'::bigint[]) g" + left_joins("drivers")
    query += " LEFT JOIN guests ON guests.guest_id = g"
    assert nodes(three, query) == 1
    assert three.run(query) == [(1, 10, 111), (2, 20, None), (40, None, 444)]


def test_a_key_of_many_views_is_made_once(three):
    three.run(
        "CREATE FUNCTION told(bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS"
        " $$ BEGIN RAISE NOTICE 'told %', $1; RETURN nullif($1, 2); END $$"
    )
    query = "SELECT g, drivers.trips, riders.trips, cars.trips FROM " + ROWS % 3
    query += left_joins("drivers", "riders", "cars", key="told(g)")
    assert nodes(three, query) == 1
    three.run("SET client_min_messages = notice")
    three.notices.clear()
    assert three.run(query) == [(1, 10, 10, 10), (2, None, None, None), (3, 30, 30, 30)]
    assert [message for _, message, _ in three.notices] == ["told 1", "told 2", "told 3"]


@pytest.mark.parametrize("order", [("drivers", "copy"), ("copy", "drivers")])
def test_who_wants_it_consistent(three, proxy, project, order):
    three.table("copy", DRIVERS, table_name=project + ".drivers", consistent_reads="true")
    proxy.forget()
    three.run("SELECT drivers.trips, copy.trips FROM " + ROWS % 2 + left_joins(*order))
    (table,) = proxy.of(READ)[0].json()["RequestItems"].values()
    assert table["ConsistentRead"] is True


def test_requests_of_many_views_are_bounded(three, proxy):
    three.set_server(batch_size=1, max_read_workers=60)
    proxy.latency = 0.2  # or the first ones are answered before the last ones leave
    most = analyzed(three, THREE % 60)["Most In Flight"]
    assert 60 < most <= 2 * 100  # of this window, and of the next one


def test_two_aliases_are_in_flight_together(three, proxy):
    """As many requests as two scans would have: none has to wait for those that left while rows were read."""
    three.set_server(batch_size=5, max_read_workers=3)
    proxy.latency = 0.1
    query = "SELECT a.trips, b.trips FROM " + ROWS % 15
    query += " LEFT JOIN drivers a ON a.driver_id = g LEFT JOIN drivers b ON b.driver_id = g + 100"
    assert nodes(three, query) == 1
    assert three.run(query) == [(10 * i, None) for i in range(1, 16)]
    assert proxy.count(READ) == 6
    assert proxy.most_in_flight(READ) == 6


def test_a_key_of_an_earlier_view_is_null_where_that_has_none(three):
    """Riders 11 to 20 are there, but no such cars."""
    query = "SELECT g, cars.trips, riders.trips FROM " + ROWS % 12 + left_joins("cars") + left_joins(
        "riders", key="cars.driver_id"
    )
    assert nodes(three, query) >= 1
    assert three.run(query) == [(i, 10 * i, 10 * i) if i <= 10 else (i, None, None) for i in range(1, 13)]


def test_a_key_that_fails_for_a_row_that_is_dropped(three):
    """There is no driver 0, and the last join's condition keeps it behind the first one."""
    query = (
        "SELECT g, r.trips FROM generate_series(0, 5) g JOIN drivers d ON d.driver_id = g"
        " LEFT JOIN riders r ON r.driver_id = 20 / g AND r.trips > d.trips"
    )
    assert nodes(three, query) == 2
    assert three.run(query) == [(1, 200), (2, 100), (3, 60), (4, 50), (5, None)]


def test_only_needed_features_are_asked_for(three, proxy):
    three.run("SELECT drivers.trips, riders.conv_rate FROM " + ROWS % 2 + left_joins("drivers", "riders"))
    (read,) = proxy.of(READ)
    for name, table in read.json()["RequestItems"].items():
        names = set(table["ExpressionAttributeNames"].values())
        assert ("trips" in names, "conv_rate" in names) == (name.endswith("drivers"), name.endswith("riders"))


def test_unprocessed_keys_of_several_tables(three, proxy):
    proxy.fault(faults.unprocessed(1), times=3, operation=READ)
    assert three.run(THREE % 5) == expected(5)


def test_inner_joins_drop_rows(three):
    query = (
        "SELECT g, riders.trips, cars.trips FROM " + ROWS % 40 + " JOIN riders ON riders.driver_id = g"
        " JOIN cars ON cars.driver_id = g"
    )
    assert three.run(query) == [(i, 10 * i, 10 * i) for i in range(1, 11)]


FILTERED = {
    "riders.trips IS NULL": range(21, 51),
    "coalesce(cars.trips, 0) < 50": [*range(1, 5), *range(11, 51)],
    "riders.trips IS DISTINCT FROM drivers.trips": range(21, 31),
    "(cars.trips > 30) IS NOT TRUE AND riders.trips > 20": [3, *range(11, 21)],
    "NOT EXISTS (SELECT FROM riders r WHERE r.driver_id = g)": range(21, 51),
}


@pytest.mark.parametrize("condition", FILTERED)
def test_conditions_above_left_joins(three, condition):
    query = "%s WHERE %s" % (THREE % 50, condition)
    assert nodes(three, query) >= 1
    assert [row[0] for row in three.run(query)] == list(FILTERED[condition])


# Errors.


def remove(project, table):
    dynamodb().delete_table(TableName="%s.%s" % (project, table))


def denied(table):
    """Denies requests that name the table."""

    def act(exchange):
        names = [name.split(".")[1] for name in exchange.asked.json()["RequestItems"]]
        (faults.error("AccessDeniedException") if table in names else faults.right)(exchange)

    return act


def text_of(error):
    diag = error.diag
    return " ".join(filter(None, (diag.message_primary, diag.message_detail, diag.message_hint, diag.context)))


@pytest.mark.parametrize("table", ["drivers", "riders", "cars"])
def test_a_missing_table_is_named(three, project, table):
    remove(project, table)
    error = three.fail(THREE % 5)
    assert error.sqlstate == "HV00R"
    assert [name for name in ("drivers", "riders", "cars") if name in text_of(error)] == [table]
    assert three.value("SELECT sum(in_flight) FROM dynamo_fdw_stats") == 0


@pytest.mark.parametrize("table", ["drivers", "riders", "cars"])
def test_a_denied_table_is_named(three, proxy, table):
    proxy.fault(denied(table), None, READ)
    error = three.fail(THREE % 5)
    assert error.sqlstate == "42501"
    assert [name for name in ("drivers", "riders", "cars") if name in text_of(error)] == [table]
    proxy.heal()
    assert three.run(THREE % 5) == expected(5)


def test_one_denied_table_of_a_large_window(three, proxy):
    proxy.fault(denied("cars"), None, READ)
    error = three.fail(THREE % 400)
    assert error.sqlstate == "42501" and "cars" in text_of(error)


ENDED = (
    "SELECT riders.trips FROM generate_series(1, 250) g"
    " JOIN drivers ON drivers.driver_id = nullif(g, greatest(g, 101)) JOIN riders ON riders.driver_id = g"
)


def test_what_no_row_waits_for(three, proxy):
    """Rows end with the first view that lacks them; the second one's answers are taken in all the same."""
    three.run("SELECT dynamo_fdw_stats_reset()")
    proxy.latency = 0.05
    node = analyzed(three, ENDED)
    assert [lookup["Keys Asked"] for lookup in node["Lookups"]] == [100, 250]
    assert [lookup["Table Requests"] for lookup in node["Lookups"]] == [1, 3]
    assert three.value("SELECT sum(in_flight) FROM dynamo_fdw_stats") == 0
    assert not any(read.abandoned for read in proxy.of(READ))


def test_a_missing_table_that_no_row_asks(three, project):
    remove(project, "cars")
    query = (
        "SELECT drivers.trips, cars.trips FROM "
        + ROWS % 2
        + left_joins("drivers")
        + left_joins("cars", key="nullif(g, g)")
    )
    assert three.run(query) == [(10, None), (20, None)]


def test_explain_analyze_counts(three):
    node = analyzed(three, THREE % 5)
    assert node["Windows"] == 1
    text = "\n".join(line for (line,) in three.run("EXPLAIN ANALYZE " + THREE % 5))
    assert "Lookup Join" in text and all(table in text for table in ("drivers", "riders", "cars"))


def test_the_view_of_counters(three, proxy):
    three.run("SELECT dynamo_fdw_stats_reset()")
    three.run(THREE % 50)
    found = three.run(
        "SELECT sum(requests), sum(items_found), sum(items_missing), sum(in_flight) FROM dynamo_fdw_stats"
    )
    assert found == [(proxy.count(READ), 30 + 20 + 10, 20 + 30 + 40, 0)]
