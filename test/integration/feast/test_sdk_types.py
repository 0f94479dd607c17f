"""Every type of Feast through the real SDK, both ways."""

import json
import uuid
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from feast import Entity, FeatureView, Field, FileSource
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.type_map import python_values_to_proto_values
from feast.types import VALUE_TYPES_TO_FEAST_TYPES, Array, Int64, Set, String, Struct
from feast.value_type import ValueType

from golden import COLUMNS, MADE_OF_JSON, meaning
from support import KEY, TIME, raw_items

TOP = Path(__file__).parents[3]
NOON = datetime(2024, 3, 1, 12, 0, 0, 123456, tzinfo=timezone.utc)

PERSON = Struct({"name": String, "age": Int64})

# All types that a schema can have.
FEAST_TYPES = {
    **{kind.name: feast_type for kind, feast_type in VALUE_TYPES_TO_FEAST_TYPES.items() if kind.name != "UNKNOWN"},
    "STRUCT": PERSON,
    "STRUCT_LIST": Array(PERSON),
    "VALUE_LIST": Array(Array(Int64)),
    "VALUE_SET": Set(Array(Int64)),
}

NATURAL = {"UUID": "uuid", "TIME_UUID": "uuid", "DECIMAL": "numeric", "JSON": "jsonb"}


def natural_column(kind):
    """The column type with which the type is most at home."""
    if kind in MADE_OF_JSON:
        return "jsonb"
    scalar, _, many = kind.rpartition("_")
    if many in ("LIST", "SET"):
        return NATURAL.get(scalar, COLUMNS[scalar]) + "[]"
    return NATURAL.get(kind, COLUMNS[kind])


ZONED = datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("America/Los_Angeles"))

# Two values of each scalar type, as Python objects.
SCALARS = {
    "BYTES": [b"\x00\xff", b""],
    "STRING": ["Zürich ✓", ""],
    "INT32": [-(2**31), 0],
    "INT64": [2**63 - 1, 0],
    "DOUBLE": [0.1, 0.0],
    "FLOAT": [0.5, 0.0],
    "BOOL": [True, False],
    "UNIX_TIMESTAMP": [datetime(1960, 1, 1, tzinfo=timezone.utc), datetime(1970, 1, 1, tzinfo=timezone.utc)],
    "JSON": [{"a": [1, None, {"b": "ü"}]}, {}],
    "UUID": [uuid.uuid4(), uuid.UUID(int=0)],
    "TIME_UUID": [uuid.uuid1(), uuid.UUID(int=0)],
    "DECIMAL": [Decimal("-12345.67890"), Decimal("0")],
}

MAP = {"i": 1, "d": 1.5, "s": "x", "yes": True, "n": None, "l": [1, 2], "m": {"deep": {"a": ["x"]}}, "rows": [{"a": 1}]}

# Two values of each type.
VALUES = {
    **SCALARS,
    **{kind + "_LIST": [both, []] for kind, both in SCALARS.items()},
    **{kind + "_SET": [set(both), set()] for kind, both in SCALARS.items() if kind != "JSON"},
    "PDF_BYTES": [b"%PDF-1.7", b""],
    "IMAGE_BYTES": [b"\x89PNG", b""],
    "MAP": [MAP, {}],
    "MAP_LIST": [[MAP, {"b": 2}, {}], []],
    "STRUCT": [{"name": "Ann", "age": 41}, {"name": "", "age": 0}],
    "STRUCT_LIST": [[{"name": "Ann", "age": 41}, {"name": "Ben", "age": 0}], []],
    "VALUE_LIST": [[[1, 2], [3]], []],
    "VALUE_SET": [[[1, 2], [3]], []],
    "SCALAR_MAP": [{1: "one", Decimal("1.10"): [1, 2], uuid.UUID(int=1): None, b"\xff": 2.0}, {}],
    "ZONED_TIMESTAMP": [ZONED, datetime(1970, 1, 1, tzinfo=ZoneInfo("Europe/Zurich"))],
}

# Those that look different in SQL.
SHOWN = {
    "SCALAR_MAP": [
        [
            {"key_type": "INT64", "key": 1, "value": "one"},
            {"key_type": "DECIMAL", "key": "1.10", "value": [1, 2]},
            {"key_type": "UUID", "key": str(uuid.UUID(int=1)), "value": None},
            {"key_type": "BYTES", "key": "ff", "value": 2.0},
        ],
        [],
    ],
    "ZONED_TIMESTAMP": [
        {"unix_timestamp": int(ZONED.timestamp()), "zone": "America/Los_Angeles"},
        {"unix_timestamp": -3600, "zone": "Europe/Zurich"},
    ],
}


def in_sql(kind, row):
    """The value of a row (0 and 1: those of VALUES, 2: nothing) as SQL has it."""
    if row == 2:
        return None
    value = SHOWN.get(kind, VALUES[kind])[row]
    return list(value) if isinstance(value, set) else value


def as_read(kind, value):
    """A value without what is not determined: the order of a set."""
    return set(value) if kind.endswith("_SET") and kind != "VALUE_SET" and value is not None else value


def in_python(kind, row):
    return None if row == 2 else VALUES[kind][row]


@pytest.fixture
def everything(session, project, feast):
    """The feature view "everything" with a feature of each type (named as the type), in Feast and SQL."""
    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    path = str(feast.path / "everything.parquet")
    pd.DataFrame({name: [] for name in ["driver_id", "event_timestamp", *FEAST_TYPES]}).to_parquet(path)
    schema = [Field(name=name, dtype=dtype) for name, dtype in {"driver_id": Int64, **FEAST_TYPES}.items()]
    source = FileSource(path=path, timestamp_field="event_timestamp")
    view = FeatureView(name="everything", entities=[driver], schema=schema, source=source, ttl=timedelta(0))
    feast.store.apply([driver, view])
    feast.views["everything"] = FEAST_TYPES
    session.server(project)
    columns = ", ".join("\"%s\" %s OPTIONS (value_type '%s')" % (k, natural_column(k), k) for k in FEAST_TYPES)
    session.table("everything", "driver_id %s, event_timestamp %s, %s" % (KEY, TIME, columns))
    return feast


def write_by_feast(feast, rows):
    """The SDK's online_write_batch of rows of VALUES; the driver has the number of its row."""
    columns = {
        kind: python_values_to_proto_values([in_python(kind, row) for row in rows], ValueType[kind])
        for kind in FEAST_TYPES
    }
    data = []
    for i, row in enumerate(rows):
        key = EntityKey(join_keys=["driver_id"], entity_values=[Value(int64_val=row)])
        data.append((key, {kind: values[i] for kind, values in columns.items()}, NOON, None))
    view = feast.store.get_feature_view("everything")
    feast.store._get_provider().online_write_batch(feast.store.config, view, data, None)


def write_by_sql(session, rows):
    casts = ", ".join("%s::" + natural_column(kind) for kind in FEAST_TYPES)
    for row in rows:
        values = [parameter(kind, in_sql(kind, row)) for kind in FEAST_TYPES]
        session.run("INSERT INTO everything VALUES (%%s, %%s, %s)" % casts, [row, NOON, *values])


def parameter(kind, value):
    if value is not None and natural_column(kind) == "jsonb":
        return json.dumps(value)
    if value is not None and natural_column(kind) == "jsonb[]":
        return [json.dumps(element) for element in value]
    return value


def test_all_types_are_here():
    assert set(FEAST_TYPES) == set(VALUES) == set(COLUMNS)


def test_feast_writes_and_select_reads(session, everything):
    write_by_feast(everything, [0, 1, 2])
    for row in (0, 1, 2):
        ((driver, time, *values),) = session.run("SELECT * FROM everything WHERE driver_id = %s", [row])
        assert (driver, time) == (row, NOON)
        got = {kind: as_read(kind, value) for kind, value in zip(FEAST_TYPES, values)}
        assert got == {kind: as_read(kind, in_sql(kind, row)) for kind in FEAST_TYPES}


def test_insert_writes_and_feast_reads(session, everything):
    write_by_sql(session, [0, 1, 2])
    got = everything.read("everything", [{"driver_id": row} for row in (0, 1, 2)])
    for row in (0, 1, 2):
        assert got[row] == {kind: in_python(kind, row) for kind in FEAST_TYPES}


def test_both_write_the_same(session, project, everything):
    """Apart from the order of maps and sets, and the looks of JSON."""
    write_by_feast(everything, [0, 1, 2])
    by_feast = raw_items(project + ".everything")
    write_by_sql(session, [0, 1, 2])
    by_sql = raw_items(project + ".everything")
    assert by_sql.keys() == by_feast.keys()
    for entity, item in by_feast.items():
        assert by_sql[entity]["event_ts"] == item["event_ts"]
        wanted = {kind: comparable(kind, value["B"]) for kind, value in item["values"]["M"].items()}
        got = {kind: comparable(kind, value["B"]) for kind, value in by_sql[entity]["values"]["M"].items()}
        assert got == wanted


def comparable(kind, value):
    """The bytes of a Value, or what they stand for where they are not determined."""
    message = Value.FromString(value)
    if kind.startswith("JSON"):
        return meaning(value)
    if kind.endswith("_SET") and kind != "VALUE_SET" and message.WhichOneof("val"):
        return sorted(getattr(message, message.WhichOneof("val")).val)
    return message if kind in MADE_OF_JSON else value
