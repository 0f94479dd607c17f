"""What the Feast SDK writes the imported tables read, and the other way round, for every view of registry2."""

from datetime import datetime, timezone

import pytest
from feast import FeatureStore
from feast.protos.feast.core.DataSource_pb2 import DataSource
from feast.protos.feast.core.Registry_pb2 import Registry
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.repo_config import RegistryConfig, RepoConfig

import golden_world
from imported import REGISTRY2, golden_views, import_project, tables
from support import REGION

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)

# Of each type: two values, as the SDK's member takes them and as SQL shows them.
MEMBERS = {
    "INT32": ("int32_val", [7, -8]), "INT64": ("int64_val", [2**40, -9]), "STRING": ("string_val", ["ä'b", ""]),
    "DOUBLE": ("double_val", [1.5, -0.25]), "FLOAT": ("float_val", [0.5, 3.0]), "BOOL": ("bool_val", [True, False]),
    "UNIX_TIMESTAMP": ("unix_timestamp_val", [1_700_000_000, 0]),
    "STRING_LIST": ("string_list_val", [["a", "b"], ["c"]]), "INT64_LIST": ("int64_list_val", [[1, 2], [3]]),
}  # fmt: skip


def proto(kind, n):
    member, values = MEMBERS[kind]
    if kind.endswith("_LIST"):
        result = Value()
        getattr(result, member).val.extend(values[n])
        return result
    return Value(**{member: values[n]})


def in_sql(kind, n):
    value = MEMBERS[kind][1][n]
    return datetime.fromtimestamp(value, timezone.utc) if kind == "UNIX_TIMESTAMP" else value


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A copy of the registry, with sources that the SDK loads without its parts for PostgreSQL."""
    path = tmp_path_factory.mktemp("repository")
    registry = Registry.FromString((REGISTRY2 / "registry.db").read_bytes())
    for view in registry.feature_views:
        source = view.spec.batch_source
        if source.data_source_class_type.endswith("PostgreSQLSource"):
            source.CopyFrom(DataSource(name=source.name, type=DataSource.BATCH_FILE, timestamp_field="ts",
                                       file_options=DataSource.FileOptions(uri="none.parquet")))  # fmt: skip
        view.spec.ClearField("stream_source")
    (path / "registry.db").write_bytes(registry.SerializeToString())
    return path


def open_store(path, feast_project, project, endpoint):
    """The SDK over the same registry and the same tables."""
    return FeatureStore(
        config=RepoConfig(
            project=feast_project,
            provider="local",
            registry=RegistryConfig(path=str(path / "registry.db"), enable_online_feature_view_versioning=True),
            online_store={"type": "dynamodb", "region": REGION, "endpoint_url": endpoint,
                          "table_name_template": project + ".{table_name}"},
            offline_store={"type": "file"},
            entity_key_serialization_version=3,
        )
    )  # fmt: skip


@pytest.mark.parametrize("feast_project", ["parcels", "parcels_lab"])
def test_both_ways(session, project, proxy, tmp_path, repository, feast_project):
    golden_world.make(session, project, proxy.url, tmp_path)
    import_project(session, feast_project, create_remote_table="true", import_disabled="true")
    store = open_store(repository, feast_project, project, proxy.url)
    imported = tables(session)
    views = {view["name"]: view for view in golden_views("file") if view["project"] == feast_project}
    done = set()
    for view in store.list_all_feature_views():
        table = view.name if len(view.name) < 64 else view.name[:63]
        if table in imported:
            check_view(session, store, view, views[view.name], table, imported[table][0])
            done.add(table)
    assert done == {name for name in imported if "@v" not in name} and len(done) >= 4


def check_view(session, store, view, golden, table, columns):
    keys = [] if golden["join_keys"][0]["name"] == "__dummy_id" else golden["join_keys"]
    features = sorted(golden["features"], key=lambda f: f["name"]) if "stream" in golden["kind"] else golden["features"]
    # the SDK's row is the first value of each type, ours the second
    feast_key = EntityKey(
        join_keys=[key["name"] for key in golden["join_keys"]],
        entity_values=[proto(key["value_type"], 0) if keys else Value(string_val="") for key in golden["join_keys"]],
    )
    values = {feature["name"]: proto(feature["value_type"], 0) for feature in features}
    store._get_provider().online_write_batch(store.config, view, [(feast_key, values, NOON, None)], None)
    names = [column.name for column in columns]
    quoted = ['"%s"' % name.replace('"', '""') for name in names]
    where = " AND ".join("%s = %%s" % quoted[n] for n in range(len(keys))) or "true"
    row = session.run('SELECT * FROM feast."%s" WHERE %s' % (table, where), [in_sql(k["value_type"], 0) for k in keys])
    wanted = [in_sql(key["value_type"], 0) for key in keys] + [NOON] + [in_sql(f["value_type"], 0) for f in features]
    assert row == [tuple(wanted)], view.name

    mine = [in_sql(key["value_type"], 1) for key in keys] + [NOON] + [in_sql(f["value_type"], 1) for f in features]
    marks = ", ".join(["%s"] * len(mine))
    session.run('INSERT INTO feast."%s" (%s) VALUES (%s)' % (table, ", ".join(quoted).replace("%", "%%"), marks), mine)
    key = EntityKey(
        join_keys=[key["name"] for key in golden["join_keys"]],
        entity_values=[proto(key["value_type"], 1) if keys else Value(string_val="") for key in golden["join_keys"]],
    )
    ((time, found),) = store._get_provider().online_read(store.config, view, [key], [f["name"] for f in features])
    assert time.replace(tzinfo=timezone.utc) == NOON
    assert found == {feature["name"]: proto(feature["value_type"], 1) for feature in features}, view.name
