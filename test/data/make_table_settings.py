#!/usr/bin/env python3
"""Writes table_settings.json: bodies of requests about tables as boto3 sends them. Needs boto3."""

import json
import pathlib

import boto3
from botocore.awsrequest import AWSResponse


class Answer:
    def stream(self, **_):
        yield b"{}"


sent = []
cases = []


def capture(request, **_):
    target = request.headers["X-Amz-Target"].decode().split(".")[1]
    sent.append((target, json.loads(request.body)))
    return AWSResponse(request.url, 200, {"content-type": "application/x-amz-json-1.0"}, Answer())


client = boto3.client("dynamodb", region_name="us-west-2", aws_access_key_id="x", aws_secret_access_key="x")
client.meta.events.register("before-send.dynamodb", capture)

TABLE = "golden.driver_stats"
ARN = f"arn:aws:dynamodb:us-west-2:123456789012:table/{TABLE}"
KEY_ARN = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def record(**fields):
    op, body = sent.pop()
    cases.append({"op": op, **fields, "body": body})


def tag_list(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def create(wanted, tags=None, **params):
    """The same settings twice: as our options, and as parameters of boto3."""
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "entity_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "entity_id", "AttributeType": "S"}],
        **{"BillingMode": "PAY_PER_REQUEST", **params},
        **({"Tags": tag_list(tags)} if tags else {}),
    )
    record(wanted=wanted, **({"tags": tags} if tags else {}))


def update(setting, wanted, shown, **params):
    client.update_table(TableName=TABLE, **params)
    record(setting=setting, wanted=wanted, shown=shown)


def provisioned(read, write):
    return {
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write},
    }


def ceilings(**units):
    names = {"read": "MaxReadRequestUnits", "write": "MaxWriteRequestUnits"}
    return {"OnDemandThroughput": {names[which]: n for which, n in units.items()}}


def warm(**units):
    names = {"read": "ReadUnitsPerSecond", "write": "WriteUnitsPerSecond"}
    return {"WarmThroughput": {names[which]: n for which, n in units.items()}}


def stream(view):
    return {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": view}}


NO_STREAM = {"StreamSpecification": {"StreamEnabled": False}}


def encryption(**key):
    return {"SSESpecification": {"Enabled": True, "SSEType": "KMS", **key}}


NO_ENCRYPTION = {"SSESpecification": {"Enabled": False}}
BOTH_WARM = "ReadUnitsPerSecond=15000,WriteUnitsPerSecond=5000"
ON_DEMAND = {"billing_mode": "PAY_PER_REQUEST"}
VIEWS = "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"
CLASSES = "STANDARD", "STANDARD_INFREQUENT_ACCESS"
KEYS = KEY_ARN, "1234abcd-12ab-34cd-56ef-1234567890ab", "mrk-1234abcd12ab34cd56ef1234567890ab", "alias/feast"
# in the order of their bytes
UNICODE_TAGS = {"Team": "b", "team": "sökande 検索", "ключ": "", "😀": "a b_c.d:e/f=g+h-i@j"}

# ---- one setting of a new table ----
create({})
create(ON_DEMAND)
create({"billing_mode": "PROVISIONED", "read_capacity": 5, "write_capacity": 7}, **provisioned(5, 7))
create({"max_read_units": 100}, **ceilings(read=100))
create({"max_write_units": 40000}, **ceilings(write=40000))
create({"max_read_units": 100, "max_write_units": -1}, **ceilings(read=100))
create({"max_read_units": -1, "max_write_units": -1})
create({**ON_DEMAND, "max_read_units": 1, "max_write_units": 999999999999}, **ceilings(read=1, write=999999999999))
for on in False, True:
    create({"deletion_protection": on}, DeletionProtectionEnabled=on)
for table_class in CLASSES:
    create({"table_class": table_class}, TableClass=table_class)
create({"stream_view_type": "NONE"})
for view in VIEWS:
    create({"stream_view_type": view}, **stream(view))
create({"sse_kms_key": "AWS_OWNED"})
create({"sse_kms_key": "alias/aws/dynamodb"}, **encryption())
for key in KEYS:
    create({"sse_kms_key": key}, **encryption(KMSMasterKeyId=key))
create({"warm_throughput": "ReadUnitsPerSecond=15000"}, **warm(read=15000))
create({"warm_throughput": "WriteUnitsPerSecond=5000"}, **warm(write=5000))
create({"warm_throughput": BOTH_WARM}, **warm(read=15000, write=5000))
create({"point_in_time_recovery": True})
create({}, {"team": "search"})
create({}, UNICODE_TAGS)

# ---- several ----
create(
    {
        "deletion_protection": True,
        "table_class": "STANDARD_INFREQUENT_ACCESS",
        "billing_mode": "PROVISIONED",
        "read_capacity": 12000,
        "write_capacity": 4000,
        "stream_view_type": "NEW_AND_OLD_IMAGES",
        "sse_kms_key": KEY_ARN,
        "warm_throughput": BOTH_WARM,
        "point_in_time_recovery": True,
    },
    UNICODE_TAGS,
    **provisioned(12000, 4000),
    **stream("NEW_AND_OLD_IMAGES"),
    **encryption(KMSMasterKeyId=KEY_ARN),
    **warm(read=15000, write=5000),
    DeletionProtectionEnabled=True,
    TableClass="STANDARD_INFREQUENT_ACCESS",
)
create(
    {
        "deletion_protection": False,
        "table_class": "STANDARD",
        "max_read_units": 10,
        "max_write_units": 20,
        "stream_view_type": "NONE",
        "sse_kms_key": "AWS_OWNED",
    },
    {"a": "1", "b": "2"},
    **ceilings(read=10, write=20),
    DeletionProtectionEnabled=False,
    TableClass="STANDARD",
)

# ---- changes ----
for on in False, True:
    update("deletion_protection", {"deletion_protection": on}, {}, DeletionProtectionEnabled=on)
for table_class in CLASSES:
    update("table_class", {"table_class": table_class}, {}, TableClass=table_class)

FIVE = {"billing_mode": "PROVISIONED", "read_capacity": 5, "write_capacity": 5}
update("billing_mode", {**FIVE, "read_capacity": 6}, FIVE, **provisioned(6, 5))
update("billing_mode", FIVE, ON_DEMAND, **provisioned(5, 5))
update("billing_mode", FIVE, {**ON_DEMAND, "max_read_units": 3}, **provisioned(5, 5))
update("billing_mode", ON_DEMAND, FIVE, BillingMode="PAY_PER_REQUEST")
update("billing_mode", ON_DEMAND, {}, BillingMode="PAY_PER_REQUEST")
update("billing_mode", {"max_read_units": 9}, FIVE, BillingMode="PAY_PER_REQUEST", **ceilings(read=9, write=-1))
# of ceilings both are named, as DynamoDB Local wants it
update("billing_mode", {"max_read_units": 9}, ON_DEMAND, **ceilings(read=9, write=-1))
update("billing_mode", {"max_write_units": 9}, {**ON_DEMAND, "max_read_units": 3}, **ceilings(read=3, write=9))
both_high = {**ON_DEMAND, "max_read_units": 30, "max_write_units": 40}
update("billing_mode", {"max_read_units": -1}, both_high, **ceilings(read=-1, write=40))
update("billing_mode", {"max_read_units": 1, "max_write_units": -1}, both_high, **ceilings(read=1, write=-1))

for view in VIEWS:
    update("stream_view_type", {"stream_view_type": view}, {"stream_view_type": "NONE"}, **stream(view))
    update("stream_view_type", {"stream_view_type": "NONE"}, {"stream_view_type": view}, **NO_STREAM)
# another view: the stream is switched off first
update("stream_view_type", {"stream_view_type": "NEW_IMAGE"}, {"stream_view_type": "OLD_IMAGE"}, **NO_STREAM)

update("sse_kms_key", {"sse_kms_key": "AWS_OWNED"}, {"sse_kms_key": KEY_ARN}, **NO_ENCRYPTION)
update("sse_kms_key", {"sse_kms_key": "alias/aws/dynamodb"}, {"sse_kms_key": "AWS_OWNED"}, **encryption())
for key in KEYS:
    update("sse_kms_key", {"sse_kms_key": key}, {"sse_kms_key": "AWS_OWNED"}, **encryption(KMSMasterKeyId=key))

COLD = {"warm_throughput": "ReadUnitsPerSecond=12000,WriteUnitsPerSecond=4000"}
update("warm_throughput", {"warm_throughput": "ReadUnitsPerSecond=15000"}, COLD, **warm(read=15000))
update("warm_throughput", {"warm_throughput": "WriteUnitsPerSecond=5000"}, COLD, **warm(write=5000))
update("warm_throughput", {"warm_throughput": BOTH_WARM}, COLD, **warm(read=15000, write=5000))
# it can't be lowered: what is warmer than wanted is asked for as it is
WARMER = {"warm_throughput": "ReadUnitsPerSecond=12000,WriteUnitsPerSecond=6000"}
update("warm_throughput", {"warm_throughput": BOTH_WARM}, WARMER, **warm(read=15000, write=6000))

# ---- recovery, time to live, tags, and what only names a table ----
for on in False, True:
    client.update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on}
    )
    record(wanted={"point_in_time_recovery": on})
client.update_time_to_live(
    TableName=TABLE, TimeToLiveSpecification={"Enabled": True, "AttributeName": 'expires "ät"'}
)
record(attribute='expires "ät"')
client.list_tags_of_resource(ResourceArn=ARN)
record()
client.list_tags_of_resource(ResourceArn=ARN, NextToken='to"ken\\ ü')
record(next_token='to"ken\\ ü')
for tags in {"team": "search"}, UNICODE_TAGS, {f"tag{i:02}": str(i) for i in range(50)}:
    client.tag_resource(ResourceArn=ARN, Tags=tag_list(tags))
    record(tags=tags)
    client.untag_resource(ResourceArn=ARN, TagKeys=list(tags))
    record(tags=tags)
client.describe_table(TableName=TABLE)
record()
client.describe_continuous_backups(TableName=TABLE)
record()
client.delete_table(TableName=TABLE)
record()

lines = ",\n".join(json.dumps(c) for c in cases)
pathlib.Path(__file__).with_name("table_settings.json").write_text(f"[\n{lines}\n]\n")
