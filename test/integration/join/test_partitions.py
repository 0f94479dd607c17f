"""Lookup joins of partitions that are foreign tables."""

import pytest

from joins import GUC, nodes
from support import ACCESS_KEY, KEY, SECRET_KEY, option_list

KEYS = {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY}


@pytest.fixture
def halves(session, project, proxy):
    """A view of two partitions, and orders that are divided at the same key."""
    session.server(project, proxy.url)
    session.run("CREATE TABLE view (id bigint, n integer) PARTITION BY RANGE (id)")
    session.run("CREATE TABLE orders (id bigint, other bigint) PARTITION BY RANGE (id)")
    for name, bounds in (("low", "FROM (MINVALUE) TO (10)"), ("high", "FROM (10) TO (MAXVALUE)")):
        session.table("view_" + name, "n integer, id " + KEY)
        session.run("ALTER TABLE view ATTACH PARTITION view_%s FOR VALUES %s" % (name, bounds))
        session.run("CREATE TABLE orders_%s PARTITION OF orders FOR VALUES %s" % (name, bounds))
    session.run("INSERT INTO view SELECT g, g % 5 FROM generate_series(0, 30, 2) g")
    session.run("INSERT INTO orders SELECT g, g % 4 FROM generate_series(0, 20) g; ANALYZE orders")
    session.run("SET enable_partitionwise_join = on")
    yield session
    session.run("DROP TABLE orders; DROP TABLE view")


STAR = (
    "SELECT o.id, a.n, b.n, c.n FROM orders o JOIN orders p USING (id) LEFT JOIN view a ON a.id = o.id AND a.n > p.other"
    " LEFT JOIN view b ON b.id = p.id AND b.n <> o.other LEFT JOIN view c ON c.id = o.id AND c.n = p.other"
)


@pytest.mark.parametrize("seed", [0, 0.3, 0.8])
def test_genetic_search(halves, seed):
    """GEQO frees the clauses of a join of partitions that it tried out."""
    halves.run("SET geqo_threshold = 2; SET join_collapse_limit = 20; SET geqo_seed = %s" % seed)
    for query in (STAR, STAR.replace("LEFT", "")):
        assert nodes(halves, query) >= 2
        rows = sorted(halves.run(query), key=str)
        halves.run("SET %s = off" % GUC)
        assert sorted(halves.run(query), key=str) == rows
        halves.run("RESET " + GUC)


def test_row_security_that_looks_at_no_row(halves, new_role):
    """The policy's condition becomes one of each partition."""
    role = new_role("feast")
    halves.run("CREATE POLICY one ON view USING (current_user = '%s'); ALTER TABLE view ENABLE ROW LEVEL SECURITY" % role)
    halves.run("GRANT SELECT ON view, orders TO %s" % role)
    halves.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (%s)" % (role, option_list(KEYS)))
    halves.run("SET ROLE " + role)
    query = "SELECT o.id, v.n FROM orders o LEFT JOIN view v ON v.id = o.id"
    expected = [(i, i % 5 if i % 2 == 0 else None) for i in range(21)]
    assert nodes(halves, query) == 2
    assert sorted(halves.run(query)) == expected
    halves.run("RESET ROLE; ALTER POLICY one ON view USING (current_user = 'nobody'); SET ROLE " + role)
    assert sorted(halves.run(query)) == [(i, None) for i in range(21)]
    halves.run("RESET ROLE; DROP POLICY one ON view")


def test_row_security_comes_before_what_leaks(halves, new_role):
    role = new_role("feast")
    halves.run("CREATE POLICY most ON view USING (n <> 3); ALTER TABLE view ENABLE ROW LEVEL SECURITY")
    halves.run("GRANT SELECT ON view, orders TO %s" % role)
    halves.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (%s)" % (role, option_list(KEYS)))
    halves.run(
        "CREATE FUNCTION leak(integer) RETURNS boolean LANGUAGE plpgsql COST 0.0001"
        " AS $$ BEGIN RAISE NOTICE '%', $1; RETURN true; END $$"
    )
    halves.run("SET ROLE " + role)
    query = "SELECT o.id, v.n FROM orders o LEFT JOIN view v ON v.id = o.id AND leak(v.n + 0 * o.other::integer)"
    assert nodes(halves, query) == 2
    halves.notices.clear()
    assert dict(halves.run(query))[8] is None
    assert {message for _, message, _ in halves.notices} == {"0", "1", "2", "4"}
    halves.run("RESET ROLE; DROP POLICY most ON view; DROP FUNCTION leak")
