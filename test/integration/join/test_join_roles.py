"""Whose user mapping signs the requests of a lookup join: the user's, or that of a view's owner. See test_roles.py."""

import pytest

import faults
from joins import NODE, nodes
from support import ACCESS_KEY, DRIVERS, SECRET_KEY, fill, option_list

IDS = "generate_series(1, 3) g"


@pytest.fixture
def roles(session, project, proxy, new_role):
    """Two roles with a mapping each that has the name as access key; no remote table, no items."""
    session.server(project, proxy.url, mapping=False, create_remote_table="false")
    session.table("drivers", DRIVERS)
    session.table("riders", DRIVERS)
    proxy.fault(faults.answer({"Responses": {}, "UnprocessedKeys": {}}), times=None, operation="BatchGetItem")
    names = [new_role("feast"), new_role("feast")]
    for role, key in zip(names, ("ALICE", "BOB")):
        options = option_list({"access_key_id": key, "secret_access_key": "secret"})
        session.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (%s)" % (role, options))
    session.run("GRANT SELECT ON drivers, riders TO %s, %s" % tuple(names))
    return names


def view_of(session, owner, reader, name, table):
    session.run("CREATE VIEW %s AS SELECT * FROM %s" % (name, table))
    session.run("ALTER VIEW %s OWNER TO %s" % (name, owner))
    session.run("GRANT SELECT ON %s TO %s" % (name, reader))


def signers(proxy):
    """(access key, tables) of each read."""
    return sorted(
        (
            read.header("Authorization").split("Credential=")[1].split("/")[0],
            sorted(name.split(".")[1] for name in read.json()["RequestItems"]),
        )
        for read in proxy.of("BatchGetItem")
    )


BOTH = "SELECT g, a.trips, b.trips FROM " + IDS + " LEFT JOIN %s a ON a.driver_id = g LEFT JOIN %s b ON b.driver_id = g"


def test_the_user(session, proxy, roles):
    for role, key in zip(roles, ("ALICE", "BOB")):
        session.run("SET ROLE %s" % role)
        assert len(session.run(BOTH % ("drivers", "riders"))) == 3
        assert signers(proxy) == [(key, ["drivers", "riders"])]
        session.run("RESET ROLE")
        proxy.forget()


def test_a_view_is_read_as_its_owner(session, proxy, roles):
    alice, bob = roles
    view_of(session, alice, bob, "v", "riders")
    session.run("SET ROLE %s" % bob)
    assert nodes(session, BOTH % ("drivers", "v")) == 1
    assert len(session.run(BOTH % ("drivers", "v"))) == 3
    assert signers(proxy) == [("ALICE", ["riders"]), ("BOB", ["drivers"])]


def test_one_table_for_two_users(session, proxy, roles):
    alice, bob = roles
    view_of(session, alice, bob, "v", "drivers")
    session.run("SET ROLE %s" % bob)
    assert len(session.run(BOTH % ("drivers", "v"))) == 3
    assert signers(proxy) == [("ALICE", ["drivers"]), ("BOB", ["drivers"])]


def test_a_cached_plan_is_for_whoever_executes_it(session, proxy, roles):
    session.run("SET plan_cache_mode = force_generic_plan; PREPARE both_views AS " + BOTH % ("drivers", "riders"))
    for role, key in zip(roles + roles, ("ALICE", "BOB", "ALICE", "BOB")):
        session.run("SET ROLE %s" % role)
        session.run("EXECUTE both_views")
        assert signers(proxy) == [(key, ["drivers", "riders"])]
        session.run("RESET ROLE")
        proxy.forget()


def test_a_cursor_stays_with_who_opened_it(session, proxy, roles):
    session.run("SET ROLE %s; BEGIN" % roles[0])
    session.run(
        "DECLARE c CURSOR FOR SELECT g, d.trips FROM generate_series(1, 60) g LEFT JOIN drivers d ON driver_id = g"
    )
    session.run("FETCH 1 FROM c; SET ROLE %s; FETCH ALL FROM c; COMMIT" % roles[1])
    assert {key for key, _ in signers(proxy)} == {"ALICE"}


def test_a_security_definer_function(session, proxy, roles):
    alice, bob = roles
    session.run(
        "CREATE FUNCTION of_alice() RETURNS SETOF int LANGUAGE sql STABLE SECURITY DEFINER BEGIN ATOMIC"
        " SELECT d.trips FROM generate_series(1, 3) g LEFT JOIN drivers d ON d.driver_id = g; END"
    )
    session.run("ALTER FUNCTION of_alice OWNER TO %s; SET ROLE %s" % (alice, bob))
    assert len(session.run("SELECT * FROM of_alice()")) == 3
    assert signers(proxy) == [("ALICE", ["drivers"])]


def test_who_may_not_read_may_not_join(session, proxy, roles):
    session.run("REVOKE SELECT ON riders FROM %s; SET ROLE %s" % (roles[0], roles[0]))
    assert session.fail(BOTH % ("drivers", "riders")).sqlstate == "42501"
    session.run("RESET ROLE; GRANT SELECT (driver_id) ON riders TO %s; SET ROLE %s" % (roles[0], roles[0]))
    assert session.fail(BOTH % ("drivers", "riders")).sqlstate == "42501"
    assert proxy.requests == []


def test_without_a_mapping(session, proxy, roles):
    session.run("DROP USER MAPPING FOR %s SERVER feast; SET ROLE %s" % (roles[0], roles[0]))
    assert session.fail(BOTH % ("drivers", "riders")).sqlstate == "28000"
    assert NODE in "".join(line for (line,) in session.run("EXPLAIN " + BOTH % ("drivers", "riders")))


# What hides rows comes first.

LEAK = (
    "CREATE FUNCTION leak(text) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS"
    " $$ BEGIN RAISE NOTICE '%', $1; RETURN true; END $$"
)


def leaked(session, query):
    session.notices.clear()
    session.run(query)
    return sorted(message for _, message, _ in session.notices)


@pytest.mark.parametrize("kind", ["JOIN", "LEFT JOIN"])
def test_a_security_barrier(drivers, kind):
    fill(drivers, 5)
    drivers.run(LEAK)
    drivers.run(
        "CREATE VIEW fenced WITH (security_barrier) AS SELECT g, d.trips FROM generate_series(1, 6) g"
        " %s drivers d ON d.driver_id = g WHERE d.trips IS DISTINCT FROM 30" % kind
    )
    query = "SELECT trips FROM fenced WHERE leak(coalesce(trips::text, 'none'))"
    assert nodes(drivers, query) == 1
    assert leaked(drivers, query) == ["10", "20", "40", "50"] + (["none"] if kind == "LEFT JOIN" else [])
    drivers.run("DROP VIEW fenced; DROP FUNCTION leak")


def test_row_security_of_the_outer_table(drivers, new_role):
    fill(drivers, 5)
    role = new_role("feast")
    drivers.run(LEAK)
    drivers.run("CREATE TABLE ids AS SELECT generate_series(1, 5) AS id; ALTER TABLE ids ENABLE ROW LEVEL SECURITY")
    drivers.run("CREATE POLICY visible ON ids USING (id <> 3); GRANT SELECT ON ids, drivers TO %s" % role)
    options = option_list({"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY})
    drivers.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (%s); SET ROLE %s" % (role, options, role))
    query = "SELECT i.id, d.trips FROM ids i LEFT JOIN drivers d ON d.driver_id = i.id AND leak(i.id::text)"
    assert nodes(drivers, query) == 1
    assert leaked(drivers, query) == ["1", "2", "4", "5"]
    drivers.run("RESET ROLE; DROP TABLE ids; DROP FUNCTION leak")
