"""Fixtures: a session whose schemas go with the test."""

import pytest

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
