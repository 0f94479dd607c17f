"""Every golden value: stored as Feast stores it, read by SELECT, written by INSERT, compared with Feast's bytes."""

import json
import random
from collections import defaultdict

import pytest
from feast.protos.feast.types import Value_pb2 as types
from feast.protos.feast.types.Value_pb2 import Value
from feast.value_type import ValueType
from google.protobuf.message import DecodeError

from golden import COLUMNS, MADE_OF_JSON, as_selected, column, decoded, entity_id, exactly, load, meaning, selected
from support import dynamodb, raw_items

CASES = load("values.json")
WIRE = load("values_wire.json")

BY_KIND = defaultdict(dict)
for case in CASES:
    BY_KIND[case["value_type"]][case["name"]] = case

# A Value with nothing set, and NULL, can be in any column.
NOTHING = {**BY_KIND.pop("NULL"), **BY_KIND.pop("INVALID")}

# Read as NULL, which is written as a Value with nothing set; Feast means the same by both.
NULLS = ["ts_nat_sentinel", *NOTHING]

# Inside JSON a whole number is an INT64: the INT32 comes back as one.
LOSES_INNER_TYPE = ["map_empty_key"]

# Refused by INSERT: an array with a NULL, for which Feast would store something else.
NOT_WRITTEN = ["ts_list_nat_element"]

KEY = "k text OPTIONS (entity_key 'true')"


@pytest.fixture
def views(session, project):
    """Makes the feature views "one" and "two" with a key and a feature of a type."""

    def make(kind, sql_type=None):
        session.server(project)
        for view in ("one", "two"):
            session.table(view, "%s, %s" % (KEY, column("f", kind, sql_type)))

    return make


def put(project, protos):
    """Puts items into the first view: key to bytes of a Value."""
    for name, proto in protos.items():
        values = {"M": {"f": {"B": proto}}}
        item = {"entity_id": {"S": entity_id("k", name)}, "event_ts": {"S": "2024-03-01 10:20:30+00:00"}}
        dynamodb().put_item(TableName=project + ".one", Item={**item, "values": values})


def put_cases(project, cases):
    put(project, {name: bytes.fromhex(case["proto_hex"]) for name, case in cases.items()})


def read(session, names, what="f", view="one"):
    rows = session.run("SELECT k, %s FROM %s WHERE k = ANY (%%s)" % (what, view), [list(names)])
    return dict(rows)


def copy(session, project, names):
    """INSERT … SELECT from the first view into the second; the written Values by key."""
    names = [name for name in names if name not in NOT_WRITTEN]
    session.run("INSERT INTO two (k, f) SELECT k, f FROM one WHERE k = ANY (%s)", [names])
    items = raw_items(project + ".two")
    return {name: items[entity_id("k", name)]["values"]["M"]["f"]["B"] for name in names}


def same_value(name, kind, written, golden):
    if name in NULLS:
        return written == b""
    if name in LOSES_INNER_TYPE:
        return meaning(written) == meaning(golden)
    if kind in MADE_OF_JSON and kind != "ZONED_TIMESTAMP":
        return decoded(written) == decoded(golden)  # the order of entries is free
    return written == golden


def test_there_are_cases_of_all_types():
    assert set(BY_KIND) == set(COLUMNS) == set(ValueType.__members__) - {"UNKNOWN", "NULL"}


@pytest.mark.parametrize("kind", BY_KIND)
def test_values(session, project, views, kind):
    cases = BY_KIND[kind]
    views(kind)
    put_cases(project, cases)
    wanted = {name: exactly(as_selected(kind, case["value"])) for name, case in cases.items()}
    assert {name: exactly(value) for name, value in read(session, cases, selected("f", kind)).items()} == wanted
    for name, written in copy(session, project, cases).items():
        assert same_value(name, kind, written, bytes.fromhex(cases[name]["proto_hex"])), (name, written.hex())
    # INSERT takes what SELECT shows, and SELECT shows it again.
    again = read(session, cases, selected("f", kind), "two")
    assert {name: exactly(value) for name, value in again.items()} == {name: wanted[name] for name in again}


@pytest.mark.parametrize("kind", COLUMNS)
def test_the_stored_forms_of_null(session, project, views, kind):
    views(kind)
    put_cases(project, NOTHING)
    assert read(session, NOTHING) == dict.fromkeys(NOTHING)
    assert copy(session, project, NOTHING) == dict.fromkeys(NOTHING, b"")


def test_a_missing_timestamp_in_a_list_is_not_written(session, project, views):
    views("UNIX_TIMESTAMP_LIST")
    put_cases(project, {name: BY_KIND["UNIX_TIMESTAMP_LIST"][name] for name in NOT_WRITTEN})
    error = session.fail("INSERT INTO two (k, f) SELECT k, f FROM one WHERE k = ANY (%s)", [NOT_WRITTEN])
    assert error.sqlstate == "22004" and error.diag.message_hint


# Column types that don't keep the text as it was given: (value type, column type).
OTHER_COLUMNS = [
    *((kind, "uuid") for kind in ("UUID", "TIME_UUID")),
    *((kind, "uuid[]") for kind in ("UUID_LIST", "UUID_SET", "TIME_UUID_LIST", "TIME_UUID_SET")),
    ("DECIMAL", "numeric"),
    *((kind, "numeric[]") for kind in ("DECIMAL_LIST", "DECIMAL_SET")),
    ("JSON", "jsonb"),
    *(("JSON_LIST", sql_type) for sql_type in ("jsonb", "json", "jsonb[]")),
    *((kind, "jsonb") for kind in MADE_OF_JSON),
    ("MAP_LIST", "jsonb[]"),
    ("STRUCT_LIST", "json[]"),
]


@pytest.mark.parametrize("kind, sql_type", OTHER_COLUMNS)
def test_values_in_other_columns(session, project, views, kind, sql_type):
    """What is read is the Python object that the SDK makes of the value, and what is written means the same to it."""
    cases = BY_KIND[kind]
    views(kind, sql_type)
    put_cases(project, cases)
    got = read(session, cases)
    for name, case in cases.items():
        if kind in MADE_OF_JSON:  # not all of the SDK's objects have the form of JSON
            assert exactly(got[name]) == exactly(as_selected(kind, case["value"]))
        else:
            wanted = meaning(bytes.fromhex(case["proto_hex"]))
            assert got[name] == (list(wanted) if isinstance(wanted, set) else wanted)
    for name, written in copy(session, project, cases).items():
        assert meaning(written) == meaning(bytes.fromhex(cases[name]["proto_hex"])), (name, written.hex())
    assert read(session, cases, view="two") == got


def random_json(chooser, depth=0):
    """Any JSON, with texts and names that look like its ends."""
    text = chooser.choice(["", "], [", '"', "\\", '\\"', "}", "a,b", "ü✓", " "])
    kind = chooser.randrange(8 if depth < 4 else 5)
    if kind < 5:
        return [None, chooser.random() < 0.5, chooser.randint(-(10**20), 10**20), chooser.random(), text][kind]
    parts = [random_json(chooser, depth + 1) for _ in range(chooser.randrange(4))]
    return parts if kind < 7 else {text + str(i): part for i, part in enumerate(parts)}


def json_list(texts):
    return Value(json_list_val=types.StringList(val=texts)).SerializeToString()


def random_text(chooser):
    """Random JSON as one of the texts for it."""
    separators = (chooser.choice([",", ", ", " ,\n"]), chooser.choice([":", " :\t"]))
    text = json.dumps(random_json(chooser), ensure_ascii=chooser.random() < 0.5, separators=separators)
    return chooser.choice(["", " ", "\n"]) + text + chooser.choice(["", "\t", " "])


@pytest.mark.parametrize("sql_type", ["json", "jsonb", "json[]", "jsonb[]"])
def test_random_lists_of_json(session, project, views, sql_type):
    """All column types show the same lists, and write elements that mean the same."""
    chooser = random.Random(sql_type)
    lists = {str(i): [random_text(chooser) for _ in range(chooser.randrange(6))] for i in range(40)}
    views("JSON_LIST", sql_type)
    put(project, {name: json_list(texts) for name, texts in lists.items()})
    wanted = {name: [json.loads(text) for text in texts] for name, texts in lists.items()}
    assert read(session, lists) == wanted
    for name, written in copy(session, project, lists).items():
        texts = list(decoded(written).json_list_val.val)
        assert [json.loads(text) for text in texts] == wanted[name]
        if sql_type == "json":
            assert texts == [text.strip(" \n\t") for text in lists[name]]
    assert read(session, lists, view="two") == wanted


@pytest.mark.parametrize("sql_type", ["json", "jsonb"])
def test_json_lists_are_updated_from_what_they_were(session, project, views, sql_type):
    """The stored bytes are compared, which are not those that we would write."""
    views("JSON_LIST", sql_type)
    put(project, {"x": json_list([' {"b":1 , "a": 1.0} '])})
    assert session.run("UPDATE one SET f = (f::jsonb || '[null]')::%s WHERE k = 'x'" % sql_type) == 1
    item = raw_items(project + ".one")[entity_id("k", "x")]
    assert list(decoded(item["values"]["M"]["f"]["B"]).json_list_val.val) == ['{"a": 1.0, "b": 1}', "null"]


def test_zoned_timestamps_in_a_timestamptz(session, project, views):
    """The instant is read; the zone is not, and the one written is UTC."""
    cases = BY_KIND["ZONED_TIMESTAMP"]
    views("ZONED_TIMESTAMP", "timestamptz")
    put_cases(project, cases)
    got = read(session, cases)
    written = copy(session, project, cases)
    for name, case in cases.items():
        zoned = decoded(written[name]).zoned_timestamp_val
        assert got[name].timestamp() == zoned.unix_timestamp == case["value"]["unix_timestamp"]
        assert zoned.zone == "UTC"


# Reals around the largest integers. jsonb writes none of them with an exponent.
REALS = [1e15, 1e16, 12345678901234567.0, 1.1e18, 2.0**63, -(2.0**63), 9.9e18, 1e19, 2.0**64, 1e300, 1e-7, -1e6, 0.1]


@pytest.mark.parametrize("sql_type", ["json", "jsonb"])
def test_reals_in_json_stay_reals(session, project, views, sql_type):
    views("MAP", sql_type)
    stored = {}
    for i, real in enumerate(REALS):
        value = Value()
        value.map_val.val["x"].double_val = real
        stored[str(i)] = value.SerializeToString()
    put(project, stored)
    shown = read(session, stored)
    assert {name: float(value["x"]) for name, value in shown.items()} == {str(i): real for i, real in enumerate(REALS)}
    assert copy(session, project, stored) == stored
    assert read(session, stored, "f::text") == read(session, stored, "f::text", "two")
    # What psql shows, typed in again.
    for name, text in read(session, stored, "f::text").items():
        session.run("INSERT INTO two (k, f) VALUES (%s, %s)", [name, text])
        assert raw_items(project + ".two")[entity_id("k", name)]["values"]["M"]["f"]["B"] == stored[name]


@pytest.mark.parametrize("sql_type", ["json", "jsonb"])
def test_singles_in_json_come_back_as_the_same_number(session, project, views, sql_type):
    """As a DOUBLE, for JSON has no FLOAT."""
    views("VALUE_LIST", sql_type)
    value = Value()
    for real in (1e6, 1e10, 1.1e18, 9.5e18, 2e19, 0.1, 16777216.0, 1e-20):
        value.list_val.val.add().float_val = real
    put(project, {"x": value.SerializeToString()})
    got = decoded(copy(session, project, ["x"])["x"]).list_val.val
    assert {each.WhichOneof("val") for each in got} == {"double_val"}
    singles = [Value(float_val=each.double_val).float_val for each in got]
    assert singles == [each.float_val for each in value.list_val.val]


# What JSON can't say: an inner Value, and the member that it comes back in.
INNER = {
    "int32_val": (Value(int32_val=1), "int64_val"),
    "float_val": (Value(float_val=1), "double_val"),
    "nan": (Value(double_val=float("nan")), "string_val"),
    "bytes_val": (Value(bytes_val=b"x"), "string_val"),
    "uuid_val": (Value(uuid_val="x"), "string_val"),
    "decimal_val": (Value(decimal_val="1"), "string_val"),
    "json_val": (Value(json_val="{}"), "string_val"),
    "unix_timestamp_val": (Value(unix_timestamp_val=1), "int64_val"),
    "set": (Value(int64_set_val=types.Int64Set(val=[1])), "int64_list_val"),
    "empty list": (Value(int64_list_val=types.Int64List()), "list_val"),
    "struct_val": (Value(struct_val=types.Map()), "map_val"),
    "scalar_map_val": (Value(scalar_map_val=types.ScalarMap(val=[types.ScalarMapEntry()])), "map_list_val"),
    "zoned_timestamp_val": (Value(zoned_timestamp_val=types.ZonedTimestamp(zone="UTC")), "map_val"),
    "null_val": (Value(null_val=0), None),
}


@pytest.mark.parametrize("sql_type", ["json", "jsonb"])
def test_what_json_cannot_say(session, project, views, sql_type):
    views("MAP", sql_type)
    stored = Value(map_val=types.Map(val={name: value for name, (value, _) in INNER.items()}))
    put(project, {"x": stored.SerializeToString()})
    got = decoded(copy(session, project, ["x"])["x"]).map_val.val
    members = {name: value.WhichOneof("val") for name, value in got.items()}
    assert members == {name: member for name, (_, member) in INNER.items()}
    assert read(session, ["x"]) == read(session, ["x"], view="two")  # It is shown as it was.


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', '{"\\udc00": 1}', '{"a": "\\ude80\\ud83d"}'])
def test_half_of_a_surrogate_pair_is_refused(session, views, text):
    views("MAP")
    error = session.fail("INSERT INTO two (k, f) VALUES ('x', %s)", [text])
    assert error.sqlstate == "22023" and "surrogate" in error.diag.message_detail


# --- other encodings, legal and broken ---


@pytest.mark.parametrize("case", [case for case in WIRE if case["accepted"]], ids=lambda case: case["name"])
def test_unusual_encodings(session, project, views, case):
    kind = "INT64" if case["value"] is None else ValueType(case["field_number"]).name
    stored = bytes.fromhex(case["proto_hex"])
    views(kind)
    put(project, {"x": stored})
    assert exactly(read(session, "x", selected("f", kind))) == exactly({"x": as_selected(kind, case["value"])})
    # What is written is the usual encoding, which the SDK's would be.
    usual = decoded(stored)
    usual.DiscardUnknownFields()
    assert copy(session, project, "x") == {"x": b"" if case["value"] is None else usual.SerializeToString()}


@pytest.mark.parametrize("case", [case for case in WIRE if not case["accepted"]], ids=lambda case: case["name"])
@pytest.mark.parametrize("kind", ["STRING", "INT64", "DOUBLE", "MAP"])
def test_broken_encodings(session, project, views, case, kind):
    views(kind)
    put(project, {"key of it": bytes.fromhex(case["proto_hex"])})
    error = session.fail("SELECT f FROM one WHERE k = 'key of it'")
    assert error.sqlstate == "HV004"
    message = "%s %s" % (error.diag.message_primary, error.diag.message_detail)
    assert all(part in message for part in ['"one"', '"f"', kind, "key of it"])


def field(number, content):
    """The bytes of a field that is a message; number and length in two bytes each."""
    tag = number << 3 | 2
    return bytes([tag & 127 | 128, tag >> 7, len(content) & 127 | 128, len(content) >> 7]) + content


def values_of(value):
    return [values_of(each) for each in value.list_val.val] if value.WhichOneof("val") else None


@pytest.mark.parametrize("depth", [0, 1, 49, 50, 51])
@pytest.mark.parametrize("groups", [0, 1, 2, 98, 100, 101])
def test_nesting(session, project, views, depth, groups):
    """VALUE_LISTs in each other, and groups (of an unknown field) in the innermost: as deep as the SDK reads."""
    views("VALUE_LIST")
    stored = b"\xa3\x06" * groups + b"\xa4\x06" * groups
    for _ in range(depth):
        stored = field(42, field(1, stored))
    put(project, {"x": stored})
    try:
        readable = decoded(stored)
    except DecodeError:
        assert session.fail("SELECT f FROM one WHERE k = 'x'").sqlstate == "HV004"
    else:
        assert read(session, "x") == {"x": values_of(readable)}
