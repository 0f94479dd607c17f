#!/usr/bin/env python3
"""Writes get_requests.json: bodies of BatchGetItem over several tables as boto3 sends them. Needs boto3."""

import json
import pathlib

import boto3
from botocore.awsrequest import AWSResponse


class Answer:
    def stream(self, **_):
        yield b"{}"


sent = []


def capture(request, **_):
    sent.append(json.loads(request.body))
    return AWSResponse(request.url, 200, {"content-type": "application/x-amz-json-1.0"}, Answer())


client = boto3.client("dynamodb", region_name="us-west-2", aws_access_key_id="x", aws_secret_access_key="x")
client.meta.events.register("before-send.dynamodb.BatchGetItem", capture)


def entry(table):
    """What is asked of a table, with placeholders as Feast makes them."""
    names = {"#entity_id": "entity_id"}
    paths = ["#entity_id"]
    if table["event_ts"]:
        names["#event_ts"] = "event_ts"
        paths.append("#event_ts")
    if table["features"]:
        names["#vals"] = "values"
    for i, feature in enumerate(table["features"]):
        names[f"#feat{i}"] = feature
        paths.append(f"#vals.#feat{i}")
    item = {
        "Keys": [{"entity_id": {"S": key}} for key in table["keys"]],
        "ProjectionExpression": ", ".join(paths),
        "ExpressionAttributeNames": names,
    }
    if table["consistent"]:
        item["ConsistentRead"] = True
    return item


def case(*tables):
    asked = {"RequestItems": {table["table"]: entry(table) for table in tables if table["keys"]}}
    if any(table["capacity"] for table in tables if table["keys"]):
        asked["ReturnConsumedCapacity"] = "TOTAL"
    client.batch_get_item(**asked)
    return {"tables": tables, "body": sent.pop()}


def table(name, nkeys, features=(), event_ts=False, consistent=False, capacity=False):
    keys = [f"{i * 0x9E3779B97F4A7C15:032x}" for i in range(1, nkeys + 1)]
    return {
        "table": name,
        "keys": keys,
        "features": list(features),
        "event_ts": event_ts,
        "consistent": consistent,
        "capacity": capacity,
    }


drivers = table("p.driver_stats", 3, ["trips", "conv_rate"], event_ts=True)
customers = table("p.customer", 2, ["na\u00efve", 'say "hi"\\'], consistent=True)
keys_only = table("p.keys-only", 1)
cases = [
    case(drivers),
    case(table("p.one", 1, ["a"], True, True, True)),
    case(drivers, customers),
    case(customers, drivers, keys_only),
    case(table("p.empty", 0, ["a"], capacity=True), drivers, table("p.none", 0)),
    case(drivers, table("p.metered", 1, ["trips"], capacity=True)),
    case(*(table(f"p.view_{i}", 10, [f"feature_{i}_{k}" for k in range(10)], True) for i in range(10))),
    case(*(table(f"p.t{i}", 1, ["a"]) for i in range(100))),
]
lines = ",\n".join(json.dumps(c) for c in cases)
pathlib.Path(__file__).with_name("get_requests.json").write_text(f"[\n{lines}\n]\n")
