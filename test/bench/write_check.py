"""What check.py looks at in writes."""

import http.client
from contextlib import contextmanager

import psycopg

import write_tables
import writes
from backend import cpu_ms, peak_mb, together_ms
from programs import Mock, floor, pgbench
from write_tables import copy, delete, insert, insert_made, insert_part, update

ROWS = 260  # eleven requests of 25, the last one not full; three to read their keys
REQUESTS = 11
READS = 3
LATENCY = 10  # ms


@contextmanager
def counting():
    """A mock of its own, as foreign tables at latency "count"; yields a list that gets its counts."""
    mock = Mock(0)
    result = [mock]
    with psycopg.connect(autocommit=True) as conn:
        write_tables.make_targets(conn, "count", mock, writes.WORKERS)
        try:
            yield result
        finally:
            conn.execute("SET client_min_messages = warning")
            conn.execute("DROP SERVER %s CASCADE" % write_tables.server_name("count"))
            result[:] = [mock.close()]


def writes_so_much(statement, requests, reads=0):
    """Requests and items of a statement that writes each row once, for either number of workers."""
    with counting() as result:
        for workers in writes.WORKERS:
            pgbench(statement("count", workers, ROWS), 2, warmup=0)
    counts = result[0]
    assert (counts.requests, counts.written) == (4 * (requests + reads), 4 * ROWS), counts


def floor_writes_the_same(statement, do, requests, reads=0):
    """The floor sends what dynamo_fdw sends, byte for byte, and no more often."""
    with counting() as result:
        pgbench(statement("count", 10, ROWS), 1, warmup=0)
        floor(result[0], ROWS, 10, 1, do, warmup=0)
    counts = result[0]
    assert (counts.requests, counts.writes, counts.written) == (2 * requests + reads, requests, 2 * ROWS), counts


def waits(statement, workers):
    """pgbench waits until all rows are acknowledged."""
    times = pgbench(statement(LATENCY, workers, ROWS), 3, warmup=0)
    assert len(times) == 3 and min(times) >= LATENCY * -(-REQUESTS // workers), times


def floor_waits(mock, do, requests):
    times, _ = floor(mock, ROWS, 10, 3, do, warmup=0)
    assert len(times) == 3 and min(times) >= LATENCY * -(-requests // 10), times


def peer_writes_the_same(peers, client):
    mock = Mock(LATENCY)
    times = peers.measure(client, mock, [ROWS], 2)
    counts = mock.close()
    # once more than it was measured, to open its connections
    assert (counts.writes, counts.written) == (REQUESTS, 3 * ROWS), counts
    assert len(times) == 2 and min(times) >= LATENCY, times


def backend_is_measured(statement):
    assert 0.02 < cpu_ms(statement(LATENCY, 10, ROWS), [], ROWS, 3, warmup=1) < 200
    assert 1 < peak_mb(statement(LATENCY, 10, ROWS), [], ROWS) < 10000


def sessions_share_the_rows():
    with counting() as result:
        parts = [insert_part("count", 10, ROWS, part, 4) for part in range(4)]
        times = together_ms(parts, ROWS // 4, 2)
    assert len(times) == 2 and result[0].written == 3 * ROWS, (times, result)


def half_a_request_is_refused():
    """The mock counts no items of a body that is cut."""
    mock = Mock(0)
    body = '{"RequestItems":{"bench.drivers":[{"DeleteRequest":{"Key":{"entity_id":{"S":"00"}}}}]}'
    conn = http.client.HTTPConnection(mock.url.removeprefix("http://"))
    for text, status in [(body, 400), (body + "}", 200)]:
        conn.request("POST", "/", text, {"X-Amz-Target": "DynamoDB_20120810.BatchWriteItem"})
        answer = conn.getresponse()
        answer.read()
        assert answer.status == status, (text, answer.status)
    conn.close()
    assert mock.close().written == 1


def prepare(mocks):
    with psycopg.connect(autocommit=True) as conn:
        write_tables.make_rows(conn, ROWS)
        write_tables.make_targets(conn, LATENCY, mocks[LATENCY], writes.WORKERS)


def checks(mocks, peers):
    yield "rows to write", prepare, [mocks]
    yield "the mock refuses half a write", half_a_request_is_refused, []
    for name, statement, do, requests, reads in [
        ("INSERT", insert, "put", REQUESTS, 0),
        ("INSERT of rows that it makes", insert_made, "put", REQUESTS, 0),
        ("COPY", copy, "put", REQUESTS, 0),
        ("UPDATE", update, "update", ROWS, READS),
        ("DELETE", delete, "delete", REQUESTS, READS),
    ]:
        yield "requests and items of %s" % name, writes_so_much, [statement, requests, reads]
        yield "the floor's requests are those of %s" % name, floor_writes_the_same, [statement, do, requests, reads]
        yield "pgbench waits for %s" % name, waits, [statement, 10]
        yield "the floor of %s waits" % name, floor_waits, [mocks[LATENCY], do, requests]
    yield "CPU and memory of INSERT are measured", backend_is_measured, [insert]
    yield "CPU and memory of COPY are measured", backend_is_measured, [copy]
    yield "sessions share the rows", sessions_share_the_rows, []
    for client in writes.PEERS if peers else []:
        yield "%s writes the same" % client, peer_writes_the_same, [peers, client]
