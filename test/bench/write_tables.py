"""What is written, from where, and the statements that do it."""

from functools import lru_cache

import psycopg

from item import EVENT_TS, FEATURES, NAMES, VALUES, VIEW
from tables import make_server, make_table

READ_WORKERS = 10


def server_name(latency):
    return "written_at_%s" % latency


def target(latency, workers):
    """The foreign table, of that many max_write_workers."""
    return "target_at_%s_by_%d" % (latency, workers)


@lru_cache
def file_of(rows):
    """Of COPY; the server reads it, and it goes with the server."""
    with psycopg.connect() as conn:
        (folder,) = conn.execute("SHOW data_directory").fetchone()
    return "%s/rows_%d" % (folder, rows)


def insert(latency, workers, rows):
    return "INSERT INTO %s SELECT * FROM rows_%d" % (target(latency, workers), rows)


def insert_part(latency, workers, rows, part, parts):
    """One of so many parts of the rows."""
    return "%s WHERE driver_id %% %d = %d" % (insert(latency, workers, rows), parts, part)


def insert_made(latency, workers, rows):
    """Of rows that the statement makes: it touches no shared memory for them."""
    values = ", ".join("'%s'::%s" % (value, sql) for _, _, sql, value in FEATURES)
    return "INSERT INTO %s SELECT generate_series(1, %d), '%s'::timestamptz, %s" % (
        target(latency, workers), rows, EVENT_TS, values)


def copy(latency, workers, rows):
    return "COPY %s FROM '%s'" % (target(latency, workers), file_of(rows))


def update(latency, workers, rows):
    """Sets the first feature to what it is."""
    name, _, sql, value = FEATURES[0]
    return "UPDATE %s t SET %s = '%s'::%s FROM rows_%d r WHERE t.driver_id = r.driver_id" % (
        target(latency, workers), name, value, sql, rows)


def delete(latency, workers, rows):
    return "DELETE FROM %s t USING rows_%d r WHERE t.driver_id = r.driver_id" % (target(latency, workers), rows)


def make_targets(conn, latency, mock, workers):
    """A server for the mock, on it a foreign table for each number of workers."""
    make_server(conn, server_name(latency), mock)
    for number in workers:
        make_table(conn, server_name(latency), target(latency, number), VIEW, READ_WORKERS, number)


def make_rows(conn, rows):
    """A local table of rows, and a file of the same."""
    columns = ["driver_id bigint", "event_timestamp timestamptz"]
    columns += ["%s %s" % (name, sql) for name, _, sql, _ in FEATURES]
    conn.execute("CREATE TABLE rows_%d (%s)" % (rows, ", ".join(columns)))
    with conn.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rows_%d SELECT n, %%s, %s FROM generate_series(1, %d) AS n"
            % (rows, ", ".join(["%s"] * len(NAMES)), rows),
            [EVENT_TS] + VALUES,
        )
    conn.execute("VACUUM ANALYZE rows_%d" % rows)
    conn.execute("COPY rows_%d TO '%s'" % (rows, file_of(rows)))
