"""Whose user mapping signs a request and whose rights count: users, views, functions, cached plans, columns.

As with postgres_fdw.
"""

import pytest

import faults
from support import DRIVERS, KEY, option_list

SELECT = "SELECT trips FROM drivers WHERE driver_id = 1"
INSERT = "INSERT INTO drivers VALUES (1, now(), 0, 0)"
VIEW = "SELECT trips FROM v WHERE driver_id = 1"


@pytest.fixture
def roles(session, project, proxy, new_role):
    """Two roles, ALICE and BOB, each with a mapping that has the name as access key; no remote table."""
    session.server(project, proxy.url, mapping=False, create_remote_table="false")
    session.table("drivers", DRIVERS)
    proxy.fault(faults.answer({"Responses": {}, "UnprocessedKeys": {}}), times=None, operation="BatchGetItem")
    proxy.fault(faults.answer({"UnprocessedItems": {}}), times=None, operation="BatchWriteItem")
    alice, bob = new_role("feast"), new_role("feast")
    map_user(session, alice, "ALICE")
    map_user(session, bob, "BOB")
    session.run("GRANT SELECT, INSERT ON drivers TO %s, %s" % (alice, bob))
    return alice, bob


def map_user(session, role, access_key):
    options = option_list({"access_key_id": access_key, "secret_access_key": "secret"})
    session.run("CREATE USER MAPPING FOR %s SERVER feast OPTIONS (%s)" % (role, options))


def signer(proxy):
    """The access key of the last request."""
    return signer_of(proxy.requests[-1])


def signer_of(request):
    return request.header("Authorization").split("Credential=")[1].split("/")[0]


def test_each_user_signs_for_itself(session, proxy, roles):
    for role, key in zip(roles + roles, ["ALICE", "BOB", "ALICE", "BOB"]):
        session.run("SET ROLE %s" % role)
        session.run(SELECT)
        assert signer(proxy) == key
        session.run(INSERT)
        assert signer(proxy) == key
        session.run("RESET ROLE")


def test_a_view_is_read_as_its_owner(session, proxy, roles):
    alice, bob = roles
    session.run("CREATE VIEW v AS SELECT * FROM drivers")
    session.run("ALTER VIEW v OWNER TO %s" % alice)
    session.run("GRANT SELECT, INSERT ON v TO %s" % bob)
    session.run("SET ROLE %s" % bob)
    session.run("SELECT trips FROM v WHERE driver_id = 1")
    assert signer(proxy) == "ALICE"
    session.run("INSERT INTO v VALUES (1, now(), 0, 0)")
    assert signer(proxy) == "ALICE"


def test_the_mapping_of_public_is_for_those_without_one(session, proxy, roles):
    map_user(session, "PUBLIC", "EVERYONE")
    session.run(SELECT)
    assert signer(proxy) == "EVERYONE"
    session.run("SET ROLE %s" % roles[0])
    session.run(SELECT)
    assert signer(proxy) == "ALICE"


def test_a_user_without_mapping(session, proxy, roles):
    assert session.fail(SELECT).sqlstate == "28000"
    session.run("SET ROLE %s" % roles[0])
    session.run(SELECT)
    session.run("RESET ROLE")
    session.run("DROP USER MAPPING FOR %s SERVER feast" % roles[0])
    session.run("SET ROLE %s" % roles[0])
    assert session.fail(SELECT).sqlstate == "28000"
    assert proxy.count("BatchGetItem") == 1


def test_no_user_mapping(session, project):
    session.server(project, mapping=False, create_remote_table="false")
    session.table("drivers", DRIVERS)
    assert session.fail(SELECT).sqlstate == "28000"


def test_no_keys_in_the_user_mapping(session, project):
    # A superuser's mapping may be empty, but then there are no credentials (yet).
    session.server(project, mapping=False, create_remote_table="false")
    session.run("CREATE USER MAPPING FOR CURRENT_USER SERVER feast")
    session.table("drivers", DRIVERS)
    assert session.fail(SELECT).sqlstate == "28000"


@pytest.fixture
def alice(session, roles):
    """What ALICE owns: the view v over drivers, which BOB may read and write; the session is ALICE's."""
    alice, bob = roles
    session.run("CREATE VIEW v AS SELECT * FROM drivers")
    session.run("ALTER VIEW v OWNER TO %s" % alice)
    session.run("GRANT SELECT, INSERT ON v TO %s" % bob)
    yield session
    session.run("ROLLBACK; RESET ROLE")


def signers(session, proxy, statement):
    """Who signs the requests of a statement, in order."""
    before = len(proxy.requests)
    session.run(statement)
    return [signer_of(request) for request in proxy.requests[before:]]


def test_a_security_invoker_view_is_read_as_the_user(alice, proxy, roles):
    alice.run("SET ROLE %s" % roles[1])
    assert signers(alice, proxy, VIEW) == ["ALICE"]
    alice.run("RESET ROLE; ALTER VIEW v SET (security_invoker = true); SET ROLE %s" % roles[1])
    assert signers(alice, proxy, VIEW) == ["BOB"]
    assert signers(alice, proxy, "INSERT INTO v VALUES (1, now(), 0, 0)") == ["BOB"]
    alice.run("RESET ROLE; REVOKE ALL ON drivers FROM %s; SET ROLE %s" % (roles[1], roles[1]))
    assert alice.fail(VIEW).sqlstate == "42501"
    alice.run("RESET ROLE; ALTER VIEW v SET (security_invoker = false); SET ROLE %s" % roles[1])
    assert signers(alice, proxy, VIEW) == ["ALICE"]


def test_a_view_over_a_view_counts_the_inner_owner(alice, proxy, roles):
    alice.run("GRANT SELECT ON v TO %s" % roles[1])
    alice.run("CREATE VIEW w AS SELECT * FROM v; ALTER VIEW w OWNER TO %s" % roles[1])
    assert signers(alice, proxy, VIEW.replace(" v ", " w ")) == ["ALICE"]


def test_one_statement_with_two_users(alice, proxy, roles):
    """A table is read as the user and, through the view, as its owner."""
    alice.run("SET ROLE %s" % roles[1])
    both = "SELECT 1 FROM drivers WHERE driver_id = 1 UNION ALL SELECT 1 FROM v WHERE driver_id = 2"
    assert sorted(signers(alice, proxy, both)) == ["ALICE", "BOB"]
    # Read as the view's owner, written as the user.
    alice.run("RESET ROLE")
    alice.run("CREATE TABLE local (x bigint); INSERT INTO local VALUES (1); GRANT SELECT ON local TO PUBLIC")
    alice.run("SET ROLE %s" % roles[1])
    insert = "INSERT INTO drivers SELECT x, now(), 0, (SELECT count(*) FROM v WHERE driver_id = x) FROM local"
    assert signers(alice, proxy, insert) == ["ALICE", "BOB"]
    alice.run("RESET ROLE; DROP TABLE local")


@pytest.mark.parametrize("language", ["sql", "plpgsql"])
def test_functions(alice, proxy, roles, language):
    """SECURITY DEFINER reads as the function's owner, any other as the user; cached plans follow SET ROLE."""
    body = SELECT if language == "sql" else "BEGIN RETURN (%s); END" % SELECT
    alice.run("CREATE FUNCTION f() RETURNS integer LANGUAGE %s AS $$ %s $$" % (language, body))
    alice.run("CREATE FUNCTION g() RETURNS integer LANGUAGE %s SECURITY DEFINER AS $$ %s $$" % (language, body))
    alice.run("ALTER FUNCTION g OWNER TO %s" % roles[0])
    for plan in ("auto", "force_generic_plan", "force_custom_plan"):
        alice.run("SET plan_cache_mode = %s" % plan)
        for role, key in zip(roles + roles, ["ALICE", "BOB"] * 2):
            alice.run("SET ROLE %s" % role)
            assert signers(alice, proxy, "SELECT f()") == [key]
            assert signers(alice, proxy, "SELECT g()") == ["ALICE"]
            assert signers(alice, proxy, "SELECT f(), g(), f()") == [key, "ALICE", key]
            alice.run("RESET ROLE")
    alice.run("DROP FUNCTION f; DROP FUNCTION g")


def test_prepared_statements_follow_set_role(alice, proxy, roles):
    alice.run("SET plan_cache_mode = force_generic_plan")
    alice.run("PREPARE p AS %s; PREPARE q AS %s" % (SELECT, VIEW))
    alice.run("PREPARE w AS INSERT INTO drivers VALUES (1, now(), 0, 0)")
    for role, key in zip(roles + roles, ["ALICE", "BOB"] * 2):
        alice.run("SET ROLE %s" % role)
        assert signers(alice, proxy, "EXECUTE p") == [key]
        assert signers(alice, proxy, "EXECUTE q") == ["ALICE"]
        assert signers(alice, proxy, "EXECUTE w") == [key]
    alice.run("DEALLOCATE ALL")


def test_a_cursor_stays_with_the_user_who_opened_it(alice, proxy, roles):
    alice.run("BEGIN; SET LOCAL ROLE %s" % roles[0])
    alice.run("DECLARE c CURSOR FOR " + SELECT)
    alice.run("FETCH c")
    assert signer(proxy) == "ALICE"
    alice.run("DECLARE d CURSOR FOR " + SELECT)
    alice.run("SET LOCAL ROLE %s" % roles[1])
    alice.run("FETCH d")
    assert signer(proxy) == "ALICE"
    alice.run("COMMIT")


def test_partitions_are_of_the_user_who_names_their_parent(alice, proxy, roles):
    """Both reading and writing, directly and through a view of ALICE's."""
    alice.run("CREATE TABLE parts (driver_id bigint NOT NULL, trips integer) PARTITION BY RANGE (driver_id)")
    alice.table("part", "driver_id %s, trips integer" % KEY)
    alice.run("ALTER TABLE parts ATTACH PARTITION part FOR VALUES FROM (0) TO (100)")
    alice.run("CREATE VIEW pv AS SELECT * FROM parts; ALTER VIEW pv OWNER TO %s" % roles[0])
    alice.run("GRANT SELECT, INSERT ON parts, pv TO %s, %s" % roles)
    alice.run("SET ROLE %s" % roles[1])
    for name, key in [("parts", "BOB"), ("pv", "ALICE")]:
        assert signers(alice, proxy, "SELECT trips FROM %s WHERE driver_id = 1" % name) == [key]
        assert signers(alice, proxy, "INSERT INTO %s VALUES (1, 2)" % name) == [key]
    alice.run("RESET ROLE; DROP TABLE parts CASCADE")


def test_privileges_of_columns(alice, proxy, roles):
    bob = roles[1]
    alice.run("REVOKE ALL ON drivers FROM %s" % bob)
    alice.run("GRANT SELECT (driver_id, trips), INSERT (driver_id, event_timestamp) ON drivers TO %s" % bob)
    alice.run("SET ROLE %s" % bob)
    before = len(proxy.requests)
    for forbidden in [
        "SELECT conv_rate FROM drivers WHERE driver_id = 1",
        "SELECT * FROM drivers WHERE driver_id = 1",
        "SELECT drivers FROM drivers WHERE driver_id = 1",
        "SELECT trips FROM drivers WHERE driver_id = 1 AND conv_rate > 0",
        "INSERT INTO drivers (driver_id, event_timestamp, trips) VALUES (1, now(), 0)",
        "INSERT INTO drivers (driver_id, event_timestamp) VALUES (1, now()) RETURNING conv_rate",
        "TRUNCATE drivers",
    ]:
        assert alice.fail(forbidden).sqlstate == "42501"
    assert len(proxy.requests) == before
    assert signers(alice, proxy, SELECT) == ["BOB"]
    assert signers(alice, proxy, "INSERT INTO drivers (driver_id, event_timestamp) VALUES (1, now())") == ["BOB"]


def test_row_level_security_is_not_for_foreign_tables(alice, proxy, roles):
    """PostgreSQL has none there: who wants it makes a security barrier view."""
    assert alice.fail("ALTER FOREIGN TABLE drivers ENABLE ROW LEVEL SECURITY").sqlstate == "42809"
    assert alice.fail("CREATE POLICY p ON drivers USING (true)").sqlstate == "42809"
    alice.run("CREATE VIEW mine WITH (security_barrier) AS SELECT * FROM drivers WHERE driver_id < 100")
    alice.run("ALTER VIEW mine OWNER TO %s" % roles[0])
    alice.run("SET ROLE %s" % roles[0])
    assert signers(alice, proxy, "SELECT trips FROM mine WHERE driver_id = 1") == ["ALICE"]


def test_revoked_usage_of_the_server_does_not_stop_reads(alice, proxy, roles):
    """USAGE of the server is for making tables and mappings."""
    alice.run("REVOKE USAGE ON FOREIGN SERVER feast FROM %s" % roles[0])
    alice.run("SET ROLE %s" % roles[0])
    assert signers(alice, proxy, SELECT) == ["ALICE"]
    assert alice.fail("CREATE FOREIGN TABLE t (driver_id %s) SERVER feast" % KEY).sqlstate == "42501"
