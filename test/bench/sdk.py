"""Feast's SDK and boto3, over a mock."""

import pathlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import lru_cache

import boto3
import feast.types
import pandas as pd
from botocore.config import Config
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource
from feast.infra.online_stores.helpers import compute_entity_id
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.repo_config import RepoConfig
from feast.value_type import ValueType

from item import FEATURES, NAMES, PROJECT, REGION

WORKERS = 10  # as Feast's max_read_workers


class Feast:
    """A feature store whose registry lies in a folder of its own: feature views, and a feature service of them all."""

    def __init__(self, url, names):
        self.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(self.folder.name)
        config = RepoConfig(
            project=PROJECT,
            provider="local",
            registry=str(path / "registry.db"),
            online_store={"type": "dynamodb", "region": REGION, "endpoint_url": url, "max_read_workers": WORKERS},
            offline_store={"type": "file"},
            entity_key_serialization_version=3,
        )
        self.store = FeatureStore(config=config)
        columns = ["driver_id"] + NAMES + ["event_timestamp"]
        pd.DataFrame({name: [] for name in columns}).to_parquet(path / "drivers.parquet")
        driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
        types = [("driver_id", "Int64")] + [(name, kind) for name, kind, _, _ in FEATURES]
        views = [
            FeatureView(
                name=name,
                entities=[driver],
                schema=[Field(name=name, dtype=getattr(feast.types, kind)) for name, kind in types],
                ttl=timedelta(0),
                source=FileSource(path=str(path / "drivers.parquet"), timestamp_field="event_timestamp"),
            )
            for name in names
        ]
        self.store.apply([driver, *views, FeatureService(name="service", features=views)])
        self.views = [self.store.get_feature_view(name) for name in names]
        self.service = self.store.get_feature_service("service")
        self.online_store = self.store._get_provider().online_store  # Feast has no public way to it


@lru_cache
def feast_store(url, names):
    return Feast(url, names)


def entity_key(driver):
    return EntityKey(join_keys=["driver_id"], entity_values=[Value(int64_val=driver)])


def entity_id(key):
    return compute_entity_id(key, entity_key_serialization_version=3)


@lru_cache
def boto3_client(url):
    config = Config(max_pool_connections=WORKERS)
    return boto3.client("dynamodb", region_name=REGION, endpoint_url=url, config=config)


@lru_cache
def boto3_pool():
    return ThreadPoolExecutor(WORKERS)
