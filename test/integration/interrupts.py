"""Statements that wait for DynamoDB, and what may end them: statement_timeout, a cancel, a terminate, a client's end."""

import os
import random
import socket
import time

import psycopg

from support import Running, Session, takes

POOL = 10
CLIENT = POOL + 3  # descriptors: its connections, an epoll set and a socket pair of libcurl's

SOON = 1  # seconds; really it takes some milliseconds

READ = "SELECT trips FROM drivers WHERE driver_id = ANY (ARRAY(SELECT generate_series(1, 300)))"
JOIN = "SELECT trips FROM generate_series(1, 3) i JOIN drivers ON driver_id = i"
WRITE = "INSERT INTO drivers SELECT i, now(), 0, 0 FROM generate_series(1000, 1100) i"
CREATE = "CREATE FOREIGN TABLE other (id bigint OPTIONS (entity_key 'true')) SERVER feast"


def beside(session):
    """Another session on the same server."""
    info = session.conn.info
    return Session(info.dbname, host=info.host, port=info.port, user=info.user)


def by_timeout(session, statement, ready):
    session.run("SET statement_timeout = '%dms'" % random.randint(1, 100))
    with takes(less_than=SOON + 0.1):
        assert session.fail(statement).sqlstate == "57014"


def by_cancel(session, statement, ready):
    running = Running(session, statement)
    ready()
    time.sleep(random.uniform(0, 0.1))
    with takes(less_than=SOON):
        session.conn.cancel()
        running.join()
    assert running.error.sqlstate == "57014"


def by_terminate(session, statement, ready):
    admin = beside(session)
    running = Running(session, statement)
    ready()
    time.sleep(random.uniform(0, 0.1))
    with takes(less_than=SOON):
        admin.run("SELECT pg_terminate_backend(%s)", [session.pid])
        running.join()
        wait_until_gone(admin, session.pid)
    assert isinstance(running.error, psycopg.OperationalError)
    admin.close()


def by_client(session, statement, ready):
    """PostgreSQL looks for its client while a statement runs if it is told to."""
    admin = beside(session)
    session.run("SET client_connection_check_interval = 100")
    running = Running(session, statement)
    ready()
    time.sleep(random.uniform(0, 0.1))
    with takes(less_than=SOON):
        socket.socket(fileno=os.dup(session.conn.fileno())).shutdown(socket.SHUT_RDWR)
        running.join()
        wait_until_gone(admin, session.pid)
    admin.close()


def wait_until_gone(admin, pid):
    while admin.value("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [pid]):
        time.sleep(0.01)


ENDS = [by_timeout, by_cancel, by_terminate, by_client]


def wait_for_any(proxy):
    end = time.monotonic() + 10
    while not proxy.operations():
        assert time.monotonic() < end, "no request"
        time.sleep(0.005)
