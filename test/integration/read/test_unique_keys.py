"""The planner knows that no two rows have the same entity key; what it makes of that gives the same rows."""

import pytest

from support import KEY, fill

# More columns than an index can have.
MANY_KEYS = ", ".join("k%d integer OPTIONS (entity_key 'true')" % i for i in range(33))

JOIN = "SELECT e.i FROM (VALUES (1), (1), (2), (9), (NULL)) e(i) LEFT JOIN drivers f ON f.driver_id = e.i"
ROWS = [(1,), (1,), (2,), (9,), (None,)]


def plan(session, query):
    return "\n".join(line for (line,) in session.run("EXPLAIN (COSTS OFF) " + query))


def test_a_join_that_nobody_needs_asks_nothing(drivers, proxy):
    fill(drivers, 3)
    proxy.forget()
    assert drivers.run(JOIN) == ROWS
    assert drivers.run(JOIN.replace("e.i FROM", "count(*) FROM")) == [(5,)]
    assert proxy.operations() == []


def test_a_join_that_nobody_needs_may_be_of_a_table_that_is_not_there(drivers):
    drivers.run("SET dynamo_fdw.remote_ddl = off; ALTER FOREIGN TABLE drivers OPTIONS (table_name 'nowhere')")
    assert drivers.fail(JOIN.replace("e.i FROM", "f.trips FROM")).sqlstate == "HV00R"
    assert drivers.run(JOIN) == ROWS


def test_a_join_by_part_of_the_key_gives_all_rows(session, project):
    session.server(project)
    session.table("pairs", "a %s, b integer OPTIONS (entity_key 'true')" % KEY)
    session.run("INSERT INTO pairs VALUES (1, 1), (1, 2), (1, 3)")
    on = "LEFT JOIN pairs f ON f.a = e.i AND f.b"
    assert session.run("SELECT e.i FROM (VALUES (1), (2)) e(i) %s IN (1, 2)" % on) == [(1,), (1,), (2,)]
    assert session.run("SELECT e.i FROM (VALUES (1), (2)) e(i) %s IN (e.i, 3)" % on) == [(1,), (1,), (2,)]
    assert session.run("SELECT e.i FROM (VALUES (1), (2)) e(i) %s = 2" % on) == [(1,), (2,)]


def test_a_nondeterministic_collation_finds_different_keys_equal(session, project):
    session.server(project)
    session.run("CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    session.table("loose", "k text OPTIONS (entity_key 'true') COLLATE loose")
    session.table("strict", "k text OPTIONS (entity_key 'true')")
    for table in ("loose", "strict"):
        session.run("INSERT INTO %s VALUES ('a'), ('A')" % table)
    query = "SELECT e.t FROM (VALUES ('a'), ('b')) e(t) LEFT JOIN %s f ON %s = e.t AND f.k COLLATE \"C\" IN ('a', 'A')"
    assert session.run(query % ("loose", "f.k")) == [("a",), ("a",), ("b",)]
    assert session.run(query % ("strict", "f.k")) == [("a",), ("b",)]
    # the planner itself looks at the collation since 15.18 only
    if session.value("SHOW server_version_num") >= "150018":
        assert session.run(query % ("strict", "f.k COLLATE loose")) == [("a",), ("a",), ("b",)]


def test_features_depend_on_the_key(drivers):
    """From 18 on the planner groups by the key alone, without NOT NULL, for no key is NULL."""
    drivers.run("ALTER FOREIGN TABLE drivers ALTER driver_id DROP NOT NULL")
    fill(drivers, 3)
    columns = "driver_id, trips, conv_rate"
    query = "SELECT %s, count(*) FROM drivers WHERE driver_id IN (1, 2) GROUP BY %s ORDER BY 1" % (columns, columns)
    assert drivers.run(query) == [(1, 10, 0.25, 1), (2, 20, 0.5, 1)]
    only_key = plan(drivers, query).count("trips") == 0
    assert only_key == (int(drivers.value("SHOW server_version_num")) >= 180000)


@pytest.mark.parametrize("keys", [MANY_KEYS, "k numeric OPTIONS (entity_key 'true')", "k json OPTIONS (entity_key 'true')",
                                  "k text[] OPTIONS (entity_key 'true')", "k integer"])
def test_a_broken_table_hurts_only_who_reads_it(session, project, keys):
    session.server(project)
    session.run("BEGIN; ALTER EVENT TRIGGER dynamo_fdw_ddl_command_end DISABLE; CREATE TABLE parent (n integer)")
    session.table("broken", "n integer CHECK (n = 2), " + keys)
    session.run("ALTER FOREIGN TABLE broken INHERIT parent; INSERT INTO parent VALUES (1)")
    assert session.run("SELECT * FROM parent WHERE n = 1") == [(1,)]
    assert session.fail("SELECT p.n FROM parent p LEFT JOIN broken b ON b.n = p.n").sqlstate[:2] in ("HV", "54")
    session.run("ROLLBACK")
