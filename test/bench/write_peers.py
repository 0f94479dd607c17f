"""Writes as other clients do them; part of the process of peers.py.

They return nothing that tells what was written: write_check.py sees to that at the mock.
"""

from functools import lru_cache

import boto3
from feast.protos.feast.types.Value_pb2 import Value

from item import EVENT_TS, FEATURES, REGION, VALUES, VIEW, remote_table
from sdk import boto3_client, boto3_pool, entity_id, entity_key, feast_store

WRITE_BATCH = 25  # items in a request
MEMBERS = {"Float32": "float_val", "Int32": "int32_val", "Int64": "int64_val", "Float64": "double_val",
           "String": "string_val", "Bool": "bool_val"}


@lru_cache
def features():
    return {name: Value(**{MEMBERS[kind]: value}) for (name, kind, _, _), value in zip(FEATURES, VALUES)}


@lru_cache
def feast_rows(rows):
    return [(entity_key(driver), features(), EVENT_TS, None) for driver in range(1, rows + 1)]


@lru_cache
def ids(rows):
    return [entity_id(entity_key(driver)) for driver in range(1, rows + 1)]


@lru_cache
def values():
    return {name: value.SerializeToString() for name, value in features().items()}


@lru_cache
def resource_table(url):
    return boto3.resource("dynamodb", region_name=REGION, endpoint_url=url).Table(remote_table(VIEW))


@lru_cache
def pool_requests(rows):
    stored = {"M": {name: {"B": value} for name, value in values().items()}}
    puts = [
        {"PutRequest": {"Item": {"entity_id": {"S": one}, "event_ts": {"S": str(EVENT_TS)}, "values": stored}}}
        for one in ids(rows)
    ]
    return [{remote_table(VIEW): puts[i : i + WRITE_BATCH]} for i in range(0, rows, WRITE_BATCH)]


def online_write_batch(url, rows):
    feast = feast_store(url, (VIEW,))
    feast.online_store.online_write_batch(feast.store.config, feast.views[0], feast_rows(rows), None)


def batch_writer(url, rows):
    """One request after the other, as Feast does; but the values are serialized beforehand."""
    with resource_table(url).batch_writer() as batch:
        for one in ids(rows):
            batch.put_item(Item={"entity_id": one, "event_ts": str(EVENT_TS), "values": values()})


def pool(url, rows):
    """Ten threads, with all that boto3 is given made beforehand."""
    client = boto3_client(url)
    answers = boto3_pool().map(lambda items: client.batch_write_item(RequestItems=items), pool_requests(rows))
    return [answer["UnprocessedItems"] for answer in answers]


def check_nothing(result, rows):
    assert result is None


def check_pool(unprocessed, rows):
    assert unprocessed == [{}] * len(pool_requests(rows))


CLIENTS = {
    "online_write_batch": (online_write_batch, check_nothing),
    "batch_writer": (batch_writer, check_nothing),
    "pool": (pool, check_pool),
}
