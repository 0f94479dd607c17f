"""Measures reads and writes of dynamo_fdw against the floor and other clients, all over the mock; prints Markdown.

    bench.py [--quick] [--targets] [--no-peers] [--joins] [--writes]

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
import join_report
import joins
import report
import write_report
import writes
from backend import cpu_ms, peak_mb
from programs import Mock, Peers, certificate, floor, ids_of, pgbench
from tables import make_tables, read, table_name
from turns import SLICE_MS, in_turns, rounds_in

LATENCIES = [10, 2, 0]  # ms
ENTITIES = [1, 100, 500, 1000, 2000, 10000]
TLS = "10 TLS"  # in place of a latency
BENCHES = {"reads": "reads", "joins": "joins with several feature views", "writes": "INSERT, COPY, UPDATE and DELETE"}
PEERS = ["online_read", "get_online_features", "boto3"]

Cell = namedtuple("Cell", "latency entities workers times")  # times: client -> ms of each round


def workers_for(entities):
    return 20 if entities >= 2000 else 10


def measure_cell(latency, entities, mock, peers):
    workers = workers_for(entities)
    statement = read(table_name(latency, workers), ":ids")
    once = median(floor(mock, entities, workers, 5)[0])
    rounds = rounds_in(SLICE_MS, once + entities * 0.004, 6, 100)
    few = rounds_in(SLICE_MS / 2, once + 2 + entities * 0.2, 1, 20)
    clients = {
        "ours": lambda: pgbench(statement, rounds, entities),
        "floor": lambda: floor(mock, entities, workers, rounds)[0],
    }
    for peer in PEERS if peers else []:
        clients[peer] = lambda peer=peer: peers.measure(peer, mock, [entities], few)
    return Cell(latency, entities, workers, in_turns(clients))


def measure_all(grid, mocks, peers):
    cells = []
    for latency, entities in grid:
        print("-- %s ms, %d entities" % (latency, entities), file=sys.stderr)
        cells.append(measure_cell(latency, entities, mocks[latency], None if latency == TLS else peers))
    return cells


def measure_cpu(latency, entities, rounds):
    """Milliseconds of the backend's CPU for 1,000 entities."""
    statement = read(table_name(latency, workers_for(entities)), "$1")
    return cpu_ms(statement, [ids_of(entities)], entities, rounds) / entities * 1000


def measure_memory(entities):
    """Peak memory of a session that reads one entity, and of one that reads them all."""
    statement = read(table_name(0, 10), "$1")
    return [peak_mb(statement, [ids_of(count)], count) for count in (1, entities)]


def measure_reads(mocks, peers, targets):
    grid = [(latency, entities) for latency in LATENCIES for entities in ENTITIES] + [(TLS, 500)]
    if targets:
        grid = list(report.TARGETS) + [report.SDK_CELL]
    cells = measure_all(grid, mocks, peers)
    cpu = {(latency, entities): measure_cpu(latency, entities, rounds)
           for latency, entities, rounds in [(10, 500, 150), (10, 1000, 150), (10, 10000, 15), (0, 10000, 15)]}
    report.show(cells, cpu, {entities: measure_memory(entities) for entities in (10000, 100000)})


def parse_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="only checks (TAP) that all measure what they should")
    parser.add_argument("--targets", action="store_true", help="only lines of the tables that have a target")
    parser.add_argument("--no-peers", action="store_true", help="without Feast and boto3")
    for bench, what in BENCHES.items():
        parser.add_argument("--" + bench, action="store_const", const=bench, help="only " + what)
    options = parser.parse_args()
    options.benches = [bench for bench in BENCHES if getattr(options, bench)] or list(BENCHES)
    return options


def main():
    options = parse_options()
    load = os.getloadavg()[0]

    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        mocks = {latency: stack.enter_context(contextlib.closing(Mock(latency))) for latency in LATENCIES}
        mocks[TLS] = stack.enter_context(contextlib.closing(Mock(10, certificate(folder))))
        with psycopg.connect(autocommit=True) as conn:
            conn.execute("CREATE EXTENSION dynamo_fdw")
            for latency, mock in mocks.items():
                make_tables(conn, latency, mock)
            joins.prepare(conn, mocks)
            if "writes" in options.benches and not options.quick:
                writes.prepare(conn, mocks)
        peers = None if options.no_peers else stack.enter_context(contextlib.closing(Peers()))
        if options.quick:
            sys.exit(check.run(mocks, peers, options.benches))
        if "reads" in options.benches:
            measure_reads(mocks, peers, options.targets)
        if "joins" in options.benches:
            join_report.show(*joins.measure(mocks, peers, options.targets))
        if "writes" in options.benches:
            write_report.show(*writes.measure(mocks, peers, options.targets))
    print("\nLoad of the machine before: %.1f; its cores: %d" % (load, os.cpu_count()))


if __name__ == "__main__":
    main()
