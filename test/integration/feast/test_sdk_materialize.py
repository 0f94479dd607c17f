"""dynamo_fdw_materialize() writes the items that Feast's own materialize writes, of the same random rows."""

import os
import random
from datetime import datetime, timedelta, timezone

import pytest

from support import TIME, dynamodb, raw_items

SEEDS = [int(os.environ["RANDOM_LOADS"])] if os.environ.get("RANDOM_LOADS") else random.sample(range(10**6), 5)

START = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
KEYS = {"driver_id": "INT64", "city": "STRING"}
FEATURES = {"trips": "INT64", "rate": "DOUBLE", "name": "STRING", "active": "BOOL"}
COLUMNS = "driver_id bigint%s, city text%s, trips bigint, rate float8, name text, active boolean"


def make_rows(chooser):
    """No two of one key at one time: Feast's file source has no other way to decide."""
    rows = {}
    for number in range(chooser.choice([1, 20, 100])):
        time = START + timedelta(minutes=chooser.randrange(100), microseconds=chooser.choice([0, 0, 1, 500000]))
        row = {"driver_id": chooser.randrange(5), "city": chooser.choice(["Bern", "bern", "Zürich", ""])}
        rows[row["driver_id"], row["city"], time] = {
            **row,
            "trips": number * 10**14,
            "rate": chooser.choice([0.1, -0.0, 1e300]),
            "name": chooser.choice(["", "x", "ß" * 50]),
            "active": chooser.random() < 0.5,
            "event_timestamp": time,
        }
    return list(rows.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_items(session, project, feast, seed):
    print("RANDOM_LOADS=%d" % seed)
    chooser = random.Random(seed)
    rows = make_rows(chooser)
    minutes = sorted(chooser.sample(range(100), 2))
    start, end = (START + timedelta(minutes=minute) for minute in minutes)

    feast.apply("stats", KEYS, FEATURES)
    feast.materialize("stats", rows, start, end)
    expected = raw_items(project + ".stats")
    dynamodb().delete_table(TableName=project + ".stats")

    session.server(project)
    mark = " OPTIONS (entity_key 'true')"
    session.table("stats", COLUMNS % (mark, mark) + ", event_timestamp " + TIME, batch_source="rows")
    session.run("CREATE TABLE rows (%s, event_timestamp timestamptz)" % (COLUMNS % ("", "")))
    for row in rows:
        names = ", ".join(row)
        session.run("INSERT INTO rows (%s) VALUES (%s)" % (names, ", ".join(["%s"] * len(row))), list(row.values()))
    assert session.value("SELECT dynamo_fdw_materialize('stats', %s, %s)", [start, end]) == len(expected)
    assert raw_items(project + ".stats") == expected
    session.run("DROP TABLE rows")
