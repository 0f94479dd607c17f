"""Items that Feast would not have written: something is missing, unknown, malformed or of another type."""

import pytest

from support import DRIVER_1001, dynamodb, raw_items

EVENT_TS = {"S": "2024-03-01 10:20:30+00:00"}
SELECT = "SELECT event_timestamp, conv_rate, trips FROM drivers WHERE driver_id = 1001"


def put(project, **attributes):
    item = {"entity_id": {"S": DRIVER_1001}, **attributes}
    dynamodb().put_item(TableName=project + ".drivers", Item=item)


def values(**features):
    return {"M": {name: value if isinstance(value, dict) else {"B": value} for name, value in features.items()}}


def test_the_entity_id_of_driver_1001(drivers, project):
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
