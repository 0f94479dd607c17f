"""The join of entities with several feature views, as other clients do it; part of the process of peers.py."""

from functools import lru_cache

import psycopg

from item import BATCH, EVENT_TS, NAMES, SERVICE_VIEWS, VALUES, remote_table
from sdk import boto3_client, boto3_pool, entity_id, entity_key, feast_store


def feature_service(url, entities, views):
    feast = feast_store(url, tuple(SERVICE_VIEWS[:views]))
    drivers = list(range(1, entities + 1))
    return feast.store.get_online_features(feast.service, {"driver_id": drivers}, full_feature_names=True)


def check_feature_service(response, entities, views):
    columns = response.to_dict()
    assert columns["driver_id"] == list(range(1, entities + 1))
    for view in SERVICE_VIEWS[:views]:
        for name, value in zip(NAMES, VALUES):
            assert columns["%s__%s" % (view, name)] == [value] * entities


@lru_cache
def connection():
    return psycopg.connect(autocommit=True)


def fetch(client, table, ids):
    """The items of these entities, of which there are at most as many as a request takes."""
    items = []
    asked = {table: {"Keys": [{"entity_id": {"S": one}} for one in ids]}}
    while asked:
        answer = client.batch_get_item(RequestItems=asked)
        items += answer["Responses"][table]
        asked = answer["UnprocessedKeys"]
    return items


def by_hand(url, entities, views):
    """psycopg and boto3: a tuple for each entity, with its item of each view; no feature is decoded."""
    client = boto3_client(url)
    drivers = [driver for driver, in connection().execute("SELECT driver_id FROM entities_%d" % entities)]
    ids = {driver: entity_id(entity_key(driver)) for driver in drivers}
    asked = list(dict.fromkeys(ids.values()))
    tables = [remote_table(view) for view in SERVICE_VIEWS[:views]]
    requests = [(table, asked[i : i + BATCH]) for table in tables for i in range(0, len(asked), BATCH)]
    found = {table: {} for table in tables}
    for (table, _), items in zip(requests, boto3_pool().map(lambda request: fetch(client, *request), requests)):
        found[table].update((item["entity_id"]["S"], item) for item in items)
    return [(driver, *(found[table].get(ids[driver]) for table in tables)) for driver in drivers]


def check_by_hand(rows, entities, views):
    assert [row[0] for row in rows] == list(range(1, entities + 1))
    for row in rows:
        assert len(row) == 1 + views
        assert all(item["event_ts"]["S"] == str(EVENT_TS) and list(item["values"]["M"]) == NAMES for item in row[1:])


CLIENTS = {
    "feature_service": (feature_service, check_feature_service),
    "by_hand": (by_hand, check_by_hand),
}
