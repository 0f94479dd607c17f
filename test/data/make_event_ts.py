#!/usr/bin/env python3
"""Writes event_ts.json: texts of event_ts, their instant, and the text the extension writes for it."""

import json
import pathlib
import random
from datetime import datetime, timedelta, timezone

HERE = pathlib.Path(__file__).parent
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
FIRST = datetime(1, 1, 2, tzinfo=timezone.utc)  # a day from the ends: room for every offset
LAST = datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=timezone.utc)
MICROSECOND = timedelta(microseconds=1)


def case(when):
    """when is aware; its text is what Feast stores."""
    utc = when.astimezone(timezone.utc)
    return {"text": str(when), "micros": (when - EPOCH) // MICROSECOND, "utc": str(utc)}


def random_zone(rng):
    seconds = rng.choice([0, 0, rng.randrange(-86399, 86400), 900 * rng.randrange(-95, 96)])
    return timezone(timedelta(seconds=seconds))


def random_time(rng):
    near = rng.random() < 0.5  # half of them where real events are
    low, high = (EPOCH, EPOCH + timedelta(days=36525)) if near else (FIRST, LAST)
    when = low + MICROSECOND * rng.randrange((high - low) // MICROSECOND)
    if rng.random() < 0.5:
        when = when.replace(microsecond=0)
    return when.astimezone(random_zone(rng))


rng = random.Random(20240301)
edges = [
    "0001-01-01 00:00:00+00:00",
    "9999-12-31 23:59:59.999999+00:00",
    "1969-12-31 23:59:59.999999+00:00",
    "1970-01-01 00:00:00+00:00",
    "2000-02-29 12:00:00+00:00",
    "1900-02-28 23:59:59+00:00",
    "1900-03-01 00:00:00+00:00",
    "2024-02-29 23:59:59-23:59",
    "2024-12-31 23:59:59+23:59:59.999999",
]
golden = json.loads((HERE / "items.json").read_text())
texts = edges + [item["event_ts"]["S"] for entry in golden for item in entry["items"]]
cases = [case(datetime.fromisoformat(t)) for t in dict.fromkeys(texts)]
cases += [case(random_time(rng)) for _ in range(400)]

lines = ",\n".join(json.dumps(c) for c in cases)
(HERE / "event_ts.json").write_text(f"[\n{lines}\n]\n")
