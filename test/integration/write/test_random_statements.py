"""Random programs write the same rows to foreign tables as to plain ones, and tell of them the same; what is broken off
writes no others.

The seed is fixed, so that a failure comes again; RANDOM_STATEMENTS="SEED NUMBER" tries others.
"""

import json
import os
import random
import re
import socket
import threading
from collections import Counter
from contextlib import suppress

import psycopg
import pytest

import faults
from random_statements import Statements
from random_world import CONTENT, TABLES, is_transactional, make_world, open_world
from support import Session, raw_items

SEED, NUMBER = map(int, (os.environ.get("RANDOM_STATEMENTS") or "1 150").split())
WORKER_KEYS = 10_000_000
FAULTS = [faults.unprocessed(0), faults.unprocessed(1), faults.unprocessed(2), faults.error("InternalServerError", 500)]
UPDATE_FAULTS = [
    faults.error("InternalServerError", 500),
    faults.error("ProvisionedThroughputExceededException"),
    faults.lose,
]
# What may come of an UPDATE whose answer was lost.
IN_DOUBT = "08007"
# PostgreSQL's error where a trigger changed the row at hand, of which DynamoDB knows nothing.
CHANGED_BY_TRIGGER = "27000"


class Runner:
    """Executes programs in one of the two schemas."""

    def __init__(self, database, schema, worker, role=None):
        self.session = Session(database)
        self.session.conn.prepare_threshold = None  # DEALLOCATE ALL is of ours alone
        if role:
            self.session.run("SET ROLE %s" % role)
        self.session.run("SET search_path = %s, public; SET plan_cache_mode = force_generic_plan" % schema)
        self.session.run("SET test.worker = '%s'" % worker)
        self.told = []  # by each step of the last program: the rows that plain tables told, ((table, key), values or None)

    def run(self, program, base):
        """What each step came to: rows, or an SQLSTATE; a failure in a block goes on to its end, as psql does."""
        self.session.run("SET test.base = %d" % base)
        self.told = []
        outcomes = []
        for step in program:
            self.session.notices.clear()
            outcomes.append(self.outcome(step))
            told = [message.partition("wrote ")[2] for _, message, _ in self.session.notices if "wrote " in message]
            self.told.append([((table, key), tuple(values) or None) for table, key, *values in map(json.loads, told)])
        self.session.run("ROLLBACK")
        return outcomes

    def outcome(self, step):
        try:
            rows = getattr(self, step.way.replace(" ", "_"))(step)
            return sorted(map(repr, rows)) if isinstance(rows, list) else rows
        except psycopg.Error as error:
            return error.sqlstate or "connection lost"

    def written(self):
        """All of them, in order."""
        return [row for rows in self.told for row in rows]

    def log(self):
        return self.session.run(
            "WITH d AS (DELETE FROM log WHERE worker = current_setting('test.worker') RETURNING seq, what)"
            " SELECT what FROM d ORDER BY seq"
        )

    # Ways to execute a statement.

    def plain(self, step):
        return self.session.run(step.sql)

    def prepared(self, step):
        text = re.search("'r[0-9]+'", step.sql)
        parameter = text[0] if text else "'none'"
        self.session.run("DEALLOCATE ALL")
        self.session.run("PREPARE p (text) AS " + step.sql.replace(parameter, "$1"))
        results = [self.session.run("EXECUTE p (%s)" % parameter) for _ in range(2)]
        return [sorted(rows, key=repr) if step.changes and step.has_rows else rows for rows in results]

    def explain(self, step):
        self.session.run("EXPLAIN (ANALYZE, VERBOSE) " + step.sql)

    def create_as(self, step):
        self.session.run("CREATE TEMPORARY TABLE made AS " + as_query(step.sql))
        rows = self.session.run("SELECT * FROM made")
        self.session.run("DROP TABLE made")
        return rows

    def copy(self, step):
        with self.session.conn.cursor().copy("COPY (%s) TO STDOUT" % step.sql) as copy:
            return list(copy.rows())

    def copy_from(self, step):
        cursor = self.session.conn.cursor()
        with cursor.copy(step.sql) as copy:
            for row in step.rows:
                copy.write_row(row)
        return cursor.rowcount

    def loop(self, step):
        return self.session.run("SELECT some_rows(%s, %s)", [step.sql, step.number])

    def string(self, step):
        """Several statements in one query string are one transaction."""
        self.session.run("SELECT 1; %s; SELECT 2" % step.sql)

    def declare(self, step):
        """A cursor that stays open."""
        self.session.run("CLOSE ALL")
        self.session.run("DECLARE c CURSOR %s FOR %s" % ("WITH HOLD" if step.number % 2 else "", step.sql))
        return self.session.run("FETCH %d FROM c" % step.number)

    def refcursor(self, step):
        self.session.run("CLOSE ALL")
        self.session.run("SELECT open_cursor(%s)", [step.sql])
        return self.session.run("FETCH %d FROM c" % step.number)

    def fetch(self, step):
        return self.session.run("FETCH %d FROM c" % step.number)


def as_query(sql):
    """CREATE TABLE AS takes no INSERT."""
    return sql if sql.startswith(("SELECT", "WITH")) else "WITH made AS (%s) SELECT * FROM made" % sql


class Worker:
    """Runs random programs on both, with keys of its own, and compares."""

    def __init__(self, database, number, role=None):
        self.random = random.Random("%d %d" % (SEED, number))
        self.statements = Statements(self.random)
        self.plain = Runner(database, "plain", number, role)
        self.feast = Runner(database, "feast", number, role)
        self.readers = {schema: Session(database) for schema in ("plain", "feast")}
        for schema, reader in self.readers.items():
            reader.run("SET search_path = %s, public" % schema)
        self.base = number * WORKER_KEYS
        self.bases = [self.base]
        self.before = {}
        self.kinds = Counter()

    def content(self, schema):
        rows = self.readers[schema].run(CONTENT, {"keys": list(range(self.base, self.base + 40))})
        found = {(table, key): (n, s, rest) for table, key, n, s, rest in rows}
        assert len(found) == len(rows)
        return found

    def next_keys(self):
        """What was in flight when a statement failed may still come: the keys are left alone."""
        self.base += 40
        self.bases.append(self.base)
        self.before = {}

    def step(self, proxy):
        program = self.statements.program(self.base)
        plain = self.plain.run(program, self.base)
        while self.random.random() < 0.5:
            operation = self.random.choice(["BatchWriteItem", "BatchWriteItem", "BatchGetItem", "UpdateItem"])
            proxy.fault(self.random.choice(UPDATE_FAULTS if operation == "UpdateItem" else FAULTS), operation=operation)
        feast = self.feast.run(program, self.base)
        proxy.heal()
        story = "\n".join("%r\n    plain %r\n    feast %r" % all for all in zip(program, plain, feast))
        logs = self.feast.log(), self.plain.log()
        story += "\nlogs: %s" % (logs,)
        if CHANGED_BY_TRIGGER in plain:
            self.next_keys()
            return
        in_doubt = IN_DOUBT in feast
        if not in_doubt:
            assert comparable(program, feast) == comparable(program, plain), story
            changes = any(step.changes for step in program)
            assert (sorted(logs[0]) == sorted(logs[1])) if changes else logs[0] == logs[1], story
        self.check(program, plain, feast, story, in_doubt)

    def check(self, program, plain_outcomes, outcomes, story, in_doubt):
        """Compares what is stored now, in DynamoDB too."""
        now, plain = self.content("feast"), self.content("plain")
        failed = self.statements.catches or any(map(is_failure, outcomes))
        undone = "ROLLBACK" in story or "put_and_commit" in story
        self.kinds["in doubt" if in_doubt else "failed" if failed else "undone" if undone else "done"] += 1
        if failed:
            self.check_subset(now, program, plain_outcomes, outcomes, story)
        elif undone:
            self.check_all(now, story)
        else:
            assert now == plain, story
        assert in_doubt or transactional(now) == transactional(plain), story
        if failed or undone:
            self.next_keys()
        else:
            self.before = now

    def check_all(self, now, story):
        """Without a failure all is written to DynamoDB, in spite of a ROLLBACK."""
        told = {key: values[:2] for key, values in self.before.items()}
        told.update(self.plain.written())
        told = {key: values for key, values in told.items() if values and not is_transactional(*key)}
        assert {key: values[:2] for key, values in now.items() if not is_transactional(*key)} == told, story

    def check_subset(self, now, program, plain_outcomes, outcomes, story):
        """After a failure each row is an older one or one that was to be written; of what succeeded none is missing.

        Where a change failed by itself, other rows may be changed than in PostgreSQL, whose order is another one.
        """
        loose = set()
        for step, outcome in zip(program, plain_outcomes):
            loose |= step.changes if is_failure(outcome) else set()
        due = set(self.before)
        for outcome, rows in zip(outcomes, self.plain.told):
            for key, values in rows:
                if values is None:
                    due.discard(key)
                elif not is_failure(outcome) and not is_transactional(*key) and not self.statements.catches:
                    due.add(key)
        due = {key for key in due if key[0] not in loose and not is_transactional(*key)}
        assert due <= set(now), story
        allowed = {key: {values[:2]} for key, values in self.before.items()}
        for key, values in self.plain.written():
            allowed.setdefault(key, set()).add(values)
        for key, values in now.items():
            assert key[0] in loose or values[:2] in allowed.get(key, ()), (key, values, story)


def comparable(program, outcomes):
    """Which row of a change fails first is not said."""
    return [
        "failed" if step.changes and is_failure(outcome) else outcome for step, outcome in zip(program, outcomes)
    ]


def is_failure(outcome):
    return isinstance(outcome, str)


def transactional(content):
    return {key: values for key, values in content.items() if is_transactional(*key)}


@pytest.fixture
def world(session, project, proxy):
    session.server(project, proxy.url, batch_size=3, max_write_workers=2, max_read_workers=2)
    session.set_server(total_max_retry_attempts=20)
    make_world(session)
    return session


def run_workers(workers, number, proxy):
    errors = []

    def run(worker):
        try:
            for _ in range(number):
                worker.step(proxy)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=[worker]) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_random_statements(world, database, project, proxy, new_role):
    role = new_role("feast")
    open_world(world, role)
    world.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (access_key_id 'FDWTEST', secret_access_key 'x')" % role)
    workers = [Worker(database, 1), Worker(database, 2, role)]
    run_workers(workers, NUMBER // 2, proxy)
    for worker in workers:
        assert worker.kinds["done"] > NUMBER / 5  # else it would say little
    # no row has another key than those
    keys = [key for worker in workers for base in worker.bases for key in range(base, base + 40)]
    world.run("SET search_path = feast, public")
    for table in TABLES:
        stored = len(raw_items("%s.%s" % (project, table)))
        where = "a = ANY (%s::bigint[]) AND b IN ('k0', 'k1', 'k2')" if table == "two" else "id = ANY (%s)"
        assert world.value("SELECT count(*) FROM %s WHERE %s" % (table, where), [keys]) == stored


def test_refused_statements(world):
    """What is not supported yet says so before it writes."""
    world.run("SET search_path = feast, public")
    changes = [
        "INSERT INTO {0} (id) VALUES (1) ON CONFLICT DO NOTHING",
    ]
    of_tables = [
        "MERGE INTO {0} USING (SELECT 1) q ON id = 1 WHEN MATCHED THEN DELETE",
    ]
    for name in ("one", "triggered", "parent", "low", "lower"):
        for sql in changes + (of_tables if name in TABLES or name == "parent" else []):
            assert world.fail(sql.format(name)).sqlstate == "0A000", sql.format(name)
    assert world.run("SELECT * FROM one WHERE id = 1") == []


# Ways to break a program off in the middle, each done by another thread.


def cancel(runner, admin):
    admin.run("SELECT pg_cancel_backend(%s)", [runner.session.pid])


def terminate(runner, admin):
    admin.run("SELECT pg_terminate_backend(%s)", [runner.session.pid])


def disconnect(runner, admin):
    with suppress(psycopg.Error), socket.socket(fileno=os.dup(runner.session.conn.fileno())) as sock:
        sock.shutdown(socket.SHUT_RDWR)


def break_off(worker, admin, proxy, way):
    """Runs a program with a disturbance; what is written must be of it, and the session go on or be gone."""
    runner = worker.feast
    program = worker.statements.program(worker.base)
    plain = worker.plain.run(program, worker.base)
    proxy.latency = worker.random.choice([0, 0.01])
    after = worker.random.uniform(0.001, 0.06)
    if way is None:
        runner.session.run("SET statement_timeout = %d" % (after * 1000))
    timer = threading.Timer(after, way, [runner, admin]) if way else None
    if timer:
        timer.start()
    try:
        outcomes = runner.run(program, worker.base)
    except psycopg.Error as error:  # of the ROLLBACK behind it
        outcomes = [str(error)]
    if timer:
        timer.join()
    story = "%s: %r %r" % (way, program, outcomes)
    if not (program[0].sql == "BEGIN" and is_failure(outcomes[0])) and CHANGED_BY_TRIGGER not in plain:
        worker.check_subset(worker.content("feast"), program, plain, outcomes, story)
    worker.next_keys()


@pytest.mark.parametrize("way", [None, cancel, terminate, disconnect])
def test_broken_off_statements(world, database, proxy, way):
    admin = Session(database)
    worker = Worker(database, 1)
    for _ in range(max(NUMBER // 20, 1)):
        break_off(worker, admin, proxy, way)
        if way in (terminate, disconnect):
            worker.feast = Runner(database, "feast", 1)
        # a late cancel may hit it
        with suppress(psycopg.errors.QueryCanceled):
            worker.feast.session.run("SET statement_timeout = 0")
        with suppress(psycopg.errors.QueryCanceled):
            worker.feast.session.run("INSERT INTO one VALUES (1, 1, 'whole')")
    assert worker.feast.session.run("INSERT INTO one VALUES (1, 1, 'whole') RETURNING id") == [(1,)]
    assert worker.readers["feast"].run("SELECT n, s FROM one WHERE id = 1") == [(1, "whole")]
    admin.close()
