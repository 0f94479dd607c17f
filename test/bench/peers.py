"""Other clients, in a process of their own: Feast's SDK and boto3.

Reads lines of JSON, {"url", "client", "entities", "rounds"}, and answers each with a line: the milliseconds of each
round.  What the last round read is checked, so that nobody is quick by not reading.
"""

import json
import os
import pathlib
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import lru_cache

import boto3
import feast.types
import pandas as pd
from botocore.config import Config
from feast import Entity, FeatureStore, FeatureView, Field, FileSource
from feast.infra.online_stores.helpers import compute_entity_id
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.repo_config import RepoConfig
from feast.value_type import ValueType

from item import ACCESS_KEY, BATCH, EVENT_TS, FEATURES, NAMES, PROJECT, REGION, REMOTE_TABLE, SECRET_KEY, VALUES, VIEW

WORKERS = 10  # as Feast's max_read_workers


class Feast:
    """A feature store whose registry lies in a folder of its own."""

    def __init__(self, url):
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
        names = ["driver_id"] + NAMES + ["event_timestamp"]
        pd.DataFrame({name: [] for name in names}).to_parquet(path / "drivers.parquet")
        driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
        types = [("driver_id", "Int64")] + [(name, kind) for name, kind, _, _ in FEATURES]
        view = FeatureView(
            name=VIEW,
            entities=[driver],
            schema=[Field(name=name, dtype=getattr(feast.types, kind)) for name, kind in types],
            ttl=timedelta(0),
            source=FileSource(path=str(path / "drivers.parquet"), timestamp_field="event_timestamp"),
        )
        self.store.apply([driver, view])
        self.view = self.store.get_feature_view(VIEW)
        self.online_store = self.store._get_provider().online_store  # Feast has no public way to it


@lru_cache
def feast_store(url):
    return Feast(url)


@lru_cache
def entity_keys(entities):
    return [
        EntityKey(join_keys=["driver_id"], entity_values=[Value(int64_val=driver)])
        for driver in range(1, entities + 1)
    ]


@lru_cache
def boto3_client(url):
    config = Config(max_pool_connections=WORKERS)
    return boto3.client("dynamodb", region_name=REGION, endpoint_url=url, config=config)


@lru_cache
def boto3_pool():
    return ThreadPoolExecutor(WORKERS)


@lru_cache
def boto3_requests(entities):
    ids = [compute_entity_id(key, entity_key_serialization_version=3) for key in entity_keys(entities)]
    keys = [{"entity_id": {"S": entity_id}} for entity_id in ids]
    return [{REMOTE_TABLE: {"Keys": keys[i : i + BATCH]}} for i in range(0, entities, BATCH)]


def online_read(url, entities):
    store = feast_store(url)
    return store.online_store.online_read(store.store.config, store.view, entity_keys(entities), NAMES)


def check_online_read(rows, entities):
    assert len(rows) == entities
    for event_ts, features in rows:
        assert event_ts == EVENT_TS
        assert [getattr(features[name], features[name].WhichOneof("val")) for name in NAMES] == VALUES


def get_online_features(url, entities):
    names = ["%s:%s" % (VIEW, name) for name in NAMES]
    return feast_store(url).store.get_online_features(names, {"driver_id": list(range(1, entities + 1))})


def check_get_online_features(response, entities):
    columns = response.to_dict()
    assert columns["driver_id"] == list(range(1, entities + 1))
    for name, value in zip(NAMES, VALUES):
        assert columns[name] == [value] * entities


def boto3_read(url, entities):
    client = boto3_client(url)
    asked = boto3_requests(entities)
    return list(boto3_pool().map(lambda items: client.batch_get_item(RequestItems=items), asked))


def check_boto3_read(answers, entities):
    items = [item for answer in answers for item in answer["Responses"][REMOTE_TABLE]]
    assert len({item["entity_id"]["S"] for item in items}) == entities
    assert all(list(item["values"]["M"]) == NAMES for item in items)


CLIENTS = {
    "online_read": (online_read, check_online_read),
    "get_online_features": (get_online_features, check_get_online_features),
    "boto3": (boto3_read, check_boto3_read),
}


def measure(url, client, entities, rounds):
    read, check = CLIENTS[client]
    read(url, min(entities, BATCH * WORKERS))  # opens the connections
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        result = read(url, entities)
        times.append((time.perf_counter() - started) * 1000)
    check(result, entities)
    return times


def main():
    os.environ.update(AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY, FEAST_USAGE="False")
    out = sys.stdout
    sys.stdout = sys.stderr  # Feast prints
    for line in sys.stdin:
        print(json.dumps(measure(**json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    main()
