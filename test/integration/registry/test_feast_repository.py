"""A Feast repository and a schema that follows it: `feast apply`, dynamo_fdw_apply, reads and writes both ways."""

from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import pandas as pd
import pytest

from applied import actions, apply, columns, functions, tables
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource
from feast.repo_config import RepoConfig
from feast.types import Array, Bool, Float32, Float64, Int32, Int64, String, UnixTimestamp
from feast.value_type import ValueType
from support import REGION, dynamodb, raw_items, remote_tables

NOON = datetime(2024, 3, 1, 12, 0, 0, 250000, tzinfo=timezone.utc)
DRIVER = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
CITY = Entity(name="city", join_keys=["city"], value_type=ValueType.STRING)


class Repository:
    """A FeatureStore, whose sources lie in `path`."""

    def __init__(self, path, project, endpoint, registry):
        self.path = path
        self.store = FeatureStore(
            config=RepoConfig(
                project=project,
                provider="local",
                registry=registry,
                online_store={"type": "dynamodb", "region": REGION, "endpoint_url": endpoint},
                offline_store={"type": "file"},
                entity_key_serialization_version=3,
            )
        )

    def view(self, name, entities, schema, rows=None, **more):
        """A view, with its source's file."""
        path = str(self.path / (name + ".parquet"))
        empty = {field: [] for field in [*schema, "event_timestamp"]}
        pd.DataFrame(rows or empty).to_parquet(path)
        source = FileSource(name=name + "_file", path=path, timestamp_field="event_timestamp")
        fields = [Field(name=field, dtype=kind) for field, kind in schema.items()]
        return FeatureView(name=name, entities=entities, schema=fields, source=source, ttl=timedelta(0), **more)

    def read(self, features, entities):
        return self.store.get_online_features(features, entities).to_dict()


@pytest.fixture(params=["file", "sql"])
def repository(request, feast, tmp_path, project, proxy):
    """A repository with a registry of either kind, which the server knows of."""
    if request.param == "file":
        registry = str(tmp_path / "registry.db")
        feast.set_server(registry=registry)
        yield Repository(tmp_path, project, proxy.url, registry)
        return
    feast.run("DROP SCHEMA IF EXISTS of_feast CASCADE; CREATE SCHEMA of_feast")
    feast.set_server(registry="of_feast", registry_type="sql")
    info = feast.conn.info
    url = "postgresql+psycopg://%s@/%s?host=%s&port=%s&options=%s" % (
        info.user, info.dbname, quote(info.host), info.port, quote("-csearch_path=of_feast"),
    )  # fmt: skip
    repository = Repository(tmp_path, project, proxy.url, {"registry_type": "sql", "path": url, "cache_ttl_seconds": 0})
    yield repository
    del repository
    feast.run("DROP SCHEMA of_feast CASCADE")


STATS = {"driver_id": Int64, "trips": Int64, "rate": Float32}


def test_repository_and_schema_change_together(feast, project, repository):
    store = repository.store
    stats = repository.view("stats", [DRIVER], STATS, description="of a driver")
    weather = repository.view("weather", [CITY], {"city": String, "rain": Bool})
    service = FeatureService(name="ride", features=[stats[["trips"]], weather])
    store.apply([DRIVER, CITY, stats, weather, service])
    assert remote_tables(project) == ["stats", "weather"]
    feast.notices.clear()
    rows = apply(feast)
    assert actions(rows) == [
        ("comment", "stats", "create"), ("foreign table", "stats", "create"), ("foreign table", "weather", "create"),
        ("function", "ride", "create"),
    ]  # fmt: skip
    assert apply(feast) == []

    # both ways
    frame = pd.DataFrame([{"driver_id": 1, "trips": 10, "rate": 0.5, "event_timestamp": NOON}])
    store.write_to_online_store("stats", df=frame)
    assert feast.run("SELECT * FROM feast.stats WHERE driver_id = 1") == [(1, NOON, 10, 0.5)]
    feast.run("INSERT INTO feast.weather VALUES ('Wien', now(), true)")
    assert feast.run("SELECT * FROM feast.ride(ARRAY[1, 2], ARRAY['Wien', 'Graz'])") == [
        (1, "Wien", 10, True), (2, "Graz", None, None),
    ]  # fmt: skip
    entities = [{"driver_id": 1, "city": "Wien"}]
    assert repository.read(service, entities) == {"driver_id": [1], "city": ["Wien"], "trips": [10], "rain": [True]}

    # feast apply with changes
    stats = repository.view("stats", [DRIVER], {**STATS, "fares": Float64}, description="of a driver")
    more = repository.view("more", [DRIVER], {"driver_id": Int64, "x": Int32})
    service = FeatureService(name="ride", features=[stats])
    store.apply([DRIVER, CITY, stats, more, service], objects_to_delete=[weather], partial=False)
    assert remote_tables(project) == ["more", "stats"]
    planned = apply(feast, dry_run=True, prune=True)
    done = apply(feast, prune=True)
    assert [row for row in planned if row[0] != "remote table"] == done
    assert actions(done) == [
        ("column", "stats.fares", "add"), ("foreign table", "more", "create"), ("foreign table", "weather", "drop"),
        ("function", "ride", "replace"),
    ]  # fmt: skip
    assert apply(feast, prune=True) == []
    assert (tables(feast), functions(feast)) == (["more", "stats"], ["ride"])
    feast.run("INSERT INTO feast.stats (driver_id, event_timestamp, trips, fares) VALUES (2, now(), 3, 1.5)")
    assert repository.read(service, [{"driver_id": 2}]) == {"driver_id": [2], "trips": [3], "rate": [None], "fares": [1.5]}

    # type of a feature
    stats = repository.view("stats", [DRIVER], {**STATS, "fares": Array(String)}, description="of a driver")
    store.apply([stats, FeatureService(name="ride", features=[stats])])
    assert actions(apply(feast)) == [("column", "stats.fares", "alter"), ("function", "ride", "replace")]
    assert columns(feast, "feast.stats")["fares"] == "text[]"

KINDS = {"driver_id": Int64, "i": Int64, "h": Int32, "f": Float32, "d": Float64, "s": String, "b": Bool, "t": UnixTimestamp}


def test_insert_writes_the_bytes_of_materialize(feast, project, repository):
    rows = [
        {"driver_id": n, "i": n * 2**40, "h": -n, "f": n / 4, "d": n / 10, "s": "Zürich %d" % n, "b": n % 2 == 0,
         "t": NOON.replace(microsecond=0) + timedelta(days=n), "event_timestamp": NOON + timedelta(minutes=n)}
        for n in range(30)
    ]  # fmt: skip
    store = repository.store
    store.apply([DRIVER, repository.view("all_kinds", [DRIVER], KINDS, rows)])
    apply(feast)
    store.materialize(NOON - timedelta(days=1), NOON + timedelta(days=1), feature_views=["all_kinds"])
    by_feast = raw_items(project + ".all_kinds")
    assert len(by_feast) == len(rows)
    got = feast.run("SELECT * FROM feast.all_kinds WHERE driver_id = ANY (%s) ORDER BY 1", [list(range(30))])
    assert [row[0] for row in got] == list(range(30))
    for key in by_feast:
        dynamodb().delete_item(TableName=project + ".all_kinds", Key={"entity_id": {"S": key}})
    assert raw_items(project + ".all_kinds") == {}
    names = ["driver_id", "event_timestamp", *list(KINDS)[1:]]
    feast.conn.cursor().executemany(
        "INSERT INTO feast.all_kinds (%s) VALUES (%s)" % (", ".join(names), ", ".join(["%s"] * len(names))),
        [[row[name] for name in names] for row in rows],
    )
    assert raw_items(project + ".all_kinds") == by_feast
    # and after another materialize the registry still says the same
    assert apply(feast) == []
