"""INSERT writes, the Feast SDK reads; and what lies in DynamoDB is the same as if Feast had written it."""

from datetime import datetime, timezone

import pytest

from support import KEY, TIME, raw_items
from test_sdk_writes import COLUMNS, FEATURES, KEYS, NEXT, NOON, ROWS


def insert(session, table, row):
    """INSERT of a dict."""
    marks = ", ".join(["%s"] * len(row))
    session.run("INSERT INTO %s (%s) VALUES (%s)" % (table, ", ".join(row), marks), list(row.values()))


@pytest.fixture
def local(session, project):
    session.server(project)
    return session


def test_every_scalar_type(local, feast):
    feast.apply("all_types", {"driver_id": "INT64"}, FEATURES)
    local.table("all_types", "driver_id %s, event_timestamp %s, %s" % (KEY, TIME, COLUMNS))
    for i, row in enumerate(ROWS):
        insert(local, "all_types", dict(row, driver_id=i, event_timestamp=NOON))
    got = feast.read("all_types", [{"driver_id": i} for i in range(len(ROWS))])
    for found, wanted in zip(got, ROWS):
        assert found.pop("f_float") == pytest.approx(wanted["f_float"], rel=1e-6)
        assert found == {name: value for name, value in wanted.items() if name != "f_float"}


def test_nulls(local, feast):
    feast.apply("all_types", {"driver_id": "INT64"}, FEATURES)
    local.table("all_types", "driver_id %s, event_timestamp %s, %s" % (KEY, TIME, COLUMNS))
    insert(local, "all_types", dict(driver_id=1, event_timestamp=NOON))
    assert feast.read("all_types", [{"driver_id": 1}]) == [dict.fromkeys(FEATURES)]


@pytest.mark.parametrize("version", [3, 2])
@pytest.mark.parametrize("kind", KEYS)
def test_single_keys(session, project, kind, version, request):
    feast = request.getfixturevalue("feast" if version == 3 else "feast_v2")
    session.server(project, entity_key_serialization_version=version)
    column, keys = KEYS[kind]
    feast.apply("by_key", {"k": kind}, {"x": "INT64"})
    session.table("by_key", "k %s OPTIONS (entity_key 'true'), x bigint" % column)
    for i, key in enumerate(keys):
        insert(session, "by_key", dict(k=key, x=i))
    assert feast.read("by_key", [{"k": key} for key in keys]) == [{"x": i} for i in range(len(keys))]


@pytest.mark.parametrize("version", [3, 2])
def test_composite_keys_in_any_column_order(session, project, version, request):
    feast = request.getfixturevalue("feast" if version == 3 else "feast_v2")
    session.server(project, entity_key_serialization_version=version)
    feast.apply("pairs", {"driver_id": "INT64", "City": "STRING", "at": "UNIX_TIMESTAMP"}, {"x": "DOUBLE"})
    session.table(
        "pairs",
        "at timestamptz OPTIONS (entity_key 'true'), x double precision, event_timestamp %s, driver_id %s,"
        " city text OPTIONS (entity_key 'true', name 'City')" % (TIME, KEY),
    )
    insert(session, "pairs", dict(driver_id=1, city="a", at=NEXT, x=1.5, event_timestamp=NOON))
    got = feast.read("pairs", [dict(driver_id=1, City="a", at=NEXT), dict(driver_id=1, City="b", at=NEXT)])
    assert got == [{"x": 1.5}, {"x": None}]


@pytest.mark.parametrize("version", [3, 2])
def test_an_entityless_view(session, project, version, request):
    feast = request.getfixturevalue("feast" if version == 3 else "feast_v2")
    session.server(project, entity_key_serialization_version=version)
    feast.apply("totals", {}, {"total": "INT64"})
    session.table("totals", "event_timestamp %s, total bigint" % TIME, entityless="true")
    session.run("INSERT INTO totals VALUES (%s, 7)", [NOON])
    assert feast.read("totals", [{"__dummy_id": ""}]) == [{"total": 7}]


def test_many_rows(local, feast):
    feast.apply("hourly", {"driver_id": "INT64"}, {"trips": "INT32"})
    local.table("hourly", "driver_id %s, event_timestamp %s, trips integer" % (KEY, TIME))
    local.run("INSERT INTO hourly SELECT i, now(), 2 * i FROM generate_series(1, 500) i")
    got = feast.read("hourly", [{"driver_id": i} for i in range(1, 502)])
    assert got == [{"trips": 2 * i} for i in range(1, 501)] + [{"trips": None}]


def test_stored_items_are_feasts_byte_for_byte(local, feast, project):
    rows = [dict(row, driver_id=i, event_timestamp=NOON) for i, row in enumerate(ROWS)]
    feast.apply("theirs", {"driver_id": "INT64"}, FEATURES)
    feast.write("theirs", rows)
    local.table("ours", "driver_id %s, event_timestamp %s, %s" % (KEY, TIME, COLUMNS))
    for row in rows:
        insert(local, "ours", row)
    assert raw_items(project + ".ours") == raw_items(project + ".theirs")


def test_stored_nulls_and_times_are_feasts_byte_for_byte(local, feast, project):
    rows = [
        dict(k="a", t=None, n=NEXT, event_timestamp=datetime(2024, 3, 1, 0, 0, tzinfo=timezone.utc)),
        dict(k="b", t="x", n=None, event_timestamp=datetime(1999, 12, 31, 23, 59, 59, 10, tzinfo=timezone.utc)),
        dict(k="c", t=None, n=NEXT, event_timestamp=datetime(2024, 3, 1, 1, 2, 3, 500000, tzinfo=timezone.utc)),
    ]
    feast.apply("theirs", {"k": "STRING"}, {"t": "STRING", "n": "UNIX_TIMESTAMP"})
    local.table("ours", "k text OPTIONS (entity_key 'true'), t text, n timestamptz, event_timestamp %s" % TIME)
    for row in rows:
        feast.write("theirs", [row])
        insert(local, "ours", row)
    assert raw_items(project + ".ours") == raw_items(project + ".theirs")


def test_an_item_is_replaced_as_a_whole(local, feast):
    feast.apply("view", {"driver_id": "INT64"}, {"a": "INT64", "b": "INT64"})
    feast.write("view", [dict(driver_id=1, a=1, b=2, event_timestamp=NOON)])
    local.table("view", "driver_id %s, a bigint" % KEY)
    local.run("INSERT INTO view VALUES (1, 5)")
    assert feast.read("view", [{"driver_id": 1}]) == [{"a": 5, "b": None}]
