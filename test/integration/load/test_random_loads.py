"""Random sources, views and intervals, against what Python makes of them."""

import os
import random
from datetime import datetime, timedelta, timezone

import pytest

from support import TIME

SEEDS = [int(os.environ["RANDOM_LOADS"])] if os.environ.get("RANDOM_LOADS") else random.sample(range(10**6), 20)

START = datetime(2026, 3, 1, tzinfo=timezone.utc)

# Types of keys: (column, source's column, a value by number, that value as the column has it).
KEYS = [
    ("bigint", "bigint", lambda n: 2**60 + n, None),
    ("integer", "bigint", lambda n: n - 2, None),
    ("bigint", "smallint", lambda n: n, None),
    ("integer", "numeric", lambda n: n + 0.25, lambda value: int(value)),
    ("text", "text", lambda n: ["a", "A", "ä", "a ", "", "Z"][n], None),
    ("varchar(2)", "text", lambda n: ["a", "A", "ä", "a ", "a  ", "Z"][n], lambda value: value[:2]),
    ("text", "uuid", lambda n: "00000000-0000-4000-8000-00000000000%d" % n, None),
    ("bytea", "bytea", lambda n: bytes([n, 0]), None),
    ("timestamptz", "timestamp", lambda n: datetime(2026, 1, 1 + n), lambda value: value.replace(tzinfo=timezone.utc)),
]

# Types of event times and times of creation; a time is stored as this type has it.
TIMES = {
    "timestamptz": lambda time: time,
    "timestamp": lambda time: time.replace(tzinfo=None),
    "date": lambda time: time.date(),
}


class Program:
    """One source table and one view, made by a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.keys = [self.random.choice(KEYS) for _ in range(self.random.choice([0, 1, 1, 2, 3]))]
        self.time_type = self.random.choice(list(TIMES))
        self.created_type = self.random.choice([None, *TIMES])
        self.mapped = self.random.random() < 0.5
        self.rows = [self.row(number) for number in range(self.random.choice([0, 1, 30, 200]))]

    def time(self):
        """Few different ones, so that they tie; whole days at times, and the ends of intervals."""
        days = timedelta(days=self.random.randrange(6))
        return START + days + self.random.choice([0, 0, 1, 10**6, 36 * 10**8]) * timedelta(microseconds=1)

    def row(self, number):
        keys = [make(self.random.randrange(6)) for _, _, make, _ in self.keys]
        time = None if self.random.random() < 0.1 else self.time()
        created = None if self.random.random() < 0.3 else self.time()
        return keys, time, created, None if self.random.random() < 0.1 else number

    def source_columns(self):
        """(name, type) of the source table."""
        columns = [("K %d" % i if self.mapped else "k%d" % i, key[1]) for i, key in enumerate(self.keys)]
        columns += [("At" if self.mapped else "event_timestamp", self.time_type), ("number", "integer")]
        return columns + ([("created", self.created_type)] if self.created_type else [])

    def make(self, session):
        columns = self.source_columns()
        session.run("CREATE TABLE source (%s)" % ", ".join('"%s" %s' % column for column in columns))
        for keys, time, created, number in self.rows:
            values = [*keys, time and TIMES[self.time_type](time), number]
            if self.created_type:
                values.append(created and TIMES[self.created_type](created))
            marks = ", ".join("%s::" + kind for _, kind in columns)
            session.run("INSERT INTO source VALUES (%s)" % marks, values)
        options = {"created_timestamp_column": "created"} if self.created_type else {}
        if self.mapped:
            options["timestamp_field"] = "At"
        if not self.keys:
            options["entityless"] = "true"
        options["batch_source"] = self.random.choice(["source", "public.source", "(TABLE source)", "(SELECT * FROM source)"])
        session.table("view", self.view_columns(), **options)

    def view_columns(self):
        keys = []
        for i, (kind, _, _, _) in enumerate(self.keys):
            mapping = ", source_column 'K %d'" % i if self.mapped else ""
            keys.append("k%d %s OPTIONS (entity_key 'true'%s)" % (i, kind, mapping))
        self.random.shuffle(keys)
        return ", ".join([*keys, "number bigint", "event_timestamp " + TIME])

    # The model: what a time or a key is once it has been through its column.

    def stored_time(self, time, kind):
        if kind != "date":
            return time
        return datetime(time.year, time.month, time.day, tzinfo=timezone.utc)

    def stored_keys(self, keys):
        return tuple(convert(key) if convert else key for key, (_, _, _, convert) in zip(keys, self.keys))

    def winners(self, start, end):
        """For each key the numbers of rows of which any may win, with their event time."""
        best = {}
        for keys, time, created, number in self.rows:
            if time is None:
                continue
            time = self.stored_time(time, self.time_type)
            if not start <= time <= end:
                continue
            created = created and self.created_type and self.stored_time(created, self.created_type)
            rank = (time, created is not None, created or START)
            key = self.stored_keys(keys)
            if key not in best or rank > best[key][0]:
                best[key] = (rank, set())
            if rank == best[key][0]:
                best[key][1].add(number)
        return {key: (rank[0], numbers) for key, (rank, numbers) in best.items()}

    def interval(self):
        start, end = sorted([self.time(), self.time()])
        return start, end

    def found(self, session, keys):
        """What the view has for these keys: event time and number."""
        names = ["k%d" % i for i in range(len(self.keys))]
        condition = " AND ".join("%s = %%s::%s" % (name, kind) for name, (kind, _, _, _) in zip(names, self.keys))
        rows = session.run("SELECT event_timestamp, number FROM view WHERE " + (condition or "true"), list(keys))
        return rows[0] if rows else None


@pytest.mark.parametrize("seed", SEEDS)
def test_random_loads(session, project, seed):
    print("RANDOM_LOADS=%d" % seed)
    program = Program(seed)
    session.server(project)
    session.run("SET timezone = '%s'" % program.random.choice(["UTC", "America/Caracas", "Asia/Tokyo"]))
    program.make(session)
    try:
        state = {}
        all_keys = {program.stored_keys(row[0]) for row in program.rows}
        for _ in range(4):
            start, end = program.interval()
            winners = program.winners(start, end)
            rows = session.value("SELECT dynamo_fdw_materialize('view', %s, %s)", [start, end])
            assert rows == len(winners)
            state.update(winners)
            for key in all_keys:
                found = program.found(session, key)
                if key not in state:
                    assert found is None
                else:
                    assert found[0] == state[key][0]
                    assert found[1] in state[key][1]
    finally:
        session.run("DROP TABLE source")
