"""What fails in a lookup join fails as it does without one, and only for rows that are wanted."""

import pytest

from joins import GUC, nodes
from support import DRIVERS, Session, dynamodb, fill, raw_items

JOIN = "SELECT g, d.%s FROM generate_series(1, 60) g LEFT JOIN drivers d ON d.driver_id = g"


@pytest.fixture
def damaged(drivers, project):
    """60 drivers; the trips of the 10th are not a number."""
    fill(drivers, 60)
    for item in raw_items(project + ".drivers").values():
        if item["values"]["M"]["trips"]["B"] == b"\x18\x64":
            item["values"]["M"]["trips"] = {"B": b"\xff"}
            dynamodb().put_item(TableName=project + ".drivers", Item=item)
            return drivers
    raise AssertionError("no driver has 100 trips")


def test_unreadable_bytes(damaged):
    errors = []
    for setting in ("on", "off"):
        damaged.run("SET %s = %s" % (GUC, setting))
        errors.append(damaged.fail(JOIN % "trips").diag)
    assert errors[0].sqlstate == "HV004"
    assert (errors[0].message_primary, errors[0].message_detail) == (
        errors[1].message_primary,
        errors[1].message_detail,
    )


def test_rows_before_the_unreadable_one(damaged):
    assert nodes(damaged, JOIN % "trips") == 1
    assert len(damaged.run(JOIN % "trips" + " LIMIT 9")) == 9
    damaged.run("BEGIN; DECLARE c CURSOR FOR " + JOIN % "trips")
    assert damaged.run("FETCH 9 FROM c") == [(i, 10 * i) for i in range(1, 10)]
    assert damaged.fail("FETCH 1 FROM c").sqlstate == "HV004"
    damaged.run("ROLLBACK")


def test_a_feature_that_nobody_needs_is_not_read(damaged):
    assert damaged.run(JOIN % "conv_rate")[9] == (10, 2.5)


def test_a_row_that_an_earlier_view_drops_is_not_read(damaged):
    damaged.table("riders", DRIVERS)
    damaged.run("INSERT INTO riders SELECT g, now(), 0, 1 FROM generate_series(1, 60) g WHERE g <> 10")
    query = (
        "SELECT g, d.trips FROM generate_series(1, 60) g JOIN riders r ON r.driver_id = g AND r.trips = 1"
        " LEFT JOIN drivers d ON d.driver_id = g"
    )
    assert nodes(damaged, query) == 1
    assert len(damaged.run(query)) == 59


def test_a_key_that_cannot_be_computed(drivers):
    fill(drivers, 9)
    query = "SELECT g, d.trips FROM generate_series(0, 9) g %s LEFT JOIN drivers d ON d.driver_id = 6 / g %s ORDER BY g"
    assert drivers.fail(query % ("", "")).sqlstate == "22012"
    assert len(drivers.run(query % ("", "WHERE g > 0"))) == 9


def test_a_key_that_cannot_be_computed_for_rows_dropped_before(drivers):
    fill(drivers, 9)
    drivers.table("riders", DRIVERS)
    drivers.run("INSERT INTO riders SELECT g, now(), 0, g FROM generate_series(1, 9) g")
    query = (
        "SELECT g, d.trips FROM generate_series(0, 9) g JOIN riders r ON r.driver_id = g + 1 AND r.trips <> 5"
        " LEFT JOIN drivers d ON d.driver_id = 6 / (r.trips - 5)"
    )
    assert len(drivers.run(query)) == 8


def test_an_error_of_the_outer_plan(drivers, proxy):
    fill(drivers, 60)
    query = (
        "SELECT d.trips FROM (SELECT 1 / (200 - g) + g AS g FROM generate_series(1, 300) g OFFSET 0) g"
        " LEFT JOIN drivers d ON driver_id = g"
    )
    assert drivers.fail(query).sqlstate == "22012"
    assert drivers.value("SELECT sum(in_flight) FROM dynamo_fdw_stats") == 0
    assert drivers.alive()


def test_an_error_in_a_subtransaction(drivers):
    fill(drivers, 60)
    drivers.run(
        "DO $$ DECLARE r record; n int := 0; BEGIN FOR i IN 1..30 LOOP BEGIN"
        " FOR r IN SELECT g, d.trips FROM generate_series(1, 300) g LEFT JOIN drivers d ON d.driver_id = g LOOP"
        "  n := n + 1; IF r.g = i THEN RAISE 'enough'; END IF; END LOOP;"
        " EXCEPTION WHEN raise_exception THEN NULL; END; END LOOP; ASSERT n = 30 * 31 / 2; END $$"
    )
    assert drivers.value("SELECT sum(in_flight) FROM dynamo_fdw_stats") == 0


# What others do meanwhile.


def test_a_server_altered_while_a_cursor_is_open(drivers, database, proxy, second_proxy):
    fill(drivers, 60)
    query = "SELECT g, d.trips FROM generate_series(1, 300) g LEFT JOIN drivers d ON d.driver_id = g"
    drivers.run("BEGIN; DECLARE c CURSOR FOR " + query)
    rows = drivers.run("FETCH 5 FROM c")
    other = Session(database)
    other.run("ALTER SERVER feast OPTIONS (SET endpoint_url '%s', ADD batch_size '7')" % second_proxy.url)
    other.close()
    rows += drivers.run("FETCH 70 FROM c")
    drivers.run("ALTER SERVER feast OPTIONS (ADD max_read_workers '2')")
    rows += drivers.run("FETCH ALL FROM c")
    drivers.run("COMMIT")
    assert rows == [(i, 10 * i if i <= 60 else None) for i in range(1, 301)]
    assert drivers.run(query) == rows


def test_a_mapping_dropped_while_a_cursor_is_open(drivers):
    fill(drivers, 60)
    drivers.run("BEGIN; DECLARE c CURSOR FOR " + JOIN % "trips")
    rows = drivers.run("FETCH 5 FROM c")
    drivers.run("DROP USER MAPPING FOR CURRENT_USER SERVER feast")
    rows += drivers.run("FETCH ALL FROM c")
    drivers.run("ROLLBACK")
    assert rows == [(i, 10 * i) for i in range(1, 61)]


def test_a_cached_plan_sees_what_was_altered(drivers, database):
    fill(drivers, 60)
    drivers.table("riders", DRIVERS)
    fill(drivers, 5, "riders")
    drivers.run("SET plan_cache_mode = force_generic_plan; PREPARE q AS " + JOIN % "trips")
    assert len([row for row in drivers.run("EXECUTE q") if row[1]]) == 60
    other = Session(database)
    other.run("SET dynamo_fdw.remote_ddl = off; ALTER FOREIGN TABLE drivers OPTIONS (ADD feature_view 'riders')")
    other.close()
    assert len([row for row in drivers.run("EXECUTE q") if row[1]]) == 5


def test_a_setting_changed_between_executions(drivers, proxy):
    fill(drivers, 60)
    drivers.run("SET plan_cache_mode = force_generic_plan; PREPARE q AS " + JOIN % "trips")
    for setting in ("on", "off", "on"):
        drivers.run("SET %s = %s" % (GUC, setting))
        assert len(drivers.run("EXECUTE q")) == 60
