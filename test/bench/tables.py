"""The foreign tables that are measured."""

from item import ACCESS_KEY, FEATURES, PROJECT, REGION, SECRET_KEY, VIEW


def table_name(latency, workers):
    return ("drivers_%s_%d" % (latency, workers)).replace(" ", "_").lower()


def read(table, ids):
    return "SELECT * FROM %s WHERE driver_id = ANY (%s)" % (table, ids)


def make_server(conn, server, mock):
    ca_bundle = ", ca_bundle '%s'" % mock.ca_bundle if mock.ca_bundle else ""
    conn.execute(
        "CREATE SERVER %s FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (region '%s', project '%s',"
        " endpoint_url '%s', create_remote_table 'false', drop_remote_table 'never'%s)"
        % (server, REGION, PROJECT, mock.url, ca_bundle)
    )
    conn.execute(
        "CREATE USER MAPPING FOR CURRENT_USER SERVER %s OPTIONS (access_key_id '%s', secret_access_key '%s')"
        % (server, ACCESS_KEY, SECRET_KEY)
    )


def make_table(conn, server, table, view, workers, write_workers=10):
    columns = ", ".join("%s %s" % (name, sql) for name, _, sql, _ in FEATURES)
    conn.execute(
        "CREATE FOREIGN TABLE %s (driver_id bigint OPTIONS (entity_key 'true') NOT NULL,"
        " event_timestamp timestamptz OPTIONS (event_timestamp 'true'), %s)"
        " SERVER %s OPTIONS (feature_view '%s', max_read_workers '%d', max_write_workers '%d')"
        % (table, columns, server, view, workers, write_workers)
    )


def make_tables(conn, latency, mock):
    """A server for the mock, on it a foreign table for each number of workers."""
    server = table_name(latency, 0)
    make_server(conn, server, mock)
    for workers in (10, 20):
        make_table(conn, server, table_name(latency, workers), VIEW, workers)
