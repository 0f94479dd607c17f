"""Prints the item of driver 1001 that test/quickstart.sql wrote, read by another client."""

import os

import boto3

# Feast names an item by a hash of its entity key; this one is driver_id = 1001 (INT64).
ENTITY_ID = "f3cfd4a822f245b63975464763babaec"

dynamodb = boto3.client(
    "dynamodb",
    endpoint_url=os.environ["DYNAMO_FDW_ENDPOINT"],
    region_name="us-west-2",
    aws_access_key_id="quickstart",
    aws_secret_access_key="quickstart",
)
item = dynamodb.get_item(TableName="rides.driver_hourly_stats", Key={"entity_id": {"S": ENTITY_ID}})["Item"]

print("entity_id", item["entity_id"]["S"])
print("event_ts ", item["event_ts"]["S"])
for feature, value in sorted(item["values"]["M"].items()):
    print("values   ", feature, "=", value["B"].hex(), "(feast.types.Value)")
