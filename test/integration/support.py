"""What the tests share: constants, a database session, DynamoDB by boto3."""

import os
import socket
import threading
import time
from contextlib import contextmanager
from functools import lru_cache

import boto3
import botocore.exceptions
import psycopg

REGION = "us-west-2"
ACCESS_KEY = "FDWTEST"  # DynamoDB Local keeps separate tables for each access key and region
SECRET_KEY = "wJalrXUtnFEMItestsecret"

ENDPOINT = os.environ["DYNAMO_FDW_ENDPOINT"]
MOTO_ENDPOINT = os.environ["DYNAMO_FDW_MOTO_ENDPOINT"]


class Session:
    """A database session in autocommit; BEGIN and COMMIT are statements like others."""

    def __init__(self, database, **where):
        # No statement of a test takes a minute, unless it hangs.
        self.conn = psycopg.connect(dbname=database, autocommit=True, options="-c statement_timeout=60s", **where)
        self.pid = self.conn.info.backend_pid
        self.notices = []  # (severity, message, detail)
        self.conn.add_notice_handler(self._notice)

    def _notice(self, diag):
        self.notices.append((diag.severity_nonlocalized, diag.message_primary, diag.message_detail))

    def run(self, sql, params=None):
        """Executes a statement; its rows, or how many rows it changed."""
        cursor = self.conn.execute(sql, params)
        return cursor.fetchall() if cursor.description else cursor.rowcount

    def value(self, sql, params=None):
        return self.run(sql, params)[0][0]

    def fail(self, sql, params=None):
        """The error of a statement that must fail."""
        try:
            self.run(sql, params)
        except psycopg.Error as error:
            return error
        raise AssertionError("should have failed: " + sql)

    def warnings(self):
        """The warnings since the last call, each as one text."""
        found = ["%s %s" % notice[1:] for notice in self.notices if notice[0] == "WARNING"]
        self.notices.clear()
        return found

    def alive(self):
        return not self.conn.closed and self.value("SELECT 1") == 1

    def close(self):
        self.conn.close()

    # Objects of the extension.

    def server(self, project, endpoint=ENDPOINT, name="feast", mapping=True, **options):
        """CREATE SERVER and, with the keys of DynamoDB Local, a user mapping."""
        options = {"region": REGION, "endpoint_url": endpoint, "project": project, **options}
        self.run("CREATE SERVER %s FOREIGN DATA WRAPPER dynamo_fdw OPTIONS (%s)" % (name, option_list(options)))
        if mapping:
            self.mapping(name)

    def set_server(self, name="feast", **options):
        """Adds options to a server."""
        self.run("ALTER SERVER %s OPTIONS (%s)" % (name, option_list(options)))

    def mapping(self, server="feast", access_key=ACCESS_KEY, secret=SECRET_KEY, **options):
        options = {"access_key_id": access_key, "secret_access_key": secret, **options}
        self.run("CREATE USER MAPPING FOR CURRENT_USER SERVER %s OPTIONS (%s)" % (server, option_list(options)))

    def table(self, name, columns, server="feast", **options):
        """CREATE FOREIGN TABLE; `columns` is SQL."""
        with_options = "OPTIONS (%s)" % option_list(options) if options else ""
        self.run("CREATE FOREIGN TABLE %s (%s) SERVER %s %s" % (name, columns, server, with_options))


def option_list(options):
    """{'batch_size': 5} as batch_size '5'."""
    return ", ".join("%s '%s'" % (name, str(value).replace("'", "''")) for name, value in options.items())


KEY = "bigint OPTIONS (entity_key 'true') NOT NULL"
TIME = "timestamptz OPTIONS (event_timestamp 'true')"

# The table most tests use: an INT64 key and one feature of each of two types.
DRIVERS = "driver_id %s, event_timestamp %s, conv_rate real, trips integer" % (KEY, TIME)
DRIVER_1001 = "f3cfd4a822f245b63975464763babaec"  # entity_id of driver_id INT64 1001, version 3


def records(session):
    """(remote name, state) of the extension's records."""
    return session.run("SELECT table_name, state FROM dynamo_fdw_record ORDER BY table_name, id")


def drop_servers(session):
    """Drops what the extension has in a database without asking DynamoDB."""
    session.run("SET dynamo_fdw.remote_ddl = off")
    for (server,) in session.run("SELECT quote_ident(srvname) FROM pg_foreign_server"):
        session.run("DROP SERVER %s CASCADE" % server)
    session.run("SELECT dynamo_fdw_forget(id) FROM dynamo_fdw_record")


def fill(session, rows, table="drivers"):
    """Writes drivers 1 to `rows`, with trips = 10 * driver_id."""
    session.run(
        "INSERT INTO %s SELECT i, '2024-03-01 10:20:30+00', i / 4.0, i * 10 FROM generate_series(1, %d) i"
        % (table, rows)
    )


@lru_cache
def dynamodb(endpoint=ENDPOINT, access_key=ACCESS_KEY):
    """A boto3 client that sees the tables of the tests, or those of another account."""
    return boto3.client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=SECRET_KEY,
    )


def remote_tables(project, endpoint=ENDPOINT, access_key=ACCESS_KEY):
    """The names, without the project, of the DynamoDB tables of a project."""
    pages = dynamodb(endpoint, access_key).get_paginator("list_tables").paginate()
    names = [name for page in pages for name in page["TableNames"]]
    return sorted(name[len(project) + 1 :] for name in names if name.startswith(project + "."))


def delete_remote_tables(project, endpoint=ENDPOINT):
    """Deletes all DynamoDB tables of a project, protected ones, too."""
    for table in remote_tables(project, endpoint):
        name = project + "." + table
        try:
            dynamodb(endpoint).delete_table(TableName=name)
        except botocore.exceptions.ClientError:
            dynamodb(endpoint).update_table(TableName=name, DeletionProtectionEnabled=False)
            dynamodb(endpoint).delete_table(TableName=name)


def make_remote(name, key="entity_id", key_type="S", endpoint=ENDPOINT):
    """CreateTable as Feast sends it (with the default key)."""
    dynamodb(endpoint).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": key_type}],
        BillingMode="PAY_PER_REQUEST",
    )


def raw_items(table):
    """All items of a DynamoDB table by entity_id, as boto3 gives them."""
    pages = dynamodb().get_paginator("scan").paginate(TableName=table)
    items = [item for page in pages for item in page["Items"]]
    return {item["entity_id"]["S"]: item for item in items}


@contextmanager
def takes(less_than, more_than=0):
    """The body of the with statement must take a time in this range (seconds)."""
    start = time.monotonic()
    yield
    took = time.monotonic() - start
    assert more_than <= took < less_than, "took %.2f s" % took


class Running:
    """A statement that runs in a thread; `error` is its psycopg error, if any."""

    def __init__(self, session, sql, params=None):
        self.session = session
        self.error = None
        self.rows = None
        self._args = (sql, params)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            self.rows = self.session.run(*self._args)
        except psycopg.Error as error:
            self.error = error

    def join(self, seconds=60):
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "still running after %s s" % seconds
        return self


@contextmanager
def deaf_port():
    """A port of loopback where connecting neither succeeds nor fails."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    callers = []
    for _ in range(4):  # more than the queue of connections not yet accepted holds
        caller = socket.socket()
        caller.setblocking(False)
        caller.connect_ex(listener.getsockname())
        callers.append(caller)
    try:
        yield listener.getsockname()[1]
    finally:
        for one in [*callers, listener]:
            one.close()
