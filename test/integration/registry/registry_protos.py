"""Registries in Feast's own bytes, from views and services as import_model has them."""

import json
from datetime import timedelta

from feast.protos.feast.core import (
    FeatureService_pb2,
    FeatureView_pb2,
    LabelView_pb2,
    OnDemandFeatureView_pb2,
    StreamFeatureView_pb2,
)
from feast.protos.feast.core.DataSource_pb2 import DataSource
from feast.protos.feast.core.Feature_pb2 import FeatureSpecV2
from feast.protos.feast.core.FeatureViewProjection_pb2 import FeatureViewProjection
from feast.protos.feast.core.Project_pb2 import Project
from feast.protos.feast.core.Registry_pb2 import Registry
from feast.protos.feast.types.Value_pb2 import ValueType

KINDS = {
    "feature_view": (FeatureView_pb2.FeatureView, "feature_views"),
    "stream_feature_view": (StreamFeatureView_pb2.StreamFeatureView, "stream_feature_views"),
    "label_view": (LabelView_pb2.LabelView, "label_views"),
    "on_demand_feature_view": (OnDemandFeatureView_pb2.OnDemandFeatureView, "on_demand_feature_views"),
}


def fields(list):
    """FeatureSpecV2s; a number stands for a type that Feast doesn't have."""
    made = []
    for one in list:
        kind = one["value_type"]
        number = kind if isinstance(kind, int) else ValueType.Enum.Value(kind)
        made.append(FeatureSpecV2(name=one["name"], value_type=number, description=one.get("description", "")))
    return made


def source_proto(source):
    proto = DataSource(name=source["name"], timestamp_field=source["timestamp_field"],
                       created_timestamp_column=source["created_timestamp_column"],
                       field_mapping=source["field_mapping"])  # fmt: skip
    if source["class"] == "PostgreSQLSource":
        proto.type = DataSource.CUSTOM_SOURCE
        proto.data_source_class_type = "feast.infra.offline_stores.contrib.postgres.PostgreSQLSource"
        proto.custom_options.configuration = json.dumps(source["configuration"]).encode()
    else:
        proto.type = DataSource.BATCH_FILE
    return proto


def projection_proto(projection, features):
    made = FeatureViewProjection(
        feature_view_name=projection["view"],
        feature_view_name_alias=projection.get("alias") or "",
        feature_columns=fields(features),
        join_key_map=projection.get("join_key_map", {}),
    )
    if projection.get("version") is not None:
        made.version_tag = projection["version"]
    return made


def view_proto(view, views=(), features=None):
    proto = KINDS[view["kind"]][0]()
    spec = proto.spec
    spec.name = view["name"]
    spec.project = view["project"]
    spec.description = view.get("description", "")
    spec.tags.update(view.get("tags", {}))
    spec.features.extend(fields(features or view["features"]))
    spec.entity_columns.extend(fields(view["join_keys"]))
    spec.entities.extend(view.get("entities", ["e_" + key["name"] for key in view["join_keys"]]))
    if view["kind"] != "label_view":
        spec.disabled = not view.get("enabled", True)
    if view["kind"] == "on_demand_feature_view":
        spec.write_to_online_store = view["write_to_online_store"]
        add_sources(spec, view, views)
    else:
        spec.online = view["online"]
        seconds = view.get("ttl_seconds", 0)
        spec.ttl.FromTimedelta(timedelta(seconds=seconds))
        if view.get("source"):
            where = spec.source if view["kind"] == "label_view" else spec.batch_source
            where.CopyFrom(source_proto(view["source"]))
    if view["kind"] != "label_view":
        proto.meta.current_version_number = view.get("version") or 0
    return proto


def add_sources(spec, view, views):
    for name, source in view["sources"].items():
        if "view" in source:
            (of,) = [one for one in views if one["name"] == source["view"]]
            named = {feature["name"]: feature for feature in of["features"]}
            asked = [named[feature] for feature in source["features"]]
            spec.sources[name].feature_view_projection.CopyFrom(projection_proto(source, asked))
        else:
            spec.sources[name].request_data_source.request_data_options.schema.extend(fields(source["request"]))
            spec.sources[name].request_data_source.type = DataSource.REQUEST_SOURCE
    spec.feature_transformation.user_defined_function.name = "f"
    spec.feature_transformation.user_defined_function.body_text = view.get("source_text", "def f(x):\n    return x\n")
    spec.mode = "python"


def service_proto(service, views):
    proto = FeatureService_pb2.FeatureService()
    proto.spec.name = service["name"]
    proto.spec.project = service["project"]
    proto.spec.description = service.get("description", "")
    for projection in service["projections"]:
        named = {}
        for view in views:
            if view["name"] == projection["view"]:
                named = {feature["name"]: feature for feature in view["join_keys"] + view["features"]}
        asked = [named.get(name, {"name": name, "value_type": "INT64"}) for name in projection["features"]]
        proto.spec.features.append(projection_proto(projection, asked))
    return proto


def registry_proto(project, views, services):
    """A whole registry of one project."""
    registry = Registry(registry_schema_version="1")
    made = Project()
    made.spec.name = project
    registry.projects.append(made)
    for view in views:
        getattr(registry, KINDS[view["kind"]][1]).append(view_proto(view, views))
        for number, features in view.get("history", {}).items():
            registry.feature_view_version_history.records.add(
                feature_view_name=view["name"],
                project_id=project,
                version_number=number,
                feature_view_type=view["kind"],
                feature_view_proto=view_proto(view, views, features).SerializeToString(),
            )
    for service in services:
        registry.feature_services.append(service_proto(service, views))
    return registry


TABLES = """
    CREATE TABLE projects (project_id text, project_name text, project_proto bytea);
    CREATE TABLE feature_views (project_id text, feature_view_name text, feature_view_proto bytea);
    CREATE TABLE stream_feature_views (LIKE feature_views);
    CREATE TABLE label_views (LIKE feature_views);
    CREATE TABLE on_demand_feature_views (LIKE feature_views);
    CREATE TABLE feature_services (project_id text, feature_service_name text, feature_service_proto bytea);
    CREATE TABLE feature_view_version_history (project_id text, feature_view_name text, version_number integer,
        feature_view_type text, feature_view_proto bytea);
"""


def store_as_tables(session, schema, registry):
    """The registry as Feast's SQL registry keeps it, of what IMPORT reads."""
    session.run("CREATE SCHEMA %s" % schema)
    session.run("SET search_path = " + schema)
    session.run(TABLES)
    for table in [table for _, table in KINDS.values()] + ["feature_services"]:
        for one in getattr(registry, table):
            row = [one.spec.project, one.spec.name, one.SerializeToString()]
            session.run("INSERT INTO %s VALUES (%%s, %%s, %%s)" % table, row)
    for one in registry.projects:
        session.run("INSERT INTO projects VALUES (%s, %s, %s)", [one.spec.name, one.spec.name, one.SerializeToString()])
    for one in registry.feature_view_version_history.records:
        session.run("INSERT INTO feature_view_version_history VALUES (%s, %s, %s, %s, %s)",
                    [one.project_id, one.feature_view_name, one.version_number, one.feature_view_type,
                     one.feature_view_proto])  # fmt: skip
    session.run("RESET search_path")
