"""Fixtures: a session whose schemas go with the test, and what is made from a registry."""

import pytest

from applied import SCHEMA
from small_registry import projection, registry, service, view
from support import Session

SCHEMAS = "feast, feast2, long_names, of_feast, there"


@pytest.fixture
def session(session, database):
    yield session
    session.close()
    cleaner = Session(database)
    cleaner.run("SET dynamo_fdw.remote_ddl = off; SET client_min_messages = error")
    cleaner.run("DROP SCHEMA IF EXISTS %s CASCADE" % SCHEMAS)
    cleaner.close()


@pytest.fixture
def feast(session, project):
    """A session with a server of the test's project, and a schema for its objects."""
    session.server(project)
    session.run("DROP SCHEMA IF EXISTS %s CASCADE" % SCHEMA)
    session.run("CREATE SCHEMA %s" % SCHEMA)
    session.notices.clear()
    yield session
    session.run("ROLLBACK; RESET ROLE; SET dynamo_fdw.remote_ddl = off")
    session.run("DROP SCHEMA IF EXISTS %s CASCADE" % SCHEMA)


@pytest.fixture
def stats(project):
    """A view that most tests change."""
    return view(project, "stats", {"trips": "INT64", "rate": "FLOAT"}, description="of a driver")


@pytest.fixture
def rides(project, stats):
    """A registry with it and a service."""
    return registry(project, stats, service(project, "ride", [projection(stats)], "for the ride model"))
