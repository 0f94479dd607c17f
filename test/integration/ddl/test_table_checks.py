"""What CREATE and ALTER refuse, what waits until it is complete, and what hurts only who asks for it."""

import pytest

from support import DRIVERS, KEY, raw_items, remote_tables

MARK = "ALTER FOREIGN TABLE part ALTER COLUMN driver_id OPTIONS (ADD entity_key 'true')"


@pytest.fixture
def local(session, project, proxy):
    """A session with a server for the project; no table yet."""
    session.server(project, proxy.url)
    return session


@pytest.fixture
def part(local):
    """A session with the foreign table part, a partition of parts, whose key is not marked yet."""
    local.run("CREATE TABLE parts (driver_id bigint NOT NULL, trips integer) PARTITION BY RANGE (driver_id)")
    local.run("CREATE FOREIGN TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (100) SERVER feast")
    yield local
    local.run("RESET ROLE; SET dynamo_fdw.remote_ddl = off; DROP TABLE parts CASCADE")


def past_the_checks(session, statement):
    """Event triggers don't fire in this role."""
    session.run("SET session_replication_role = replica")
    session.run(statement)
    session.run("RESET session_replication_role")


def test_a_forgotten_key_is_refused(local, proxy):
    error = local.fail("CREATE FOREIGN TABLE drivers (driver_id bigint, trips integer) SERVER feast")
    assert error.sqlstate == "HV002"
    assert "OPTIONS (entity_key 'true')" in error.diag.message_hint
    assert "entityless 'true'" in error.diag.message_hint
    assert proxy.operations() == []


def test_a_table_that_is_both_is_refused(local, proxy):
    error = local.fail("CREATE FOREIGN TABLE drivers (%s) SERVER feast OPTIONS (entityless 'true')" % DRIVERS)
    assert error.sqlstate == "22023"
    assert proxy.operations() == []


def test_a_partition_waits_for_its_key(part, project, proxy):
    for statement in [
        "SELECT * FROM parts WHERE driver_id = 1",
        "SELECT * FROM part",
        "EXPLAIN SELECT * FROM part",
        "INSERT INTO parts VALUES (1, 10)",
        "INSERT INTO part VALUES (1, 10)",
    ]:
        assert part.fail(statement).sqlstate == "HV002"
    part.run("ALTER FOREIGN TABLE part OPTIONS (ADD batch_size '5')")
    part.run("ALTER FOREIGN TABLE part RENAME TO other; ALTER FOREIGN TABLE other RENAME TO part")
    assert len(part.warnings()) == 1  # the first one keeps the feature view
    part.run("ALTER TABLE parts ADD COLUMN conv_rate real")
    assert proxy.operations() == []
    part.run(MARK)
    assert remote_tables(project) == ["part"]
    part.run("INSERT INTO parts VALUES (1, 10, 0.5)")
    assert part.run("SELECT * FROM parts WHERE driver_id = 1") == [(1, 10, 0.5)]
    part.run("DROP FOREIGN TABLE part")
    assert remote_tables(project) == []
    assert part.warnings() == []


def test_a_rollback_of_the_mark_deletes(part, project):
    """Nobody else could use the partition meanwhile: ALTER locks it."""
    part.run("BEGIN; " + MARK)
    assert remote_tables(project) == ["part"]
    part.run("ROLLBACK")
    assert remote_tables(project) == []
    assert part.fail("SELECT * FROM part").sqlstate == "HV002"


def test_a_composite_key_marked_column_by_column(local, project, proxy):
    """The first mark makes the remote table; the others ask for nothing."""
    local.run("CREATE TABLE parts (a bigint, b text, c integer) PARTITION BY LIST (b)")
    local.run("CREATE FOREIGN TABLE part PARTITION OF parts DEFAULT SERVER feast")
    local.run("ALTER FOREIGN TABLE part ALTER COLUMN a OPTIONS (ADD entity_key 'true')")
    assert remote_tables(project) == ["part"]
    proxy.forget()
    local.run("ALTER FOREIGN TABLE part ALTER COLUMN b OPTIONS (ADD entity_key 'true')")
    assert proxy.operations() == []
    local.run("INSERT INTO parts VALUES (1, 'x', 2)")
    assert local.run("SELECT c FROM parts WHERE a = 1 AND b = 'x'") == [(2,)]
    local.run("DROP TABLE parts")


def test_a_dropped_partition_without_a_key_keeps_what_it_would_have_meant(part, project):
    part.table("drivers", DRIVERS, drop_remote_table="never")
    part.run("DROP FOREIGN TABLE drivers")
    part.run("ALTER FOREIGN TABLE part OPTIONS (ADD feature_view 'drivers', ADD drop_remote_table 'always')")
    part.run("DROP FOREIGN TABLE part")
    assert remote_tables(project) == ["drivers"]
    (warning,) = part.warnings()
    assert "entity key" in warning


def test_a_key_that_goes_makes_the_table_unusable(local, project):
    local.table("drivers", DRIVERS)
    local.run("ALTER FOREIGN TABLE drivers DROP COLUMN driver_id")
    assert local.fail("SELECT * FROM drivers").sqlstate == "HV002"
    assert local.fail("INSERT INTO drivers VALUES (now())").sqlstate == "HV002"
    local.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD entityless 'true')")
    assert local.run("SELECT * FROM drivers") == []


def test_a_key_that_comes_with_add_column(local, project):
    local.table("totals", "v integer", entityless="true", create_remote_table="false")
    error = local.fail("ALTER FOREIGN TABLE totals ADD COLUMN id %s" % KEY)
    assert error.sqlstate == "22023"
    local.run("ALTER FOREIGN TABLE totals OPTIONS (DROP entityless), OPTIONS (DROP create_remote_table)")
    assert remote_tables(project) == []
    local.run("ALTER FOREIGN TABLE totals ADD COLUMN id %s" % KEY)
    assert remote_tables(project) == ["totals"]
    assert local.warnings() == []
    local.run("INSERT INTO totals VALUES (1, 2)")
    assert local.run("SELECT v FROM totals WHERE id = 2") == [(1,)]


@pytest.mark.parametrize(
    "column, told",
    [
        ("event_timestamp timestamptz", True),
        ("created timestamptz", True),
        ("ts timestamp", True),
        ('"Event_TS" timestamptz', True),
        ("event_timestamp timestamptz OPTIONS (event_timestamp 'true')", False),
        ("event_timestamp timestamptz OPTIONS (entity_key 'true')", False),
        ("created timestamptz OPTIONS (value_type 'UNIX_TIMESTAMP')", False),
        ("created text", False),
        ("departure timestamptz", False),
        ("created timestamptz, event_timestamp timestamptz OPTIONS (event_timestamp 'true')", False),
    ],
)
def test_a_notice_for_an_event_time_that_is_not_marked(local, column, told):
    local.table("drivers", "driver_id %s, %s" % (KEY, column))
    notices = [notice for notice in local.notices if notice[0] == "NOTICE"]
    assert len(notices) == told
    local.run("ALTER FOREIGN TABLE drivers ADD COLUMN created_at timestamptz")
    assert len([notice for notice in local.notices if notice[0] == "NOTICE"]) == told


def test_the_hint_of_the_notice_works(local):
    hints = []
    local.conn.add_notice_handler(lambda diag: hints.append(diag.message_hint))
    local.table("drivers", 'driver_id %s, "Event_TS" timestamp' % KEY)
    local.run("ALTER FOREIGN TABLE " + hints[0].split("ALTER FOREIGN TABLE ")[1].rstrip("."))
    local.run("INSERT INTO drivers VALUES (1, '2024-01-01 00:00+00')")
    assert local.value("SELECT extract(epoch FROM \"Event_TS\") FROM drivers WHERE driver_id = 1") == 1704067200


# ---- what ALTER brings ----


def test_a_column_that_a_parent_brings_is_checked(part):
    part.run(MARK)
    part.run("INSERT INTO parts VALUES (1, 10)")
    for statement in [
        "ALTER TABLE parts ADD COLUMN x point",
        "ALTER TABLE parts ADD COLUMN y integer, ADD COLUMN x xml",
        "ALTER TABLE parts ALTER COLUMN trips TYPE money",
    ]:
        assert part.fail(statement).sqlstate == "0A000"
    assert part.run("SELECT * FROM parts WHERE driver_id = 1") == [(1, 10)]
    part.run("ALTER TABLE parts ADD COLUMN x integer")
    part.run("INSERT INTO parts VALUES (2, 20, 200)")
    assert part.run("SELECT * FROM parts WHERE driver_id IN (1, 2) ORDER BY 1") == [(1, 10, None), (2, 20, 200)]


def test_a_name_that_a_parent_brings_is_checked(part):
    part.run(MARK)
    part.run("ALTER FOREIGN TABLE part ALTER COLUMN trips OPTIONS (ADD name 'x')")
    assert part.fail("ALTER TABLE parts ADD COLUMN x integer").sqlstate == "42701"
    part.run("INSERT INTO parts VALUES (1, 10)")


def test_a_bad_column_hurts_only_who_asks_for_it(part, project):
    part.run(MARK)
    past_the_checks(part, "ALTER TABLE parts ADD COLUMN x point")
    part.run("INSERT INTO parts VALUES (1, 10)")
    part.run("INSERT INTO part (driver_id, trips, x) SELECT i, i * 10, NULL FROM generate_series(2, 3) i")
    items = raw_items(project + ".part").values()
    assert [set(item["values"]["M"]) for item in items] == [{"trips"}] * 3
    assert part.value("SELECT sum(trips) FROM parts WHERE driver_id IN (1, 2, 3)") == 60
    for statement in [
        "SELECT * FROM parts WHERE driver_id = 1",
        "SELECT x FROM part WHERE driver_id = 1",
        "SELECT driver_id FROM part WHERE driver_id = 1 AND x IS NULL",
        "SELECT part FROM part WHERE driver_id = 1",
        "INSERT INTO parts VALUES (4, 40, '(1, 2)')",
        "INSERT INTO part VALUES (4, 40, '(1, 2)')",
    ]:
        error = part.fail(statement)
        assert error.sqlstate == "0A000" and '"x"' in str(error), statement
    assert len(raw_items(project + ".part")) == 3
    # Neither it nor a second one is in the way of other changes.
    past_the_checks(part, "ALTER TABLE parts ADD COLUMN z point")
    part.run("ALTER TABLE parts ADD COLUMN y text, DROP COLUMN z")
    part.run("ALTER FOREIGN TABLE part ALTER COLUMN y OPTIONS (ADD value_type 'JSON')")
    part.run("INSERT INTO parts (driver_id, y) VALUES (4, '{}')")
    assert part.value("SELECT y FROM parts WHERE driver_id = 4") == "{}"
    part.run("ALTER TABLE parts DROP COLUMN x")
    assert part.run("SELECT * FROM parts WHERE driver_id = 1") == [(1, 10, None)]


@pytest.mark.parametrize("column, type", [("driver_id", "real"), ("event_timestamp", "date")])
def test_a_bad_key_or_event_time_is_an_error_for_all(local, column, type):
    local.table("drivers", DRIVERS)
    past_the_checks(local, "ALTER FOREIGN TABLE drivers ALTER COLUMN %s TYPE %s" % (column, type))
    for statement in ["SELECT trips FROM drivers WHERE trips = 1", "INSERT INTO drivers (trips) VALUES (1)"]:
        error = local.fail(statement)
        assert error.sqlstate == "HV004" and column in str(error)
    local.run("DROP FOREIGN TABLE drivers")


def test_two_bad_keys_are_repaired_one_by_one(local):
    local.table("pairs", "a bigint OPTIONS (entity_key 'true'), b bigint OPTIONS (entity_key 'true'), v integer")
    past_the_checks(local, "ALTER FOREIGN TABLE pairs ALTER COLUMN a TYPE real, ALTER COLUMN b TYPE real")
    local.run("ALTER FOREIGN TABLE pairs ALTER COLUMN a TYPE bigint")
    assert local.fail("SELECT v FROM pairs WHERE a = 1 AND b = 1").sqlstate == "HV004"
    local.run("ALTER FOREIGN TABLE pairs ALTER COLUMN b TYPE bigint")
    local.run("INSERT INTO pairs VALUES (1, 2, 3)")
    assert local.run("SELECT v FROM pairs WHERE a = 1 AND b = 2") == [(3,)]
