"""Items that Feast would not have written, and values that don't fit their column."""

import pytest

from support import KEY, TIME, dynamodb, raw_items

DRIVER_1001 = "f3cfd4a822f245b63975464763babaec"  # entity_id of driver_id INT64 1001, version 3
EVENT_TS = {"S": "2024-03-01 10:20:30+00:00"}
SELECT = "SELECT event_timestamp, conv_rate, trips FROM drivers WHERE driver_id = 1001"


def put(project, **attributes):
    item = {"entity_id": {"S": DRIVER_1001}, **attributes}
    dynamodb().put_item(TableName=project + ".drivers", Item=item)


def values(**features):
    return {"M": {name: value if isinstance(value, dict) else {"B": value} for name, value in features.items()}}


def test_the_entity_id_is_the_one_above(drivers, project):
    drivers.run("INSERT INTO drivers VALUES (1001, now(), 0, 0)")
    assert list(raw_items(project + ".drivers")) == [DRIVER_1001]


def test_an_item_without_values(drivers, project):
    put(project, event_ts=EVENT_TS)
    ((time, conv_rate, trips),) = drivers.run(SELECT)
    assert time.isoformat().startswith("2024-03-01") and conv_rate is None and trips is None


def test_an_item_without_event_ts(drivers, project):
    put(project, values=values(trips=b"\x18\x05"))
    assert drivers.run(SELECT) == [(None, None, 5)]


def test_an_item_with_nothing_but_its_key(drivers, project):
    put(project)
    assert drivers.run(SELECT) == [(None, None, None)]


@pytest.mark.parametrize("null", [b"", b"\x98\x01\x00"])
def test_the_two_stored_forms_of_null(drivers, project, null):
    put(project, event_ts=EVENT_TS, values=values(trips=null, conv_rate=null))
    assert drivers.run(SELECT)[0][1:] == (None, None)


def test_an_event_ts_that_is_pandas_nat(drivers, project):
    put(project, event_ts={"S": "NaT"}, values=values(trips=b"\x18\x05"))
    assert drivers.run(SELECT) == [(None, None, 5)]


def test_an_integer_that_fits_is_read_whatever_its_width(drivers, project):
    put(project, event_ts=EVENT_TS, values=values(trips=b"\x20\x05"))  # INT64, the column is INT32
    assert drivers.value("SELECT trips FROM drivers WHERE driver_id = 1001") == 5


def test_unknown_features_are_left_alone(drivers, project):
    put(project, event_ts=EVENT_TS, values=values(trips=b"\x18\x05", other=b"\xff\xff\xff", third={"N": "1"}))
    assert drivers.value("SELECT trips FROM drivers WHERE driver_id = 1001") == 5


@pytest.mark.parametrize(
    "stored", [b"\x20\x80\x80\x80\x80\x08", b"\x12\x015", b"\x5a\x03\x0a\x01a", b"\xff\xff\xff", {"N": "5"}, {"S": "5"}]
)
def test_a_value_of_another_type(drivers, project, stored):
    put(project, event_ts=EVENT_TS, values=values(trips=stored))
    error = drivers.fail(SELECT)
    assert error.sqlstate == "HV004"
    text = " ".join(filter(None, [error.diag.message_primary, error.diag.message_detail, error.diag.context]))
    assert "drivers" in text and "trips" in text
    # A query that doesn't need the column doesn't mind.
    assert drivers.value("SELECT conv_rate FROM drivers WHERE driver_id = 1001") is None


def test_the_error_names_the_stored_type(drivers, project):
    put(project, event_ts=EVENT_TS, values=values(trips=b"\x12\x015"))
    error = drivers.fail(SELECT)
    assert "STRING" in " ".join(filter(None, [error.diag.message_primary, error.diag.message_detail]))


@pytest.mark.parametrize(
    "event_ts", ["yesterday", "", "2024-02-30 00:00:00+00:00", "2024-03-01 10:20:30+00:00x", "2024-03-01 25:00:00"]
)
def test_an_event_ts_that_is_no_date(drivers, project, event_ts):
    put(project, event_ts={"S": event_ts}, values=values(trips=b"\x18\x05"))
    error = drivers.fail(SELECT)
    assert error.sqlstate == "HV004"
    # Queries that don't need the time don't mind.
    assert drivers.value("SELECT trips FROM drivers WHERE driver_id = 1001") == 5


@pytest.mark.parametrize(
    "event_ts, wanted",
    [
        ("2024-03-01 10:20:30+00:00", "2024-03-01 10:20:30"),
        ("2024-03-01 10:20:30.123456+00:00", "2024-03-01 10:20:30.123456"),
        ("2024-03-01 10:20:30", "2024-03-01 10:20:30"),
        ("2024-03-01T10:20:30Z", "2024-03-01 10:20:30"),
        ("2024-03-01 12:20:30+02:00", "2024-03-01 10:20:30"),
        ("2024-03-01 04:50:30-05:30", "2024-03-01 10:20:30"),
        ("2024-03-01 10:20:30.123456789+00:00", "2024-03-01 10:20:30.123456"),
    ],
)
def test_an_event_ts_with_any_offset(drivers, project, event_ts, wanted):
    put(project, event_ts={"S": event_ts})
    drivers.run("SET TimeZone = 'Asia/Kolkata'")  # must not matter
    got = drivers.value("SELECT (event_timestamp AT TIME ZONE 'UTC')::text FROM drivers WHERE driver_id = 1001")
    assert got == wanted


def test_the_written_event_ts_is_utc(drivers, project):
    drivers.run("SET TimeZone = 'Asia/Kolkata'")
    drivers.run("INSERT INTO drivers VALUES (1001, '2024-03-01 10:20:30.5+02', 0, 0)")
    assert raw_items(project + ".drivers")[DRIVER_1001]["event_ts"]["S"] == "2024-03-01 08:20:30.500000+00:00"


def test_without_a_time_column_the_statement_time_is_written(session, project):
    session.server(project)
    session.table("plain", "driver_id %s, trips integer" % KEY)
    session.run("SET TimeZone = 'UTC'")
    session.run("INSERT INTO plain VALUES (1001, 1)")
    stored = raw_items(project + ".plain")[DRIVER_1001]["event_ts"]["S"]
    assert stored.endswith("+00:00")
    assert session.value("SELECT %s::timestamptz BETWEEN now() - interval '1 min' AND now()", [stored])


NAMES = ["MixedCase", "with.dot", 'qu"ote', "apo'strophe", "back\\slash", "new\nline", "Zürich ✓", "values", "#x", ":y"]


def test_feature_names_of_all_kinds(session, project):
    session.server(project)
    columns = ", ".join('"%s" integer' % name.replace('"', '""') for name in NAMES)
    session.table('"My.Drivers"', "driver_id %s, event_timestamp %s, %s" % (KEY, TIME, columns))
    row = list(range(len(NAMES)))
    marks = ", ".join(["%s"] * len(row))
    session.run('INSERT INTO "My.Drivers" VALUES (1, now(), %s)' % marks, row)
    assert session.run('SELECT * FROM "My.Drivers" WHERE driver_id = 1')[0][2:] == tuple(row)
    (item,) = raw_items(project + ".My.Drivers").values()
    assert sorted(item["values"]["M"]) == sorted(NAMES)


def test_the_name_option_names_the_feature(session, project):
    session.server(project)
    session.table(
        "renamed",
        "id bigint OPTIONS (entity_key 'true', name 'driver_id') NOT NULL, \"T\" integer OPTIONS (name 'it''s \"so\"')",
        feature_view="My.View",
    )
    session.run("INSERT INTO renamed VALUES (1001, 5)")
    assert session.run("SELECT * FROM renamed WHERE id = 1001") == [(1001, 5)]
    assert list(raw_items(project + ".My.View")) == [DRIVER_1001]
    assert list(raw_items(project + ".My.View")[DRIVER_1001]["values"]["M"]) == ['it\'s "so"']


def test_values_of_all_kinds_come_back(session, project):
    session.server(project)
    session.table("texts", "id text OPTIONS (entity_key 'true'), t text, b bytea")
    texts = ["", "'", '"', "\\", "\n\t\r\b", "\x01\x1f\x7f", "Zürich ✓ 𝄞", "\u2028", "{}", "x" * 10000]
    for text in texts:
        session.run("INSERT INTO texts VALUES (%s, %s, convert_to(%s, 'UTF8'))", [text, text, text])
    rows = session.run("SELECT id, t, b FROM texts WHERE id = ANY (%s)", [texts])
    assert sorted(rows) == sorted((text, text, text.encode()) for text in texts)


def test_whole_seconds_of_a_time_key(session, project):
    session.server(project)
    session.table("hours", "at timestamptz OPTIONS (entity_key 'true'), n integer")
    session.run("INSERT INTO hours VALUES ('2024-03-01 10:00:00+00', 1)")
    assert session.value("SELECT n FROM hours WHERE at = '2024-03-01 12:00:00+02'") == 1
    assert session.run("SELECT n FROM hours WHERE at = '2024-03-01 10:00:00.5+00'") == []
    assert session.fail("INSERT INTO hours VALUES ('2024-03-01 10:00:00.5+00', 1)").sqlstate == "22008"


def test_a_large_answer(drivers):
    """More than a megabyte in one response."""
    drivers.table("big", "id bigint OPTIONS (entity_key 'true'), t text")
    drivers.run("INSERT INTO big SELECT i, repeat(chr(960), 10000) || i FROM generate_series(1, 100) i")
    rows = drivers.run(
        "SELECT id FROM big WHERE id = ANY (%s) AND t = repeat(chr(960), 10000) || id", [list(range(1, 101))]
    )
    assert len(rows) == 100


def test_many_columns(session, project):
    session.server(project)
    columns = ", ".join("f%d integer" % i for i in range(300))
    session.table("wide", "id bigint OPTIONS (entity_key 'true'), %s" % columns)
    session.run("INSERT INTO wide SELECT %s" % ", ".join(map(str, range(301))))
    assert session.run("SELECT * FROM wide WHERE id = 0") == [tuple(range(301))]
    session.run("INSERT INTO wide (id, f7) SELECT i, i FROM generate_series(1, 100) i")
    assert (
        session.value("SELECT sum(f7) FROM wide WHERE id BETWEEN 1 AND 100 AND id = ANY (%s)", [list(range(101))])
        == 5050
    )
