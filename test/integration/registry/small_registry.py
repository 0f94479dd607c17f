"""Small registries in Feast's own bytes, to be edited between applies."""

from datetime import timedelta

from feast.protos.feast.core.DataSource_pb2 import DataSource
from feast.protos.feast.core.Feature_pb2 import FeatureSpecV2
from feast.protos.feast.core.FeatureService_pb2 import FeatureService
from feast.protos.feast.core.FeatureView_pb2 import FeatureView
from feast.protos.feast.core.FeatureViewProjection_pb2 import FeatureViewProjection
from feast.protos.feast.core.OnDemandFeatureView_pb2 import OnDemandFeatureView
from feast.protos.feast.core.Project_pb2 import Project
from feast.protos.feast.core.Registry_pb2 import Registry
from feast.protos.feast.types.Value_pb2 import ValueType


def field(name, kind="INT64", description=""):
    return FeatureSpecV2(name=name, value_type=ValueType.Enum.Value(kind), description=description)


def fields(kinds):
    """Of {"trips": "INT64"}."""
    return [field(name, kind) for name, kind in kinds.items()]


def set_fields(where, kinds):
    del where[:]
    where.extend(fields(kinds))


def view(project, name, features, keys=None, online=True, disabled=False, description="", ttl=0, version=0, tags=None):
    """A feature view, by `driver_id` if nothing else is said; {} has no keys."""
    keys = {"driver_id": "INT64"} if keys is None else keys
    proto = FeatureView()
    proto.spec.name = name
    proto.spec.project = project
    proto.spec.description = description
    proto.spec.online = online
    proto.spec.disabled = disabled
    proto.spec.tags.update(tags or {})
    proto.spec.ttl.FromTimedelta(timedelta(seconds=ttl))
    proto.spec.features.extend(fields(features))
    set_keys(proto, keys)
    proto.meta.current_version_number = version
    return proto


def set_keys(proto, keys):
    del proto.spec.entities[:]
    proto.spec.entities.extend(["e_" + name for name in keys] or ["__dummy"])
    set_fields(proto.spec.entity_columns, keys or {"__dummy_id": "STRING"})


def set_source(proto, table, mapping=None, timestamp="ts", created=""):
    """A table of PostgreSQL that the view is loaded from."""
    source = DataSource(name="src", type=DataSource.CUSTOM_SOURCE, timestamp_field=timestamp, created_timestamp_column=created)
    source.field_mapping.update(mapping or {})
    source.data_source_class_type = "feast.infra.offline_stores.contrib.postgres.PostgreSQLSource"
    source.custom_options.configuration = b'{"name": "src", "query": "", "table": "%s"}' % table.encode()
    proto.spec.batch_source.CopyFrom(source)


def projection(of, features=None, **options):
    """A view in a service: all of its features, or those that are named."""
    asked = [one for one in of.spec.features if features is None or one.name in features]
    return FeatureViewProjection(feature_view_name=of.spec.name, feature_columns=asked, **options)


def service(project, name, projections, description=""):
    proto = FeatureService()
    proto.spec.name = name
    proto.spec.project = project
    proto.spec.description = description
    proto.spec.features.extend(projections)
    return proto


def on_demand(project, name, inputs, outputs, request=None, text="def f(x):\n    return x\n", mode="python"):
    """An on-demand view, computed when it is asked for."""
    proto = OnDemandFeatureView()
    proto.spec.name = name
    proto.spec.project = project
    proto.spec.features.extend(fields(outputs))
    for one in inputs:
        proto.spec.sources[one.feature_view_name].feature_view_projection.CopyFrom(one)
    if request:
        proto.spec.sources["request"].request_data_source.type = DataSource.REQUEST_SOURCE
        proto.spec.sources["request"].request_data_source.request_data_options.schema.extend(fields(request))
    proto.spec.feature_transformation.user_defined_function.name = "f"
    proto.spec.feature_transformation.user_defined_function.body_text = text
    proto.spec.mode = mode
    return proto


LISTS = {FeatureView: "feature_views", FeatureService: "feature_services", OnDemandFeatureView: "on_demand_feature_views"}


def registry(project, *objects):
    """A registry of one project, or of several that its name is a list of."""
    made = Registry(registry_schema_version="1")
    for name in [project] if isinstance(project, str) else project:
        one = Project()
        one.spec.name = name
        made.projects.append(one)
    for one in objects:
        getattr(made, LISTS[type(one)]).append(one)
    return made


def note_version(made, project, proto, number):
    """Adds the view as it is to the history of versions."""
    made.feature_view_version_history.records.add(
        feature_view_name=proto.spec.name,
        project_id=project,
        version_number=number,
        feature_view_type="feature_view",
        feature_view_proto=proto.SerializeToString(),
    )
