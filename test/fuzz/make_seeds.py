#!/usr/bin/env python3
"""Writes the inputs that fuzzing starts from, a folder per target, from the data of the unit tests:

    make_seeds.py DATA OUT
"""
import hashlib
import json
import struct
import sys
from pathlib import Path

data, out = map(Path, sys.argv[1:])


def load(name):
    return json.loads((data / name).read_text())


def seed(target, content):
    folder = out / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(content).hexdigest()).write_bytes(content)


def seed_json(target, value):
    seed(target, json.dumps(value).encode())


for case in load("values.json") + load("values_wire.json"):
    seed("fuzz_value", bytes.fromhex(case["proto_hex"]))
    # what stands there for a MAP, a list or a ZONED_TIMESTAMP is its JSON form, too
    if isinstance(case.get("value"), (dict, list)):
        seed_json("fuzz_json", case["value"])
for key_type, key in ("INT64", -3), ("FLOAT", 1.5), ("BOOL", True), ("BYTES", "00ff"), ("UUID", "x"), ("null", None):
    seed_json("fuzz_json", [{"key_type": key_type, "key": key, "value": [1, 2.5, "\\\"\u00fc", None]}])
# around the deepest that is taken
for opening, closing, depths in ('{"a":', "}", (33, 34)), ("[", "]", (49, 50, 51)), ('[{"a":', "}]", (25, 26)):
    for depth in depths:
        seed("fuzz_json", (opening * depth + "1" + closing * depth).encode())

# The target's tables are p.t, p.u and p.none, and their features are among those of the first items.
for case in load("items.json"):
    keys = [{"entity_id": item["entity_id"]} for item in case["items"]]
    seed_json("fuzz_item_scan", {"Responses": {"p.t": case["items"]}, "UnprocessedKeys": {}})
    capacity = [{"TableName": "p.t", "CapacityUnits": 1.5, "x": [-0, 1e-7, True, None]}]
    seed_json("fuzz_item_scan", {"ConsumedCapacity": capacity, "Responses": {}})
    seed_json("fuzz_item_scan", {"Responses": {"p.t": []}, "UnprocessedKeys": {"p.t": {"Keys": keys}}})
    seed_json(
        "fuzz_item_scan",
        {
            "Responses": {"p.u": case["items"], "p.none": case["items"][:1], "p.t": case["items"][:2]},
            "UnprocessedKeys": {"p.t": {"Keys": keys[2:]}, "p.none": {"Keys": keys[1:], "ConsistentRead": True}},
            "ConsumedCapacity": [{"TableName": name, "CapacityUnits": 0.5} for name in ("p.u", "p.none", "p.t")],
        },
    )
    puts = [{"PutRequest": {"Item": item}} for item in case["items"]]
    seed_json("fuzz_ddb_reply", {"UnprocessedItems": {"p.t": puts}})

for step in load("requests.json")["steps"]:
    for request in step["requests"]:
        seed_json("fuzz_ddb_reply", request["response_body"])

for case in load("table_answers.json"):
    seed("fuzz_ddb_reply", case["answer"].encode())
shown = {"TableStatus": "ACTIVE", "TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS"}}
shown["SSEDescription"] = {"Status": "UPDATING", "SSEType": "KMS", "KMSMasterKeyArn": "arn:aws:kms:us-west-2:1:key/x"}
seed_json("fuzz_ddb_reply", {"Table": shown})
for case in load("table_settings.json"):
    settings = case.get("wanted", {})
    for text in settings.get("warm_throughput"), settings.get("sse_kms_key"):
        if text:
            seed("fuzz_settings", text.encode())
    for escaped in True, False:
        seed("fuzz_settings", json.dumps(case.get("tags", {}), ensure_ascii=escaped).encode())

for case in load("event_ts.json"):
    seed("fuzz_event_ts", case["text"].encode())

# version, then of each part: type, name, value; texts and bytes after their length
for case in load("entity_keys.json"):
    content = bytes([case["version"]])
    for name, value in zip(case["join_keys"], case["values"]):
        types = ["", "BYTES", "STRING", "INT32", "INT64", "", "", "", "UNIX_TIMESTAMP"]
        type_ = types.index(value["value_type"])
        if "value_hex" in value:
            raw = bytes.fromhex(value["value_hex"])
        elif type_ == 2:
            raw = value["value"].encode()
        else:
            raw = struct.pack("<q", value["value"])
        for text in name.encode(), raw:
            if len(text) > 255:
                break
        else:
            content += bytes([type_, len(name.encode())]) + name.encode() + bytes([len(raw)]) + raw
    seed("fuzz_entity_key", content)

for case in load("aws_credentials.json")["files"]:
    for text in case["files"].values():
        seed("fuzz_profiles", text.encode())
seed("fuzz_profiles", b"\xef\xbb\xbf[services x]\nsts =\n  endpoint_url = http://a\n[sso-session x]\nx = 1\n")

for case in load("aws_credentials.json")["credentials"]:
    for script in case, *case.get("later", []):
        for answer in script.get("http", []):
            body = answer.get("body", "").encode()
            seed("fuzz_sts" if body.startswith(b"<") else "fuzz_keys_reply", body)
wrapped = "<?xml version='1.0'?><!-- c --><r a='b'><ErrorResponse/><![CDATA[x]]>&amp;&lt;&gt;&quot;&apos;&#65;&#x1F600;</r>"
seed("fuzz_sts", wrapped.encode())
error = "<e:ErrorResponse><Error><Code>Throttling</Code><Message><![CDATA[a]]>&#10;AWS4-HMAC</Message></Error></e:ErrorResponse>"
seed("fuzz_sts", error.encode())
seed_json("fuzz_keys_reply", {"code": "AccessDeniedException", "message": "a\u009b\n"})
seed_json("fuzz_keys_reply", {"Code": "Failed", "Message": "a\u0000AWS4-HMAC", "x": [1, {"Token": None}]})

# an environment, and both files
for case in load("aws_credentials.json")["credentials"]:
    environment = dict(case.get("env", {}))
    if "profile" in case:
        environment["AWS_PROFILE"] = case["profile"]
    files = case.get("files", {})
    content = "".join("%s=%s\0" % variable for variable in environment.items()) + "\0"
    content += files.get("$HOME/.aws/config", "") + "\0" + files.get("$HOME/.aws/credentials", "")
    seed("fuzz_key_plan", content.encode())


def fields(message):
    """Number and content of a protobuf message's fields; only texts and messages are in Feast's registry itself."""
    pos = 0

    def varint():
        nonlocal pos
        value = shift = 0
        while True:
            byte = message[pos]
            pos += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while pos < len(message):
        number = varint() >> 3
        length = varint()
        yield number, message[pos : pos + length]
        pos += length


# whole registries, and objects after the number of their kind
for name in "registry", "registry2":
    whole = (data / name / "registry.db").read_bytes()
    seed("fuzz_registry", b"\xff" + whole)
    for number, content in fields(whole):
        if number in (17, 6, 14, 19, 8, 7):
            seed("fuzz_registry", bytes([(17, 6, 14, 19, 8, 7).index(number)]) + content)
