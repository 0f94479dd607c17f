"""The foreign tables that are measured."""

from item import ACCESS_KEY, FEATURES, PROJECT, REGION, SECRET_KEY, VIEW


def table_name(latency, workers):
    return ("drivers_%s_%d" % (latency, workers)).replace(" ", "_").lower()


def make_tables(conn, latency, mock):
    """A server for the mock, on it a foreign table for each number of workers."""
    server = table_name(latency, 0)
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
    columns = ", ".join("%s %s" % (name, sql) for name, _, sql, _ in FEATURES)
    for workers in (10, 20):
        conn.execute(
            "CREATE FOREIGN TABLE %s (driver_id bigint OPTIONS (entity_key 'true') NOT NULL,"
            " event_timestamp timestamptz OPTIONS (event_timestamp 'true'), %s)"
            " SERVER %s OPTIONS (feature_view '%s', max_read_workers '%d')"
            % (table_name(latency, workers), columns, server, VIEW, workers)
        )
