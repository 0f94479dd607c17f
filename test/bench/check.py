"""A quick look, in TAP, whether everything still measures what it should; nobody's time is judged."""

from itertools import chain

import psycopg

import join_check
import report
import write_check
from backend import cpu_ms, peak_mb
from item import EVENT_TS, NAMES, VALUES
from programs import FLOOR_WARMUP, WARMUP, Mock, floor, ids_of, pgbench
from tables import make_tables, read, table_name

ENTITIES = 250  # three requests, the last one not full
LEAST_MS = 10  # latency of the mock that has one


def rows_are_right(table):
    statement = "SELECT driver_id, event_timestamp, %s FROM %s WHERE driver_id = ANY (%%s)" % (", ".join(NAMES), table)
    with psycopg.connect() as conn:
        rows = conn.execute(statement, [list(range(1, ENTITIES + 1))]).fetchall()
    assert sorted(row[0] for row in rows) == list(range(1, ENTITIES + 1))
    assert all(list(row[1:]) == [EVENT_TS] + VALUES for row in rows), rows[0]


def requests_are_the_same():
    """The floor sends what dynamo_fdw sends, byte for byte, and no more often."""
    mock = Mock(0)
    with psycopg.connect(autocommit=True) as conn:
        make_tables(conn, "other", mock)
    pgbench(read(table_name("other", 10), ":ids"), 4, ENTITIES)
    floor(mock, ENTITIES, 10, 7)
    # 3 requests for each of 4 and 7 rounds, and for each round of warming up
    counts = mock.close()
    assert (counts.requests, counts.reads) == (3 * (4 + WARMUP + 7 + FLOOR_WARMUP), 3), counts


def pgbench_waits(table):
    times = pgbench(read(table, ":ids"), 5, ENTITIES)
    assert len(times) == 5 and min(times) >= LEAST_MS, times


def floor_reads_all(mock):
    times, received = floor(mock, ENTITIES, 10, 5)
    assert len(times) == 5 and min(times) >= LEAST_MS, times
    _, one = floor(mock, 1, 1, 1)
    assert received > ENTITIES * (one - 100), (received, one)


def peer_waits(peers, client, mock):
    times = peers.measure(client, mock, [ENTITIES], 2)  # what it reads is checked there
    assert len(times) == 2 and min(times) >= LEAST_MS, times


def backend_is_measured(table):
    statement = read(table, "$1"), [ids_of(ENTITIES)], ENTITIES
    assert 0.02 < cpu_ms(*statement, rounds=10) < 200
    assert 1 < peak_mb(*statement) < 10000


def report_judges():
    assert report.verdict(True) == "ok" and report.number(1234.5) == "1,234"


def checks(mocks, peers):
    slow = table_name(LEAST_MS, 10)
    for latency, mock in mocks.items():
        yield "rows are right, latency %s ms" % latency, rows_are_right, [table_name(latency, 20)]
        if mock.ca_bundle or latency == LEAST_MS:
            yield "the floor reads all, latency %s ms" % latency, floor_reads_all, [mock]
    yield "the floor's requests are those of dynamo_fdw", requests_are_the_same, []
    yield "pgbench waits for the answers", pgbench_waits, [slow]
    yield "CPU and memory of the backend are measured", backend_is_measured, [slow]
    if peers:
        for client in report.PEERS:
            yield "%s reads all" % client, peer_waits, [peers, client, mocks[LEAST_MS]]


def run(mocks, peers, benches):
    """Exit status; a line for each check of these benches."""
    failed = number = 0
    everything = {"reads": checks, "joins": join_check.checks, "writes": write_check.checks}
    chosen = chain(*(everything[bench](mocks, peers) for bench in benches))
    for number, (title, check, arguments) in enumerate(chosen, 1):
        try:
            check(*arguments)
            print("ok %d - %s" % (number, title))
        except (Exception, SystemExit) as error:
            failed += 1
            print("not ok %d - %s" % (number, title))
            print("# %s: %s" % (type(error).__name__, str(error)[:500].replace("\n", "\n# ")))
    print("1..%d" % number)
    return int(failed > 0)
