"""Other clients, in a process of their own: Feast's SDK and boto3.

Reads lines of JSON, {"url", "client", "arguments", "rounds"}, the first argument being the number of entities, and
answers each with a line: the milliseconds of each round.  What the last round read is checked, so that nobody is quick
by not reading.
"""

import json
import os
import sys
import time
from functools import lru_cache

import join_peers
import write_peers
from item import ACCESS_KEY, BATCH, EVENT_TS, NAMES, SECRET_KEY, VALUES, VIEW, remote_table
from sdk import WORKERS, boto3_client, boto3_pool, entity_id, entity_key, feast_store


@lru_cache
def entity_keys(entities):
    return [entity_key(driver) for driver in range(1, entities + 1)]


@lru_cache
def boto3_requests(entities):
    keys = [{"entity_id": {"S": entity_id(key)}} for key in entity_keys(entities)]
    return [{remote_table(VIEW): {"Keys": keys[i : i + BATCH]}} for i in range(0, entities, BATCH)]


def online_read(url, entities):
    feast = feast_store(url, (VIEW,))
    return feast.online_store.online_read(feast.store.config, feast.views[0], entity_keys(entities), NAMES)


def check_online_read(rows, entities):
    assert len(rows) == entities
    for event_ts, features in rows:
        assert event_ts == EVENT_TS
        assert [getattr(features[name], features[name].WhichOneof("val")) for name in NAMES] == VALUES


def get_online_features(url, entities):
    names = ["%s:%s" % (VIEW, name) for name in NAMES]
    return feast_store(url, (VIEW,)).store.get_online_features(names, {"driver_id": list(range(1, entities + 1))})


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
    items = [item for answer in answers for item in answer["Responses"][remote_table(VIEW)]]
    assert len({item["entity_id"]["S"] for item in items}) == entities
    assert all(list(item["values"]["M"]) == NAMES for item in items)


CLIENTS = {
    "online_read": (online_read, check_online_read),
    "get_online_features": (get_online_features, check_get_online_features),
    "boto3": (boto3_read, check_boto3_read),
    **join_peers.CLIENTS,
    **write_peers.CLIENTS,
}


@lru_cache
def open_connections(url, client, entities, *more):
    CLIENTS[client][0](url, min(entities, BATCH * WORKERS), *more)


def measure(url, client, arguments, rounds):
    read, check = CLIENTS[client]
    open_connections(url, client, *arguments)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        result = read(url, *arguments)
        times.append((time.perf_counter() - started) * 1000)
    check(result, *arguments)
    return times


def main():
    os.environ.update(AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY, FEAST_USAGE="False")
    out = sys.stdout
    sys.stdout = sys.stderr  # Feast prints
    for line in sys.stdin:
        print(json.dumps(measure(**json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    main()
