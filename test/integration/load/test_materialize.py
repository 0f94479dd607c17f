"""dynamo_fdw_materialize() does what `feast materialize` does, where that does it right."""

import base64
import json
from datetime import datetime, timedelta, timezone

import pytest

from golden import DATA
from support import DRIVERS, KEY, TIME, dynamodb, make_remote, raw_items

GOLDEN = json.loads((DATA / "registry2" / "materialize.json").read_text())
TEXT_KEY = "text OPTIONS (entity_key 'true')"

# The views of the golden repository: columns, options, and what its sources are called.
VIEWS = {
    "parcel_stats": (
        "parcel_ref text OPTIONS (entity_key 'true', source_column 'ref'), event_timestamp %s, "
        "weight_kg float8 OPTIONS (source_column 'w'), pieces integer" % TIME,
        {"batch_source": "lab.weighings", "timestamp_field": "at", "created_timestamp_column": "written"},
    ),
    "depot_day": (
        "depot_no %s, event_timestamp %s, parcels bigint, busy boolean, hours bigint[]" % (KEY, TIME),
        {
            "batch_source": "(SELECT depot_no, day_end, parcels, busy, hours FROM lab.depot_days"
            " WHERE parcels IS NOT NULL)",
            "timestamp_field": "day_end",
        },
    ),
    "parcel_at_depot": (
        "parcel_ref %s, depot_no %s, event_timestamp %s, scans integer, last_scan timestamptz" % (TEXT_KEY, KEY, TIME),
        {"batch_source": "lab.scans", "timestamp_field": "ts", "created_timestamp_column": "created"},
    ),
    "lab_totals": (
        "event_timestamp %s, weighed bigint" % TIME,
        {
            "batch_source": "lab.totals",
            "timestamp_field": "ts",
            "created_timestamp_column": "created",
            "entityless": "true",
        },
    ),
}

DEFAULT_RUNS = {run["view"]: run for run in GOLDEN["runs"] if not run["pull_latest_features"]}
LATEST_RUNS = {run["view"]: run for run in GOLDEN["runs"] if run["pull_latest_features"]}

# pandas' NaT, which Feast stores for a NULL among times: we write NULL as what it is.
NAT = base64.b64encode(b"\x40\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01").decode()


def expected_items(view):
    """What Feast wrote; where its default engine fails, what its other one did."""
    run = DEFAULT_RUNS[view] if "items" in DEFAULT_RUNS[view] else LATEST_RUNS[view]
    items = {}
    for item in json.loads(json.dumps(run["items"]).replace(NAT, "")):
        for value in item["values"]["M"].values():
            value["B"] = base64.b64decode(value["B"])
        items[item["entity_id"]["S"]] = item
    return items


@pytest.fixture
def lab(session, project):
    """The golden repository's sources and views."""
    session.run(GOLDEN["source_sql"])
    session.server(project, table_name_template="lab-{project}_{table_name}")
    for name, (columns, options) in VIEWS.items():
        session.table(name, columns, **options)
    yield session
    session.run("ROLLBACK; RESET ALL; DROP SCHEMA lab CASCADE")
    session.run("DROP FOREIGN TABLE IF EXISTS %s" % ", ".join(VIEWS))


def remote(project, view):
    return "lab-%s_%s" % (project, view)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
@pytest.mark.parametrize("view", VIEWS)
def test_golden_runs(lab, project, view, zone):
    lab.run("SET timezone = '%s'" % zone)
    expected = expected_items(view)
    rows = lab.value("SELECT dynamo_fdw_materialize(%s, %s, %s)", [view, GOLDEN["start"], GOLDEN["end"]])
    assert raw_items(remote(project, view)) == expected
    assert rows == len(expected)
    assert lab.value("SHOW timezone") == zone
    interval = [datetime.fromisoformat(GOLDEN[end]) for end in ("start", "end")]
    assert lab.run("SELECT feature_view::text, start_date, end_date, rows FROM dynamo_fdw_intervals") == [
        (view, *interval, rows)
    ]


def test_all_of_a_schema(lab, project):
    expected = {view: expected_items(view) for view in VIEWS}
    lab.table("without_source", DRIVERS)
    sql = "SELECT feature_view::text, rows FROM dynamo_fdw_materialize_all('public', %s, %s)"
    rows = lab.run(sql, [GOLDEN["start"], GOLDEN["end"]])
    assert rows == [(view, len(expected[view])) for view in sorted(VIEWS)]
    for view in VIEWS:
        assert raw_items(remote(project, view)) == expected[view]
    lab.run("DROP FOREIGN TABLE without_source")


def test_an_error_among_all_names_the_view(lab, project):
    lab.run("ALTER TABLE lab.scans RENAME COLUMN scans TO scanned")
    error = lab.fail("SELECT * FROM dynamo_fdw_materialize_all('public', %s, %s)", [GOLDEN["start"], GOLDEN["end"]])
    assert error.sqlstate == "42703"
    assert 'materialization of foreign table "parcel_at_depot"' in error.diag.context
    assert lab.run("SELECT * FROM dynamo_fdw_intervals") == []


def test_imported_views(session, project):
    """What IMPORT FOREIGN SCHEMA reads from Feast's registry is all that a load needs."""
    session.run(GOLDEN["source_sql"])
    session.server(
        project,
        table_name_template="lab-%s_{table_name}" % project,
        registry=DATA / "registry2" / "registry.db",
    )
    for view in VIEWS:
        make_remote(remote(project, view))
    session.run("CREATE SCHEMA imported; IMPORT FOREIGN SCHEMA parcels_lab FROM SERVER feast INTO imported")
    load_all = "SELECT dynamo_fdw_materialize_all('imported', %s, %s)"
    error = session.fail(load_all, [GOLDEN["start"], GOLDEN["end"]])
    assert error.sqlstate == "42501" and "not run as a superuser" in str(error)
    session.run("ALTER FOREIGN TABLE imported.depot_day OPTIONS (SET managed 'false')")
    session.run(load_all, [GOLDEN["start"], GOLDEN["end"]])
    for view in VIEWS:
        assert raw_items(remote(project, view)) == expected_items(view)
        dynamodb().delete_table(TableName=remote(project, view))
    session.run("DROP SERVER feast CASCADE; DROP SCHEMA imported; DROP SCHEMA lab CASCADE")


# ---- rules, one by one ----


@pytest.fixture
def source(session, project):
    """A view "drivers" with the source table "trips_of"."""
    session.server(project)
    session.table("drivers", DRIVERS, batch_source="trips_of", created_timestamp_column="created")
    session.run(
        "CREATE TABLE trips_of (driver_id bigint, event_timestamp timestamptz, conv_rate real, trips integer,"
        " created timestamptz)"
    )
    yield session
    session.run("ROLLBACK; RESET ALL; DROP TABLE IF EXISTS trips_of CASCADE")


def put(session, *rows):
    """Rows of the source: driver, event time, trips, and perhaps the time of creation."""
    for driver, time, trips, *created in rows:
        session.run("INSERT INTO trips_of VALUES (%s, %s, 0, %s, %s)", [driver, time, trips, *(created or [None])])


def shown(session, drivers=9):
    """Trips by driver."""
    keys = "SELECT driver_id, trips FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, %d)))"
    return dict(session.run(keys % drivers))


def intervals(session):
    return session.run("SELECT start_date, end_date, rows FROM dynamo_fdw_intervals ORDER BY 1")


def day(number):
    return datetime(2026, 3, number, tzinfo=timezone.utc)


def load(session, start, end, **more):
    arguments = "".join(", %s => '%s'" % pair for pair in more.items())
    return session.value("SELECT dynamo_fdw_materialize('drivers', %%s, %%s%s)" % arguments, [start, end])


def test_incremental_loads_begin_where_the_last_one_ended(source):
    put(source, (1, day(1), 1), (2, day(2), 2), (3, day(3), 3), (4, day(4), 4))
    assert load(source, day(1), day(2)) == 2
    assert load(source, None, day(3)) == 2  # the row of the end comes again, as in Feast
    assert shown(source) == {1: 1, 2: 2, 3: 3}
    assert intervals(source) == [(day(1), day(3), 4)]
    # Nothing is left, and no error.
    assert load(source, None, day(2)) == 0
    assert [notice[0] for notice in source.notices] == ["NOTICE"]
    assert intervals(source) == [(day(1), day(3), 4)]


def test_intervals_are_united(source):
    for start, end in [(1, 2), (7, 9), (3, 4)]:
        load(source, day(start), day(end))
    assert intervals(source) == [(day(1), day(2), 0), (day(3), day(4), 0), (day(7), day(9), 0)]
    before = source.run("SELECT * FROM dynamo_fdw_intervals ORDER BY 2")
    load(source, day(7), day(8))  # is known
    assert source.run("SELECT * FROM dynamo_fdw_intervals ORDER BY 2") == before
    load(source, day(2), day(3))
    assert intervals(source) == [(day(1), day(4), 0), (day(7), day(9), 0)]
    put(source, (1, day(10), 1))
    assert load(source, None, day(10)) == 1  # from the latest end, the 9th
    assert intervals(source) == [(day(1), day(4), 0), (day(7), day(10), 1)]
    load(source, day(1), day(20))
    assert intervals(source) == [(day(1), day(20), 2)]


@pytest.mark.parametrize(
    "options, first",
    [
        ("", timedelta(weeks=52)),
        ("ADD ttl '2 days'", timedelta(days=2)),
        ("ADD ttl '0'", timedelta(weeks=52)),
        ("ADD ttl '9 days', ADD source_ttl '3 days'", timedelta(days=3)),
        ("ADD source_ttl '0'", timedelta(weeks=52)),
    ],
)
def test_a_first_load_without_start(source, options, first):
    if options:
        source.run("ALTER FOREIGN TABLE drivers OPTIONS (%s)" % options)
    minute = timedelta(minutes=1)
    now = source.value("SELECT now()")
    put(source, (1, now - first - minute, 1), (2, now - first + minute, 2), (3, now + timedelta(days=1), 3))
    assert source.value("SELECT dynamo_fdw_materialize('drivers')") == 1
    ((start, end, _),) = intervals(source)
    assert end - start == first
    assert source.value("SELECT trips FROM drivers WHERE driver_id = 2") == 2


def test_server_that_moves_during_a_load(source):
    """What was loaded where is not known then: nothing is noted."""
    put(source, (1, day(2), 1))
    region = source.value("SELECT substring(srvoptions::text FROM 'region=([^,}]+)') FROM pg_foreign_server WHERE srvname = 'feast'")
    source.run(
        "CREATE FUNCTION moved() RETURNS boolean LANGUAGE plpgsql AS"
        " $$ BEGIN ALTER SERVER feast OPTIONS (SET region 'eu-west-1'); RETURN true; END $$"
    )
    load(source, day(1), day(3), source="(SELECT * FROM trips_of WHERE moved())")
    source.run("ALTER SERVER feast OPTIONS (SET region '%s'); DROP FUNCTION moved" % region)
    assert intervals(source) == []
    assert load(source, day(1), day(3)) == 1 and len(intervals(source)) == 1


def test_a_first_load_of_what_lives_very_long(source):
    source.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD ttl '315576000000 seconds')")
    put(source, (1, "0044-03-15 00:00+00 BC", 1), (2, day(1), 2))
    assert source.fail("SELECT dynamo_fdw_materialize('drivers')").sqlstate == "22008"  # no year of Feast's
    source.run("DELETE FROM trips_of WHERE driver_id = 1")
    assert source.value("SELECT dynamo_fdw_materialize('drivers')") == 1
    assert source.value("SELECT start_date::text FROM dynamo_fdw_intervals") == "-infinity"


def test_bad_intervals(source):
    assert source.fail("SELECT dynamo_fdw_materialize('drivers', '2026-02-02', '2026-02-01')").sqlstate == "22023"
    assert source.fail("SELECT dynamo_fdw_materialize_all('public', '2026-02-02', '2026-02-01')").sqlstate == "22023"
    assert source.fail("SELECT dynamo_fdw_materialize('drivers', NULL, 'infinity')").sqlstate == "22023"
    assert source.fail("SELECT dynamo_fdw_materialize(NULL)").sqlstate == "22004"
    put(source, (1, day(1), 1))
    assert load(source, "-infinity", day(1)) == 1
    assert load(source, day(1), day(1)) == 1


def test_a_null_key_ends_the_load_before_anything_is_written(source, project):
    put(source, *[(i, day(2), i) for i in range(1, 101)], (None, day(1), 7))
    error = source.fail("SELECT dynamo_fdw_materialize('drivers', '2026-01-01', '2026-04-01')")
    assert error.sqlstate == "23502"
    assert error.diag.message_detail == "Entity key: driver_id = NULL. Event time: 2026-03-01 00:00:00+00."
    assert raw_items(project + ".drivers") == {}
    assert intervals(source) == []


def test_an_older_interval_overwrites_newer_values(source):
    """As in Feast, except with write_mode 'latest'."""
    put(source, (1, day(1), 1), (1, day(2), 2))
    load(source, day(2), day(2))
    assert shown(source) == {1: 2}
    load(source, day(1), day(1))
    assert shown(source) == {1: 1}
    load(source, day(2), day(2))
    source.run("ALTER FOREIGN TABLE drivers OPTIONS (ADD write_mode 'latest')")
    load(source, day(1), day(1))
    assert shown(source) == {1: 2}


def test_the_argument_stands_in_place_of_the_option(source):
    put(source, (1, day(1), 1), (2, day(1), 2))
    assert load(source, day(1), day(1), source="(SELECT * FROM trips_of WHERE driver_id = 2)") == 1
    assert shown(source) == {2: 2}
    source.run("ALTER FOREIGN TABLE drivers OPTIONS (DROP batch_source)")
    error = source.fail("SELECT dynamo_fdw_materialize('drivers')")
    assert error.sqlstate == "HV002"
    assert "batch_source" in error.diag.message_hint and "source" in error.diag.message_hint
    assert source.run("SELECT * FROM dynamo_fdw_materialize_all('public')") == []
    assert load(source, day(1), day(1), source="TRIPS_OF") == 2


def test_missing_columns(source):
    source.run("ALTER TABLE trips_of RENAME trips TO \"Trips\"")
    error = source.fail("SELECT dynamo_fdw_materialize('drivers')")
    assert error.sqlstate == "42703"
    assert error.diag.message_primary == 'the source of feature view "drivers" has no column "trips", for column "trips"'
    assert '"driver_id", "event_timestamp", "conv_rate", "Trips", "created"' in error.diag.message_detail
    source.run("ALTER FOREIGN TABLE drivers ALTER trips OPTIONS (ADD source_column 'Trips')")
    assert source.value("SELECT dynamo_fdw_materialize('drivers')") == 0
    source.run("ALTER FOREIGN TABLE drivers OPTIONS (SET created_timestamp_column 'ctid')")
    assert source.fail("SELECT dynamo_fdw_materialize('drivers')").sqlstate == "42703"
    twice = "(SELECT 1 AS driver_id, now() AS event_timestamp, 1 AS conv_rate, 1 AS \"Trips\", 1 AS \"Trips\")"
    assert source.fail("SELECT dynamo_fdw_materialize('drivers', source => '%s')" % twice).sqlstate == "42702"


def test_a_table_without_event_time(source):
    source.run("ALTER FOREIGN TABLE drivers DROP COLUMN event_timestamp")
    error = source.fail("SELECT dynamo_fdw_materialize('drivers')")
    assert error.sqlstate == "HV002"
    source.run("ALTER FOREIGN TABLE drivers ADD COLUMN event_timestamp timestamptz OPTIONS (event_timestamp 'true')")
    assert source.value("SELECT dynamo_fdw_materialize('drivers')") == 0


def test_event_times_of_other_types(source):
    source.run("ALTER TABLE trips_of ALTER event_timestamp TYPE text")
    error = source.fail("SELECT dynamo_fdw_materialize('drivers')")
    assert error.sqlstate == "42804"
    assert 'of type text, in its column "event_timestamp"' in error.diag.message_primary


def test_what_is_not_a_foreign_table_of_ours(source):
    assert source.fail("SELECT dynamo_fdw_materialize('trips_of')").sqlstate == "42809"
    assert source.fail("SELECT dynamo_fdw_materialize(1)").sqlstate == "42P01"
    assert source.fail("SELECT * FROM dynamo_fdw_materialize_all('nowhere')").sqlstate == "3F000"


def test_dates_and_naive_times_are_utc(source, project):
    source.run("DROP TABLE trips_of; CREATE TABLE trips_of (driver_id integer, d date, t timestamp, ts timestamp[])")
    source.run(
        "INSERT INTO trips_of VALUES (1, '2026-03-01', '2026-03-05 06:07:08', '{2026-03-05 06:07:08}'),"
        " (2, '2026-03-02', NULL, NULL), (3, '2026-03-03', NULL, NULL)"
    )
    columns = "driver_id %s, event_timestamp %s, t timestamptz, ts timestamptz[], d timestamptz, s text"
    source.table("dated", columns % (KEY, TIME), timestamp_field="d")
    source.run("ALTER FOREIGN TABLE dated ALTER s OPTIONS (ADD source_column 't')")
    source.run("SET timezone = 'Pacific/Auckland'")
    sql = "SELECT dynamo_fdw_materialize('dated', '2026-03-01 00:00+00', '2026-03-02 00:00+00', 'trips_of')"
    assert source.value(sql) == 2
    noon = datetime(2026, 3, 5, 6, 7, 8, tzinfo=timezone.utc)
    assert source.run("SELECT event_timestamp, t, ts, d, s FROM dated WHERE driver_id = 1") == [
        (day(1), noon, [noon], day(1), "2026-03-05 06:07:08")
    ]
    assert source.run("SELECT event_timestamp FROM dated WHERE driver_id = 2") == [(day(2),)]
    times = {item["event_ts"]["S"] for item in raw_items(project + ".dated").values()}
    assert times == {"2026-03-01 00:00:00+00:00", "2026-03-02 00:00:00+00:00"}


def test_keys_are_told_apart_as_they_are_stored(source):
    """By bytes, whatever the source's type holds equal; and cut or rounded as the column's type does it."""
    source.run(
        "CREATE COLLATION ignoring_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
        "CREATE TABLE names (name text COLLATE ignoring_case, at timestamptz);"
        "INSERT INTO names VALUES ('a', '2026-03-01'), ('A', '2026-03-01'), ('B', '2026-03-02'), ('b ', '2026-03-01')"
    )
    options = {"batch_source": "names", "timestamp_field": "at"}
    source.table("by_name", "name varchar(1) OPTIONS (entity_key 'true'), event_timestamp %s" % TIME, **options)
    assert source.value("SELECT dynamo_fdw_materialize('by_name', '-infinity')") == 4
    assert len(source.run("SELECT name FROM by_name WHERE name IN ('a', 'A', 'b', 'B')")) == 4
    source.run("INSERT INTO names VALUES ('b', '2026-02-01')")  # 'b ' is 'b' in varchar(1)
    assert source.value("SELECT dynamo_fdw_materialize('by_name', '-infinity')") == 4
    assert source.value("SELECT event_timestamp FROM by_name WHERE name = 'b'") == day(1)
    source.run("INSERT INTO names VALUES ('bb', '2026-02-01')")
    assert source.fail("SELECT dynamo_fdw_materialize('by_name', '-infinity')").sqlstate == "22001"
    # numeric 1.4 and 0.6 are 1
    source.run("DROP TABLE names; CREATE TABLE numbers (n numeric, at timestamptz, v text)")
    source.run("INSERT INTO numbers VALUES (1.4, '2026-03-02', 'new'), (0.6, '2026-03-01', 'old')")
    source.table("by_number", "n integer OPTIONS (entity_key 'true'), event_timestamp %s, v text" % TIME)
    sql = "SELECT dynamo_fdw_materialize('by_number', '-infinity', source => '(SELECT n, at AS event_timestamp, v FROM numbers)')"
    assert source.value(sql) == 1
    assert source.run("SELECT v FROM by_number WHERE n = 1") == [("new",)]
    source.run("INSERT INTO numbers VALUES (5000000000, '2026-03-02', 'too big')")
    assert source.fail(sql).sqlstate == "22003"
    source.run("DROP TABLE numbers; DROP COLLATION ignoring_case")


def test_types_are_cast_as_insert_casts_them(source):
    source.run("DROP TABLE trips_of; CREATE TABLE trips_of (driver_id text, event_timestamp timestamptz)")
    source.table("few", "driver_id %s, event_timestamp %s" % (KEY, TIME), batch_source="trips_of")
    assert source.fail("SELECT dynamo_fdw_materialize('few')").sqlstate == "42804"


def test_generated_columns_are_computed(source):
    columns = "driver_id %s, event_timestamp %s, trips integer, twice integer GENERATED ALWAYS AS (trips * 2) STORED"
    source.table("more", columns % (KEY, TIME), batch_source="trips_of")
    put(source, (1, day(1), 21))
    assert source.value("SELECT dynamo_fdw_materialize('more', '-infinity')") == 1
    assert source.value("SELECT twice FROM more WHERE driver_id = 1") == 42


def test_names_that_need_quotes(session, project):
    session.server(project)
    session.run('CREATE SCHEMA "a b"; CREATE TABLE "a b"."s""x" ("Key" bigint, "e v" timestamptz, "order" integer)')
    session.run("INSERT INTO \"a b\".\"s\"\"x\" VALUES (1, '2026-03-01', 5)")
    session.run(
        'CREATE FOREIGN TABLE "a b"."V""" ("Key" bigint OPTIONS (entity_key \'true\'), "user" timestamptz OPTIONS'
        " (event_timestamp 'true'), \"order\" integer OPTIONS (name 'Order', source_column 'order')) SERVER feast"
        " OPTIONS (feature_view 'quoted', timestamp_field 'e v', batch_source '\"a b\".\"s\"\"x\"')"
    )
    assert session.run("SELECT feature_view::text, rows FROM dynamo_fdw_materialize_all('a b', '-infinity')") == [
        ('"a b"."V"""', 1)
    ]
    assert session.run('SELECT "order" FROM "a b"."V""" WHERE "Key" = 1') == [(5,)]
    session.run('DROP TABLE "a b"."s""x"; DROP SERVER feast CASCADE; DROP SCHEMA "a b"')


# ---- what forgets intervals ----


def test_what_keeps_and_what_forgets_intervals(source, project):
    load(source, day(1), day(2))
    source.run("ALTER FOREIGN TABLE drivers RENAME TO riders")  # means the same remote table
    assert len(intervals(source)) == 1
    source.run("ALTER FOREIGN TABLE riders RENAME TO drivers")
    source.run("ALTER FOREIGN TABLE drivers OPTIONS (SET feature_view 'others')")
    assert intervals(source) == []
    source.run("ALTER FOREIGN TABLE drivers OPTIONS (SET feature_view 'drivers')")
    assert len(intervals(source)) == 1
    source.run("TRUNCATE trips_of")
    assert len(intervals(source)) == 1
    source.run("TRUNCATE drivers")
    assert source.run("SELECT * FROM dynamo_fdw_interval") == []
    load(source, day(1), day(2))
    source.run("SELECT dynamo_fdw_drop_table('drivers')")
    source.run("SELECT dynamo_fdw_create_table('drivers')")
    assert source.run("SELECT * FROM dynamo_fdw_interval") == []
    load(source, day(1), day(2))
    source.run("BEGIN; DROP FOREIGN TABLE drivers; ROLLBACK")
    assert len(intervals(source)) == 1
    source.run("SET dynamo_fdw.remote_ddl = off; DROP FOREIGN TABLE drivers; RESET dynamo_fdw.remote_ddl")
    assert source.run("SELECT * FROM dynamo_fdw_interval") == []
    dynamodb().delete_table(TableName=project + ".others")


def test_repeatable_read(source, other):
    """What another session notes meanwhile counts, though it is not in the snapshot."""
    put(source, (1, day(1), 1))
    other.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
    load(source, day(1), day(5))
    assert load(other, None, day(7)) == 0
    other.run("COMMIT")
    assert intervals(source) == [(day(1), day(7), 1)]


def test_times_to_come_are_not_noted_as_loaded(source):
    put(source, (1, day(1), 1))
    load(source, day(1), "2999-01-01")
    source.run("INSERT INTO trips_of VALUES (2, clock_timestamp(), 0, 2)")
    load(source, None, "2999-01-01")
    assert shown(source) == {1: 1, 2: 2}
    assert load(source, "2999-01-01", "2999-01-02") == 0
    assert [end.year < 2999 for _, end, _ in intervals(source)] == [True]


def test_a_rollback_takes_the_interval_back(source):
    put(source, (1, day(1), 1))
    source.run("BEGIN")
    assert load(source, day(1), day(2)) == 1
    assert len(intervals(source)) == 1
    source.run("ROLLBACK")
    assert intervals(source) == []
    assert shown(source) == {1: 1}  # DynamoDB keeps it


def test_nobody_writes_the_record(source):
    load(source, day(1), day(2))
    for sql in ("INSERT INTO %s SELECT * FROM %s", "UPDATE %s SET rows = 1", "DELETE FROM %s", "TRUNCATE %s"):
        assert source.fail(sql.replace("%s", "dynamo_fdw_interval")).sqlstate == "42501"


def test_a_read_only_transaction(source):
    source.run("BEGIN READ ONLY")
    assert source.fail("SELECT dynamo_fdw_materialize('drivers')").sqlstate == "25006"
    source.run("ROLLBACK; BEGIN READ ONLY")
    assert source.fail("SELECT dynamo_fdw_materialize_all('public')").sqlstate == "25006"
    source.run("ROLLBACK")


# ---- types that Feast itself can't materialize from PostgreSQL, or only with losses ----


def test_types_of_every_sort(session, project):
    session.server(project)
    session.table(
        "kinds",
        "id %s, event_timestamp %s, j jsonb, n numeric, r real, u uuid, big bigint, s text[] OPTIONS (value_type"
        " 'STRING_SET'), l integer[] OPTIONS (value_type 'INT64_LIST'), m jsonb OPTIONS (value_type 'MAP'), d date,"
        " nan float8" % (KEY, TIME),
        batch_source="kinds_of",
    )
    session.run(
        "CREATE TABLE kinds_of (id smallint, event_timestamp timestamptz, j json, n numeric, r real, u uuid, big bigint,"
        " s varchar[], l smallint[], m jsonb, d timestamptz, nan float8);"
        "INSERT INTO kinds_of VALUES (1, '2026-03-01', '{\"a\": [1, null]}', 12345678901234567890.50, 0.1,"
        " '00000000-0000-4000-8000-0000000000ff', 9007199254740993, '{a,b,a}', '{1,2}', '{\"k\": 1}',"
        " '2026-03-01 23:30-05', 'NaN'); INSERT INTO kinds_of VALUES (2, '2026-03-01')"
    )
    session.run("SET timezone = 'America/New_York'")
    assert session.value("SELECT dynamo_fdw_materialize('kinds', '-infinity')") == 2
    row = "SELECT j::text, n::text, r, u::text, big, s, l, m::text, d::text, nan::text FROM kinds WHERE id = %d"
    assert session.run(row % 1) == [
        (
            '{"a": [1, null]}', "12345678901234567890.50", pytest.approx(0.1), "00000000-0000-4000-8000-0000000000ff",
            9007199254740993, ["a", "b"], [1, 2], '{"k": 1}', "2026-03-02", "NaN",
        )
    ]  # fmt: skip
    assert session.run(row % 2) == [(None,) * 10]
    session.run("DROP TABLE kinds_of")


def test_a_table_that_is_made_again_and_dumps(source):
    """Neither has the intervals that were."""
    load(source, day(1), day(2))
    dumped = "SELECT extconfig FROM pg_extension WHERE extname = 'dynamo_fdw'"
    assert source.value(dumped) is None
    oid = source.value("SELECT 'drivers'::regclass::oid")
    source.run("DROP FOREIGN TABLE drivers")
    source.table("drivers", DRIVERS, batch_source="trips_of")
    assert source.value("SELECT 'drivers'::regclass::oid") != oid
    assert intervals(source) == []
