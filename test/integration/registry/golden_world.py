"""Project "parcels" of registry2, imported, with its items in DynamoDB."""

import base64
import re
from datetime import datetime
from pathlib import Path

from golden import load
from imported import REGISTRY2, import_project, put_registry
from support import dynamodb

PAGE = Path(__file__).resolve().parents[3] / "doc/feature_services.md"


def cookbook():
    """The functions of doc/feature_services.md."""
    return re.findall(r"^```sql\n(.*?)^```$", PAGE.read_text(), re.M | re.S)


def make(session, project, endpoint, path, **options):
    """A server whose remote tables are named with the test's project in place of Feast's."""
    registry = put_registry(path, (REGISTRY2 / "registry.db").read_bytes())
    session.server("parcels", endpoint, registry=registry, table_name_template=project + ".{table_name}",
                   enable_online_feature_view_versioning="true", **options)  # fmt: skip


def load_items(project):
    """Writes the golden items; their tables are there."""
    for table, items in load("registry2/items.json").items():
        name = "%s.%s" % (project, table.partition(".")[2])
        if name in dynamodb().list_tables()["TableNames"]:
            for item in items:
                dynamodb().put_item(TableName=name, Item=unpacked(item))


def unpacked(value):
    """boto3 takes bytes where JSON has base64."""
    if isinstance(value, dict) and list(value) == ["B"]:
        return {"B": base64.b64decode(value["B"])}
    return {key: unpacked(part) for key, part in value.items()} if isinstance(value, dict) else value


def import_short_and_full(session, project):
    """Schemas "feast" and "long_names", which differ by full_feature_names, over the same remote tables."""
    import_project(session, "parcels", create_remote_table="true")
    load_items(project)
    import_project(session, "parcels", "long_names", full_feature_names="true")


def value_of(member, value):
    """A golden value as psycopg gives it."""
    if value is None:
        return None
    if member == "unix_timestamp_val":
        return datetime.fromisoformat(value)
    if member in ("float_val", "double_val"):
        return float(value)
    return value
