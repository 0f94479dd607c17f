"""The Feast SDK writes, SELECT reads."""

from datetime import datetime, timedelta, timezone

import pytest

from feast_repo import SCALARS
from support import KEY, TIME

NOON = datetime(2024, 3, 1, 12, 0, 0, 123456, tzinfo=timezone.utc)
NEXT = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)

FEATURES = {"f_" + kind.lower(): kind for kind in SCALARS}
COLUMNS = ", ".join("%s %s" % (name, SCALARS[kind][1]) for name, kind in FEATURES.items())
ROWS = [
    dict(f_bytes=b"\x00\xff", f_string="Zürich ✓", f_int32=-5, f_int64=2**62, f_double=0.1, f_float=0.5,
         f_bool=True, f_unix_timestamp=NEXT),
    dict(f_bytes=b"", f_string="", f_int32=0, f_int64=0, f_double=0.0, f_float=0.0,
         f_bool=False, f_unix_timestamp=datetime(1970, 1, 1, tzinfo=timezone.utc)),
    dict(f_bytes=b"x" * 1000, f_string="'\"\\\n", f_int32=-(2**31), f_int64=-(2**63), f_double=-1e308, f_float=-1e30,
         f_bool=True, f_unix_timestamp=datetime(1901, 1, 1, tzinfo=timezone.utc)),
]  # fmt: skip


def adopt(session, name, columns, **options):
    """CREATE FOREIGN TABLE over what `feast apply` made."""
    session.table(name, columns, **options)
    (warning,) = session.warnings()
    assert name in warning


@pytest.fixture
def local(session, project):
    session.server(project)
    return session


def test_every_scalar_type(local, feast):
    feast.apply("all_types", {"driver_id": "INT64"}, FEATURES)
    rows = [dict(row, driver_id=i, event_timestamp=NOON + timedelta(hours=i)) for i, row in enumerate(ROWS)]
    feast.write("all_types", rows)
    adopt(local, "all_types", "driver_id %s, event_timestamp %s, %s" % (KEY, TIME, COLUMNS))
    got = local.run("SELECT * FROM all_types WHERE driver_id = ANY ('{0,1,2,3}') ORDER BY driver_id")
    names = ["driver_id", "event_timestamp", *FEATURES]
    wanted = [tuple(row[name] for name in names) for row in rows]
    # A FLOAT has 32 bits.
    assert [row[:7] + row[8:] for row in got] == [row[:7] + row[8:] for row in wanted]
    assert [row[7] for row in got] == pytest.approx([row[7] for row in wanted], rel=1e-6)


def test_nulls(local, feast):
    feast.apply("all_types", {"driver_id": "INT64"}, FEATURES)
    nothing = {name: None for name in FEATURES}
    feast.write(
        "all_types",
        [dict(ROWS[0], driver_id=1, event_timestamp=NOON), dict(nothing, driver_id=2, event_timestamp=NOON)],
    )
    adopt(local, "all_types", "driver_id %s, %s" % (KEY, COLUMNS))
    # Even the UNIX_TIMESTAMP, for which Feast stores the smallest INT64 here (pandas' NaT).
    assert local.run("SELECT * FROM all_types WHERE driver_id = 2") == [(2, *[None] * len(FEATURES))]


KEYS = {
    "INT32": ("integer", [7, 0, -1, 2**31 - 1]),
    "INT64": ("bigint", [7, 0, -1, 2**63 - 1]),
    "STRING": ("text", ["x", "", "Zürich", "it's"]),
    "BYTES": ("bytea", [b"\x00k", b"k", b"\xff\xfe"]),
    "UNIX_TIMESTAMP": ("timestamptz", [NEXT, datetime(1969, 12, 31, 23, 59, 59, tzinfo=timezone.utc)]),
}


@pytest.mark.parametrize("version", [3, 2])
@pytest.mark.parametrize("kind", KEYS)
def test_single_keys(session, project, kind, version, request):
    feast = request.getfixturevalue("feast" if version == 3 else "feast_v2")
    session.server(project, entity_key_serialization_version=version)
    column, keys = KEYS[kind]
    feast.apply("by_key", {"k": kind}, {"x": "INT64"})
    feast.write("by_key", [dict(k=key, x=i, event_timestamp=NOON) for i, key in enumerate(keys)])
    adopt(session, "by_key", "k %s OPTIONS (entity_key 'true'), x bigint" % column)
    for i, key in enumerate(keys):
        assert session.run("SELECT k, x FROM by_key WHERE k = %s", [key]) == [(key, i)]
    assert len(session.run("SELECT x FROM by_key WHERE k = ANY (%s)", [keys])) == len(keys)


@pytest.mark.parametrize("version", [3, 2])
def test_composite_keys_in_any_column_order(session, project, version, request):
    feast = request.getfixturevalue("feast" if version == 3 else "feast_v2")
    session.server(project, entity_key_serialization_version=version)
    feast.apply("pairs", {"driver_id": "INT64", "City": "STRING", "at": "UNIX_TIMESTAMP"}, {"x": "DOUBLE"})
    rows = [dict(driver_id=i, City=city, at=NEXT, x=i + 0.5, event_timestamp=NOON) for i in (1, 2) for city in "ab"]
    feast.write("pairs", rows)
    adopt(
        session,
        "pairs",
        "at timestamptz OPTIONS (entity_key 'true'), x double precision, event_timestamp %s, driver_id %s,"
        " city text OPTIONS (entity_key 'true', name 'City')" % (TIME, KEY),
    )
    query = "SELECT driver_id, city, x FROM pairs WHERE (driver_id, city) IN ((1, 'a'), (2, 'b'), (3, 'a')) AND at = %s"
    assert sorted(session.run(query, [NEXT])) == [(1, "a", 1.5), (2, "b", 2.5)]


@pytest.mark.parametrize("version", [3, 2])
def test_an_entityless_view(session, project, version, request):
    feast = request.getfixturevalue("feast" if version == 3 else "feast_v2")
    session.server(project, entity_key_serialization_version=version)
    feast.apply("totals", {}, {"total": "INT64"})
    adopt(session, "totals", "event_timestamp %s, total bigint" % TIME, entityless="true")
    assert session.run("SELECT * FROM totals") == []
    feast.materialize(
        "totals", [dict(total=7, event_timestamp=NOON)], NOON - timedelta(days=1), NOON + timedelta(days=1)
    )
    assert session.run("SELECT * FROM totals") == [(NOON, 7)]
    assert session.run("SELECT * FROM totals WHERE total > 7") == []


def test_materialize(local, feast):
    feast.apply("hourly", {"driver_id": "INT64"}, {"trips": "INT32", "conv_rate": "FLOAT"})
    rows = [
        dict(driver_id=i % 300, trips=i, conv_rate=i / 4, event_timestamp=NOON + timedelta(minutes=i))
        for i in range(600)
    ]
    feast.materialize("hourly", rows, NOON - timedelta(days=1), NOON + timedelta(days=1))
    adopt(local, "hourly", "driver_id %s, event_timestamp %s, trips integer, conv_rate real" % (KEY, TIME))
    got = local.run("SELECT * FROM hourly WHERE driver_id = ANY (%s) ORDER BY driver_id", [list(range(400))])
    # The second round is the newer one.
    assert got == [(i, NOON + timedelta(minutes=i + 300), i + 300, (i + 300) / 4) for i in range(300)]


def test_an_integer_key_is_what_the_view_says(local, feast):
    feast.apply("by_int32", {"k": "INT32"}, {"x": "INT64"})
    feast.write("by_int32", [dict(k=7, x=1, event_timestamp=NOON)])
    adopt(local, "by_int32", "k integer OPTIONS (entity_key 'true'), x bigint")
    # Whatever the width of the other side: the column's type makes the key.
    for seven in ("7", "7::smallint", "7::bigint", "ANY ('{7}'::bigint[])", "ANY ('{7}'::smallint[])"):
        assert local.run("SELECT x FROM by_int32 WHERE k = %s" % seven) == [(1,)]
    local.table("as_int64", "k bigint OPTIONS (entity_key 'true'), x bigint", feature_view="by_int32")
    assert local.run("SELECT x FROM as_int64 WHERE k = 7") == []
    local.table(
        "with_type", "k bigint OPTIONS (entity_key 'true', value_type 'INT32'), x bigint", feature_view="by_int32"
    )
    assert local.run("SELECT x FROM with_type WHERE k = 7") == [(1,)]
