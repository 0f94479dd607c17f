"""What is joined: local tables of entities, and ten feature views of the same features; the statements that do it."""

from item import FEATURES, SERVICE_VIEWS
from tables import make_server, make_table

COLUMNS = [("event_timestamp", "timestamptz")] + [(name, sql) for name, _, sql, _ in FEATURES]


def joins(latency, views):
    return "".join(" LEFT JOIN %s USING (driver_id)" % view_table(latency, view) for view in SERVICE_VIEWS[:views])


def server_name(latency):
    return "joined_at_%s" % latency


def view_table(latency, view):
    return "%s_at_%s" % (view, latency)


def of_table(latency, views, entities):
    """Joins a local table of so many entities."""
    return "SELECT * FROM entities_%d%s" % (entities, joins(latency, views))


def of_array(latency, views, ids):
    """Joins an array of keys, in the order of the array."""
    return "SELECT * FROM unnest(%s) WITH ORDINALITY AS e (driver_id, n)%s ORDER BY n" % (ids, joins(latency, views))


def of_function(latency, views, ids):
    """The same by a function, which PostgreSQL puts into the query."""
    return "SELECT * FROM service_%d_at_%s(%s)" % (views, latency, ids)


def of_function_call(latency, views, ids):
    """The same by a function that stays one: a sub-select as argument keeps it from being put into the query."""
    return of_function(latency, views, "ARRAY(SELECT unnest(%s))" % ids)


def make_function(conn, latency, views):
    columns = ", ".join("%s_%s %s" % (view, name, sql) for view in SERVICE_VIEWS[:views] for name, sql in COLUMNS)
    conn.execute(
        "CREATE FUNCTION service_%d_at_%s(ids bigint[]) RETURNS TABLE (driver_id bigint, n bigint, %s)"
        " LANGUAGE sql STABLE BEGIN ATOMIC %s; END" % (views, latency, columns, of_array(latency, views, "ids"))
    )


def make_views(conn, latency, mock):
    """A server for the mock, and on it all feature views and feature services."""
    server = server_name(latency)
    make_server(conn, server, mock)
    for view in SERVICE_VIEWS:
        make_table(conn, server, view_table(latency, view), view, 10)
    for views in (3, 10):
        make_function(conn, latency, views)


def make_entities(conn, sizes):
    for entities in sizes:
        table = "entities_%d" % entities
        conn.execute("CREATE TABLE %s AS SELECT generate_series(1::bigint, %d) AS driver_id" % (table, entities))
        conn.execute("ANALYZE " + table)
