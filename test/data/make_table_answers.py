#!/usr/bin/env python3
"""Writes table_answers.json: what services answer about tables of certain settings, and what these are as options:

    make_table_answers.py ENDPOINT_OF_DYNAMODB_LOCAL ENDPOINT_OF_MOTO

Needs boto3. What a service does not keep, or does not know, is left out.
"""

import json
import pathlib
import sys

import boto3

TABLE = "golden.settings"
KEY_ARN = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
answers = []
cases = []


def units(read, write):
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def ceilings(read, write):
    return {"OnDemandThroughput": {"MaxReadRequestUnits": read, "MaxWriteRequestUnits": write}}


def stream(view):
    return {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": view}}


def encryption(**key):
    return {"SSESpecification": {"Enabled": True, "SSEType": "KMS", **key}}


ON_DEMAND = {"BillingMode": "PAY_PER_REQUEST"}
VIEWS = "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"
LOCAL = ["DynamoDB Local"]
MOTO = ["moto"]
BOTH = LOCAL + MOTO
WARM = "ReadUnitsPerSecond=15000,WriteUnitsPerSecond=5000"
FIVE = {"billing_mode": "PROVISIONED", "read_capacity": 5, "write_capacity": 7}

# of a new table what is asked for, the options that it has, and who shows them
NEW = [
    (ON_DEMAND, {}, BOTH),
    ({"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(5, 7)}, FIVE, LOCAL),
    (
        {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(5, 7)},
        {**FIVE, "warm_throughput": "ReadUnitsPerSecond=5,WriteUnitsPerSecond=7"},
        MOTO,
    ),
    ({**ON_DEMAND, **ceilings(100, 200)}, {"max_read_units": 100, "max_write_units": 200}, LOCAL),
    ({**ON_DEMAND, "DeletionProtectionEnabled": True}, {"deletion_protection": True}, BOTH),
    *(({**ON_DEMAND, **stream(view)}, {"stream_view_type": view}, BOTH) for view in VIEWS),
    ({**ON_DEMAND, **encryption(KMSMasterKeyId=KEY_ARN)}, {"sse_kms_key": KEY_ARN}, MOTO),
    (
        {**ON_DEMAND, "WarmThroughput": {"ReadUnitsPerSecond": 15000, "WriteUnitsPerSecond": 5000}},
        {"warm_throughput": WARM},
        MOTO,
    ),
]
# the same of changes of one table, in this order
CHANGES = [
    ({"DeletionProtectionEnabled": True}, {"deletion_protection": True}, BOTH),
    ({"DeletionProtectionEnabled": False}, {}, BOTH),
    ({"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(5, 7)}, FIVE, BOTH),
    ({"BillingMode": "PAY_PER_REQUEST"}, {}, LOCAL),
    # moto goes on showing the units
    ({"BillingMode": "PAY_PER_REQUEST"}, {"read_capacity": 5, "write_capacity": 7}, MOTO),
    (ceilings(9, 8), {"max_read_units": 9, "max_write_units": 8}, LOCAL),
    (ceilings(-1, -1), {}, LOCAL),
    (stream("NEW_IMAGE"), {"stream_view_type": "NEW_IMAGE"}, LOCAL),
    ({"StreamSpecification": {"StreamEnabled": False}}, {}, LOCAL),
    (
        {"WarmThroughput": {"ReadUnitsPerSecond": 15000}},
        {"read_capacity": 5, "write_capacity": 7, "warm_throughput": "ReadUnitsPerSecond=15000"},
        MOTO,
    ),
]


def capture(response_dict, **_):
    answers.append(response_dict["body"].decode())


def drop(client):
    existing = client.list_tables()["TableNames"]
    if TABLE in existing:
        client.update_table(TableName=TABLE, DeletionProtectionEnabled=False)
        client.delete_table(TableName=TABLE)


def create(client, asked):
    drop(client)
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "entity_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "entity_id", "AttributeType": "S"}],
        **asked,
    )


def record(service, op, **expected):
    cases.append({"service": service, "op": op, **expected, "answer": answers[-1]})


def record_table(service, op, options):
    warmth = {"warm_throughput": "ReadUnitsPerSecond=12000,WriteUnitsPerSecond=4000"} if service == "moto" else {}
    record(service, op, shown={**warmth, **options})


def record_tables(service, client):
    for asked, options, services in NEW:
        if service in services:
            create(client, asked)
            record_table(service, "CreateTable", options)
            client.describe_table(TableName=TABLE)
            record_table(service, "DescribeTable", options)
    create(client, ON_DEMAND)
    for asked, options, services in CHANGES:
        if service in services:
            client.update_table(TableName=TABLE, **asked)
            record_table(service, "UpdateTable", options)
            client.describe_table(TableName=TABLE)
            record_table(service, "DescribeTable", options)


def record_backups(service, client):
    client.describe_continuous_backups(TableName=TABLE)
    record(service, "DescribeContinuousBackups", recovery=False)
    for on in True, False:
        client.update_continuous_backups(
            TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on}
        )
        record(service, "UpdateContinuousBackups", recovery=on)
        client.describe_continuous_backups(TableName=TABLE)
        record(service, "DescribeContinuousBackups", recovery=on)


def record_tags(service, client):
    arn = client.describe_table(TableName=TABLE)["Table"]["TableArn"]
    tags = {f"tag{i:02}": f"v\u00e4rde {i}" for i in range(15)}
    pages = [dict(list(tags.items())[:10]), dict(list(tags.items())[10:])]
    client.list_tags_of_resource(ResourceArn=arn)
    record(service, "ListTagsOfResource", tags={}, more=False)
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    record(service, "TagResource")
    token = client.list_tags_of_resource(ResourceArn=arn)["NextToken"]
    record(service, "ListTagsOfResource", tags=pages[0], more=True)
    client.list_tags_of_resource(ResourceArn=arn, NextToken=token)
    record(service, "ListTagsOfResource", tags=pages[1], more=False)
    client.untag_resource(ResourceArn=arn, TagKeys=list(tags))
    record(service, "UntagResource")


for service, endpoint in zip(BOTH, sys.argv[1:], strict=True):
    client = boto3.client(
        "dynamodb", region_name="us-west-2", endpoint_url=endpoint, aws_access_key_id="x", aws_secret_access_key="x"
    )
    client.meta.events.register("before-parse.dynamodb", capture)
    record_tables(service, client)
    if service == "moto":
        record_backups(service, client)
        record_tags(service, client)
    drop(client)
lines = ",\n".join(json.dumps(c) for c in cases)
pathlib.Path(__file__).with_name("table_answers.json").write_text(f"[\n{lines}\n]\n")
