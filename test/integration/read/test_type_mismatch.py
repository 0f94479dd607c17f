"""Stored values of another type than the column's: read where nothing is lost, else an error that says what."""

import uuid
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from feast.protos.feast.types import Value_pb2 as types
from feast.protos.feast.types.Value_pb2 import Value

from golden import entity_id
from support import dynamodb

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
UUID = "6f1b8c1e-9d54-4c8e-8a57-2b5c5c8f1a11"


def ints(*values):
    return Value(int64_list_val=types.Int64List(val=values))


def texts(*values):
    return Value(string_list_val=types.StringList(val=values))


def jsons(*values):
    return Value(json_list_val=types.StringList(val=values))


JSON_LIST = [kind + " OPTIONS (value_type 'JSON_LIST')" for kind in ("json", "jsonb")]


@pytest.fixture
def stored(session, project):
    """Stores a Value under the key 'x', and gives a foreign table with a column for it."""

    def make(value, column):
        session.server(project)
        session.table("view", "k text OPTIONS (entity_key 'true'), f " + column)
        item = {"entity_id": {"S": entity_id("k", "x")}, "event_ts": {"S": "2024-03-01 10:20:30+00:00"}}
        values = {"M": {"f": {"B": value.SerializeToString()}}}
        dynamodb().put_item(TableName=project + ".view", Item={**item, "values": values})
        return session

    return make


READ = [
    ("bigint", Value(int32_val=7), 7),
    ("integer", Value(int64_val=-(2**31)), -(2**31)),
    ("smallint", Value(int64_val=2**15 - 1), 2**15 - 1),
    ("smallint OPTIONS (value_type 'INT64')", Value(int32_val=-1), -1),
    ("bigint[]", Value(int32_list_val=types.Int32List(val=[1, -1])), [1, -1]),
    ("integer[]", ints(2**31 - 1), [2**31 - 1]),
    ("smallint[]", ints(1, -(2**15)), [1, -(2**15)]),
    ("double precision", Value(float_val=0.5), 0.5),
    ("double precision[]", Value(float_list_val=types.FloatList(val=[0.5])), [0.5]),
    ("text", Value(json_val='{"a":  1}'), '{"a":  1}'),
    ("jsonb", Value(json_val='{"a":  1}'), {"a": 1}),
    ("text", Value(uuid_val="Any text"), "Any text"),
    ("text", Value(decimal_val="1E+5"), "1E+5"),
    ("numeric", Value(decimal_val="1E+5"), Decimal(100000)),
    ("numeric", Value(decimal_val="-Infinity"), Decimal("-Infinity")),
    ("uuid", Value(time_uuid_val=UUID), uuid.UUID(UUID)),
    ("text[]", Value(string_set_val=types.StringSet(val=["b", "a", "b"])), ["b", "a", "b"]),
    ("integer[]", texts(), []),  # an empty list has no type
    ("json OPTIONS (value_type 'MAP')", Value(struct_val=types.Map(val={"a": Value()})), {"a": None}),
    ("json OPTIONS (value_type 'VALUE_SET')", Value(list_val=types.RepeatedValue(val=[Value(bool_val=True)])), [True]),
    *((column, ints(), []) for column in JSON_LIST),
    *((column, jsons(" 1\n", '"], ["', '{"a": "\\"}"}'), [1, "], [", {"a": '"}'}]) for column in JSON_LIST),
    ("timestamptz OPTIONS (value_type 'ZONED_TIMESTAMP')", Value(unix_timestamp_val=5), EPOCH + timedelta(seconds=5)),
    ("timestamp", Value(unix_timestamp_val=-5), (EPOCH - timedelta(seconds=5)).replace(tzinfo=None)),
    ("date", Value(unix_timestamp_val=-86400), date(1969, 12, 31)),
]


@pytest.mark.parametrize("column, value, wanted", READ, ids=lambda x: str(x).replace("\n", " ")[:40])
def test_nothing_is_lost(stored, column, value, wanted):
    assert stored(value, column).value("SELECT f FROM view WHERE k = 'x'") == wanted


# Column, Value, what the message says of stored and expected.
REFUSED = [
    ("integer", Value(int64_val=5 * 10**9), ["INT64 with 5000000000, which type integer cannot hold", "INT32"]),
    ("integer OPTIONS (value_type 'INT64')", Value(int64_val=2**31), ["2147483648", "expected is INT64"]),
    ("smallint", Value(int32_val=-(2**15) - 1), ["INT32 with -32769, which type smallint cannot hold"]),
    ("smallint[]", ints(1, 70000, 80000), ["INT64_LIST with 70000, which type smallint", "INT32_LIST"]),
    ("integer", Value(string_val="5"), ["STRING", "INT32"]),
    ("integer", Value(double_val=5), ["DOUBLE", "INT32"]),
    ("bigint", Value(bool_val=True), ["BOOL", "INT64"]),
    ("bigint", Value(unix_timestamp_val=5), ["UNIX_TIMESTAMP", "INT64"]),
    ("date", Value(unix_timestamp_val=86405), ["UNIX_TIMESTAMP with 86405, which type date cannot hold"]),
    ("integer", ints(5 * 10**9), ["is INT64_LIST, expected is INT32"]),
    ("integer[]", Value(int64_val=5 * 10**9), ["is INT64, expected is INT32_LIST"]),
    ("boolean", Value(int64_val=1), ["INT64", "BOOL"]),
    ("real", Value(double_val=0.5), ["DOUBLE", "FLOAT"]),
    ("real[]", Value(double_list_val=types.DoubleList(val=[0.5])), ["DOUBLE_LIST", "FLOAT_LIST"]),
    ("numeric", Value(double_val=0.5), ["DOUBLE", "DECIMAL"]),
    ("text", Value(bytes_val=b"x"), ["BYTES", "STRING"]),
    ("text", Value(int64_val=1), ["INT64", "STRING"]),
    ("text", texts("x"), ["STRING_LIST", "STRING"]),
    ("text[]", Value(string_val="x"), ["STRING", "STRING_LIST"]),
    ("text[]", ints(1), ["INT64_LIST", "STRING_LIST"]),
    ("text[]", Value(list_val=types.RepeatedValue(val=[Value(string_val="x")])), ["VALUE_LIST", "STRING_LIST"]),
    ("bytea", Value(string_val="x"), ["STRING", "BYTES"]),
    ("uuid", Value(string_val=UUID), ["STRING", "UUID"]),
    ("jsonb", Value(string_val="{}"), ["STRING", "JSON"]),
    ("jsonb", Value(map_val=types.Map()), ["MAP", "JSON"]),
    ("json OPTIONS (value_type 'MAP')", Value(json_val="{}"), ["JSON", "MAP"]),
    ("json OPTIONS (value_type 'VALUE_LIST')", ints(1), ["INT64_LIST", "VALUE_LIST"]),
    *((column, texts("1"), ["is STRING_LIST, expected is JSON_LIST"]) for column in JSON_LIST),
    *((column, Value(json_val="[1]"), ["is JSON, expected is JSON_LIST"]) for column in JSON_LIST),
    *(
        (column, jsons("0", text, "0"), ["is JSON_LIST with an element that is not one JSON value"])
        for text in ["", " ", "1, 2", "1], [2", "]", "[1", '"', '"a"], ["b"', '{"a": 1', "{}, {}", "[]],[[]"]
        for column in JSON_LIST
    ),
    ("timestamptz", Value(int64_val=1), ["INT64", "UNIX_TIMESTAMP"]),
    ("timestamptz", Value(zoned_timestamp_val=types.ZonedTimestamp(zone="UTC")), ["ZONED_TIMESTAMP", "UNIX_TIMESTAMP"]),
    ("jsonb OPTIONS (value_type 'ZONED_TIMESTAMP')", Value(unix_timestamp_val=5), ["UNIX_TIMESTAMP", "ZONED_"]),
]


@pytest.mark.parametrize("column, value, parts", REFUSED, ids=lambda x: str(x).replace("\n", " ")[:40])
def test_something_would_be_lost(stored, column, value, parts):
    error = stored(value, column).fail("SELECT f FROM view WHERE k = 'x'")
    assert error.sqlstate == "HV004"
    message = "%s %s" % (error.diag.message_primary, error.diag.message_detail)
    assert all(part in message for part in ['feature view "view"', 'column "f"', "Entity key: k = x", *parts])
    assert error.diag.context is None  # all of it has been said


# Column, Value, SQLSTATE: right values that the SQL type has no room for.
NOT_HELD = [
    ("text", Value(string_val="a\0b"), "22021"),
    ("text[]", texts("a\0b"), "22021"),
    ("jsonb", Value(json_val='"\\u0000"'), "22P05"),
    ("jsonb OPTIONS (value_type 'MAP')", Value(map_val=types.Map(val={"a": Value(string_val="\0")})), "22P05"),
    ("json", Value(json_val="NaN"), "22P02"),
    *(
        (column, jsons("0", text, "0"), "22P02")
        for text in ["NaN", "-Infinity", "1 2", "[}", "{1}", "nul", "01", "'a'", '[1,]']
        for column in [*JSON_LIST, "json[]", "jsonb[]"]
    ),
    *((column, jsons("[" * 10**5 + "]" * 10**5), "54001") for column in [*JSON_LIST, "json[]", "jsonb[]"]),
    (JSON_LIST[0], jsons("0", '"a\0b"'), "22021"),
    (JSON_LIST[1], jsons("0", '"\\u0000"'), "22P05"),
    ("varchar(3)", Value(string_val="abcd"), "22001"),
    ("uuid", Value(uuid_val="x"), "22P02"),
    ("numeric", Value(decimal_val="sNaN"), "22P02"),
    ("numeric(4, 1)", Value(decimal_val="1234567"), "22003"),
    ("timestamptz", Value(unix_timestamp_val=2**62), "22008"),
    ("timestamptz", Value(unix_timestamp_val=-(2**63) + 1), "22008"),
    ("date", Value(unix_timestamp_val=86400 * 10**9), "22008"),
    ("timestamptz[]", Value(unix_timestamp_list_val=types.Int64List(val=[10**13])), "22008"),
]


@pytest.mark.parametrize("column, value, sqlstate", NOT_HELD, ids=lambda x: str(x).replace("\n", " ")[:40])
def test_the_sql_type_cannot_hold_it(stored, column, value, sqlstate):
    error = stored(value, column).fail("SELECT f FROM view WHERE k = 'x'")
    assert error.sqlstate == sqlstate
    assert error.diag.context.endswith('column "f" of feature view "view", entity key: k = x')
