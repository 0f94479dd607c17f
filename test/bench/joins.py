"""Measures joins of entities with one, three and ten feature views."""

import sys
from collections import namedtuple
from statistics import median

import join_report
import join_tables
from backend import peak_mb
from programs import floor, pgbench
from turns import SLICE_MS, in_turns, rounds_in

LATENCIES = [10, 0]  # ms
ENTITIES = [1, 100, 500, 1000, 10000]
VIEWS = [1, 3, 10]
PEERS = ["feature_service", "by_hand"]
OFF = "-c dynamo_fdw.enable_lookup_join=off"
OFF_MS = 16000  # what would take longer without lookup joins isn't measured
IN_ORDER = "-c join_collapse_limit=1"  # plans faster

# Ways to ask for the features of an array of entities: name -> statement, mode of pgbench, settings
FORMS = {
    "array": (join_tables.of_array, "prepared", ""),
    "function, put into the query": (join_tables.of_function, "prepared", ""),
    "array, planned each time": (join_tables.of_array, "extended", ""),
    "array, planned each time in order": (join_tables.of_array, "extended", IN_ORDER),
    "function that is called": (join_tables.of_function_call, "prepared", ""),
    "function that is called, planned in order": (join_tables.of_function_call, "prepared", IN_ORDER),
}
FORM_CELLS = [(10, 10, 1), (10, 3, 500)]
MEMORY = [(3, 10000), (3, 100000), (10, 10000)]  # views, entities

Cell = namedtuple("Cell", "latency views entities times")  # times: client -> ms of each round


def measure_off(latency, views, entities):
    """The same query without lookup joins, a request for each row and view: so slow that it needs no turns."""
    expected = entities * views * (latency + 0.25)
    if expected > OFF_MS:
        return []
    statement = join_tables.of_table(latency, views, entities)
    return pgbench(statement, rounds_in(SLICE_MS, expected, 1, 20), settings=OFF, warmup=0)


def measure_cell(latency, views, entities, mock, peers):
    once = median(floor(mock, entities, 10, 5)[0])
    statement = join_tables.of_table(latency, views, entities)
    rounds = rounds_in(SLICE_MS, once + entities * views * 0.004, 4, 60)
    few = rounds_in(SLICE_MS / 2, views * (once + 2 + entities * 0.2), 1, 20)
    clients = {
        "ours": lambda: pgbench(statement, rounds),
        "floor": lambda: floor(mock, entities, 10, rounds)[0],
    }
    for peer in PEERS if peers else []:
        clients[peer] = lambda peer=peer: peers.measure(peer, mock, [entities, views], few)
    return Cell(latency, views, entities, {**in_turns(clients), "off": measure_off(latency, views, entities)})


def measure_forms(latency, views, entities, mock):
    def asker(statement, mode, settings):
        return lambda: pgbench(statement(latency, views, ":ids::bigint[]"), rounds, entities, mode, settings)

    rounds = rounds_in(SLICE_MS, latency + 2 + entities * views * 0.004, 4, 60)
    clients = {"floor": lambda: floor(mock, entities, 10, rounds)[0]}
    clients.update((name, asker(*form)) for name, form in FORMS.items())
    return Cell(latency, views, entities, in_turns(clients))


def measure_memory(latency, views, entities):
    """Peak memory of a session that joins one entity, and of one that joins them all."""
    return [peak_mb(join_tables.of_table(latency, views, count), [], count) for count in (1, entities)]


def prepare(conn, mocks):
    join_tables.make_entities(conn, sorted(set(ENTITIES).union(entities for _, entities in MEMORY)))
    for latency in LATENCIES:
        join_tables.make_views(conn, latency, mocks[latency])


def measure(mocks, peers, targets):
    """Cells of the grid and of the forms, and memory."""
    grid = [(latency, views, entities) for latency in LATENCIES for views in VIEWS for entities in ENTITIES]
    if targets:
        grid = list(join_report.TARGETS) + join_report.SDK_CELLS
    cells = []
    for latency, views, entities in grid:
        print("-- join at %s ms, %d views, %d entities" % (latency, views, entities), file=sys.stderr)
        cells.append(measure_cell(latency, views, entities, mocks[latency], peers))
    forms = [measure_forms(*cell, mocks[cell[0]]) for cell in FORM_CELLS]
    memory = {place: measure_memory(0, *place) for place in MEMORY}
    return cells, forms, memory
