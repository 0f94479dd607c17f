"""Measures reads of dynamo_fdw against the floor and other clients, all over the mock, and prints Markdown.

    bench.py [--quick] [--targets] [--no-peers]

Started by run, in which the PostgreSQL of the PG variables is a throw-away.
"""

import argparse
import contextlib
import os
import pathlib
import sys
import tempfile
from collections import namedtuple
from statistics import median

import psycopg

import check
import report
from backend import cpu_per_1000, peak_of
from programs import Mock, Peers, certificate, floor, pgbench
from tables import make_tables, table_name

LATENCIES = [10, 2, 0]  # ms
ENTITIES = [1, 100, 500, 1000, 2000, 10000]
TLS = "10 TLS"  # in place of a latency
TURNS = 5  # everything is measured so often, one after the other
SLICE_MS = 600  # about so long each time
PEERS = ["online_read", "get_online_features", "boto3"]

Cell = namedtuple("Cell", "latency entities workers times")  # times: client -> ms of each round


def workers_for(entities):
    return 20 if entities >= 2000 else 10


def rounds_in(ms, expected_ms, least, most):
    return max(least, min(most, round(ms / expected_ms)))


def measure_cell(latency, entities, mock, peers):
    workers = workers_for(entities)
    cell = Cell(latency, entities, workers, {client: [] for client in ["floor", "ours"] + (PEERS if peers else [])})
    once = median(floor(mock, entities, workers, 5)[0])
    rounds = rounds_in(SLICE_MS, once + entities * 0.004, 6, 100)
    for _ in range(TURNS):
        cell.times["ours"] += pgbench(table_name(latency, workers), entities, rounds)
        cell.times["floor"] += floor(mock, entities, workers, rounds)[0]
        for client in PEERS if peers else []:
            few = rounds_in(SLICE_MS / 2, once + 2 + entities * 0.2, 1, 20)
            cell.times[client] += peers.measure(client, mock, entities, few)
    return cell


def measure_all(grid, mocks, peers):
    cells = []
    for latency, entities in grid:
        print("-- %s ms, %d entities" % (latency, entities), file=sys.stderr)
        cells.append(measure_cell(latency, entities, mocks[latency], None if latency == TLS else peers))
    return cells


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="only checks (TAP) that all measure what they should")
    parser.add_argument("--targets", action="store_true", help="only lines of the table that have a target")
    parser.add_argument("--no-peers", action="store_true", help="without Feast and boto3")
    options = parser.parse_args()
    load = os.getloadavg()[0]

    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        mocks = {latency: stack.enter_context(contextlib.closing(Mock(latency))) for latency in LATENCIES}
        mocks[TLS] = stack.enter_context(contextlib.closing(Mock(10, certificate(folder))))
        with psycopg.connect(autocommit=True) as conn:
            conn.execute("CREATE EXTENSION dynamo_fdw")
            for latency, mock in mocks.items():
                make_tables(conn, latency, mock)
        peers = None if options.no_peers else stack.enter_context(contextlib.closing(Peers()))
        if options.quick:
            sys.exit(check.run(mocks, peers))
        grid = [(latency, entities) for latency in LATENCIES for entities in ENTITIES] + [(TLS, 500)]
        if options.targets:
            grid = list(report.TARGETS) + [report.SDK_CELL]
        cells = measure_all(grid, mocks, peers)
        cpu = {(latency, entities): cpu_per_1000(table_name(latency, workers_for(entities)), entities, rounds)
               for latency, entities, rounds in [(10, 500, 150), (10, 1000, 150), (10, 10000, 15), (0, 10000, 15)]}
        memory = {entities: peak_of(table_name(0, 10), entities) for entities in (10000, 100000)}
    report.show(cells, cpu, memory, load)


if __name__ == "__main__":
    main()
