"""Measures INSERT, COPY, UPDATE and DELETE."""

import sys
from collections import namedtuple

import write_report
import write_tables
from backend import cpu_ms, peak_mb, together_ms
from programs import floor, pgbench
from turns import SLICE_MS, in_turns, rounds_in
from write_tables import copy, delete, insert, insert_made, insert_part, update

LATENCIES = [10, 2, 0]  # ms
ROWS = [10000, 100000]  # of INSERT and COPY
KEYS = 10000  # of UPDATE and DELETE
WORKERS = [10, 40]
PEERS = ["online_write_batch", "batch_writer", "pool"]
LARGE = 1000000  # rows of one INSERT
SESSIONS = 4  # of ten workers each
BATCH = 25

Cell = namedtuple("Cell", "latency rows times")  # times: client, or client and workers -> ms of each round


def expected_ms(latency, requests, rows, workers):
    return requests / workers * (latency + 0.05) + rows * 0.01


def writer(statement, expected):
    """Measures a statement; where it takes long, the first time counts too."""
    rounds = rounds_in(SLICE_MS, expected, 1, 20)
    return lambda: pgbench(statement, rounds, warmup=int(expected < SLICE_MS))


def floor_of(do, mock, rows, workers, expected):
    rounds = rounds_in(SLICE_MS, expected, 1, 20)
    return lambda: floor(mock, rows, workers, rounds, do, warmup=int(expected < SLICE_MS))[0]


def measure_load(latency, rows, mock, peers):
    """INSERT and COPY of whole rows, and what other clients have for that."""
    clients = {}
    for workers in WORKERS:
        expected = expected_ms(latency, rows / BATCH, rows, workers)
        clients["insert", workers] = writer(insert(latency, workers, rows), expected)
        clients["copy", workers] = writer(copy(latency, workers, rows), expected)
        clients["floor", workers] = floor_of("put", mock, rows, workers, expected)
    few = rounds_in(SLICE_MS / 2, expected_ms(latency, rows / BATCH, rows * 10, 1), 1, 20)
    for peer in PEERS if peers else []:
        clients[peer] = lambda peer=peer: peers.measure(peer, mock, [rows], few)
    return Cell(latency, rows, in_turns(clients))


def measure_change(latency, keys, mock):
    """UPDATE and DELETE: the floor is that of reading the rows, and that of the writes."""
    once = expected_ms(latency, keys / 100, keys, write_tables.READ_WORKERS)
    clients = {"read floor": floor_of("read", mock, keys, write_tables.READ_WORKERS, once)}
    for workers in WORKERS:
        for name, statement, requests in [("update", update, keys), ("delete", delete, keys / BATCH)]:
            expected = expected_ms(latency, requests, keys, workers)
            clients[name, workers] = writer(statement(latency, workers, keys), once + expected)
            clients[name + " floor", workers] = floor_of(name, mock, keys, workers, expected)
    return Cell(latency, keys, in_turns(clients))


def measure_cpu(latency, rows, rounds):
    """Microseconds of the backend's CPU for a row, of each statement."""
    return {
        name: cpu_ms(statement(latency, 10, rows), [], rows, rounds, warmup=2) / rows * 1000
        for name, statement in [("INSERT", insert), ("COPY", copy)]
    }


def measure_large(few, many):
    """The speed of one statement with many rows, and with few; peak memory after a row, and after many.

    The mock knows the requests by then.
    """
    memory = [peak_mb(insert_made(0, 10, count), [], count) for count in (1, many)]
    clients = {count: writer(insert(0, 10, count), expected_ms(0, count / BATCH, count, 10)) for count in (few, many)}
    return Cell(0, many, in_turns(clients)), memory


def measure_sessions(latency, rows):
    """Several sessions that share the rows, against one that has as many workers as all of them."""
    parts = [insert_part(latency, 10, rows, part, SESSIONS) for part in range(SESSIONS)]
    rounds = rounds_in(SLICE_MS, expected_ms(latency, rows / BATCH, rows, 40), 1, 5)
    return Cell(latency, rows, in_turns({
        "sessions": lambda: together_ms(parts, rows // SESSIONS, rounds),
        "one": lambda: together_ms([insert(latency, SESSIONS * 10, rows)], rows, rounds),
    }))


def prepare(conn, mocks):
    for rows in {*ROWS, KEYS, LARGE}:
        write_tables.make_rows(conn, rows)
    for latency in LATENCIES:
        write_tables.make_targets(conn, latency, mocks[latency], WORKERS)


def measure(mocks, peers, targets):
    """Cells of INSERT and COPY, and of UPDATE and DELETE; CPU, the largest INSERT, sessions side by side."""
    grid = [(latency, rows) for latency in LATENCIES for rows in ROWS]
    if targets:
        grid = write_report.TARGET_CELLS
    loads = []
    for latency, rows in grid:
        print("-- writes at %s ms, %d rows" % (latency, rows), file=sys.stderr)
        loads.append(measure_load(latency, rows, mocks[latency], peers))
    print("-- UPDATE and DELETE", file=sys.stderr)
    changes = [measure_change(latency, KEYS, mocks[latency]) for latency in ([10] if targets else LATENCIES)]
    print("-- CPU, memory, sessions", file=sys.stderr)
    cpu = {latency: measure_cpu(latency, ROWS[0], 10) for latency in (10, 0)}
    large = measure_large(ROWS[0], LARGE)
    sessions = [measure_sessions(latency, ROWS[-1]) for latency in (10, 0)]
    return loads, changes, cpu, large, sessions
