"""Whole golden items, event timestamps and entity keys, through SQL both ways."""

import base64
import json
from datetime import datetime, timezone

import pytest

from golden import COLUMNS, MADE_OF_JSON, as_selected, column, entity_id, exactly, from_epoch, load, selected
from support import TIME, dynamodb, raw_items

ITEMS = load("items.json")
EVENT_TS = load("event_ts.json")
KEYS = load("entity_keys.json")
DUMMY = "__dummy_id"  # the key that an entityless view has in DynamoDB, and not in SQL


def by_name(case):
    return case["name"]


def entityless(keys):
    """The table option of a view without keys."""
    return {"entityless": "true"} if list(keys) == [DUMMY] else {}


def key_columns(keys):
    """Key columns in the order opposite to Feast's, which is that of the names; `keys` maps a name to a type."""
    names = sorted(keys.keys() - {DUMMY}, reverse=True)
    return ["\"%s\" %s OPTIONS (entity_key 'true')" % (name, COLUMNS[keys[name]]) for name in names]


def condition(names):
    return "WHERE " + " AND ".join('"%s" = %%s' % name for name in names) if names else ""


class View:
    """The foreign table of a case of items.json."""

    def __init__(self, session, project, case):
        spec = case["feature_view"]
        session.server(project, entity_key_serialization_version=case["entity_key_serialization_version"])
        keys = {key["name"]: key["value_type"] for key in spec["join_keys"]}
        self.name = spec["name"]
        self.remote = "%s.%s" % (project, self.name)
        self.keys = [key for key in keys if key != DUMMY]
        self.features = {feature["name"]: feature["value_type"] for feature in spec["schema"]}
        columns = [column(name, kind) for name, kind in self.features.items()]
        session.table(
            self.name, ", ".join([*columns, "event_timestamp " + TIME, *key_columns(keys)]), **entityless(keys)
        )

    def entity(self, answer):
        """The keys of an answer of online_read."""
        given = dict(zip(answer["join_keys"], answer["entity_values"]))
        return [given[key] for key in self.keys]

    def values(self, answer):
        """The features of an answer of online_read; what the item lacks is NULL."""
        given = answer["features"]
        return {
            name: as_selected(kind, given[name]["value"]) if name in given else None
            for name, kind in self.features.items()
        }


def from_dynamodb_json(item):
    """An item of items.json as boto3 takes and gives it."""
    values = {name: {"B": base64.b64decode(value["B"])} for name, value in item["values"]["M"].items()}
    return {**item, "values": {"M": values}}


@pytest.mark.parametrize("case", ITEMS, ids=by_name)
def test_items_are_read(session, project, case):
    view = View(session, project, case)
    for item in case["items"]:
        dynamodb().put_item(TableName=view.remote, Item=from_dynamodb_json(item))
    columns = ", ".join(selected(name, kind) for name, kind in view.features.items())
    query = "SELECT event_timestamp, %s FROM %s %s" % (columns, view.name, condition(view.keys))
    for answer in case["online_read"]:
        ((time, *values),) = session.run(query, view.entity(answer))
        assert time == datetime.fromisoformat(answer["event_ts"])
        assert exactly(dict(zip(view.features, values))) == exactly(view.values(answer))


@pytest.mark.parametrize("case", ITEMS, ids=by_name)
def test_items_are_written(session, project, case):
    """INSERT of what online_read gave writes the item again."""
    view = View(session, project, case)
    names = [*view.keys, "event_timestamp", *view.features]
    casts = [""] * (len(view.keys) + 1) + ["::" + COLUMNS[kind] for kind in view.features.values()]
    insert = "INSERT INTO %s (%s) VALUES (%s)" % (
        view.name,
        ", ".join('"%s"' % name for name in names),
        ", ".join("%s" + cast for cast in casts),
    )
    for answer in case["online_read"]:
        values = view.values(answer)
        for name, kind in view.features.items():
            if kind in MADE_OF_JSON:
                values[name] = json.dumps(values[name])
        session.run(insert, [*view.entity(answer), answer["event_ts"], *values.values()])
    assert raw_items(view.remote) == {item["entity_id"]["S"]: rewritten(view, item) for item in case["items"]}


def rewritten(view, item):
    """A golden item as INSERT writes it: the event time in UTC, and every column, if only a null."""
    item = from_dynamodb_json(item)
    utc = datetime.fromisoformat(item["event_ts"]["S"]).astimezone(timezone.utc)
    nulls = {name: {"B": b""} for name in view.features}
    return {**item, "event_ts": {"S": str(utc)}, "values": {"M": {**nulls, **item["values"]["M"]}}}


def test_event_timestamps(session, project):
    """Every offset is read; UTC is written."""
    session.server(project)
    for name in ("one", "two"):
        session.table(name, "k text OPTIONS (entity_key 'true'), event_timestamp " + TIME)
    for case in EVENT_TS:
        item = {"entity_id": {"S": entity_id("k", case["text"])}, "event_ts": {"S": case["text"]}}
        dynamodb().put_item(TableName=project + ".one", Item=item)
    texts = [case["text"] for case in EVENT_TS]
    rows = session.run(
        "SELECT k, (extract(epoch FROM event_timestamp) * 1000000)::bigint FROM one WHERE k = ANY (%s)", [texts]
    )
    assert dict(rows) == {case["text"]: case["micros"] for case in EVENT_TS}
    session.run("INSERT INTO two SELECT * FROM one WHERE k = ANY (%s)", [texts])
    items = raw_items(project + ".two")
    written = {text: items[entity_id("k", text)]["event_ts"]["S"] for text in texts}
    assert written == {case["text"]: case["utc"] for case in EVENT_TS}


# What no golden item has: the event_ts of an item, or None for none, and what is read.
ODD_EVENT_TS = [
    ("2024-03-01 10:20:30.123456999+00:00", "2024-03-01 10:20:30.123456"),  # nine digits, from pandas; cut off
    ("1969-12-31 23:59:59.999999999+00:00", "1969-12-31 23:59:59.999999"),
    ("NaT", None),
    (None, None),
]


@pytest.mark.parametrize("values", [{"M": {"x": {"B": b"\x20\x05"}}}, {"M": {}}, None])
@pytest.mark.parametrize("event_ts, wanted", ODD_EVENT_TS)
def test_what_is_missing_does_not_keep_the_rest_from_being_read(session, project, event_ts, wanted, values):
    session.server(project)
    session.table("odd", "k text OPTIONS (entity_key 'true'), at %s, x bigint" % TIME)
    item = {"entity_id": {"S": entity_id("k", "")}}
    if event_ts is not None:
        item["event_ts"] = {"S": event_ts}
    if values is not None:
        item["values"] = values
    dynamodb().put_item(TableName=project + ".odd", Item=item)
    x = 5 if values and values["M"] else None
    assert session.run("SELECT (at AT TIME ZONE 'UTC')::text, x FROM odd WHERE k = ''") == [(wanted, x)]


def key_value(value):
    if value["value_type"] == "BYTES":
        return bytes.fromhex(value["value_hex"])
    return from_epoch(value["value"]) if value["value_type"] == "UNIX_TIMESTAMP" else value["value"]


@pytest.mark.parametrize("case", KEYS, ids=by_name)
def test_entity_keys(session, project, case):
    session.server(project, entity_key_serialization_version=case["version"])
    kinds = {name: value["value_type"] for name, value in zip(case["join_keys"], case["values"])}
    session.table("keyed", ", ".join(["x bigint", *key_columns(kinds)]), **entityless(kinds))
    keys = {name: key_value(value) for name, value in zip(case["join_keys"], case["values"]) if name != DUMMY}
    names = ", ".join('"%s"' % name for name in ["x", *keys])
    session.run("INSERT INTO keyed (%s) VALUES (7%s)" % (names, ", %s" * len(keys)), list(keys.values()))
    assert list(raw_items(project + ".keyed")) == [case["entity_id"]]
    row = session.run("SELECT %s FROM keyed %s" % (names, condition(keys)), list(keys.values()))
    assert row == [(7, *keys.values())]
