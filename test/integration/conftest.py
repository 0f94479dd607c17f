"""Fixtures: a database for each test module, a session and a project for each test."""

import os
import secrets

import pytest

from cluster import Cluster
from faults import PlainProxy, Proxy
from support import ACCESS_KEY, DRIVERS, ENDPOINT, MOTO_ENDPOINT, SECRET_KEY
from support import Session, delete_remote_tables, drop_servers

# Feast and boto3 find their credentials here; Feast reports its use to nobody.
os.environ.update(AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY, FEAST_USAGE="False")


@pytest.fixture(scope="module")
def database(request):
    """A new database with the extension in it; its name."""
    name = "dynamo_fdw_" + request.module.__name__
    admin = Session(os.environ.get("PGDATABASE", "postgres"))
    admin.run("DROP DATABASE IF EXISTS %s WITH (FORCE)" % name)
    admin.run("CREATE DATABASE %s" % name)
    session = Session(name)
    session.run("CREATE EXTENSION dynamo_fdw")
    session.close()
    yield name
    admin.run("DROP DATABASE %s WITH (FORCE)" % name)
    admin.close()


@pytest.fixture
def project():
    """A Feast project of this test alone; its DynamoDB tables go with it."""
    name = "it_" + secrets.token_hex(4)
    yield name
    delete_remote_tables(name)


@pytest.fixture
def session(database):
    """A session; what the test made is dropped without asking DynamoDB."""
    session = Session(database)
    yield session
    session.close()
    cleaner = Session(database)
    # A failed test may have left sessions with locks.
    cleaner.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    drop_servers(cleaner)
    cleaner.close()


@pytest.fixture
def other(database):
    """Another session of the same database."""
    session = Session(database)
    yield session
    session.close()


@pytest.fixture
def proxy():
    """A proxy before DynamoDB Local that behaves until told otherwise."""
    proxy = Proxy(ENDPOINT)
    yield proxy
    proxy.close()


@pytest.fixture
def moto_proxy():
    proxy = PlainProxy(MOTO_ENDPOINT)
    yield proxy
    proxy.close()


@pytest.fixture
def moto(session, project, moto_proxy):
    """A session whose server is moto behind a proxy; the project's tables go when the test ends."""
    session.server(project, moto_proxy.url)
    yield session
    delete_remote_tables(project, MOTO_ENDPOINT)


@pytest.fixture
def local(session, project, proxy):
    """A session whose server is DynamoDB Local behind a proxy."""
    session.server(project, proxy.url)
    return session


@pytest.fixture
def second_proxy():
    """Another one."""
    proxy = Proxy(ENDPOINT)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def initialized():
    """A PostgreSQL cluster of the test module's own, not started."""
    cluster = Cluster()
    try:
        cluster.init()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def drivers(session, project, proxy):
    """A session with the foreign table "drivers" (support.DRIVERS) behind the proxy."""
    session.server(project, proxy.url)
    session.table("drivers", DRIVERS)
    proxy.forget()
    return session


@pytest.fixture
def new_role(session):
    """Makes a role that is no superuser and may use a server; it and what it owns go with the test."""
    names = []

    def make(server):
        names.append("role_" + secrets.token_hex(4))
        session.run("CREATE ROLE %s" % names[-1])
        session.run("GRANT ALL ON SCHEMA public TO %s" % names[-1])
        session.run("GRANT USAGE ON FOREIGN SERVER %s TO %s" % (server, names[-1]))
        return names[-1]

    yield make
    session.run("ROLLBACK; RESET ROLE; SET dynamo_fdw.remote_ddl = off")
    for name in names:
        session.run("DROP OWNED BY %s CASCADE" % name)
        session.run("DROP ROLE %s" % name)
