"""Random CREATE and ALTER by two roles against a model: what is refused, and what works afterwards.

The seed is fixed, so that a failure comes again; RANDOM_DEFINITIONS="SEED NUMBER" tries others.
"""

import os
import random

import psycopg
import pytest

from random_definitions import TYPES, Column, Model, Table
from support import KEY, make_remote, remote_tables

SEED, NUMBER = map(int, (os.environ.get("RANDOM_DEFINITIONS") or "1 300").split())
ALONE = ["one", "two"]
REMOTE = [*ALONE, "part", "child"]


@pytest.fixture
def roles(session, project, new_role):
    """A superuser and the server's owner, who owns all tables, too; remote tables are there already."""
    session.server(project, ca_bundle="/tmp/0", batch_size=50)
    owner = new_role("feast")
    session.run("ALTER SERVER feast OWNER TO %s" % owner)
    session.run("SET client_min_messages = error")
    for table in REMOTE:
        make_remote("%s.%s" % (project, table))
    yield session.value("SELECT current_user"), owner
    session.run("RESET ROLE; RESET session_replication_role; SET dynamo_fdw.remote_ddl = off")


def make_families(session, model):
    """A partition and a child; their keys are marked by ALTER."""
    options = "SERVER feast OPTIONS (entityless 'false', create_remote_table 'false')"
    session.run("CREATE TABLE parts (id bigint NOT NULL) PARTITION BY RANGE (id)")
    session.run("CREATE FOREIGN TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (100) " + options)
    session.run("CREATE TABLE parent (id bigint)")
    session.run("CREATE FOREIGN TABLE child (id %s) INHERITS (parent) %s" % (KEY, options))
    model.tables["part"] = Table("part", "parts", columns=[Column("id", "bigint")])
    model.tables["child"] = Table("child", "parent", columns=[Column("id", "bigint", {"entity_key": "true"})])


def outcome(session, sql):
    """None, or the error's SQLSTATE and message."""
    try:
        session.run(sql)
    except psycopg.Error as error:
        assert not session.conn.closed and error.sqlstate != "XX000", sql
        return "%s %s" % (error.sqlstate, error)
    return None


def run_as(session, role, sql, past_the_checks):
    if past_the_checks:
        session.run("SET session_replication_role = replica")
    session.run("SET ROLE %s" % role)
    try:
        return outcome(session, sql)
    finally:
        session.run("RESET ROLE; RESET session_replication_role")


def check_use(session, table):
    """Good columns are written and read; bad ones hurt who asks for them."""
    if not table.usable():
        assert outcome(session, "SELECT FROM %s" % table.name) is not None, table
        return
    keys, good = table.of("entity_key"), [column for column in table.columns if column.good()]
    values = {column.name: TYPES[column.type][2] for column in good}
    names = list(values)
    if names:
        session.run("INSERT INTO %s (%s) VALUES (%s)" % (table.name, ", ".join(names), ", ".join(values.values())))
    else:
        session.run("INSERT INTO %s DEFAULT VALUES" % table.name)
    where = " AND ".join("%s = %s" % (column.name, values[column.name]) for column in keys) or "true"
    shown = ", ".join("%s::text" % name for name in names)
    got = session.run("SELECT %s FROM %s WHERE %s" % (shown, table.name, where))
    expected = session.run("SELECT " + ", ".join("(%s)::%s::text" % (values[c.name], c.type) for c in good))
    assert got == expected, table
    for column in table.columns:
        if not column.good():
            assert column.name in outcome(session, "SELECT %s FROM %s WHERE %s" % (column.name, table.name, where))


def test_random_statements(session, project, roles):
    chooser = random.Random(SEED)
    model = Model(chooser)
    superuser, owner = roles
    session.run("SET timezone = 'UTC'; SET ROLE %s" % owner)
    make_families(session, model)
    session.run("RESET ROLE")
    refused = used = 0
    for number in range(NUMBER):
        name = chooser.choice(ALONE)
        role = chooser.choice(roles)
        past_the_checks = False
        if name not in model.tables:
            sql, accepted = model.create(name)
            role = owner
        elif chooser.random() < 0.1:
            # What only a superuser may name; one that stands there is in nobody's way.
            sql = chooser.choice(["ALTER SERVER feast OPTIONS (SET ca_bundle '/tmp/%d')" % number,
                                  "ALTER SERVER feast OPTIONS (SET batch_size '%d')" % (number % 100 + 1)])  # fmt: skip
            accepted = role == superuser or "batch_size" in sql
        elif chooser.random() < 0.05:
            del model.tables[name]
            sql, accepted = "DROP FOREIGN TABLE %s" % name, True
        else:
            found = model.alter()
            if found is None:
                continue
            sql, accepted, past_the_checks = found
        if past_the_checks:
            role = superuser
        got = run_as(session, role, sql, past_the_checks)
        assert (got is None) == accepted, "statement %d: %s: %s" % (number, sql, got)
        refused += not accepted
        for table in model.tables.values():
            if number % 5 == 0:
                check_use(session, table)
                used += table.usable()
    assert refused > NUMBER / 10 and used > NUMBER / 10  # else it would say little
    session.run("DROP TABLE parts, parent CASCADE")
    session.run("DROP SERVER feast CASCADE")
    assert session.value("SELECT count(*) FROM pg_foreign_table") == 0
    assert len(remote_tables(project)) == len(REMOTE)  # they were not made here
