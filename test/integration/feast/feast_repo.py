"""A Feast repository made in code, over the same DynamoDB as the foreign tables."""

from datetime import timedelta

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource
from feast.repo_config import RepoConfig
from feast.types import Bool, Bytes, Float32, Float64, Int32, Int64, String, UnixTimestamp
from feast.value_type import ValueType

from support import REGION

# ValueType name: (feature type, column type)
SCALARS = {
    "BYTES": (Bytes, "bytea"),
    "STRING": (String, "text"),
    "INT32": (Int32, "integer"),
    "INT64": (Int64, "bigint"),
    "DOUBLE": (Float64, "double precision"),
    "FLOAT": (Float32, "real"),
    "BOOL": (Bool, "boolean"),
    "UNIX_TIMESTAMP": (UnixTimestamp, "timestamptz"),
}


class Repo:
    """A FeatureStore whose registry and sources lie in `path`."""

    def __init__(self, path, project, endpoint, version=3, **online_store):
        self.path = path
        self.project = project
        self.views = {}
        self.store = FeatureStore(
            config=RepoConfig(
                project=project,
                provider="local",
                registry=str(path / "registry.db"),
                online_store={"type": "dynamodb", "region": REGION, "endpoint_url": endpoint, **online_store},
                offline_store={"type": "file"},
                entity_key_serialization_version=version,
            )
        )

    def apply(self, name, keys, features):
        """Makes a feature view; `keys` and `features` map a name to a ValueType name."""
        entities = [
            Entity(name=key + "_entity", join_keys=[key], value_type=ValueType[kind]) for key, kind in keys.items()
        ]
        fields = [Field(name=field, dtype=SCALARS[kind][0]) for field, kind in {**keys, **features}.items()]
        view = FeatureView(
            name=name,
            entities=entities,
            schema=fields,
            ttl=timedelta(0),
            source=FileSource(path=str(self.path / (name + ".parquet")), timestamp_field="event_timestamp"),
        )
        source = pd.DataFrame({key: [] for key in keys} | {field: [] for field in features} | {"event_timestamp": []})
        source.to_parquet(self.path / (name + ".parquet"))
        self.store.apply([*entities, view])
        self.views[name] = features

    def write(self, view, rows):
        """Feast's online write of rows (dicts)."""
        self.store.write_to_online_store(view, df=pd.DataFrame(rows))

    def materialize(self, view, rows, start, end):
        """Puts rows into the view's source and has Feast materialize them."""
        pd.DataFrame(rows).to_parquet(self.path / (view + ".parquet"))
        self.store.materialize(start, end, feature_views=[view])

    def read(self, view, entities):
        """Feast's answer for entities (dicts of join keys): a dict of features each, None where not found."""
        names = list(self.views[view])
        response = self.store.get_online_features(["%s:%s" % (view, name) for name in names], entities)
        columns = response.to_dict()
        return [{name: columns[name][row] for name in names} for row in range(len(entities))]
