"""What check.py looks at in joins."""

import psycopg

import join_tables
import joins
from item import EVENT_TS, VALUES
from programs import Mock, pgbench

ENTITIES = 250
FEW = 20  # where each row is a request
LATENCY = 10  # ms
VIEWS = 3


def look_up(statement, parameters, settings=""):
    with psycopg.connect(options=settings) as conn:
        return conn.execute(statement, parameters).fetchall()


def rows_are_right(statement, parameters, entities, settings=""):
    rows = look_up(statement, parameters, settings)
    keys = len(rows[0]) - VIEWS * (1 + len(VALUES))
    assert [row[0] for row in rows] == list(range(1, entities + 1))
    assert all(list(row[keys:]) == ([EVENT_TS] + VALUES) * VIEWS for row in rows), rows[0]


def is_one_node(statement, parameters):
    plan = "\n".join(line for line, in look_up("EXPLAIN " + statement, parameters))
    assert plan.count("Lookup Join") == 1 and "Foreign Scan" not in plan and "Sort" not in plan, plan


def form_is_right(statement, mode, settings):
    """The rows are right, in order, and pgbench waits for them."""
    drivers = list(range(1, ENTITIES + 1))
    rows_are_right(statement(LATENCY, VIEWS, "%s::bigint[]"), [drivers], ENTITIES, settings)
    times = pgbench(statement(LATENCY, VIEWS, ":ids::bigint[]"), 3, ENTITIES, mode, settings)
    assert len(times) == 3 and min(times) >= LATENCY, times


def requests_are(expected, views, entities, settings=""):
    """How many requests a join of a local table sends."""
    mock = Mock(0)
    with psycopg.connect(autocommit=True) as conn:
        join_tables.make_views(conn, "count", mock)
    try:
        pgbench(join_tables.of_table("count", views, entities), 2, settings=settings, warmup=0)
    finally:
        with psycopg.connect(autocommit=True) as conn:
            conn.execute("SET client_min_messages = warning")
            conn.execute("DROP SERVER %s CASCADE" % join_tables.server_name("count"))
    counts = mock.close()
    assert counts.requests == 2 * expected, counts


def memory_is_measured():
    small, large = joins.measure_memory(0, VIEWS, ENTITIES)
    assert 1 < small <= large < 10000, (small, large)


def peer_reads_the_same(peers, client, mock):
    times = peers.measure(client, mock, [ENTITIES, VIEWS], 2)  # what it reads is checked there
    assert len(times) == 2 and min(times) >= LATENCY, times


def prepare():
    with psycopg.connect(autocommit=True) as conn:
        join_tables.make_entities(conn, [FEW, ENTITIES])


def checks(mocks, peers):
    yield "entities to join", prepare, []
    table = join_tables.of_table(LATENCY, VIEWS, ENTITIES)
    yield "rows of joins are right", rows_are_right, [table, [], ENTITIES]
    few = join_tables.of_table(LATENCY, VIEWS, FEW)
    yield "rows of joins are right without lookup joins", rows_are_right, [few, [], FEW, joins.OFF]
    yield "three views are one node", is_one_node, [table, []]
    ten = join_tables.of_array(LATENCY, 10, "%s::bigint[]")
    yield "ten views of an array are one node", is_one_node, [ten, [[1]]]
    for name, (statement, mode, settings) in joins.FORMS.items():
        yield "rows of joins are right: %s" % name, form_is_right, [statement, mode, settings]
    yield "requests of three views", requests_are, [8, VIEWS, ENTITIES]
    yield "one request for ten views of an entity", requests_are, [1, 10, 1]
    yield "a request for each row without lookup joins", requests_are, [VIEWS * FEW, VIEWS, FEW, joins.OFF]
    yield "memory of joins is measured", memory_is_measured, []
    for client in joins.PEERS if peers else []:
        yield "%s reads the same" % client, peer_reads_the_same, [peers, client, mocks[LATENCY]]
