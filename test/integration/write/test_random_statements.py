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


class Runner:
    """Executes programs in one of the two schemas."""

    def __init__(self, database, schema, worker, role=None):
        self.session = Session(database)
        self.session.conn.prepare_threshold = None  # DEALLOCATE ALL is of ours alone
        if role:
            self.session.run("SET ROLE %s" % role)
        self.session.run("SET search_path = %s, public; SET plan_cache_mode = force_generic_plan" % schema)
        self.session.run("SET test.worker = '%s'" % worker)
        self.told = []  # by each step of the last program: the rows that plain tables told, ((table, key), values)

    def run(self, program, base):
        """What each step came to: rows, or an SQLSTATE; a failure in a block goes on to its end, as psql does."""
        self.session.run("SET test.base = %d" % base)
        self.told = []
        outcomes = []
        for step in program:
            self.session.notices.clear()
            outcomes.append(self.outcome(step))
            told = [message.partition("wrote ")[2] for _, message, _ in self.session.notices if "wrote " in message]
            self.told.append([((table, key), (n, s)) for table, key, n, s in map(json.loads, told)])
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
        return [self.session.run("EXECUTE p (%s)" % parameter) for _ in range(2)]

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
    return "WITH made AS (%s) SELECT * FROM made" % sql if sql.startswith("INSERT") else sql


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
            operation = self.random.choice(["BatchWriteItem", "BatchWriteItem", "BatchGetItem"])
            proxy.fault(self.random.choice(FAULTS), operation=operation)
        feast = self.feast.run(program, self.base)
        proxy.heal()
        story = "\n".join("%r\n    plain %r\n    feast %r" % all for all in zip(program, plain, feast))
        assert feast == plain, story
        assert self.feast.log() == self.plain.log(), story
        self.check(program, plain, story)

    def check(self, program, outcomes, story):
        """Compares what is stored now, in DynamoDB too."""
        now, plain = self.content("feast"), self.content("plain")
        failed = self.statements.catches or any(map(is_failure, outcomes))
        undone = "ROLLBACK" in story or "put_and_commit" in story
        self.kinds["failed" if failed else "undone" if undone else "done"] += 1
        if failed:
            self.check_subset(now, outcomes, story)
        elif undone:
            self.check_all(now, story)
        else:
            assert now == plain, story
        assert transactional(now) == transactional(plain), story
        if failed or undone:
            self.next_keys()
        else:
            self.before = now

    def check_all(self, now, story):
        """Without a failure all is written to DynamoDB, in spite of a ROLLBACK."""
        told = {key: values[:2] for key, values in self.before.items()}
        told.update(self.plain.written())
        told = {key: values for key, values in told.items() if not is_transactional(*key)}
        assert {key: values[:2] for key, values in now.items() if not is_transactional(*key)} == told, story

    def check_subset(self, now, outcomes, story):
        """After a failure each row is an older one or one that was to be written; of what succeeded none is missing."""
        due = set(self.before)
        if not self.statements.catches:
            for outcome, rows in zip(outcomes, self.plain.told):
                due.update(key for key, _ in rows if not is_failure(outcome) and not is_transactional(*key))
        assert due <= set(now), story
        allowed = {key: {values[:2]} for key, values in self.before.items()}
        for key, values in self.plain.written():
            allowed.setdefault(key, set()).add(values)
        for key, values in now.items():
            assert values[:2] in allowed.get(key, ()), (key, values, story)


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
        "TRUNCATE {0}",
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
    worker.plain.run(program, worker.base)
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
    worker.check_subset(worker.content("feast"), outcomes, "%s: %r %r" % (way, program, outcomes))
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
