"""Whose user mapping signs a request."""

import pytest

import faults
from support import DRIVERS, option_list

SELECT = "SELECT trips FROM drivers WHERE driver_id = 1"
INSERT = "INSERT INTO drivers VALUES (1, now(), 0, 0)"


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
