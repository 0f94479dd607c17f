"""The golden data of Feast's SDK (../data), as SQL shows it."""

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

from feast.infra.online_stores.helpers import compute_entity_id
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.type_map import feast_value_type_to_python_type

DATA = Path(__file__).parent.parent / "data"

SCALARS = {
    "BYTES": "bytea", "STRING": "text", "INT32": "integer", "INT64": "bigint", "DOUBLE": "double precision",
    "FLOAT": "real", "BOOL": "boolean", "UNIX_TIMESTAMP": "timestamptz", "JSON": "json", "UUID": "text",
    "TIME_UUID": "text", "DECIMAL": "text",
}  # fmt: skip

# The column type for each of Feast's value types: the one that loses nothing (text keeps a UUID or DECIMAL as given).
COLUMNS = {
    **SCALARS,
    **{kind + "_LIST": column + "[]" for kind, column in SCALARS.items()},
    **{kind + "_SET": column + "[]" for kind, column in SCALARS.items() if kind != "JSON"},
    "PDF_BYTES": "bytea",
    "IMAGE_BYTES": "bytea",
    **dict.fromkeys(["MAP", "MAP_LIST", "STRUCT", "STRUCT_LIST", "VALUE_LIST", "VALUE_SET"], "json"),
    **dict.fromkeys(["SCALAR_MAP", "ZONED_TIMESTAMP"], "json"),
}
MADE_OF_JSON = [kind for kind, column in COLUMNS.items() if column == "json" and kind != "JSON"]


def load(name):
    return json.loads((DATA / name).read_text())


def column(name, kind, sql_type=None):
    """The definition of a column for values of a type."""
    return "\"%s\" %s OPTIONS (value_type '%s')" % (name, sql_type or COLUMNS[kind], kind)


def selected(name, kind):
    """What to SELECT of a column; psycopg would parse JSON, and the golden data has its text."""
    text = {"JSON": "::text", "JSON_LIST": "::text[]"}.get(kind, "")
    return '"%s"%s' % (name, text)


def from_epoch(seconds):
    """None for the smallest INT64, which is Feast's missing timestamp."""
    return None if seconds == -(2**63) else datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)


def scalar(kind, value):
    if value is None:
        return None
    if kind.endswith("BYTES"):
        return bytes.fromhex(value)
    if kind in ("FLOAT", "DOUBLE"):
        return float(value)  # NaN and infinity are texts
    if kind == "UNIX_TIMESTAMP":
        return datetime.fromisoformat(value)
    return value


def scalar_map_entry(entry):
    kind = entry["key_type"].removesuffix("_key").upper()
    key = entry["key"]
    if kind == "UNIX_TIMESTAMP":
        key = int(datetime.fromisoformat(key).timestamp())
    return {"key_type": kind, "key": key, "value": entry["value"]}


def as_selected(kind, value):
    """A golden `value` of a type as psycopg gives a column of that type."""
    if value is None:
        return None
    if kind == "SCALAR_MAP":
        return [scalar_map_entry(entry) for entry in value]
    if kind == "ZONED_TIMESTAMP":
        return {"unix_timestamp": value["unix_timestamp"], "zone": value["zone"]}
    if kind in MADE_OF_JSON:
        return value
    if kind.endswith(("_LIST", "_SET")):
        return [scalar(kind.rpartition("_")[0], element) for element in value]
    return scalar(kind, value)


def exactly(value):
    """Values as a text that is equal only if they are: NaN is NaN, 0.0 isn't -0.0, 1 isn't true."""

    def other(part):
        return part.astimezone(timezone.utc).isoformat() if isinstance(part, datetime) else repr(part)

    return json.dumps(value, sort_keys=True, default=other)


def decoded(proto_bytes):
    return Value.FromString(proto_bytes)


def meaning(proto_bytes):
    """What the SDK makes of a value: a Python object."""
    return feast_value_type_to_python_type(decoded(proto_bytes))


def entity_id(name, value, version=3):
    """The SDK's id of an entity with one STRING key."""
    return compute_entity_id(EntityKey(join_keys=[name], entity_values=[Value(string_val=value)]), version)
